/* SPDX-License-Identifier: Apache-2.0 */
/* Each session has one entry it can stand in, by the low bits of its hash; the newer one stays. An
 * entry is known by all 64 bits: with a seed that nobody knows, two sessions share them about once
 * in 2^64. */
#include "router/sticky.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "base/sip.h"

struct sticky_entry {
    uint64_t hash;
    mono_ms noted_at;
    uint8_t place;
    bool is_used;
};

struct sticky {
    uint64_t seed[2];
    struct sticky_entry entries[STICKY_ENTRIES];
};

struct sticky *sticky_new(const uint64_t seed[2])
{
    struct sticky *sticky = mem_take_zero(sizeof *sticky);

    if (sticky != NULL) {
        sticky->seed[0] = seed[0];
        sticky->seed[1] = seed[1];
    }
    return sticky;
}

void sticky_free(struct sticky *sticky)
{
    mem_give(sticky, sizeof *sticky);
}

uint64_t sticky_hash(const struct sticky *sticky, struct span route, struct span session)
{
    /* The route's hash becomes part of the session's seed, so that no pair of texts can be mistaken
     * for another that is the same when written in one. */
    const uint64_t seed[2] = {sticky->seed[0] ^ sip_hash(sticky->seed, route), sticky->seed[1]};

    return sip_hash(seed, session);
}

int sticky_find(const struct sticky *sticky, uint64_t hash, mono_ms now)
{
    const struct sticky_entry *entry = &sticky->entries[hash % STICKY_ENTRIES];

    if (!entry->is_used || entry->hash != hash) {
        return -1;
    }
    return now < mono_add(entry->noted_at, STICKY_IDLE_MS) ? entry->place : -1;
}

void sticky_note(struct sticky *sticky, uint64_t hash, uint8_t place, mono_ms now)
{
    sticky->entries[hash % STICKY_ENTRIES] =
        (struct sticky_entry){.hash = hash, .noted_at = now, .place = place, .is_used = true};
}
