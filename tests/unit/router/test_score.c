/* SPDX-License-Identifier: Apache-2.0 */
/* The score by hand-computed values, against an exact mean in floating point, and what must always
 * hold of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "router/score.h"

static uint32_t permille(const struct score *score, mono_ms now)
{
    return score_permille(score, 0, 1000, now);
}

static void score__of_a_new_one_is_full_and_not_known(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    assert_false(score_is_known(&score));
    assert_int_equal(score_ttfc_ms(&score), 0);
    assert_int_equal(score_p95_ms(&score.contents), 0);
    assert_int_equal(permille(&score, 0), 1000);
    assert_int_equal(permille(&score, 1000000), 1000);
    score_ended(&score, false, 0);
    assert_true(score_is_known(&score));
}

static void score__success_is_squared_and_heals(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    score_ended(&score, false, 0);
    assert_int_equal(permille(&score, 0), 250);     /* (1/2)^2 */
    assert_int_equal(permille(&score, 30000), 443); /* (1/1.5)^2, s down to 666 */
    assert_int_equal(permille(&score, 60000), 640); /* (1/1.25)^2 */
    score_ended(&score, true, 30000);
    assert_int_equal(permille(&score, 30000), 640); /* (2/2.5)^2 */
    assert_int_equal(permille(&score, 3600000), 1000);
}

static void score__failures_alone_lead_to_the_floor(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    score_ended(&score, false, 0);
    score_ended(&score, false, 0);
    score_ended(&score, false, 0);
    assert_int_equal(permille(&score, 0), 62); /* (1/4)^2 */
    score_ended(&score, false, 0);
    assert_int_equal(permille(&score, 0), 50); /* 40, raised */
}

static void score__speed_and_headroom_multiply(void **state)
{
    static const struct {
        uint32_t best;
        uint32_t headroom;
        uint32_t permille;
    } rows[] = {{0, 1000, 1000},   {800, 1000, 1000},
                {900, 1000, 1000}, {400, 1000, 500},
                {400, 500, 250},   {0, 100, 100},
                {0, 0, 50},        {1, 1000, 50},
                {0, 5000, 1000},   {UINT32_MAX, UINT32_MAX, 1000}};
    struct score score;

    (void)state;
    score_init(&score);
    score_first_content(&score, 800, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(score_permille(&score, rows[i].best, rows[i].headroom, 0),
                         rows[i].permille);
    }
    score_init(&score); /* own time unknown */
    assert_int_equal(score_permille(&score, 1, 1000, 0), 1000);
}

static void score__time_to_first_content_has_a_half_life_of_a_minute(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    score_first_content(&score, 1000, 0);
    assert_int_equal(score_ttfc_ms(&score), 1000);
    score_first_content(&score, 400, 60000); /* (1000/2 + 400) / 1.5 */
    assert_int_equal(score_ttfc_ms(&score), 600);
    score_first_content(&score, 600, 60000);
    assert_int_equal(score_ttfc_ms(&score), 600);
    score_first_content(&score, 5000, 36000000); /* nothing is left of the old ones */
    assert_int_equal(score_ttfc_ms(&score), 5000);
    score_first_content(&score, UINT32_MAX, 36000000); /* counts as an hour */
    assert_int_equal(score_ttfc_ms(&score), 1802500);
}

static void score__no_time_is_not_unknown(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    score_first_content(&score, 0, 0);
    assert_int_equal(score_ttfc_ms(&score), 1);
}

static void score__p95_is_the_upper_edge_of_its_bucket(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    for (int i = 0; i < 19; i++) {
        score_first_content(&score, 500, 0);
        assert_int_equal(score_p95_ms(&score.contents), 0);
    }
    score_first_content(&score, 3000, 0);
    assert_int_equal(score_p95_ms(&score.contents), 512); /* 19 of 20 */
    score_first_content(&score, 3000, 0);
    assert_int_equal(score_p95_ms(&score.contents), 4096); /* 19 of 21 are not enough */
    for (int i = 0; i < 1000; i++) {
        score_first_content(&score, i % 2 == 0 ? UINT32_MAX : 0, 0);
    }
    assert_int_equal(score_p95_ms(&score.contents), 92682);
}

static void score__heads_are_measured_by_themselves(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    for (int i = 0; i < 20; i++) {
        score_first_content(&score, 500, 0);
        score_head(&score, 5000);
    }
    assert_int_equal(score_p95_ms(&score.contents), 512);
    assert_int_equal(score_p95_ms(&score.heads), 5793);
    assert_in_range(score_ttfc_ms(&score), 499, 500); /* of streams alone */
}

static void score__answers_of_late_fade(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    assert_int_equal(score_answers(&score, 5000), 0);
    for (int i = 0; i < 100; i++) {
        score_ended(&score, true, 0);
        score_ended(&score, false, 0);
    }
    assert_int_equal(score_answers(&score, 0), 100);
    assert_int_equal(score_answers(&score, 30000), 50);
    assert_int_equal(score_answers(&score, 60000), 25);
    assert_int_equal(score_answers(&score, 3600000), 0);
}

static void score__p95_forgets_what_is_long_ago(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    for (int i = 0; i < 100000; i++) {
        score_first_content(&score, 9000, 0);
    }
    assert_int_equal(score_p95_ms(&score.contents), 11585);
    for (int i = 0; i < 20000; i++) {
        score_first_content(&score, 32, 0);
    }
    assert_int_equal(score_p95_ms(&score.contents), 32);
}

static void score__a_flood_keeps_the_mean(void **state)
{
    struct score score;

    (void)state;
    score_init(&score);
    for (int i = 0; i < 2500000; i++) {
        score_ended(&score, i % 2 == 0, 0);
    }
    assert_in_range(permille(&score, 0), 249, 251);
}

/* ---- against the exact mean ---- */

/* 2^(-1/30000) and 2^(-1/60000): what a millisecond leaves. */
static const double leaves_30 = 0.99997689536;
static const double leaves_60 = 0.99998844761;

struct exact {
    double good;
    double ended;
    double ms;
    double contents;
};

static void pass(struct exact *exact, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        exact->good *= leaves_30;
        exact->ended *= leaves_30;
        exact->ms *= leaves_60;
        exact->contents *= leaves_60;
    }
}

static void compare(const struct score *score, const struct exact *exact, mono_ms now)
{
    double share = (exact->good + 1) / (exact->ended + 1);
    double least = (share - 0.013) * (share - 0.013) * 1000 - 1;
    double most = (share + 0.013) * (share + 0.013) * 1000 + 1;
    double got = permille(score, now);

    assert_true(got <= most && (share < 0.013 || got >= least));
    if (exact->contents > 0) {
        double mean = exact->ms / exact->contents;
        assert_true(score_ttfc_ms(score) <= mean * 1.025 + 1);
        assert_true(score_ttfc_ms(score) >= mean * 0.975 - 1);
    }
}

static void check_world(uint64_t number)
{
    struct exact exact = {0};
    struct score score;
    struct rng rng;
    mono_ms now = 0;
    uint64_t gap_most = 1;

    rng_init(&rng, number, 0);
    score_init(&score);
    now = rng_below(&rng, 100000);
    gap_most = 1 + rng_below(&rng, 4000);
    for (int i = 0; i < 300; i++) {
        uint64_t gap = rng_below(&rng, gap_most);
        uint32_t ms = (uint32_t)(100 + rng_below(&rng, 5000));
        bool is_success = rng_below(&rng, 3) != 0;
        now += gap;
        pass(&exact, gap);
        score_ended(&score, is_success, now);
        score_first_content(&score, ms, now);
        exact.good += is_success;
        exact.ended += 1;
        exact.ms += ms;
        exact.contents += 1;
        compare(&score, &exact, now);
    }
}

static void score__is_as_near_to_the_exact_mean_as_it_says(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 50; number++) {
        check_world(number);
    }
}

/* At whole steps nothing but rounding is in the way. */
static void score__each_second_leaves_what_it_should(void **state)
{
    struct exact exact = {.ended = 1};
    struct score score;

    (void)state;
    score_init(&score);
    score_ended(&score, false, 7000);
    for (mono_ms now = 7000; now < 300000; now += 1000) {
        double share = 1 / (exact.ended + 1);
        assert_true(permille(&score, now) >= share * share * 1000 - 3);
        assert_true(permille(&score, now) <= share * share * 1000 + 1);
        pass(&exact, 1000);
    }
}

/* ---- what always holds ---- */

static void check_monotone(struct score score, uint32_t best, uint32_t headroom, mono_ms now)
{
    uint32_t here = score_permille(&score, best, headroom, now);
    struct score better = score;
    struct score worse = score;

    assert_in_range(here, 50, 1000);
    assert_true(score_permille(&score, best + 1, headroom, now) >= here);
    assert_true(score_permille(&score, best, headroom + 1, now) >= here);
    /* Silence heals; two roundings may differ by one. */
    assert_true(score_permille(&score, best, headroom, now + 5000) + 2 >= here);
    score_ended(&better, true, now);
    score_ended(&worse, false, now);
    assert_true(score_permille(&better, best, headroom, now) + 2 >= here);
    assert_true(score_permille(&worse, best, headroom, now) <= here + 2);
}

static void score__is_bounded_and_monotone(void **state)
{
    struct score score;
    struct rng rng;
    mono_ms now = 0;

    (void)state;
    rng_init(&rng, 3, 0);
    score_init(&score);
    for (int i = 0; i < 20000; i++) {
        uint32_t best = (uint32_t)(1 + rng_below(&rng, 4000));
        uint32_t headroom = (uint32_t)rng_below(&rng, 1200);
        now += rng_below(&rng, 50) == 0 ? rng_below(&rng, UINT32_MAX) : rng_below(&rng, 3000);
        if (rng_below(&rng, 2) == 0) {
            score_ended(&score, rng_below(&rng, 4) != 0, now);
        } else {
            uint32_t ms = (uint32_t)(rng_u64(&rng) >> (32 + rng_below(&rng, 32)));
            score_first_content(&score, ms, now);
        }
        check_monotone(score, best, headroom, now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score__of_a_new_one_is_full_and_not_known),
        cmocka_unit_test(score__success_is_squared_and_heals),
        cmocka_unit_test(score__failures_alone_lead_to_the_floor),
        cmocka_unit_test(score__speed_and_headroom_multiply),
        cmocka_unit_test(score__time_to_first_content_has_a_half_life_of_a_minute),
        cmocka_unit_test(score__no_time_is_not_unknown),
        cmocka_unit_test(score__p95_is_the_upper_edge_of_its_bucket),
        cmocka_unit_test(score__heads_are_measured_by_themselves),
        cmocka_unit_test(score__answers_of_late_fade),
        cmocka_unit_test(score__p95_forgets_what_is_long_ago),
        cmocka_unit_test(score__a_flood_keeps_the_mean),
        cmocka_unit_test(score__is_as_near_to_the_exact_mean_as_it_says),
        cmocka_unit_test(score__each_second_leaves_what_it_should),
        cmocka_unit_test(score__is_bounded_and_monotone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
