/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of usage: buckets, anomalies, the last one that counts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/must.h"
#include "tests/lib/usage.h"
#include "wire/meter.h"

/* Figures in the order of enum usage_figure, as they stand in a document: "" or NULL for absent. */
static void take(struct meter *meter, const char *const figures[USAGE_PLACES], bool holds_cache)
{
    char text[512];
    size_t at = 0;
    struct json_hit hits[USAGE_PLACES] = {0};

    for (size_t i = 0; i < USAGE_PLACES; i++) {
        struct span figure = span_of(figures[i]);
        if (figure.len == 0) {
            continue;
        }
        memcpy(text + at, figure.at, figure.len);
        hits[i].kind = figure.at[0] == 'n'   ? JSON_NULL
                       : figure.at[0] == '"' ? JSON_STRING
                                             : JSON_NUMBER;
        hits[i].at = at;
        hits[i].len = figure.len;
        at += figure.len;
    }
    meter_take(meter, hits, span_make(text, at), holds_cache);
}

struct row {
    const char *what;
    bool holds_cache;
    const char *told[USAGE_PLACES];
    struct brief_usage expected;
};

static const struct row rows[] = {
    {"nothing told is not zero", true, {"", "", "", "", "", ""}, {-1, -1, -1, -1, -1, false}},
    {"explicit zero is zero", true, {"0", "0", "0", "", "", "0"}, {0, 0, -1, 0, -1, false}},
    {"plain", true, {"9", "5", "", "", "", "14"}, {9, -1, -1, 5, -1, false}},
    {"cache inside", true, {"100", "5", "60", "10", "2", "105"}, {30, 60, 10, 5, 2, false}},
    {"cache outside", false, {"100", "5", "60", "10", "2", ""}, {100, 60, 10, 5, 2, false}},
    {"cache above its whole", true, {"10", "5", "60", "7", "", ""}, {0, 10, 0, 5, -1, true}},
    {"reasoning above its whole", true, {"10", "5", "", "", "6", ""}, {10, -1, -1, 5, 5, true}},
    {"reasoning left out of the output", true, {"10", "5", "", "", "20", "35"},
     {10, -1, -1, 25, 20, false}},
    {"hidden output", true, {"10", "5", "", "", "", "40"}, {10, -1, -1, 30, -1, true}},
    {"total below its parts", true, {"10", "5", "", "", "", "3"}, {10, -1, -1, 5, -1, true}},
    {"total of an embedding", true, {"10", "", "", "", "", "10"}, {10, -1, -1, -1, -1, false}},
    {"negative", true, {"-1", "5", "", "", "", ""}, {-1, -1, -1, 5, -1, true}},
    {"fraction", true, {"1.5", "5", "", "", "", ""}, {-1, -1, -1, 5, -1, true}},
    {"text", true, {"\"9\"", "5", "", "", "", ""}, {-1, -1, -1, 5, -1, true}},
    {"huge", true, {"1e400", "5", "", "", "", ""}, {-1, -1, -1, 5, -1, true}},
    {"over 2^31", true, {"2147483649", "5", "", "", "", ""}, {-1, -1, -1, 5, -1, true}},
    {"2^31", true, {"2147483648", "5", "", "", "", ""}, {2147483648, -1, -1, 5, -1, false}},
    {"2^63", true, {"9223372036854775808", "", "", "", "", ""}, {-1, -1, -1, -1, -1, true}},
    {"null is not told", true, {"9", "null", "", "", "", ""}, {9, -1, -1, -1, -1, false}},
};

static void meter__puts_each_token_in_one_bucket(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct meter meter;
        struct usage usage;

        print_message("%s\n", rows[i].what);
        meter_init(&meter);
        take(&meter, rows[i].told, rows[i].holds_cache);
        meter_usage(&meter, rows[i].holds_cache, &usage);
        assert_usage(&usage, &rows[i].expected);
    }
}

static void meter__lets_the_last_value_win_and_null_leave_it(void **state)
{
    static const char *const first[USAGE_PLACES] = {"9", "1", "4", "", "", ""};
    static const char *const second[USAGE_PLACES] = {"null", "5", "", "", "", ""};
    static const struct brief_usage expected = {9, 4, -1, 5, -1, false};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, first, false);
    take(&meter, second, false);
    meter_usage(&meter, false, &usage);
    assert_usage(&usage, &expected);
    assert_int_equal(usage_input_all(&usage), 13);
}

static void meter__flags_a_figure_that_shrinks_but_takes_it(void **state)
{
    static const char *const first[USAGE_PLACES] = {"9", "8", "", "", "", ""};
    static const char *const second[USAGE_PLACES] = {"9", "5", "", "", "", ""};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, first, true);
    take(&meter, second, true);
    meter_usage(&meter, true, &usage);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 5);
    assert_true(usage.is_anomalous);
}

/* The whole prompt first, the part of the cache later: no token vanished. */
static void meter__takes_a_later_cache_split_for_sane(void **state)
{
    static const char *const first[USAGE_PLACES] = {"100", "1", "", "", "", ""};
    static const char *const second[USAGE_PLACES] = {"20", "5", "80", "", "", ""};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, first, false);
    take(&meter, second, false);
    meter_usage(&meter, false, &usage);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 20);
    assert_int_equal(usage.tokens[TOKENS_CACHE_READ], 80);
    assert_false(usage.is_anomalous);
}

static void meter__keeps_the_old_figure_when_a_bad_one_follows(void **state)
{
    static const char *const first[USAGE_PLACES] = {"9", "5", "", "", "", ""};
    static const char *const second[USAGE_PLACES] = {"-9", "\"x\"", "", "", "", ""};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, first, true);
    take(&meter, second, true);
    meter_usage(&meter, true, &usage);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 5);
    assert_true(usage.is_anomalous);
}

/* Figures by their place, and what becomes of them. */
struct told {
    enum usage_figure figure;
    const char *text;
};
struct class_row {
    const char *what;
    bool holds_cache;
    struct told told[8];
    struct {
        enum token_class class;
        int64_t tokens;
    } expected[6];
    size_t expected_count;
    bool is_anomalous;
};

static const struct class_row class_rows[] = {
    {"what OpenAI's cache is written for", true,
     {{USAGE_INPUT, "100"}, {USAGE_CACHE_WRITE, "60"}, {USAGE_CACHE_WRITE_SHORT, "20"},
      {USAGE_CACHE_WRITE_LONG, "40"}},
     {{TOKENS_INPUT, 40}, {TOKENS_CACHE_WRITE_30M, 20}, {TOKENS_CACHE_WRITE_12H, 40}}, 3, false},
    {"what Anthropic's cache is written for", false,
     {{USAGE_INPUT, "100"}, {USAGE_CACHE_WRITE, "60"}, {USAGE_CACHE_WRITE_SHORT, "20"},
      {USAGE_CACHE_WRITE_LONG, "40"}},
     {{TOKENS_INPUT, 100}, {TOKENS_CACHE_WRITE_5M, 20}, {TOKENS_CACHE_WRITE_1H, 40}}, 3, false},
    {"a split without its sum", false,
     {{USAGE_CACHE_WRITE_SHORT, "20"}, {USAGE_CACHE_WRITE_LONG, "40"}},
     {{TOKENS_CACHE_WRITE_5M, 20}, {TOKENS_CACHE_WRITE_1H, 40}}, 2, false},
    {"a split that is not its sum", false,
     {{USAGE_CACHE_WRITE, "70"}, {USAGE_CACHE_WRITE_SHORT, "20"}, {USAGE_CACHE_WRITE_LONG, "40"}},
     {{TOKENS_CACHE_WRITE_5M, 30}, {TOKENS_CACHE_WRITE_1H, 40}}, 2, true},
    {"a part of the split above its whole", false,
     {{USAGE_CACHE_WRITE, "30"}, {USAGE_CACHE_WRITE_LONG, "40"}},
     {{TOKENS_CACHE_WRITE_5M, 0}, {TOKENS_CACHE_WRITE_1H, 30}}, 2, true},
    {"sound and pictures", true,
     {{USAGE_INPUT, "100"}, {USAGE_CACHE_READ, "10"}, {USAGE_AUDIO_INPUT, "20"},
      {USAGE_IMAGE_INPUT, "30"}, {USAGE_OUTPUT, "9"}, {USAGE_AUDIO_OUTPUT, "5"}},
     {{TOKENS_INPUT, 40}, {TOKENS_CACHE_READ, 10}, {TOKENS_AUDIO_INPUT, 20},
      {TOKENS_IMAGE_INPUT, 30}, {TOKENS_OUTPUT, 4}, {TOKENS_AUDIO_OUTPUT, 5}}, 6, false},
    {"more sound than input", true, {{USAGE_INPUT, "10"}, {USAGE_AUDIO_INPUT, "20"}},
     {{TOKENS_INPUT, 0}, {TOKENS_AUDIO_INPUT, 10}}, 2, true},
    {"more sound than output", true, {{USAGE_OUTPUT, "10"}, {USAGE_AUDIO_OUTPUT, "20"}},
     {{TOKENS_OUTPUT, 0}, {TOKENS_AUDIO_OUTPUT, 10}}, 2, true},
    {"billed beside", false,
     {{USAGE_INPUT, "10"}, {USAGE_OUTPUT, "2"}, {USAGE_MORE_INPUT, "5"}, {USAGE_MORE_OUTPUT, "3"},
      {USAGE_MORE_CACHE_READ, "7"}, {USAGE_MORE_CACHE_WRITE, "9"},
      {USAGE_MORE_CACHE_WRITE_LONG, "4"}},
     {{TOKENS_INPUT, 15}, {TOKENS_OUTPUT, 5}, {TOKENS_CACHE_READ, 7}, {TOKENS_CACHE_WRITE_5M, 5},
      {TOKENS_CACHE_WRITE_1H, 4}}, 5, false},
    {"a total that holds what is billed beside", true,
     {{USAGE_INPUT, "10"}, {USAGE_OUTPUT, "2"}, {USAGE_MORE_OUTPUT, "3"}, {USAGE_TOTAL, "15"}},
     {{TOKENS_INPUT, 10}, {TOKENS_OUTPUT, 5}}, 2, false},
    {"a total that does not", true,
     {{USAGE_INPUT, "10"}, {USAGE_OUTPUT, "2"}, {USAGE_MORE_OUTPUT, "3"}, {USAGE_TOTAL, "12"}},
     {{TOKENS_INPUT, 10}, {TOKENS_OUTPUT, 5}}, 2, false},
    {"the total tells the output", true, {{USAGE_INPUT, "10"}, {USAGE_TOTAL, "15"}},
     {{TOKENS_INPUT, 10}, {TOKENS_OUTPUT, 5}}, 2, true},
    {"the total tells the input", true, {{USAGE_OUTPUT, "5"}, {USAGE_TOTAL, "15"}},
     {{TOKENS_INPUT, 10}, {TOKENS_OUTPUT, 5}}, 2, true},
    {"a total alone tells no side", true, {{USAGE_TOTAL, "15"}}, {{TOKENS_INPUT, -1}}, 1, true},
};

static void meter__knows_every_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(class_rows); i++) {
        const struct class_row *row = &class_rows[i];
        const char *told[USAGE_PLACES] = {NULL};
        struct meter meter;
        struct usage usage;

        print_message("%s\n", row->what);
        for (size_t k = 0; k < ARRAY_LENGTH(row->told) && row->told[k].text != NULL; k++) {
            told[row->told[k].figure] = row->told[k].text;
        }
        meter_init(&meter);
        take(&meter, told, row->holds_cache);
        meter_usage(&meter, row->holds_cache, &usage);
        for (size_t k = 0; k < row->expected_count; k++) {
            assert_int_equal(usage.tokens[row->expected[k].class], row->expected[k].tokens);
        }
        assert_int_equal(usage.is_anomalous, row->is_anomalous);
    }
}

/* The split comes in a stream's first event alone. */
static void meter__keeps_the_split_while_its_sum_grows(void **state)
{
    static const int64_t sums[] = {100, 130, 30};
    static const int64_t shorts[] = {60, 90, 0};
    static const int64_t longs[] = {40, 40, 30};
    static const char *const texts[] = {"100", "130", "30"};
    const char *told[USAGE_PLACES] = {[USAGE_CACHE_WRITE] = "100",
                                      [USAGE_CACHE_WRITE_SHORT] = "60",
                                      [USAGE_CACHE_WRITE_LONG] = "40"};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, told, false);
    told[USAGE_CACHE_WRITE_SHORT] = told[USAGE_CACHE_WRITE_LONG] = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(sums); i++) {
        told[USAGE_CACHE_WRITE] = texts[i];
        take(&meter, told, false);
        meter_usage(&meter, false, &usage);
        assert_int_equal(usage_cache_write(&usage), sums[i]);
        assert_int_equal(usage.tokens[TOKENS_CACHE_WRITE_5M], shorts[i]);
        assert_int_equal(usage.tokens[TOKENS_CACHE_WRITE_1H], longs[i]);
        assert_int_equal(usage.is_anomalous, i == 2);
    }
}

/* A cache that is found later does not make OpenAI's input shrink; a total does. */
static void meter__flags_what_shrinks_and_nothing_else(void **state)
{
    const char *told[USAGE_PLACES] = {[USAGE_INPUT] = "100", [USAGE_CACHE_READ] = "60"};
    struct meter meter;

    (void)state;
    meter_init(&meter);
    take(&meter, told, true);
    told[USAGE_CACHE_READ] = "0";
    told[USAGE_TOTAL] = "120";
    take(&meter, told, true);
    assert_false(meter.is_anomalous);
    told[USAGE_TOTAL] = "110";
    take(&meter, told, true);
    assert_true(meter.is_anomalous);
}

static void meter__adds_no_further_than_a_figure_can_be(void **state)
{
    struct meter meter;

    (void)state;
    meter_init(&meter);
    meter_add(&meter, USAGE_MORE_OUTPUT, INT64_C(1) << 31);
    assert_int_equal(meter.told[USAGE_MORE_OUTPUT], INT64_C(1) << 31);
    assert_false(meter.is_anomalous);
    meter_add(&meter, USAGE_MORE_OUTPUT, 1);
    assert_int_equal(meter.told[USAGE_MORE_OUTPUT], INT64_C(1) << 31);
    assert_true(meter.is_anomalous);
}

static void usage__keeps_words_and_costs_that_fit(void **state)
{
    struct usage usage;

    (void)state;
    usage_init(&usage);
    usage_word_set(&usage.tier, SPAN_OF("flex"));
    usage_word_set(&usage.tier, SPAN_OF("Flex"));
    usage_word_set(&usage.tier, SPAN_OF(""));
    assert_true(span_equal(usage_word_span(&usage.tier), SPAN_OF("flex")));
    usage_word_set(&usage.region, SPAN_OF("northamerica-northeast1"));
    assert_true(span_equal(usage_word_span(&usage.region), SPAN_OF("northamerica-northeast1")));
    /* Too long to be any that has a price: told all the same, so far as there is room. */
    usage_word_set(&usage.tier, SPAN_OF("a-word-of-more-letters-than-any-tier-has"));
    assert_true(
        span_equal(usage_word_span(&usage.tier), SPAN_OF("a-word-of-more-letters-than-any")));
    assert_int_equal(usage_cost_span(&usage.cost).len, 0);
    assert_true(usage_cost_set(&usage.cost, SPAN_OF("0.00012345678901234567"), false));
    assert_false(usage_cost_set(&usage.cost, SPAN_OF("-1"), true));
    assert_false(usage_cost_set(&usage.cost, SPAN_OF("0.0001234567890123456789012"), true));
    assert_true(span_equal(usage_cost_span(&usage.cost), SPAN_OF("0.00012345678901234567")));
    assert_false(usage.cost.is_ticks);
}

static void usage__knows_no_input_when_none_was_told(void **state)
{
    struct usage usage;

    (void)state;
    usage_init(&usage);
    assert_int_equal(usage_input_all(&usage), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter__puts_each_token_in_one_bucket),
        cmocka_unit_test(meter__lets_the_last_value_win_and_null_leave_it),
        cmocka_unit_test(meter__flags_a_figure_that_shrinks_but_takes_it),
        cmocka_unit_test(meter__takes_a_later_cache_split_for_sane),
        cmocka_unit_test(meter__keeps_the_old_figure_when_a_bad_one_follows),
        cmocka_unit_test(meter__knows_every_class),
        cmocka_unit_test(meter__keeps_the_split_while_its_sum_grows),
        cmocka_unit_test(meter__flags_what_shrinks_and_nothing_else),
        cmocka_unit_test(meter__adds_no_further_than_a_figure_can_be),
        cmocka_unit_test(usage__keeps_words_and_costs_that_fit),
        cmocka_unit_test(usage__knows_no_input_when_none_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
