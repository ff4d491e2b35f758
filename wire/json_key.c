/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json_key.h"

#include "base/must.h"

void json_key_init(struct json_key *key)
{
    json_text_init(&key->text);
    key->len = 0;
}

static void gather(struct json_key *key, const char *p, const char *end)
{
    size_t length = (size_t)(end - p);

    must(length <= sizeof key->bytes - key->len);
    memcpy(key->bytes + key->len, p, length);
    key->len += length;
}

/* The gathered bytes without their escapes: never longer than with them, so it is done in place.
 * Lone surrogates stay apart from each other and from U+FFFD: they are different names. */
static struct span unescape(struct json_key *key)
{
    struct span raw = span_make(key->bytes, key->len);
    size_t length = 0;

    while (raw.len > 0) {
        char character[4];
        size_t count = 1;

        if (*raw.at == '\\') {
            count = json_text_unescape(&raw, character);
            memcpy(key->bytes + length, character, count);
        } else {
            key->bytes[length] = *raw.at;
            raw = span_from(raw, 1);
        }
        length += count;
    }
    return span_make(key->bytes, length);
}

/* The key is as long as it may be: only its end may follow. */
static enum json_key_end end_of_longest(const struct json_key *key, char next)
{
    return next == '"' && key->text.place == JSON_TEXT_PLAIN ? JSON_KEY_CLOSED : JSON_KEY_LONG;
}

static enum json_key_end end_of_text(enum json_text_end how)
{
    switch (how) {
    case JSON_TEXT_MORE: return JSON_KEY_MORE;
    case JSON_TEXT_CLOSED: return JSON_KEY_CLOSED;
    case JSON_TEXT_BAD_SYNTAX: return JSON_KEY_BAD_SYNTAX;
    case JSON_TEXT_BAD_UTF8: return JSON_KEY_BAD_UTF8;
    }
    UNREACHABLE();
}

const char *json_key_read(struct json_key *key, const char *p, const char *end,
                          enum json_key_end *how, struct span *name)
{
    size_t room = LIMIT_JSON_KEY - key->len;
    const char *stop = (size_t)(end - p) > room ? p + room : end;
    enum json_text_end text_how = JSON_TEXT_MORE;
    const char *q = json_text_read(&key->text, p, stop, &text_how);

    *how = end_of_text(text_how);
    if (*how == JSON_KEY_MORE && q < end) {
        *how = end_of_longest(key, *q);
    }
    if (*how == JSON_KEY_CLOSED && key->len == 0 && !key->text.has_escape) {
        *name = span_make(p, (size_t)(q - p));
        return q;
    }
    if (*how == JSON_KEY_CLOSED || *how == JSON_KEY_MORE) {
        gather(key, p, q);
    }
    if (*how == JSON_KEY_CLOSED) {
        *name = unescape(key);
    }
    return q;
}
