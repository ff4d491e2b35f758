/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/merge.h: one piece of text into tokens: from single bytes on, the adjacent pair whose joined
 * bytes have the lowest rank is merged, leftmost first, until no pair is a token. Short pieces look
 * through all pairs each time; long ones keep them in a heap, so that a run of a million equal
 * letters takes no quadratic time. Used by pricing/bpe.c. */
#ifndef PRICING_MERGE_H
#define PRICING_MERGE_H

#include <stdint.h>

#include "pricing/ranks.h"

enum {
    MERGE_SHORT_MAX = 96,       /* bytes; from here on the heap is quicker */
    MERGE_LONG_MAX = 32 * 1024, /* bytes of the longest piece that is merged as a whole */
    MERGE_NODES = MERGE_LONG_MAX + 1
};

/* Room for one long piece: 0.75 MiB, of which short pieces touch little. `next` of a part is where
 * the following one begins, so that the parts can be read from `next` afterwards. */
struct merge_room {
    uint16_t next[MERGE_NODES];
    uint16_t before[MERGE_NODES];
    uint32_t rank[MERGE_NODES]; /* of the part joined with its follower, or RANK_NONE */
    uint64_t heap[2 * MERGE_NODES];
    uint32_t heap_count;
};

/* Merges `piece` (1 to MERGE_LONG_MAX bytes); returns the number of tokens. Afterwards the first
 * token begins at 0 and the one behind a token that begins at i at room->next[i]; the last one's
 * next is piece.len. */
uint32_t merge_piece(const struct ranks *ranks, struct span piece, struct merge_room *room);

#endif
