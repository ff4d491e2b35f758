/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/toy_ranks.h: a small vocabulary made of what a test hands over, and byte-pair encoding
 * with it in the plainest way: no hash, no heap, one pass over all pairs for each merge. What the
 * quick one in pricing/ says must be the same. */
#ifndef TESTS_LIB_TOY_RANKS_H
#define TESTS_LIB_TOY_RANKS_H

#include <stdint.h>

#include "base/buf.h"

enum { TOY_TOKENS_MAX = 400, TOY_TOKEN_MAX = 16 };

struct toy {
    uint32_t count;
    uint8_t len[TOY_TOKENS_MAX];
    char bytes[TOY_TOKENS_MAX][TOY_TOKEN_MAX];
};

/* The 256 bytes, in an order that `seed` turns. */
void toy_init(struct toy *toy, uint8_t seed);
/* One token more, as the joined bytes of two that are there (their numbers are taken modulo the
 * count). Without effect when it would be too long, is there already, or the table is full. */
void toy_join(struct toy *toy, uint32_t left, uint32_t right);
/* As the bytes of a `.tiktoken` file. */
void toy_write(const struct toy *toy, struct buf *out);
/* The ids of `piece`: at most piece.len of them to `ids`; returns how many. */
uint64_t toy_encode(const struct toy *toy, struct span piece, uint32_t *ids);

#endif
