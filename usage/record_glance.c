/* SPDX-License-Identifier: Apache-2.0 */
/* usage/record_glance.c: of a line as our writer writes nearly all of them, only what an attempt is booked
 * by; for the million lines that may have to be counted before the first call of a process. Believes
 * nothing but the sum: with anything unusual (an escape, another order, another form) it gives up, and
 * record_read_line judges. */
#include "base/text.h"
#include "usage/record.h"
#include "usage/record_members.h"

#define BIT(i) (UINT64_C(1) << (i))

_Static_assert(RECORD_TEXTS <= 64 && RECORD_NUMBERS <= 64, "a bit for each");

static const uint64_t texts_wanted =
    BIT(RECORD_SOURCE) | BIT(RECORD_CALL) | BIT(RECORD_TRACE) | BIT(RECORD_TASK) | BIT(RECORD_KEY) |
    BIT(RECORD_TEAM) | BIT(RECORD_USER) | BIT(RECORD_TAGS) | BIT(RECORD_ROUTE) |
    BIT(RECORD_PROVIDER) | BIT(RECORD_MODEL) | BIT(RECORD_PHASE);
static const uint64_t numbers_wanted =
    BIT(RECORD_CHARGED) | BIT(RECORD_HELD) | BIT(RECORD_HELD_AT) | BIT(RECORD_AT) |
    BIT(RECORD_BEGAN_US) | BIT(RECORD_TOTAL_US) | BIT(RECORD_LEDGER_EPOCH);

/* Behind the quote that ends the text which begins at `at`; NULL: there is none. */
static const char *text_end(const char *at, const char *end)
{
    const char *quote = at < end && *at == '"' ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;

    return quote == NULL ? NULL : quote + 1;
}

/* The words of an array, with commas between them. */
static const char *take_list(const char *at, const char *end, struct buf *text, struct span *list)
{
    size_t from = text->len;

    do {
        const char *next = text_end(++at, end);

        if (next == NULL || next == end || (*next != ',' && *next != ']')) {
            return NULL;
        }
        buf_put(text, span_make(at + 1, (size_t)(next - at) - 2));
        if (*next == ',') {
            buf_put_char(text, ',');
        }
        at = next;
    } while (*at == ',');
    *list = span_make(text->at + from, text->len - from);
    return text->failed ? NULL : at + 1;
}

static void put_flags(struct span words, struct record *record)
{
    while (words.len > 0) {
        record->flags |= record_flag_bit(span_cut(&words, ','));
    }
}

static bool put(const struct record_member *member, struct span value, struct record *record)
{
    uint64_t number = 0;

    switch ((enum record_member_kind)member->kind) {
    case MEMBER_TEXT: record->texts[member->index] = value; return true;
    case MEMBER_TIME: return text_read_rfc3339(value, &record->numbers[member->index]) == ERR_NONE;
    case MEMBER_NUMBER:
    case MEMBER_TOKENS:
        if (text_read_u64(value, &number) != ERR_NONE || number > INT64_MAX) {
            return false;
        }
        if (member->kind == MEMBER_TOKENS) {
            record->tokens[member->index] = (int64_t)number;
        } else {
            record->numbers[member->index] = (int64_t)number;
        }
        return true;
    case MEMBER_DECIMAL:
    case MEMBER_TRUTH:
    case MEMBER_FEE:
    case MEMBER_LIST:
    case MEMBER_FLAGS:
    case MEMBER_RAW: break;
    }
    return false;
}

static bool is_wanted(const struct record_member *member)
{
    switch ((enum record_member_kind)member->kind) {
    case MEMBER_TEXT:
    case MEMBER_LIST: return (texts_wanted & BIT(member->index)) != 0;
    case MEMBER_NUMBER:
    case MEMBER_TIME: return (numbers_wanted & BIT(member->index)) != 0;
    case MEMBER_TOKENS: return true;
    case MEMBER_DECIMAL:
    case MEMBER_TRUTH:
    case MEMBER_FEE:
    case MEMBER_FLAGS:
    case MEMBER_RAW: break;
    }
    return false;
}

/* The value that begins at `at` becomes the member's; behind it, or NULL. */
static const char *take_value(const struct record_member *member, const char *at, const char *end,
                              struct buf *text, struct record *record)
{
    const char *next = at;
    bool is_text = at < end && *at == '"';

    if (at < end && *at == '[') {
        struct span list;

        next = take_list(at, end, text, &list);
        if (next != NULL && member->kind == MEMBER_LIST) {
            record->texts[member->index] = list;
        } else if (next != NULL && member->kind == MEMBER_FLAGS) {
            put_flags(list, record);
        }
        return member->kind == MEMBER_LIST || member->kind == MEMBER_FLAGS ? next : NULL;
    }
    if (is_text) {
        next = text_end(at, end);
    } else {
        while (next < end && *next != ',') {
            next++;
        }
    }
    if (next == NULL || !is_wanted(member)) {
        return next;
    }
    return put(member, span_make(at + is_text, (size_t)(next - at) - 2U * is_text), record) ? next
                                                                                          : NULL;
}

/* The row whose key stands at `at`, with the comma in front; members come in the order of the table. */
static const struct record_member *member_at(const char *at, const char *end, size_t *from)
{
    for (; *from < RECORD_MEMBERS && end - at > 4; ++*from) {
        const struct record_member *member = &record_members[*from];

        if (at[2] == member->key[2] && at[3] == member->key[3] &&
            end - at > member->key_len && memcmp(at, member->key, member->key_len) == 0) {
            return &record_members[(*from)++];
        }
    }
    return NULL;
}

bool record_glance(struct span line, struct buf *text, struct record *record)
{
    static const struct span head = SPAN("{\"record_id\":");
    const char *end = NULL;
    const char *at = NULL;
    size_t from = 1;

    record_init(record);
    if (!record_line_is_whole(line) || !span_starts(line, head) ||
        memchr(line.at, '\\', line.len) != NULL || buf_reserve(text, line.len) != ERR_NONE) {
        return false;
    }
    end = line.at + line.len - RECORD_TAIL - 1; /* the comma in front of the sum */
    for (at = text_end(line.at + head.len, end); at != NULL && at < end;) {
        const struct record_member *member = member_at(at, end, &from);

        if (member == NULL) {
            return false;
        }
        if (member->kind == MEMBER_RAW) { /* the last one */
            return true;
        }
        at = take_value(member, at + member->key_len, end, text, record);
    }
    return at == end;
}
