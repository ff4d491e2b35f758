/* SPDX-License-Identifier: Apache-2.0 */
/* Who may be asked now, and how good a choice it would be. */
#include "router/fleet_parts.h"

static struct standing out(enum eligibility what, mono_ms until, enum park_reason reason)
{
    return (struct standing){.what = what, .until = until, .reason = reason};
}

/* Until a breaker may be asked again; a probe that is out is over within moments. */
static mono_ms reopens_at(const struct breaker *breaker, mono_ms now)
{
    return breaker->state == BREAKER_OPEN ? breaker->reopen_at
                                          : mono_add(now, BREAKER_PROBE_GAP_MS);
}

static struct standing by_park(const struct park *park)
{
    return out(park_is_cooldown(park->reason) ? OUT_COOLING : OUT_PARKED, park->until,
               park->reason);
}

static struct standing by_breakers(const struct live_endpoint *endpoint,
                                   const struct live_deployment *live, mono_ms now)
{
    enum admission of_endpoint = breaker_ask(&endpoint->breaker, now);
    enum admission of_live = breaker_ask(&live->breaker, now);
    mono_ms until = 0;

    if (of_endpoint == ADMISSION_NO) {
        until = reopens_at(&endpoint->breaker, now);
    }
    if (of_live == ADMISSION_NO && reopens_at(&live->breaker, now) > until) {
        until = reopens_at(&live->breaker, now);
    }
    if (of_endpoint == ADMISSION_NO || of_live == ADMISSION_NO) {
        return out(OUT_OPEN, until, PARK_NONE);
    }
    return out(of_endpoint == ADMISSION_PROBE || of_live == ADMISSION_PROBE ? ELIGIBLE_PROBE
                                                                            : ELIGIBLE,
               0, PARK_NONE);
}

struct standing fleet_standing(const struct fleet *fleet, struct member member,
                               const struct estimate *estimate, mono_ms now)
{
    const struct live_deployment *live = fleet_deployment(fleet, member);
    const struct live_credential *credential = fleet_credential(fleet, member);
    mono_ms until = 0;

    if (live->is_held) {
        return out(OUT_PARKED, MONO_NEVER, PARK_NONE);
    }
    if (park_is_out(&credential->park, now)) {
        return by_park(&credential->park);
    }
    if (park_is_out(&live->park, now)) {
        return by_park(&live->park);
    }
    if (park_is_out(&live->cooldown, now)) {
        return by_park(&live->cooldown);
    }
    if (!headroom_covers(&live->headroom, estimate->input_tokens, estimate->output_tokens, now,
                         &until)) {
        return out(OUT_COOLING, until, PARK_THROTTLED);
    }
    return by_breakers(fleet_endpoint(fleet, member), live, now);
}

/* The later of the two: how long ago the slower one closed. */
static uint32_t ramp_of(const struct live_endpoint *endpoint, const struct live_deployment *live,
                        mono_ms now)
{
    uint32_t a = ramp_permille(endpoint->breaker.closed_at, now);
    uint32_t b = ramp_permille(live->breaker.closed_at, now);

    return a < b ? a : b;
}

void fleet_figures(const struct fleet *fleet, struct member member, uint32_t best_ttfc_ms,
                   mono_ms now, struct figures *figures)
{
    const struct live_deployment *live = fleet_deployment(fleet, member);

    figures->ramp_permille = ramp_of(fleet_endpoint(fleet, member), live, now);
    figures->score_permille = score_is_known(&live->score)
                                  ? score_permille(&live->score, best_ttfc_ms,
                                                   headroom_permille(&live->headroom, now), now)
                                  : 0;
    figures->in_flight = live->in_flight;
    figures->ttfc_ms = score_ttfc_ms(&live->score);
    figures->started = live->started;
}
