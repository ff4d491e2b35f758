/* SPDX-License-Identifier: Apache-2.0 */
/* The breaker: one story per rule of resilience.md, 7, then random worlds against a naive model
 * (breaker_model.h) that is held against every answer. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"
#include "breaker/breaker.h"
#include "tests/unit/breaker/breaker_model.h"
#include "tests/unit/breaker/breaker_world.h"

/* ---- closed ---- */

static void breaker__opens_by_what_it_was_told(void **state)
{
    /* s success, S slow, f failure, c connect-level failure, n neutral, w half a minute passes */
    static const struct {
        uint32_t failures;
        uint32_t ratio_percent;
        const char *told;
        bool is_open; /* after the last word, and not before it */
    } rows[] = {
        {5, 50, "ffff", false},
        {5, 50, "fffff", true},
        {5, 50, "ffffsffff", false},
        {5, 50, "ffffSffff", false},
        {5, 50, "ffffnf", true},
        {5, 50, "ffffwf", true},
        {9, 50, "ccfcc", false},
        {9, 50, "ccscc", false},
        {9, 50, "ccSccfc", false},
        {9, 50, "ccnc", true},
        {9, 50, "fccc", true},
        {4, 50, "fccf", true},
        {9, 50, "ffsfsfsfsf", true},
        {9, 50, "ffsfsfsfss", true},
        {9, 50, "ffsfsfsfnnnnn", false},
        {9, 50, "ffsfsfsfwsf", false},
        {9, 60, "fsfsfsfsfsf", false},
        {9, 60, "fsfsfsfsfsfff", true},
        {9, 90, "SSSSSSSSs", false},
        {9, 90, "SSSSSSSSss", true},
        {9, 90, "SSSSSSSsssssssss", false},
        {9, 90, "SSSSSSSSfS", true},
    };
    static const enum signal signals[128] = {['s'] = SIGNAL_SUCCESS,
                                             ['S'] = SIGNAL_SLOW,
                                             ['f'] = SIGNAL_FAILURE,
                                             ['c'] = SIGNAL_CONNECT,
                                             ['n'] = SIGNAL_NEUTRAL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct world world;
        begin(&world);
        world.rule.failures = rows[i].failures;
        world.rule.ratio_percent = rows[i].ratio_percent;
        for (const char *word = rows[i].told; *word != '\0'; word++) {
            if (ask(&world) != ADMISSION_YES) {
                fail_msg("row %zu: too early", i);
            }
            if (*word == 'w') {
                world.now += world.rule.window_ms;
            } else {
                (void)attempt(&world, signals[(unsigned char)*word]);
            }
        }
        if ((ask(&world) == ADMISSION_NO) != rows[i].is_open) {
            fail_msg("row %zu", i);
        }
    }
}

static void breaker__counts_every_pass_while_closed(void **state)
{
    static const struct pass passes[] = {{ADMISSION_YES, 0},
                                         {ADMISSION_PROBE, 0},
                                         {ADMISSION_PROBE, 7},
                                         {ADMISSION_PANIC, 0},
                                         {ADMISSION_YES, 0}};
    struct world world;

    (void)state;
    begin(&world);
    for (size_t i = 0; i < ARRAY_LENGTH(passes); i++) {
        assert_int_equal(report(&world, passes[i], SIGNAL_FAILURE),
                         i < 4 ? BREAKER_STAYS : BREAKER_OPENED);
    }
}

static void breaker__counts_in_the_window_of_the_settings(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    world.rule.failures = 100;
    world.rule.window_ms = 1000;
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(attempt(&world, SIGNAL_FAILURE), BREAKER_STAYS);
    }
    world.now = 1000;
    assert_int_equal(attempt(&world, SIGNAL_FAILURE), BREAKER_STAYS);
    assert_int_equal(tally_sum(&world.breaker.tally, world.now).failures, 1);
}

/* ---- open ---- */

static void breaker__lets_nothing_through_while_open(void **state)
{
    struct world world;
    mono_ms reopen_at = 0;

    (void)state;
    begin(&world);
    open_it(&world);
    reopen_at = world.breaker.reopen_at;
    assert_in_range(reopen_at, 4000, 6000);
    for (world.now = 0; world.now < reopen_at; world.now++) {
        assert_int_equal(ask(&world), ADMISSION_NO);
    }
    assert_int_equal(ask(&world), ADMISSION_PROBE);
    world.now += 1000000;
    assert_int_equal(world.breaker.state, BREAKER_OPEN); /* no timer moves it */
    assert_int_equal(ask(&world), ADMISSION_PROBE);
}

static void breaker__ignores_attempts_from_before_it_opened(void **state)
{
    struct world world;
    struct pass old = {.how = ADMISSION_YES};
    struct breaker before;

    (void)state;
    begin(&world);
    (void)probe_it(&world);
    memcpy(&before, &world.breaker, sizeof before);
    for (enum signal signal = SIGNAL_NEUTRAL; signal <= SIGNAL_CONNECT; signal++) {
        assert_int_equal(report(&world, old, signal), BREAKER_STAYS);
        assert_memory_equal(&world.breaker, &before, sizeof before);
    }
    begin(&world);
    open_it(&world);
    memcpy(&before, &world.breaker, sizeof before);
    for (enum signal signal = SIGNAL_NEUTRAL; signal <= SIGNAL_CONNECT; signal++) {
        assert_int_equal(report(&world, old, signal), BREAKER_STAYS);
        assert_memory_equal(&world.breaker, &before, sizeof before);
    }
}

static void breaker__heeds_the_hint_of_the_last_failure(void **state)
{
    static const struct {
        uint32_t hint_ms;
        mono_ms least;
        mono_ms most;
    } rows[] = {{0, 4000, 6000},
                {1000, 4000, 6000},
                {20000, 20000, 20000},
                {300000, 300000, 300000},
                {UINT32_MAX, 300000, 300000}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct world world;
        begin(&world);
        for (unsigned n = 0; n < 5; n++) {
            (void)breaker_report(&world.breaker, &world.rule,
                                 enter(&world, ADMISSION_YES, BREAKER_STAYS), SIGNAL_FAILURE,
                                 n < 4 ? 299999 : rows[i].hint_ms, 0, &world.rng);
        }
        assert_in_range(world.breaker.reopen_at, rows[i].least, rows[i].most);
    }
}

/* ---- closed again ---- */

static void breaker__forgives_one_trip_for_each_full_minute_closed(void **state)
{
    static const struct {
        uint32_t before; /* trips, when it closes */
        mono_ms after_ms;
        uint32_t trips; /* with the next one */
    } rows[] = {{1, 0, 2},      {1, 59999, 2},  {1, 60000, 1},  {1, 600000, 1}, {3, 59999, 4},
                {3, 119999, 3}, {3, 120000, 2}, {3, 180000, 1}, {3, 999999, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct world world;
        mono_ms closed_at = 0;
        begin(&world);
        for (uint32_t n = 0; n < rows[i].before; n++) {
            heal_it(&world);
        }
        closed_at = world.now;
        /* The word in between must not make two halves of a minute out of one. */
        world.now = closed_at + rows[i].after_ms / 2;
        (void)attempt(&world, SIGNAL_SUCCESS);
        world.now = closed_at + rows[i].after_ms;
        open_it(&world);
        assert_int_equal(world.breaker.trips, rows[i].trips);
    }
}

/* ---- against a model ---- */

enum { SEEDS = 1000, EVENTS = 400 };

/* SEED=n in the environment runs that one alone. */
static void breaker__agrees_with_a_model_in_random_worlds(void **state)
{
    const char *chosen = getenv("SEED");

    (void)state;
    if (chosen != NULL) {
        model_world(strtoull(chosen, NULL, 10), EVENTS);
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        model_world(seed, EVENTS);
    }
}

static void breaker__is_of_constant_size(void **state)
{
    (void)state;
    assert_true(sizeof(struct breaker) <= 256); /* B8; it owns nothing besides */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaker__opens_by_what_it_was_told),
        cmocka_unit_test(breaker__counts_every_pass_while_closed),
        cmocka_unit_test(breaker__counts_in_the_window_of_the_settings),
        cmocka_unit_test(breaker__lets_nothing_through_while_open),
        cmocka_unit_test(breaker__ignores_attempts_from_before_it_opened),
        cmocka_unit_test(breaker__heeds_the_hint_of_the_last_failure),
        cmocka_unit_test(breaker__forgives_one_trip_for_each_full_minute_closed),
        cmocka_unit_test(breaker__agrees_with_a_model_in_random_worlds),
        cmocka_unit_test(breaker__is_of_constant_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
