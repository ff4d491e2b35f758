/* SPDX-License-Identifier: Apache-2.0 */
/* base/map.c: buckets of short chains, as many as there are entries or more. The hash is SipHash-2-4
 * (Aumasson and Bernstein, 2012), made for tables whose keys strangers choose. */
#include "base/map.h"

#include "base/mem.h"

enum { BUCKETS_FIRST = 16 };

void map_init(struct map *map, size_t max, const uint64_t seed[2])
{
    *map = (struct map){.max = max, .seed = {seed[0], seed[1]}};
}

void map_fini(struct map *map)
{
    mem_give(map->buckets, map->buckets_count * sizeof(struct map_entry *));
    map->buckets = NULL;
    map->buckets_count = 0;
    map->count = 0;
}

/* ---- the hash ---- */

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

/* Up to eight bytes, the first one lowest, on every machine. */
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

uint64_t map_hash(const struct map *map, struct span key)
{
    uint64_t v[4] = {
        map->seed[0] ^ UINT64_C(0x736f6d6570736575), map->seed[1] ^ UINT64_C(0x646f72616e646f6d),
        map->seed[0] ^ UINT64_C(0x6c7967656e657261), map->seed[1] ^ UINT64_C(0x7465646279746573)};
    struct span rest = key;

    while (rest.len >= 8) {
        sip_take(v, load(rest.at, 8));
        rest = span_from(rest, 8);
    }
    sip_take(v, load(rest.at, rest.len) | (uint64_t)key.len << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the table ---- */

static struct map_entry **bucket_of(const struct map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->buckets_count - 1)];
}

static void put(struct map *map, struct map_entry *entry)
{
    struct map_entry **bucket = bucket_of(map, entry->hash);

    entry->next = *bucket;
    *bucket = entry;
}

static enum err grow(struct map *map)
{
    struct map_entry **old = map->buckets;
    size_t old_count = map->buckets_count;
    size_t count = old_count == 0 ? BUCKETS_FIRST : old_count * 2;
    struct map_entry **buckets = mem_take_zero(count * sizeof(struct map_entry *));

    if (buckets == NULL) {
        return ERR_MEMORY;
    }
    map->buckets = buckets;
    map->buckets_count = count;
    for (size_t i = 0; i < old_count; i++) {
        struct map_entry *next = NULL;
        for (struct map_entry *at = old[i]; at != NULL; at = next) {
            next = at->next;
            put(map, at);
        }
    }
    mem_give(old, old_count * sizeof(struct map_entry *));
    return ERR_NONE;
}

struct map_entry *map_find(const struct map *map, struct span key)
{
    uint64_t hash = 0;

    if (map->count == 0) {
        return NULL;
    }
    hash = map_hash(map, key);
    for (struct map_entry *at = *bucket_of(map, hash); at != NULL; at = at->next) {
        if (at->hash == hash && span_equal(at->key, key)) {
            return at;
        }
    }
    return NULL;
}

enum err map_add(struct map *map, struct map_entry *entry, struct span key)
{
    if (map->count == map->max) {
        return ERR_CEILING;
    }
    if (map->count == map->buckets_count) {
        enum err err = grow(map);
        if (err != ERR_NONE) {
            return err;
        }
    }
    entry->key = key;
    entry->hash = map_hash(map, key);
    put(map, entry);
    map->count++;
    return ERR_NONE;
}

void map_remove(struct map *map, struct map_entry *entry)
{
    struct map_entry **at = bucket_of(map, entry->hash);

    while (*at != entry) {
        must(*at != NULL); /* an entry that is not in the table */
        at = &(*at)->next;
    }
    *at = entry->next;
    entry->next = NULL;
    map->count--;
}
