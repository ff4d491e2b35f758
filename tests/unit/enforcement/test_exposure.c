/* SPDX-License-Identifier: Apache-2.0 */
/* What may be paid for twice. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "enforcement/exposure.h"

#define CENT INT64_C(10000000)

static const uint64_t seed[2] = {1, 2};
static const struct span growth = SPAN("growth");
static const struct span ops = SPAN("ops");

static void exposure__a_little_is_always_allowed_and_no_more(void **state)
{
    struct exposures *exposures = exposures_new(seed);

    (void)state;
    assert_true(exposures_allow(exposures, growth, 10 * CENT, 5));
    assert_false(exposures_allow(exposures, growth, 10 * CENT + 1, 5));
    exposures_add(exposures, growth, 6 * CENT, 5);
    assert_true(exposures_allow(exposures, growth, 4 * CENT, 5));
    assert_false(exposures_allow(exposures, growth, 4 * CENT + 1, 5));
    assert_true(exposures_allow(exposures, ops, 10 * CENT, 5));
    /* A minute later it is forgotten, and not sooner. */
    assert_false(exposures_allow(exposures, growth, 5 * CENT, 60000));
    assert_true(exposures_allow(exposures, growth, 10 * CENT, 70000));
    exposures_free(exposures);
    assert_int_equal(mem_held(), 0);
}

static void exposure__grows_with_what_was_spent(void **state)
{
    struct exposures *exposures = exposures_new(seed);

    (void)state;
    exposures_settled(exposures, growth, 500 * CENT, 1000);
    assert_true(exposures_allow(exposures, growth, 50 * CENT, 2000));
    assert_false(exposures_allow(exposures, growth, 50 * CENT + 1, 2000));
    assert_false(exposures_allow(exposures, ops, 50 * CENT, 2000));
    exposures_add(exposures, growth, 50 * CENT, 2000);
    assert_false(exposures_allow(exposures, growth, 1, 59000));
    assert_true(exposures_allow(exposures, growth, 1, 70001));
    exposures_free(exposures);
}

static void exposure__takes_no_more_teams_than_there_is_room_for(void **state)
{
    struct exposures *exposures = exposures_new(seed);
    struct buf name;
    size_t held = 0;

    (void)state;
    buf_init(&name, 32);
    for (uint64_t i = 0; i < EXPOSURE_TEAMS_MAX * 2; i++) {
        buf_clear(&name);
        buf_put_u64(&name, 100000 + i);
        exposures_add(exposures, buf_span(&name), 10 * CENT, 5);
        held = i == EXPOSURE_TEAMS_MAX ? mem_held() : held;
    }
    assert_int_equal(mem_held(), held);
    assert_false(exposures_allow(exposures, buf_span(&name), 1, 5));
    buf_fini(&name);
    exposures_free(exposures);
}

static void exposure__copes_without_memory(void **state)
{
    struct exposures *exposures = NULL;

    (void)state;
    mem_fail_at(1);
    assert_null(exposures_new(seed));
    mem_fail_at(0);
    exposures = exposures_new(seed);
    mem_fail_at(1);
    exposures_settled(exposures, growth, CENT, 5);
    mem_fail_at(0);
    assert_true(exposures_allow(exposures, growth, CENT, 5));
    exposures_free(exposures);
    exposures_free(NULL);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exposure__a_little_is_always_allowed_and_no_more),
        cmocka_unit_test(exposure__grows_with_what_was_spent),
        cmocka_unit_test(exposure__takes_no_more_teams_than_there_is_room_for),
        cmocka_unit_test(exposure__copes_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
