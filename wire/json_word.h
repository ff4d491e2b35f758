/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_word.h: eight bytes at a time without any particular processor. Inline, because they
 * are run for every eight bytes of every body. */
#ifndef WIRE_JSON_WORD_H
#define WIRE_JSON_WORD_H

#include <stdint.h>
#include <string.h>

#define JSON_WORD_ONES UINT64_C(0x0101010101010101)
#define JSON_WORD_HIGH UINT64_C(0x8080808080808080)

/* The byte at the lowest address becomes the lowest of the word, on every machine. */
static inline uint64_t json_word_load(const char *p)
{
    uint64_t word = 0;

    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Sets the high bit of every byte that is a quote, a backslash, a control byte or not ASCII. Bytes
 * above the first such one may be marked wrongly, by a borrow: only the lowest mark counts. */
static inline uint64_t json_word_special(uint64_t word)
{
    uint64_t quote = word ^ JSON_WORD_ONES * '"';
    uint64_t backslash = word ^ JSON_WORD_ONES * '\\';

    /* A byte that is not ASCII keeps its high bit in at least one of the differences. */
    return ((quote - JSON_WORD_ONES) | (backslash - JSON_WORD_ONES) |
            (word - JSON_WORD_ONES * 0x20)) &
           JSON_WORD_HIGH;
}

/* The number of the lowest marked byte; marks is not zero. */
static inline unsigned json_word_first(uint64_t marks)
{
    return (unsigned)__builtin_ctzll(marks) / 8;
}

#endif
