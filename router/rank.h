/* SPDX-License-Identifier: Apache-2.0 */
/* router/rank.h: what strategies share: putting the indices of a few candidates in order. Equal
 * ones stand as chance has it, so that many proxies with the same settings do not all begin with
 * the same target: shuffle first, then sort. Pure. */
#ifndef ROUTER_RANK_H
#define ROUTER_RANK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"

/* Whether candidate `a` has to stand before candidate `b`; false when they are equal. */
typedef bool rank_before(const void *context, uint8_t a, uint8_t b);

/* Puts 0..count-1 into `order`, each permutation equally likely. */
void rank_shuffle(uint8_t *order, uint8_t count, struct rng *rng);
/* Sorts; equal ones keep their order. */
void rank_sort(uint8_t *order, uint8_t count, rank_before *before, const void *context);
/* Moves the one at `i` to the front; those it passes move back by one. */
void rank_lead(uint8_t *order, uint8_t i);

#endif
