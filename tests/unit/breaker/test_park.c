/* SPDX-License-Identifier: Apache-2.0 */
/* Parks and cooldowns: how long each reason keeps out, which of two stays wins, and what a success
 * or an operator takes back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"
#include "breaker/park.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };
#define MONTH ((uint64_t)31 * 24 * HOUR)

static void park__each_reason_doubles_up_to_its_most(void **state)
{
    static const struct {
        enum park_reason reason;
        uint64_t ms[7];
    } rows[] = {
        {PARK_AUTH, {5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, HOUR, HOUR, HOUR}},
        {PARK_PERMISSION, {5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, HOUR, HOUR, HOUR}},
        {PARK_BILLING, {15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 6 * HOUR}},
        {PARK_QUOTA, {15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 6 * HOUR}},
        {PARK_MODEL,
         {10 * MINUTE, 10 * MINUTE, 10 * MINUTE, 10 * MINUTE, 10 * MINUTE, 10 * MINUTE,
          10 * MINUTE}},
        {PARK_EGRESS,
         {10 * MINUTE, 10 * MINUTE, 10 * MINUTE, 10 * MINUTE, 10 * MINUTE, 10 * MINUTE,
          10 * MINUTE}},
        {PARK_THROTTLED, {1000, 2000, 4000, 8000, 16000, 20000, 20000}},
        {PARK_OVERLOADED, {1000, 2000, 4000, 8000, 16000, 20000, 20000}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct park park = {.until = 0};
        mono_ms now = 0;
        for (size_t n = 0; n < 300; n++) {
            uint64_t wanted = rows[i].ms[n < 7 ? n : 6];
            assert_int_equal(park_back_off(&park, rows[i].reason, now), wanted);
            assert_true(park_is_out(&park, now + wanted - 1));
            assert_false(park_is_out(&park, now + wanted));
            assert_int_equal(park.reason, rows[i].reason);
            now += wanted;
        }
    }
}

static void park__many_refusals_of_one_stay_are_one(void **state)
{
    struct park park = {.until = 0};

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(park_back_off(&park, PARK_AUTH, 1000), 5 * MINUTE);
    }
    assert_int_equal(park.until, 1000 + 5 * MINUTE);
    assert_int_equal(park_back_off(&park, PARK_AUTH, park.until), 10 * MINUTE);
}

static void park__a_longer_stay_is_kept_with_its_reason(void **state)
{
    struct park park = {.until = 0};

    (void)state;
    park_for(&park, PARK_QUOTA, 60000, 100);
    park_for(&park, PARK_AUTH, 59000, 200);
    assert_int_equal(park.until, 60100);
    assert_int_equal(park.reason, PARK_QUOTA);
    assert_int_equal(park_back_off(&park, PARK_THROTTLED, 200), 1000);
    assert_int_equal(park.until, 60100);
    assert_int_equal(park.reason, PARK_QUOTA);
    park_for(&park, PARK_AUTH, 59901, 200);
    assert_int_equal(park.until, 60101);
    assert_int_equal(park.reason, PARK_AUTH);
    /* When it is over, a shorter one is the only one. */
    park_for(&park, PARK_OVERLOADED, 5, 60101);
    assert_int_equal(park.until, 60106);
    assert_int_equal(park.reason, PARK_OVERLOADED);
}

static void park__lasts_at_most_a_month(void **state)
{
    static const struct {
        uint64_t ms;
        mono_ms now;
        mono_ms until;
    } rows[] = {{0, 0, 0},
                {1, 0, 1},
                {MONTH - 1, 7, MONTH + 6},
                {MONTH, 7, MONTH + 7},
                {MONTH + 1, 7, MONTH + 7},
                {UINT64_MAX, 7, MONTH + 7},
                {MONTH, MONO_NEVER - 1, MONO_NEVER}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct park park = {.until = 0};
        park_for(&park, PARK_QUOTA, rows[i].ms, rows[i].now);
        assert_int_equal(park.until, rows[i].until);
        assert_int_equal(park_is_out(&park, rows[i].now), rows[i].ms > 0);
    }
}

static void park__a_row_is_of_one_reason(void **state)
{
    struct park park = {.until = 0};

    (void)state;
    assert_int_equal(park_back_off(&park, PARK_THROTTLED, 0), 1000);
    assert_int_equal(park_back_off(&park, PARK_THROTTLED, 1000), 2000);
    assert_int_equal(park_back_off(&park, PARK_AUTH, 3000), 5 * MINUTE);
    assert_int_equal(park_back_off(&park, PARK_AUTH, 3000 + 5 * MINUTE), 10 * MINUTE);
    /* Too short to replace that one: the row of PARK_AUTH goes on. */
    assert_int_equal(park_back_off(&park, PARK_THROTTLED, 3000 + 5 * MINUTE), 1000);
    assert_int_equal(park_back_off(&park, PARK_AUTH, 3000 + 15 * MINUTE), 20 * MINUTE);
    /* A stay whose length was told ends another reason's row, and counts in none. */
    park_for(&park, PARK_QUOTA, 2 * HOUR, 4000 + 15 * MINUTE);
    assert_int_equal(park_back_off(&park, PARK_QUOTA, park.until), 15 * MINUTE);
    park_for(&park, PARK_QUOTA, HOUR, park.until);
    assert_int_equal(park_back_off(&park, PARK_QUOTA, park.until), 30 * MINUTE);
}

static void park__a_success_ends_the_row_and_not_the_stay(void **state)
{
    struct park park = {.until = 0};

    (void)state;
    (void)park_back_off(&park, PARK_AUTH, 0);
    (void)park_back_off(&park, PARK_AUTH, 5 * MINUTE);
    park_forgive(&park);
    assert_true(park_is_out(&park, 15 * MINUTE - 1));
    assert_int_equal(park.reason, PARK_AUTH);
    assert_int_equal(park_back_off(&park, PARK_AUTH, 15 * MINUTE), 5 * MINUTE);
    assert_int_equal(park_back_off(&park, PARK_AUTH, 20 * MINUTE), 10 * MINUTE);
}

static void park__an_operator_takes_all_of_it_back(void **state)
{
    struct park park = {.until = 0};

    (void)state;
    (void)park_back_off(&park, PARK_AUTH, 0);
    (void)park_back_off(&park, PARK_AUTH, 5 * MINUTE);
    park_clear(&park);
    assert_false(park_is_out(&park, 5 * MINUTE));
    assert_int_equal(park.reason, PARK_NONE);
    assert_int_equal(park_back_off(&park, PARK_AUTH, 5 * MINUTE), 5 * MINUTE);
}

static void park__a_zeroed_one_is_not_out(void **state)
{
    struct park park = {.until = 0};

    (void)state;
    assert_false(park_is_out(&park, 0));
    park_forgive(&park);
    park_clear(&park);
    assert_false(park_is_out(&park, 0));
}

static void park__reasons_have_words_and_two_are_cooldowns(void **state)
{
    static const struct {
        enum park_reason reason;
        const char *word;
        bool is_cooldown;
    } rows[] = {{PARK_NONE, "", false},
                {PARK_AUTH, "auth", false},
                {PARK_PERMISSION, "permission", false},
                {PARK_BILLING, "billing", false},
                {PARK_QUOTA, "quota", false},
                {PARK_MODEL, "model", false},
                {PARK_EGRESS, "egress", false},
                {PARK_THROTTLED, "throttled", true},
                {PARK_OVERLOADED, "overloaded", true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_string_equal(park_word(rows[i].reason), rows[i].word);
        assert_int_equal(park_is_cooldown(rows[i].reason), rows[i].is_cooldown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(park__each_reason_doubles_up_to_its_most),
        cmocka_unit_test(park__many_refusals_of_one_stay_are_one),
        cmocka_unit_test(park__a_longer_stay_is_kept_with_its_reason),
        cmocka_unit_test(park__lasts_at_most_a_month),
        cmocka_unit_test(park__a_row_is_of_one_reason),
        cmocka_unit_test(park__a_success_ends_the_row_and_not_the_stay),
        cmocka_unit_test(park__an_operator_takes_all_of_it_back),
        cmocka_unit_test(park__a_zeroed_one_is_not_out),
        cmocka_unit_test(park__reasons_have_words_and_two_are_cooldowns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
