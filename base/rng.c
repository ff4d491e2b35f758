/* SPDX-License-Identifier: Apache-2.0 */
/* base/rng.c: xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64 as its
 * authors advise: neighbouring seeds give unrelated numbers, and the state is never all zero. */
#include "base/rng.h"

#include <stddef.h>

#include "base/must.h"

static uint64_t rotated(uint64_t word, unsigned by)
{
    return word << by | word >> (64 - by);
}

static uint64_t mixed(uint64_t *state)
{
    uint64_t word = *state += UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

void rng_init(struct rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;

    state = mixed(&state) ^ stream;
    for (size_t i = 0; i < ARRAY_LENGTH(rng->word); i++) {
        rng->word[i] = mixed(&state);
    }
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t *word = rng->word;
    uint64_t result = rotated(word[1] * 5, 7) * 9;
    uint64_t shifted = word[1] << 17;

    word[2] ^= word[0];
    word[3] ^= word[1];
    word[1] ^= word[2];
    word[0] ^= word[3];
    word[2] ^= shifted;
    word[3] = rotated(word[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t n)
{
    uint64_t number = 0;
    uint64_t uneven = 0;

    must(n > 0);
    /* The first 2^64 mod n numbers would make some results likelier, so they are drawn again; each
     * draw is good with a chance of more than one half. */
    uneven = (UINT64_MAX - n + 1) % n;
    do {
        number = rng_u64(rng);
    } while (number < uneven);
    return number % n;
}
