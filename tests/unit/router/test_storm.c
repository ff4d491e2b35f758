/* SPDX-License-Identifier: Apache-2.0 */
/* The two budgets against retry storms: row by row, and the bound of a minute against a plain list
 * of everything that happened. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "router/storm.h"

static void calls(struct storm *storm, unsigned count, mono_ms now)
{
    for (unsigned i = 0; i < count; i++) {
        storm_call(storm, now);
    }
}

/* Sends retries until the answer is no; returns how many. */
static unsigned retries(struct storm *storm, mono_ms now)
{
    unsigned count = 0;

    while (storm_ask(storm, 0, 0, now) == STORM_ALLOWS) {
        storm_retry(storm, now);
        count++;
        assert_true(count < 1000);
    }
    assert_int_equal(storm_ask(storm, 0, 0, now), STORM_TOKENS);
    return count;
}

static void storm__a_fifth_of_what_is_in_flight_may_be_retries(void **state)
{
    static const struct {
        uint32_t retries;
        uint32_t attempts;
        enum storm_no no;
    } rows[] = {{0, 0, STORM_ALLOWS},           {2, 2, STORM_ALLOWS},
                {3, 3, STORM_CONCURRENCY},      {3, 19, STORM_CONCURRENCY},
                {3, 20, STORM_ALLOWS},          {4, 20, STORM_CONCURRENCY},
                {4, 25, STORM_ALLOWS},          {199, 1000, STORM_ALLOWS},
                {200, 1000, STORM_CONCURRENCY}, {UINT32_MAX, UINT32_MAX, STORM_CONCURRENCY}};
    struct storm storm;

    (void)state;
    storm_init(&storm);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(storm_ask(&storm, rows[i].retries, rows[i].attempts, 0), rows[i].no);
    }
}

/* A crowd passes, and who is told of one waits a moment and goes; a used up budget does not. */
static void storm__a_used_up_budget_is_told_before_a_crowd(void **state)
{
    struct storm storm;

    (void)state;
    storm_init(&storm);
    for (int i = 0; i < STORM_RETRIES_LEAST; i++) {
        storm_retry(&storm, 0);
    }
    assert_int_equal(storm_ask(&storm, 3, 3, 0), STORM_TOKENS);
}

static void storm__ten_a_minute_are_free(void **state)
{
    struct storm storm;

    (void)state;
    storm_init(&storm);
    assert_int_equal(retries(&storm, 5999), 10);
    assert_int_equal(retries(&storm, 65999), 0); /* the last ms of the eleventh bucket */
    assert_int_equal(retries(&storm, 66000), 10);
}

static void storm__five_calls_pay_for_a_retry(void **state)
{
    struct storm storm;

    (void)state;
    storm_init(&storm);
    calls(&storm, 4, 0);
    assert_int_equal(retries(&storm, 0), 10);
    calls(&storm, 1, 100);
    assert_int_equal(retries(&storm, 200), 1);
    calls(&storm, 500, 300);
    assert_int_equal(retries(&storm, 400), 100);
}

static void storm__deposits_live_a_minute(void **state)
{
    struct storm storm;

    (void)state;
    storm_init(&storm);
    calls(&storm, 100, 0);
    assert_int_equal(retries(&storm, 59999), 30);
    storm_init(&storm);
    calls(&storm, 100, 0);
    assert_int_equal(retries(&storm, 60000), 10);
}

static void storm__asking_changes_nothing(void **state)
{
    struct storm storm;

    (void)state;
    storm_init(&storm);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(storm_ask(&storm, 0, 0, 0), STORM_ALLOWS);
    }
    assert_int_equal(retries(&storm, 0), 10);
}

static void storm__a_long_silence_is_forgotten(void **state)
{
    struct storm storm;
    /* The same places in the ring. */
    mono_ms later = (mono_ms)STORM_BUCKET_MS * STORM_BUCKETS * 1000;

    (void)state;
    storm_init(&storm);
    calls(&storm, 1000, 0);
    assert_int_equal(retries(&storm, 0), 210);
    assert_int_equal(retries(&storm, later), 10);
}

/* ---- against a list of all that happened ---- */

enum { EVENTS = 4000, MINUTE_MS = 60000 };

struct happened {
    mono_ms at;
    bool is_retry;
};

static unsigned count_since(const struct happened *list, size_t count, mono_ms now, bool is_retry)
{
    unsigned sum = 0;

    for (size_t i = count; i-- > 0 && list[i].at + MINUTE_MS > now;) {
        sum += list[i].is_retry == is_retry;
    }
    return sum;
}

static void check_world(uint64_t number)
{
    static struct happened list[EVENTS];
    size_t count = 0;
    unsigned allowed = 0;
    struct storm storm;
    struct rng rng;
    mono_ms now = 0;

    rng_init(&rng, number, 0);
    storm_init(&storm);
    now = rng_below(&rng, 1000000);
    while (count < EVENTS) {
        uint64_t gap = rng_below(&rng, 100) == 0 ? 40000 : rng_below(&rng, 2) * 1000;
        now += rng_below(&rng, gap + 1);
        if (rng_below(&rng, 2) == 0) {
            storm_call(&storm, now);
            list[count++] = (struct happened){.at = now, .is_retry = false};
        } else if (storm_ask(&storm, 0, 0, now) == STORM_ALLOWS) {
            storm_retry(&storm, now);
            list[count++] = (struct happened){.at = now, .is_retry = true};
            assert_true(count_since(list, count, now, true) * 5 <=
                        50 + count_since(list, count, now, false));
            allowed++;
        }
    }
    assert_true(allowed > EVENTS / 10); /* a house without retries would keep the bound too */
}

static void storm__keeps_the_bound_of_every_minute(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 100; number++) {
        check_world(number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storm__a_fifth_of_what_is_in_flight_may_be_retries),
        cmocka_unit_test(storm__a_used_up_budget_is_told_before_a_crowd),
        cmocka_unit_test(storm__ten_a_minute_are_free),
        cmocka_unit_test(storm__five_calls_pay_for_a_retry),
        cmocka_unit_test(storm__deposits_live_a_minute),
        cmocka_unit_test(storm__asking_changes_nothing),
        cmocka_unit_test(storm__a_long_silence_is_forgotten),
        cmocka_unit_test(storm__keeps_the_bound_of_every_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
