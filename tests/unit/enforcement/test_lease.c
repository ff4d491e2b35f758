/* SPDX-License-Identifier: Apache-2.0 */
/* Money on loan: how much, and until when it may be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "enforcement/lease.h"

static struct lease_view view_of(int64_t limit, int64_t used, uint32_t processes)
{
    return (struct lease_view){.limit = limit, .used = used, .processes = processes};
}

static struct lease lease_of(int64_t usual)
{
    return (struct lease){.usual = usual};
}

static void lease__is_a_quarter_of_a_share_within_its_bounds(void **state)
{
    static const struct {
        int64_t usual, limit, used;
        uint32_t processes;
        int64_t wanted;
    } rows[] = {
        {1, 100000, 0, 1, 2000},       /* the fiftieth part of the limit */
        {1, 100000, 96000, 1, 1000},   /* a quarter of the rest */
        {1, 100000, 96000, 4, 250},    /* of a share of it */
        {10, 100000, 99700, 1, 100},   /* the least: ten usual ones */
        {10, 100000, 99901, 1, 0},     /* less is left than that */
        {300, 100000, 0, 1, 0},        /* more than the fiftieth part of the limit */
        {0, 100000, 0, 1, 0},          /* nothing was asked for yet */
        {1, 100000, 200000, 1, 0},     /* the limit was lowered below what is used */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lease lease = lease_of(rows[i].usual);
        struct lease_view view = view_of(rows[i].limit, rows[i].used, rows[i].processes);

        assert_int_equal(lease_wants(&lease, &view), rows[i].wanted);
    }
}

static void lease__asks_for_more_when_half_is_taken(void **state)
{
    struct lease lease = lease_of(1);
    struct lease_view view = view_of(100000, 0, 1);

    (void)state;
    lease_grow(&lease, lease_wants(&lease, &view), 0);
    assert_int_equal(lease.free, 2000);
    assert_true(lease_take(&lease, 1000, 0));
    assert_int_equal(lease_wants(&lease, &view), 0);
    assert_true(lease_take(&lease, 1, 0));
    assert_int_equal(lease_wants(&lease, &view), 1001);
}

static void lease__ends_before_the_ledger_takes_it_back(void **state)
{
    struct lease lease = lease_of(1);

    (void)state;
    lease_grow(&lease, 100, 1000);
    assert_true(lease_take(&lease, 1, 1000 + LEASE_MS - LEASE_MARGIN_MS - 1));
    assert_false(lease_take(&lease, 1, 1000 + LEASE_MS - LEASE_MARGIN_MS));
    lease_grow(&lease, 0, 60000);
    assert_true(lease_take(&lease, 1, 60000));
}

static void lease__is_tight_until_there_is_twice_as_much(void **state)
{
    struct lease lease = lease_of(10);
    struct lease_view view = view_of(10000, 9901, 1);

    (void)state;
    lease_grow(&lease, 50, 0);
    lease_look(&lease, &view);
    assert_true(lease.is_tight);
    assert_false(lease_take(&lease, 1, 0));
    assert_true(lease_take_more(&lease, 1)); /* who has begun may go on */
    view.used = 9801;
    lease_look(&lease, &view);
    assert_true(lease.is_tight);
    view.used = 9800;
    lease_look(&lease, &view);
    assert_false(lease.is_tight);
}

static void lease__what_is_not_used_is_free_again(void **state)
{
    struct lease lease = lease_of(1);

    (void)state;
    lease_grow(&lease, 100, 0);
    assert_true(lease_take(&lease, 40, 0));
    assert_true(lease_take(&lease, 50, 0));
    assert_false(lease_take(&lease, 11, 0));
    assert_int_equal(lease_settle(&lease, 40, 15), 15);
    assert_int_equal(lease.total, 85);
    assert_int_equal(lease.free, 35);
    assert_int_equal(lease_settle(&lease, 50, 70), 50); /* 20 beyond its hold */
    assert_int_equal(lease.total, 35);
    assert_int_equal(lease_give_back(&lease), 35);
    assert_int_equal(lease.total, 0);
}

static void lease__usual_is_what_nearly_all_holds_stay_below(void **state)
{
    struct lease lease = {0};
    struct rng rng;
    int larger = 0;

    (void)state;
    rng_init(&rng, 1, 1);
    for (int i = 0; i < 20000; i++) {
        int64_t amount = (int64_t)rng_below(&rng, 1000000);

        larger += i >= 10000 && amount > lease.usual;
        lease_note(&lease, amount);
    }
    assert_in_range(larger, 250, 1000); /* of 10,000 */
}

static void lease__never_gives_more_than_it_has(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct lease lease = {0};
        struct rng rng;
        int64_t taken[64];
        size_t open = 0;
        int64_t sum = 0;

        rng_init(&rng, 3, seed);
        for (int i = 0; i < 500; i++) {
            int64_t amount = (int64_t)rng_below(&rng, 100);

            switch (rng_below(&rng, 4)) {
            case 0: lease_grow(&lease, amount, 0); break;
            case 1:
                if (open < 64 && lease_take(&lease, amount, 0)) {
                    taken[open++] = amount;
                    sum += amount;
                }
                break;
            case 2:
                if (open > 0) {
                    sum -= taken[--open];
                    (void)lease_settle(&lease, taken[open], amount);
                }
                break;
            default: (void)lease_give_back(&lease); break;
            }
            assert_true(lease.free >= 0);
            assert_int_equal(lease.total, lease.free + sum);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lease__is_a_quarter_of_a_share_within_its_bounds),
        cmocka_unit_test(lease__asks_for_more_when_half_is_taken),
        cmocka_unit_test(lease__ends_before_the_ledger_takes_it_back),
        cmocka_unit_test(lease__is_tight_until_there_is_twice_as_much),
        cmocka_unit_test(lease__what_is_not_used_is_free_again),
        cmocka_unit_test(lease__usual_is_what_nearly_all_holds_stay_below),
        cmocka_unit_test(lease__never_gives_more_than_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
