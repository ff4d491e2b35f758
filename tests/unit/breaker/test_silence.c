/* SPDX-License-Identifier: Apache-2.0 */
/* Who has fallen silent: after how long one attempt is overdue, and how many make it silence. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "breaker/silence.h"

static void silence__is_measured_by_what_is_usual(void **state)
{
    static const struct {
        uint32_t least_ms;
        uint32_t p95_ms;
        uint32_t trips;
        uint32_t expected_ms;
    } rows[] = {
        {0, 500, 0, 0},
        {10000, 0, 0, 0},
        {10000, 1, 0, 10000},
        {10000, 2500, 0, 10000},
        {10000, 2501, 0, 10004},
        {10000, 92682, 0, 370728},
        {10000, 500, 1, 20000},
        {10000, 3000, 2, 48000},
        {10000, 500, 3, 80000},
        {10000, 500, 4, 80000},
        {10000, 500, UINT32_MAX, 80000},
        {UINT32_MAX, 1, 0, UINT32_MAX},
        {1, UINT32_MAX, 3, UINT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        uint32_t ms = silence_after_ms(rows[i].least_ms, rows[i].p95_ms, rows[i].trips);

        if (ms != rows[i].expected_ms) {
            fail_msg("row %zu: %u", i, ms);
        }
    }
}

static void silence__is_ten_that_wait_and_none_that_was_heard(void **state)
{
    struct silence silence = {.overdue = 0};

    (void)state;
    for (int i = 1; i < 10; i++) {
        assert_false(silence_overdue(&silence, 0, 10));
    }
    assert_false(silence_heard(&silence, 0));
    for (int i = 1; i < 10; i++) {
        assert_false(silence_overdue(&silence, 0, 10));
        assert_false(silence.is_silent);
    }
    assert_true(silence_overdue(&silence, 0, 10));
    assert_true(silence.is_silent);
}

static void silence__is_found_once_and_ends_with_the_first_sign(void **state)
{
    struct silence silence = {.overdue = 9};

    (void)state;
    assert_true(silence_overdue(&silence, 0, 10));
    assert_false(silence_overdue(&silence, 0, 10));
    assert_true(silence.is_silent);
    assert_true(silence_heard(&silence, 0));
    assert_false(silence.is_silent);
    assert_false(silence_heard(&silence, 0));
    assert_false(silence_overdue(&silence, 0, 10));
}

/* Long requests among quick ones. */
static void silence__is_none_when_something_was_heard_since(void **state)
{
    struct silence silence = {.overdue = 0};

    (void)state;
    assert_false(silence_heard(&silence, 5000));
    for (int i = 0; i < 100; i++) {
        assert_false(silence_overdue(&silence, 4999, 10));
    }
    for (int i = 1; i < 10; i++) {
        assert_false(silence_overdue(&silence, 5000, 10));
    }
    assert_true(silence_overdue(&silence, 5000, 10));
}

/* A batch of long requests where little was asked before: nobody knows how long those take. */
static void silence__says_nothing_where_little_was_heard_before(void **state)
{
    struct silence silence = {.overdue = 0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_false(silence_overdue(&silence, 0, 9));
    }
    assert_false(silence.is_silent);
    assert_true(silence_overdue(&silence, 0, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence__is_measured_by_what_is_usual),
        cmocka_unit_test(silence__is_ten_that_wait_and_none_that_was_heard),
        cmocka_unit_test(silence__is_found_once_and_ends_with_the_first_sign),
        cmocka_unit_test(silence__is_none_when_something_was_heard_since),
        cmocka_unit_test(silence__says_nothing_where_little_was_heard_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
