/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, durations, sizes and dates as text, both ways. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/rng.h"
#include "base/text.h"

enum { TEXT_MAX = 256, NUMBER_UNTOUCHED = 77 };

typedef enum err read_fn(struct span text, uint64_t *number);

struct number_row {
    struct span text;
    enum err err;
    uint64_t number;
};

static void check_numbers(read_fn *read, const struct number_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t number = NUMBER_UNTOUCHED;
        enum err err = read(rows[i].text, &number);
        uint64_t wanted = rows[i].err == ERR_NONE ? rows[i].number : NUMBER_UNTOUCHED;

        if (err != rows[i].err || number != wanted) {
            fail_msg("%.*s: %s, %llu", SPAN_ARGS(rows[i].text), err_text(err),
                     (unsigned long long)number);
        }
    }
}

static void text__reads_plain_digits(void **state)
{
    static const struct number_row rows[] = {
        {SPAN("0"), ERR_NONE, 0},
        {SPAN("42"), ERR_NONE, 42},
        {SPAN("007"), ERR_NONE, 7},
        {SPAN("18446744073709551615"), ERR_NONE, UINT64_MAX},
        {SPAN("18446744073709551616"), ERR_RANGE, 0},
        {SPAN("18446744073709551625"), ERR_RANGE, 0},
        {SPAN("99999999999999999999"), ERR_RANGE, 0},
        {SPAN("100000000000000000000000000"), ERR_RANGE, 0},
        {SPAN("99999999999999999999x"), ERR_FORMAT, 0},
        {SPAN(""), ERR_FORMAT, 0},
        {SPAN("+1"), ERR_FORMAT, 0},
        {SPAN("-1"), ERR_FORMAT, 0},
        {SPAN(" 1"), ERR_FORMAT, 0},
        {SPAN("1 "), ERR_FORMAT, 0},
        {SPAN("1.0"), ERR_FORMAT, 0},
        {SPAN("1e3"), ERR_FORMAT, 0},
        {SPAN("0x1"), ERR_FORMAT, 0},
        {SPAN("1\0"), ERR_FORMAT, 0},
        {SPAN("\xd9\xa3"), ERR_FORMAT, 0},
    };

    (void)state;
    check_numbers(text_read_u64, rows, ARRAY_LENGTH(rows));
}

static void text__reads_durations_with_a_unit(void **state)
{
    static const struct number_row rows[] = {
        {SPAN("250ms"), ERR_NONE, 250},
        {SPAN("10s"), ERR_NONE, 10000},
        {SPAN("5m"), ERR_NONE, 300000},
        {SPAN("2h"), ERR_NONE, 7200000},
        {SPAN("7d"), ERR_NONE, 604800000},
        {SPAN("0s"), ERR_NONE, 0},
        {SPAN("18446744073709551615ms"), ERR_NONE, UINT64_MAX},
        {SPAN("18446744073709551615s"), ERR_RANGE, 0},
        {SPAN("18446744073709552s"), ERR_RANGE, 0},
        {SPAN("99999999999999999999ms"), ERR_RANGE, 0},
        {SPAN("10"), ERR_FORMAT, 0},
        {SPAN("s"), ERR_FORMAT, 0},
        {SPAN(""), ERR_FORMAT, 0},
        {SPAN("1.5s"), ERR_FORMAT, 0},
        {SPAN("1m30s"), ERR_FORMAT, 0},
        {SPAN("10 s"), ERR_FORMAT, 0},
        {SPAN("10S"), ERR_FORMAT, 0},
        {SPAN("10sec"), ERR_FORMAT, 0},
        {SPAN("-1s"), ERR_FORMAT, 0},
        {SPAN("10B"), ERR_FORMAT, 0},
    };

    (void)state;
    check_numbers(text_read_duration, rows, ARRAY_LENGTH(rows));
}

static void text__reads_sizes_with_a_unit(void **state)
{
    static const struct number_row rows[] = {
        {SPAN("512B"), ERR_NONE, 512},
        {SPAN("64KiB"), ERR_NONE, 65536},
        {SPAN("32MiB"), ERR_NONE, 33554432},
        {SPAN("4GiB"), ERR_NONE, UINT64_C(4294967296)},
        {SPAN("17179869183GiB"), ERR_NONE, UINT64_C(17179869183) << 30},
        {SPAN("17179869184GiB"), ERR_RANGE, 0},
        {SPAN("64"), ERR_FORMAT, 0},
        {SPAN("64KB"), ERR_FORMAT, 0},
        {SPAN("64kib"), ERR_FORMAT, 0},
        {SPAN("64K"), ERR_FORMAT, 0},
        {SPAN("64 KiB"), ERR_FORMAT, 0},
        {SPAN("1.5MiB"), ERR_FORMAT, 0},
        {SPAN("64ms"), ERR_FORMAT, 0},
    };

    (void)state;
    check_numbers(text_read_size, rows, ARRAY_LENGTH(rows));
}

static enum err read_percent(struct span text, uint64_t *number)
{
    unsigned percent = (unsigned)*number;
    enum err err = text_read_percent(text, &percent);

    *number = percent;
    return err;
}

static void text__reads_whole_percents(void **state)
{
    static const struct number_row rows[] = {
        {SPAN("0%"), ERR_NONE, 0},           {SPAN("50%"), ERR_NONE, 50},
        {SPAN("100%"), ERR_NONE, 100},       {SPAN("101%"), ERR_RANGE, 0},
        {SPAN("4294967297%"), ERR_RANGE, 0}, {SPAN("50"), ERR_FORMAT, 0},
        {SPAN("%"), ERR_FORMAT, 0},          {SPAN(""), ERR_FORMAT, 0},
        {SPAN("50%%"), ERR_FORMAT, 0},       {SPAN("0.5%"), ERR_FORMAT, 0},
        {SPAN("-1%"), ERR_FORMAT, 0},
    };

    (void)state;
    check_numbers(read_percent, rows, ARRAY_LENGTH(rows));
}

typedef void put_fn(struct buf *buf, uint64_t number);

static void check_put(put_fn *put, uint64_t number, const char *expected)
{
    struct buf buf;

    buf_init(&buf, TEXT_MAX);
    put(&buf, number);
    buf_put_char(&buf, '\0');
    assert_string_equal(buf.at, expected);
    buf_fini(&buf);
}

static void text__prints_the_shortest_exact_duration(void **state)
{
    (void)state;
    check_put(text_put_duration, 0, "0s");
    check_put(text_put_duration, 250, "250ms");
    check_put(text_put_duration, 1500, "1500ms");
    check_put(text_put_duration, 90000, "90s");
    check_put(text_put_duration, 600000, "10m");
    check_put(text_put_duration, 3600000, "1h");
    check_put(text_put_duration, 604800000, "7d");
    check_put(text_put_duration, UINT64_MAX, "18446744073709551615ms");
}

static void text__prints_the_shortest_exact_size(void **state)
{
    (void)state;
    check_put(text_put_size, 0, "0B");
    check_put(text_put_size, 1023, "1023B");
    check_put(text_put_size, 65536, "64KiB");
    check_put(text_put_size, 33554432, "32MiB");
    check_put(text_put_size, UINT64_C(4) << 30, "4GiB");
    check_put(text_put_size, UINT64_C(5) << 40, "5120GiB");
}

static void text__reads_back_what_it_prints(void **state)
{
    struct rng rng;
    struct buf buf;

    (void)state;
    rng_init(&rng, 1, 2);
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t number = rng_u64(&rng) >> rng_below(&rng, 64) << rng_below(&rng, 30);
        uint64_t again = ~number;

        buf_init(&buf, TEXT_MAX);
        text_put_duration(&buf, number);
        assert_int_equal(text_read_duration(buf_span(&buf), &again), ERR_NONE);
        assert_true(again == number);
        buf_clear(&buf);
        text_put_size(&buf, number);
        assert_int_equal(text_read_size(buf_span(&buf), &again), ERR_NONE);
        assert_true(again == number);
        buf_fini(&buf);
    }
}

static void check_rfc3339(wall_ms at, const char *expected)
{
    struct buf buf;

    buf_init(&buf, TEXT_MAX);
    text_put_rfc3339(&buf, at);
    buf_put_char(&buf, '\0');
    assert_string_equal(buf.at, expected);
    buf_fini(&buf);
}

static void text__prints_dates_in_utc(void **state)
{
    (void)state;
    check_rfc3339(0, "1970-01-01T00:00:00.000Z");
    check_rfc3339(-1, "1969-12-31T23:59:59.999Z");
    check_rfc3339(INT64_C(1795187045123), "2026-11-20T15:04:05.123Z");
    check_rfc3339(INT64_C(951782400000), "2000-02-29T00:00:00.000Z");
    check_rfc3339(INT64_C(951868799999), "2000-02-29T23:59:59.999Z");
    check_rfc3339(INT64_C(951868800000), "2000-03-01T00:00:00.000Z");
    check_rfc3339(INT64_C(4107542400000), "2100-03-01T00:00:00.000Z");
    check_rfc3339(INT64_C(4107542399999), "2100-02-28T23:59:59.999Z");
    check_rfc3339(INT64_C(1735689599999), "2024-12-31T23:59:59.999Z");
    check_rfc3339(INT64_C(253402300799999), "9999-12-31T23:59:59.999Z");
    check_rfc3339(INT64_MAX, "9999-12-31T23:59:59.999Z");
    check_rfc3339(INT64_MIN, "0000-01-01T00:00:00.000Z");
}

/* Day after day through four centuries, against the simplest calendar there is. */
static void text__counts_every_day_of_four_centuries(void **state)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = 0;

    (void)state;
    for (unsigned year = 1970; year < 2370; year++) {
        for (unsigned month = 0; month < 12; month++) {
            unsigned leap = month == 1 && year % 4 == 0 && (year % 100 != 0 || year == 2000);

            for (unsigned date = 1; date <= lengths[month] + leap; date++, day++) {
                struct buf expected;

                buf_init(&expected, TEXT_MAX);
                buf_put_format(&expected, "%04u-%02u-%02uT00:00:00.000Z", year, month + 1, date);
                buf_put_char(&expected, '\0');
                check_rfc3339(day * 86400000, expected.at);
                buf_fini(&expected);
            }
        }
    }
    assert_int_equal(day, 146097);
}

struct date_row {
    struct span text;
    enum err err;
    wall_ms at;
};

#define AT_1994 INT64_C(784111777000)  /* 1994-11-06T08:49:37Z */
#define NOW     INT64_C(1795187045123) /* 2026-11-20 */

static void text__reads_the_three_dates_of_http(void **state)
{
    static const struct date_row rows[] = {
        {SPAN("Sun, 06 Nov 1994 08:49:37 GMT"), ERR_NONE, AT_1994},
        {SPAN("Sunday, 06-Nov-94 08:49:37 GMT"), ERR_NONE, AT_1994},
        {SPAN("Sun Nov  6 08:49:37 1994"), ERR_NONE, AT_1994},
        {SPAN("Sun Nov 16 08:49:37 1994"), ERR_NONE, AT_1994 + 864000000},
        {SPAN("Thu, 01 Jan 1970 00:00:00 GMT"), ERR_NONE, 0},
        {SPAN("Wed, 31 Dec 1969 23:59:59 GMT"), ERR_NONE, -1000},
        {SPAN("Tue, 29 Feb 2000 00:00:00 GMT"), ERR_NONE, INT64_C(951782400000)},
        {SPAN("Fri, 20 Nov 2026 15:04:05 GMT"), ERR_NONE, INT64_C(1795187045000)},
        {SPAN("Sat, 31 Dec 2016 23:59:60 GMT"), ERR_NONE, INT64_C(1483228800000)},
        {SPAN("Friday, 20-Nov-76 00:00:00 GMT"), ERR_NONE, INT64_C(3373056000000)},
        {SPAN("Friday, 20-Nov-77 00:00:00 GMT"), ERR_NONE, INT64_C(248832000000)},
        {SPAN("Sun, 6 Nov 1994 08:49:37 GMT"), ERR_FORMAT, 0},
        {SPAN("Sun, 06 nov 1994 08:49:37 GMT"), ERR_FORMAT, 0},
        {SPAN("Son, 06 Nov 1994 08:49:37 GMT"), ERR_FORMAT, 0},
        {SPAN("Sun, 06 Nov 1994 08:49:37 UTC"), ERR_FORMAT, 0},
        {SPAN("Sun, 06 Nov 1994 08:49:37 GMT "), ERR_FORMAT, 0},
        {SPAN("Sun, 06 Nov 1994 08:49:37"), ERR_FORMAT, 0},
        {SPAN("Sun, 06 Nov 1994 8:49:37 GMT"), ERR_FORMAT, 0},
        {SPAN("Sun, 06-Nov-94 08:49:37 GMT"), ERR_FORMAT, 0},
        {SPAN("Sun Nov 6 08:49:37 1994"), ERR_FORMAT, 0},
        {SPAN("1994-11-06T08:49:37Z"), ERR_FORMAT, 0},
        {SPAN("120"), ERR_FORMAT, 0},
        {SPAN(""), ERR_FORMAT, 0},
        {SPAN("Sun, 00 Nov 1994 08:49:37 GMT"), ERR_RANGE, 0},
        {SPAN("Sun, 31 Nov 1994 08:49:37 GMT"), ERR_RANGE, 0},
        {SPAN("Sun, 29 Feb 2100 08:49:37 GMT"), ERR_RANGE, 0},
        {SPAN("Sun, 06 Nov 1994 24:00:00 GMT"), ERR_RANGE, 0},
        {SPAN("Sun, 06 Nov 1994 08:60:00 GMT"), ERR_RANGE, 0},
        {SPAN("Sun, 06 Nov 1994 08:00:61 GMT"), ERR_RANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        wall_ms at = NUMBER_UNTOUCHED;
        enum err err = text_read_http_date(rows[i].text, NOW, &at);

        if (err != rows[i].err || at != (err == ERR_NONE ? rows[i].at : NUMBER_UNTOUCHED)) {
            fail_msg("%.*s: %s, %lld", SPAN_ARGS(rows[i].text), err_text(err), (long long)at);
        }
    }
}

/* The same rule when today is late in its century: here 2090-11-20. */
static void text__puts_short_years_into_the_right_century(void **state)
{
    const wall_ms now = INT64_C(3814819200000);
    wall_ms at = 0;

    (void)state;
    assert_int_equal(text_read_http_date(SPAN_OF("Friday, 20-Nov-40 00:00:00 GMT"), now, &at),
                     ERR_NONE);
    assert_true(at == INT64_C(5392656000000)); /* 2140 */
    assert_int_equal(text_read_http_date(SPAN_OF("Friday, 20-Nov-41 00:00:00 GMT"), now, &at),
                     ERR_NONE);
    assert_true(at == INT64_C(2268518400000)); /* 2041 */
}

static void text__keeps_only_printable_ascii(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, TEXT_MAX);
    text_put_printable(&buf, SPAN_OF("a\nb\x1b[c \xc3\xa9~\x7f\0d"), 6);
    assert_true(span_equal(buf_span(&buf), SPAN_OF("ab[c ~")));
    buf_clear(&buf);
    text_put_printable(&buf, SPAN_OF("abc"), 0);
    assert_int_equal(buf.len, 0);
    buf_fini(&buf);
}

static void text__reads_hexadecimal_digits(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *digits = "0123456789abcdef";
        const char *at = c == 0 ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);
        assert_int_equal(text_hex_digit((char)c), at == NULL ? -1 : (int)(at - digits));
    }
}

static void text__reads_the_dates_that_it_prints(void **state)
{
    static const wall_ms times[] = {0, 1, 951782399999, 1795000000123, 4107542399999};
    static const char *const wrong[] = {"2026-11-20T15:04:05Z", "2026-11-20 15:04:05.123Z",
                                        "2026-11-20T15:04:05.123", "2026-11-20T15:04:05.12Z",
                                        "2026-11-20T15:04:05.1234Z", "", "x"};
    static const char *const impossible[] = {"2026-02-29T15:04:05.123Z", "2026-13-01T00:00:00.000Z",
                                             "2026-01-01T24:00:00.000Z", "2026-00-01T00:00:00.000Z"};
    struct buf out;
    wall_ms at = 0;

    (void)state;
    buf_init(&out, 64);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        buf_clear(&out);
        text_put_rfc3339(&out, times[i]);
        assert_int_equal(text_read_rfc3339(buf_span(&out), &at), ERR_NONE);
        assert_int_equal(at, times[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(text_read_rfc3339(span_of(wrong[i]), &at), ERR_FORMAT);
    }
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        assert_int_equal(text_read_rfc3339(span_of(impossible[i]), &at), ERR_RANGE);
    }
    buf_fini(&out);
}

static void text__days_are_read_and_printed(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        wall_ms at;
    } rows[] = {
        {"1970-01-01", ERR_NONE, 0},
        {"2026-11-29", ERR_NONE, INT64_C(1795910400000)},
        {"2024-02-29", ERR_NONE, INT64_C(1709164800000)},
        {"1969-12-31", ERR_NONE, -86400000},
        {"2026-02-29", ERR_RANGE, 7},
        {"2026-13-01", ERR_RANGE, 7},
        {"2026-00-10", ERR_RANGE, 7},
        {"2026-01-00", ERR_RANGE, 7},
        {"2026-1-01", ERR_FORMAT, 7},
        {"2026-01-01T00:00:00Z", ERR_FORMAT, 7},
        {"26-01-01", ERR_FORMAT, 7},
        {"", ERR_FORMAT, 7},
    };
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        wall_ms at = 7;

        assert_int_equal(text_read_day(span_of(rows[i].text), &at), rows[i].err);
        assert_int_equal(at, rows[i].at);
        if (rows[i].err == ERR_NONE) {
            text_put_day(&out, at + 86399999);
            assert_true(span_equal(buf_span(&out), span_of(rows[i].text)));
            buf_clear(&out);
        }
    }
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__reads_the_dates_that_it_prints),
        cmocka_unit_test(text__days_are_read_and_printed),
        cmocka_unit_test(text__reads_hexadecimal_digits),
        cmocka_unit_test(text__reads_plain_digits),
        cmocka_unit_test(text__reads_durations_with_a_unit),
        cmocka_unit_test(text__reads_sizes_with_a_unit),
        cmocka_unit_test(text__reads_whole_percents),
        cmocka_unit_test(text__prints_the_shortest_exact_duration),
        cmocka_unit_test(text__prints_the_shortest_exact_size),
        cmocka_unit_test(text__reads_back_what_it_prints),
        cmocka_unit_test(text__prints_dates_in_utc),
        cmocka_unit_test(text__counts_every_day_of_four_centuries),
        cmocka_unit_test(text__reads_the_three_dates_of_http),
        cmocka_unit_test(text__puts_short_years_into_the_right_century),
        cmocka_unit_test(text__keeps_only_printable_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
