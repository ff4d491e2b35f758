/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json_value.h"

#include "base/must.h"
#include "wire/json_scan.h"
#include "wire/json_text.h"

/* U+FFFD, for what is no character. */
static const struct span replacement = SPAN("\xef\xbf\xbd");

static struct span without_quotes(struct span raw)
{
    must(raw.len >= 2 && raw.at[0] == '"' && raw.at[raw.len - 1] == '"');
    return span_make(raw.at + 1, raw.len - 2);
}

static bool is_surrogate(struct span character)
{
    return character.len == 3 && (unsigned char)character.at[0] == 0xed &&
           (unsigned char)character.at[1] >= 0xa0;
}

void json_string_decode(struct span raw, struct buf *out)
{
    struct span rest = without_quotes(raw);

    while (rest.len > 0) {
        const char *escape = memchr(rest.at, '\\', rest.len);
        size_t plain = escape == NULL ? rest.len : (size_t)(escape - rest.at);
        char bytes[4];

        buf_put(out, span_make(rest.at, plain));
        rest = span_from(rest, plain);
        if (rest.len > 0) {
            struct span character = span_make(bytes, json_text_unescape(&rest, bytes));

            buf_put(out, is_surrogate(character) ? replacement : character);
        }
    }
}

bool json_string_is_plain(struct span raw)
{
    struct span text = without_quotes(raw);

    return text.len == 0 || memchr(text.at, '\\', text.len) == NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum err json_integer(struct span raw, int64_t *number)
{
    bool is_negative = raw.len > 0 && raw.at[0] == '-';
    struct span digits = span_from(raw, is_negative ? 1 : 0);
    uint64_t limit = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    uint64_t sum = 0;
    bool is_large = false;

    if (digits.len == 0 || (digits.at[0] == '0' && (digits.len > 1 || is_negative))) {
        return ERR_FORMAT;
    }
    for (size_t i = 0; i < digits.len; i++) {
        uint64_t digit = (uint64_t)(unsigned char)digits.at[i] - '0';

        if (!is_digit(digits.at[i])) {
            return ERR_FORMAT;
        }
        is_large = is_large || sum > (limit - digit) / 10;
        sum = is_large ? 0 : sum * 10 + digit;
    }
    if (is_large) {
        return ERR_RANGE;
    }
    /* The lowest number has no positive counterpart. */
    *number = !is_negative ? (int64_t)sum : sum == limit ? INT64_MIN : -(int64_t)sum;
    return ERR_NONE;
}

struct span json_hit_span(const struct json_hit *hit, struct span document)
{
    must(hit->at <= document.len && hit->len <= document.len - hit->at);
    return span_make(document.at + hit->at, (size_t)hit->len);
}

const char *json_fault_code(enum json_fault fault)
{
    switch (fault) {
    case JSON_FAULT_NONE: return "none";
    case JSON_FAULT_SYNTAX: return "invalid_json";
    case JSON_FAULT_UTF8: return "invalid_utf8";
    case JSON_FAULT_DEEP: return "json_too_deep";
    case JSON_FAULT_LARGE: return "json_too_large";
    case JSON_FAULT_NUMBER_LONG: return "number_too_long";
    case JSON_FAULT_DUPLICATE: return "duplicate_key";
    case JSON_FAULT_MEMORY: return "out_of_memory";
    }
    UNREACHABLE();
}
