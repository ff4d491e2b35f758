/* SPDX-License-Identifier: Apache-2.0 */
/* What changes while money is held in a ledger on Redis: budgets, generations, what the server knows, and who
 * asks. What was spent stays counted once, and nothing stays held. */
#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proxy/ledger_redis_scripts.h"
#include "tests/contract/clock.h"
#include "tests/contract/ledger_world.h"
#include "tests/contract/patience.h"

static struct redis_server server;
static struct world world;
static struct subject subject;

static struct world_proxy *open_with(enum ledger_world_kind kind, int64_t limit)
{
    subject = subject_of("growth", "ci");
    redis_server_tell(&server, "FLUSHALL");
    redis_server_season(&server);
    world_open(&world, kind, &server);
    world.settings.recover_ms = 600;
    (void)world_budget(&world, "team", "team", limit);
    return world_proxy_start(&world, 0);
}

static struct ledger_row row(struct world_proxy *proxy)
{
    return world_only_row(proxy, &subject);
}

static void spend(struct world_proxy *proxy, int64_t amount)
{
    world_spend(proxy, subject, amount);
}

static void recover(struct world_proxy *proxy, uint32_t ms)
{
    world_recover(proxy, subject, ms);
}

/* The next start of a process, with the records of the attempts that it left open: it was charged `actual`. */
static struct world_proxy *come_back(size_t i, struct attempt *left, int64_t actual)
{
    struct world_proxy *proxy = world_proxy_start(&world, i);

    if (left != NULL) {
        struct ledger_redis_record record;

        chain_make(&world.budgets, &left->subject, &left->chain);
        record = (struct ledger_redis_record){.record_id = span_of(left->id),
                                              .team = left->team,
                                              .chain = &left->chain,
                                              .actual = {{actual, actual, 1}},
                                              .held_at = left->answer.held_at};
        for (uint8_t c = 0; c < left->chain.count; c++) {
            assert_true(ledger_redis_load(proxy->ledger, left->team, left->chain.list[c].budget,
                                          left->chain.list[c].value, record.held_at, actual, 0));
        }
        assert_true(ledger_redis_resend(proxy->ledger, &record));
    }
    ledger_redis_resent(proxy->ledger);
    return proxy;
}

static void wait_until_nothing_is_held(struct world_proxy *proxy)
{
    struct world_rows rows;
    mono_ms end = loop_now(world.loop) + patient(10000);
    int64_t held = 1;

    while (held > 0) {
        held = 0;
        assert_true(loop_now(world.loop) < end);
        world_run(&world, 20);
        world_report(proxy, &subject, &rows);
        for (size_t i = 0; i < rows.count; i++) {
            assert_true(rows.list[i].held >= 0);
            held += rows.list[i].held;
        }
        held += !rows.is_whole;
    }
}

static void a_crash_record_counts_where_budgets_are_now(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct world_proxy *proxy = open_with(WORLD_REDIS, 1000);
        struct world_rows rows;
        struct attempt open;

        if (more == 0) { /* then there are fewer */
            (void)world_budget(&world, "key", "key", 1000);
        }
        assert_int_equal(attempt_hold(&open, proxy, subject, 60), HOLD_GRANTED);
        world_proxy_kill(proxy);
        world.budgets.count = 1;
        if (more == 1) {
            (void)world_budget(&world, "key", "key", 1000);
            (void)world_budget(&world, "user", "team", 1000);
        }
        proxy = come_back(0, &open, 40);
        spend(proxy, 1);
        wait_until_nothing_is_held(proxy);
        world_report(proxy, &subject, &rows);
        assert_int_equal(rows.count, world.budgets.count);
        for (size_t i = 0; i < rows.count; i++) {
            assert_int_equal(rows.list[i].settled, 41);
        }
        assert_int_equal(proxy->notices[LEDGER_NOTICE_SICK], 0);
        assert_int_equal(redis_server_number(&server, "HLEN hg:{t:growth}:h"), 0);
        world_close(&world);
    }
}

static void an_absurd_amount_hurts_nobody(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, 1000);
    struct world_rows rows;
    struct attempt attempt;
    struct budget *tokens = world_budget(&world, "tokens", "team", 1000);

    (void)state;
    tokens->unit = UNIT_TOKENS;
    for (int enforces = 0; enforces < 2; enforces++) {
        tokens->mode = enforces ? BUDGET_ENFORCE : BUDGET_WARN;
        for (int i = 0; i < 4; i++) {
            attempt_begin_with(&attempt, proxy, subject, (struct amounts){{1, INT64_MAX, 1}});
            assert_int_equal(attempt_wait(&attempt), enforces ? HOLD_DENIED : HOLD_GRANTED);
            if (!enforces) {
                attempt_settle(&attempt, i < 3 ? 1 : INT64_MAX / 2);
            }
        }
        wait_until_nothing_is_held(proxy);
    }
    world_report(proxy, &subject, &rows);
    assert_int_equal(proxy->notices[LEDGER_NOTICE_SICK], 0);
    assert_int_equal(redis_server_number(&server, "HLEN hg:{t:growth}:h"), 0);
    world_close(&world);
}

static void the_first_call_of_a_team_is_asked_for(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, 1000);
    struct attempt attempt;

    (void)state;
    spend(proxy, 1);
    world_run(&world, patient(900)); /* longer than anybody waits for a server that is away */
    subject = subject_of("ops", "ci");
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 1), HOLD_GRANTED);
    attempt_settle(&attempt, 1);
    /* So is one that is under way when there is a new generation. */
    attempt_begin(&attempt, proxy, subject, 5);
    redis_server_tell(&server, "HINCRBY hg:{t:ops}:m g 1");
    redis_server_tell(&server, "HINCRBY hg:{t:ops}:g team 1");
    assert_int_equal(attempt_wait(&attempt), HOLD_GRANTED);
    attempt_settle(&attempt, 5);
    wait_until_nothing_is_held(proxy);
    world_close(&world);
}

/* Held in the old generation, and the answer lost with its connection; asked again in the new one, where there is
 * no room. (The server, frozen, finds all of it when it wakes, in this order.) */
static void what_a_reset_left_unanswered_is_given_back(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, 100);
    struct attempt attempt;
    unsigned mark = budget_mark(&world.list[0]);
    int is_written = 0;

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_freeze(&server);
    attempt_begin(&attempt, proxy, subject, 60);
    world_turn(&world, 0);
    (void)redisAppendCommand(server.context, "CLIENT KILL TYPE normal SKIPME yes");
    (void)redisAppendCommand(server.context, "HLEN hg:{t:growth}:h");
    (void)redisAppendCommand(server.context, "HINCRBY hg:{t:growth}:g team 1");
    (void)redisAppendCommand(server.context, "HINCRBY hg:{t:growth}:m g 1");
    (void)redisAppendCommand(server.context, "HSET hg:{t:growth}:w:team:team:%u:1:0:growth S 80 H 0 P 0 O 0 u 0 e 9e15", mark);
    (void)redisAppendCommand(server.context, "ZADD hg:{t:growth}:i +inf hg:{t:growth}:w:team:team:%u:1:0:growth", mark);
    while (is_written == 0) {
        assert_int_equal(redisBufferWrite(server.context, &is_written), REDIS_OK);
    }
    redis_server_thaw(&server);
    for (int i = 0; i < 6; i++) {
        redisReply *reply = NULL;

        assert_int_equal(redisGetReply(server.context, (void **)&reply), REDIS_OK);
        assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
        assert_true(i != 1 || reply->integer == 1); /* it was held */
        freeReplyObject(reply);
    }
    assert_int_equal(attempt_wait(&attempt), HOLD_DENIED);
    world_quiet(&world);
    assert_int_equal(redis_server_number(&server, "HLEN hg:{t:growth}:h"), 0);
    assert_int_equal(redis_server_number(&server, "HGET hg:{t:growth}:w:team:team:%u:0:0:growth H", mark), 0);
    world_close(&world);
}

static void after_a_reset_records_count_in_the_new_generation(void **state)
{
    (void)state;
    for (int kind = WORLD_REDIS; kind <= WORLD_LOANS; kind++) {
        struct world_proxy *proxy = open_with((enum ledger_world_kind)kind, 100000);
        struct attempt open;

        spend(proxy, 700);
        world_quiet(&world);
        assert_int_equal(world_order(proxy, ORDER_RESET, "team", NULL), 1);
        spend(proxy, 10);
        world_run(&world, 150);
        assert_int_equal(attempt_hold(&open, proxy, subject, 60), HOLD_GRANTED);
        world_quiet(&world);
        world_proxy_kill(proxy);
        proxy = come_back(0, &open, 40);
        spend(proxy, 1);
        wait_until_nothing_is_held(proxy);
        assert_int_equal(row(proxy).settled, 51);
        world_close(&world);
    }
}

/* Records are booked under an old epoch's numbers; who begins with an old state folder must not have them
 * taken for told. */
static void an_old_state_folder_does_not_swallow_what_is_spent(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, 1000);

    (void)state;
    for (int i = 0; i < 20; i++) {
        spend(proxy, 1);
    }
    assert_int_equal(row(proxy).settled, 20);
    world_proxy_kill(proxy);
    proxy->epoch--;
    proxy = come_back(0, NULL, 0);
    for (int i = 0; i < 10; i++) {
        spend(proxy, 1);
    }
    assert_int_equal(row(proxy).settled, 30);
    world_close(&world);
}

static void at_steady_load_calls_wait_for_nothing(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_LOANS, 100000000);

    (void)state;
    for (int i = 0; i < 10000; i++) {
        spend(proxy, 100);
        if (i % 10 == 0) {
            world_turn(&world, 0);
        }
    }
    assert_in_range(ledger_redis_counts(proxy->ledger).local, 9500, 10000);
    assert_int_equal(row(proxy).settled, 1000000);
    world_close(&world);
}

/* An app may name as many traces as it likes. */
static void a_flood_of_traces_shuts_nobody_out(void **state)
{
    struct world_proxy *proxy = NULL;
    struct attempt attempt;
    char trace[16];

    (void)state;
    subject = subject_of("growth", "ci");
    redis_server_tell(&server, "FLUSHALL");
    redis_server_season(&server);
    world_open(&world, WORLD_REDIS, &server);
    world.settings.counters_max = 50;
    (void)world_budget(&world, "team", "team", 1000);
    (void)world_budget(&world, "trace", "trace", 10);
    proxy = world_proxy_start(&world, 0);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(trace, sizeof trace, "t%d", i);
        subject.values[SCOPE_TRACE] = span_of(trace);
        assert_int_equal(attempt_hold(&attempt, proxy, subject, i % 2 == 0 ? 1 : 11),
                         i % 2 == 0 ? HOLD_GRANTED : HOLD_DENIED);
        if (attempt.ticket != 0) {
            attempt_settle(&attempt, 1);
        }
        if (i % 20 == 0) { /* what is told is kept for a minute */
            world_quiet(&world);
            clock_skip(61000);
            world_run(&world, 20);
        }
    }
    subject = subject_of("ops", "ci");
    spend(proxy, 1);
    world_close(&world);
}

static void a_rebuild_under_load_counts_once(void **state)
{
    static const enum ledger_world_kind kinds[] = {WORLD_REDIS, WORLD_LOANS};

    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        struct world_proxy *proxy = open_with(kinds[kind], 1000000);
        struct world_proxy *other = world_proxy_start(&world, 1);
        int64_t spent = 0;

        for (int i = 0; i < 400; i++) {
            struct world_proxy *one = i % 3 == 0 ? other : proxy;
            struct attempt attempt;

            if (i % 100 == 50 && attempt_hold(&attempt, other, subject, 10) == HOLD_GRANTED) {
                assert_true(world_order(proxy, ORDER_REBUILD, "", NULL) > 0);
                attempt_settle(&attempt, 10); /* the other one has not noticed yet */
                spent += 10;
            }
            if (attempt_hold(&attempt, one, subject, 10) == HOLD_GRANTED) {
                attempt_settle(&attempt, 10);
                spent += 10;
            }
            world_turn(&world, i % 5 == 0);
        }
        recover(proxy, 10000);
        recover(other, 10000);
        wait_until_nothing_is_held(proxy);
        assert_int_equal(row(proxy).settled, spent);
        world_close(&world);
    }
}

/* Who works, who is idle, who is down, and what is held: all of it comes back, and until then nobody gets
 * what is not there. */
static void a_rebuild_brings_all_back(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, 1000);
    struct world_proxy *idle = world_proxy_start(&world, 1);
    struct world_proxy *down = world_proxy_start(&world, 2);
    struct attempt open;
    struct attempt attempt;
    struct chain_link link = {&world.list[0], SPAN("growth")};

    (void)state;
    spend(proxy, 100);
    spend(idle, 200);
    spend(down, 300);
    world_quiet(&world);
    world_proxy_kill(down);
    assert_int_equal(attempt_hold(&open, proxy, subject, 50), HOLD_GRANTED);
    assert_int_equal(world_order(proxy, ORDER_REBUILD, "team", NULL), -1); /* not one alone */
    assert_int_equal(row(proxy).settled, 600);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(world_order(proxy, ORDER_REBUILD, "", NULL), 1);
        recover(proxy, 6000);
        assert_int_equal(row(proxy).settled, again == 0 ? 300 : 600);
        assert_int_equal(row(proxy).held, 50);
        assert_int_equal(attempt_hold(&attempt, proxy, subject, again == 0 ? 651 : 351), HOLD_DENIED);
        if (again == 0) { /* with its records */
            down = world_proxy_start(&world, 2);
            assert_true(ledger_redis_load(down->ledger, link.value, link.budget, link.value,
                                          attempt.answer.held_at, 300, 0));
            ledger_redis_resent(down->ledger);
            world_run(&world, 300);
            assert_int_equal(row(proxy).settled, 600);
        }
    }
    attempt_settle(&open, 50);
    assert_int_equal(row(proxy).settled, 650);
    world_close(&world);
}

static void a_budget_that_counts_something_else_begins_at_zero(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, 1000);
    struct attempt open;

    (void)state;
    spend(proxy, 600);
    assert_int_equal(attempt_hold(&open, proxy, subject, 50), HOLD_GRANTED);
    world.list[0].unit = UNIT_TOKENS;
    spend(proxy, 7);
    assert_int_equal(row(proxy).settled, 7);
    assert_int_equal(row(proxy).held, 0);
    attempt_settle(&open, 50); /* as it began */
    world.list[0].window = (struct window_rule){.kind = WINDOW_DAY};
    spend(proxy, 5);
    assert_int_equal(row(proxy).settled, 5);
    world.list[0].unit = UNIT_MONEY;
    world.list[0].window = (struct window_rule){.kind = WINDOW_TOTAL};
    assert_int_equal(row(proxy).settled, 650); /* put back, it goes on where it was */
    world_close(&world);
}

/* ---- what a window's end leaves ---- */

/* Of a rolling window a part is over, and still counts: what was held in it is paid for, more is not. */
static void extend_in_a_part_that_is_over(enum ledger_world_kind kind)
{
    enum { PART_MS = 200, LIMIT = 100000, FIRST = 50 };
    struct world_proxy *proxy = open_with(kind, LIMIT);
    struct attempt began;
    struct attempt rest;

    world.list[0].window = (struct window_rule){.kind = WINDOW_ROLLING,
                                                .length_ms = (uint64_t)PART_MS * WINDOW_PARTS};
    for (int i = 0; i < 20 && kind == WORLD_LOANS; i++) { /* loans come */
        spend(proxy, 1);
        world_run(&world, 5);
    }
    do { /* within one part */
        assert_int_equal(attempt_hold(&began, proxy, subject, FIRST), HOLD_GRANTED);
        attempt_extend(&began, 5);
        if (attempt_wait(&began) != HOLD_GRANTED) {
            attempt_settle(&began, 0);
        }
    } while (began.ticket == 0);
    world_run(&world, PART_MS + 10);
    assert_int_equal(attempt_hold(&rest, proxy, subject, LIMIT / 2), HOLD_GRANTED);
    attempt_extend(&began, LIMIT / 2 + 1);
    assert_int_equal(attempt_wait(&began), HOLD_DENIED);
    assert_int_equal(began.answer.link, 0);
    assert_true(row(proxy).settled + row(proxy).held <= LIMIT);
    attempt_settle(&began, FIRST + 5);
    attempt_settle(&rest, 0);
    world_close(&world);
}

static void a_part_that_is_over_gives_no_more(void **state)
{
    (void)state;
    extend_in_a_part_that_is_over(WORLD_REDIS);
    extend_in_a_part_that_is_over(WORLD_LOANS);
}

/* Of every window: what its holds say. */
static void assert_held_as_told(void)
{
    redisReply *reply = redis_server_ask(
        &server, "EVAL %s 0",
        "local sums = {} "
        "for _, h in ipairs(redis.call('KEYS', 'hg:*}:h')) do local all = redis.call('HGETALL', h) "
        "  for i = 2, #all, 2 do local p = cmsgpack.unpack(all[i]) "
        "    for j = 4, #p, 2 do sums[p[j + 1]] = (sums[p[j + 1]] or 0) + p[j] end end end "
        "for _, w in ipairs(redis.call('KEYS', 'hg:*}:w:*')) do local h = redis.call('HGET', w, 'H') "
        "  if (sums[w] or 0) ~= h + 0 then return w .. ': ' .. h .. ' of ' .. (sums[w] or 0) end end return ''");

    if (reply->len != 0) {
        fail_msg("%s", reply->str);
    }
    freeReplyObject(reply);
}

/* The team's part is asked after an edge, so that what the other part holds has to move; and after so many turns the
 * connection is lost. Whether it came to that. */
static bool move_and_cut_after(int turns)
{
    enum { PART_MS = 100, PAUSE_MS = 110 };
    struct world_proxy *proxy = open_with(WORLD_REDIS, 1000);
    struct attempt attempt;
    wall_ms began = 0;
    bool has_moved = false;

    world_budget(&world, "all", "global", 1000);
    for (size_t i = 0; i < 2; i++) {
        world.list[i].window = (struct window_rule){.kind = WINDOW_ROLLING,
                                                    .length_ms = (uint64_t)PART_MS * WINDOW_PARTS};
    }
    spend(proxy, 1);
    world_quiet(&world);
    began = loop_wall(world.loop);
    attempt_begin(&attempt, proxy, subject, 50);
    world_turn(&world, 0);
    redis_server_tell(&server, "CLIENT PAUSE %d WRITE", PAUSE_MS);
    world_run(&world, PAUSE_MS);
    for (int i = 0; i < turns; i++) {
        world_turn(&world, 1);
    }
    redis_server_tell(&server, "CLIENT KILL TYPE normal SKIPME yes");
    assert_int_equal(attempt_wait(&attempt), HOLD_GRANTED);
    assert_held_as_told();
    assert_int_equal(attempt.answer.left.of[UNIT_MONEY], 999); /* without this hold */
    has_moved = attempt.answer.held_at / PART_MS != began / PART_MS;
    attempt_settle(&attempt, 50);
    world_quiet(&world);
    assert_held_as_told();
    world_close(&world);
    return has_moved;
}

static void a_hold_that_moves_is_held_once(void **state)
{
    int moved = 0;

    (void)state;
    for (int turns = 0; turns < 12; turns++) {
        moved += move_and_cut_after(turns);
    }
    assert_true(moved > 6);
}

/* The script's word on a window of `keys` keys that begins so long after the server's now. */
static long long hold_before(long long ms, int keys)
{
    redisReply *time = redis_server_ask(&server, "TIME");
    long long begin = strtoll(time->element[0]->str, NULL, 10) * 1000 +
                      strtoll(time->element[1]->str, NULL, 10) / 1000 + ms;
    redisReply *reply = NULL;
    long long code = 0;
    struct buf text;

    redis_server_tell(&server, "FLUSHALL");
    redis_server_tell(&server, "HSET {r}m f fence");
    redis_server_tell(&server, "HSET {r}p s 1");
    buf_init(&text, 1 << 16);
    buf_put_text(&text, redis_script_common);
    buf_put_text(&text, redis_script_hold);
    reply = redis_server_ask(&server,
                             "EVAL %b %d {r}m {r}p {r}h {r}d {r}i {r}w1 {r}w0 fence 1 0 id owner 60000 T p 1 "
                             "10 100 %lld %lld 0 0 0 %d",
                             text.at, text.len, 7, begin, begin + 60000, keys);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    code = reply->element[0]->integer;
    freeReplyObject(reply);
    freeReplyObject(time);
    buf_fini(&text);
    return code;
}

/* In a cluster each server has a clock, and one moment tells all windows of a hold. */
static void a_window_opens_a_little_early_but_no_part_of_a_rolling_one(void **state)
{
    enum { HELD = 0, STALE = 4 };

    (void)state;
    assert_int_equal(hold_before(-1000, 1), HELD);
    assert_int_equal(hold_before(300, 1), HELD);
    assert_int_equal(hold_before(2000, 1), STALE);
    assert_int_equal(hold_before(-1000, 2), HELD);
    assert_int_equal(hold_before(300, 2), STALE);
}

int main(void)
{
    static const char *const keeps[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_record_counts_where_budgets_are_now),
        cmocka_unit_test(an_absurd_amount_hurts_nobody),
        cmocka_unit_test(the_first_call_of_a_team_is_asked_for),
        cmocka_unit_test(what_a_reset_left_unanswered_is_given_back),
        cmocka_unit_test(after_a_reset_records_count_in_the_new_generation),
        cmocka_unit_test(an_old_state_folder_does_not_swallow_what_is_spent),
        cmocka_unit_test(at_steady_load_calls_wait_for_nothing),
        cmocka_unit_test(a_flood_of_traces_shuts_nobody_out),
        cmocka_unit_test(a_rebuild_under_load_counts_once),
        cmocka_unit_test(a_rebuild_brings_all_back),
        cmocka_unit_test(a_budget_that_counts_something_else_begins_at_zero),
        cmocka_unit_test(a_part_that_is_over_gives_no_more),
        cmocka_unit_test(a_hold_that_moves_is_held_once),
        cmocka_unit_test(a_window_opens_a_little_early_but_no_part_of_a_rolling_one),
    };
    int failed = 0;

    if (getenv("LEDGER_TEST_ONLY") != NULL) {
        cmocka_set_test_filter(getenv("LEDGER_TEST_ONLY"));
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    redis_server_start(&server, keeps);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    redis_server_remove(&server);
    curl_global_cleanup();
    return failed;
}
