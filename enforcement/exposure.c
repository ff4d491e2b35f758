/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/exposure.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

struct exposure_bucket {
    uint64_t number; /* time / EXPOSURE_BUCKET_MS */
    int64_t exposed;
    int64_t settled;
};

struct exposure {
    struct map_entry entry;
    struct link link; /* of all, the one used last in front */
    struct exposure_bucket buckets[EXPOSURE_BUCKETS];
    size_t size;
    char name[];
};

struct exposures {
    struct map map;
    struct link all;
    struct exposure *latest; /* nearly always it is asked for again */
};

struct exposures *exposures_new(const uint64_t seed[2])
{
    struct exposures *exposures = mem_take_zero(sizeof *exposures);

    if (exposures != NULL) {
        map_init(&exposures->map, EXPOSURE_TEAMS_MAX, seed);
        list_init(&exposures->all);
    }
    return exposures;
}

static void give(struct exposures *exposures, struct exposure *exposure)
{
    if (exposures->latest == exposure) {
        exposures->latest = NULL;
    }
    list_remove(&exposure->link);
    map_remove(&exposures->map, &exposure->entry);
    mem_give(exposure, exposure->size);
}

void exposures_free(struct exposures *exposures)
{
    if (exposures == NULL) {
        return;
    }
    while (!list_is_empty(&exposures->all)) {
        give(exposures, LIST_OWNER(exposures->all.next, struct exposure, link));
    }
    map_fini(&exposures->map);
    mem_give(exposures, sizeof *exposures);
}

static struct exposure *make(struct exposures *exposures, struct span team)
{
    size_t size = sizeof(struct exposure) + team.len;
    struct exposure *exposure = NULL;

    if (exposures->map.count == EXPOSURE_TEAMS_MAX) {
        give(exposures, LIST_OWNER(exposures->all.prev, struct exposure, link));
    }
    exposure = mem_take_zero(size);
    if (exposure == NULL) {
        return NULL;
    }
    exposure->size = size;
    memcpy(exposure->name, team.at, team.len);
    if (map_add(&exposures->map, &exposure->entry, span_make(exposure->name, team.len)) !=
        ERR_NONE) {
        mem_give(exposure, size);
        return NULL;
    }
    list_push_front(&exposures->all, &exposure->link);
    return exposure;
}

/* NULL: there is no memory for it. */
static struct exposure *take(struct exposures *exposures, struct span team)
{
    struct exposure *exposure = exposures->latest;
    struct map_entry *entry = NULL;

    if (exposure != NULL && span_equal(exposure->entry.key, team)) {
        return exposure;
    }
    entry = map_find(&exposures->map, team);
    exposure =
        entry != NULL ? LIST_OWNER(entry, struct exposure, entry) : make(exposures, team);
    if (exposure != NULL) {
        list_remove(&exposure->link);
        list_push_front(&exposures->all, &exposure->link);
        exposures->latest = exposure;
    }
    return exposure;
}

static struct exposure_bucket *bucket_at(struct exposure *exposure, mono_ms now)
{
    uint64_t number = now / EXPOSURE_BUCKET_MS;
    struct exposure_bucket *bucket = &exposure->buckets[number % EXPOSURE_BUCKETS];

    if (bucket->number != number) {
        *bucket = (struct exposure_bucket){.number = number};
    }
    return bucket;
}

static int64_t add_up(int64_t a, int64_t b)
{
    return b > INT64_MAX - a ? INT64_MAX : a + b;
}

/* Of the oldest bucket part is older than a minute: what was exposed in it counts, what was settled does
 * not, so that the mistake is on the safe side. */
bool exposures_allow(struct exposures *exposures, struct span team, int64_t nano, mono_ms now)
{
    struct exposure *exposure = take(exposures, team);
    uint64_t newest = now / EXPOSURE_BUCKET_MS;
    int64_t exposed = nano;
    int64_t settled = 0;

    for (size_t i = 0; exposure != NULL && i < EXPOSURE_BUCKETS; i++) {
        const struct exposure_bucket *bucket = &exposure->buckets[i];
        uint64_t age = newest - bucket->number;

        exposed = age < EXPOSURE_BUCKETS ? add_up(exposed, bucket->exposed) : exposed;
        settled = age < EXPOSURE_BUCKETS - 1 ? add_up(settled, bucket->settled) : settled;
    }
    return exposed <= EXPOSURE_LEAST || exposed <= settled / EXPOSURE_SHARE;
}

void exposures_add(struct exposures *exposures, struct span team, int64_t nano, mono_ms now)
{
    struct exposure *exposure = take(exposures, team);

    if (exposure != NULL) {
        struct exposure_bucket *bucket = bucket_at(exposure, now);
        bucket->exposed = add_up(bucket->exposed, nano);
    }
}

void exposures_settled(struct exposures *exposures, struct span team, int64_t nano, mono_ms now)
{
    struct exposure *exposure = take(exposures, team);

    if (exposure != NULL) {
        struct exposure_bucket *bucket = bucket_at(exposure, now);
        bucket->settled = add_up(bucket->settled, nano);
    }
}
