/* SPDX-License-Identifier: Apache-2.0 */
/* usage/record.h: what one attempt consumed (or a call that made none), and its line in the journal.
 * Members are rows of record.def, so that writing, reading, packing, the index and the manual go
 * over tables. Plain data: texts borrow. Pure. */
#ifndef USAGE_RECORD_H
#define USAGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"
#include "wire/json_scan.h"
#include "wire/usage.h"

/* A lone member is counted among texts or among numbers, each in the order of the table. */
#define RECORD_NOTHING(NAME, name, help)
enum record_text {
#define TEXT(NAME, name, help) RECORD_##NAME,
#define LIST(NAME, name, help) RECORD_##NAME,
#define NUMBER RECORD_NOTHING
#define DECIMAL RECORD_NOTHING
#define TIME RECORD_NOTHING
#define TRUTH RECORD_NOTHING
#include "usage/record.def"
#undef TEXT
#undef LIST
#undef NUMBER
#undef DECIMAL
#undef TIME
#undef TRUTH
    RECORD_TEXTS
};
enum record_number {
#define TEXT RECORD_NOTHING
#define LIST RECORD_NOTHING
#define NUMBER(NAME, name, help) RECORD_##NAME,
#define DECIMAL(NAME, name, help) RECORD_##NAME,
#define TIME(NAME, name, help) RECORD_##NAME,
#define TRUTH(NAME, name, help) RECORD_##NAME,
#include "usage/record.def"
#undef TEXT
#undef LIST
#undef NUMBER
#undef DECIMAL
#undef TIME
#undef TRUTH
    RECORD_NUMBERS
};
enum record_flag {
#define FLAG(NAME, name, help) RECORD_FLAG_##NAME,
#include "usage/flags.def"
#undef FLAG
    RECORD_FLAGS
};

struct record {
    struct span texts[RECORD_TEXTS];
    int64_t numbers[RECORD_NUMBERS]; /* -1: not known */
    int64_t tokens[TOKEN_CLASSES];   /* -1: not known; what is charged, told or estimated */
    int64_t fees[FEE_KINDS];
    uint32_t flags;                  /* bits of enum record_flag */
    struct span raw;                 /* `usage_raw`: the provider's usage as it came, JSON of at most
                                      * RECORD_RAW_MAX bytes; empty: none, or longer */
};

enum {
    RECORD_RAW_MAX = 2048,
    RECORD_LINE_MAX = 16 * 1024,
    RECORD_TEXT_MAX = 256,  /* bytes of a text that are kept; more is cut off behind a whole character */
    RECORD_TAGS_MAX = 1024, /* the same of `tags` */
    RECORD_TEXT_SHORT = 32  /* of each text but record_id, where the line would be too long otherwise */
};

/* Everything absent. */
void record_init(struct record *record);
bool record_has(const struct record *record, enum record_flag flag);
void record_flag(struct record *record, enum record_flag flag);

/* A text as lines and slots keep it: at most `max` bytes, whole characters; record_id is cut at
 * RECORD_TEXT_MAX alone, and for max = RECORD_TEXT_MAX tags at RECORD_TAGS_MAX. */
struct span record_text_cut(const struct record *record, size_t which, size_t max);

/* Puts the record's line: a JSON object whose last member is "crc", eight hexadecimal digits: the
 * CRC-32C of the bytes before the comma in front of it; then a line feed. Never longer than
 * RECORD_LINE_MAX; asks `out` for that much room at most. True: whoever reads the line gets the very same
 * texts and figures; false: perhaps not (a text was escaped, mended or cut, or is not ASCII), or `out` has
 * failed. */
bool record_put_line(struct buf *out, const struct record *record);
/* Whether a line (without its line feed) ends in the CRC of what stands before: nothing else of it is
 * looked at. */
bool record_line_is_whole(struct span line);
/* The record_id that a whole line of ours begins with, as it stands there; empty: it does not. */
struct span record_line_id(struct span line);
/* Reads a line (without its line feed). Texts are decoded into `text`, which the record borrows
 * from until it is cleared or another line is read into it. ERR_MEMORY, or ERR_FORMAT: no JSON object of known members' types, or the CRC differs.
 * Unknown members are let pass: a later version may have written them. */
MUST_CHECK enum err record_read_line(struct json_scan *scan, struct span line, struct buf *text,
                                     struct record *record);
/* Of a whole line that has nothing unusual, only what its attempt is booked by: `source`, whom it counts
 * for, what was charged, tokens, `phase`, what was held when, its flags, `at`, `began_us`, `total_us` and
 * `ledger_epoch`. Texts borrow from the line and from `text`. False: ask record_read_line. */
MUST_CHECK bool record_glance(struct span line, struct buf *text, struct record *record);
/* The same of an object in a document that json_scan has accepted, with or without a CRC. */
MUST_CHECK enum err record_read_object(struct span object, struct buf *text, struct record *record);

#endif
