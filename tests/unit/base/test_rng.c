/* SPDX-License-Identifier: Apache-2.0 */
/* The generator of chance: replays, spreads, and favours nobody. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"

static void rng__replays_the_same_seed(void **state)
{
    struct rng first;
    struct rng copy;

    (void)state;
    rng_init(&first, 7, 9);
    rng_init(&copy, 7, 9);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(rng_u64(&first) == rng_u64(&copy));
    }
    copy = first;
    assert_true(rng_u64(&first) == rng_u64(&copy));
}

/* The numbers of a run may not change with the compiler or the machine: replays depend on them.
 * The reference is the published algorithm, worked out apart from this code. */
static void rng__follows_the_published_algorithm(void **state)
{
    struct rng rng = {{1, 2, 3, 4}};
    static const uint64_t expected[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_true(rng_u64(&rng) == expected[i]);
    }
}

static void rng__gives_neighbouring_seeds_other_numbers(void **state)
{
    uint64_t seen[9];
    unsigned count = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        for (uint64_t stream = 0; stream < 3; stream++) {
            struct rng rng;

            rng_init(&rng, seed, stream);
            seen[count++] = rng_u64(&rng);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        for (unsigned n = i + 1; n < count; n++) {
            assert_true(seen[i] != seen[n]);
        }
    }
}

static void rng__stays_below_and_reaches_everything(void **state)
{
    unsigned hits[7] = {0};
    struct rng rng;

    (void)state;
    rng_init(&rng, 1, 1);
    for (unsigned i = 0; i < 70000; i++) {
        uint64_t number = rng_below(&rng, ARRAY_LENGTH(hits));

        assert_true(number < ARRAY_LENGTH(hits));
        hits[number]++;
    }
    for (unsigned i = 0; i < ARRAY_LENGTH(hits); i++) {
        assert_in_range(hits[i], 9500, 10500);
    }
    assert_true(rng_below(&rng, 1) == 0);
}

/* With two thirds of all numbers as the range, a plain remainder would hit the lower half of it
 * twice as often as the upper. */
static void rng__favours_nobody_in_a_large_range(void **state)
{
    const uint64_t range = UINT64_MAX / 3 * 2;
    unsigned low = 0;
    struct rng rng;

    (void)state;
    rng_init(&rng, 3, 4);
    for (unsigned i = 0; i < 20000; i++) {
        low += rng_below(&rng, range) < range / 2;
    }
    assert_in_range(low, 9700, 10300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng__replays_the_same_seed),
        cmocka_unit_test(rng__follows_the_published_algorithm),
        cmocka_unit_test(rng__gives_neighbouring_seeds_other_numbers),
        cmocka_unit_test(rng__stays_below_and_reaches_everything),
        cmocka_unit_test(rng__favours_nobody_in_a_large_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
