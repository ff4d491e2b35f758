/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/trip.c: the arithmetic of opening, in 64 bits, where no product of a count and a
 * percentage can wrap. */
#include "breaker/trip.h"

#include "base/must.h"

static bool is_share(uint32_t part, uint64_t whole, uint32_t percent)
{
    return (uint64_t)part * 100 >= whole * percent;
}

bool trip_is_due(const struct trip_rule *rule, const struct trip_facts *facts)
{
    const struct tally_counts *window = &facts->window;
    uint64_t samples = (uint64_t)window->successes + window->failures;

    if (facts->failures_in_row >= rule->failures || facts->connects_in_row >= TRIP_CONNECTS) {
        return true;
    }
    if (samples < TRIP_SAMPLES_MIN) {
        return false;
    }
    return is_share(window->failures, samples, rule->ratio_percent) ||
           is_share(window->slow, samples, TRIP_SLOW_PERCENT);
}

static uint64_t doubled(uint64_t ms, uint32_t times, uint64_t most)
{
    for (uint32_t i = 0; i < times && ms > 0 && ms < most; i++) {
        ms *= 2;
    }
    return ms < most ? ms : most;
}

uint32_t trip_open_ms(const struct trip_rule *rule, uint32_t trips, uint32_t hint_ms,
                      struct rng *rng)
{
    uint64_t base = 0;
    uint64_t ms = 0;

    must(trips > 0);
    /* The ceiling comes before the chance, so that breakers that have reached it still spread. */
    base = doubled(rule->open_ms, trips - 1, TRIP_OPEN_MAX_MS);
    ms = base * 8 / 10 + rng_below(rng, base * 4 / 10 + 1);
    if (hint_ms > ms) {
        ms = hint_ms;
    }
    return ms < TRIP_HINT_MAX_MS ? (uint32_t)ms : TRIP_HINT_MAX_MS;
}
