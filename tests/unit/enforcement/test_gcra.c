/* SPDX-License-Identifier: Apache-2.0 */
/* Rates against a bucket of tokens that is replayed from its beginning at each question. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "enforcement/gcra.h"

enum { MINUTE = 60000, DAY = 86400000, EVENTS = 60, SEEDS = 400 };

/* ---- the model: what came and what was given back, in order ---- */

struct event {
    mono_ms at;
    int64_t units; /* below 0: given back */
};

struct bucket {
    int64_t limit;
    int64_t period;
    int64_t burst;
    struct event events[EVENTS];
    size_t count;
};

/* A bucket holds burst units; each is `period` drops, and every millisecond `limit` drops fall in. */
static int64_t drops_at(const struct bucket *bucket, mono_ms now)
{
    int64_t full = bucket->burst * bucket->period;
    int64_t level = full;
    mono_ms last = 0;

    for (size_t i = 0; i <= bucket->count; i++) {
        mono_ms at = i < bucket->count ? bucket->events[i].at : now;

        for (mono_ms left = at - last; left > 0 && level < full;) {
            mono_ms some = left < DAY ? left : DAY; /* the product stays small */

            level += (int64_t)some * bucket->limit;
            left -= some;
        }
        level = level < full ? level : full;
        if (i < bucket->count) {
            level -= bucket->events[i].units * bucket->period;
            level = level < full ? level : full;
        }
        last = at;
    }
    return level;
}

static uint64_t ms_for(const struct bucket *bucket, int64_t drops)
{
    return drops <= 0 ? 0 : (uint64_t)((drops + bucket->limit - 1) / bucket->limit);
}

static void compare(const struct bucket *bucket, const struct gcra *gcra,
                    const struct gcra_rule *rule, mono_ms now, int64_t cost)
{
    int64_t level = drops_at(bucket, now);
    uint64_t wait = gcra_ask(gcra, rule, now, (uint64_t)cost);

    if (cost > bucket->burst) {
        assert_true(wait == GCRA_NEVER);
    } else {
        assert_int_equal(wait, ms_for(bucket, cost * bucket->period - level));
    }
    assert_int_equal(gcra_remaining(gcra, rule, now), level < 0 ? 0 : level / bucket->period);
    assert_int_equal(gcra_reset_ms(gcra, rule, now),
                     ms_for(bucket, bucket->burst * bucket->period - level));
}

static void note(struct bucket *bucket, mono_ms at, int64_t units)
{
    bucket->events[bucket->count++] = (struct event){.at = at, .units = units};
}

static void gcra__is_a_bucket_of_tokens(void **state)
{
    static const int64_t rules[][3] = {
        /* limit, period, burst */
        {1, DAY, 1},         {60, MINUTE, 10},         {7, MINUTE, 7},         {1, 1, 1},
        {10000000, MINUTE, 10000000}, {3999999, MINUTE, 1000000}, {1000, 1000, 1}, {13, 999, 4},
    };

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        const int64_t *row = rules[seed % ARRAY_LENGTH(rules)];
        struct bucket bucket = {.limit = row[0], .period = row[1], .burst = row[2]};
        struct gcra gcra = {0};
        struct gcra_rule rule;
        struct rng rng;
        mono_ms now = seed * 977;

        rng_init(&rng, seed, 0);
        gcra_rule_make(&rule, (uint64_t)row[0], (uint64_t)row[1], (uint64_t)row[2]);
        while (bucket.count < EVENTS - 1) {
            int64_t cost = (int64_t)rng_below(&rng, (uint64_t)row[2] + 2);

            compare(&bucket, &gcra, &rule, now, cost);
            if (gcra_ask(&gcra, &rule, now, (uint64_t)cost) == 0 || rng_below(&rng, 8) == 0) {
                gcra_take(&gcra, &rule, now, (uint64_t)cost);
                note(&bucket, now, cost);
            }
            if (rng_below(&rng, 3) == 0) {
                int64_t back = (int64_t)rng_below(&rng, (uint64_t)row[2] + 2);

                gcra_refund(&gcra, &rule, now, (uint64_t)back);
                note(&bucket, now, -back);
            }
            compare(&bucket, &gcra, &rule, now, cost);
            now += rng_below(&rng, 4) == 0 ? 0 : rng_below(&rng, (uint64_t)row[1]);
        }
    }
}

static void gcra__waits_exactly(void **state)
{
    struct gcra gcra = {0};
    struct gcra_rule rule;
    mono_ms now = 123456789;
    uint64_t wait = 0;

    (void)state;
    gcra_rule_make(&rule, 7, MINUTE, 7);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(gcra_ask(&gcra, &rule, now, 1), 0);
        gcra_take(&gcra, &rule, now, 1);
    }
    wait = gcra_ask(&gcra, &rule, now, 1);
    assert_int_equal(wait, 8572); /* 60000 / 7 = 8571.4 */
    assert_int_equal(gcra_ask(&gcra, &rule, now + wait - 1, 1), 1);
    assert_int_equal(gcra_ask(&gcra, &rule, now + wait, 1), 0);
    assert_int_equal(gcra_reset_ms(&gcra, &rule, now), MINUTE);
    assert_true(gcra_ask(&gcra, &rule, now, 8) == GCRA_NEVER);
}

static void gcra__saves_nothing_up(void **state)
{
    struct gcra gcra = {0};
    struct gcra_rule rule;

    (void)state;
    gcra_rule_make(&rule, 10, 1000, 10);
    gcra_refund(&gcra, &rule, 5000, 1000000);
    assert_int_equal(gcra_remaining(&gcra, &rule, 5000), 10);
    gcra_take(&gcra, &rule, 5000, 4);
    gcra_refund(&gcra, &rule, 5000, UINT64_MAX);
    assert_int_equal(gcra_remaining(&gcra, &rule, 5000), 10);
    gcra_take(&gcra, &rule, 5000, 4);
    assert_int_equal(gcra_remaining(&gcra, &rule, 500000), 10);
}

/* Many calls, as fast as they may: what came in an hour is the burst and the rate, to one unit. */
static void huge_limits__are_never_exceeded(void **state)
{
    static const uint64_t limits[][2] = {{999999999937, DAY},
                                         {59999999983, MINUTE},
                                         {4000037, MINUTE},
                                         {4000000000, 4000},
                                         {999999999989, GCRA_PERIOD_MAX_MS}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
        uint64_t cost = limits[i][0] / 1000;
        uint64_t came = 0;
        struct gcra gcra = {0};
        struct gcra_rule rule;
        mono_ms begin = GCRA_NOW_MAX - 2 * limits[i][1];
        mono_ms now = begin;

        gcra_rule_make(&rule, limits[i][0], limits[i][1], limits[i][0]);
        while (now < begin + limits[i][1]) {
            uint64_t wait = gcra_ask(&gcra, &rule, now, cost);

            if (wait == 0) {
                gcra_take(&gcra, &rule, now, cost);
                came += cost;
            }
            now += wait;
        }
        assert_true(rule.scale <= UINT64_MAX / 2 / GCRA_NOW_MAX);
        assert_true(came <= 2 * limits[i][0]);
        assert_true(came >= 2 * limits[i][0] - limits[i][0] / 1000000 - 2 * cost);
        assert_true(rule.scale * limits[i][1] <= limits[i][0] * rule.step);
        assert_true((limits[i][0] * rule.step - rule.scale * limits[i][1]) / 1000 <
                    limits[i][0] * rule.step / 1000 / 1000000 + 1);
    }
}

static void gcra__bears_any_amount(void **state)
{
    struct gcra gcra = {0};
    struct gcra_rule rule;

    (void)state;
    gcra_rule_make(&rule, 1, GCRA_PERIOD_MAX_MS, 1);
    gcra_take(&gcra, &rule, GCRA_NOW_MAX, UINT64_MAX);
    assert_int_equal(gcra_remaining(&gcra, &rule, GCRA_NOW_MAX), 0);
    assert_true(gcra_ask(&gcra, &rule, GCRA_NOW_MAX, 1) > GCRA_PERIOD_MAX_MS);
    gcra_refund(&gcra, &rule, GCRA_NOW_MAX, UINT64_MAX);
    assert_int_equal(gcra_ask(&gcra, &rule, GCRA_NOW_MAX, 1), 0);
}

static void gcra__goes_on_under_another_rule(void **state)
{
    struct gcra gcra = {0};
    struct gcra_rule old;
    struct gcra_rule new;

    (void)state;
    gcra_rule_make(&old, 14, 999, 14);
    gcra_rule_make(&new, 7, 1000, 7);
    gcra_take(&gcra, &new, 1000, UINT64_MAX);
    gcra_move(&gcra, &new, &old); /* 14 times its milliseconds are 10 more than 2^65 */
    assert_int_equal(gcra_remaining(&gcra, &old, 1000), 0);
    gcra = (struct gcra){0};
    gcra_rule_make(&old, 60, MINUTE, 60);
    gcra_rule_make(&new, 7, 1000, 7);
    gcra_take(&gcra, &old, 1000, 30);
    gcra_move(&gcra, &old, &new);
    assert_int_equal(gcra_reset_ms(&gcra, &new, 1000), 30000);
    assert_int_equal(gcra_reset_ms(&gcra, &new, 31000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gcra__is_a_bucket_of_tokens),
        cmocka_unit_test(gcra__waits_exactly),
        cmocka_unit_test(gcra__saves_nothing_up),
        cmocka_unit_test(huge_limits__are_never_exceeded),
        cmocka_unit_test(gcra__bears_any_amount),
        cmocka_unit_test(gcra__goes_on_under_another_rule),
    };

    return cmocka_run_group_tests_name("gcra", tests, NULL, NULL);
}
