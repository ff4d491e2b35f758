/* SPDX-License-Identifier: Apache-2.0 */
/* usage/record_read.c: the reader of lines. The sum is checked first, then the scanner says whether
 * the bytes are one JSON object; after that values end where they must, and a walk over the members
 * of the root is enough. Members come in the order of the table, so each name is looked for from
 * where the last one was found. */
#include "base/crc32c.h"
#include "base/text.h"
#include "usage/record.h"
#include "usage/record_members.h"
#include "wire/json_text.h"
#include "wire/json_walk.h"

/* The value of a string, decoded at the end of `text`, which has the room. */
static bool read_text(struct span value, struct buf *text, struct span *read)
{
    size_t from = text->len;

    if (value.at[0] != '"') {
        return false;
    }
    json_string_decode(value, text);
    *read = span_make(text->at + from, text->len - from);
    return true;
}

static bool read_list(struct span value, struct buf *text, struct span *read)
{
    struct json_walk walk = json_walk_of(value);
    size_t from = text->len;
    bool is_first = true;
    struct span item;
    struct span word;

    if (!json_is_array(value)) {
        return false;
    }
    while (json_walk_item(&walk, &item)) {
        if (!is_first) {
            buf_put_char(text, ',');
        }
        is_first = false;
        if (!read_text(item, text, &word)) {
            return false;
        }
    }
    *read = span_make(text->at + from, text->len - from);
    return true;
}

static bool read_flags(struct span value, struct buf *text, uint32_t *flags)
{
    struct json_walk walk = json_walk_of(value);
    size_t from = text->len;
    struct span item;
    struct span word;

    if (!json_is_array(value)) {
        return false;
    }
    while (json_walk_item(&walk, &item)) {
        if (!read_text(item, text, &word)) {
            return false;
        }
        *flags |= record_flag_bit(word);
        buf_truncate(text, from);
    }
    return true;
}

/* A number in digits, and no less than zero. */
static bool read_count(struct span value, int64_t *number)
{
    return json_integer(value, number) == ERR_NONE && *number >= 0;
}

static bool read_quoted(struct span value, enum record_member_kind kind, int64_t *number)
{
    struct span inner = span_make(value.at + 1, value.len - 2);

    if (value.len < 2 || value.at[0] != '"') {
        return false;
    }
    return kind == MEMBER_TIME ? text_read_rfc3339(inner, number) == ERR_NONE && *number >= 0
                               : read_count(inner, number);
}

static bool read_truth(struct span value, int64_t *number)
{
    *number = value.at[0] == 't' ? 1 : 0;
    return value.at[0] == 't' || value.at[0] == 'f';
}

static bool read_member(struct record *record, const struct record_member *member,
                        struct span value, struct buf *text)
{
    size_t i = member->index;

    switch ((enum record_member_kind)member->kind) {
    case MEMBER_TEXT: return read_text(value, text, &record->texts[i]);
    case MEMBER_LIST: return read_list(value, text, &record->texts[i]);
    case MEMBER_NUMBER: return read_count(value, &record->numbers[i]);
    case MEMBER_DECIMAL:
    case MEMBER_TIME:
        return read_quoted(value, (enum record_member_kind)member->kind, &record->numbers[i]);
    case MEMBER_TRUTH: return read_truth(value, &record->numbers[i]);
    case MEMBER_TOKENS: return read_count(value, &record->tokens[i]);
    case MEMBER_FEE: return read_count(value, &record->fees[i]);
    case MEMBER_FLAGS: return read_flags(value, text, &record->flags);
    case MEMBER_RAW:
        record->raw = span_make(text->at + text->len, value.len);
        buf_put(text, value);
        return true;
    }
    UNREACHABLE();
}

/* key: with its quotes. The row of this name, or NULL; *from is where to begin, and then the row
 * behind the one found. */
static const struct record_member *find_member(struct span key, size_t *from)
{
    for (size_t step = 0; step < RECORD_MEMBERS; step++) {
        size_t i = *from + step < RECORD_MEMBERS ? *from + step : *from + step - RECORD_MEMBERS;
        const struct record_member *member = &record_members[i];

        /* The comma in front and the colon behind are the table's. */
        if (key.len + 2 == member->key_len && memcmp(key.at, member->key + 1, key.len) == 0) {
            *from = i + 1 < RECORD_MEMBERS ? i + 1 : 0;
            return member;
        }
    }
    return NULL;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool record_line_is_whole(struct span line)
{
    static const struct span head = SPAN("\"crc\":\"");
    struct span body = line;
    struct span tail;
    uint32_t told = 0;

    if (line.len < RECORD_TAIL + 1) {
        return false;
    }
    body.len -= RECORD_TAIL;
    tail = span_from(line, body.len);
    if (!span_starts(tail, head) || !span_ends(tail, SPAN_OF("\"}"))) {
        return false;
    }
    for (size_t i = head.len; i < head.len + 8; i++) {
        if (!is_hex(tail.at[i])) {
            return false;
        }
        told = told << 4 | (uint32_t)text_hex_digit(tail.at[i]);
    }
    if (body.at[body.len - 1] == ',') {
        body.len--;
    }
    return crc32c(body) == told;
}

struct span record_line_id(struct span line)
{
    struct span head = SPAN_OF("{\"record_id\":\"");
    struct span rest = line;
    struct span id;

    if (!span_starts(line, head) || line.len < RECORD_TAIL) {
        return span_make(line.at, 0);
    }
    rest = span_from(rest, head.len);
    id = span_cut(&rest, '"');
    return rest.at != NULL ? id : span_make(line.at, 0);
}

enum err record_read_object(struct span object, struct buf *text, struct record *record)
{
    struct json_walk walk = json_walk_of(object);
    struct span key;
    struct span value;
    size_t from = 0;

    record_init(record);
    /* Nothing is longer decoded than written, so that the texts stay where they are put. */
    if (text->failed || buf_reserve(text, object.len) != ERR_NONE) {
        return ERR_MEMORY;
    }
    while (json_walk_member(&walk, &key, &value)) {
        const struct record_member *member = find_member(key, &from);
        if (member != NULL && !read_member(record, member, value, text)) {
            return ERR_FORMAT;
        }
    }
    return ERR_NONE;
}

enum err record_read_line(struct json_scan *scan, struct span line, struct buf *text,
                          struct record *record)
{
    struct json_scan_options options = {.allow_duplicates = true};

    if (!record_line_is_whole(line) || !json_scan_whole(scan, &options, line, NULL) ||
        line.at[0] != '{') {
        record_init(record);
        return ERR_FORMAT;
    }
    return record_read_object(line, text, record);
}
