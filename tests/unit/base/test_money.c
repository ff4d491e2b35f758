/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/money.h"

#define GOOD ERR_NONE

static void per_million_reads_plain_decimals(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t pico;
    } rows[] = {
        {"2.50", GOOD, 2500000},
        {"0", GOOD, 0},
        {"0.000001", GOOD, 1},
        {"1000", GOOD, 1000000000},
        {"0.0375", GOOD, 37500},
        {"0.0000010", GOOD, 1},
        {"007", GOOD, 7000000},
        {"9223372036854.775807", GOOD, INT64_MAX},
        {"9223372036854.775808", ERR_RANGE, -1},
        {"99999999999999999999", ERR_RANGE, -1},
        {"0.0000001", ERR_RANGE, -1},
        {"0.00000000000000000000000000001", ERR_RANGE, -1},
        {"", ERR_FORMAT, -1},
        {".5", ERR_FORMAT, -1},
        {"5.", ERR_FORMAT, -1},
        {"-1", ERR_FORMAT, -1},
        {"+1", ERR_FORMAT, -1},
        {"2.5e-06", ERR_FORMAT, -1},
        {"1,000", ERR_FORMAT, -1},
        {" 1", ERR_FORMAT, -1},
        {"1 ", ERR_FORMAT, -1},
        {"0x10", ERR_FORMAT, -1},
        {"$5", ERR_FORMAT, -1},
        {"1.2.3", ERR_FORMAT, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t pico = -1;

        assert_int_equal(money_read_per_million(span_of(rows[i].text), &pico), rows[i].err);
        assert_int_equal(pico, rows[i].pico);
    }
}

static void each_reads_numbers_of_json(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t pico;
    } rows[] = {
        {"2.5e-06", GOOD, 2500000},
        {"2.5E-6", GOOD, 2500000},
        {"0.0000025", GOOD, 2500000},
        {"25e-7", GOOD, 2500000},
        {"1e-12", GOOD, 1},
        {"10e-13", GOOD, 1},
        {"1e-13", ERR_RANGE, -1},
        {"1.5e-12", ERR_RANGE, -1},
        {"0e-400", GOOD, 0},
        {"0.0", GOOD, 0},
        {"-0", GOOD, 0},
        {"-1e-6", ERR_RANGE, -1},
        {"1e6", GOOD, 1000000000000000000},
        {"1e+6", GOOD, 1000000000000000000},
        {"1e7", ERR_RANGE, -1},
        {"1e99999999999999999999", ERR_RANGE, -1},
        {"1e-99999999999999999999", ERR_RANGE, -1},
        {"1e", ERR_FORMAT, -1},
        {"e5", ERR_FORMAT, -1},
        {"NaN", ERR_FORMAT, -1},
        {"Infinity", ERR_FORMAT, -1},
        {"\"1\"", ERR_FORMAT, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t pico = -1;

        assert_int_equal(money_read_each(span_of(rows[i].text), &pico), rows[i].err);
        assert_int_equal(pico, rows[i].pico);
    }
}

static void money__dollars_are_read_to_the_nanodollar(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t nano;
    } rows[] = {
        {"0.000000001", GOOD, 1},
        {"25", GOOD, 25000000000},
        {"0.10", GOOD, 100000000},
        {"9223372036.854775807", GOOD, INT64_MAX},
        {"9223372036.854775808", ERR_RANGE, -1},
        {"0.0000000001", ERR_RANGE, -1},
        {"-1", ERR_FORMAT, -1},
        {"1e3", ERR_FORMAT, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t nano = -1;

        assert_int_equal(money_read_nano(span_of(rows[i].text), &nano), rows[i].err);
        assert_int_equal(nano, rows[i].nano);
    }
}

static void expect(struct buf *out, const char *text)
{
    assert_int_equal(out->len, strlen(text));
    assert_memory_equal(out->at, text, out->len);
    buf_clear(out);
}

static void sums_are_printed_exactly(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    money_put_per_million(&out, 2500000);
    expect(&out, "2.50");
    money_put_per_million(&out, 37500);
    expect(&out, "0.0375");
    money_put_per_million(&out, 1);
    expect(&out, "0.000001");
    money_put_per_thousand(&out, 10000000000);
    expect(&out, "10.00");
    money_put_pico(&out, 0);
    expect(&out, "0");
    money_put_pico(&out, 2500000);
    expect(&out, "0.0000025");
    money_put_pico(&out, 12000000000000);
    expect(&out, "12");
    money_put_pico(&out, INT64_MAX);
    expect(&out, "9223372.036854775807");
    money_put_nano(&out, 1500000000);
    expect(&out, "1.5");
    buf_fini(&out);
}

static void what_is_printed_reads_back(void **state)
{
    struct buf out;
    uint64_t chance = 1;

    (void)state;
    buf_init(&out, 64);
    for (size_t i = 0; i < 100000; i++) {
        int64_t pico = 0;
        int64_t again = -1;

        chance = chance * 6364136223846793005 + 1442695040888963407;
        pico = (int64_t)(chance >> (1 + i % 60));
        money_put_per_million(&out, pico);
        assert_int_equal(money_read_per_million(buf_span(&out), &again), GOOD);
        assert_int_equal(again, pico);
        buf_clear(&out);
        money_put_pico(&out, pico);
        assert_int_equal(money_read_each(buf_span(&out), &again), GOOD);
        assert_int_equal(again, pico);
        buf_clear(&out);
    }
    buf_fini(&out);
}

static void rounding_is_upward_and_once(void **state)
{
    (void)state;
    assert_int_equal(money_nano_up(0), 0);
    assert_int_equal(money_nano_up(1), 1);
    assert_int_equal(money_nano_up(999), 1);
    assert_int_equal(money_nano_up(1000), 1);
    assert_int_equal(money_nano_up(1001), 2);
    assert_int_equal(money_nano_up(INT64_MAX), INT64_MAX / 1000 + 1);
}

static void sums_stop_at_their_end(void **state)
{
    int64_t total = 0;

    (void)state;
    assert_true(money_add(&total, INT64_MAX, 1));
    assert_int_equal(total, INT64_MAX);
    assert_true(money_add(&total, 0, INT64_MAX));
    assert_false(money_add(&total, 1, 1));
    assert_int_equal(total, INT64_MAX);
    total = 1;
    assert_false(money_add(&total, INT64_MAX / 2 + 1, 2));
    total = 1;
    assert_true(money_add(&total, INT64_MAX / 2, 2));
    assert_int_equal(total, INT64_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(per_million_reads_plain_decimals),
        cmocka_unit_test(money__dollars_are_read_to_the_nanodollar),
        cmocka_unit_test(each_reads_numbers_of_json),
        cmocka_unit_test(sums_are_printed_exactly),
        cmocka_unit_test(what_is_printed_reads_back),
        cmocka_unit_test(rounding_is_upward_and_once),
        cmocka_unit_test(sums_stop_at_their_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
