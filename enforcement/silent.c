/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/silent.c: one record per address that has silent connections now, found by hash; in it
 * the places of that address in the order of their coming. A second list holds all places in that
 * order. Entering and leaving cost the same however many there are. */
#include "enforcement/silent.h"

#include "base/limits.h"
#include "base/mem.h"

struct silent_peer {
    struct map_entry entry;
    struct silent_name name;
    struct link places; /* the oldest first */
    uint32_t count;
};

/* ---- names ---- */

struct silent_name silent_name_ipv4(const uint8_t bytes[4])
{
    struct silent_name name = {.bytes = {[10] = 0xff, [11] = 0xff}};

    memcpy(name.bytes + 12, bytes, 4);
    return name;
}

struct silent_name silent_name_ipv6(const uint8_t bytes[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct silent_name name = {.bytes = {0}};

    if (memcmp(bytes, mapped, sizeof mapped) == 0) {
        return silent_name_ipv4(bytes + 12);
    }
    memcpy(name.bytes, bytes, 8);
    return name;
}

struct silent_name silent_name_unix(void)
{
    /* No address begins with a byte of 0xff and calls: that is multicast. */
    return (struct silent_name){.bytes = {0xff}};
}

/* ---- the book ---- */

void silent_init(struct silent *silent, const uint64_t seed[2])
{
    *silent = (struct silent){.most = LIMIT_SILENT, .most_per_peer = LIMIT_SILENT_PER_PEER};
    map_init(&silent->peers, LIMIT_SILENT + 1, seed); /* a newcomer enters before another leaves */
    list_init(&silent->all);
}

void silent_fini(struct silent *silent)
{
    must(silent->count == 0);
    map_fini(&silent->peers);
}

static uint32_t share_of(uint64_t descriptors, uint32_t share, uint32_t most)
{
    uint64_t part = descriptors / share;

    if (part == 0) {
        return 1;
    }
    return part < most ? (uint32_t)part : most;
}

void silent_fit(struct silent *silent, uint64_t descriptors)
{
    silent->most_per_peer =
        share_of(descriptors, LIMIT_SILENT_PER_PEER_SHARE, LIMIT_SILENT_PER_PEER);
    silent->most = share_of(descriptors, LIMIT_SILENT_SHARE, LIMIT_SILENT);
}

static struct silent_peer *peer_of(struct silent *silent, const struct silent_name *name)
{
    struct map_entry *entry =
        map_find(&silent->peers, span_make((const char *)name->bytes, sizeof name->bytes));

    return entry == NULL ? NULL : LIST_OWNER(entry, struct silent_peer, entry);
}

static enum err add_peer(struct silent *silent, const struct silent_name *name,
                         struct silent_peer **out)
{
    struct silent_peer *peer = mem_take_zero(sizeof *peer);
    enum err err = ERR_MEMORY;

    if (peer == NULL) {
        return ERR_MEMORY;
    }
    peer->name = *name;
    list_init(&peer->places);
    err = map_add(&silent->peers, &peer->entry,
                  span_make((const char *)peer->name.bytes, sizeof peer->name.bytes));
    if (err != ERR_NONE) {
        mem_give(peer, sizeof *peer);
        return err;
    }
    *out = peer;
    return ERR_NONE;
}

enum err silent_enter(struct silent *silent, const struct silent_name *name,
                      struct silent_place *place)
{
    struct silent_peer *peer = peer_of(silent, name);
    enum err err = ERR_NONE;

    must(place->peer == NULL);
    if (peer == NULL) {
        err = add_peer(silent, name, &peer);
        if (err != ERR_NONE) {
            return err;
        }
    }
    place->peer = peer;
    list_push_back(&peer->places, &place->of_peer);
    list_push_back(&silent->all, &place->of_all);
    peer->count++;
    silent->count++;
    return ERR_NONE;
}

void silent_leave(struct silent *silent, struct silent_place *place)
{
    struct silent_peer *peer = place->peer;

    if (peer == NULL) {
        return;
    }
    place->peer = NULL;
    list_remove(&place->of_peer);
    list_remove(&place->of_all);
    peer->count--;
    silent->count--;
    if (peer->count == 0) {
        map_remove(&silent->peers, &peer->entry);
        mem_give(peer, sizeof *peer);
    }
}

bool silent_is_crowded(const struct silent *silent, const struct silent_place *place)
{
    return place->peer->count > silent->most_per_peer;
}

struct silent_place *silent_surplus(const struct silent *silent, const struct silent_place *newest)
{
    if (silent_is_crowded(silent, newest)) {
        return LIST_OWNER(newest->peer->places.next, struct silent_place, of_peer);
    }
    if (silent->count > silent->most) {
        return LIST_OWNER(silent->all.next, struct silent_place, of_all);
    }
    return NULL;
}

const struct silent_name *silent_name(const struct silent_place *place)
{
    return &place->peer->name;
}
