/* SPDX-License-Identifier: Apache-2.0 */
/* Random lives of several processes that share a ledger: holds, extensions, settles before and after
 * the answer, answers that get lost, processes that are killed and come back, servers that fail over to an
 * older copy of themselves or forget everything. What must hold is derived from what the processes were
 * told and what they spent, never from the ledger's own sums:
 *
 *   - at every moment, of each counter: granted and not ended, and spent, is at most the limit (and what
 *     went beyond its hold);
 *   - at every moment, in the server: held and presumed sums are those of the holds that are there;
 *   - at rest: what is settled is what was spent, to the last nanodollar, and nothing is held.
 *
 * LEDGER_MODEL_SEQUENCES: how many of each kind; SEED: which. */
#include <curl/curl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tests/contract/ledger_world.h"
#include "tests/contract/patience.h"

enum {
    ATTEMPTS = 1000,
    PROXIES = 3,
    STEPS = 150,
    TEAMS = 2,
    KEYS = 2,
    COUNTERS = 1 + TEAMS + TEAMS * KEYS,
    RECOVER_MS = 200,
    HEAL_MS = 600
};

struct told {
    struct attempt attempt;
    bool is_asked;
    bool is_granted;   /* heard of, and not ended */
    bool is_recorded;  /* settled: its record says so */
    bool is_crashed;   /* its process was killed before */
    uint8_t counters[3];
    int64_t held;
    int64_t actual;
    uint64_t epoch;    /* of its settle */
    size_t order;      /* among the settles */
    size_t proxy;
    struct ledger_redis_numbers numbers;
};

static struct {
    struct world world;
    struct redis_server server;
    struct rng rng;
    struct told told[ATTEMPTS];
    size_t count;
    size_t settles;
    int64_t limits[COUNTERS];
    bool fails_over;
    uint64_t granted;
    uint64_t denied;
    uint64_t local;
    uint64_t seed;
    mono_ms healed_at;
} m;

static void trace(const char *what, uint64_t n)
{
    if (getenv("LEDGER_TEST_VERBOSE") != NULL) {
        (void)fprintf(stderr, "-- %s %" PRIu64 "\n", what, n);
    }
}

static uint64_t below(uint64_t n)
{
    return rng_below(&m.rng, n);
}

/* ---- laws ---- */

static void check_limits(void)
{
    int64_t sums[COUNTERS] = {0};
    bool is_beyond = false;

    for (size_t i = 0; i < m.count; i++) {
        struct told *told = &m.told[i];
        int64_t counts = told->is_recorded ? (told->actual < told->held || told->held == 0
                                                  ? told->actual
                                                  : told->held)
                         : told->is_granted || told->is_crashed ? told->held
                                                                : 0;

        for (size_t c = 0; c < 3; c++) {
            sums[told->counters[c]] += counts;
        }
    }
    for (size_t c = 0; c < COUNTERS; c++) {
        is_beyond = is_beyond || sums[c] > m.limits[c];
    }
    for (size_t i = 0; i < m.count && is_beyond; i++) {
        (void)fprintf(stderr, "%s p%zu held %" PRId64 " used %" PRId64 "%s%s%s at %d %d %d\n",
                      m.told[i].attempt.id + 24, m.told[i].proxy, m.told[i].held, m.told[i].actual,
                      m.told[i].is_granted ? " granted" : "", m.told[i].is_recorded ? " ended" : "",
                      m.told[i].is_crashed ? " crashed" : "", m.told[i].counters[0],
                      m.told[i].counters[1], m.told[i].counters[2]);
    }
    for (size_t c = 0; c < COUNTERS; c++) {
        if (sums[c] > m.limits[c]) {
            fail_msg("SEED=%" PRIu64 ": counter %zu: %" PRId64 " of %" PRId64, m.seed, c, sums[c],
                     m.limits[c]);
        }
    }
}

/* No sum without its holds, no hold without its sum: looked at by the server itself, between two
 * commands. */
static void check_server(void)
{
    static const char script[] =
        "local sums = {} "
        "for _, h in ipairs(redis.call('KEYS', 'hg:*}:h')) do "
        "  local all = redis.call('HGETALL', h) "
        "  for i = 2, #all, 2 do local p = cmsgpack.unpack(all[i]) "
        "    for j = 4, #p, 2 do local k = p[1] .. p[j + 1] sums[k] = (sums[k] or 0) + p[j] end end end "
        "for _, w in ipairs(redis.call('KEYS', 'hg:*}:w:*')) do "
        "  local v = redis.call('HMGET', w, 'H', 'P', 'S', 'O') "
        "  if (sums['H' .. w] or 0) ~= v[1] + 0 then return w .. ' H ' .. v[1] .. ' ' .. (sums['H' .. w] or 0) end "
        "  if (sums['P' .. w] or 0) ~= v[2] + 0 then return w .. ' P ' .. v[2] .. ' ' .. (sums['P' .. w] or 0) end "
        "  if v[3] + 0 < 0 or v[4] + 0 > v[3] + 0 then return w .. ' S' end end "
        "return ''";
    redisReply *reply = NULL;

    if (m.world.kind == WORLD_MEMORY) {
        return;
    }
    reply = redis_server_ask(&m.server, "EVAL %s 0", script);
    if (reply->type != REDIS_REPLY_STRING || reply->len != 0) {
        fail_msg("SEED=%" PRIu64 ": %s", m.seed, reply->str);
    }
    freeReplyObject(reply);
}

static int64_t spent(size_t counter)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m.count; i++) {
        for (size_t c = 0; c < 3 && m.told[i].is_recorded; c++) {
            sum += m.told[i].counters[c] == counter ? m.told[i].actual : 0;
        }
    }
    return sum;
}

static struct subject subject_at(size_t team, size_t key)
{
    static const char *const teams[TEAMS] = {"growth", "ops"};
    static const char *const keys[TEAMS * KEYS] = {"g0", "g1", "o0", "o1"};

    return subject_of(teams[team], keys[team * KEYS + key]);
}

static void check_row(struct world_proxy *proxy, size_t team, size_t key, const char *budget,
                      struct span value, size_t counter)
{
    struct subject subject = subject_at(team, key);
    struct world_rows rows;
    const struct ledger_row *row = NULL;
    char text[64];

    world_report(proxy, &subject, &rows);
    assert_true(rows.is_whole);
    (void)snprintf(text, sizeof text, "%.*s", SPAN_ARGS(value));
    row = world_row(&rows, budget, text);
    if (row == NULL && spent(counter) == 0) {
        return; /* nobody has counted on it */
    }
    assert_non_null(row);
    if (row->settled != spent(counter) || row->held != 0 || row->presumed != 0) {
        fail_msg("SEED=%" PRIu64 ": at rest %s %s: settled %" PRId64 ", spent %" PRId64
                 ", held %" PRId64 ", presumed %" PRId64,
                 m.seed, budget, text, row->settled, spent(counter), row->held, row->presumed);
    }
}

/* ---- the ends of attempts ---- */

/* What came by an answer. */
static void look(struct told *told)
{
    struct attempt *attempt = &told->attempt;

    if (!told->is_asked || !attempt->is_answered || told->is_recorded || told->is_crashed) {
        return;
    }
    if (!told->is_granted && attempt->answer.verdict == HOLD_GRANTED && attempt->ticket != 0) {
        told->is_granted = true;
        told->held = attempt->amounts.of[UNIT_MONEY];
        m.granted++;
        assert_false(attempt->answer.is_fail_open);
    } else if (!told->is_granted && attempt->answer.verdict == HOLD_DENIED) {
        m.denied++;
        told->is_asked = false;
        assert_true(attempt->answer.used + attempt->amounts.of[UNIT_MONEY] >
                    m.limits[told->counters[attempt->answer.link]]);
    } else if (told->is_granted && attempt->answer.is_extend) {
        if (attempt->answer.verdict == HOLD_GRANTED) {
            told->held += told->actual;
        }
        told->actual = 0;
        attempt->answer.is_extend = false;
    } else if (!told->is_granted) {
        told->is_asked = false; /* it could not be asked */
    }
}

static void look_all(void)
{
    for (size_t i = 0; i < m.count; i++) {
        look(&m.told[i]);
    }
    check_limits();
}

static void settle(struct told *told)
{
    uint64_t how = below(20);
    int64_t actual = how == 0   ? told->held + (int64_t)below(50)
                     : how < 4  ? 0
                     : how == 4 ? told->held
                                : (int64_t)below((uint64_t)told->held + 1);

    if (!told->is_granted) {
        actual = 0;
    }
    told->epoch = told->attempt.proxy->epoch;
    attempt_settle(&told->attempt, actual);
    told->actual = actual;
    told->is_recorded = true;
    told->order = ++m.settles;
    if (m.world.kind != WORLD_MEMORY) {
        told->numbers = ledger_redis_numbers(told->attempt.proxy->ledger);
    }
}

static struct told *any(bool (*fits)(const struct told *told))
{
    size_t from = m.count == 0 ? 0 : below(m.count);

    for (size_t i = 0; i < m.count; i++) {
        struct told *told = &m.told[(from + i) % m.count];

        if (fits(told)) {
            return told;
        }
    }
    return NULL;
}

static bool is_open(const struct told *told)
{
    return told->is_asked && !told->is_recorded && !told->is_crashed && told->attempt.ticket != 0;
}

static bool is_granted(const struct told *told)
{
    return is_open(told) && told->is_granted && told->attempt.is_answered;
}

/* ---- processes ---- */

static void kill_proxy(size_t i)
{
    look_all();
    for (size_t n = 0; n < m.count; n++) {
        struct told *told = &m.told[n];

        if (is_open(told) && told->proxy == i) {
            told->is_crashed = told->is_granted;
            told->is_asked = false;
        }
    }
    world_proxy_kill(&m.world.proxies[i]);
    /* Who is dead puts nothing back: a server that forgets what a process did in its last second, while
     * that process is not back yet, is more than is promised. */
    if (m.fails_over) {
        redis_server_tell(&m.server, "SAVE");
    }
}

static bool is_anybody_dead(void)
{
    for (size_t i = 0; i < PROXIES; i++) {
        if (m.world.proxies[i].ledger == NULL) {
            return true;
        }
    }
    return false;
}

static int by_order(const void *a, const void *b)
{
    const struct told *const *x = a;
    const struct told *const *y = b;

    return (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
}

/* What its records say: sums, settles that may not have arrived, and what was open when it was
 * killed. */
static void restart_proxy(size_t i)
{
    struct world_proxy *proxy = world_proxy_start(&m.world, i);
    struct told *mine[ATTEMPTS];
    size_t count = 0;

    for (size_t n = 0; n < m.count; n++) {
        struct told *told = &m.told[n];

        if (told->proxy != i || (!told->is_recorded && !told->is_crashed)) {
            continue;
        }
        if (told->is_crashed) {
            told->is_crashed = false;
            told->is_recorded = true;
            told->actual = (int64_t)below((uint64_t)told->held + 1);
            told->epoch = 0;
            told->order = ++m.settles;
        }
        mine[count++] = told;
    }
    qsort(mine, count, sizeof mine[0], by_order);
    for (size_t n = 0; n < count; n++) {
        for (uint8_t c = 0; c < mine[n]->attempt.chain.count; c++) {
            struct chain_link *link = &mine[n]->attempt.chain.list[c];

            assert_true(ledger_redis_load(proxy->ledger, mine[n]->attempt.team, link->budget,
                                          link->value, mine[n]->attempt.answer.held_at,
                                          mine[n]->actual, 0));
        }
    }
    for (size_t n = 0; n < count; n++) {
        struct ledger_redis_record record = {.record_id = span_of(mine[n]->attempt.id),
                                             .team = mine[n]->attempt.team,
                                             .chain = &mine[n]->attempt.chain,
                                             .actual = {{mine[n]->actual, mine[n]->actual, 1}},
                                             .held_at = mine[n]->attempt.answer.held_at,
                                             .epoch = mine[n]->epoch,
                                             .numbers = mine[n]->numbers};

        assert_true(ledger_redis_resend(proxy->ledger, &record));
        if (mine[n]->epoch == 0) {
            mine[n]->epoch = proxy->epoch;
            mine[n]->numbers = ledger_redis_numbers(proxy->ledger);
        }
    }
    ledger_redis_resent(proxy->ledger);
}

/* ---- servers ---- */

/* The copy that takes over is as old as the last SAVE. */
static void fail_over(void)
{
    redis_server_kill(&m.server);
    redis_server_restart(&m.server);
    m.healed_at = loop_now(m.world.loop) + patient(HEAL_MS);
}

/* ---- steps ---- */

static void ask(void)
{
    struct told *told = &m.told[m.count];
    bool has_loans = m.world.kind == WORLD_LOANS;
    size_t proxy = has_loans ? below(2) * below(2) : below(PROXIES); /* one more than the others */
    size_t team = has_loans ? below(2) * below(2) : below(TEAMS);
    size_t key = has_loans ? below(2) * below(2) : below(KEYS);
    bool is_small = has_loans && below(24) > 0;
    int64_t amount = 1 + (int64_t)below(is_small ? 3 : has_loans ? 900 : 300);

    if (m.count == ATTEMPTS || m.world.proxies[proxy].ledger == NULL) {
        return;
    }
    *told = (struct told){.is_asked = true, .proxy = proxy};
    told->counters[1] = (uint8_t)(1 + team);
    told->counters[2] = (uint8_t)(1 + TEAMS + team * KEYS + key);
    m.count++;
    attempt_begin(&told->attempt, &m.world.proxies[proxy], subject_at(team, key), amount);
    look(told);
}

static void step(void)
{
    uint64_t what = below(m.world.kind == WORLD_LOANS && below(4) > 0 ? 92 : 100);
    struct told *told = NULL;

    if (what < 40) {
        ask();
    } else if (what < 65) {
        told = any(is_granted);
        if (told != NULL) {
            look(told);
            settle(told);
        }
    } else if (what < 68) {
        told = any(is_open);
        if (told != NULL) {
            look(told);
            if (is_open(told)) {
                settle(told);
            }
        }
    } else if (what < 72) {
        told = any(is_granted);
        if (told != NULL) {
            look(told);
            told->actual = 1 + (int64_t)below(60); /* how much more, until it is answered */
            attempt_extend(&told->attempt, told->actual);
            (void)attempt_wait(&told->attempt);
            look(told);
        }
    } else if (m.world.kind == WORLD_MEMORY) {
        ask();
    } else if (what < 92) {
        world_turn(&m.world, below(4) == 0 ? (m.fails_over ? 10 : 1) : 0);
    } else if (what < 94) {
        /* Answers get lost. (Not while everybody comes back: that has to be possible in time.) */
        if (loop_now(m.world.loop) < m.healed_at) {
            return;
        }
        trace("cut", 0);
        redis_server_tell(&m.server, "CLIENT KILL TYPE normal SKIPME yes");
    } else if (what < 97) {
        size_t i = below(PROXIES);

        if (loop_now(m.world.loop) < m.healed_at) {
            return; /* the same: it has not put back yet what the server forgot */
        }
        trace("kill or start", i);
        if (m.world.proxies[i].ledger != NULL) {
            kill_proxy(i);
        } else {
            restart_proxy(i);
        }
    } else if (m.fails_over && what == 97) {
        trace("save", 0);
        redis_server_tell(&m.server, "SAVE");
    } else if (m.fails_over && what == 98) {
        trace("fail over", 0);
        fail_over();
    } else if (m.fails_over && below(3) == 0 && !is_anybody_dead()) {
        trace("flush", 0);
        redis_server_tell(&m.server, "FLUSHALL");
        m.healed_at = loop_now(m.world.loop) + patient(HEAL_MS);
    }
    if (loop_now(m.world.loop) < m.healed_at) {
        world_turn(&m.world, 0);
    }
    look_all();
    check_server();
}

static bool is_any_open(void)
{
    return any(is_open) != NULL;
}

static void rest(void)
{
    mono_ms end = 0;
    bool is_quiet = false;

    for (size_t i = 0; i < PROXIES; i++) {
        if (m.world.proxies[i].ledger == NULL) {
            restart_proxy(i);
        }
    }
    end = loop_now(m.world.loop) + patient(15000);
    while (is_any_open()) {
        struct told *told = any(is_granted);

        look_all();
        if (told != NULL && is_granted(told)) {
            settle(told);
        } else {
            world_turn(&m.world, 2);
        }
        assert_true(loop_now(m.world.loop) < end);
    }
    while (!is_quiet && m.world.kind != WORLD_MEMORY) {
        is_quiet = true;
        for (size_t i = 0; i < PROXIES; i++) {
            is_quiet = ledger_redis_drain(m.world.proxies[i].ledger) && is_quiet;
        }
        world_turn(&m.world, 2);
        if (is_quiet) {
            redisReply *reply = redis_server_ask(
                &m.server,
                "EVAL %s 0",
                "for _, h in ipairs(redis.call('KEYS', 'hg:*}:h')) do if redis.call('HLEN', h) > 0 "
                "then return redis.call('HGETALL', h) end end return {}");

            is_quiet = reply->elements == 0;
            if (!is_quiet && loop_now(m.world.loop) + 500 > end) {
                for (size_t i = 0; i < reply->elements; i++) {
                    (void)fprintf(stderr, "left: %s\n", reply->element[i]->str);
                }
            }
            freeReplyObject(reply);
        }
        if (loop_now(m.world.loop) >= end) {
            fail_msg("SEED=%" PRIu64 ": there is no rest", m.seed);
        }
    }
    check_server();
    for (size_t team = 0; team < TEAMS; team++) {
        for (size_t key = 0; key < KEYS; key++) {
            struct subject subject = subject_at(team, key);

            check_row(&m.world.proxies[0], team, key, "all", span_make("", 0), 0);
            check_row(&m.world.proxies[0], team, key, "team", subject.values[SCOPE_TEAM], 1 + team);
            check_row(&m.world.proxies[0], team, key, "key", subject.values[SCOPE_KEY],
                      1 + TEAMS + team * KEYS + key);
        }
    }
}

static void sequence(enum ledger_world_kind kind, uint64_t seed, bool fails_over)
{
    int64_t scale = kind == WORLD_LOANS ? 3 : 1;
    int steps = STEPS * (kind == WORLD_LOANS ? 2 : 1) * (fails_over ? 2 : 1);

    m.count = 0;
    m.settles = 0;
    m.seed = seed;
    m.fails_over = fails_over;
    rng_init(&m.rng, seed, (uint64_t)kind);
    m.limits[0] = 1800 * scale;
    m.limits[1] = m.limits[2] = 1000 * scale;
    m.limits[3] = m.limits[4] = m.limits[5] = m.limits[6] = 600 * scale;
    if (kind != WORLD_MEMORY) {
        redis_server_tell(&m.server, "FLUSHALL");
        redis_server_season(&m.server);
        if (fails_over) {
            redis_server_tell(&m.server, "SAVE");
        }
    }
    world_open(&m.world, kind, &m.server);
    m.world.settings.recover_ms = RECOVER_MS;
    (void)world_budget(&m.world, "all", "global", m.limits[0]);
    (void)world_budget(&m.world, "team", "team", m.limits[1]);
    (void)world_budget(&m.world, "key", "key", m.limits[3]);
    for (size_t i = 0; i < (kind == WORLD_MEMORY ? 1 : PROXIES); i++) {
        (void)world_proxy_start(&m.world, i);
    }
    for (int i = 0; i < steps; i++) {
        step();
    }
    if (kind == WORLD_MEMORY) {
        while (is_any_open()) {
            struct told *told = any(is_open);

            look(told);
            settle(told);
        }
        for (size_t key = 0; key < KEYS; key++) {
            check_row(&m.world.proxies[0], 0, key, "all", span_make("", 0), 0);
            check_row(&m.world.proxies[0], 0, key, "key", subject_at(0, key).values[SCOPE_KEY],
                      1 + TEAMS + key);
        }
    } else {
        rest();
        for (size_t i = 0; i < PROXIES; i++) {
            m.local += ledger_redis_counts(m.world.proxies[i].ledger).local;
        }
    }
    world_close(&m.world);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void play(enum ledger_world_kind kind, uint64_t otherwise, bool fails_over)
{
    uint64_t count = number_of("LEDGER_MODEL_SEQUENCES", otherwise);
    uint64_t first = number_of("SEED", 1);

    if (getenv("SEED") != NULL) {
        count = number_of("LEDGER_MODEL_SEQUENCES", 1);
    }
    m.granted = m.denied = m.local = 0;
    for (uint64_t i = 0; i < count; i++) {
        sequence(kind, first + i, fails_over);
    }
    print_message("%s%s: %" PRIu64 " sequences, %" PRIu64 " granted (%" PRIu64
                  " without a round trip), %" PRIu64 " denied\n",
                  ledger_world_names[kind], fails_over ? ", failing over" : "", count, m.granted,
                  m.local, m.denied);
    /* Else it would have shown nothing. */
    assert_true(count < 30 || (m.granted > count && m.denied > 0));
}

static void memory__holds_what_it_promises(void **state)
{
    (void)state;
    play(WORLD_MEMORY, 5000, false);
}

static void redis__holds_what_it_promises(void **state)
{
    (void)state;
    play(WORLD_REDIS, 60, false);
}

static void redis__holds_it_through_failovers(void **state)
{
    (void)state;
    play(WORLD_REDIS, 8, true);
}

static void loans__hold_what_they_promise(void **state)
{
    (void)state;
    play(WORLD_LOANS, 40, false);
}

static void loans__hold_it_through_failovers(void **state)
{
    (void)state;
    play(WORLD_LOANS, 6, true);
}

int main(void)
{
    static const char *const options[] = {"--appendonly", "no", NULL};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory__holds_what_it_promises),
        cmocka_unit_test(redis__holds_what_it_promises),
        cmocka_unit_test(redis__holds_it_through_failovers),
        cmocka_unit_test(loans__hold_what_they_promise),
        cmocka_unit_test(loans__hold_it_through_failovers),
    };
    int failed = 0;

    if (getenv("LEDGER_MODEL_ONLY") != NULL) {
        cmocka_set_test_filter(getenv("LEDGER_MODEL_ONLY"));
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    redis_server_start(&m.server, options);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    redis_server_remove(&m.server);
    curl_global_cleanup();
    return failed;
}
