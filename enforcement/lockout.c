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

static bool is_over(const struct lockout_place *place, mono_ms now)
{
    return place->wrong == 0 || now >= mono_add(place->since, LOCKOUT_MS);
}

bool lockout_is_on(const struct lockout *lockout, const struct silent_name *who, mono_ms now)
{
    const struct lockout_place *place = &lockout->places[place_of(who)];

    return !is_over(place, now) && place->wrong >= LOCKOUT_WRONG;
}

void lockout_wrong(struct lockout *lockout, const struct silent_name *who, mono_ms now)
{
    struct lockout_place *place = &lockout->places[place_of(who)];

    if (is_over(place, now)) {
        *place = (struct lockout_place){.since = now};
    }
    if (place->wrong < LOCKOUT_WRONG) {
        place->wrong++;
    }
}
