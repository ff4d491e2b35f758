/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong tokens: how many, how long, and whose. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "enforcement/lockout.h"

static struct silent_name from(uint8_t last)
{
    return silent_name_ipv4((const uint8_t[4]){192, 0, 2, last});
}

static void wrong(struct lockout *lockout, uint8_t who, int times, mono_ms now)
{
    struct silent_name name = from(who);

    for (int i = 0; i < times; i++) {
        lockout_wrong(lockout, &name, now);
    }
}

static bool is_on(const struct lockout *lockout, uint8_t who, mono_ms now)
{
    struct silent_name name = from(who);

    return lockout_is_on(lockout, &name, now);
}

static void lockout__begins_with_the_twentieth_and_lasts_to_the_end_of_its_time(void **state)
{
    struct lockout lockout = {0};

    (void)state;
    assert_false(is_on(&lockout, 1, 0));
    wrong(&lockout, 1, 1, 1000);
    wrong(&lockout, 1, 18, 4000);
    assert_false(is_on(&lockout, 1, 4000));
    wrong(&lockout, 1, 1, 5000);
    assert_true(is_on(&lockout, 1, 5000));
    assert_true(is_on(&lockout, 1, 10999));
    assert_false(is_on(&lockout, 1, 11000)); /* 10 s after the first */
}

static void lockout__slow_guesses_never_add_up(void **state)
{
    struct lockout lockout = {0};

    (void)state;
    for (mono_ms now = 1; now < 1000000; now += 600) {
        wrong(&lockout, 1, 1, now);
        assert_false(is_on(&lockout, 1, now));
    }
}

static void lockout__more_wrong_ones_do_not_make_it_longer(void **state)
{
    struct lockout lockout = {0};

    (void)state;
    wrong(&lockout, 1, 20, 0);
    wrong(&lockout, 1, 1000, 9999);
    assert_true(is_on(&lockout, 1, 9999));
    assert_false(is_on(&lockout, 1, 10000));
    wrong(&lockout, 1, 1, 10000);
    assert_false(is_on(&lockout, 1, 10000)); /* counted anew */
}

static void lockout__leaves_other_addresses_alone(void **state)
{
    struct lockout lockout = {0};

    (void)state;
    wrong(&lockout, 1, 20, 5);
    assert_true(is_on(&lockout, 1, 5));
    assert_false(is_on(&lockout, 2, 5));
}

static void lockout__many_addresses_gain_a_bounded_number_of_guesses(void **state)
{
    struct lockout lockout = {0};
    uint32_t looked_at = 0;

    (void)state;
    for (uint32_t i = 0; i < 200000; i++) {
        uint8_t bytes[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        struct silent_name name = silent_name_ipv4(bytes);

        if (!lockout_is_on(&lockout, &name, 7)) {
            looked_at++;
            lockout_wrong(&lockout, &name, 7);
        }
    }
    assert_int_equal(looked_at, LOCKOUT_PLACES * LOCKOUT_WRONG);
}

static void lockout__may_have_a_time_of_its_own(void **state)
{
    struct lockout lockout = {.window_ms = 60000};
    struct silent_name name = from(1);

    (void)state;
    wrong(&lockout, 1, LOCKOUT_WRONG - 1, 1000);
    assert_int_equal(lockout_left(&lockout, &name, 1000), 0);
    wrong(&lockout, 1, 1, 11000);
    assert_int_equal(lockout_left(&lockout, &name, 11000), 50000);
    assert_int_equal(lockout_left(&lockout, &name, 60999), 1);
    assert_int_equal(lockout_left(&lockout, &name, 61000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lockout__begins_with_the_twentieth_and_lasts_to_the_end_of_its_time),
        cmocka_unit_test(lockout__slow_guesses_never_add_up),
        cmocka_unit_test(lockout__more_wrong_ones_do_not_make_it_longer),
        cmocka_unit_test(lockout__leaves_other_addresses_alone),
        cmocka_unit_test(lockout__may_have_a_time_of_its_own),
        cmocka_unit_test(lockout__many_addresses_gain_a_bounded_number_of_guesses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
