/* SPDX-License-Identifier: Apache-2.0 */
/* base/map.c: buckets of short chains, as many as there are entries or more. */
#include "base/map.h"

#include "base/mem.h"
#include "base/sip.h"

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

uint64_t map_hash(const struct map *map, struct span key)
{
    return sip_hash(map->seed, key);
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
