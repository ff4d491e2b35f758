/* SPDX-License-Identifier: Apache-2.0 */
/* Counts over the last seconds: what is in the window, what has left it, and a comparison with a
 * list of all events. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "breaker/tally.h"

static void assert_sum(const struct tally *tally, mono_ms now, struct tally_counts wanted)
{
    struct tally_counts sum = tally_sum(tally, now);

    assert_int_equal(sum.successes, wanted.successes);
    assert_int_equal(sum.failures, wanted.failures);
    assert_int_equal(sum.slow, wanted.slow);
}

static void tally__counts_each_kind_and_slow_ones_as_successes_too(void **state)
{
    struct tally tally;

    (void)state;
    tally_init(&tally, 30000);
    assert_sum(&tally, 0, (struct tally_counts){0, 0, 0});
    tally_success(&tally, 0, false);
    tally_success(&tally, 1, true);
    tally_failure(&tally, 2);
    assert_sum(&tally, 2, (struct tally_counts){2, 1, 1});
}

static void tally__an_event_leaves_with_its_bucket(void **state)
{
    static const struct {
        mono_ms event;
        mono_ms now;
        uint32_t failures;
    } rows[] = {
        {0, 0, 1},         {0, 29999, 1},         {0, 30000, 0},     {0, 59999, 0},
        {0, 60000, 0},     {2999, 29999, 1},      {2999, 30000, 0},  {3000, 30000, 1},
        {3000, 32999, 1},  {3000, 33000, 0},      {29999, 30000, 1}, {29999, 56999, 1},
        {29999, 57000, 0}, {5000, UINT64_MAX, 0},
    };
    struct tally tally;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        tally_init(&tally, 30000);
        tally_failure(&tally, rows[i].event);
        assert_sum(&tally, rows[i].now, (struct tally_counts){0, rows[i].failures, 0});
        /* The same when another event has advanced the ring. */
        tally_success(&tally, rows[i].now, false);
        assert_sum(&tally, rows[i].now, (struct tally_counts){1, rows[i].failures, 0});
    }
}

static void tally__asking_changes_nothing(void **state)
{
    struct tally tally;

    (void)state;
    tally_init(&tally, 30000);
    tally_failure(&tally, 1000);
    assert_sum(&tally, 100000, (struct tally_counts){0, 0, 0});
    assert_sum(&tally, 1000, (struct tally_counts){0, 1, 0});
}

static void tally__a_late_event_is_taken_as_of_now(void **state)
{
    struct tally tally;

    (void)state;
    tally_init(&tally, 30000);
    tally_failure(&tally, 60000);
    tally_failure(&tally, 10);
    assert_sum(&tally, 10, (struct tally_counts){0, 2, 0});
    assert_sum(&tally, 89999, (struct tally_counts){0, 2, 0});
    assert_sum(&tally, 90000, (struct tally_counts){0, 0, 0});
}

static void tally__begins_anew_for_another_window_only(void **state)
{
    struct tally tally;

    (void)state;
    tally_init(&tally, 30000);
    tally_failure(&tally, 1000);
    tally_fit(&tally, 30000);
    assert_sum(&tally, 1000, (struct tally_counts){0, 1, 0});
    tally_fit(&tally, 60000);
    assert_sum(&tally, 1000, (struct tally_counts){0, 0, 0});
    tally_failure(&tally, 1000);
    assert_sum(&tally, 59999, (struct tally_counts){0, 1, 0});
    assert_sum(&tally, 60000, (struct tally_counts){0, 0, 0});
}

/* ---- against a list of all events ---- */

enum { SEEDS = 200, EVENTS = 300 };

struct event {
    mono_ms at;
    uint64_t kind; /* 0 success, 1 slow, 2 failure */
};

static struct tally_counts recount(const struct event *events, size_t n, uint64_t bucket_ms)
{
    struct tally_counts sum = {0};
    mono_ms now = events[n - 1].at;

    for (size_t i = 0; i < n; i++) {
        if (now / bucket_ms - events[i].at / bucket_ms >= 10) {
            continue;
        }
        sum.successes += events[i].kind < 2;
        sum.slow += events[i].kind == 1;
        sum.failures += events[i].kind == 2;
    }
    return sum;
}

static void tally__agrees_with_a_recount(void **state)
{
    static struct event events[EVENTS];

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct tally tally;
        struct rng rng;
        mono_ms now = 0;
        uint64_t stride = 1;
        rng_init(&rng, seed, 0);
        stride = UINT64_C(1) << rng_below(&rng, 16);
        tally_init(&tally, 30000);
        for (size_t i = 0; i < EVENTS; i++) {
            struct event *event = &events[i];
            now += rng_below(&rng, stride);
            *event = (struct event){.at = now, .kind = rng_below(&rng, 3)};
            if (event->kind == 2) {
                tally_failure(&tally, now);
            } else {
                tally_success(&tally, now, event->kind == 1);
            }
            assert_sum(&tally, now, recount(events, i + 1, 3000));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tally__counts_each_kind_and_slow_ones_as_successes_too),
        cmocka_unit_test(tally__an_event_leaves_with_its_bucket),
        cmocka_unit_test(tally__asking_changes_nothing),
        cmocka_unit_test(tally__a_late_event_is_taken_as_of_now),
        cmocka_unit_test(tally__begins_anew_for_another_window_only),
        cmocka_unit_test(tally__agrees_with_a_recount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
