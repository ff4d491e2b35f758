/* SPDX-License-Identifier: Apache-2.0 */
/* The caller and the target are the seed of one throw of a hundred-sided die. */
#include "router/share.h"

#include "base/rng.h"

bool share_takes(uint64_t caller_hash, uint16_t target_number, uint32_t percent)
{
    struct rng rng;

    rng_init(&rng, caller_hash, target_number);
    return rng_below(&rng, 100) < percent;
}
