/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger port: what every ledger does, on each kind: the embedded one, Redis with a round trip for each
 * hold, Redis with loans. */
#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "enforcement/rolling.h"
#include "proxy/ledger_redis_scripts.h"
#include "tests/contract/ledger_world.h"

static struct redis_server server;
static enum ledger_world_kind kind;

static void open_world(struct world *world)
{
    if (kind != WORLD_MEMORY) {
        redis_server_tell(&server, "FLUSHALL");
        /* Not a ledger that has just begun: there is nothing to recover. */
        redis_server_season(&server);
    }
    world_open(world, kind, &server);
}

static struct ledger_row row_of(struct world_proxy *proxy, struct subject subject, const char *budget,
                                const char *value)
{
    struct world_rows rows;
    const struct ledger_row *row = NULL;

    world_quiet(proxy->world);
    world_report(proxy, &subject, &rows);
    assert_true(rows.is_whole);
    row = world_row(&rows, budget, value);
    assert_non_null(row);
    return *row;
}

/* ---- */

static void hold__counts_until_it_is_settled(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt first;
    struct attempt second;
    struct subject subject = subject_of("growth", "ci");
    struct ledger_row row;

    (void)state;
    open_world(&world);
    (void)world_budget(&world, "day", "team", 100);
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&first, proxy, subject, 60), HOLD_GRANTED);
    assert_int_equal(first.answer.left.of[UNIT_MONEY], 100);
    assert_int_equal(first.answer.left.of[UNIT_TOKENS], INT64_MAX);
    assert_int_equal(attempt_hold(&second, proxy, subject, 41), HOLD_DENIED);
    assert_int_equal(second.answer.link, 0);
    assert_int_equal(second.answer.used, 60);
    assert_int_equal(second.answer.left.of[UNIT_MONEY], 40);
    assert_int_equal(attempt_hold(&second, proxy, subject, 40), HOLD_GRANTED);
    attempt_settle(&first, 30);
    attempt_settle(&second, 40);
    row = row_of(proxy, subject, "day", "growth");
    assert_int_equal(row.settled, 70);
    assert_int_equal(row.held, 0);
    assert_int_equal(row.overrun, 0);
    assert_int_equal(row.limit, 100);
    assert_int_equal(row.scope, SCOPE_TEAM);
    assert_int_equal(attempt_hold(&first, proxy, subject, 31), HOLD_DENIED);
    assert_int_equal(attempt_hold(&first, proxy, subject, 30), HOLD_GRANTED);
    attempt_settle(&first, 0);
    row = row_of(proxy, subject, "day", "growth");
    assert_int_equal(row.settled, 70);
    assert_int_equal(row.held, 0);
    world_close(&world);
}

static void hold__is_all_or_nothing_over_the_chain(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct subject subject = subject_of("growth", "ci");

    (void)state;
    open_world(&world);
    (void)world_budget(&world, "all", "global", 1000);
    (void)world_budget(&world, "team", "team", 1000);
    (void)world_budget(&world, "key", "key", 50);
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 51), HOLD_DENIED);
    assert_int_equal(attempt.answer.link, 2);
    assert_int_equal(row_of(proxy, subject, "all", "").held, 0);
    assert_int_equal(row_of(proxy, subject, "team", "growth").held, 0);
    assert_int_equal(row_of(proxy, subject, "key", "ci").held, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 50), HOLD_GRANTED);
    assert_int_equal(row_of(proxy, subject, "all", "").held, 50);
    assert_int_equal(row_of(proxy, subject, "team", "growth").held, 50);
    attempt_settle(&attempt, 20);
    assert_int_equal(row_of(proxy, subject, "all", "").settled, 20);
    assert_int_equal(row_of(proxy, subject, "key", "ci").settled, 20);
    assert_int_equal(row_of(proxy, subject, "key", "ci").held, 0);
    world_close(&world);
}

static void hold__counts_each_value_apart(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt a;
    struct attempt b;

    (void)state;
    open_world(&world);
    (void)world_budget(&world, "key", "key", 50);
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&a, proxy, subject_of("growth", "one"), 50), HOLD_GRANTED);
    assert_int_equal(attempt_hold(&b, proxy, subject_of("growth", "two"), 50), HOLD_GRANTED);
    attempt_settle(&a, 50);
    attempt_settle(&b, 1);
    assert_int_equal(row_of(proxy, subject_of("growth", "one"), "key", "one").settled, 50);
    assert_int_equal(row_of(proxy, subject_of("growth", "two"), "key", "two").settled, 1);
    world_close(&world);
}

static void hold__of_a_soft_budget_is_granted_and_told_of(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct budget *budget = NULL;

    (void)state;
    open_world(&world);
    budget = world_budget(&world, "soft", "team", 10);
    budget->mode = BUDGET_WARN;
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject_of("t", "k"), 11), HOLD_GRANTED);
    assert_int_equal(attempt.answer.link, 0);
    assert_true(attempt.answer.is_over);
    assert_int_equal(attempt.answer.percent, 100);
    assert_int_equal(attempt.answer.left.of[UNIT_MONEY], INT64_MAX);
    attempt_settle(&attempt, 11);
    assert_int_equal(row_of(proxy, subject_of("t", "k"), "soft", "t").settled, 11);
    world_close(&world);
}

static bool is_used_up(struct world *world, struct world_proxy *proxy, struct subject subject,
                       struct hold_answer *answer)
{
    struct chain chain;

    chain_make(&world->budgets, &subject, &chain);
    return world->ops->is_used_up(proxy->ledger, subject.values[SCOPE_TEAM], &chain,
                                  loop_wall(world->loop), answer);
}

static void used_up__is_known_before_a_hold_is_asked_for(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct subject subject = subject_of("growth", "ci");
    struct hold_answer answer = {.used = 0};

    (void)state;
    open_world(&world);
    world_budget(&world, "soft", "team", 10)->mode = BUDGET_WARN;
    world_budget(&world, "key", "key", 100)->unit = UNIT_TOKENS;
    proxy = world_proxy_start(&world, 0);
    assert_false(is_used_up(&world, proxy, subject, &answer));
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 100), HOLD_GRANTED);
    assert_false(is_used_up(&world, proxy, subject, &answer)); /* it may come back */
    attempt_settle(&attempt, 99);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 2), HOLD_DENIED);
    assert_false(is_used_up(&world, proxy, subject, &answer));
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 1), HOLD_GRANTED);
    attempt_settle(&attempt, 1);
    world_quiet(&world);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 1), HOLD_DENIED);
    assert_true(is_used_up(&world, proxy, subject, &answer));
    assert_int_equal(answer.verdict, HOLD_DENIED);
    assert_int_equal(answer.link, attempt.answer.link);
    assert_int_equal(answer.used, 100);
    assert_int_equal(answer.window_end, attempt.answer.window_end);
    assert_false(is_used_up(&world, proxy, subject_of("growth", "other"), &answer));
    assert_int_equal(world_order(proxy, ORDER_RESET, "key", "ci"), 1);
    for (int tries = 0; is_used_up(&world, proxy, subject, &answer); tries++) {
        assert_true(tries < 60); /* what a shared ledger said last counts for 2 s */
        world_run(&world, 50);
    }
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 100), HOLD_GRANTED);
    attempt_settle(&attempt, 0);
    world_close(&world);
}

static void extend__takes_what_is_there_and_no_more(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct subject subject = subject_of("growth", "ci");

    (void)state;
    open_world(&world);
    (void)world_budget(&world, "all", "global", 1000);
    (void)world_budget(&world, "team", "team", 100);
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 40), HOLD_GRANTED);
    attempt_extend(&attempt, 30);
    assert_int_equal(attempt_wait(&attempt), HOLD_GRANTED);
    assert_true(attempt.answer.is_extend);
    assert_int_equal(row_of(proxy, subject, "team", "growth").held, 70);
    attempt_extend(&attempt, 31);
    assert_int_equal(attempt_wait(&attempt), HOLD_DENIED);
    assert_int_equal(attempt.answer.link, 1);
    assert_int_equal(row_of(proxy, subject, "team", "growth").held, 70);
    attempt_settle(&attempt, 70);
    assert_int_equal(row_of(proxy, subject, "team", "growth").settled, 70);
    assert_int_equal(row_of(proxy, subject, "all", "").settled, 70);
    assert_int_equal(row_of(proxy, subject, "all", "").held, 0);
    world_close(&world);
}

static void settle__books_what_was_used_beyond_the_hold(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct subject subject = subject_of("growth", "ci");

    (void)state;
    open_world(&world);
    (void)world_budget(&world, "team", "team", 100);
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 10), HOLD_GRANTED);
    attempt_settle(&attempt, 130);
    assert_int_equal(row_of(proxy, subject, "team", "growth").settled, 130);
    assert_int_equal(row_of(proxy, subject, "team", "growth").overrun, 120);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 1), HOLD_DENIED);
    assert_int_equal(attempt.answer.used, 130);
    assert_int_equal(attempt.answer.left.of[UNIT_MONEY], 0);
    world_close(&world);
}

static void settle__before_the_answer_leaves_nothing_held(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct subject subject = subject_of("growth", "ci");

    (void)state;
    open_world(&world);
    (void)world_budget(&world, "all", "global", 1000);
    (void)world_budget(&world, "team", "team", 100);
    proxy = world_proxy_start(&world, 0);
    for (int i = 0; i < 20; i++) {
        attempt_begin(&attempt, proxy, subject, 10);
        for (int turn = 0; turn < i / 4 && !attempt.is_answered; turn++) {
            world_turn(&world, 0);
        }
        attempt_settle(&attempt, 0);
    }
    world_run(&world, 50);
    assert_int_equal(row_of(proxy, subject, "team", "growth").held, 0);
    assert_int_equal(row_of(proxy, subject, "all", "").held, 0);
    assert_int_equal(row_of(proxy, subject, "all", "").settled, 0);
    world_close(&world);
}

static void units__count_apart(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct budget *budget = NULL;
    struct subject subject = subject_of("growth", "ci");

    (void)state;
    open_world(&world);
    budget = world_budget(&world, "tokens", "team", 1000);
    budget->unit = UNIT_TOKENS;
    budget = world_budget(&world, "requests", "team", 2);
    budget->unit = UNIT_REQUESTS;
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 100), HOLD_GRANTED);
    attempt_settle(&attempt, 80);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 100), HOLD_GRANTED);
    attempt_settle(&attempt, 0); /* was not sent: counts for nothing */
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 100), HOLD_GRANTED);
    attempt_settle(&attempt, 80);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 100), HOLD_DENIED);
    assert_int_equal(attempt.answer.link, 1);
    assert_int_equal(attempt.answer.left.of[UNIT_TOKENS], 840);
    assert_int_equal(row_of(proxy, subject, "tokens", "growth").settled, 160);
    assert_int_equal(row_of(proxy, subject, "requests", "growth").settled, 2);
    world_close(&world);
}

static void warnings__are_told_once(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct budget *budget = NULL;
    struct subject subject = subject_of("growth", "ci");

    (void)state;
    open_world(&world);
    budget = world_budget(&world, "team", "team", 100);
    budget->warn_at[0] = 50;
    budget->warn_at[1] = 80;
    budget->warn_count = 2;
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 60), HOLD_GRANTED);
    attempt_settle(&attempt, 49);
    world_quiet(&world);
    assert_int_equal(proxy->warnings, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 5), HOLD_GRANTED);
    attempt_settle(&attempt, 1);
    world_quiet(&world);
    assert_int_equal(proxy->warnings, 1);
    assert_int_equal(proxy->warned_percent, 50);
    assert_int_equal(proxy->warned_settled, 50);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 5), HOLD_GRANTED);
    assert_int_equal(attempt.answer.percent, 50);
    attempt_settle(&attempt, 5);
    world_quiet(&world);
    assert_int_equal(proxy->warnings, 1);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 45), HOLD_GRANTED);
    attempt_settle(&attempt, 45);
    world_quiet(&world);
    assert_int_equal(proxy->warnings, 2);
    assert_int_equal(proxy->warned_percent, 100);
    world_close(&world);
}

static void windows__of_a_rolling_budget_are_summed_up(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    struct budget *budget = NULL;
    struct subject subject = subject_of("growth", "ci");

    (void)state;
    open_world(&world);
    budget = world_budget(&world, "team", "team", 100);
    budget->window.kind = WINDOW_ROLLING;
    budget->window.length_ms = 60000;
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 60), HOLD_GRANTED);
    attempt_settle(&attempt, 60);
    world_run(&world, 2600); /* another part */
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 41), HOLD_DENIED);
    assert_int_equal(attempt.answer.used, 60);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 40), HOLD_GRANTED);
    attempt_settle(&attempt, 40);
    assert_int_equal(row_of(proxy, subject, "team", "growth").settled, 100);
    world_close(&world);
}

static void reset__begins_at_zero_and_leaves_old_holds_alone(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt old;
    struct attempt attempt;
    struct subject subject = subject_of("growth", "ci");
    struct ledger_row row;

    (void)state;
    open_world(&world);
    (void)world_budget(&world, "all", "global", 100);
    (void)world_budget(&world, "team", "team", 100);
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&old, proxy, subject, 60), HOLD_GRANTED);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 20), HOLD_GRANTED);
    attempt_settle(&attempt, 20);
    world_quiet(&world);
    assert_true(world_order(proxy, ORDER_RESET, "team", NULL) >= 1);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 20), HOLD_GRANTED);
    attempt_settle(&attempt, 20);
    row = row_of(proxy, subject, "team", "growth");
    assert_int_equal(row.settled, 20);
    assert_int_equal(row.held, 0);
    assert_int_equal(row.generation, 1);
    attempt_settle(&old, 60);
    row = row_of(proxy, subject, "team", "growth");
    assert_int_equal(row.settled, 20);
    assert_int_equal(row_of(proxy, subject, "all", "").settled, 100);
    world_close(&world);
}

static void report__tells_of_all_counters(void **state)
{
    struct world world;
    struct world_proxy *proxy = NULL;
    struct attempt attempts[3];
    struct world_rows rows;

    (void)state;
    open_world(&world);
    (void)world_budget(&world, "all", "global", 1000);
    (void)world_budget(&world, "team", "team", 100);
    (void)world_budget(&world, "key", "key", 100);
    proxy = world_proxy_start(&world, 0);
    assert_int_equal(attempt_hold(&attempts[0], proxy, subject_of("a", "k:1"), 10), HOLD_GRANTED);
    assert_int_equal(attempt_hold(&attempts[1], proxy, subject_of("a", "k2"), 20), HOLD_GRANTED);
    assert_int_equal(attempt_hold(&attempts[2], proxy, subject_of("b", "k3"), 30), HOLD_GRANTED);
    attempt_settle(&attempts[0], 10);
    attempt_settle(&attempts[1], 20);
    world_quiet(&world);
    world_report(proxy, NULL, &rows);
    assert_true(rows.is_whole);
    assert_int_equal(rows.count, 6);
    assert_int_equal(world_row(&rows, "all", "")->settled, 30);
    assert_int_equal(world_row(&rows, "all", "")->held, 30);
    assert_int_equal(world_row(&rows, "team", "a")->settled, 30);
    assert_int_equal(world_row(&rows, "team", "b")->held, 30);
    assert_int_equal(world_row(&rows, "key", "k:1")->settled, 10);
    assert_int_equal(world_row(&rows, "key", "k3")->held, 30);
    attempt_settle(&attempts[2], 0);
    world_quiet(&world);
    world_close(&world);
}

/* The script's arithmetic, in numbers that are exact below 2^53 only. */
static void rolling__counts_the_same_in_every_ledger(void **state)
{
    static const int64_t lengths[] = {60000, 3600000, 86400000, 7 * 86400000, INT64_C(366) * 86400000};
    struct rng rng;
    char script[4096];

    (void)state;
    if (kind == WORLD_MEMORY) {
        return;
    }
    (void)snprintf(script, sizeof script, "%s\nnow = ARGV[4] + 0 return text(share(ARGV[1] + 0, "
                                          "ARGV[2] + 0, ARGV[3] + 0))", redis_script_common);
    rng_init(&rng, 5, 5);
    for (int i = 0; i < 3000; i++) {
        int64_t part = lengths[i % 5] / WINDOW_PARTS;
        int64_t begin = INT64_C(1795953600000) / part * part;
        int64_t now = begin + part * (WINDOW_PARTS - 1) + (int64_t)rng_below(&rng, (uint64_t)part * 3);
        int64_t sum = (int64_t)(rng_below(&rng, UINT64_C(9000000000000000)) >> rng_below(&rng, 50));
        long long told = redis_server_number(&server, "EVAL %s 0 %lld %lld %lld %lld", script,
                                             (long long)sum, (long long)begin, (long long)part,
                                             (long long)now);

        assert_int_equal(told, rolling_share(sum, begin, part, now));
    }
}

/* ---- */

static int set_up_memory(void **state)
{
    (void)state;
    kind = WORLD_MEMORY;
    return 0;
}

static int set_up_redis(void **state)
{
    (void)state;
    kind = WORLD_REDIS;
    redis_server_start(&server, NULL);
    return 0;
}

static int set_up_loans(void **state)
{
    (void)state;
    kind = WORLD_LOANS;
    redis_server_start(&server, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (server.pid > 0) {
        redis_server_remove(&server);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hold__counts_until_it_is_settled),
        cmocka_unit_test(hold__is_all_or_nothing_over_the_chain),
        cmocka_unit_test(hold__counts_each_value_apart),
        cmocka_unit_test(hold__of_a_soft_budget_is_granted_and_told_of),
        cmocka_unit_test(used_up__is_known_before_a_hold_is_asked_for),
        cmocka_unit_test(extend__takes_what_is_there_and_no_more),
        cmocka_unit_test(settle__books_what_was_used_beyond_the_hold),
        cmocka_unit_test(settle__before_the_answer_leaves_nothing_held),
        cmocka_unit_test(units__count_apart),
        cmocka_unit_test(warnings__are_told_once),
        cmocka_unit_test(windows__of_a_rolling_budget_are_summed_up),
        cmocka_unit_test(rolling__counts_the_same_in_every_ledger),
        cmocka_unit_test(reset__begins_at_zero_and_leaves_old_holds_alone),
        cmocka_unit_test(report__tells_of_all_counters),
    };
    int failed = 0;

    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    failed += cmocka_run_group_tests_name("memory", tests, set_up_memory, tear_down);
    failed += cmocka_run_group_tests_name("redis", tests, set_up_redis, tear_down);
    failed += cmocka_run_group_tests_name("loans", tests, set_up_loans, tear_down);
    curl_global_cleanup();
    return failed;
}
