/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_text.h: the bytes between the quotes of a JSON string: is every one of them allowed?
 * Incremental; any split gives the same answer at the same byte. Plain ASCII is read sixteen
 * bytes at a time. Used by json_scan (validation) and json_out (what needs escaping). */
#ifndef WIRE_JSON_TEXT_H
#define WIRE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/block.h"
#include "base/span.h"
#include "wire/json_word.h"

/* Where a text stands between two bytes. PLAIN is zero. */
enum json_text_place {
    JSON_TEXT_PLAIN = 0,
    JSON_TEXT_ESCAPE, /* behind a backslash */
    JSON_TEXT_HEX,    /* inside the digits of a \u escape */
    JSON_TEXT_UTF8    /* inside a character of several bytes */
};

struct json_text {
    enum json_text_place place;
    unsigned char left;  /* HEX, UTF8: bytes still to come */
    unsigned char lower; /* UTF8: what the next one may be */
    unsigned char upper;
    bool has_escape;
};

enum json_text_end {
    JSON_TEXT_MORE,       /* all bytes are taken, the text goes on */
    JSON_TEXT_CLOSED,     /* the place returned is that of the closing quote */
    JSON_TEXT_BAD_SYNTAX, /* ... of a byte that may not stand there */
    JSON_TEXT_BAD_UTF8    /* ... of a byte that breaks UTF-8 */
};

void json_text_init(struct json_text *text);
/* Reads from `p` on, at most up to `end`; says in `how` why it stopped. */
const char *json_text_read(struct json_text *text, const char *p, const char *end,
                           enum json_text_end *how);
/* The first byte that is a quote, a backslash, a control byte or not ASCII; `end` without one. */
const char *json_text_skip_plain(const char *p, const char *end);
/* The same for sixteen bytes: how many of them stand before the first such one. */
static inline unsigned json_text_plain_block(const char *p)
{
    struct block_marks marks;

    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        signed char c = (signed char)p[i]; /* below 0: not ASCII */

        marks.at[i] = block_mark((c < 0x20) | (c == '"') | (c == '\\'));
    }
    return block_first(&marks);
}
/* The same for a text that is probably short: the first sixteen bytes without a call. */
static inline const char *json_text_skip_short(const char *p, const char *end)
{
    unsigned plain = BLOCK_BYTES;

    if (end - p < BLOCK_BYTES) {
        return json_text_skip_plain(p, end);
    }
    plain = json_text_plain_block(p);
    return plain < BLOCK_BYTES ? p + plain : json_text_skip_plain(p + BLOCK_BYTES, end);
}
/* The first byte that is no white space; `end` without one. For between the tokens. */
const char *json_text_skip_space(const char *p, const char *end);
/* Bytes of the whole, valid character of several bytes at `p`; 0 when none stands there. */
size_t json_text_character(const char *p, const char *end);
/* Takes one escape off the front of `raw`, a pair of surrogates as one, and writes its UTF-8 to
 * `out`; returns how many bytes. `raw` comes from an accepted text and begins with a backslash. A
 * lone surrogate is written as the three bytes that its number would have: callers that give text
 * to others replace it. */
size_t json_text_unescape(struct span *raw, char out[4]);

#endif
