/* SPDX-License-Identifier: Apache-2.0 */
/* The door to the heap: it counts, and it fails when a test says so. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"

static void mem__counts_what_is_held(void **state)
{
    unsigned char *zero = NULL;
    void *at = mem_take(100);

    (void)state;
    assert_non_null(at);
    assert_int_equal(mem_held(), 100);
    at = mem_resize(at, 100, 250);
    assert_non_null(at);
    assert_int_equal(mem_held(), 250);
    zero = mem_take_zero(50);
    assert_non_null(zero);
    assert_int_equal(mem_held(), 300);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(zero[i], 0);
    }
    mem_give(at, 250);
    mem_give(zero, 50);
    mem_give(NULL, 9);
    assert_int_equal(mem_held(), 0);
}

static void mem__fails_the_nth_and_only_the_nth(void **state)
{
    void *first = NULL;
    void *last = NULL;

    (void)state;
    mem_fail_at(3);
    first = mem_take(10);
    assert_non_null(first);
    first = mem_resize(first, 10, 20);
    assert_non_null(first);
    assert_null(mem_take_zero(30));
    last = mem_take(40);
    assert_non_null(last);
    assert_int_equal(mem_taken(), 4);
    assert_int_equal(mem_held(), 60);
    mem_fail_at(0);
    assert_int_equal(mem_taken(), 0);
    mem_give(first, 20);
    mem_give(last, 40);
}

static void mem__keeps_the_old_block_when_a_resize_fails(void **state)
{
    char *at = mem_take(4);
    void *moved = NULL;

    (void)state;
    assert_non_null(at);
    at[3] = 'x';
    mem_fail_at(1);
    moved = mem_resize(at, 4, 4000);
    mem_fail_at(0);
    assert_null(moved);
    assert_int_equal(at[3], 'x');
    assert_int_equal(mem_held(), 4);
    mem_give(at, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mem__counts_what_is_held),
        cmocka_unit_test(mem__fails_the_nth_and_only_the_nth),
        cmocka_unit_test(mem__keeps_the_old_block_when_a_resize_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
