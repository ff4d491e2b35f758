/* SPDX-License-Identifier: Apache-2.0 */
/* base/map.h: a bounded, seeded hash table keyed by span. Intrusive: the owner embeds a `struct
 * map_entry`, so that entering takes memory only when the table grows. Keys are borrowed: they stay
 * where they are, unchanged, while the entry stands in the table. Whoever does not know the seed
 * cannot choose keys that fall into one bucket. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct map_entry {
    struct map_entry *next; /* in its bucket */
    struct span key;
    uint64_t hash;
};

struct map {
    struct map_entry **buckets; /* NULL: none yet; else buckets_count of them, a power of two */
    size_t buckets_count;
    size_t count; /* entries in the table now */
    size_t max;
    uint64_t seed[2];
};

/* Takes no memory yet. max: the most entries it will ever hold at once. seed: two words of chance;
 * the same seed gives the same table. */
void map_init(struct map *map, size_t max, const uint64_t seed[2]);
/* Gives the table back, not the entries. Safe on a zeroed one, and twice. */
void map_fini(struct map *map);
/* The entry with this key, or NULL. */
struct map_entry *map_find(const struct map *map, struct span key);
/* Enters `entry` (still the caller's) under `key`, which must not be in the table. ERR_CEILING when
 * it is full, ERR_MEMORY when it cannot grow; then nothing has changed. The table never shrinks. */
MUST_CHECK enum err map_add(struct map *map, struct map_entry *entry, struct span key);
/* Takes out an entry that is in the table. */
void map_remove(struct map *map, struct map_entry *entry);
/* What the table sorts by: SipHash-2-4 of the key under the seed. */
uint64_t map_hash(const struct map *map, struct span key);

#endif
