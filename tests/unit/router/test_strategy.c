/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of every strategy, so also of a new row. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "router/rank.h"
#include "router/strategy.h"

static uint32_t any(struct rng *rng, uint32_t least, uint32_t most)
{
    switch (rng_below(rng, 6)) {
    case 0: return least;
    case 1: return most;
    default: return (uint32_t)(least + rng_below(rng, (uint64_t)most - least + 1));
    }
}

static void randomize(struct figures *figures, uint8_t count, struct rng *rng)
{
    uint8_t places[TARGETS_MAX];

    rank_shuffle(places, TARGETS_MAX, rng);
    for (uint8_t i = 0; i < count; i++) {
        figures[i] = (struct figures){.place = places[i],
                                      .weight = any(rng, 1, UINT32_MAX),
                                      .ramp_permille = any(rng, 100, 1000),
                                      .score_permille = any(rng, 50, 1000),
                                      .in_flight = any(rng, 0, UINT32_MAX),
                                      .ttfc_ms = any(rng, 0, 5000),
                                      .started = rng_u64(rng)};
    }
}

static void check_permutation(const uint8_t *order, uint8_t count)
{
    bool is_seen[TARGETS_MAX] = {false};

    for (uint8_t i = 0; i < count; i++) {
        assert_true(order[i] < count);
        assert_false(is_seen[order[i]]);
        is_seen[order[i]] = true;
    }
    assert_int_equal(order[count], 0xee); /* nothing beyond */
}

static void strategies__return_a_permutation(void **state)
{
    struct strategy_memory memory = {.turn = 0}; /* of all of them, as after reloads */
    struct rng rng;

    (void)state;
    rng_init(&rng, 5, 0);
    for (int round = 0; round < 1000; round++) {
        for (uint8_t count = 1; count <= TARGETS_MAX; count++) {
            const struct strategy *strategy = NULL;
            struct figures figures[TARGETS_MAX];
            uint8_t order[TARGETS_MAX + 1];
            randomize(figures, count, &rng);
            for (size_t i = 0; (strategy = strategy_at(i)) != NULL; i++) {
                memset(order, 0xee, sizeof order);
                strategy->order(figures, count, &memory, &rng, order);
                check_permutation(order, count);
            }
        }
    }
}

static void run(const struct strategy *strategy, uint64_t seed, uint8_t orders[50][TARGETS_MAX])
{
    struct strategy_memory memory = {.turn = 0};
    struct rng chance;
    struct rng world;

    rng_init(&chance, seed, 0);
    rng_init(&world, 9, 0);
    memset(orders, 0, 50 * TARGETS_MAX);
    for (int i = 0; i < 50; i++) {
        struct figures figures[TARGETS_MAX];
        uint8_t count = (uint8_t)(1 + rng_below(&world, TARGETS_MAX));
        randomize(figures, count, &world);
        strategy->order(figures, count, &memory, &chance, orders[i]);
    }
}

static void strategies__depend_on_their_arguments_alone(void **state)
{
    const struct strategy *strategy = NULL;
    static uint8_t one[50][TARGETS_MAX];
    static uint8_t other[50][TARGETS_MAX];

    (void)state;
    for (size_t i = 0; (strategy = strategy_at(i)) != NULL; i++) {
        run(strategy, 1, one);
        run(strategy, 1, other);
        assert_memory_equal(one, other, sizeof one);
    }
}

static void strategies__are_found_by_name(void **state)
{
    const struct strategy *strategy = NULL;
    size_t count = 0;

    (void)state;
    for (; (strategy = strategy_at(count)) != NULL; count++) {
        assert_ptr_equal(strategy_by_name(strategy->name), strategy);
        assert_true(strlen(strategy->help) > 10);
    }
    assert_null(strategy_by_name(SPAN_OF("weighte")));
    assert_null(strategy_by_name(SPAN_OF("")));
    assert_null(strategy_at(SIZE_MAX));
    assert_true(strategy_weighted.uses_weights && strategy_least_busy.uses_weights);
    assert_false(strategy_priority.uses_weights || strategy_round_robin.uses_weights ||
                 strategy_fastest.uses_weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategies__return_a_permutation),
        cmocka_unit_test(strategies__depend_on_their_arguments_alone),
        cmocka_unit_test(strategies__are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
