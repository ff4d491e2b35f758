/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/ranks.h: the vocabulary of a byte-pair encoding: bytes -> rank. Read from the bytes of a
 * `.tiktoken` file (one line a token: base64 of its bytes, a blank, its rank), which may come from
 * anybody and is refused unless it is one whole table. Immutable afterwards, so that several may
 * read it. Owns its memory. Used by pricing/merge.c and pricing/bpe.c. */
#ifndef PRICING_RANKS_H
#define PRICING_RANKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum {
    RANKS_MAX = 250000,               /* tokens; the largest public table of this form has 199,998 */
    RANKS_TOKEN_MAX = 128,            /* bytes of one token: the longest in both tables */
    RANKS_FILE_MAX = 8 * 1024 * 1024, /* the larger file has 3.6 MB */
    RANKS_PROBES_MAX = 512,           /* of one token in the hash table; honest tables need some 30 */
    RANK_NONE = INT32_MAX
};

/* slots: a power of two, at least twice as many as tokens, so that a search soon meets an empty one.
 * A slot is 0, or a tag of the hash above RANKS_BITS, and below it the rank plus one. */
struct ranks {
    char *bytes;        /* of all tokens, in the order of their ranks */
    uint32_t *ends;     /* where the bytes of each end */
    uint32_t *slots;
    uint32_t *pairs;    /* the rank of each pair of bytes, RANK_NONE without one */
    size_t bytes_size;
    size_t slots_count;
    uint32_t count;
    uint32_t longest;   /* bytes */
    uint32_t single[256];
};

/* Builds the table. Refused with ERR_FORMAT: lines of another shape, ranks that are not 0, 1, 2, …,
 * a token twice, a byte that is no token. ERR_CEILING: past a limit above. ERR_MEMORY. On an error
 * nothing is held and `why` (may be NULL) says what is wrong. */
MUST_CHECK enum err ranks_read(struct ranks *ranks, struct span file, struct why *why);
/* Gives the memory back. Safe on a zeroed one, and twice. */
void ranks_fini(struct ranks *ranks);
/* The rank of these bytes (at least one), or RANK_NONE. */
uint32_t ranks_find(const struct ranks *ranks, const char *at, size_t len);

/* What tokens are found by. Nobody else needs it, but for making tokens that are hard to find. */
uint64_t ranks_hash(struct span bytes);

#endif
