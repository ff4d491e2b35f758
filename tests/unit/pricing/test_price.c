/* SPDX-License-Identifier: Apache-2.0 */
/* Which column holds, what it falls back on, and the bounds of estimates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "pricing/price.h"

#define NONE PRICE_ABSENT
/* input, read, w5m, w30m, w1h, w12h, audio in, image in, output, audio out */
#define RATES(input, output)                                                                       \
    {                                                                                              \
        {input, NONE, NONE, NONE, NONE, NONE, NONE, NONE, output, NONE}, NONE                      \
    }

static const struct usage_word tiers[] = {{"flex", 4}, {"priority", 8}};
static const struct usage_word regions[] = {{"us", 2}};

/* Prices say where they stand: 1 + 10 long + 100 tier + 1000 region + 10000 hours. */
static const struct price_case cases[] = {
    {0, 0, false, PRICE_ANY_PROMPT, RATES(1, 2)},
    {0, 0, false, 1000, RATES(11, 12)},
    {0, 0, false, 5000, RATES(21, 22)},
    {1, 0, false, PRICE_ANY_PROMPT, RATES(101, 102)},
    {2, 0, false, PRICE_ANY_PROMPT, RATES(201, 202)},
    {2, 0, false, 1000, RATES(211, 212)},
    {0, 1, false, PRICE_ANY_PROMPT, RATES(1001, 1002)},
    {0, 1, false, 1000, RATES(1011, 1012)},
    {2, 1, false, PRICE_ANY_PROMPT, RATES(1201, 1202)},
    {0, 0, true, PRICE_ANY_PROMPT, RATES(10001, 10002)},
};

static const struct price price = {
    .cases = cases,
    .tiers = tiers,
    .regions = regions,
    .fees = {-1},
    .hours = {.range = {{600, 660}}, .ranges = 1},
    .counts = {.tiers = 2, .regions = 1, .cases = ARRAY_LENGTH(cases)},
};

enum { NIGHT = 0, PEAK = 10 * 60 * 60 * 1000 };

static struct price_terms terms_of(const char *tier, const char *region, wall_ms at)
{
    struct price_terms terms = {.at = at};

    usage_word_set(&terms.tier, span_of(tier));
    usage_word_set(&terms.region, span_of(region));
    return terms;
}

static void the_right_column_is_chosen(void **state)
{
    static const struct {
        const char *tier;
        const char *region;
        wall_ms at;
        int64_t prompt;
        uint32_t input;
        bool is_unpriced;
    } rows[] = {
        {"", "", NIGHT, 0, 1, false},
        {"", "", NIGHT, -1, 1, false},
        {"default", "global", NIGHT, 1000, 1, false},
        {"standard", "not_available", NIGHT, 1001, 11, false},
        {"on_demand", "", NIGHT, 5000, 11, false},
        {"", "", NIGHT, 5001, 21, false},
        {"flex", "", NIGHT, 1000, 101, false},
        {"flex", "", NIGHT, 1001, 11, true}, /* flex has no long prices: the standard ones */
        {"priority", "", NIGHT, 1001, 211, false},
        {"fast", "", NIGHT, 1, 201, false},
        {"scale", "", NIGHT, 1, 1, true},
        {"", "us", NIGHT, 1, 1001, false},
        {"", "us", NIGHT, 9999, 1011, false},
        {"priority", "us", NIGHT, 1, 1201, false},
        {"flex", "us", NIGHT, 1, 101, true}, /* not sold together: the region is given up */
        {"", "moon", NIGHT, 1, 1, true},
        {"scale", "us", NIGHT, 1, 1001, true},
        {"", "", PEAK - 1, 1, 1, false},
        {"", "", PEAK, 1, 10001, false},
        {"", "", PEAK + 3600000 - 1, 1, 10001, false},
        {"", "", PEAK + 3600000, 1, 1, false},
        {"", "", PEAK - 86400000, 1, 10001, false},
        {"", "", PEAK, 2000, 11, true},
        {"flex", "", PEAK, 1, 10001, true},
        {"", "us", PEAK, 1, 10001, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct price_terms terms = terms_of(rows[i].tier, rows[i].region, rows[i].at);
        bool is_unpriced = false;
        const struct price_case *column =
            price_choose(&price, &terms, rows[i].prompt, &is_unpriced);

        if (column->rates.token[TOKENS_INPUT] != rows[i].input ||
            is_unpriced != rows[i].is_unpriced) {
            fail_msg("row %zu: %u, %d", i, column->rates.token[TOKENS_INPUT], is_unpriced);
        }
    }
}

static void weekdays_are_those_of_their_place(void **state)
{
    /* 2026-11-27 is a Friday; 16:00 UTC is Saturday in Beijing. */
    const wall_ms friday = INT64_C(1795737600000);
    const wall_ms hour = 3600000;
    const wall_ms day = 24 * hour;
    struct price_hours hours = {.range = {{0, 1440}}, .ranges = 1, .weekdays_only = true};

    (void)state;
    assert_true(price_is_at_hours(&hours, friday + 23 * hour));
    assert_false(price_is_at_hours(&hours, friday + day));
    assert_false(price_is_at_hours(&hours, friday + 3 * day - 1));
    assert_true(price_is_at_hours(&hours, friday + 3 * day));
    hours.weekdays_offset = 480;
    assert_true(price_is_at_hours(&hours, friday + 16 * hour - 1));
    assert_false(price_is_at_hours(&hours, friday + 16 * hour));
    assert_true(price_is_at_hours(&hours, friday + 2 * day + 16 * hour));
    hours.weekdays_offset = -300;
    assert_true(price_is_at_hours(&hours, friday + day + 4 * hour));
    /* Before 1970: 1969-12-27 was a Saturday. */
    hours.weekdays_offset = 0;
    assert_false(price_is_at_hours(&hours, -5 * day));
    assert_true(price_is_at_hours(&hours, -5 * day - 1));
}

static void reasoning_is_a_part_of_output(void **state)
{
    static const struct price_case one = {
        0,
        0,
        false,
        PRICE_ANY_PROMPT,
        {{1, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 10, NONE}, 100}};
    const struct price plain = {.cases = &one, .fees = {-1}, .counts = {.cases = 1}};
    const struct price_terms terms = {.at = 0};
    struct usage usage;
    struct cost cost;

    (void)state;
    usage_init(&usage);
    usage.tokens[TOKENS_OUTPUT] = 50;
    usage.reasoning = 20;
    price_cost(&plain, &usage, &terms, &cost);
    assert_int_equal(cost.pico, 30 * 10 + 20 * 100);
    usage.reasoning = 70; /* more than the whole is not believed */
    price_cost(&plain, &usage, &terms, &cost);
    assert_int_equal(cost.pico, 50 * 100);
    usage.reasoning = -1;
    price_cost(&plain, &usage, &terms, &cost);
    assert_int_equal(cost.pico, 50 * 10);
    usage.tokens[TOKENS_OUTPUT] = -1;
    usage.reasoning = 20;
    price_cost(&plain, &usage, &terms, &cost);
    assert_int_equal(cost.pico, 0);
}

static void a_model_without_output_is_flagged_when_it_speaks(void **state)
{
    static const struct price_case one = {0, 0, false, PRICE_ANY_PROMPT, RATES(7, NONE)};
    const struct price embedding = {.cases = &one, .fees = {-1}, .counts = {.cases = 1}};
    const struct price_terms terms = {.at = 0};
    struct usage usage;
    struct cost cost;

    (void)state;
    usage_init(&usage);
    usage.tokens[TOKENS_INPUT] = 3;
    usage.tokens[TOKENS_OUTPUT] = 0;
    price_cost(&embedding, &usage, &terms, &cost);
    assert_int_equal(cost.pico, 21);
    assert_false(cost.class_unpriced);
    usage.tokens[TOKENS_OUTPUT] = 2;
    price_cost(&embedding, &usage, &terms, &cost);
    assert_int_equal(cost.pico, 35);
    assert_true(cost.class_unpriced);
}

/* ---- bounds ---- */

static uint64_t chance_state = 1;
static uint64_t chance(void)
{
    chance_state = chance_state * 6364136223846793005 + 1442695040888963407;
    return chance_state >> 33;
}

static uint32_t some_price(void)
{
    return chance() % 3 == 0 ? NONE : (uint32_t)chance() % 100000;
}

static void draw_columns(struct price_case columns[ARRAY_LENGTH(cases)])
{
    memcpy(columns, cases, sizeof cases);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        for (size_t j = 0; j < TOKEN_CLASSES; j++) {
            columns[i].rates.token[j] = some_price();
        }
        columns[i].rates.reasoning = some_price();
        columns[i].rates.token[TOKENS_INPUT] = (uint32_t)chance() % 100000;
    }
}

/* Any usage within the bounds, served by the tier that was asked for or the standard one. */
static void no_usage_within_the_bounds_costs_more(void **state)
{
    static const char *const words[] = {"", "flex", "priority", "fast", "scale"};
    static const char *const places[] = {"", "us", "moon"};
    struct price_case columns[ARRAY_LENGTH(cases)];
    struct price drawn = price;

    (void)state;
    drawn.cases = columns;
    drawn.fees[FEE_WEB_SEARCH] = 1000;
    for (size_t round = 0; round < 100000; round++) {
        struct price_bounds bounds = {.may_write_cache = chance() % 2 == 0,
                                      .may_hear = chance() % 2 == 0,
                                      .may_speak = chance() % 2 == 0};
        struct price_terms terms =
            terms_of(words[chance() % 5], places[chance() % 3], chance() % 2 == 0 ? NIGHT : PEAK);
        struct usage usage;
        struct cost upper;
        struct cost cost;

        draw_columns(columns);
        usage_init(&usage);
        for (size_t i = 0; i < TOKEN_CLASSES; i++) {
            bool is_write = i >= TOKENS_CACHE_WRITE_5M && i <= TOKENS_CACHE_WRITE_12H;
            bool is_heard = i == TOKENS_AUDIO_INPUT || i == TOKENS_IMAGE_INPUT;

            if ((is_write && !bounds.may_write_cache) || (is_heard && !bounds.may_hear) ||
                (i == TOKENS_AUDIO_OUTPUT && !bounds.may_speak)) {
                continue;
            }
            usage.tokens[i] = (int64_t)(chance() % 2000);
        }
        usage.reasoning = (int64_t)(chance() % 3000);
        usage.fees[FEE_WEB_SEARCH] = (int64_t)(chance() % 5);
        bounds.input = usage_input_all(&usage) + (int64_t)(chance() % 2) * 1000;
        bounds.output = usage_output_all(&usage);
        bounds.fees[FEE_WEB_SEARCH] = 4;
        price_upper(&drawn, &bounds, &terms, &upper);
        price_cost(&drawn, &usage, &terms, &cost);
        assert_true(cost.pico <= upper.pico);
        terms.tier.len = 0; /* busy: served as standard */
        price_cost(&drawn, &usage, &terms, &cost);
        assert_true(cost.pico <= upper.pico);
    }
}

static void a_bound_is_no_wider_than_what_can_apply(void **state)
{
    struct price_bounds bounds = {.input = 1000, .output = 10, .fees = {-1}};
    struct price_terms terms = terms_of("", "", NIGHT);
    struct cost cost;

    (void)state;
    price_upper(&price, &bounds, &terms, &cost);
    assert_int_equal(cost.pico, 1000 * 1 + 10 * 2);
    bounds.input = 1001;
    price_upper(&price, &bounds, &terms, &cost);
    assert_int_equal(cost.pico, 1001 * 11 + 10 * 12);
    bounds.may_be_faster = true;
    price_upper(&price, &bounds, &terms, &cost);
    assert_int_equal(cost.pico, 1001 * 211 + 10 * 212);
    price_likely(&price, 1000, 10, &terms, &cost);
    assert_int_equal(cost.pico, 1000 * 1 + 10 * 2);
    assert_false(cost.tier_unpriced || cost.class_unpriced);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_column_is_chosen),
        cmocka_unit_test(weekdays_are_those_of_their_place),
        cmocka_unit_test(reasoning_is_a_part_of_output),
        cmocka_unit_test(a_model_without_output_is_flagged_when_it_speaks),
        cmocka_unit_test(no_usage_within_the_bounds_costs_more),
        cmocka_unit_test(a_bound_is_no_wider_than_what_can_apply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
