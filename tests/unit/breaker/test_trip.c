/* SPDX-License-Identifier: Apache-2.0 */
/* When a breaker opens (resilience.md, 7.2) and for how long (7.3), at both sides of every edge. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "breaker/trip.h"

static const struct trip_rule usual = {
    .failures = 5, .ratio_percent = 50, .window_ms = 30000, .open_ms = 5000};

static void trip__is_due_when_any_condition_holds(void **state)
{
    static const struct {
        uint32_t successes;
        uint32_t failures;
        uint32_t slow;
        uint32_t in_row;
        uint32_t connects;
        bool is_due;
    } rows[] = {
        {0, 0, 0, 0, 0, false},
        /* failures in a row */
        {0, 4, 0, 4, 0, false},
        {0, 5, 0, 5, 0, true},
        {0, 6, 0, 6, 0, true},
        /* connect-level failures in a row */
        {0, 2, 0, 2, 2, false},
        {0, 3, 0, 3, 3, true},
        /* the share of failures, and enough samples */
        {5, 4, 0, 1, 0, false},
        {4, 5, 0, 1, 0, false},
        {5, 5, 0, 1, 0, true},
        {6, 5, 0, 1, 0, false},
        {51, 49, 0, 1, 0, false},
        {50, 50, 0, 1, 0, true},
        /* the share of slow ones, of successes and failures together */
        {9, 0, 9, 0, 0, false},
        {10, 0, 7, 0, 0, false},
        {10, 0, 8, 0, 0, true},
        {9, 1, 8, 0, 0, true},
        {9, 2, 8, 0, 0, false},
        /* counts of any size */
        {UINT32_MAX, UINT32_MAX - 1, 0, 0, 0, false},
        {UINT32_MAX, UINT32_MAX, 0, 0, 0, true},
        {10000000, 43000000, 0, 1, 0, true},
        {10000000, 0, 43000000, 0, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct trip_facts facts = {.window = {rows[i].successes, rows[i].failures, rows[i].slow},
                                   .failures_in_row = rows[i].in_row,
                                   .connects_in_row = rows[i].connects};
        if (trip_is_due(&usual, &facts) != rows[i].is_due) {
            fail_msg("row %zu", i);
        }
    }
}

static void trip__heeds_the_operators_figures(void **state)
{
    struct trip_rule rule = {.failures = 2, .ratio_percent = 90, .window_ms = 30000};
    struct trip_facts facts = {.window = {2, 17, 0}, .failures_in_row = 1};

    (void)state;
    assert_false(trip_is_due(&rule, &facts));
    facts.failures_in_row = 2;
    assert_true(trip_is_due(&rule, &facts));
    facts.failures_in_row = 1;
    facts.window.failures = 18;
    assert_true(trip_is_due(&rule, &facts));
}

/* The least and the most of many draws. */
static void draw(const struct trip_rule *rule, uint32_t trips, uint32_t hint_ms, uint32_t *least,
                 uint32_t *most)
{
    struct rng rng;

    *least = UINT32_MAX;
    *most = 0;
    rng_init(&rng, 1, trips);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t ms = trip_open_ms(rule, trips, hint_ms, &rng);
        *least = ms < *least ? ms : *least;
        *most = ms > *most ? ms : *most;
    }
}

static void trip__stays_open_longer_each_time(void **state)
{
    static const struct {
        uint32_t open_ms;
        uint32_t trips;
        uint32_t hint_ms;
        uint32_t least;
        uint32_t most;
    } rows[] = {
        {5000, 1, 0, 4000, 6000},
        {5000, 2, 0, 8000, 12000},
        {5000, 3, 0, 16000, 24000},
        {5000, 5, 0, 64000, 96000},
        {5000, 6, 0, 96000, 144000}, /* 160 s, cut to 120 s before the chance */
        {5000, 7, 0, 96000, 144000},
        {5000, UINT32_MAX, 0, 96000, 144000},
        {200000, 1, 0, 96000, 144000},
        {UINT32_MAX, 9, 0, 96000, 144000},
        {0, UINT32_MAX, 0, 0, 0},
        {1, 1, 0, 0, 0},
        /* a hint is the least, up to its own ceiling */
        {5000, 1, 3000, 4000, 6000},
        {5000, 1, 5000, 5000, 6000},
        {5000, 1, 30000, 30000, 30000},
        {5000, 9, 100000, 100000, 144000},
        {5000, 9, 200000, 200000, 200000},
        {5000, 1, 300000, 300000, 300000},
        {5000, 1, 300001, 300000, 300000},
        {5000, 1, UINT32_MAX, 300000, 300000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct trip_rule rule = usual;
        uint32_t least = 0;
        uint32_t most = 0;
        uint32_t slack = (rows[i].most - rows[i].least) / 100; /* of what chance has not shown */
        rule.open_ms = rows[i].open_ms;
        draw(&rule, rows[i].trips, rows[i].hint_ms, &least, &most);
        assert_in_range(least, rows[i].least, rows[i].least + slack);
        assert_in_range(most, rows[i].most - slack, rows[i].most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trip__is_due_when_any_condition_holds),
        cmocka_unit_test(trip__heeds_the_operators_figures),
        cmocka_unit_test(trip__stays_open_longer_each_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
