/* SPDX-License-Identifier: Apache-2.0 */
/* What each strategy promises. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "router/strategy.h"

/* `count` equal candidates in places 0, 1, ... */
static void fill(struct figures *figures, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        figures[i] = (struct figures){
            .place = i, .weight = 1, .ramp_permille = 1000, .score_permille = 1000, .ttfc_ms = 500};
    }
}

/* Who is first, over `calls` calls. */
static void tally(const struct strategy *strategy, const struct figures *figures, uint8_t count,
                  unsigned calls, unsigned *firsts)
{
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    uint8_t order[TARGETS_MAX];

    rng_init(&rng, 1, 2);
    memset(firsts, 0, count * sizeof *firsts);
    for (unsigned i = 0; i < calls; i++) {
        strategy->order(figures, count, &memory, &rng, order);
        firsts[order[0]]++;
    }
}

static void strategies__break_ties_by_chance(void **state)
{
    static const struct strategy *const rows[] = {&strategy_round_robin, &strategy_weighted,
                                                  &strategy_least_busy, &strategy_fastest,
                                                  &strategy_cheapest};
    struct figures figures[4];

    (void)state;
    fill(figures, 4);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        unsigned firsts[4] = {0};
        for (uint64_t seed = 0; seed < 4000; seed++) {
            struct strategy_memory memory = {.turn = 0};
            struct rng rng;
            uint8_t order[4];
            rng_init(&rng, seed, 0);
            rows[i]->order(figures, 4, &memory, &rng, order);
            firsts[order[0]]++;
        }
        for (size_t j = 0; j < 4; j++) {
            assert_in_range(firsts[j], 880, 1120);
        }
    }
}

/* ---- priority, round_robin ---- */

static void priority__is_the_order_of_the_list(void **state)
{
    struct figures figures[3];
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    uint8_t order[3];

    (void)state;
    rng_init(&rng, 0, 0);
    fill(figures, 3);
    figures[0].in_flight = 1000;
    figures[0].score_permille = 50;
    strategy_priority.order(figures, 3, &memory, &rng, order);
    assert_memory_equal(order, ((uint8_t[]){0, 1, 2}), 3);
}

static void round_robin__each_in_its_turn(void **state)
{
    struct figures figures[5];
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    uint8_t before[5];
    uint8_t order[5];

    (void)state;
    rng_init(&rng, 0, 0);
    fill(figures, 5);
    for (int i = 0; i < 5; i++) {
        strategy_round_robin.order(figures, 5, &memory, &rng, before);
    }
    for (int i = 0; i < 100; i++) {
        strategy_round_robin.order(figures, 5, &memory, &rng, order);
        assert_memory_equal(order, before + 1, 4); /* the same circle, one further */
        assert_int_equal(order[4], before[0]);
        memcpy(before, order, sizeof before);
    }
}

/* One memory, two tiers that every call orders, and a candidate that was away for long. */
static void round_robin__is_even_with_tiers_and_absences(void **state)
{
    struct figures figures[5];
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    unsigned firsts[5] = {0};
    uint8_t order[3];

    (void)state;
    rng_init(&rng, 0, 0);
    fill(figures, 5);
    for (int i = 0; i < 100; i++) {
        strategy_round_robin.order(figures, 2, &memory, &rng, order);
        firsts[order[0]]++;
        strategy_round_robin.order(figures + 2, 2, &memory, &rng, order);
        firsts[2 + order[0]]++;
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(firsts[i], 50);
    }
    memset(firsts, 0, sizeof firsts);
    for (int i = 0; i < 9; i++) {
        strategy_round_robin.order(figures + 2, 3, &memory, &rng, order);
        firsts[order[0]]++;
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(firsts[i], 3);
    }
}

/* ---- weighted ---- */

static void check_round(struct figures *figures, uint8_t count, uint64_t seed)
{
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    uint64_t firsts[TARGETS_MAX] = {0};
    uint8_t order[TARGETS_MAX];
    uint64_t total = 0;

    rng_init(&rng, seed, 1);
    for (uint8_t i = 0; i < count; i++) {
        total += figures[i].weight;
    }
    for (uint64_t calls = 1; calls <= 2 * total; calls++) {
        strategy_weighted.order(figures, count, &memory, &rng, order);
        firsts[order[0]]++;
        /* Nobody is ever a whole call ahead of its share: no bursts. */
        assert_true(firsts[order[0]] * total < calls * figures[order[0]].weight + total);
    }
    for (uint8_t i = 0; i < count; i++) {
        assert_int_equal(firsts[i], 2 * figures[i].weight);
        assert_int_equal(memory.current[figures[i].place], 0);
    }
}

static void weighted__shares_are_exact_and_without_bursts(void **state)
{
    struct rng rng;

    (void)state;
    rng_init(&rng, 4, 0);
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct figures figures[TARGETS_MAX];
        uint8_t count = (uint8_t)(1 + rng_below(&rng, seed % 4 == 0 ? TARGETS_MAX : 5));
        fill(figures, count);
        for (uint8_t i = 0; i < count; i++) {
            figures[i].weight = (uint32_t)(1 + rng_below(&rng, 20));
        }
        check_round(figures, count, seed);
    }
}

static void weighted__mixes_three_and_one(void **state)
{
    struct figures figures[2];
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    uint8_t order[2];

    (void)state;
    rng_init(&rng, 1, 0);
    fill(figures, 2);
    figures[0].weight = 3;
    for (int round = 0; round < 5; round++) {
        unsigned run_of_heavy = 0;
        for (int i = 0; i < 4; i++) {
            strategy_weighted.order(figures, 2, &memory, &rng, order);
            assert_int_equal(order[1], 1 - order[0]);
            run_of_heavy = order[0] == 0 ? run_of_heavy + 1 : 0;
            assert_true(run_of_heavy < 3);
        }
    }
}

static void weighted__the_rest_stands_by_what_it_has(void **state)
{
    struct figures figures[3];
    struct strategy_memory memory = {.current = {-5000, 2000, 7000}};
    struct rng rng;
    uint8_t order[3];

    (void)state;
    rng_init(&rng, 1, 0);
    fill(figures, 3);
    figures[0].weight = 5;
    strategy_weighted.order(figures, 3, &memory, &rng, order);
    assert_memory_equal(order, ((uint8_t[]){2, 1, 0}), 3);
    assert_true(memory.current[0] == 0 && memory.current[1] == 3000 && memory.current[2] == 1000);
}

static void weighted__slow_start_lowers_the_share(void **state)
{
    struct figures figures[2];
    unsigned firsts[2];

    (void)state;
    fill(figures, 2);
    figures[1].ramp_permille = 100;
    tally(&strategy_weighted, figures, 2, 1100, firsts);
    assert_int_equal(firsts[0], 1000);
    assert_int_equal(firsts[1], 100);
}

static void weighted__who_comes_back_takes_no_burst(void **state)
{
    static const int64_t leftovers[] = {INT64_C(1000000000000), INT64_C(-1000000000000)};
    struct figures figures[2];

    (void)state;
    fill(figures, 2);
    for (size_t i = 0; i < ARRAY_LENGTH(leftovers); i++) {
        struct strategy_memory memory = {.current = {leftovers[i]}};
        struct rng rng;
        unsigned firsts[2] = {0};
        uint8_t order[2];
        rng_init(&rng, 1, 0);
        for (int n = 0; n < 20; n++) {
            strategy_weighted.order(figures, 2, &memory, &rng, order);
            firsts[order[0]]++;
        }
        assert_in_range(firsts[0], 7, 13);
    }
}

/* ---- least_busy ---- */

static void least_busy__the_idle_one_of_two_is_first(void **state)
{
    struct figures figures[2];
    unsigned firsts[2];

    (void)state;
    fill(figures, 2);
    figures[0].in_flight = 1;
    tally(&strategy_least_busy, figures, 2, 500, firsts);
    assert_int_equal(firsts[1], 500);
    figures[0].in_flight = UINT32_MAX;
    tally(&strategy_least_busy, figures, 2, 500, firsts);
    assert_int_equal(firsts[1], 500);
    figures[0].in_flight = 1;
    figures[0].weight = 3; /* 2/3 is less than 1/1 */
    tally(&strategy_least_busy, figures, 2, 500, firsts);
    assert_int_equal(firsts[0], 500);
    figures[0].score_permille = 600; /* 2/1.8 is more */
    tally(&strategy_least_busy, figures, 2, 500, firsts);
    assert_int_equal(firsts[1], 500);
    figures[1].ramp_permille = 500; /* than 1, but less than 1/0.5 */
    tally(&strategy_least_busy, figures, 2, 500, firsts);
    assert_int_equal(firsts[0], 500);
}

/* Of three drawn two by two the busiest is never first, the middle one in a third of the calls. */
static void least_busy__draws_two(void **state)
{
    struct figures figures[3];
    unsigned firsts[3];

    (void)state;
    fill(figures, 3);
    figures[0].in_flight = 9;
    figures[1].in_flight = 4;
    tally(&strategy_least_busy, figures, 3, 9000, firsts);
    assert_int_equal(firsts[0], 0);
    assert_in_range(firsts[1], 2800, 3200);
}

static void least_busy__draws_by_weight(void **state)
{
    struct figures figures[3];
    unsigned firsts[3];

    (void)state;
    fill(figures, 3);
    figures[0].weight = 9;
    figures[0].in_flight = 8; /* equal loads: who is drawn first is first */
    tally(&strategy_least_busy, figures, 3, 11000, firsts);
    assert_in_range(firsts[0], 8700, 9300);
    assert_in_range(firsts[1], 800, 1200);
}

static void least_busy__the_rest_stands_by_load(void **state)
{
    struct figures figures[8];
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    uint8_t order[8];

    (void)state;
    rng_init(&rng, 1, 0);
    fill(figures, 8);
    for (int i = 0; i < 200; i++) {
        for (uint8_t j = 0; j < 8; j++) {
            figures[j].in_flight = (uint32_t)rng_below(&rng, 20);
        }
        strategy_least_busy.order(figures, 8, &memory, &rng, order);
        for (uint8_t j = 2; j < 8; j++) {
            assert_true(figures[order[j - 1]].in_flight <= figures[order[j]].in_flight);
        }
    }
}

/* 33 calls that never end for long, three targets, one of them with a tenth of its weight. */
static void least_busy__slow_start_lowers_the_share(void **state)
{
    struct figures figures[3];
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    unsigned firsts[3] = {0};
    uint8_t running[33];
    uint8_t order[3];

    (void)state;
    rng_init(&rng, 1, 0);
    fill(figures, 3);
    figures[2].ramp_permille = 100;
    for (size_t i = 0; i < 10000; i++) {
        uint8_t *slot = &running[i < 33 ? i : rng_below(&rng, 33)];
        if (i >= 33) {
            figures[*slot].in_flight--;
        }
        strategy_least_busy.order(figures, 3, &memory, &rng, order);
        *slot = order[0];
        figures[*slot].in_flight++;
        firsts[*slot]++;
    }
    assert_in_range(firsts[2], 200, 900); /* by weight it were 476 */
    assert_in_range(firsts[0], 4400, 5000);
}

/* ---- cheapest ---- */

static void cheapest__stands_by_cost_and_unpriced_ones_last(void **state)
{
    struct strategy_memory memory = {.turn = 0};
    struct figures figures[5];
    struct rng rng;
    unsigned firsts[2] = {0};
    uint8_t order[5];

    (void)state;
    rng_init(&rng, 1, 0);
    fill(figures, 5);
    figures[0].cost_pico = 900;
    figures[1].cost_pico = -1;
    figures[2].cost_pico = 0; /* free is a price */
    figures[3].cost_pico = 900;
    figures[4].cost_pico = INT64_MAX;
    for (int i = 0; i < 1000; i++) {
        strategy_cheapest.order(figures, 5, &memory, &rng, order);
        assert_int_equal(order[0], 2);
        assert_int_equal(order[3], 4);
        assert_int_equal(order[4], 1);
        firsts[order[1] == 3]++;
    }
    assert_in_range(firsts[0], 430, 570); /* equal ones by chance */
}

/* ---- fastest ---- */

static void fastest__stands_by_time(void **state)
{
    struct figures figures[5];
    struct strategy_memory memory = {.turn = 0};
    struct rng rng;
    unsigned straight = 0;
    uint8_t order[5];

    (void)state;
    rng_init(&rng, 1, 0);
    fill(figures, 5);
    figures[0].ttfc_ms = 900;
    figures[1].ttfc_ms = 300;
    figures[2].ttfc_ms = 0; /* unknown, and being measured */
    figures[2].in_flight = 1;
    figures[3].ttfc_ms = 100;
    figures[4].ttfc_ms = 301;
    for (int i = 0; i < 1000; i++) {
        strategy_fastest.order(figures, 5, &memory, &rng, order);
        straight += memcmp(order, ((uint8_t[]){3, 1, 4, 0, 2}), 5) == 0;
    }
    assert_in_range(straight, 965, 995);
}

static void fastest__unknown_ones_get_a_turn(void **state)
{
    struct figures figures[4];
    unsigned firsts[4];

    (void)state;
    fill(figures, 4);
    figures[0].ttfc_ms = 0;
    figures[1].ttfc_ms = 0;
    tally(&strategy_fastest, figures, 4, 10000, firsts);
    assert_in_range(firsts[0], 400, 700);
    assert_in_range(firsts[1], 400, 700);
    assert_in_range(firsts[0] + firsts[1], 850, 1200);
    figures[0].in_flight = 1; /* one at a time is enough to learn */
    figures[1].in_flight = 1;
    tally(&strategy_fastest, figures, 4, 10000, firsts);
    assert_in_range(firsts[0] + firsts[1], 50, 200);
}

static void fastest__slow_ones_are_looked_at_again(void **state)
{
    struct figures figures[3];
    unsigned firsts[3];

    (void)state;
    fill(figures, 3);
    figures[2].ttfc_ms = 499;
    tally(&strategy_fastest, figures, 3, 10000, firsts);
    assert_in_range(firsts[0], 60, 140);
    assert_in_range(firsts[1], 60, 140);
}

static void fastest__without_times_chance_decides(void **state)
{
    struct figures figures[2];
    unsigned firsts[2];

    (void)state;
    fill(figures, 2);
    figures[0].ttfc_ms = 0;
    figures[1].ttfc_ms = 0;
    figures[1].in_flight = 3;
    tally(&strategy_fastest, figures, 2, 1000, firsts);
    assert_in_range(firsts[0], 440, 560);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategies__break_ties_by_chance),
        cmocka_unit_test(priority__is_the_order_of_the_list),
        cmocka_unit_test(round_robin__each_in_its_turn),
        cmocka_unit_test(round_robin__is_even_with_tiers_and_absences),
        cmocka_unit_test(weighted__shares_are_exact_and_without_bursts),
        cmocka_unit_test(weighted__mixes_three_and_one),
        cmocka_unit_test(weighted__the_rest_stands_by_what_it_has),
        cmocka_unit_test(weighted__slow_start_lowers_the_share),
        cmocka_unit_test(weighted__who_comes_back_takes_no_burst),
        cmocka_unit_test(least_busy__the_idle_one_of_two_is_first),
        cmocka_unit_test(least_busy__draws_two),
        cmocka_unit_test(least_busy__draws_by_weight),
        cmocka_unit_test(least_busy__the_rest_stands_by_load),
        cmocka_unit_test(least_busy__slow_start_lowers_the_share),
        cmocka_unit_test(cheapest__stands_by_cost_and_unpriced_ones_last),
        cmocka_unit_test(fastest__stands_by_time),
        cmocka_unit_test(fastest__unknown_ones_get_a_turn),
        cmocka_unit_test(fastest__slow_ones_are_looked_at_again),
        cmocka_unit_test(fastest__without_times_chance_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
