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

/* Figures in the order of enum usage_figure, as they stand in a document: "" for absent. */
static void take(struct meter *meter, const char *const figures[USAGE_FIGURES])
{
    char text[512];
    size_t at = 0;
    struct json_hit hits[USAGE_FIGURES] = {0};

    for (size_t i = 0; i < USAGE_FIGURES; i++) {
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
    meter_take(meter, hits, span_make(text, at));
}

struct row {
    const char *what;
    bool holds_cache;
    const char *told[USAGE_FIGURES];
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
        take(&meter, rows[i].told);
        meter_usage(&meter, rows[i].holds_cache, &usage);
        assert_usage(&usage, &rows[i].expected);
    }
}

static void meter__lets_the_last_value_win_and_null_leave_it(void **state)
{
    static const char *const first[USAGE_FIGURES] = {"9", "1", "4", "", "", ""};
    static const char *const second[USAGE_FIGURES] = {"null", "5", "", "", "", ""};
    static const struct brief_usage expected = {9, 4, -1, 5, -1, false};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, first);
    take(&meter, second);
    meter_usage(&meter, false, &usage);
    assert_usage(&usage, &expected);
    assert_int_equal(usage_input_all(&usage), 13);
}

static void meter__flags_a_figure_that_shrinks_but_takes_it(void **state)
{
    static const char *const first[USAGE_FIGURES] = {"9", "8", "", "", "", ""};
    static const char *const second[USAGE_FIGURES] = {"9", "5", "", "", "", ""};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, first);
    take(&meter, second);
    meter_usage(&meter, true, &usage);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 5);
    assert_true(usage.is_anomalous);
}

/* The whole prompt first, the part of the cache later: no token vanished. */
static void meter__takes_a_later_cache_split_for_sane(void **state)
{
    static const char *const first[USAGE_FIGURES] = {"100", "1", "", "", "", ""};
    static const char *const second[USAGE_FIGURES] = {"20", "5", "80", "", "", ""};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, first);
    take(&meter, second);
    meter_usage(&meter, false, &usage);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 20);
    assert_int_equal(usage.tokens[TOKENS_CACHE_READ], 80);
    assert_false(usage.is_anomalous);
}

static void meter__keeps_the_old_figure_when_a_bad_one_follows(void **state)
{
    static const char *const first[USAGE_FIGURES] = {"9", "5", "", "", "", ""};
    static const char *const second[USAGE_FIGURES] = {"-9", "\"x\"", "", "", "", ""};
    struct meter meter;
    struct usage usage;

    (void)state;
    meter_init(&meter);
    take(&meter, first);
    take(&meter, second);
    meter_usage(&meter, true, &usage);
    assert_int_equal(usage.tokens[TOKENS_INPUT], 9);
    assert_int_equal(usage.tokens[TOKENS_OUTPUT], 5);
    assert_true(usage.is_anomalous);
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
        cmocka_unit_test(usage__knows_no_input_when_none_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
