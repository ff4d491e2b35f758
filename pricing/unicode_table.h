/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/unicode_table.h: what the split patterns tell apart, for each code point: letters by case,
 * marks, numbers, white space, line breaks. Three steps: a block of 128 code points, the cell of four in it, then
 * the place in that, half a byte: the number of the class's bit, from 1. ASCII has a table of its own, being most of
 * all text. unicode_table.c is written by tools/gen/unicode.py, which also checks it. */
#ifndef PRICING_UNICODE_TABLE_H
#define PRICING_UNICODE_TABLE_H

#include <stdint.h>

/* Bits, so that a set of classes is a mask. A code point has at most one. */
enum unicode_class {
    UNICODE_OTHER = 0, /* punctuation, symbols, controls, what is not assigned */
    UNICODE_MARK = 1,
    UNICODE_SPACE = 2, /* White_Space but for the next two */
    UNICODE_BREAK = 4, /* CR and LF */
    UNICODE_NUMBER = 8,
    UNICODE_UPPER = 16, /* Lu, Lt */
    UNICODE_LOWER = 32, /* Ll */
    UNICODE_CASELESS = 64 /* Lm, Lo */
};

enum {
    UNICODE_BLOCK = 128,
    UNICODE_CELL = 4,
    UNICODE_TABLE_END = 0x32400, /* behind it are others only, and one range of marks: */
    UNICODE_MARKS_FIRST = 0xe0100,
    UNICODE_MARKS_LAST = 0xe01ef
};

extern const unsigned char unicode_blocks[UNICODE_TABLE_END / UNICODE_BLOCK];
extern const unsigned char unicode_ascii[UNICODE_BLOCK];
extern const unsigned char unicode_cells[][UNICODE_BLOCK / UNICODE_CELL];
extern const unsigned char unicode_classes[][UNICODE_CELL / 2];

static inline unsigned unicode_class_of(uint32_t code)
{
    if (code < UNICODE_TABLE_END) {
        unsigned cell =
            unicode_cells[unicode_blocks[code / UNICODE_BLOCK]][code % UNICODE_BLOCK / UNICODE_CELL];
        unsigned pair = unicode_classes[cell][code % UNICODE_CELL / 2];

        return (1U << (pair >> (code % 2 * 4) & 15U)) >> 1;
    }
    return code >= UNICODE_MARKS_FIRST && code <= UNICODE_MARKS_LAST ? UNICODE_MARK : UNICODE_OTHER;
}

#endif
