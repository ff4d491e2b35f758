/* SPDX-License-Identifier: Apache-2.0 */
/* The canary's share: as large as it says, the same for a caller each time, growing by adding. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "router/share.h"

enum { CALLERS = 10000 };

/* Neighbouring hashes are the hardest case: real ones are spread already. */
static unsigned taken(uint16_t target, uint32_t percent)
{
    unsigned count = 0;

    for (uint64_t caller = 0; caller < CALLERS; caller++) {
        count += share_takes(caller, target, percent);
    }
    return count;
}

static void share__takes_as_many_as_it_says(void **state)
{
    (void)state;
    for (uint16_t target = 0; target < 5; target++) {
        for (uint32_t percent = 0; percent <= 100; percent += 10) {
            unsigned count = taken(target, percent);
            assert_in_range(count + CALLERS / 50, percent * 100, percent * 100 + CALLERS / 25);
        }
        assert_int_equal(taken(target, 0), 0);
        assert_int_equal(taken(target, 100), CALLERS);
        assert_int_equal(taken(target, UINT32_MAX), CALLERS);
    }
}

static void share__grows_only_by_adding_callers(void **state)
{
    (void)state;
    for (uint64_t caller = 0; caller < 2000; caller++) {
        bool was_taken = false;
        for (uint32_t percent = 0; percent <= 100; percent++) {
            bool is_taken = share_takes(caller, 3, percent);
            assert_true(is_taken || !was_taken);
            assert_int_equal(is_taken, share_takes(caller, 3, percent));
            was_taken = is_taken;
        }
        assert_true(was_taken);
    }
}

static void share__targets_choose_independently(void **state)
{
    unsigned both = 0;

    (void)state;
    for (uint64_t caller = 0; caller < CALLERS; caller++) {
        both += share_takes(caller, 0, 50) && share_takes(caller, 1, 50);
    }
    assert_in_range(both, CALLERS / 4 - CALLERS / 50, CALLERS / 4 + CALLERS / 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share__takes_as_many_as_it_says),
        cmocka_unit_test(share__grows_only_by_adding_callers),
        cmocka_unit_test(share__targets_choose_independently),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
