/* SPDX-License-Identifier: Apache-2.0 */
/* Random lives of several processes that share a ledger: holds, extensions, settles before and after
 * the answer, answers that get lost, processes that are killed and come back, servers that fail over to an
 * older copy of themselves or forget everything. What must hold is derived from what the processes were
 * told and what they spent, never from the ledger's own sums:
 *
 *   - at every moment, of each counter and window: granted and not ended, and spent, is at most the limit
 *     (and what went beyond its hold, or was added after the window's end), by the moment of the hold,
 *     whenever it ends;
 *   - at every moment, in the server: held and presumed sums are those of the holds that are there;
 *   - at rest: what is settled in each window is what was spent there, to the last nanodollar, and nothing is
 *     held.
 *
 * LEDGER_MODEL_SEQUENCES: how many of each kind; SEED: which; HEADGATE_TEST_SCALE=full: all of them. */
#define _GNU_SOURCE /* sched_setaffinity */
#include <curl/curl.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "enforcement/sequence.h"
#include "tests/contract/clock.h"
#include "tests/contract/ledger_world.h"
#include "tests/contract/patience.h"

enum {
    ATTEMPTS = 1000,
    PROXIES = 3,
    TEAMS = 2,
    KEYS = 2,
    COUNTERS = 1 + TEAMS + TEAMS * KEYS,
    RECOVER_MS = 100, /* by the server's clock */
    HEAL_MS = 150,
    REST_MS = 15000,
    SKIP_MS = 50,
    SKIP_HEALING_MS = 2, /* one comes back after the other */
    COPY_MS = SEQUENCE_KEPT_MS / 2, /* younger than what processes still remember */
    FROZEN_MS = 300,     /* longer than a command may take */
    MINUTE_MS = 60000,
    PART_MS = 40,        /* of a rolling window: some come and go in a life on a server, whose clock is real */
    WINDOWS = 1024,      /* that one life may see */
    FIRST_KEY = 1 + TEAMS /* of the counters that have windows */
};

/* How many lives at full size, and of these one in so many with sanitizers, where each takes longer. */
enum {
    FULL_MEMORY = 5000,
    FULL_REDIS = 4000,
    FULL_LOANS = 1000,
    FULL_FAILOVERS = 60, /* of each kind */
    SLOWER = 10
};

struct told {
    struct attempt attempt;
    bool is_asked;
    bool is_granted;   /* heard of, and not ended */
    bool is_recorded;  /* settled: its record says so */
    bool is_crashed;   /* its process was killed before */
    uint8_t counters[3];
    int64_t held;
    int64_t late;      /* part of it: asked for after the end of the window */
    int64_t actual;
    wall_ms held_at;
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
    struct window_rule rule; /* of the keys' budget */
    bool fails_over;
    uint64_t granted;
    uint64_t denied;
    uint64_t local;
    uint64_t seed;
    uint64_t sent;        /* commands, when the server was last looked at */
    uint64_t sent_before; /* and the time before */
    uint64_t healed_at;   /* by the real clock */
    mono_ms saved_at;     /* by that of the processes */
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

static uint64_t real_after(uint32_t ms)
{
    return clock_real_ms() + patient(ms);
}

static bool is_healing(void)
{
    return clock_real_ms() < m.healed_at;
}

/* ---- windows ---- */

/* Windows of the keys' budget have numbers that follow one another. */
static int64_t number_at(wall_ms at)
{
    return m.rule.kind == WINDOW_TOTAL     ? 0
           : m.rule.kind == WINDOW_ROLLING ? at / PART_MS
                                           : at / MINUTE_MS;
}

/* How many of them a limit is for. */
static int64_t reach(void)
{
    return m.rule.kind == WINDOW_ROLLING ? WINDOW_PARTS : 1;
}

static wall_ms memory_now(void)
{
    return loop_wall(m.world.loop) + m.world.proxies[0].clock_ahead;
}

/* ---- laws ---- */

/* What of it is within so much of its hold. */
static int64_t counted(const struct told *told, int64_t held)
{
    if (!told->is_recorded) {
        return told->is_granted || told->is_crashed ? held : 0;
    }
    return told->actual < held || told->held == 0 ? told->actual : held;
}

/* Of each counter of a key, by each of its windows: what the limit is for was held while they were open. */
static void check_windows(void)
{
    static int64_t sums[COUNTERS - FIRST_KEY][WINDOWS];
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;

    for (size_t i = 0; i < m.count; i++) {
        if (m.told[i].held > 0) {
            int64_t number = number_at(m.told[i].held_at);

            first = number < first ? number : first;
            last = number > last ? number : last;
        }
    }
    if (last < first) {
        return;
    }
    assert_true(last - first < WINDOWS);
    memset(sums, 0, sizeof sums);
    for (size_t i = 0; i < m.count; i++) {
        const struct told *told = &m.told[i];

        if (told->held > 0) {
            sums[told->counters[2] - FIRST_KEY][number_at(told->held_at) - first] +=
                counted(told, told->held - told->late);
        }
    }
    for (size_t c = 0; c < COUNTERS - FIRST_KEY; c++) {
        int64_t sum = 0;

        for (int64_t at = 0; at <= last - first; at++) {
            sum += sums[c][at] - (at >= reach() ? sums[c][at - reach()] : 0);
            if (sum > m.limits[FIRST_KEY + c]) {
                fail_msg("SEED=%" PRIu64 ": counter %zu in window %" PRId64 ": %" PRId64 " of %" PRId64,
                         m.seed, FIRST_KEY + c, at, sum, m.limits[FIRST_KEY + c]);
            }
        }
    }
}

static void check_limits(void)
{
    int64_t sums[COUNTERS] = {0};
    bool is_beyond = false;

    for (size_t i = 0; i < m.count; i++) {
        struct told *told = &m.told[i];
        int64_t counts = counted(told, told->held);

        for (size_t c = 0; c < 3; c++) {
            sums[told->counters[c]] += counts;
        }
    }
    for (size_t c = 0; c < FIRST_KEY; c++) {
        is_beyond = is_beyond || sums[c] > m.limits[c];
    }
    for (size_t i = 0; i < m.count && is_beyond; i++) {
        (void)fprintf(stderr, "%s p%zu held %" PRId64 " used %" PRId64 "%s%s%s at %d %d %d\n",
                      m.told[i].attempt.id + 24, m.told[i].proxy, m.told[i].held, m.told[i].actual,
                      m.told[i].is_granted ? " granted" : "", m.told[i].is_recorded ? " ended" : "",
                      m.told[i].is_crashed ? " crashed" : "", m.told[i].counters[0],
                      m.told[i].counters[1], m.told[i].counters[2]);
    }
    for (size_t c = 0; c < FIRST_KEY; c++) {
        if (sums[c] > m.limits[c]) {
            fail_msg("SEED=%" PRIu64 ": counter %zu: %" PRId64 " of %" PRId64, m.seed, c, sums[c],
                     m.limits[c]);
        }
    }
    check_windows();
}

/* Something was sent since the last look, or had been sent before that one and may have come after it. */
static bool is_server_touched(void)
{
    uint64_t sent = 0;
    bool is_touched = false;

    for (size_t i = 0; i < PROXIES; i++) {
        if (m.world.proxies[i].ledger != NULL) {
            sent += ledger_redis_counts(m.world.proxies[i].ledger).commands;
        }
    }
    is_touched = sent != m.sent || m.sent != m.sent_before;
    m.sent_before = m.sent;
    m.sent = sent;
    return is_touched;
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

    if (m.world.kind == WORLD_MEMORY || !is_server_touched()) {
        return;
    }
    reply = redis_server_ask(&m.server, "EVAL %s 0", script);
    if (reply->type != REDIS_REPLY_STRING || reply->len != 0) {
        fail_msg("SEED=%" PRIu64 ": %s", m.seed, reply->str);
    }
    freeReplyObject(reply);
}

/* In the windows with the numbers `from` to `to`, of a counter that has any. */
static int64_t spent(size_t counter, int64_t from, int64_t to)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m.count; i++) {
        int64_t number = number_at(m.told[i].held_at);
        bool is_there = counter < FIRST_KEY || (number >= from && number <= to);

        for (size_t c = 0; c < 3 && m.told[i].is_recorded && is_there; c++) {
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

static void check_row(const struct world_rows *rows, const char *budget, struct span value, size_t counter)
{
    const struct ledger_row *row = NULL;
    int64_t least = 0;
    int64_t most = 0;
    char text[64];

    (void)snprintf(text, sizeof text, "%.*s", SPAN_ARGS(value));
    row = world_row(rows, budget, text);
    if (counter >= FIRST_KEY && m.rule.kind != WINDOW_TOTAL) {
        int64_t number = number_at(m.rule.kind == WINDOW_MINUTE && row != NULL ? row->window.begin : memory_now());

        /* Of the oldest part of a rolling window a share counts. */
        least = spent(counter, number - reach() + 1, number);
        most = spent(counter, number - (m.rule.kind == WINDOW_ROLLING ? reach() : 0), number);
    } else {
        least = most = spent(counter, 0, INT64_MAX);
    }
    if (row == NULL && least == 0) {
        return; /* nobody has counted on it, or not for long */
    }
    assert_non_null(row);
    if (row->settled < least || row->settled > most || row->held != 0 || row->presumed != 0) {
        fail_msg("SEED=%" PRIu64 ": at rest %s %s: settled %" PRId64 ", spent %" PRId64 " to %" PRId64
                 ", held %" PRId64 ", presumed %" PRId64,
                 m.seed, budget, text, row->settled, least, most, row->held, row->presumed);
    }
}

/* Every window that the server has of a key, apart; and they are all that was spent. */
static void check_parts(const char *key, size_t counter)
{
    redisReply *reply = redis_server_ask(
        &m.server,
        "EVAL %s 0 %s",
        "local out = {} for _, w in ipairs(redis.call('KEYS', 'hg:*:w:key:*:' .. ARGV[1])) do "
        "out[#out + 1] = string.match(w, ':(%d+):[^:]*$') out[#out + 1] = redis.call('HGET', w, 'S') end return out",
        key);
    int64_t sum = 0;

    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        wall_ms begin = strtoll(reply->element[i]->str, NULL, 10);
        int64_t settled = strtoll(reply->element[i + 1]->str, NULL, 10);
        int64_t number = number_at(begin);

        sum += settled;
        if (settled != spent(counter, number, number)) {
            fail_msg("SEED=%" PRIu64 ": at rest %s: %" PRId64 " settled in the window from %" PRId64
                     " on, %" PRId64 " spent",
                     m.seed, key, settled, begin, spent(counter, number, number));
        }
    }
    freeReplyObject(reply);
    assert_int_equal(sum, spent(counter, 0, INT64_MAX));
}

static void check_rows(size_t team, size_t key)
{
    struct subject subject = subject_at(team, key);
    size_t counter = FIRST_KEY + team * KEYS + key;
    uint64_t end = real_after(REST_MS);
    struct world_rows rows;
    char name[16];

    do {
        world_report(&m.world.proxies[0], &subject, &rows);
        assert_true(clock_real_ms() < end);
    } while (!rows.is_whole);
    check_row(&rows, "all", span_make("", 0), 0);
    check_row(&rows, "team", subject.values[SCOPE_TEAM], 1 + team);
    if (m.world.kind == WORLD_MEMORY || m.rule.kind == WINDOW_TOTAL) {
        check_row(&rows, "key", subject.values[SCOPE_KEY], counter);
    } else {
        (void)snprintf(name, sizeof name, "%.*s", SPAN_ARGS(subject.values[SCOPE_KEY]));
        check_parts(name, counter);
    }
}

/* ---- the ends of attempts ---- */

/* Its window has ended, so that nobody is limited by it any more. */
static bool is_over(const struct told *told)
{
    return m.world.kind == WORLD_MEMORY &&
           number_at(memory_now()) >= number_at(told->held_at) + reach();
}

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
        told->held_at = attempt->answer.held_at;
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
            told->late += is_over(told) ? told->actual : 0;
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

static void save(void)
{
    redis_server_tell(&m.server, "SAVE");
    m.saved_at = loop_now(m.world.loop);
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
        save();
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
                                          link->value, mine[n]->held_at,
                                          mine[n]->actual, 0));
        }
    }
    for (size_t n = 0; n < count; n++) {
        struct ledger_redis_record record = {.record_id = span_of(mine[n]->attempt.id),
                                             .team = mine[n]->attempt.team,
                                             .chain = &mine[n]->attempt.chain,
                                             .actual = {{mine[n]->actual, mine[n]->actual, 1}},
                                             .held_at = mine[n]->held_at,
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

/* The copy that takes over is as old as the last SAVE; not older than processes remember what they told. */
static void fail_over(void)
{
    if (loop_now(m.world.loop) > m.saved_at + COPY_MS) {
        save();
    }
    redis_server_kill(&m.server);
    redis_server_restart(&m.server);
    m.healed_at = real_after(HEAL_MS);
}


/* ---- steps ---- */

static void ask(void)
{
    struct told *told = &m.told[m.count];
    bool has_loans = m.world.kind == WORLD_LOANS;
    size_t proxy = has_loans ? below(2) * below(2) : below(PROXIES); /* one more than the others */
    size_t team = has_loans ? below(2) * below(2) : below(TEAMS);
    size_t key = has_loans ? below(2) * below(2) : below(KEYS);
    bool is_small = has_loans && below(10) > 0;
    int64_t amount = 1 + (int64_t)below(is_small ? 3 : has_loans ? 900 : 300);

    if (m.count == ATTEMPTS || m.world.proxies[proxy].ledger == NULL) {
        return;
    }
    *told = (struct told){.is_asked = true, .proxy = proxy, .held_at = loop_wall(m.world.loop)};
    told->counters[1] = (uint8_t)(1 + team);
    told->counters[2] = (uint8_t)(1 + TEAMS + team * KEYS + key);
    m.count++;
    attempt_begin(&told->attempt, &m.world.proxies[proxy], subject_at(team, key), amount);
    look(told);
}

/* It is taken for dead, and hears later what it was told before. */
static void freeze(void)
{
    struct told *told = NULL;

    redis_server_freeze(&m.server);
    for (uint64_t n = below(6); n > 0; n--) {
        told = below(2) == 0 ? any(is_granted) : NULL;
        if (told != NULL) {
            look(told);
            settle(told);
        } else {
            ask();
        }
    }
    world_turn(&m.world, 0);
    clock_skip(FROZEN_MS);
    world_turn(&m.world, 0);
    redis_server_thaw(&m.server);
}

static void step(void)
{
    uint64_t what = below(m.world.kind == WORLD_LOANS && below(4) > 0 ? 188 : 200);
    struct told *told = NULL;

    if (what < 80) {
        ask();
    } else if (what < 130) {
        told = any(is_granted);
        if (told != NULL) {
            look(told);
            settle(told);
        }
    } else if (what < 136) {
        told = any(is_open);
        if (told != NULL) {
            look(told);
            if (is_open(told)) {
                settle(told);
            }
        }
    } else if (what < 144) {
        told = any(is_granted);
        if (told != NULL) {
            look(told);
            told->actual = 1 + (int64_t)below(60); /* how much more, until it is answered */
            attempt_extend(&told->attempt, told->actual);
            (void)attempt_wait(&told->attempt);
            look(told);
        }
    } else if (m.world.kind == WORLD_MEMORY && what < 160) {
        m.world.proxies[0].clock_ahead += (int64_t)below(m.rule.kind == WINDOW_MINUTE && below(8) == 0 ? MINUTE_MS : PART_MS);
    } else if (m.world.kind == WORLD_MEMORY) {
        ask();
    } else if (what < 188) {
        clock_skip(below(4) == 0 ? below(50) : 0);
    } else if (what < 190) {
        /* Answers get lost. (Not while everybody comes back: that has to be possible in time.) */
        if (is_healing()) {
            return;
        }
        trace("cut or freeze", what);
        if (what == 188) {
            redis_server_tell(&m.server, "CLIENT KILL TYPE normal SKIPME yes");
        } else {
            freeze();
        }
    } else if (what < 195) {
        size_t i = below(PROXIES);

        if (is_healing()) {
            return; /* the same: it has not put back yet what the server forgot */
        }
        trace("kill or start", i);
        if (m.world.proxies[i].ledger != NULL) {
            kill_proxy(i);
        } else {
            restart_proxy(i);
        }
    } else if (!m.fails_over || is_healing()) {
        ask();
    } else if (what < 196) {
        trace("save", 0);
        save();
    } else if (what < 199) {
        trace("fail over", 0);
        fail_over();
    } else if (!is_anybody_dead()) {
        trace("flush", 0);
        redis_server_tell(&m.server, "FLUSHALL");
        m.healed_at = real_after(HEAL_MS);
    }
    m.world.skip_ms = is_healing() ? SKIP_HEALING_MS : SKIP_MS;
    world_turn(&m.world, 0);
    check_server(); /* by then it has answered, too */
    if (below(3) > 0) {
        world_turn(&m.world, is_healing());
    }
    look_all();
    for (bool waits = below(10) == 0; waits && is_healing();) {
        world_turn(&m.world, 1);
    }
}

/* Most sequences begin when everybody has been greeted. */
static void warm_up(void)
{
    uint64_t end = real_after(REST_MS);
    struct why why;

    for (size_t i = 0; i < PROXIES && m.world.kind != WORLD_MEMORY && below(8) > 0; i++) {
        while (ledger_redis_state(m.world.proxies[i].ledger, &why) != LEDGER_UP) {
            assert_true(clock_real_ms() < end);
            world_turn(&m.world, 1);
        }
    }
}

static bool is_any_open(void)
{
    return any(is_open) != NULL;
}

static void rest(void)
{
    uint64_t end = 0;
    bool is_quiet = false;

    for (size_t i = 0; i < PROXIES; i++) {
        if (m.world.proxies[i].ledger == NULL) {
            restart_proxy(i);
        }
    }
    end = real_after(REST_MS);
    while (is_any_open()) {
        struct told *told = any(is_granted);

        look_all();
        if (told != NULL && is_granted(told)) {
            settle(told);
        } else {
            world_turn(&m.world, 1);
        }
        assert_true(clock_real_ms() < end);
    }
    while (!is_quiet && m.world.kind != WORLD_MEMORY) {
        is_quiet = true;
        for (size_t i = 0; i < PROXIES; i++) {
            is_quiet = ledger_redis_drain(m.world.proxies[i].ledger) && is_quiet;
        }
        world_turn(&m.world, 1);
        if (is_quiet) {
            redisReply *reply = redis_server_ask(
                &m.server,
                "EVAL %s 0",
                "for _, h in ipairs(redis.call('KEYS', 'hg:*}:h')) do if redis.call('HLEN', h) > 0 "
                "then return redis.call('HGETALL', h) end end return {}");

            is_quiet = reply->elements == 0;
            for (size_t i = 0; i < reply->elements && clock_real_ms() >= end; i += 2) {
                (void)fprintf(stderr, "left: %s\n", reply->element[i]->str);
            }
            freeReplyObject(reply);
        }
        if (clock_real_ms() >= end) {
            fail_msg("SEED=%" PRIu64 ": there is no rest", m.seed);
        }
    }
    check_server();
    for (size_t team = 0; team < TEAMS; team++) {
        for (size_t key = 0; key < KEYS; key++) {
            check_rows(team, key);
        }
    }
}

static void sequence(enum ledger_world_kind kind, uint64_t seed, bool fails_over)
{
    static const struct window_rule rules[] = {
        {.kind = WINDOW_TOTAL},
        {.kind = WINDOW_ROLLING, .length_ms = (uint64_t)PART_MS * WINDOW_PARTS},
        {.kind = WINDOW_MINUTE}}; /* on a server, few lives see the end of one */
    static const int all_steps[WORLD_KINDS] = {150, 40, 100};
    int steps = all_steps[kind] * (fails_over ? 2 : 1);
    int64_t scale = kind == WORLD_REDIS ? 1 : kind == WORLD_LOANS ? 4 : 3;

    m.count = 0;
    m.settles = 0;
    m.seed = seed;
    m.fails_over = fails_over;
    rng_init(&m.rng, seed, (uint64_t)kind);
    m.limits[0] = 900 * scale;
    m.limits[1] = m.limits[2] = 500 * scale;
    m.limits[3] = m.limits[4] = m.limits[5] = m.limits[6] = 300 * scale;
    if (kind != WORLD_MEMORY) {
        redis_server_tell(&m.server, "FLUSHALL");
        redis_server_season(&m.server);
    }
    world_open(&m.world, kind, &m.server);
    if (fails_over) {
        save();
    }
    m.world.settings.recover_ms = RECOVER_MS;
    m.world.skip_ms = SKIP_MS;
    (void)world_budget(&m.world, "all", "global", m.limits[0]);
    (void)world_budget(&m.world, "team", "team", m.limits[1]);
    m.rule = rules[kind == WORLD_MEMORY ? seed % 3 : seed % 4 == 1]; /* 25 keys a counter: they take longer */
    world_budget(&m.world, "key", "key", m.limits[3])->window = m.rule;
    for (size_t i = 0; i < (kind == WORLD_MEMORY ? 1 : PROXIES); i++) {
        (void)world_proxy_start(&m.world, i);
    }
    warm_up();
    for (int i = 0; i < steps; i++) {
        step();
    }
    if (kind == WORLD_MEMORY) {
        while (is_any_open()) {
            struct told *told = any(is_open);

            look(told);
            settle(told);
        }
        check_rows(0, 0);
        check_rows(0, 1);
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

/* So many as a run has time for: `usual`, or at full size all; with sanitizers a tenth of all. */
static uint64_t lives(uint64_t full, uint64_t usual)
{
    const char *scale = getenv("HEADGATE_TEST_SCALE");

#if defined(__SANITIZE_ADDRESS__)
    usual = full / SLOWER;
#endif
    return scale != NULL && strcmp(scale, "full") == 0 ? full : usual;
}

static void memory__holds_what_it_promises(void **state)
{
    (void)state;
    play(WORLD_MEMORY, lives(FULL_MEMORY, FULL_MEMORY), false);
}

static void redis__holds_what_it_promises(void **state)
{
    (void)state;
    play(WORLD_REDIS, lives(FULL_REDIS, 500), false);
}

static void redis__holds_it_through_failovers(void **state)
{
    (void)state;
    play(WORLD_REDIS, lives(FULL_FAILOVERS, 30), true);
}

static void loans__hold_what_they_promise(void **state)
{
    (void)state;
    play(WORLD_LOANS, lives(FULL_LOANS, 400), false);
}

static void loans__hold_it_through_failovers(void **state)
{
    (void)state;
    play(WORLD_LOANS, lives(FULL_FAILOVERS, 40), true);
}

/* With its servers: they and the test take turns, and to wake another processor takes longer than what is
 * to be done. */
static void stay_on_one_processor(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)sched_getcpu(), &set);
    assert_int_equal(sched_setaffinity(0, sizeof set, &set), 0);
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

    stay_on_one_processor();
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
