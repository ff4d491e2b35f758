/* SPDX-License-Identifier: Apache-2.0 */
/* Three scopes, never merged: what each ending of an attempt does to the endpoint, the deployment
 * and the credential; what comes and goes with the names that apps use; and a heap that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/lib/house.h"
#include "wire/hint.h"

/* ---- memory ---- */

/* A house whose providers all have a model of the settings, and a few that apps name. */
static void live_a_little(struct fleet *fleet, const struct house *house)
{
    for (size_t i = 0; i < 70; i++) {
        char name[16];
        struct target target = {.provider = &house->providers[i % 3], .number = TARGET_UNLISTED};
        struct span model = span_make(name, (size_t)snprintf(name, sizeof name, "m%zu", i));
        struct member member = fleet_member(fleet, &target, model);
        struct figures figures;

        fleet_figures(fleet, member, 0, 1, &figures);
        assert_int_equal(figures.in_flight, 0);
    }
}

static void fleet__survives_a_heap_that_fails(void **state)
{
    struct house house;
    bool was_born = false;
    size_t held = mem_held();

    (void)state;
    house_init(&house, 3);
    for (uint64_t nth = 1; nth < 1000; nth++) {
        struct fleet *fleet = NULL;
        bool has_failed = false;

        mem_fail_at(nth);
        fleet = fleet_new(&house.routing, 1);
        has_failed = mem_taken() >= nth;
        assert_true((fleet == NULL) == has_failed); /* half a fleet is none */
        was_born = was_born || fleet != NULL;
        if (fleet != NULL) {
            live_a_little(fleet, &house);
            has_failed = mem_taken() >= nth;
            fleet_free(fleet);
        }
        mem_fail_at(0);
        assert_int_equal(mem_held(), held);
        if (!has_failed) {
            assert_true(was_born && nth > 70);
            return;
        }
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fleet__survives_a_heap_that_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
