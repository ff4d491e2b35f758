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

enum { LEASE_MS = 10000 };

struct world {
    struct breaker breaker;
    struct trip_rule rule;
    struct rng rng;
    mono_ms now;
};

static void begin(struct world *world)
{
    *world = (struct world){
        .rule = {.failures = 5, .ratio_percent = 50, .window_ms = 30000, .open_ms = 5000}};
    rng_init(&world->rng, 1, 2);
    breaker_init(&world->breaker, &world->rule);
}

static enum admission ask(const struct world *world)
{
    return breaker_ask(&world->breaker, world->now);
}

static struct pass enter(struct world *world, enum admission how, enum breaker_change wanted)
{
    enum breaker_change change = BREAKER_CLOSES;
    struct pass pass = breaker_enter(&world->breaker, how, LEASE_MS, world->now, &change);

    assert_int_equal(change, wanted);
    assert_int_equal(pass.how, how);
    return pass;
}

static enum breaker_change report(struct world *world, struct pass pass, enum signal signal)
{
    return breaker_report(&world->breaker, &world->rule, pass, signal, 0, world->now, &world->rng);
}

/* An attempt that ends at once. */
static enum breaker_change attempt(struct world *world, enum signal signal)
{
    return report(world, enter(world, ADMISSION_YES, BREAKER_STAYS), signal);
}

static void open_it(struct world *world)
{
    for (uint32_t i = 1; i < world->rule.failures; i++) {
        assert_int_equal(attempt(world, SIGNAL_FAILURE), BREAKER_STAYS);
    }
    assert_int_equal(attempt(world, SIGNAL_FAILURE), BREAKER_OPENED);
}

/* Opens it and lets the first probe of the stay out. */
static struct pass probe_it(struct world *world)
{
    open_it(world);
    world->now = world->breaker.reopen_at;
    return enter(world, ADMISSION_PROBE, BREAKER_HALF_OPENED);
}

/* From closed through a stay of being open to closed. */
static void heal_it(struct world *world)
{
    assert_int_equal(report(world, probe_it(world), SIGNAL_SUCCESS), BREAKER_STAYS);
    world->now += BREAKER_PROBE_GAP_MS;
    assert_int_equal(report(world, enter(world, ADMISSION_PROBE, BREAKER_STAYS), SIGNAL_SUCCESS),
                     BREAKER_CLOSES);
}

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

/* ---- half-open ---- */

static void breaker__lets_one_probe_through(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    (void)probe_it(&world);
    for (unsigned i = 0; i < LEASE_MS; i++) {
        assert_int_equal(ask(&world), ADMISSION_NO);
        world.now++;
    }
    /* The lease has ended by itself. */
    assert_int_equal(ask(&world), ADMISSION_PROBE);
}

static void breaker__closes_after_two_good_probes(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    heal_it(&world);
    assert_int_equal(ask(&world), ADMISSION_YES);
    assert_int_equal(world.breaker.closed_at, world.now);
    assert_int_equal(tally_sum(&world.breaker.tally, world.now).failures, 0);
    assert_int_equal(tally_sum(&world.breaker.tally, world.now).successes, 0);
    open_it(&world); /* counting begins anew: it takes all five again */
}

static void breaker__a_slow_probe_is_a_good_one(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    assert_int_equal(report(&world, probe_it(&world), SIGNAL_SLOW), BREAKER_STAYS);
    world.now += BREAKER_PROBE_GAP_MS;
    assert_int_equal(report(&world, enter(&world, ADMISSION_PROBE, BREAKER_STAYS), SIGNAL_SLOW),
                     BREAKER_CLOSES);
}

static void breaker__keeps_a_gap_between_probes(void **state)
{
    struct world world;
    struct pass pass;

    (void)state;
    begin(&world);
    pass = probe_it(&world);
    world.now += 10;
    (void)report(&world, pass, SIGNAL_SUCCESS);
    world.now += 989;
    assert_int_equal(ask(&world), ADMISSION_NO);
    world.now += 1;
    assert_int_equal(ask(&world), ADMISSION_PROBE);
    /* Also when a failure opens it for a shorter time than the gap. */
    begin(&world);
    world.rule.open_ms = 10;
    pass = probe_it(&world);
    (void)report(&world, pass, SIGNAL_FAILURE);
    world.now += 999;
    assert_int_equal(ask(&world), ADMISSION_NO);
    world.now += 1;
    assert_int_equal(ask(&world), ADMISSION_PROBE);
}

static void breaker__a_failed_probe_opens_for_longer(void **state)
{
    static const mono_ms usual[] = {5000, 10000, 20000, 40000, 80000, 120000, 120000};
    struct world world;

    (void)state;
    begin(&world);
    open_it(&world);
    for (size_t i = 0; i < ARRAY_LENGTH(usual); i++) {
        assert_int_equal(world.breaker.trips, i + 1);
        assert_in_range(world.breaker.reopen_at - world.now, usual[i] * 8 / 10, usual[i] * 12 / 10);
        world.now = world.breaker.reopen_at;
        assert_int_equal(
            report(&world, enter(&world, ADMISSION_PROBE, BREAKER_HALF_OPENED), SIGNAL_FAILURE),
            BREAKER_OPENED);
    }
}

static void breaker__good_probes_count_in_a_row(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    (void)report(&world, probe_it(&world), SIGNAL_SUCCESS);
    world.now += 1000;
    (void)report(&world, enter(&world, ADMISSION_PROBE, BREAKER_STAYS), SIGNAL_FAILURE);
    world.now = world.breaker.reopen_at;
    assert_int_equal(
        report(&world, enter(&world, ADMISSION_PROBE, BREAKER_HALF_OPENED), SIGNAL_SUCCESS),
        BREAKER_STAYS);
}

static void breaker__a_neutral_end_gives_the_slot_back_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned by_forgo = 0; by_forgo < 2; by_forgo++) {
        struct world world;
        struct breaker wanted;
        struct pass pass;
        begin(&world);
        pass = probe_it(&world);
        memcpy(&wanted, &world.breaker, sizeof wanted);
        wanted.lease_until = 0;
        if (by_forgo == 1) {
            breaker_forgo(&world.breaker, pass);
        } else {
            assert_int_equal(report(&world, pass, SIGNAL_NEUTRAL), BREAKER_STAYS);
        }
        assert_memory_equal(&world.breaker, &wanted, sizeof wanted);
        world.now += 1000;
        assert_int_equal(ask(&world), ADMISSION_PROBE);
        /* Once more takes nothing from the next probe. */
        (void)enter(&world, ADMISSION_PROBE, BREAKER_STAYS);
        breaker_forgo(&world.breaker, pass);
        (void)report(&world, pass, SIGNAL_NEUTRAL);
        breaker_forgo(&world.breaker, (struct pass){.how = ADMISSION_YES});
        breaker_forgo(&world.breaker, (struct pass){.how = ADMISSION_PANIC});
        world.now += 1000;
        assert_int_equal(ask(&world), ADMISSION_NO);
    }
}

static void breaker__a_stream_may_break_after_its_first_content(void **state)
{
    struct world world;
    struct pass pass;

    (void)state;
    begin(&world);
    pass = probe_it(&world);
    assert_int_equal(report(&world, pass, SIGNAL_SUCCESS), BREAKER_STAYS);
    assert_int_equal(report(&world, pass, SIGNAL_SUCCESS), BREAKER_STAYS); /* once is enough */
    world.now += 500;
    assert_int_equal(report(&world, pass, SIGNAL_FAILURE), BREAKER_OPENED);
    assert_int_equal(world.breaker.trips, 2);
    /* And after it has closed: it is one failure among others. */
    begin(&world);
    heal_it(&world);
    assert_int_equal(
        report(&world, (struct pass){ADMISSION_PROBE, world.breaker.lease}, SIGNAL_FAILURE),
        BREAKER_STAYS);
    assert_int_equal(world.breaker.failures_in_row, 1);
}

static void breaker__only_the_latest_probe_of_this_stay_counts(void **state)
{
    struct world world;
    struct pass first;
    struct pass second;

    (void)state;
    begin(&world);
    first = probe_it(&world);
    world.now += LEASE_MS;
    assert_int_equal(report(&world, first, SIGNAL_SUCCESS), BREAKER_STAYS);
    assert_int_equal(world.breaker.probes_good, 0); /* its lease is over */
    second = enter(&world, ADMISSION_PROBE, BREAKER_STAYS);
    assert_int_equal(report(&world, first, SIGNAL_SUCCESS), BREAKER_STAYS);
    assert_int_equal(report(&world, first, SIGNAL_FAILURE), BREAKER_STAYS);
    assert_int_equal(ask(&world), ADMISSION_NO);
    assert_int_equal(report(&world, second, SIGNAL_FAILURE), BREAKER_OPENED);
    /* The next stay begins without a probe of its own. */
    assert_int_equal(breaker_invite(&world.breaker, world.now), BREAKER_HALF_OPENED);
    assert_int_equal(report(&world, second, SIGNAL_FAILURE), BREAKER_STAYS);
    assert_int_equal(world.breaker.state, BREAKER_HALF_OPEN);
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

/* ---- panic, invitation, operator ---- */

static void breaker__a_panic_pass_that_succeeds_is_the_first_good_probe(void **state)
{
    struct world world;
    struct pass panic;

    (void)state;
    begin(&world);
    open_it(&world);
    panic = enter(&world, ADMISSION_PANIC, BREAKER_STAYS);
    assert_int_equal(ask(&world), ADMISSION_NO);
    assert_int_equal(report(&world, panic, SIGNAL_NEUTRAL), BREAKER_STAYS);
    assert_int_equal(world.breaker.state, BREAKER_OPEN);
    assert_int_equal(report(&world, panic, SIGNAL_SUCCESS), BREAKER_HALF_OPENED);
    assert_int_equal(report(&world, panic, SIGNAL_SUCCESS), BREAKER_STAYS);
    assert_int_equal(report(&world, panic, SIGNAL_FAILURE), BREAKER_STAYS);
    assert_int_equal(ask(&world), ADMISSION_PROBE); /* also in the first second of the world */
    assert_int_equal(report(&world, enter(&world, ADMISSION_PROBE, BREAKER_STAYS), SIGNAL_SUCCESS),
                     BREAKER_CLOSES);
}

static void breaker__a_panic_pass_that_fails_is_no_new_trip(void **state)
{
    static const struct {
        uint32_t hint_ms;
        mono_ms reopen_at; /* 0: as before */
    } rows[] = {{0, 0}, {3000, 0}, {10000, 11000}, {UINT32_MAX, 301000}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct world world;
        mono_ms before = 0;
        begin(&world);
        open_it(&world);
        before = world.breaker.reopen_at;
        world.now = 1000;
        assert_int_equal(breaker_report(&world.breaker, &world.rule,
                                        enter(&world, ADMISSION_PANIC, BREAKER_STAYS),
                                        SIGNAL_FAILURE, rows[i].hint_ms, world.now, &world.rng),
                         BREAKER_STAYS);
        assert_int_equal(world.breaker.trips, 1);
        assert_int_equal(world.breaker.reopen_at,
                         rows[i].reopen_at == 0 ? before : rows[i].reopen_at);
    }
}

static void breaker__an_invitation_opens_the_door_by_half(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    assert_int_equal(breaker_invite(&world.breaker, world.now), BREAKER_STAYS);
    assert_int_equal(ask(&world), ADMISSION_YES);
    open_it(&world);
    assert_int_equal(breaker_invite(&world.breaker, world.now), BREAKER_HALF_OPENED);
    assert_int_equal(breaker_invite(&world.breaker, world.now), BREAKER_STAYS);
    assert_int_equal(report(&world, enter(&world, ADMISSION_PROBE, BREAKER_STAYS), SIGNAL_SUCCESS),
                     BREAKER_STAYS);
    assert_int_equal(breaker_invite(&world.breaker, world.now), BREAKER_STAYS);
    assert_int_equal(world.breaker.state, BREAKER_HALF_OPEN);
    assert_int_equal(world.breaker.probes_good, 1);
}

static void breaker__opens_by_its_owners_word_where_it_was_closed(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    assert_int_equal(breaker_open(&world.breaker, &world.rule, world.now, &world.rng),
                     BREAKER_OPENED);
    assert_int_equal(ask(&world), ADMISSION_NO);
    assert_int_equal(world.breaker.trips, 1);
    assert_int_equal(breaker_open(&world.breaker, &world.rule, world.now, &world.rng),
                     BREAKER_STAYS);
    world.now = world.breaker.reopen_at;
    (void)enter(&world, ADMISSION_PROBE, BREAKER_HALF_OPENED);
    assert_int_equal(breaker_open(&world.breaker, &world.rule, world.now, &world.rng),
                     BREAKER_STAYS);
    assert_int_equal(world.breaker.trips, 1);
}

static void breaker__an_operator_closes_it_and_nothing_is_remembered(void **state)
{
    struct world world;
    struct pass old;

    (void)state;
    begin(&world);
    heal_it(&world);
    old = probe_it(&world);
    breaker_reset(&world.breaker, &world.rule);
    assert_int_equal(ask(&world), ADMISSION_YES);
    assert_int_equal(world.breaker.trips, 0);
    assert_int_equal(world.breaker.closed_at, 0);
    assert_int_equal(tally_sum(&world.breaker.tally, world.now).failures, 0);
    /* A probe from before is a stranger to every later stay. */
    for (unsigned i = 0; i < 3; i++) {
        struct pass pass = probe_it(&world);
        (void)report(&world, old, SIGNAL_FAILURE);
        assert_int_equal(world.breaker.state, BREAKER_HALF_OPEN);
        (void)report(&world, pass, SIGNAL_SUCCESS);
        breaker_reset(&world.breaker, &world.rule);
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
        cmocka_unit_test(breaker__lets_one_probe_through),
        cmocka_unit_test(breaker__closes_after_two_good_probes),
        cmocka_unit_test(breaker__a_slow_probe_is_a_good_one),
        cmocka_unit_test(breaker__keeps_a_gap_between_probes),
        cmocka_unit_test(breaker__a_failed_probe_opens_for_longer),
        cmocka_unit_test(breaker__good_probes_count_in_a_row),
        cmocka_unit_test(breaker__a_neutral_end_gives_the_slot_back_and_nothing_else),
        cmocka_unit_test(breaker__a_stream_may_break_after_its_first_content),
        cmocka_unit_test(breaker__only_the_latest_probe_of_this_stay_counts),
        cmocka_unit_test(breaker__forgives_one_trip_for_each_full_minute_closed),
        cmocka_unit_test(breaker__a_panic_pass_that_succeeds_is_the_first_good_probe),
        cmocka_unit_test(breaker__a_panic_pass_that_fails_is_no_new_trip),
        cmocka_unit_test(breaker__an_invitation_opens_the_door_by_half),
        cmocka_unit_test(breaker__opens_by_its_owners_word_where_it_was_closed),
        cmocka_unit_test(breaker__an_operator_closes_it_and_nothing_is_remembered),
        cmocka_unit_test(breaker__agrees_with_a_model_in_random_worlds),
        cmocka_unit_test(breaker__is_of_constant_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
