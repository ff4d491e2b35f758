/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/split.h: cuts text into the pieces that byte-pair encoding may not merge across: the
 * patterns of cl100k_base and o200k_base, written by hand. Exact: leftmost match, alternatives in
 * their order, greedy with the backtracking that can matter. The pieces cover the text. A byte that
 * is no part of valid UTF-8 counts as a code point of its own, neither letter nor space. Pure; time
 * is linear in the text. Used by pricing/bpe.c. */
#ifndef PRICING_SPLIT_H
#define PRICING_SPLIT_H

#include <stddef.h>

enum split_pattern { SPLIT_CL100K, SPLIT_O200K };

/* Bytes of the first piece of `p`..`end`, which are not empty: at least one. */
size_t split_next(enum split_pattern pattern, const char *p, const char *end);

#endif
