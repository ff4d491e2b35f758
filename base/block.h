/* SPDX-License-Identifier: Apache-2.0 */
/* base/block.h: sixteen bytes judged at once, without any particular processor. The judge fills a
 * table of marks in a loop of fixed length that never leaves early: compilers make a handful of
 * vector instructions of it, and no table remains. */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include <stdint.h>
#include <string.h>

enum { BLOCK_BYTES = 16 };

struct block_marks {
    unsigned char at[BLOCK_BYTES]; /* 0, or 0xff for a marked byte */
};

/* What a judge stores for one byte. */
static inline unsigned char block_mark(int is_marked)
{
    return (unsigned char)-is_marked;
}

/* The place of the first mark; BLOCK_BYTES without one. */
static inline unsigned block_first(const struct block_marks *marks)
{
    uint64_t words[2];

    memcpy(words, marks->at, sizeof words);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    words[0] = __builtin_bswap64(words[0]);
    words[1] = __builtin_bswap64(words[1]);
#endif
    if (words[0] != 0) {
        return (unsigned)__builtin_ctzll(words[0]) / 8;
    }
    return words[1] != 0 ? 8 + (unsigned)__builtin_ctzll(words[1]) / 8 : BLOCK_BYTES;
}

#endif
