/* SPDX-License-Identifier: Apache-2.0 */
/* router/strategy.h: how the targets of one tier are ordered for one call. Figures in, order out; a
 * strategy never sees a target, a clock or a provider. Adding one is a file
 * (router/strategy_<name>.c) and a row in strategies.def. Pure. */
#ifndef ROUTER_STRATEGY_H
#define ROUTER_STRATEGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/span.h"
#include "router/target.h"

/* What is known of one candidate. */
struct figures {
    uint8_t place;           /* in the route's list: where the route's memory keeps its own */
    uint32_t weight;         /* as configured, 1.. */
    uint32_t ramp_permille;  /* slow start: 100..1000 */
    uint32_t score_permille; /* recent success and speed: 50..1000 */
    uint32_t in_flight;      /* attempts */
    uint32_t ttfc_ms;        /* usual time to first content; 0: unknown */
    uint64_t started;        /* attempts ever */
    int64_t cost_pico;       /* of this call, where the strategy uses costs; -1: no price */
};

/* What a route remembers from call to call, whatever its strategy. */
struct strategy_memory {
    uint64_t turn;               /* calls so far */
    int64_t current[TARGETS_MAX]; /* smooth weights */
};

struct strategy {
    struct span name;
    const char *help;     /* one line for the manual */
    bool is_blind;        /* looks at places and weights alone: the other figures may be anything */
    bool uses_costs;      /* needs to know what the call would cost */
    bool uses_weights;    /* heeds weight and ramp by itself: nobody else applies slow start */
    /* Puts the indices 0..count-1 of `figures` into `order`, each once, best first. count >= 1. */
    void (*order)(const struct figures *figures, uint8_t count, struct strategy_memory *memory,
                  struct rng *rng, uint8_t *order);
};

/* By the name in the settings, or NULL. The i-th, or NULL past the end. */
const struct strategy *strategy_by_name(struct span name);
const struct strategy *strategy_at(size_t i);

#define STRATEGY(name) extern const struct strategy strategy_##name;
#include "router/strategies.def"
#undef STRATEGY

#endif
