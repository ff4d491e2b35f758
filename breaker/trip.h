/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/trip.h: when a breaker opens, and for how long. Pure arithmetic on counts. */
#ifndef BREAKER_TRIP_H
#define BREAKER_TRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "breaker/tally.h"

/* The operator's figures (providers.<name>.breaker). */
struct trip_rule {
    uint32_t failures;      /* in a row */
    uint32_t ratio_percent; /* of failures in the window */
    uint32_t window_ms;
    uint32_t open_ms;       /* the first stay; doubles with each trip */
    uint32_t silence_ms;    /* silence.h: the least wait that is too long; 0: never */
};

/* What is fixed (resilience.md, 7.2 and 7.3). */
enum {
    TRIP_SAMPLES_MIN = 10,    /* in the window, before a ratio means anything */
    TRIP_SLOW_PERCENT = 80,   /* of slow ones among the successes and failures */
    TRIP_CONNECTS = 3,        /* connect-level failures in a row: fast and certain */
    TRIP_OPEN_MAX_MS = 120000,
    TRIP_HINT_MAX_MS = 300000,
    TRIP_FORGIVE_MS = 60000   /* closed for so long takes one trip off */
};

/* What has been seen. */
struct trip_facts {
    struct tally_counts window;
    uint32_t failures_in_row;
    uint32_t connects_in_row;
};

/* Whether a closed breaker opens now. */
bool trip_is_due(const struct trip_rule *rule, const struct trip_facts *facts);

/* How long it stays open the `trips`-th time (from 1), in ms: open_ms doubled with each trip up to
 * TRIP_OPEN_MAX_MS, times 0.8 to 1.2 by chance, and at least the provider's hint (0: none).
 * Never above TRIP_HINT_MAX_MS. */
uint32_t trip_open_ms(const struct trip_rule *rule, uint32_t trips, uint32_t hint_ms,
                      struct rng *rng);

#endif
