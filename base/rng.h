/* SPDX-License-Identifier: Apache-2.0 */
/* base/rng.h: a small generator of chance whose state is a value: copy it to replay it. For jitter,
 * weighted picks and tests; never for secrets. The same seed gives the same numbers everywhere. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t word[4];
};

/* Any pair is a good seed, zeros included; usually the run's seed and the call's number. */
void rng_init(struct rng *rng, uint64_t seed, uint64_t stream);
/* The next 64 bits. */
uint64_t rng_u64(struct rng *rng);
/* One of 0 .. n-1, each equally likely. n > 0. */
uint64_t rng_below(struct rng *rng, uint64_t n);

#endif
