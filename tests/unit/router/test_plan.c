/* SPDX-License-Identifier: Apache-2.0 */
/* Who is asked, in which order, and who comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "tests/lib/house.h"
#include "wire/hint.h"

static const struct estimate estimate = {100, 100};

static void end(struct house *house)
{
    house_close(house);
}

static void plan_as(struct house *house, struct plan *plan, const char *session, const char *caller,
                    mono_ms now)
{
    struct way way = {.route = &house->route, .rules = &house->route};
    struct plan_ask ask = {.dialect = &dialect_openai,
                           .model = SPAN_OF("app"),
                           .session = span_of(session),
                           .caller = span_of(caller),
                           .estimate = estimate};

    plan_make(plan, house->fleet, &way, &ask, now);
}

static void plan_plain(struct house *house, struct plan *plan, mono_ms now)
{
    plan_as(house, plan, "", "", now);
}

static void expect_order(const struct plan *plan, size_t count, const uint8_t *places)
{
    assert_int_equal(plan->count, count);
    assert_memory_equal(plan->order, places, count);
}
#define EXPECT_ORDER(plan, ...)                                                                    \
    expect_order(plan, sizeof((uint8_t[]){__VA_ARGS__}), (uint8_t[]){__VA_ARGS__})

static uint8_t pick(const struct plan *plan, struct house *house, mono_ms now)
{
    struct plan_wish wish = {.tries_max = 9, .but = PLAN_NONE, .other_credential_than = PLAN_NONE};

    return plan_pick(plan, house->fleet, &wish, now);
}

static void enter(struct house *house, size_t place, struct entry *entry, mono_ms now)
{
    const struct target *target = &house->targets[place];

    fleet_enter(house->fleet, entry, target, fleet_member(house->fleet, target, SPAN_OF("app")),
                &estimate, false, true, 5000, now);
}

static void attempt(struct house *house, size_t place, enum outcome outcome, mono_ms now)
{
    struct ending ending = {.outcome = outcome, .hint_ms = HINT_NONE};
    struct entry entry;

    enter(house, place, &entry, now);
    fleet_report(house->fleet, &entry, &ending, now);
}

static void attempts(struct house *house, size_t count, size_t place, enum outcome outcome,
                     mono_ms now)
{
    for (size_t i = 0; i < count; i++) {
        attempt(house, place, outcome, now);
    }
}

/* Opened and closed again at about `now`: slow start begins. */
static mono_ms heal(struct house *house, size_t place, mono_ms now)
{
    attempts(house, 5, place, OUTCOME_PROVIDER_ERROR, now);
    for (int i = 0; i < 2; i++) {
        const struct target *target = &house->targets[place];
        struct ending ending = {.outcome = OUTCOME_OK, .hint_ms = HINT_NONE};
        struct entry entry;

        now += 7000;
        fleet_enter(house->fleet, &entry, target,
                    fleet_member(house->fleet, target, SPAN_OF("app")), &estimate, false, false,
                    5000, now);
        fleet_report(house->fleet, &entry, &ending, now);
    }
    return now;
}

/* ---- who is there ---- */

static void plan__takes_the_enabled_that_speak_tier_after_tier(void **state)
{
    struct house house;
    struct plan plan;

    (void)state;
    house_init(&house, 6);
    house.targets[0].tier = 100;
    house.targets[1].is_enabled = false;
    house.providers[2].dialect = &dialect_anthropic;
    house.targets[3].tier = 7;
    house.targets[5].tier = 7;
    house_open(&house, 1);
    plan_plain(&house, &plan, 0);
    EXPECT_ORDER(&plan, 4, 3, 5, 0);
    assert_int_equal(pick(&plan, &house, 0), 4);
    assert_true(plan_speaks(&house.route, &dialect_anthropic));
    house.targets[2].is_enabled = false;
    assert_false(plan_speaks(&house.route, &dialect_anthropic));
    end(&house);
}

static void plan__holds_as_many_as_a_route_may_list(void **state)
{
    struct house house;
    struct plan plan;

    (void)state;
    for (size_t row = 0; strategy_at(row) != NULL; row++) {
        house_init(&house, TARGETS_MAX);
        house.route.strategy = strategy_at(row);
        for (size_t i = 0; i < TARGETS_MAX; i++) {
            house.targets[i].tier = (uint32_t)(1 + i % (row + 1));
        }
        house_open(&house, 1);
        for (mono_ms now = 0; now < 300; now++) {
            uint32_t seen = 0;
            uint32_t tier = 0;

            plan_as(&house, &plan, now % 2 == 0 ? "s" : "", "", now);
            assert_int_equal(plan.count, TARGETS_MAX);
            for (uint8_t i = 0; i < TARGETS_MAX; i++) {
                seen |= UINT32_C(1) << plan.order[i];
                assert_true(house.targets[plan.order[i]].tier >= tier);
                tier = house.targets[plan.order[i]].tier;
            }
            assert_int_equal(seen, UINT32_MAX);
            for (uint8_t i = 0; i < TARGETS_MAX; i++) { /* each once before any again */
                uint8_t place = pick(&plan, &house, now);
                assert_int_equal(plan.tries[place], 0);
                plan.tries[place]++;
            }
            plan_served(&plan, house.fleet, (uint8_t)(now % TARGETS_MAX / (row + 1) * (row + 1)),
                        now);
        }
        end(&house);
    }
}

static void plan__of_no_route_is_the_one_target(void **state)
{
    struct house house;
    struct plan plan;
    struct way way = {.rules = &house.routing.defaults};
    struct plan_ask ask = {.dialect = &dialect_openai, .model = SPAN_OF("x")};

    (void)state;
    house_init(&house, 2);
    house_open(&house, 1);
    way.direct = (struct target){.provider = &house.providers[1],
                                 .model = SPAN_OF("x"),
                                 .share_percent = 100,
                                 .is_enabled = true,
                                 .number = TARGET_UNLISTED};
    plan_make(&plan, house.fleet, &way, &ask, 0);
    EXPECT_ORDER(&plan, 0);
    assert_int_equal(plan_member(&plan, house.fleet, 0).endpoint, 1);
    assert_int_equal(pick(&plan, &house, 0), 0);
    ask.dialect = &dialect_anthropic;
    plan_make(&plan, house.fleet, &way, &ask, 0);
    assert_int_equal(plan.count, 0);
    assert_int_equal(pick(&plan, &house, 0), PLAN_NONE);
    assert_int_equal(plan_outlook(&plan, house.fleet, 1, 0).soonest, PLAN_NONE);
    end(&house);
}

static void plan__shares_go_by_caller_or_session(void **state)
{
    size_t canaries = 0;
    struct house house;
    struct plan plan;

    (void)state;
    house_init(&house, 2);
    house.targets[0].share_percent = 20; /* the canary first, the others behind */
    house_open(&house, 1);
    for (int i = 0; i < 2000; i++) {
        char name[16];
        bool is_canary = false;

        (void)snprintf(name, sizeof name, "caller-%d", i);
        plan_as(&house, &plan, "", name, 0);
        is_canary = plan.count == 2;
        assert_int_equal(plan.order[0], is_canary ? 0 : 1);
        for (mono_ms now = 1; now < 4; now++) { /* the same each time */
            plan_as(&house, &plan, "", name, now);
            assert_int_equal(plan.count == 2, is_canary);
        }
        plan_as(&house, &plan, name, "whoever", 0); /* the session's, where there is one */
        assert_int_equal(plan.count == 2, is_canary);
        canaries += is_canary ? 1 : 0;
    }
    assert_in_range(canaries, 340, 460);
    end(&house);
}

/* ---- by strategy ---- */

static void count_firsts(struct house *house, size_t calls, mono_ms now, size_t *counts)
{
    memset(counts, 0, TARGETS_MAX * sizeof *counts);
    for (size_t i = 0; i < calls; i++) {
        struct plan plan;

        plan_plain(house, &plan, now);
        counts[pick(&plan, house, now)]++;
    }
}

static void plan__orders_by_the_routes_strategy(void **state)
{
    size_t counts[TARGETS_MAX];
    struct house house;

    (void)state;
    house_init(&house, 3);
    house.route.strategy = &strategy_weighted;
    house.targets[0].weight = 7;
    house_open(&house, 1);
    count_firsts(&house, 900, 0, counts);
    assert_int_equal(counts[0], 700);
    assert_int_equal(counts[1], 100);
    end(&house);
    house_init(&house, 3);
    house.route.strategy = &strategy_fastest;
    house_open(&house, 1);
    for (size_t i = 0; i < 3; i++) {
        struct entry entry;
        struct ending ending = {.outcome = OUTCOME_OK, .had_content = true, .hint_ms = HINT_NONE};

        enter(&house, i, &entry, 0);
        fleet_content(house.fleet, &entry, i == 1 ? 100 : 900, false, 0);
        fleet_report(house.fleet, &entry, &ending, 0);
    }
    count_firsts(&house, 1000, 0, counts);
    assert_int_equal(counts[1], 980);
    end(&house);
    house_init(&house, 2);
    house.route.strategy = &strategy_least_busy;
    house_open(&house, 1);
    for (int i = 0; i < 3; i++) {
        struct entry entry;
        enter(&house, 0, &entry, 0);
    }
    count_firsts(&house, 1000, 0, counts);
    assert_int_equal(counts[1], 1000);
    end(&house);
}

/* Which one is the cheapest depends on how much is read and how much is written. */
static void plan__orders_by_what_the_call_would_cost(void **state)
{
    static const struct {
        uint64_t input, output;
        uint8_t first;
    } rows[] = {{1000, 1, 0}, {1, 1000, 1}, {100, 100, 2}};
    static const uint32_t prices[3][2] = {{1, 1000}, {1000, 1}, {20, 20}};
    struct price_case cases[3];
    struct price list[3];
    struct arena arena;
    struct house house;
    struct book book;

    (void)state;
    arena_init(&arena, 1 << 20);
    book_init(&book, &arena);
    house_init(&house, 4); /* the last one has no price */
    house.route.strategy = &strategy_cheapest;
    for (size_t i = 0; i < 3; i++) {
        memset(&cases[i], 0xff, sizeof cases[i]);
        cases[i] = (struct price_case){.over = PRICE_ANY_PROMPT, .rates = cases[i].rates};
        cases[i].rates.token[TOKENS_INPUT] = prices[i][0];
        cases[i].rates.token[TOKENS_OUTPUT] = prices[i][1];
        list[i] = (struct price){.list = house.providers[i].name,
                                 .model = SPAN_OF("m"),
                                 .from = INT64_MIN,
                                 .until = INT64_MAX,
                                 .cases = &cases[i],
                                 .counts = {.cases = 1}};
        book_add(&book, &list[i]);
        house.providers[i].prices.list = house.providers[i].name;
    }
    assert_true(book_close(&book));
    house_open(&house, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct way way = {.route = &house.route, .rules = &house.route};
        struct plan_ask ask = {.dialect = &dialect_openai,
                               .model = SPAN_OF("m"),
                               .prices = &book,
                               .estimate = {.input_tokens = rows[i].input,
                                            .output_tokens = rows[i].output}};
        struct plan plan;

        plan_make(&plan, house.fleet, &way, &ask, 0);
        assert_int_equal(plan.order[0], rows[i].first);
        assert_int_equal(plan.order[3], 3);
        ask.prices = NULL; /* nothing is known: chance, and no harm */
        plan_make(&plan, house.fleet, &way, &ask, 0);
        assert_int_equal(plan.count, 4);
    }
    end(&house);
    arena_fini(&arena);
}

/* One that answers ten times as late counts as ten times as busy. */
static void plan__compares_with_the_fastest_of_the_tier(void **state)
{
    struct ending ending = {.outcome = OUTCOME_OK, .had_content = true, .hint_ms = HINT_NONE};
    size_t counts[TARGETS_MAX];
    struct house house;
    struct entry entry;

    (void)state;
    house_init(&house, 2);
    house.route.strategy = &strategy_least_busy;
    house_open(&house, 1);
    for (size_t i = 0; i < 2; i++) {
        enter(&house, i, &entry, 0);
        fleet_content(house.fleet, &entry, i == 0 ? 100 : 1000, false, 0);
        fleet_report(house.fleet, &entry, &ending, 0);
    }
    for (int i = 0; i < 8; i++) {
        enter(&house, 0, &entry, 0);
    }
    count_firsts(&house, 100, 0, counts);
    assert_int_equal(counts[0], 100);
    for (int i = 0; i < 2; i++) {
        enter(&house, 0, &entry, 0);
    }
    count_firsts(&house, 100, 0, counts);
    assert_int_equal(counts[1], 100);
    end(&house);
}

/* Whoever is out leaves its turns to all others alike. */
static void plan__shares_the_turns_of_one_that_is_out(void **state)
{
    static const struct strategy *const strategies[] = {&strategy_round_robin, &strategy_weighted,
                                                        &strategy_least_busy};

    (void)state;
    for (size_t row = 0; row < ARRAY_LENGTH(strategies); row++) {
        size_t counts[TARGETS_MAX];
        struct house house;

        house_init(&house, 4);
        house.route.strategy = strategies[row];
        house_open(&house, 1);
        attempt(&house, 1, OUTCOME_AUTH, 0);
        count_firsts(&house, 3000, 0, counts);
        assert_int_equal(counts[1], 0);
        for (size_t i = 0; i < 4; i++) {
            assert_true(i == 1 || (counts[i] > 900 && counts[i] < 1100));
        }
        count_firsts(&house, 4000, 300000, counts); /* and it comes back to its own part */
        for (size_t i = 0; i < 4; i++) {
            assert_in_range(counts[i], 900, 1100);
        }
        end(&house);
    }
}

/* ---- who may be asked ---- */

static void plan__passes_over_whoever_is_out(void **state)
{
    struct house house;
    struct plan plan;

    (void)state;
    house_init(&house, 5);
    house.targets[3].tier = 2;
    house.targets[4].tier = 2;
    house_open(&house, 1);
    attempt(&house, 0, OUTCOME_THROTTLED, 0);
    attempt(&house, 1, OUTCOME_AUTH, 0);
    attempts(&house, 5, 2, OUTCOME_PROVIDER_ERROR, 0);
    plan_plain(&house, &plan, 0);
    EXPECT_ORDER(&plan, 0, 1, 2, 3, 4);
    assert_int_equal(pick(&plan, &house, 0), 3);
    assert_int_equal(pick(&plan, &house, 999), 3);
    assert_int_equal(pick(&plan, &house, 1000), 0); /* asked again at each attempt */
    (void)fleet_obey(house.fleet, SPAN_OF("p0"), FLEET_PARK, 1000);
    assert_int_equal(pick(&plan, &house, 6500), 2); /* as a probe */
    plan.tries[2] = 1;
    assert_int_equal(pick(&plan, &house, 6500), 3);
    plan.tries[3] = 1;
    plan.tries[4] = 1;
    assert_int_equal(pick(&plan, &house, 6500), 2); /* all were tried: from the beginning */
    plan.tries[2] = 2;
    assert_int_equal(pick(&plan, &house, 6500), 3);
    end(&house);
}

static void plan__wishes(void **state)
{
    struct plan_wish wish = {.tries_max = 1, .but = PLAN_NONE, .other_credential_than = PLAN_NONE};
    struct house house;
    struct plan plan;

    (void)state;
    house_init(&house, 4);
    house.providers[1].credential_index = 0;
    house_open(&house, 1);
    plan_plain(&house, &plan, 0);
    wish.but = 0;
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, 0), 1);
    wish.other_credential_than = 0;
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, 0), 2);
    wish.is_certain = true;
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, 0), 2);
    attempts(&house, 5, 2, OUTCOME_PROVIDER_ERROR, 0);
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, 0), 3);
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, 7000), 3); /* no probe */
    wish.is_certain = false;
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, 7000), 2);
    plan.tries[2] = 1;
    plan.tries[3] = 1;
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, 7000), PLAN_NONE);
    end(&house);
}

/* A hedge goes to nobody who has just come back. */
static void plan__is_not_certain_of_a_target_in_slow_start(void **state)
{
    struct plan_wish wish = {
        .tries_max = 1, .but = 0, .other_credential_than = 0, .is_certain = true};
    struct house house;
    struct plan plan;
    mono_ms now = 0;

    (void)state;
    house_init(&house, 2);
    house_open(&house, 1);
    now = heal(&house, 1, 1000);
    plan_plain(&house, &plan, now);
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, now), PLAN_NONE);
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, now + 29999), PLAN_NONE);
    assert_int_equal(plan_pick(&plan, house.fleet, &wish, now + 30000), 1);
    end(&house);
}

/* ---- nobody is there ---- */

static void plan__looks_out_for_who_comes_back(void **state)
{
    struct outlook outlook;
    struct house house;
    struct plan plan;

    (void)state;
    house_init(&house, 4);
    house_open(&house, 1);
    plan_plain(&house, &plan, 0);
    attempt(&house, 0, OUTCOME_BILLING, 0);
    attempt(&house, 1, OUTCOME_AUTH, 0);
    attempts(&house, 5, 2, OUTCOME_PROVIDER_ERROR, 0);
    attempt(&house, 3, OUTCOME_THROTTLED, 0);
    outlook = plan_outlook(&plan, house.fleet, 1, 0);
    assert_int_equal(outlook.soonest, 3);
    assert_int_equal(outlook.at, 1000);
    assert_int_equal(outlook.soonest_open, 2);
    assert_int_equal(outlook.at_any, 1000);
    assert_false(outlook.is_all_cooling || outlook.is_all_parked);
    plan.tries[3] = 1; /* its return would be of no use */
    outlook = plan_outlook(&plan, house.fleet, 1, 0);
    assert_int_equal(outlook.soonest, 2);
    assert_in_range(outlook.at, 4000, 6000);
    assert_int_equal(outlook.at_any, 1000);
    outlook = plan_outlook(&plan, house.fleet, 1, 1000); /* it stands: nobody waits for it */
    assert_int_equal(outlook.soonest, 2);
    assert_in_range(outlook.at_any, 4000, 6000);
    plan.tries[3] = 0;
    outlook = plan_outlook(&plan, house.fleet, 1, 1000);
    assert_int_equal(outlook.soonest, 2);
    end(&house);
}

static void plan__tells_all_parked_from_all_cooling(void **state)
{
    struct outlook outlook;
    struct house house;
    struct plan plan;

    (void)state;
    house_init(&house, 2);
    house_open(&house, 1);
    plan_plain(&house, &plan, 0);
    attempt(&house, 0, OUTCOME_BILLING, 0);
    attempt(&house, 1, OUTCOME_AUTH, 0);
    outlook = plan_outlook(&plan, house.fleet, 1, 0);
    assert_true(outlook.is_all_parked && !outlook.is_all_cooling);
    assert_int_equal(outlook.reason, PARK_BILLING);
    assert_int_equal(outlook.soonest, PLAN_NONE);
    assert_int_equal(outlook.soonest_open, PLAN_NONE);
    assert_int_equal(outlook.at_any, 300000);
    (void)fleet_obey(house.fleet, SPAN_OF("*"), FLEET_PARK, 0);
    outlook = plan_outlook(&plan, house.fleet, 1, 0);
    assert_true(outlook.is_all_parked);
    assert_int_equal(outlook.reason, PARK_NONE);
    assert_true(outlook.at_any == MONO_NEVER);
    (void)fleet_obey(house.fleet, SPAN_OF("*"), FLEET_RESET, 0);
    attempt(&house, 0, OUTCOME_THROTTLED, 0);
    attempt(&house, 1, OUTCOME_THROTTLED, 0);
    outlook = plan_outlook(&plan, house.fleet, 1, 0);
    assert_true(outlook.is_all_cooling && !outlook.is_all_parked);
    assert_int_equal(outlook.soonest_open, PLAN_NONE);
    end(&house);
}

/* ---- slow start ---- */

static void plan__lets_a_target_begin_slowly(void **state)
{
    static const struct {
        mono_ms after;
        size_t least, most; /* of 10,000 */
    } rows[] = {{0, 900, 1100}, {10000, 3800, 4200}, {20000, 6800, 7200}, {30000, 10000, 10000}};
    size_t counts[TARGETS_MAX];
    struct house house;
    mono_ms now = 0;

    (void)state;
    house_init(&house, 2);
    house_open(&house, 1);
    now = heal(&house, 0, 1000);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        count_firsts(&house, 10000, now + rows[i].after, counts);
        assert_in_range(counts[0], rows[i].least, rows[i].most);
    }
    (void)fleet_obey(house.fleet, SPAN_OF("p1"), FLEET_PARK, now);
    count_firsts(&house, 1000, now, counts); /* nobody else: all of it */
    assert_int_equal(counts[0], 1000);
    end(&house);
}

/* ---- sessions ---- */

static void begin_sticky(struct house *house, const struct strategy *strategy)
{
    house_init(house, 4);
    house->route.strategy = strategy;
    house_open(house, 1);
}

static void plan__keeps_sessions_where_they_were_served(void **state)
{
    static const struct strategy *const strategies[] = {&strategy_round_robin, &strategy_weighted,
                                                        &strategy_least_busy, &strategy_fastest};
    struct house house;
    struct plan plan;

    (void)state;
    for (size_t row = 0; row < ARRAY_LENGTH(strategies); row++) {
        begin_sticky(&house, strategies[row]);
        for (mono_ms now = 0; now < 400; now++) { /* eight that do not fall together */
            char session[16];

            (void)snprintf(session, sizeof session, "s%u", (unsigned)(now % 8));
            plan_as(&house, &plan, session, "", now);
            if (now < 8) {
                plan_served(&plan, house.fleet, (uint8_t)(now % 4), now);
            } else {
                assert_int_equal(plan.order[0], now % 4);
            }
        }
        end(&house);
    }
}

/* Each of the four is first in its turn, whatever the session. */
static void expect_turns(struct house *house, mono_ms now)
{
    size_t counts[4] = {0};

    for (int i = 0; i < 40; i++) {
        struct plan plan;

        plan_as(house, &plan, "s", "", now);
        counts[plan.order[0]]++;
    }
    for (size_t i = 0; i < 4; i++) {
        assert_in_range(counts[i], 9, 11);
    }
}

static void plan__does_not_keep_sessions_under_priority_or_when_off(void **state)
{
    struct house house;
    struct plan plan;

    (void)state;
    begin_sticky(&house, &strategy_priority);
    plan_as(&house, &plan, "s", "", 0);
    plan_served(&plan, house.fleet, 2, 0);
    plan_as(&house, &plan, "s", "", 1);
    EXPECT_ORDER(&plan, 0, 1, 2, 3);
    end(&house);
    begin_sticky(&house, &strategy_round_robin);
    house.route.is_sticky = false;
    plan_as(&house, &plan, "s", "", 0);
    plan_served(&plan, house.fleet, 2, 0);
    expect_turns(&house, 1);
    end(&house);
}

static void plan__moves_a_session_whose_target_is_out(void **state)
{
    struct house house;
    struct plan plan;
    uint8_t place = 0;

    (void)state;
    begin_sticky(&house, &strategy_round_robin);
    plan_as(&house, &plan, "s", "", 0);
    plan_served(&plan, house.fleet, 2, 0);
    attempt(&house, 2, OUTCOME_THROTTLED, 1);
    plan_as(&house, &plan, "s", "", 2);
    place = pick(&plan, &house, 2);
    assert_int_not_equal(place, 2);
    plan_served(&plan, house.fleet, place, 2);
    plan_as(&house, &plan, "s", "", 5000); /* and it stays there */
    assert_int_equal(plan.order[0], place);
    expect_turns(&house, 2 + STICKY_IDLE_MS); /* until it is forgotten */
    end(&house);
}

static void plan__does_not_keep_a_session_at_a_crowded_target_or_a_lower_tier(void **state)
{
    struct entry entries[4];
    struct house house;
    struct plan plan;

    (void)state;
    begin_sticky(&house, &strategy_round_robin);
    plan_as(&house, &plan, "s", "", 0);
    plan_served(&plan, house.fleet, 3, 0);
    for (size_t i = 0; i < 4; i++) {
        plan_as(&house, &plan, "s", "", 0);
        assert_true(i >= 2 || plan.order[0] == 3); /* two against one is not too many */
        enter(&house, 3, &entries[i], 0);
    }
    expect_turns(&house, 0);
    house.targets[3].weight = 10;
    plan_as(&house, &plan, "s", "", 0);
    assert_int_equal(plan.order[0], 3);
    house.targets[3].tier = 2;
    plan_as(&house, &plan, "s", "", 0);
    assert_int_not_equal(plan.order[0], 3);
    assert_int_equal(plan.order[3], 3);
    end(&house);
}

/* As many sessions as the table has places, less those that fall together: 1 - 1/e of them. */
static void plan__uses_the_whole_table_of_sessions(void **state)
{
    size_t kept = 0;
    struct house house;
    struct plan plan;

    (void)state;
    begin_sticky(&house, &strategy_round_robin);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < STICKY_ENTRIES; i++) {
            char session[16];

            (void)snprintf(session, sizeof session, "session-%d", i);
            plan_as(&house, &plan, session, "", 0);
            if (round == 0) {
                plan_served(&plan, house.fleet, 0, 0);
            } else {
                kept += sticky_find(fleet_sticky(house.fleet), plan.session, 0) == 0 ? 1 : 0;
            }
        }
    }
    assert_in_range(kept, STICKY_ENTRIES * 60 / 100, STICKY_ENTRIES * 66 / 100);
    end(&house);
}

/* ---- budgets ---- */

static void plan__counts_a_call_once_at_each_endpoint(void **state)
{
    struct house house;
    struct plan plan;
    size_t retries = 0;
    struct member member;

    (void)state;
    house_init(&house, 4);
    house.providers[1].endpoint.index = 0;
    house.targets[3].is_enabled = false;
    house_open(&house, 1);
    member = fleet_member(house.fleet, &house.targets[1], SPAN_OF("app"));
    for (int i = 0; i < 50; i++) {
        plan_plain(&house, &plan, 0);
    }
    for (; fleet_storm(house.fleet, member, 0) == STORM_ALLOWS; retries++) {
        struct ending ending = {.outcome = OUTCOME_APP_GONE, .hint_ms = HINT_NONE};
        struct entry entry;

        fleet_enter(house.fleet, &entry, &house.targets[0], member, &estimate, true, false, 1, 0);
        fleet_report(house.fleet, &entry, &ending, 0);
    }
    assert_int_equal(retries, 20); /* ten, and a fifth of fifty */
    end(&house);
}

/* ---- asked beforehand ---- */

static void preview(struct house *house, struct plan *plan, const struct way *way, mono_ms now)
{
    struct plan_ask ask = {.dialect = &dialect_openai,
                           .model = SPAN_OF("app"),
                           .estimate = estimate,
                           .is_preview = true};

    plan_make(plan, house->fleet, way, &ask, now);
}

static void plan__a_preview_is_what_the_next_call_gets(void **state)
{
    (void)state;
    for (size_t row = 0; strategy_at(row) != NULL; row++) {
        struct house house;

        house_init(&house, 5);
        house.route.strategy = strategy_at(row);
        house_open(&house, row + 1);
        for (int i = 0; i < 40; i++) {
            struct way way = {.route = &house.route, .rules = &house.route};
            struct plan seen;
            struct plan plan;

            for (int k = 0; k < i % 3; k++) {
                preview(&house, &seen, &way, 0);
            }
            preview(&house, &seen, &way, 0);
            plan_plain(&house, &plan, 0);
            expect_order(&seen, plan.count, plan.order);
        }
        end(&house);
    }
}

static void plan__a_preview_leaves_nothing_behind(void **state)
{
    struct house house;
    struct plan plan;
    struct way way;
    struct member member;
    size_t retries = 0;
    size_t before = 0;

    (void)state;
    house_init(&house, 2);
    house_open(&house, 1);
    way = (struct way){.direct = house.targets[0], .rules = &house.route};
    way.direct.number = TARGET_UNLISTED;
    way.direct.model = SPAN_OF("");
    before = fleet_view_count(house.fleet);
    for (int i = 0; i < 50; i++) {
        preview(&house, &plan, &way, 0);
    }
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan_standing(&plan, house.fleet, 0, 0).what, ELIGIBLE);
    assert_int_equal(fleet_view_count(house.fleet), before);
    member = fleet_member(house.fleet, &house.targets[0], SPAN_OF("app"));
    for (; fleet_storm(house.fleet, member, 0) == STORM_ALLOWS; retries++) {
        struct ending ending = {.outcome = OUTCOME_APP_GONE, .hint_ms = HINT_NONE};
        struct entry entry;

        fleet_enter(house.fleet, &entry, &house.targets[0], member, &estimate, true, false, 1, 0);
        fleet_report(house.fleet, &entry, &ending, 0);
    }
    assert_int_equal(retries, 10); /* ten, and nothing of fifty */
    end(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__takes_the_enabled_that_speak_tier_after_tier),
        cmocka_unit_test(plan__holds_as_many_as_a_route_may_list),
        cmocka_unit_test(plan__of_no_route_is_the_one_target),
        cmocka_unit_test(plan__shares_go_by_caller_or_session),
        cmocka_unit_test(plan__orders_by_the_routes_strategy),
        cmocka_unit_test(plan__orders_by_what_the_call_would_cost),
        cmocka_unit_test(plan__compares_with_the_fastest_of_the_tier),
        cmocka_unit_test(plan__shares_the_turns_of_one_that_is_out),
        cmocka_unit_test(plan__passes_over_whoever_is_out),
        cmocka_unit_test(plan__wishes),
        cmocka_unit_test(plan__is_not_certain_of_a_target_in_slow_start),
        cmocka_unit_test(plan__looks_out_for_who_comes_back),
        cmocka_unit_test(plan__tells_all_parked_from_all_cooling),
        cmocka_unit_test(plan__lets_a_target_begin_slowly),
        cmocka_unit_test(plan__keeps_sessions_where_they_were_served),
        cmocka_unit_test(plan__does_not_keep_sessions_under_priority_or_when_off),
        cmocka_unit_test(plan__moves_a_session_whose_target_is_out),
        cmocka_unit_test(plan__does_not_keep_a_session_at_a_crowded_target_or_a_lower_tier),
        cmocka_unit_test(plan__uses_the_whole_table_of_sessions),
        cmocka_unit_test(plan__counts_a_call_once_at_each_endpoint),
        cmocka_unit_test(plan__a_preview_is_what_the_next_call_gets),
        cmocka_unit_test(plan__a_preview_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
