/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/lockout.h"

static size_t place_of(const struct silent_name *who)
{
    uint32_t mixed = 0;

    for (size_t i = 0; i < sizeof who->bytes; i++) {
        mixed = mixed * 31 + who->bytes[i];
    }
    return mixed % LOCKOUT_PLACES;
}

static mono_ms end_of(const struct lockout *lockout, const struct lockout_place *place)
{
    return mono_add(place->since, lockout->window_ms > 0 ? lockout->window_ms : LOCKOUT_MS);
}

static bool is_over(const struct lockout *lockout, const struct lockout_place *place, mono_ms now)
{
    return place->wrong == 0 || now >= end_of(lockout, place);
}

uint64_t lockout_left(const struct lockout *lockout, const struct silent_name *who, mono_ms now)
{
    const struct lockout_place *place = &lockout->places[place_of(who)];

    return is_over(lockout, place, now) || place->wrong < LOCKOUT_WRONG
               ? 0
               : (uint64_t)(end_of(lockout, place) - now);
}

bool lockout_is_on(const struct lockout *lockout, const struct silent_name *who, mono_ms now)
{
    return lockout_left(lockout, who, now) > 0;
}

void lockout_wrong(struct lockout *lockout, const struct silent_name *who, mono_ms now)
{
    struct lockout_place *place = &lockout->places[place_of(who)];

    if (is_over(lockout, place, now)) {
        *place = (struct lockout_place){.since = now};
    }
    if (place->wrong < LOCKOUT_WRONG) {
        place->wrong++;
    }
}
