/* SPDX-License-Identifier: Apache-2.0 */
/* Slow start: from a tenth of the weight to all of it in thirty seconds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "breaker/ramp.h"

static void ramp__rises_linearly_after_closing(void **state)
{
    static const struct {
        mono_ms closed_at;
        mono_ms now;
        uint32_t permille;
    } rows[] = {
        {0, 0, 1000},       {0, 10, 1000},       {0, UINT64_MAX, 1000}, {1, 0, 100},
        {1000, 1000, 100},  {1000, 2000, 130},   {1000, 11000, 400},    {1000, 16000, 550},
        {1000, 30999, 999}, {1000, 31000, 1000}, {1000, 31001, 1000},   {1000, UINT64_MAX, 1000},
        {1000, 999, 100},   {1000, 1033, 100},   {1000, 1034, 101},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(ramp_permille(rows[i].closed_at, rows[i].now), rows[i].permille);
    }
}

static void ramp__never_falls(void **state)
{
    uint32_t before = RAMP_FROM_PERMILLE;

    (void)state;
    for (mono_ms now = 5000; now <= 36000; now++) {
        uint32_t permille = ramp_permille(5000, now);
        assert_in_range(permille, before, before + 1);
        before = permille;
    }
    assert_int_equal(before, RAMP_FULL_PERMILLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ramp__rises_linearly_after_closing),
        cmocka_unit_test(ramp__never_falls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
