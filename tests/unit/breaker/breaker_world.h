/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/breaker/breaker_world.h: a breaker, its rule and its time, and the moves that stories of it are
 * made of. For tests of cmocka: include that first. */
#ifndef TESTS_UNIT_BREAKER_BREAKER_WORLD_H
#define TESTS_UNIT_BREAKER_BREAKER_WORLD_H

#include "breaker/breaker.h"

enum { LEASE_MS = 10000 };

struct world {
    struct breaker breaker;
    struct trip_rule rule;
    struct rng rng;
    mono_ms now;
};

static inline void begin(struct world *world)
{
    *world = (struct world){
        .rule = {.failures = 5, .ratio_percent = 50, .window_ms = 30000, .open_ms = 5000}};
    rng_init(&world->rng, 1, 2);
    breaker_init(&world->breaker, &world->rule);
}

static inline enum admission ask(const struct world *world)
{
    return breaker_ask(&world->breaker, world->now);
}

static inline struct pass enter(struct world *world, enum admission how, enum breaker_change wanted)
{
    enum breaker_change change = BREAKER_CLOSES;
    struct pass pass = breaker_enter(&world->breaker, how, LEASE_MS, world->now, &change);

    assert_int_equal(change, wanted);
    assert_int_equal(pass.how, how);
    return pass;
}

static inline enum breaker_change report(struct world *world, struct pass pass, enum signal signal)
{
    return breaker_report(&world->breaker, &world->rule, pass, signal, 0, world->now, &world->rng);
}

/* An attempt that ends at once. */
static inline enum breaker_change attempt(struct world *world, enum signal signal)
{
    return report(world, enter(world, ADMISSION_YES, BREAKER_STAYS), signal);
}

static inline void open_it(struct world *world)
{
    for (uint32_t i = 1; i < world->rule.failures; i++) {
        assert_int_equal(attempt(world, SIGNAL_FAILURE), BREAKER_STAYS);
    }
    assert_int_equal(attempt(world, SIGNAL_FAILURE), BREAKER_OPENED);
}

/* Opens it and lets the first probe of the stay out. */
static inline struct pass probe_it(struct world *world)
{
    open_it(world);
    world->now = world->breaker.reopen_at;
    return enter(world, ADMISSION_PROBE, BREAKER_HALF_OPENED);
}

/* From closed through a stay of being open to closed. */
static inline void heal_it(struct world *world)
{
    assert_int_equal(report(world, probe_it(world), SIGNAL_SUCCESS), BREAKER_STAYS);
    world->now += BREAKER_PROBE_GAP_MS;
    assert_int_equal(report(world, enter(world, ADMISSION_PROBE, BREAKER_STAYS), SIGNAL_SUCCESS),
                     BREAKER_CLOSES);
}

#endif
