/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/estimate.h"

static void estimate__takes_four_bytes_for_a_token_and_rounds_up(void **state)
{
    (void)state;
    assert_int_equal(estimate_input(0), 0);
    assert_int_equal(estimate_input(1), 1);
    assert_int_equal(estimate_input(4), 1);
    assert_int_equal(estimate_input(5), 2);
    assert_int_equal(estimate_input(4096), 1024);
    assert_true(estimate_input(SIZE_MAX) == SIZE_MAX / 4 + 1);
}

static void estimate__takes_the_cap_for_the_output(void **state)
{
    (void)state;
    assert_int_equal(estimate_output(-1), 1024);
    assert_int_equal(estimate_output(0), 0);
    assert_int_equal(estimate_output(17), 17);
    assert_int_equal(estimate_output(INT64_MAX), INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimate__takes_four_bytes_for_a_token_and_rounds_up),
        cmocka_unit_test(estimate__takes_the_cap_for_the_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
