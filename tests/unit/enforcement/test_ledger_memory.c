/* SPDX-License-Identifier: Apache-2.0 */
/* What the embedded ledger grants, denies and remembers. That it never gives away more than there is,
 * whatever comes in whatever order, is shown by tests/contract/test_ledger.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "enforcement/ledger_memory.h"

enum { HOUR_MS = 3600000 };
#define DAY_MS INT64_C(86400000)
/* 2026-11-29T12:00:00Z */
#define NOON INT64_C(1795953600000)

static const uint64_t seed[2] = {1, 2};

struct world {
    struct ledger *ledger;
    struct budget budgets[4];
    size_t count;
    struct chain chain;
    struct hold_answer answer;
    wall_ms now;
    unsigned warnings;
    uint8_t percent;
    struct ledger_row row;
    unsigned rows;
};

static void hear_warning(void *to, const struct ledger_warning *warning)
{
    struct world *world = to;

    world->warnings++;
    world->percent = warning->percent;
}

static struct budget *add(struct world *world, const char *name, enum window_kind kind, int64_t limit)
{
    struct budget *budget = &world->budgets[world->count];

    *budget = (struct budget){.name = span_of(name),
                              .scope = {.kind = SCOPE_TEAM},
                              .limit = limit,
                              .window = {.kind = kind},
                              .index = (uint16_t)world->count};
    world->chain.list[world->count] =
        (struct chain_link){.budget = budget, .value = SPAN_OF("growth")};
    world->count++;
    world->chain.count = (uint8_t)world->count;
    return budget;
}

static void begin(struct world *world)
{
    struct ledger_ears ears = {.to = world, .on_warning = hear_warning};

    *world = (struct world){.now = NOON};
    world->ledger = ledger_memory_new(&ears, seed);
    assert_non_null(world->ledger);
}

static void end(struct world *world)
{
    assert_int_equal(ledger_memory_open(world->ledger), 0);
    ledger_memory_free(world->ledger);
    assert_int_equal(mem_held(), 0);
}

static struct amounts nano(int64_t amount)
{
    return (struct amounts){{amount, amount, 1}};
}

static uint64_t hold(struct world *world, int64_t amount)
{
    struct hold_request request = {.call_id = 7,
                                   .attempt = 1,
                                   .record_id = SPAN_OF("7-1"),
                                   .team = SPAN_OF("growth"),
                                   .chain = &world->chain,
                                   .amounts = nano(amount),
                                   .now = world->now};
    uint64_t ticket = 0;

    assert_true(ledger_memory_ops.hold(world->ledger, &request, &ticket, &world->answer));
    assert_int_equal(ticket != 0, world->answer.verdict == HOLD_GRANTED);
    return ticket;
}

static void settle(struct world *world, uint64_t ticket, int64_t actual)
{
    struct amounts amounts = nano(actual);

    ledger_memory_ops.settle(world->ledger, ticket, &amounts);
}

static void spend(struct world *world, int64_t amount)
{
    uint64_t ticket = hold(world, amount);

    assert_int_not_equal(ticket, 0);
    settle(world, ticket, amount);
}

struct reading {
    struct ledger_report report;
    struct world *world;
};

static void hear_row(struct ledger_report *report, const struct ledger_row *row)
{
    struct world *world = ((struct reading *)report)->world;

    world->row = *row;
    world->rows++;
}

static void hear_done(struct ledger_report *report, bool is_whole)
{
    (void)report;
    assert_true(is_whole);
}

/* The last row of this subject; how many there are. NULL: of all. */
static unsigned read_rows_of(struct world *world, const struct subject *subject)
{
    struct budgets budgets = {.list = world->budgets, .count = world->count};
    struct reading reading = {.report = {.subject = subject,
                                         .budgets = &budgets,
                                         .now = world->now,
                                         .row = hear_row,
                                         .done = hear_done},
                              .world = world};

    world->rows = 0;
    ledger_memory_ops.report(world->ledger, &reading.report);
    return world->rows;
}

static unsigned read_rows(struct world *world)
{
    return read_rows_of(world, NULL);
}

/* ---- */

static void ledger_memory__holds_count_until_they_are_settled(void **state)
{
    struct world world;
    uint64_t first = 0;
    uint64_t second = 0;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_DAY, 100);
    first = hold(&world, 60);
    assert_int_equal(world.answer.left.of[UNIT_MONEY], 100);
    assert_int_equal(hold(&world, 41), 0);
    assert_int_equal(world.answer.verdict, HOLD_DENIED);
    assert_int_equal(world.answer.link, 0);
    assert_int_equal(world.answer.used, 60);
    assert_int_equal(world.answer.left.of[UNIT_MONEY], 40);
    assert_int_equal(world.answer.window_end, NOON / DAY_MS * DAY_MS + DAY_MS);
    second = hold(&world, 40);
    settle(&world, first, 10);
    assert_int_equal(read_rows(&world), 1);
    assert_int_equal(world.row.settled, 10);
    assert_int_equal(world.row.held, 40);
    settle(&world, second, 45);
    (void)read_rows(&world);
    assert_int_equal(world.row.settled, 55);
    assert_int_equal(world.row.held, 0);
    assert_int_equal(world.row.overrun, 5);
    end(&world);
}

static void ledger_memory__holds_the_whole_chain_or_nothing(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_DAY, 100);
    add(&world, "hour", WINDOW_HOUR, 10);
    assert_int_equal(hold(&world, 11), 0);
    assert_int_equal(world.answer.link, 1);
    assert_int_equal(world.answer.left.of[UNIT_MONEY], 10);
    assert_int_equal(read_rows(&world), 2);
    assert_int_equal(world.row.held + world.row.settled, 0);
    spend(&world, 10);
    assert_int_equal(hold(&world, 1), 0);
    world.now += HOUR_MS;
    spend(&world, 10);
    end(&world);
}

static void ledger_memory__only_enforcing_budgets_deny(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add(&world, "warn", WINDOW_DAY, 10)->mode = BUDGET_WARN;
    add(&world, "shadow", WINDOW_DAY, 5)->mode = BUDGET_SHADOW;
    spend(&world, 20);
    assert_int_equal(world.answer.link, 0);
    assert_true(world.answer.is_over);
    assert_int_equal(world.answer.left.of[UNIT_MONEY], INT64_MAX);
    end(&world);
}

static void ledger_memory__warns_once_for_each_threshold(void **state)
{
    struct world world;
    struct budget *budget = NULL;

    (void)state;
    begin(&world);
    budget = add(&world, "day", WINDOW_DAY, 100);
    budget->warn_at[0] = 50;
    budget->warn_at[1] = 80;
    budget->warn_count = 2;
    spend(&world, 49);
    assert_int_equal(world.warnings, 0);
    spend(&world, 1);
    assert_int_equal(world.warnings, 1);
    assert_int_equal(world.percent, 50);
    spend(&world, 1);
    assert_int_equal(world.warnings, 1);
    assert_int_equal(world.answer.link, 0);
    assert_int_equal(world.answer.percent, 50);
    spend(&world, 49);
    assert_int_equal(world.warnings, 2);
    assert_int_equal(world.percent, 100);
    world.now += DAY_MS;
    spend(&world, 80);
    assert_int_equal(world.warnings, 3);
    assert_int_equal(world.percent, 80);
    end(&world);
}

static void ledger_memory__a_warm_up_only_warns(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_TOTAL, 10)->warm_up_ms = HOUR_MS;
    spend(&world, 20);
    world.now += HOUR_MS - 1;
    spend(&world, 20);
    assert_true(world.answer.is_over);
    world.now += 1;
    assert_int_equal(hold(&world, 1), 0);
    end(&world);
    begin(&world);
    add(&world, "day", WINDOW_TOTAL, 10)->warm_up_ms = HOUR_MS;
    ledger_memory_first_seen(world.ledger, SPAN_OF("day"), NOON - HOUR_MS);
    assert_int_equal(hold(&world, 11), 0);
    end(&world);
}

static void ledger_memory__a_hold_counts_in_the_window_in_which_it_was_made(void **state)
{
    struct world world;
    uint64_t late = 0;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_DAY, 100);
    late = hold(&world, 100);
    world.now += DAY_MS;
    spend(&world, 100);
    settle(&world, late, 90);
    (void)read_rows(&world);
    assert_int_equal(world.row.settled, 100);
    assert_int_equal(hold(&world, 1), 0);
    end(&world);
}

static void ledger_memory__a_clock_that_goes_back_opens_no_window_twice(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_DAY, 100);
    world.now += DAY_MS;
    spend(&world, 100);
    world.now -= DAY_MS;
    assert_int_equal(hold(&world, 1), 0);
    end(&world);
}

static void ledger_memory__rolling_windows_let_go_bit_by_bit(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add(&world, "rolling", WINDOW_ROLLING, 100)->window.length_ms = DAY_MS;
    spend(&world, 60);
    world.now += 12 * HOUR_MS;
    spend(&world, 40);
    assert_int_equal(hold(&world, 1), 0);
    world.now += 12 * HOUR_MS - 1;
    assert_int_equal(hold(&world, 1), 0);
    /* Half of the first part has left the window. */
    world.now += HOUR_MS / 2 + 1;
    spend(&world, 30);
    assert_int_equal(hold(&world, 1), 0);
    world.now += HOUR_MS / 2;
    spend(&world, 30);
    assert_int_equal(hold(&world, 1), 0);
    end(&world);
}

static void ledger_memory__tells_what_still_counts_of_a_rolling_window(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add(&world, "rolling", WINDOW_ROLLING, 100)->window.length_ms = DAY_MS;
    spend(&world, 60);
    for (int i = 0; i < 24; i++) { /* nobody has asked for anything meanwhile */
        assert_int_equal(read_rows(&world), 1);
        assert_int_equal(world.row.settled, 60);
        assert_int_equal(world.row.window.begin, world.now - DAY_MS);
        assert_int_equal(world.row.window.end, world.now + HOUR_MS);
        world.now += HOUR_MS;
    }
    world.now += HOUR_MS / 2;
    assert_int_equal(read_rows(&world), 1);
    assert_int_equal(world.row.settled, 30);
    world.now += HOUR_MS / 2;
    assert_int_equal(read_rows(&world), 0);
    end(&world);
}

static void ledger_memory__a_question_about_one_makes_no_counters(void **state)
{
    struct subject growth = {.values = {[SCOPE_TEAM] = SPAN("growth")}};
    struct subject other = {.values = {[SCOPE_TEAM] = SPAN("other")}};
    struct world world;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_DAY, 100);
    add(&world, "month", WINDOW_MONTH, 100);
    assert_int_equal(read_rows_of(&world, &growth), 0);
    spend(&world, 5);
    assert_int_equal(read_rows_of(&world, &other), 0);
    assert_int_equal(read_rows_of(&world, &growth), 2);
    assert_int_equal(world.row.settled, 5);
    assert_int_equal(read_rows(&world), 2);
    world.now += DAY_MS; /* the day has none of its own yet; the month goes on, but for its last day */
    assert_int_equal(read_rows_of(&world, &growth), 1);
    assert_true(span_equal(world.row.budget, SPAN_OF("month")));
    assert_int_equal(world.row.settled, 5);
    end(&world);
}

static void ledger_memory__extends_a_hold_by_the_same_rule(void **state)
{
    struct world world;
    struct amounts more = nano(40);
    uint64_t ticket = 0;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_DAY, 100);
    ticket = hold(&world, 50);
    assert_true(ledger_memory_ops.extend(world.ledger, ticket, &more, &world.answer));
    assert_int_equal(world.answer.verdict, HOLD_GRANTED);
    assert_true(world.answer.is_extend);
    assert_true(ledger_memory_ops.extend(world.ledger, ticket, &more, &world.answer));
    assert_int_equal(world.answer.verdict, HOLD_DENIED);
    (void)read_rows(&world);
    assert_int_equal(world.row.held, 90);
    settle(&world, ticket, 90);
    (void)read_rows(&world);
    assert_int_equal(world.row.overrun, 0);
    end(&world);
}

static void ignore_order(struct ledger_order *order, bool is_done, const char *why)
{
    (void)why;
    assert_int_equal(is_done, order->kind == ORDER_RESET);
}

static void ledger_memory__a_reset_begins_a_generation(void **state)
{
    struct world world;
    struct ledger_order order = {
        .kind = ORDER_RESET, .budget = SPAN_OF("day"), .now = NOON, .done = ignore_order};
    struct ledger_order other = {.kind = ORDER_VOID, .now = NOON, .done = ignore_order};
    uint64_t open = 0;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_DAY, 100);
    spend(&world, 50);
    open = hold(&world, 50);
    ledger_memory_ops.order(world.ledger, &other);
    ledger_memory_ops.order(world.ledger, &order);
    assert_int_equal(order.touched, 1);
    assert_true(order.now > NOON);
    spend(&world, 100);
    assert_true(world.answer.held_at >= order.now);
    settle(&world, open, 50);
    (void)read_rows(&world);
    assert_int_equal(world.row.settled, 100);
    assert_int_equal(world.row.generation, 1);
    end(&world);
}

static void ledger_memory__sums_of_before_count(void **state)
{
    struct world world;
    struct ledger_sum sum = {.value = SPAN_OF("growth"), .settled = 70, .reset_at = INT64_MIN};

    (void)state;
    begin(&world);
    sum.budget = add(&world, "day", WINDOW_DAY, 100);
    window_at(&sum.budget->window, NOON, &sum.window);
    assert_true(ledger_memory_load(world.ledger, &sum, NOON));
    window_at(&sum.budget->window, NOON - DAY_MS, &sum.window);
    assert_true(ledger_memory_load(world.ledger, &sum, NOON));
    assert_int_equal(hold(&world, 31), 0);
    spend(&world, 30);
    end(&world);
}

static void ledger_memory__counters_that_are_over_go(void **state)
{
    struct world world;
    char name[8] = "v000000";

    (void)state;
    begin(&world);
    add(&world, "minute", WINDOW_MINUTE, 100);
    for (unsigned i = 0; i < 2000; i++) {
        name[4] = (char)('a' + i / 100 % 26);
        name[5] = (char)('a' + i / 10 % 10);
        name[6] = (char)('a' + i % 10);
        world.chain.list[0].value = span_of(name);
        world.now += 1000;
        spend(&world, 1);
    }
    world.now += 60000;
    world.chain.list[0].value = SPAN_OF("last");
    for (unsigned i = 0; i < 200; i++) {
        spend(&world, 0);
    }
    assert_true(read_rows(&world) == 1);
    assert_true(mem_held() < 64 * 1024);
    end(&world);
}

static void ledger_memory__an_overlong_chain_is_not_let_through(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    add(&world, "day", WINDOW_DAY, 100);
    world.chain.has_overflowed = true;
    assert_int_equal(hold(&world, 1), 0);
    assert_int_equal(world.answer.verdict, HOLD_UNAVAILABLE);
    end(&world);
}

static void ledger_memory__copes_without_memory(void **state)
{
    struct world world;
    uint64_t n = 0;
    bool is_through = false;

    (void)state;
    mem_fail_at(1);
    assert_null(ledger_memory_new(&(struct ledger_ears){NULL, NULL, NULL}, seed));
    for (n = 1; n < 100 && !is_through; n++) {
        uint64_t ticket = 0;

        mem_fail_at(0);
        begin(&world);
        add(&world, "day", WINDOW_DAY, 100);
        add(&world, "rolling", WINDOW_ROLLING, 100)->window.length_ms = DAY_MS;
        mem_fail_at(n);
        ticket = hold(&world, 1);
        mem_fail_at(0);
        is_through = ticket != 0;
        if (is_through) {
            settle(&world, ticket, 1);
        } else {
            assert_int_equal(world.answer.verdict, HOLD_UNAVAILABLE);
            spend(&world, 100);
        }
        end(&world);
    }
    assert_true(is_through && n > 5);
    ledger_memory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger_memory__holds_count_until_they_are_settled),
        cmocka_unit_test(ledger_memory__holds_the_whole_chain_or_nothing),
        cmocka_unit_test(ledger_memory__only_enforcing_budgets_deny),
        cmocka_unit_test(ledger_memory__warns_once_for_each_threshold),
        cmocka_unit_test(ledger_memory__a_warm_up_only_warns),
        cmocka_unit_test(ledger_memory__a_hold_counts_in_the_window_in_which_it_was_made),
        cmocka_unit_test(ledger_memory__a_clock_that_goes_back_opens_no_window_twice),
        cmocka_unit_test(ledger_memory__rolling_windows_let_go_bit_by_bit),
        cmocka_unit_test(ledger_memory__tells_what_still_counts_of_a_rolling_window),
        cmocka_unit_test(ledger_memory__a_question_about_one_makes_no_counters),
        cmocka_unit_test(ledger_memory__extends_a_hold_by_the_same_rule),
        cmocka_unit_test(ledger_memory__a_reset_begins_a_generation),
        cmocka_unit_test(ledger_memory__sums_of_before_count),
        cmocka_unit_test(ledger_memory__counters_that_are_over_go),
        cmocka_unit_test(ledger_memory__an_overlong_chain_is_not_let_through),
        cmocka_unit_test(ledger_memory__copes_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
