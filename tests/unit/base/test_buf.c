/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes: exact first, bounded always; a failed put leaves the bytes as they were. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static void check(const struct buf *buf, const char *expected)
{
    assert_true(span_equal(buf_span(buf), span_of(expected)));
}

static void buf__collects_what_is_put(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    buf_put(&buf, SPAN_OF("ab"));
    buf_put(&buf, span_make(NULL, 0));
    buf_put_char(&buf, '-');
    buf_put_text(&buf, "cd");
    buf_put_u64(&buf, 0);
    buf_put_char(&buf, ',');
    buf_put_u64(&buf, UINT64_MAX);
    buf_put_format(&buf, "[%d|%s]", -5, "x");
    assert_false(buf.failed);
    check(&buf, "ab-cd0,18446744073709551615[-5|x]");
    buf_drop_front(&buf, 3);
    check(&buf, "cd0,18446744073709551615[-5|x]");
    buf_truncate(&buf, 4);
    check(&buf, "cd0,");
    buf_truncate(&buf, buf.len);
    buf_drop_front(&buf, buf.len);
    check(&buf, "");
    buf_fini(&buf);
    buf_fini(&buf);
    assert_int_equal(mem_held(), 0);
}

/* The same digits whether there is room for the longest number or not. */
static void buf__puts_numbers_of_all_lengths(void **state)
{
    static const char digits[] = "12345678901234567890";

    (void)state;
    for (size_t len = 1; len <= BUF_DIGITS_MAX; len++) {
        struct span expected = span_make(digits, len);
        char direct[BUF_DIGITS_MAX];
        struct buf tight;
        unsigned long long number = 0;

        for (size_t i = 0; i < len; i++) {
            number = number * 10 + (unsigned)(digits[i] - '0');
        }
        assert_ptr_equal(buf_digits(direct, number), direct + len);
        assert_memory_equal(direct, digits, len);
        buf_init(&tight, len);
        buf_put_u64(&tight, number);
        assert_true(span_equal(buf_span(&tight), expected));
        buf_put_u64(&tight, number);
        assert_true(tight.failed);
        assert_true(span_equal(buf_span(&tight), expected));
        buf_fini(&tight);
    }
    for (unsigned long long power = 10; power < UINT64_MAX / 10; power *= 10) {
        char text[BUF_DIGITS_MAX];

        assert_int_equal(buf_digits(text, power) - buf_digits(text, power - 1), 1);
        assert_int_equal(text[0], '9');
        (void)buf_digits(text, power);
        assert_int_equal(text[0], '1');
    }
}

static void buf__formats_long_texts(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    buf_put_char(&buf, '>');
    buf_put_format(&buf, "%0500d", 7);
    assert_int_equal(buf.len, 501);
    assert_int_equal(buf.at[500], '7');
    buf_fini(&buf);
}

static void buf__reserves_exactly_when_empty_and_doubles_later(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100000);
    assert_int_equal(buf_reserve(&buf, 333), ERR_NONE);
    assert_int_equal(buf.cap, 333);
    buf.len = 333;
    assert_int_equal(buf_reserve(&buf, 1), ERR_NONE);
    assert_int_equal(buf.cap, 666);
    buf_fini(&buf);
}

static void buf__failure_at_the_ceiling_sticks(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 4);
    buf_put_text(&buf, "abc");
    buf_put_text(&buf, "de");
    assert_true(buf.failed);
    check(&buf, "abc");
    buf_put_char(&buf, 'd');
    check(&buf, "abc");
    assert_int_equal(buf_reserve(&buf, SIZE_MAX), ERR_CEILING);
    buf_clear(&buf);
    assert_false(buf.failed);
    buf_put_text(&buf, "abcd");
    check(&buf, "abcd");
    assert_false(buf.failed);
    buf_fini(&buf);
}

static void buf__want_of_memory_leaves_the_bytes(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 10000);
    buf_put_text(&buf, "abc");
    mem_fail_at(1);
    buf_put_format(&buf, "%0999d", 1);
    mem_fail_at(0);
    assert_true(buf.failed);
    check(&buf, "abc");
    buf_fini(&buf);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf__collects_what_is_put),
        cmocka_unit_test(buf__puts_numbers_of_all_lengths),
        cmocka_unit_test(buf__formats_long_texts),
        cmocka_unit_test(buf__reserves_exactly_when_empty_and_doubles_later),
        cmocka_unit_test(buf__failure_at_the_ceiling_sticks),
        cmocka_unit_test(buf__want_of_memory_leaves_the_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
