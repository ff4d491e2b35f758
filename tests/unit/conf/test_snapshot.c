/* SPDX-License-Identifier: Apache-2.0 */
/* The counted life of the settings. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

static void snapshot__lives_until_the_last_reference_is_given_back(void **state)
{
    struct snapshot *snapshot = NULL;
    struct snapshot *held = NULL;
    struct fake_world fakes = {0};
    struct conf_world world = world_of(&fakes);
    struct complaints complaints;

    (void)state;
    assert_int_equal(conf_demo(&world, &complaints, &snapshot), ERR_NONE);
    held = snapshot_take(snapshot);
    assert_ptr_equal(held, snapshot);
    assert_int_equal(snapshot->references, 2);
    snapshot_give(snapshot);
    assert_int_equal(held->references, 1);
    assert_int_equal(held->routing.providers_count, 6);
    assert_true(mem_held() > 0);
    snapshot_give(held);
    assert_int_equal(mem_held(), 0);
}

static void snapshot__nothing_may_be_given_back(void **state)
{
    (void)state;
    snapshot_give(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshot__lives_until_the_last_reference_is_given_back),
        cmocka_unit_test(snapshot__nothing_may_be_given_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
