/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/ledger_world.c: see ledger_world.h. */
#include "tests/contract/ledger_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/snapshot.h"
#include "enforcement/ledger_memory.h"
#include "tests/contract/clock.h"
#include "tests/contract/patience.h"

enum { WAIT_MS = 10000, BURST_MS = 10000, SKIPS_RATE = 20 };

const char *const ledger_world_names[WORLD_KINDS] = {"memory", "redis", "loans"};

static struct link attempts = {&attempts, &attempts};
static uint64_t numbers;

/* ---- ears ---- */

static void on_answer(void *to, const struct hold_answer *answer)
{
    struct attempt *attempt = NULL;

    (void)to;
    for (struct link *at = attempts.next; at != &attempts; at = at->next) {
        struct attempt *one = LIST_OWNER(at, struct attempt, link);

        if (one->number == answer->call_id) {
            attempt = one;
        }
    }
    assert_non_null(attempt); /* else somebody was told who had settled */
    assert_int_equal(answer->attempt, 1);
    assert_false(attempt->is_answered);
    attempt->is_answered = true;
    attempt->answers++;
    attempt->answer = *answer;
    if (!answer->is_extend && answer->verdict != HOLD_GRANTED) {
        attempt->ticket = 0;
        list_remove(&attempt->link);
    }
}

static void on_warning(void *to, const struct ledger_warning *warning)
{
    struct world_proxy *proxy = to;

    proxy->warnings++;
    proxy->warned_percent = warning->percent;
    proxy->warned_settled = warning->settled;
}

static void on_notice(void *to, enum ledger_redis_notice notice, struct span root, const char *text)
{
    struct world_proxy *proxy = to;

    proxy->notices[notice]++;
    (void)snprintf(proxy->said, sizeof proxy->said, "%.*s: %s", SPAN_ARGS(root), text);
    if (getenv("LEDGER_TEST_VERBOSE") != NULL) {
        (void)fprintf(stderr, "%s: %d %s\n", proxy->name, notice, proxy->said);
    }
}

/* ---- the world ---- */

static wall_ms wall(void *to)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (wall_ms)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ((struct world *)to)->ahead_ms;
}

static mono_ms mono(void *to)
{
    struct timespec now;

    (void)to;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (mono_ms)now.tv_sec * 1000 + (mono_ms)now.tv_nsec / 1000000;
}

static void entropy(void *to, void *bytes, size_t count)
{
    FILE *file = fopen("/dev/urandom", "rb");

    (void)to;
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, count, file), count);
    (void)fclose(file);
}

void world_open(struct world *world, enum ledger_world_kind kind, struct redis_server *server)
{
    world_open_ahead(world, kind, server, 0);
}

void world_open_ahead(struct world *world, enum ledger_world_kind kind, struct redis_server *server,
                      int64_t ahead_ms)
{
    struct loop_world real = {.mono = mono, .wall = wall, .entropy = entropy, .to = world};

    memset(world, 0, sizeof *world);
    world->held_before = mem_held();
    world->kind = kind;
    world->server = server;
    world->ahead_ms = ahead_ms;
    world->opened_at = clock_real_ms();
    world->loop = loop_new(&real);
    assert_non_null(world->loop);
    world->ops = kind == WORLD_MEMORY ? &ledger_memory_ops : &ledger_redis_ops;
    world->budgets.list = world->list;
    if (kind != WORLD_MEMORY) {
        world->snapshot = mem_take_zero(sizeof *world->snapshot);
        assert_non_null(world->snapshot);
        world->fetcher = fetcher_new(world->loop, world->snapshot);
        assert_non_null(world->fetcher);
        world->urls[0] =
            (struct redis_url){.host = SPAN_OF("127.0.0.1"), .port = server == NULL ? 1 : server->port};
        world->urls_count = 1;
        world->settings = (struct ledger_redis_settings){.topology = REDIS_SINGLE,
                                                         .urls = world->urls,
                                                         .accept_volatile = true,
                                                         .is_synchronous = kind == WORLD_REDIS,
                                                         .budgets = &world->budgets};
    }
}

void world_close(struct world *world)
{
    for (size_t i = 0; i < WORLD_PROXIES; i++) {
        if (world->proxies[i].ledger != NULL) {
            world_proxy_kill(&world->proxies[i]);
        }
    }
    fetcher_free(world->fetcher);
    if (world->snapshot != NULL) {
        mem_give(world->snapshot, sizeof *world->snapshot);
    }
    loop_free(world->loop);
    assert_true(attempts.next == &attempts);
    assert_int_equal(mem_held(), world->held_before);
}

struct budget *world_budget(struct world *world, const char *name, const char *scope, int64_t limit)
{
    struct budget *budget = &world->list[world->budgets.count];

    assert_true(world->budgets.count < WORLD_BUDGETS);
    *budget = (struct budget){.name = span_of(name),
                              .limit = limit,
                              .window = {.kind = WINDOW_TOTAL},
                              .index = (uint16_t)world->budgets.count};
    assert_int_equal(scope_read(span_of(scope), &budget->scope), ERR_NONE);
    world->budgets.count++;
    return budget;
}

struct world_proxy *world_proxy_start(struct world *world, size_t i)
{
    static const uint64_t seed[2] = {3, 4};
    struct world_proxy *proxy = &world->proxies[i];
    struct ledger_redis_ears ears = {
        .ledger = {.to = proxy, .on_answer = on_answer, .on_warning = on_warning},
        .on_notice = on_notice};

    assert_null(proxy->ledger);
    proxy->world = world;
    (void)snprintf(proxy->name, sizeof proxy->name, "p%zu", i);
    proxy->epoch++;
    if (world->kind == WORLD_MEMORY) {
        proxy->ledger = ledger_memory_new(&ears.ledger, seed);
    } else {
        world->settings.urls_count = world->urls_count;
        proxy->ledger = ledger_redis_new(world->loop, world->fetcher, &world->settings,
                                         span_of(proxy->name), proxy->epoch, &ears);
    }
    assert_non_null(proxy->ledger);
    return proxy;
}

void world_proxy_kill(struct world_proxy *proxy)
{
    struct link *next = NULL;

    for (struct link *at = attempts.next; at != &attempts; at = next) {
        struct attempt *attempt = LIST_OWNER(at, struct attempt, link);

        next = at->next;
        if (attempt->proxy == proxy) {
            attempt->ticket = 0;
            list_remove(at);
        }
    }
    if (proxy->world->kind == WORLD_MEMORY) {
        ledger_memory_free(proxy->ledger);
    } else {
        ledger_redis_free(proxy->ledger);
    }
    proxy->ledger = NULL;
}

/* What was sent is answered and heard, and pauses, beats and deadlines come at once. (The server, one thread,
 * has looked at each connection before it answers the second time.) */
static void turn_unwaiting(struct world *world)
{
    assert_true(loop_turn(world->loop, 0));
    if (world->kind != WORLD_MEMORY) {
        redis_server_tell(world->server, "PING");
        assert_true(loop_turn(world->loop, 0));
    }
    clock_skip(world->skip_ms);
    world->skipped_ms += world->skip_ms;
}

/* Where all wait for the server's own clock, ours stays near it: else a wait of a second takes minutes, after
 * which a process need not remember what it told. */
static bool may_skip(const struct world *world)
{
    uint64_t real_ms = clock_real_ms() - world->opened_at;

    return world->skip_ms > 0 && world->skipped_ms < BURST_MS + real_ms * SKIPS_RATE;
}

void world_turn(struct world *world, uint32_t ms)
{
    if (ms > 0 && may_skip(world)) {
        turn_unwaiting(world);
    } else {
        assert_true(loop_turn(world->loop, ms));
    }
}

void world_run(struct world *world, uint32_t ms)
{
    mono_ms end = loop_now(world->loop) + ms;

    while (loop_now(world->loop) < end) {
        world_turn(world, 5);
    }
}

void world_quiet(struct world *world)
{
    mono_ms end = loop_now(world->loop) + patient(WAIT_MS);
    bool is_quiet = world->kind == WORLD_MEMORY;

    while (!is_quiet) {
        assert_true(loop_now(world->loop) < end);
        is_quiet = true;
        for (size_t i = 0; i < WORLD_PROXIES; i++) {
            if (world->proxies[i].ledger != NULL) {
                is_quiet = is_quiet && ledger_redis_counts(world->proxies[i].ledger).unsaid == 0;
            }
        }
        if (!is_quiet) {
            world_turn(world, 2);
        }
    }
}

/* ---- attempts ---- */

struct subject subject_of(const char *team, const char *key)
{
    return (struct subject){.values = {[SCOPE_TEAM] = span_of(team),
                                       [SCOPE_KEY] = span_of(key),
                                       [SCOPE_MODEL] = SPAN("gpt-5.4-mini"),
                                       [SCOPE_PROVIDER] = SPAN("openai")}};
}

void attempt_begin(struct attempt *attempt, struct world_proxy *proxy, struct subject subject,
                   int64_t amount)
{
    attempt_begin_with(attempt, proxy, subject, (struct amounts){{amount, amount, 1}});
}

void attempt_begin_with(struct attempt *attempt, struct world_proxy *proxy, struct subject subject,
                        struct amounts amounts)
{
    struct hold_request request;

    memset(attempt, 0, sizeof *attempt);
    attempt->proxy = proxy;
    attempt->number = ++numbers;
    attempt->subject = subject;
    attempt->team = subject.values[SCOPE_TEAM];
    attempt->amounts = amounts;
    (void)snprintf(attempt->id, sizeof attempt->id, "01930000-0000-7000-8000-%012llu-1",
                   (unsigned long long)attempt->number);
    chain_make(&proxy->world->budgets, &attempt->subject, &attempt->chain);
    assert_true(attempt->chain.count > 0);
    list_init(&attempt->link);
    list_push_back(&attempts, &attempt->link);
    request = (struct hold_request){.call_id = attempt->number,
                                    .attempt = 1,
                                    .record_id = span_of(attempt->id),
                                    .team = attempt->team,
                                    .chain = &attempt->chain,
                                    .amounts = attempt->amounts,
                                    .now = loop_wall(proxy->world->loop) + proxy->clock_ahead};
    attempt->is_answered =
        proxy->world->ops->hold(proxy->ledger, &request, &attempt->ticket, &attempt->answer);
    if (attempt->is_answered) {
        attempt->answers++;
        assert_int_equal(attempt->ticket != 0, attempt->answer.verdict == HOLD_GRANTED);
        if (attempt->ticket == 0) {
            list_remove(&attempt->link);
        }
    } else {
        assert_true(attempt->ticket != 0);
    }
}

void attempt_extend(struct attempt *attempt, int64_t more)
{
    struct amounts amounts = {{more, more, 0}};

    assert_true(attempt->ticket != 0 && attempt->is_answered);
    attempt->is_answered = attempt->proxy->world->ops->extend(
        attempt->proxy->ledger, attempt->ticket, &amounts, &attempt->answer);
    attempt->answers += attempt->is_answered;
}

void attempt_settle(struct attempt *attempt, int64_t actual)
{
    struct amounts amounts = {{actual, actual, actual > 0}};

    assert_true(attempt->ticket != 0);
    list_remove(&attempt->link);
    attempt->proxy->world->ops->settle(attempt->proxy->ledger, attempt->ticket, &amounts);
    attempt->ticket = 0;
}

enum hold_verdict attempt_wait(struct attempt *attempt)
{
    struct world *world = attempt->proxy->world;
    mono_ms end = loop_now(world->loop) + patient(WAIT_MS);

    while (!attempt->is_answered) {
        assert_true(loop_now(world->loop) < end);
        world_turn(world, 5);
    }
    return attempt->answer.verdict;
}

enum hold_verdict attempt_hold(struct attempt *attempt, struct world_proxy *proxy,
                               struct subject subject, int64_t amount)
{
    attempt_begin(attempt, proxy, subject, amount);
    return attempt_wait(attempt);
}

/* ---- reports ---- */

static void hear_row(struct ledger_report *report, const struct ledger_row *row)
{
    struct world_rows *rows = (struct world_rows *)(void *)report;
    struct ledger_row *own = &rows->list[rows->count];

    assert_true(rows->count < 64 && row->budget.len < 80 && row->value.len < 80);
    *own = *row;
    (void)snprintf(rows->texts[rows->count][0], 80, "%.*s", SPAN_ARGS(row->budget));
    (void)snprintf(rows->texts[rows->count][1], 80, "%.*s", SPAN_ARGS(row->value));
    own->budget = span_of(rows->texts[rows->count][0]);
    own->value = span_of(rows->texts[rows->count][1]);
    rows->count++;
}

static void hear_done(struct ledger_report *report, bool is_whole)
{
    struct world_rows *rows = (struct world_rows *)(void *)report;

    assert_false(rows->is_done);
    rows->is_done = true;
    rows->is_whole = is_whole;
}

void world_report(struct world_proxy *proxy, const struct subject *subject, struct world_rows *rows)
{
    struct world *world = proxy->world;
    mono_ms end = loop_now(world->loop) + patient(WAIT_MS);

    memset(rows, 0, sizeof *rows);
    rows->report = (struct ledger_report){.subject = subject,
                                          .budgets = &world->budgets,
                                          .now = loop_wall(world->loop),
                                          .row = hear_row,
                                          .done = hear_done};
    world->ops->report(proxy->ledger, &rows->report);
    while (!rows->is_done) {
        assert_true(loop_now(world->loop) < end);
        world_turn(world, 5);
    }
}

struct ordered {
    struct ledger_order order;
    bool is_done;
    bool is_refused;
};

static void hear_order(struct ledger_order *order, bool is_done, const char *why)
{
    struct ordered *ordered = (struct ordered *)(void *)order;

    assert_false(ordered->is_done);
    ordered->is_done = true;
    ordered->is_refused = !is_done;
    assert_int_equal(why == NULL, is_done);
}

int64_t world_order(struct world_proxy *proxy, enum ledger_order_kind kind, const char *budget,
                    const char *value)
{
    struct world *world = proxy->world;
    mono_ms end = loop_now(world->loop) + patient(WAIT_MS);
    struct ordered ordered = {.order = {.kind = kind,
                                        .budget = span_of(budget),
                                        .value = span_of(value),
                                        .has_value = value != NULL,
                                        .now = loop_wall(world->loop),
                                        .done = hear_order}};

    world->ops->order(proxy->ledger, &ordered.order);
    while (!ordered.is_done) {
        assert_true(loop_now(world->loop) < end);
        world_turn(world, 5);
    }
    return ordered.is_refused ? -1 : (int64_t)ordered.order.touched;
}

const struct ledger_row *world_row(const struct world_rows *rows, const char *budget,
                                   const char *value)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (span_equal(rows->list[i].budget, span_of(budget)) &&
            span_equal(rows->list[i].value, span_of(value))) {
            return &rows->list[i];
        }
    }
    return NULL;
}

/* ---- a life's usual things ---- */

struct ledger_row world_only_row(struct world_proxy *proxy, const struct subject *subject)
{
    struct world_rows rows;
    int tries = 0;

    do {
        world_quiet(proxy->world);
        world_report(proxy, subject, &rows);
        assert_true(tries++ < 20); /* connections were cut */
    } while (!rows.is_whole);
    assert_int_equal(rows.count, 1);
    return rows.list[0];
}

void world_spend(struct world_proxy *proxy, struct subject subject, int64_t amount)
{
    struct attempt attempt;

    assert_int_equal(attempt_hold(&attempt, proxy, subject, amount), HOLD_GRANTED);
    attempt_settle(&attempt, amount);
}

void world_recover(struct world_proxy *proxy, struct subject subject, uint32_t ms)
{
    mono_ms end = loop_now(proxy->world->loop) + patient(ms);
    struct attempt attempt;

    while (attempt_hold(&attempt, proxy, subject, 1) != HOLD_GRANTED) {
        assert_true(loop_now(proxy->world->loop) < end);
        world_run(proxy->world, 10);
    }
    attempt_settle(&attempt, 0);
}
