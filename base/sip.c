/* SPDX-License-Identifier: Apache-2.0 */
/* base/sip.c: SipHash-2-4 (Aumasson and Bernstein, 2012). */
#include "base/sip.h"

static uint64_t rotated(uint64_t word, unsigned by)
{
    return word << by | word >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] = rotated(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[2] = rotated(v[2], 32);
}

/* Written so that compilers make one load of it. */
static uint64_t load_whole(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

/* Fewer than eight bytes, the first one lowest, on every machine. */
static uint64_t load(const char *at, size_t count)
{
    uint64_t word = 0;

    for (size_t i = 0; i < count; i++) {
        word |= (uint64_t)(unsigned char)at[i] << 8 * i;
    }
    return word;
}

static void sip_take(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

static void sip_begin(uint64_t v[4], const uint64_t seed[2])
{
    v[0] = seed[0] ^ UINT64_C(0x736f6d6570736575);
    v[1] = seed[1] ^ UINT64_C(0x646f72616e646f6d);
    v[2] = seed[0] ^ UINT64_C(0x6c7967656e657261);
    v[3] = seed[1] ^ UINT64_C(0x7465646279746573);
}

static void sip_take_all(uint64_t v[4], struct span key)
{
    struct span rest = key;

    while (rest.len >= 8) {
        sip_take(v, load_whole(rest.at));
        rest = span_make(rest.at + 8, rest.len - 8);
    }
    sip_take(v, load(rest.at, rest.len) | (uint64_t)key.len << 56);
}

static uint64_t sip_end(uint64_t v[4])
{
    for (int i = 0; i < 4; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t sip_hash(const uint64_t seed[2], struct span key)
{
    uint64_t v[4];

    sip_begin(v, seed);
    sip_take_all(v, key);
    v[2] ^= 0xff;
    return sip_end(v);
}

void sip_hash_wide(const uint64_t seed[2], struct span key, uint64_t hash[2])
{
    uint64_t v[4];

    sip_begin(v, seed);
    v[1] ^= 0xee;
    sip_take_all(v, key);
    v[2] ^= 0xee;
    hash[0] = sip_end(v);
    v[1] ^= 0xdd;
    hash[1] = sip_end(v);
}
