/* SPDX-License-Identifier: Apache-2.0 */
/* usage/record.c: the table of members and the writer of lines. A line is written for every
 * attempt, so the room is asked for once, keys and texts are copied before they are judged, and
 * what needs escaping (hardly ever anything) is written again. */
#include "usage/record.h"

#include <string.h>

#include "base/block.h"
#include "base/crc32c.h"
#include "base/text.h"
#include "usage/record_members.h"
#include "wire/json_out.h"
#include "wire/json_text.h"

#define MEMBER(name, kind, index)                                                                  \
    {                                                                                              \
        ",\"" #name "\":", sizeof(",\"" #name "\":") - 1, (kind), (uint8_t)(index)                 \
    }

const struct record_member record_members[RECORD_MEMBERS] = {
#define TEXT(NAME, name, help)    MEMBER(name, MEMBER_TEXT, RECORD_##NAME),
#define LIST(NAME, name, help)    MEMBER(name, MEMBER_LIST, RECORD_##NAME),
#define NUMBER(NAME, name, help)  MEMBER(name, MEMBER_NUMBER, RECORD_##NAME),
#define DECIMAL(NAME, name, help) MEMBER(name, MEMBER_DECIMAL, RECORD_##NAME),
#define TIME(NAME, name, help)    MEMBER(name, MEMBER_TIME, RECORD_##NAME),
#define TRUTH(NAME, name, help)   MEMBER(name, MEMBER_TRUTH, RECORD_##NAME),
#include "usage/record.def"
#undef TEXT
#undef LIST
#undef NUMBER
#undef DECIMAL
#undef TIME
#undef TRUTH
#define TOKENS(NAME, name, help) MEMBER(name, MEMBER_TOKENS, TOKENS_##NAME),
#include "wire/tokens.def"
#undef TOKENS
#define FEE(NAME, name, help) MEMBER(name, MEMBER_FEE, FEE_##NAME),
#include "wire/fees.def"
#undef FEE
    MEMBER(flags, MEMBER_FLAGS, 0),
    MEMBER(usage_raw, MEMBER_RAW, 0),
};

const struct span record_flag_names[RECORD_FLAGS] = {
#define FLAG(NAME, name, help) SPAN(#name),
#include "usage/flags.def"
#undef FLAG
};

uint32_t record_flag_bit(struct span name)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < RECORD_FLAGS; i++) {
        bits |= span_equal(name, record_flag_names[i]) ? 1u << i : 0;
    }
    return bits;
}

/* Room that a member takes beside its text: the key, and the longest number, date or pair of
 * quotes. */
enum {
    MEMBER_ROOM = RECORD_KEY_SIZE + 32,
    FLAGS_ROOM = RECORD_FLAGS * 24,
    TAIL_ROOM = 64,
    LINE_ROOM = RECORD_MEMBERS * MEMBER_ROOM + FLAGS_ROOM + TAIL_ROOM,
    ESCAPED_MAX = 6 /* bytes that one byte may become */
};

_Static_assert((RECORD_TEXTS * RECORD_TEXT_SHORT + RECORD_TEXT_MAX) * ESCAPED_MAX + RECORD_RAW_MAX +
                       LINE_ROOM <=
                   RECORD_LINE_MAX,
               "a line with all texts cut short fits, whatever needs escaping");

void record_init(struct record *record)
{
    memset(record, 0, sizeof *record);
    /* -1 in every number: all bits set. */
    memset(record->numbers, 0xff, sizeof record->numbers);
    memset(record->tokens, 0xff, sizeof record->tokens);
    memset(record->fees, 0xff, sizeof record->fees);
}

bool record_has(const struct record *record, enum record_flag flag)
{
    return (record->flags >> (unsigned)flag & 1u) != 0;
}

void record_flag(struct record *record, enum record_flag flag)
{
    record->flags |= 1u << (unsigned)flag;
}

struct span record_text_cut(const struct record *record, size_t which, size_t max)
{
    struct span text = record->texts[which];
    size_t most = which == RECORD_TAGS && max == RECORD_TEXT_MAX ? RECORD_TAGS_MAX : max;
    size_t len = which == RECORD_ID ? RECORD_TEXT_MAX : most;

    if (LIKELY(text.len <= len)) {
        return text;
    }
    /* Not in the middle of a character. */
    for (size_t back = 0; back < 3 && len > 0 && ((unsigned char)text.at[len] & 0xc0) == 0x80;
         back++) {
        len--;
    }
    return span_make(text.at, len);
}

/* Where the writer stands in the room that it asked for. */
struct pen {
    struct buf *out;
    char *at;
    bool is_plain; /* no text had to be written otherwise than it is */
};

/* For the writers that know buffers: what stands so far is the buffer's, and what they add the
 * pen's. */
static void lend(struct pen *pen)
{
    pen->out->len = (size_t)(pen->at - pen->out->at);
}

static void take_back(struct pen *pen)
{
    pen->at = pen->out->at + pen->out->len;
}

static void put_escaped(struct pen *pen, struct span text)
{
    lend(pen);
    json_escape(pen->out, text);
    take_back(pen);
}

/* A text in quotes. */
static void put_text(struct pen *pen, struct span text)
{
    char *start = pen->at + 1;
    size_t plain = 0;
    unsigned run = BLOCK_BYTES;

    pen->at[0] = '"';
    memcpy(start, text.at, text.len);
    memset(start + text.len, ' ', BLOCK_BYTES); /* so that blocks can be read past the end */
    while (plain < text.len && run == BLOCK_BYTES) {
        run = json_text_plain_block(start + plain);
        plain += run;
    }
    if (LIKELY(plain >= text.len)) {
        pen->at = start + text.len;
    } else {
        pen->at = start;
        pen->is_plain = false;
        put_escaped(pen, text);
    }
    *pen->at++ = '"';
}

static void put_list(struct pen *pen, struct span list)
{
    struct span rest = list;

    *pen->at++ = '[';
    for (;;) {
        struct span item = span_cut(&rest, ',');

        put_text(pen, item);
        if (rest.at == NULL) {
            break;
        }
        *pen->at++ = ',';
    }
    *pen->at++ = ']';
}

static void put_flags(struct pen *pen, uint32_t flags)
{
    char before = '[';

    for (size_t i = 0; i < RECORD_FLAGS; i++) {
        if ((flags >> i & 1u) != 0) {
            *pen->at++ = before;
            put_text(pen, record_flag_names[i]);
            before = ',';
        }
    }
    *pen->at++ = ']';
}

/* The provider's own JSON: line feeds in it can only be white space, because texts escape them. */
static void put_raw(struct pen *pen, struct span raw)
{
    char *end = pen->at + raw.len;

    memcpy(pen->at, raw.at, raw.len);
    memset(end, ' ', BLOCK_BYTES); /* so that blocks can be mended past the end */
    for (char *at = pen->at; at < end; at += BLOCK_BYTES) {
        unsigned char block[BLOCK_BYTES];

        memcpy(block, at, sizeof block);
        for (size_t i = 0; i < BLOCK_BYTES; i++) {
            block[i] = block[i] < 0x20 ? ' ' : block[i];
        }
        memcpy(at, block, sizeof block);
    }
    pen->at = end;
}

static void put_time(struct pen *pen, wall_ms at)
{
    *pen->at++ = '"';
    lend(pen);
    text_put_rfc3339(pen->out, at);
    take_back(pen);
    *pen->at++ = '"';
}

static void put_number(struct pen *pen, enum record_member_kind kind, int64_t number)
{
    if (kind == MEMBER_TIME) {
        put_time(pen, number);
    } else if (kind == MEMBER_TRUTH) {
        size_t len = number != 0 ? 4 : 5;

        memcpy(pen->at, number != 0 ? "true " : "false", 5);
        pen->at += len;
    } else if (kind == MEMBER_DECIMAL) {
        *pen->at++ = '"';
        pen->at = buf_digits(pen->at, (uint64_t)number);
        *pen->at++ = '"';
    } else {
        pen->at = buf_digits(pen->at, (uint64_t)number);
    }
}

static void put_key(struct pen *pen, const struct record_member *member)
{
    memcpy(pen->at, member->key, RECORD_KEY_SIZE);
    pen->at += member->key_len;
}

static bool has_raw(const struct record *record)
{
    return record->raw.len > 0 && record->raw.len <= RECORD_RAW_MAX;
}

static void put_member(struct pen *pen, const struct record *record,
                       const struct record_member *member, size_t text_max)
{
    enum record_member_kind kind = (enum record_member_kind)member->kind;

    if (kind == MEMBER_FLAGS) {
        if (record->flags != 0) {
            put_key(pen, member);
            put_flags(pen, record->flags);
        }
    } else if (kind == MEMBER_RAW) {
        if (has_raw(record)) {
            put_key(pen, member);
            put_raw(pen, record->raw);
        }
    } else if (record->texts[member->index].len > 0) {
        struct span text = record_text_cut(record, member->index, text_max);

        put_key(pen, member);
        if (kind == MEMBER_LIST) {
            put_list(pen, text);
        } else {
            put_text(pen, text);
        }
    }
}

/* Most members are figures, and most figures are not there. */
static void put_members(struct pen *pen, const struct record *record, size_t text_max)
{
    const int64_t *const figures[] = {
        [MEMBER_NUMBER] = record->numbers, [MEMBER_DECIMAL] = record->numbers,
        [MEMBER_TIME] = record->numbers,   [MEMBER_TRUTH] = record->numbers,
        [MEMBER_TOKENS] = record->tokens,  [MEMBER_FEE] = record->fees};

    for (size_t i = 0; i < RECORD_MEMBERS; i++) {
        const struct record_member *member = &record_members[i];

        if (member->kind >= ARRAY_LENGTH(figures)) {
            put_member(pen, record, member, text_max);
        } else if (figures[member->kind][member->index] >= 0) {
            put_key(pen, member);
            put_number(pen, (enum record_member_kind)member->kind,
                       figures[member->kind][member->index]);
        }
    }
}

static void put_crc(struct pen *pen, uint32_t crc)
{
    static const char digits[] = "0123456789abcdef";

    memcpy(pen->at, "\"crc\":\"", 7);
    pen->at += 7;
    for (unsigned shift = 32; shift > 0; shift -= 4) {
        *pen->at++ = digits[crc >> (shift - 4) & 15];
    }
    memcpy(pen->at, "\"}\n", 3);
    pen->at += 3;
}

/* The most that a text can take in the line, by what its bytes may become. */
static size_t weight_of(struct span text)
{
    size_t weight = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        weight += c < 0x20 || c == '"' || c == '\\' ? ESCAPED_MAX : c >= 0x80 || c == ',' ? 3 : 1;
    }
    return weight;
}

static size_t raw_room(const struct record *record)
{
    return has_raw(record) ? record->raw.len : 0;
}

/* The longest texts that leave the line within RECORD_LINE_MAX, and the room that it takes then.
 * Nearly always the first sum will do: it looks at no byte, and not at what is cut off. */
static size_t text_max_of(const struct record *record, size_t *room)
{
    size_t sum = 0;
    size_t weight = 0;

    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        sum += record->texts[i].len;
    }
    *room = sum * ESCAPED_MAX + raw_room(record) + LINE_ROOM;
    if (LIKELY(*room <= RECORD_LINE_MAX)) {
        return RECORD_TEXT_MAX;
    }
    for (size_t i = 0; i < RECORD_TEXTS; i++) {
        weight += weight_of(record_text_cut(record, i, RECORD_TEXT_MAX));
    }
    *room = weight + raw_room(record) + LINE_ROOM;
    if (*room <= RECORD_LINE_MAX) {
        return RECORD_TEXT_MAX;
    }
    *room = RECORD_LINE_MAX;
    return RECORD_TEXT_SHORT;
}

bool record_put_line(struct buf *out, const struct record *record)
{
    size_t room = 0;
    size_t text_max = text_max_of(record, &room);
    struct pen pen = {.out = out, .is_plain = text_max == RECORD_TEXT_MAX};
    size_t start = out->len;

    if (out->failed || buf_reserve(out, room) != ERR_NONE) {
        return false;
    }
    pen.at = out->at + start;
    put_members(&pen, record, text_max);
    lend(&pen);
    if (out->len == start) {
        *pen.at++ = '{';
    } else {
        out->at[start] = '{';
    }
    lend(&pen);
    uint32_t crc = crc32c(span_make(out->at + start, out->len - start));
    if (out->len - start > 1) {
        *pen.at++ = ',';
    }
    put_crc(&pen, crc);
    lend(&pen);
    return pen.is_plain;
}
