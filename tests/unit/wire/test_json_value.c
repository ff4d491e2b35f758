/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/must.h"
#include "wire/json_value.h"

static void value__decodes_strings(void **state)
{
    static const struct {
        struct span raw;
        struct span text;
        bool is_plain;
    } rows[] = {
        {SPAN("\"\""), SPAN(""), true},
        {SPAN("\"abc\""), SPAN("abc"), true},
        {SPAN("\"\xc3\xa9/\""), SPAN("\xc3\xa9/"), true},
        {SPAN("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), SPAN("\"\\/\b\f\n\r\t"), false},
        {SPAN("\"a\\u0000b\""), SPAN("a\0b"), false},
        {SPAN("\"\\u0041\\u00e9\\u20ac\""), SPAN("A\xc3\xa9\xe2\x82\xac"), false},
        {SPAN("\"\\uABCD\\uabcd\""), SPAN("\xea\xaf\x8d\xea\xaf\x8d"), false},
        {SPAN("\"x\\ud83d\\ude00y\""), SPAN("x\xf0\x9f\x98\x80y"), false},
        {SPAN("\"\\udbff\\udfff\""), SPAN("\xf4\x8f\xbf\xbf"), false},
        {SPAN("\"\\ud800\""), SPAN("\xef\xbf\xbd"), false},
        {SPAN("\"\\udc00\\ud800x\""), SPAN("\xef\xbf\xbd\xef\xbf\xbdx"), false},
        {SPAN("\"\\ud800\\ud83d\\ude00\""), SPAN("\xef\xbf\xbd\xf0\x9f\x98\x80"), false},
        {SPAN("\"\\ud800\\n\""), SPAN("\xef\xbf\xbd\n"), false},
        {SPAN("\"\\ud800\\\\u1234\""), SPAN("\xef\xbf\xbd\\u1234"), false},
        {SPAN("\"\\ud7ff\\ue000\""), SPAN("\xed\x9f\xbf\xee\x80\x80"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf buf;

        buf_init(&buf, 64);
        buf_put_char(&buf, '>');
        json_string_decode(rows[i].raw, &buf);
        assert_false(buf.failed);
        assert_true(span_equal(span_from(buf_span(&buf), 1), rows[i].text));
        assert_int_equal(json_string_is_plain(rows[i].raw), rows[i].is_plain);
        buf_fini(&buf);
    }
}

static void value__reports_a_text_over_the_ceiling(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 3);
    json_string_decode(SPAN_OF("\"\\u0041bc\""), &buf);
    assert_false(buf.failed);
    json_string_decode(SPAN_OF("\"d\""), &buf);
    assert_true(buf.failed);
    buf_fini(&buf);
}

static void value__reads_integers(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t number;
    } rows[] = {
        {"0", ERR_NONE, 0},
        {"1", ERR_NONE, 1},
        {"-1", ERR_NONE, -1},
        {"1024", ERR_NONE, 1024},
        {"9223372036854775807", ERR_NONE, INT64_MAX},
        {"-9223372036854775808", ERR_NONE, INT64_MIN},
        {"-9223372036854775807", ERR_NONE, -INT64_MAX},
        {"9223372036854775808", ERR_RANGE, 0},
        {"-9223372036854775809", ERR_RANGE, 0},
        {"18446744073709551616", ERR_RANGE, 0},
        {"99999999999999999999999999999999", ERR_RANGE, 0},
        {"-0", ERR_FORMAT, 0},
        {"1.0", ERR_FORMAT, 0},
        {"1e3", ERR_FORMAT, 0},
        {"99999999999999999999.5", ERR_FORMAT, 0},
        {"01", ERR_FORMAT, 0},
        {"+1", ERR_FORMAT, 0},
        {"-", ERR_FORMAT, 0},
        {"", ERR_FORMAT, 0},
        {"\"1\"", ERR_FORMAT, 0},
        {"null", ERR_FORMAT, 0},
        {" 1", ERR_FORMAT, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        int64_t number = 0;

        assert_int_equal(json_integer(span_of(rows[i].text), &number), rows[i].err);
        assert_true(number == rows[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value__decodes_strings),
        cmocka_unit_test(value__reports_a_text_over_the_ceiling),
        cmocka_unit_test(value__reads_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
