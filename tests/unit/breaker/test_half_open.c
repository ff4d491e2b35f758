/* SPDX-License-Identifier: Apache-2.0 */
/* How a breaker that is open lets somebody through again: probes, panic, invitations, orders. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"
#include "tests/unit/breaker/breaker_world.h"

static void half_open__lets_one_probe_through(void **state)
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

static void half_open__closes_after_two_good_probes(void **state)
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

static void half_open__a_slow_probe_is_a_good_one(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    assert_int_equal(report(&world, probe_it(&world), SIGNAL_SLOW), BREAKER_STAYS);
    world.now += BREAKER_PROBE_GAP_MS;
    assert_int_equal(report(&world, enter(&world, ADMISSION_PROBE, BREAKER_STAYS), SIGNAL_SLOW),
                     BREAKER_CLOSES);
}

static void half_open__keeps_a_gap_between_probes(void **state)
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

static void half_open__a_failed_probe_opens_for_longer(void **state)
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

static void half_open__good_probes_count_in_a_row(void **state)
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

static void half_open__a_neutral_end_gives_the_slot_back_and_nothing_else(void **state)
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

static void half_open__a_stream_may_break_after_its_first_content(void **state)
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

static void half_open__only_the_latest_probe_of_this_stay_counts(void **state)
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

/* ---- panic, invitation, operator ---- */

static void half_open__a_panic_pass_that_succeeds_is_the_first_good_probe(void **state)
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

static void half_open__a_panic_pass_that_fails_is_no_new_trip(void **state)
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

static void half_open__an_invitation_opens_the_door_by_half(void **state)
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

static void half_open__opens_by_its_owners_word_where_it_was_closed(void **state)
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

static void half_open__an_operator_closes_it_and_nothing_is_remembered(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_open__lets_one_probe_through),
        cmocka_unit_test(half_open__closes_after_two_good_probes),
        cmocka_unit_test(half_open__a_slow_probe_is_a_good_one),
        cmocka_unit_test(half_open__keeps_a_gap_between_probes),
        cmocka_unit_test(half_open__a_failed_probe_opens_for_longer),
        cmocka_unit_test(half_open__good_probes_count_in_a_row),
        cmocka_unit_test(half_open__a_neutral_end_gives_the_slot_back_and_nothing_else),
        cmocka_unit_test(half_open__a_stream_may_break_after_its_first_content),
        cmocka_unit_test(half_open__only_the_latest_probe_of_this_stay_counts),
        cmocka_unit_test(half_open__a_panic_pass_that_succeeds_is_the_first_good_probe),
        cmocka_unit_test(half_open__a_panic_pass_that_fails_is_no_new_trip),
        cmocka_unit_test(half_open__an_invitation_opens_the_door_by_half),
        cmocka_unit_test(half_open__opens_by_its_owners_word_where_it_was_closed),
        cmocka_unit_test(half_open__an_operator_closes_it_and_nothing_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
