/* SPDX-License-Identifier: Apache-2.0 */
/* Insertion sort: there are never more than TARGETS_MAX candidates, mostly two or three. */
#include "router/rank.h"

#include <string.h>

void rank_shuffle(uint8_t *order, uint8_t count, struct rng *rng)
{
    for (uint8_t i = 0; i < count; i++) {
        uint8_t j = (uint8_t)rng_below(rng, (uint64_t)i + 1);
        if (j < i) {
            order[i] = order[j];
        }
        order[j] = i;
    }
}

void rank_lead(uint8_t *order, uint8_t i)
{
    uint8_t leader = order[i];

    memmove(order + 1, order, i);
    order[0] = leader;
}

void rank_sort(uint8_t *order, uint8_t count, rank_before *before, const void *context)
{
    for (uint8_t i = 1; i < count; i++) {
        uint8_t at = i;
        while (at > 0 && before(context, order[i], order[at - 1])) {
            at--;
        }
        rank_lead(order + at, (uint8_t)(i - at));
    }
}
