/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see, and what their orders change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "tests/lib/house.h"
#include "wire/hint.h"

static const struct estimate estimate = {100, 100};

/* p0 with the models m and n, p1 with m, p2 at p1's endpoint without a model. */
static void begin(struct house *house)
{
    house_init(house, 4);
    house->targets[2].provider = &house->providers[0];
    house->targets[2].model = SPAN_OF("n");
    house->targets[3].provider = &house->providers[2];
    house->targets[3].model = SPAN_OF("");
    house->providers[2].endpoint.index = 1;
    house->providers[2].credential_index = 1;
    house->routing.providers_count = 3;
    house_open(house, 1);
}

static struct target_view at(const struct house *house, size_t i, mono_ms now)
{
    struct target_view view;

    fleet_view_at(house->fleet, i, now, &view);
    return view;
}

static void attempt(struct house *house, size_t target, enum outcome outcome, mono_ms now)
{
    const struct target *to = &house->targets[target];
    struct ending ending = {.outcome = outcome, .hint_ms = HINT_NONE};
    struct entry entry;

    fleet_enter(house->fleet, &entry, to, fleet_member(house->fleet, to, SPAN_OF("app")), &estimate,
                false, true, 1000, now);
    fleet_report(house->fleet, &entry, &ending, now);
}

static void view__lists_what_is_known_in_a_fixed_order(void **state)
{
    static const struct {
        struct span provider, model;
    } rows[] = {{SPAN("p2"), SPAN("")},
                {SPAN("p0"), SPAN("m")},
                {SPAN("p1"), SPAN("m")},
                {SPAN("p0"), SPAN("n")}};
    struct house house;

    (void)state;
    begin(&house);
    assert_int_equal(fleet_view_count(house.fleet), ARRAY_LENGTH(rows));
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_true(span_equal(at(&house, i, 0).provider, rows[i].provider));
        assert_true(span_equal(at(&house, i, 0).model, rows[i].model));
        assert_true(at(&house, i, 0).is_eligible);
        assert_int_equal(at(&house, i, 0).score_permille, 1000);
        assert_int_equal(at(&house, i, 0).ramp_permille, 1000);
        assert_int_equal(at(&house, i, 0).requests.limit, -1);
    }
    attempt(&house, 3, OUTCOME_OK, 1); /* an app named a model there: it stands for the provider */
    assert_int_equal(fleet_view_count(house.fleet), ARRAY_LENGTH(rows));
    assert_true(span_equal(at(&house, 3, 1).model, SPAN_OF("app")));
    house_close(&house);
}

static void view__shows_each_scope_beside_the_others(void **state)
{
    struct house house;

    (void)state;
    begin(&house);
    for (int i = 0; i < 5; i++) {
        attempt(&house, 0, OUTCOME_PROVIDER_ERROR, 1);
    }
    attempt(&house, 2, OUTCOME_THROTTLED, 1);
    attempt(&house, 1, OUTCOME_AUTH, 1);
    for (int i = 0; i < 3; i++) {
        attempt(&house, 1, OUTCOME_CONNECT, 1);
    }
    assert_int_equal(at(&house, 1, 1).deployment.state, BREAKER_OPEN);
    assert_in_range(at(&house, 1, 1).deployment.reopen_ms, 4000, 6000);
    assert_int_equal(at(&house, 1, 1).deployment.trips, 1);
    assert_int_equal(at(&house, 1, 1).endpoint.state, BREAKER_CLOSED);
    assert_int_equal(at(&house, 1, 1).cooldown.reason, PARK_NONE);
    assert_int_equal(at(&house, 3, 1).deployment.state, BREAKER_CLOSED);
    assert_int_equal(at(&house, 3, 501).cooldown.reason, PARK_THROTTLED);
    assert_int_equal(at(&house, 3, 501).cooldown.left_ms, 500);
    assert_int_equal(at(&house, 3, 1001).cooldown.reason, PARK_NONE);
    assert_int_equal(at(&house, 2, 1).credential.reason, PARK_AUTH);
    assert_int_equal(at(&house, 2, 1).endpoint.state, BREAKER_OPEN);
    assert_int_equal(at(&house, 0, 1).credential.reason, PARK_AUTH); /* p2: the same key and host */
    assert_int_equal(at(&house, 0, 1).endpoint.state, BREAKER_OPEN);
    assert_false(at(&house, 0, 1).is_eligible);
    assert_true(at(&house, 1, 1).score_permille < 1000);
    house_close(&house);
}

/* Which of the rows an order takes out: p2, p0/m, p1/m, p0/n. */
static void expect_held(const struct house *house, bool p2, bool p0m, bool p1m, bool p0n)
{
    const bool held[] = {p2, p0m, p1m, p0n};

    for (size_t i = 0; i < ARRAY_LENGTH(held); i++) {
        assert_int_equal(at(house, i, 1).is_held, held[i]);
        assert_int_equal(at(house, i, 1).is_eligible, !held[i]);
    }
}

static void view__obeys_by_name(void **state)
{
    struct house house;

    (void)state;
    begin(&house);
    assert_int_equal(fleet_obey(house.fleet, SPAN_OF("p0/m"), FLEET_PARK, 1), 1);
    expect_held(&house, false, true, false, false);
    assert_int_equal(fleet_obey(house.fleet, SPAN_OF("p0"), FLEET_PARK, 1), 2);
    expect_held(&house, false, true, false, true);
    assert_int_equal(fleet_obey(house.fleet, SPAN_OF("p0/m"), FLEET_UNPARK, 1), 1);
    expect_held(&house, false, false, false, true);
    assert_int_equal(fleet_obey(house.fleet, SPAN_OF("*"), FLEET_PARK, 1), 4);
    expect_held(&house, true, true, true, true);
    assert_int_equal(fleet_obey(house.fleet, SPAN_OF("*"), FLEET_RESET, 1), 4);
    expect_held(&house, false, false, false, false);
    assert_int_equal(fleet_obey(house.fleet, SPAN_OF("p2"), FLEET_PARK, 1), 1);
    expect_held(&house, true, false, false, false);
    assert_int_equal(fleet_obey(house.fleet, SPAN_OF("p2"), FLEET_UNPARK, 1), 1);
    for (size_t i = 0; i < 7; i++) {
        static const struct span nobody[] = {SPAN(""),      SPAN("p"),  SPAN("p0/x"), SPAN("p3"),
                                             SPAN("p0/m/"), SPAN("/m"), SPAN("**")};
        assert_int_equal(fleet_obey(house.fleet, nobody[i], FLEET_PARK, 1), 0);
    }
    expect_held(&house, false, false, false, false);
    house_close(&house);
}

static void view__holds_names_that_come_while_their_provider_is_held(void **state)
{
    struct house house;
    struct member member;

    (void)state;
    begin(&house);
    (void)fleet_obey(house.fleet, SPAN_OF("p2"), FLEET_PARK, 1);
    member = fleet_member(house.fleet, &house.targets[3], SPAN_OF("new"));
    assert_int_equal(fleet_standing(house.fleet, member, &estimate, 1).what, OUT_PARKED);
    assert_true(fleet_standing(house.fleet, member, &estimate, 1).until == MONO_NEVER);
    assert_int_equal(fleet_obey(house.fleet, SPAN_OF("p2"), FLEET_UNPARK, 1), 1);
    assert_int_equal(fleet_standing(house.fleet, member, &estimate, 1).what, ELIGIBLE);
    house_close(&house);
}

static void view__unparks_from_the_providers_word_and_resets_breakers(void **state)
{
    struct house house;

    (void)state;
    begin(&house);
    attempt(&house, 0, OUTCOME_AUTH, 1);
    attempt(&house, 2, OUTCOME_MODEL, 1);
    attempt(&house, 2, OUTCOME_THROTTLED, 1);
    for (int i = 0; i < 5; i++) {
        attempt(&house, 0, OUTCOME_PROVIDER_ERROR, 1);
    }
    for (int i = 0; i < 5; i++) {
        attempt(&house, 2, OUTCOME_EDGE_ERROR, 1);
    }
    (void)fleet_obey(house.fleet, SPAN_OF("p0"), FLEET_UNPARK, 1);
    assert_int_equal(at(&house, 1, 1).credential.reason, PARK_NONE);
    assert_int_equal(at(&house, 3, 1).target.reason, PARK_NONE);
    assert_int_equal(at(&house, 3, 1).cooldown.reason, PARK_NONE);
    assert_int_equal(at(&house, 1, 1).deployment.state, BREAKER_OPEN);
    assert_false(at(&house, 3, 1).is_eligible);
    (void)fleet_obey(house.fleet, SPAN_OF("p0/m"), FLEET_RESET, 1);
    assert_true(at(&house, 1, 1).is_eligible);
    assert_true(at(&house, 3, 1).is_eligible); /* its endpoint is the same */
    assert_int_equal(at(&house, 1, 1).deployment.trips, 0);
    assert_int_equal(at(&house, 1, 1).score_permille, 1000);
    house_close(&house);
}

/* Attempts under way when the order comes end as if nothing had been. */
static void view__lets_attempts_end_that_run_when_an_order_comes(void **state)
{
    struct ending ending = {.outcome = OUTCOME_OK, .hint_ms = HINT_NONE};
    struct house house;
    struct entry entries[2];
    struct member member;

    (void)state;
    begin(&house);
    for (int i = 0; i < 5; i++) {
        attempt(&house, 0, OUTCOME_PROVIDER_ERROR, 1);
    }
    member = fleet_member(house.fleet, &house.targets[0], SPAN_OF("m"));
    fleet_enter(house.fleet, &entries[0], &house.targets[0], member, &estimate, false, false, 1000,
                9000);
    fleet_enter(house.fleet, &entries[1], &house.targets[0], member, &estimate, false, true, 1000,
                9000);
    (void)fleet_obey(house.fleet, SPAN_OF("*"), FLEET_RESET, 9001);
    (void)fleet_obey(house.fleet, SPAN_OF("*"), FLEET_PARK, 9001);
    fleet_report(house.fleet, &entries[0], &ending, 9002);
    fleet_report(house.fleet, &entries[1], &ending, 9002);
    assert_int_equal(at(&house, 1, 9002).in_flight, 0);
    assert_int_equal(at(&house, 1, 9002).deployment.state, BREAKER_CLOSED);
    assert_true(at(&house, 1, 9002).is_held);
    house_close(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(view__lists_what_is_known_in_a_fixed_order),
        cmocka_unit_test(view__shows_each_scope_beside_the_others),
        cmocka_unit_test(view__obeys_by_name),
        cmocka_unit_test(view__holds_names_that_come_while_their_provider_is_held),
        cmocka_unit_test(view__unparks_from_the_providers_word_and_resets_breakers),
        cmocka_unit_test(view__lets_attempts_end_that_run_when_an_order_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
