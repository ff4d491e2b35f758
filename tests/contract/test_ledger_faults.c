/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis that fails in each way that it can (the rows F of the faults): what holds are answered, that
 * nothing stays held, and that what was used is booked when it is back. */
#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/contract/fake_redis.h"
#include "tests/contract/ledger_world.h"
#include "tests/contract/patience.h"

static const char *const keeps[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

static struct redis_server server;
static struct world world;
static struct subject subject;

static struct world_proxy *open_with(enum ledger_world_kind kind, enum budget_failure on_failure,
                                     int64_t limit)
{
    struct budget *budget = NULL;

    subject = subject_of("growth", "ci");
    redis_server_tell(&server, "FLUSHALL");
    redis_server_season(&server);
    world_open(&world, kind, &server);
    world.settings.recover_ms = 600;
    budget = world_budget(&world, "team", "team", limit);
    budget->on_failure = on_failure;
    budget->allowance = 50;
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

/* ---- */

static void F01_refused_at_start(void **state)
{
    struct attempt attempt;
    struct world_proxy *proxy = NULL;
    struct budget *budget = NULL;
    struct why why;

    (void)state;
    subject = subject_of("growth", "ci");
    for (int soft = 0; soft < 2; soft++) {
        world_open(&world, WORLD_REDIS, &server);
        world.settings.recover_ms = 400;
        world.urls[0].port = free_port();
        budget = world_budget(&world, "team", "team", 100);
        budget->mode = soft ? BUDGET_WARN : BUDGET_ENFORCE;
        proxy = world_proxy_start(&world, 0);
        assert_int_equal(ledger_redis_state(proxy->ledger, &why), LEDGER_STARTING);
        assert_int_equal(attempt_hold(&attempt, proxy, subject, 10),
                         soft ? HOLD_GRANTED : HOLD_UNAVAILABLE);
        if (soft) {
            assert_true(attempt.answer.is_fail_open);
            attempt_settle(&attempt, 5);
        }
        world_run(&world, 1200);
        assert_int_equal(ledger_redis_state(proxy->ledger, &why), LEDGER_DOWN);
        assert_non_null(strstr(why.text, "127.0.0.1"));
        world_close(&world);
    }
}

static void F02_F03_killed_and_back(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 1000);
    struct attempt open[20];
    struct attempt attempt;
    mono_ms began = 0;

    (void)state;
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(attempt_hold(&open[i], proxy, subject, 10), HOLD_GRANTED);
    }
    redis_server_kill(&server);
    for (size_t i = 0; i < 10; i++) {
        attempt_settle(&open[i], 7);
    }
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 10), HOLD_UNAVAILABLE);
    began = loop_now(world.loop);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 10), HOLD_UNAVAILABLE);
    assert_true(loop_now(world.loop) - began <= patient(200)); /* it is known to be down */
    redis_server_restart(&server);
    recover(proxy, 3000);
    assert_int_equal(row(proxy).settled, 70);
    assert_int_equal(row(proxy).held, 100);
    for (size_t i = 10; i < 20; i++) {
        attempt_settle(&open[i], 1);
    }
    assert_int_equal(row(proxy).settled, 80);
    assert_int_equal(row(proxy).held, 0);
    world_close(&world);
}

static void F02_loans_are_a_cushion(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_LOANS, FAILURE_CLOSED, 100000);
    struct attempt attempt;
    unsigned granted = 0;

    (void)state;
    for (int i = 0; i < 50; i++) {
        spend(proxy, 10);
        world_run(&world, 2);
    }
    assert_true(ledger_redis_counts(proxy->ledger).local > 30);
    redis_server_kill(&server);
    world_run(&world, 50);
    while (attempt_hold(&attempt, proxy, subject, 10) == HOLD_GRANTED) {
        attempt_settle(&attempt, 10);
        granted++;
        assert_true(granted < 1000);
    }
    assert_true(granted >= 100); /* half of a fiftieth of the limit, at least */
    assert_int_equal(attempt.answer.verdict, HOLD_UNAVAILABLE);
    redis_server_restart(&server);
    recover(proxy, 3000);
    assert_int_equal(row(proxy).settled, 500 + granted * 10);
    world_close(&world);
}

static void F02_as_the_budget_says(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_ALLOWANCE, 1000);
    struct attempt attempt;

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_kill(&server);
    world_run(&world, 50);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 40), HOLD_GRANTED);
    assert_true(attempt.answer.is_fail_open);
    attempt_settle(&attempt, 20); /* the rest of the allowance is there again */
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 31), HOLD_UNAVAILABLE);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 30), HOLD_GRANTED);
    attempt_settle(&attempt, 30);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 1), HOLD_UNAVAILABLE);
    redis_server_restart(&server);
    recover(proxy, 3000);
    assert_int_equal(row(proxy).settled, 51);
    world_close(&world);
    proxy = open_with(WORLD_REDIS, FAILURE_OPEN, 100);
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_kill(&server);
    world_run(&world, 50);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 5000), HOLD_GRANTED);
    assert_true(attempt.answer.is_fail_open);
    attempt_settle(&attempt, 5000);
    redis_server_restart(&server);
    world_run(&world, 1000);
    assert_int_equal(row(proxy).settled, 5001);
    world_close(&world);
}

/* More than a connection takes at once. */
static void F03_much_to_tell(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_OPEN, 1000000);

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_kill(&server);
    world_run(&world, 50);
    for (int i = 0; i < 60000; i++) {
        spend(proxy, 2);
    }
    redis_server_restart(&server);
    recover(proxy, 20000);
    assert_int_equal(row(proxy).settled, 120001);
    assert_int_equal(ledger_redis_counts(proxy->ledger).connections, 2);
    world_close(&world);
}

/* Only what was let through unasked is taken from the allowance, and given back to it. */
static void F02_an_extension_takes_from_the_allowance(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_ALLOWANCE, 1000);
    struct attempt open;
    struct attempt attempt;

    (void)state;
    assert_int_equal(attempt_hold(&open, proxy, subject, 100), HOLD_GRANTED);
    world_quiet(&world);
    redis_server_kill(&server);
    world_run(&world, 50);
    attempt_extend(&open, 40);
    assert_int_equal(attempt_wait(&open), HOLD_GRANTED);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 11), HOLD_UNAVAILABLE);
    attempt_settle(&open, 120); /* 20 of the 40 */
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 31), HOLD_UNAVAILABLE);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 30), HOLD_GRANTED);
    attempt_settle(&attempt, 30);
    redis_server_restart(&server);
    recover(proxy, 3000);
    assert_int_equal(row(proxy).settled, 150);
    world_close(&world);
}

static void F04_black_hole(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 1000);
    struct attempt attempt;
    mono_ms began = 0;

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_freeze(&server);
    began = loop_now(world.loop);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 10), HOLD_UNAVAILABLE);
    assert_in_range(loop_now(world.loop) - began, 200, patient(600));
    /* It is not asked again for each call. */
    for (int i = 0; i < 100; i++) {
        assert_int_equal(attempt_hold(&attempt, proxy, subject, 10), HOLD_UNAVAILABLE);
    }
    assert_true(loop_now(world.loop) - began < patient(2500)); /* a hundred times 250 ms were more */
    redis_server_thaw(&server);
    recover(proxy, 4000);
    assert_int_equal(row(proxy).held, 0); /* though it got to see the holds afterwards */
    assert_int_equal(row(proxy).settled, 1);
    world_close(&world);
}

static void F05_slow(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 1000);

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_tell(&server, "CLIENT PAUSE 100 ALL");
    spend(proxy, 1);
    assert_int_equal(proxy->notices[LEDGER_NOTICE_SLOW], 1);
    assert_int_equal(row(proxy).settled, 2);
    world_close(&world);
}

static void F06_F07_answers_get_lost(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);
    struct attempt attempt;

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    for (int turns = 0; turns < 6; turns++) {
        attempt_begin(&attempt, proxy, subject, 50);
        for (int i = 0; i < turns; i++) {
            world_turn(&world, 0);
        }
        redis_server_tell(&server, "CLIENT KILL TYPE normal SKIPME yes");
        assert_int_equal(attempt_wait(&attempt), HOLD_GRANTED);
        assert_int_equal(row(proxy).held, 50);
        attempt_settle(&attempt, 1);
        for (int i = 0; i < turns; i++) {
            world_turn(&world, 0);
        }
        redis_server_tell(&server, "CLIENT KILL TYPE normal SKIPME yes");
        assert_int_equal(row(proxy).held, 0);
        assert_int_equal(row(proxy).settled, 2 + turns);
    }
    world_close(&world);
}

/* What an older connection still has on its way may come to the server after all that the newer one said:
 * it is refused there. Here the server is told that there is a newer one. */
static void F06_what_an_older_connection_says_is_refused(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);
    struct attempt attempt;
    uint64_t connections = 0;

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    connections = ledger_redis_counts(proxy->ledger).connections;
    redis_server_tell(&server, "HSET hg:{t:growth}:q:p0:1 s 1000");
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 1), HOLD_GRANTED);
    assert_true(ledger_redis_counts(proxy->ledger).connections > connections);
    attempt_settle(&attempt, 1);
    assert_int_equal(row(proxy).settled, 2);
    assert_true(redis_server_number(&server, "HGET hg:{t:growth}:q:p0:1 s") > 1000);
    world_close(&world);
}

static void F08_scripts_are_gone(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_tell(&server, "SCRIPT FLUSH");
    spend(proxy, 1);
    redis_server_tell(&server, "SCRIPT FLUSH");
    spend(proxy, 1);
    assert_int_equal(row(proxy).settled, 3);
    world_close(&world);
}

static void F09_a_master_becomes_a_replica_and_back(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);
    struct attempt attempt;

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_tell(&server, "REPLICAOF 127.0.0.1 1");
    attempt_begin(&attempt, proxy, subject, 1);
    world_run(&world, 100);
    assert_false(attempt.is_answered);
    redis_server_tell(&server, "REPLICAOF NO ONE");
    assert_int_equal(attempt_wait(&attempt), HOLD_GRANTED);
    attempt_settle(&attempt, 1);
    assert_int_equal(row(proxy).settled, 2);
    world_close(&world);
}

static void F11_full(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);
    struct attempt open;
    struct attempt attempt;

    (void)state;
    assert_int_equal(attempt_hold(&open, proxy, subject, 10), HOLD_GRANTED);
    redis_server_tell(&server, "CONFIG SET maxmemory 1");
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 10), HOLD_UNAVAILABLE);
    assert_true(proxy->notices[LEDGER_NOTICE_SICK] > 0);
    assert_non_null(strstr(proxy->said, "OOM"));
    attempt_settle(&open, 7);
    world_run(&world, 100);
    redis_server_tell(&server, "CONFIG SET maxmemory 0");
    recover(proxy, 3000);
    assert_int_equal(row(proxy).settled, 7);
    assert_int_equal(row(proxy).held, 0);
    world_close(&world);
}

static void F12_busy_with_a_script(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);
    struct attempt attempt;
    redisContext *other = redisConnect("127.0.0.1", server.port);

    (void)state;
    spend(proxy, 1);
    world_quiet(&world);
    redis_server_tell(&server, "CONFIG SET lua-time-limit 50");
    (void)redisAppendCommand(other, "EVAL %s 0", "while true do end");
    {
        int done = 0;

        while (done == 0) {
            assert_int_equal(redisBufferWrite(other, &done), REDIS_OK);
        }
    }
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 10), HOLD_UNAVAILABLE);
    redis_server_tell(&server, "SCRIPT KILL");
    redisFree(other);
    recover(proxy, 6000);
    assert_int_equal(row(proxy).held, 0);
    world_close(&world);
}

static void F12_a_foreign_key_in_the_way(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);
    struct attempt attempt;

    (void)state;
    redis_server_tell(&server, "SET hg:{t:growth}:h 1");
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 10), HOLD_UNAVAILABLE);
    assert_true(proxy->notices[LEDGER_NOTICE_SICK] > 0);
    redis_server_tell(&server, "DEL hg:{t:growth}:h");
    recover(proxy, 4000);
    world_close(&world);
}

/* What no real server says when it is wanted. */
static void F10_F12_F13_F19_anything_it_may_say(void **state)
{
    static const char *const answers[] = {
        "-LOADING Redis is loading the dataset in memory\r\n",
        "-MASTERDOWN Link with MASTER is down\r\n",
        "-CLUSTERDOWN The cluster is down\r\n",
        "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
        "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
        "-MOVED 1 127.0.0.1:1\r\n",
        "-MISCONF Redis is configured to save RDB snapshots, but\r\n",
        "-NOAUTH Authentication required.\r\n",
        "-NOPERM this user has no permissions\r\n",
        "-ERR unknown command\r\n",
        "-\r\n",
        "$536870912\r\nx",
        "*1000000000\r\n",
        "*-7\r\n",
        "?\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "+OK\r\n",
        ":0\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*1\r\n:0\r\n",
        "*3\r\n:0\r\n$1\r\nx\r\n:1\r\n",
        "*8\r\n:0\r\n:1\r\n:99999999\r\n:0\r\n:0\r\n:1\r\n:0\r\n:7\r\n",
        "*2\r\n:2\r\n:1\r\n",
        "*2\r\n:9\r\n:1\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
        NULL /* silence */
    };
    struct fake_redis fake;

    (void)state;
    subject = subject_of("growth", "ci");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct attempt attempt;
        struct world_proxy *proxy = NULL;
        mono_ms began = 0;

        world_open(&world, WORLD_REDIS, &server);
        fake_redis_start(&fake, world.loop);
        fake.on_script = answers[i];
        world.urls[0].port = fake.port;
        world.settings.recover_ms = 400;
        (void)world_budget(&world, "team", "team", 100);
        proxy = world_proxy_start(&world, 0);
        began = loop_now(world.loop);
        if (attempt_hold(&attempt, proxy, subject, 10) != HOLD_UNAVAILABLE) {
            fail_msg("answer %zu is taken for a yes", i);
        }
        if (loop_now(world.loop) - began > patient(1500)) {
            fail_msg("answer %zu: %llu ms", i, (unsigned long long)(loop_now(world.loop) - began));
        }
        if (fake.scripts > 400) {
            fail_msg("answer %zu: asked %u times", i, fake.scripts);
        }
        world_close(&world);
        fake_redis_stop(&fake);
    }
}

static void F15_everything_is_forgotten(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_LOANS, FAILURE_CLOSED, 100000);
    struct world_proxy *other = world_proxy_start(&world, 1);
    struct attempt open;
    struct attempt late;

    (void)state;
    for (int i = 0; i < 30; i++) {
        spend(proxy, 10);
        spend(other, 10);
        world_run(&world, 2);
    }
    world_run(&world, 150);
    assert_int_equal(attempt_hold(&open, proxy, subject, 50), HOLD_GRANTED);
    redis_server_tell(&server, "FLUSHALL");
    world_run(&world, 400);
    recover(proxy, 4000);
    assert_int_equal(attempt_hold(&late, other, subject, 100000 - 600 - 50 + 1), HOLD_DENIED);
    assert_int_equal(row(proxy).settled, 600);
    assert_true(proxy->notices[LEDGER_NOTICE_RESENT] > 0);
    assert_true(other->notices[LEDGER_NOTICE_RESENT] > 0);
    attempt_settle(&open, 50);
    assert_int_equal(row(proxy).settled, 650);
    world_close(&world);
}

static void F16_a_counter_vanishes(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);
    struct attempt attempt;

    (void)state;
    spend(proxy, 60);
    world_quiet(&world);
    redis_server_tell(&server, "DEL hg:{t:growth}:w:team:team:%u:0:0:growth", budget_mark(&world.list[0]));
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 50), HOLD_UNAVAILABLE);
    assert_non_null(strstr(proxy->said, "budget rebuild"));
    assert_true(world_order(proxy, ORDER_REBUILD, "", NULL) > 0);
    recover(proxy, 3000);
    assert_int_equal(row(proxy).settled, 60);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 41), HOLD_DENIED);
    world_close(&world);
}

static void F18_the_clock_is_that_of_the_server(void **state)
{
    redisReply *reply = redis_server_ask(&server, "TIME");
    long long now = strtoll(reply->element[0]->str, NULL, 10) * 1000;

    (void)state;
    freeReplyObject(reply);
    for (int64_t ahead = -90000000; ahead <= 90000000; ahead += 90000000) {
        struct world_proxy *proxy = NULL;
        struct attempt attempt;

        redis_server_tell(&server, "FLUSHALL");
        redis_server_season(&server);
        subject = subject_of("growth", "ci");
        world_open_ahead(&world, WORLD_REDIS, &server, ahead);
        world_budget(&world, "team", "team", 100)->window.kind = WINDOW_DAY;
        proxy = world_proxy_start(&world, 0);
        if (attempt_hold(&attempt, proxy, subject, 10) != HOLD_GRANTED) {
            fail_msg("%lld ms ahead: %d", (long long)ahead, attempt.answer.verdict);
        }
        assert_in_range(attempt.answer.held_at, now, now + patient(10000));
        attempt_settle(&attempt, 10);
        assert_true(row(proxy).window.end > now && row(proxy).window.begin <= now + patient(10000));
        assert_int_equal(row(proxy).settled, 10);
        world_close(&world);
    }
}

static void F20_ten_thousand_are_due(void **state)
{
    static const char script[] =
        "for i = 1, 10000 do local id = 'dead-' .. i "
        "redis.call('HSET', KEYS[1], id, cmsgpack.pack({'H', 'gone:1', 'p', 1, KEYS[3]})) "
        "redis.call('ZADD', KEYS[2], 1, id) end "
        "redis.call('HSET', KEYS[3], 'S', 0, 'H', 10000, 'P', 0, 'O', 0, 'u', 0, 'e', 9000000000000000) "
        "redis.call('ZADD', KEYS[4], '+inf', KEYS[3])";
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 1000000);
    mono_ms end = 0;
    mono_ms longest = 0;

    (void)state;
    redis_server_tell(&server, "EVAL %s 4 %s %s hg:{t:growth}:w:team:team:%u:0:0:growth %s", script,
                      "hg:{t:growth}:h", "hg:{t:growth}:d", budget_mark(&world.list[0]),
                      "hg:{t:growth}:i");
    end = loop_now(world.loop) + patient(20000);
    for (int i = 0; row(proxy).presumed < 10000; i++) {
        mono_ms began = loop_now(world.loop);

        assert_true(loop_now(world.loop) < end);
        spend(proxy, 1);
        if (i > 0 && loop_now(world.loop) - began > longest) {
            longest = loop_now(world.loop) - began;
        }
    }
    assert_int_equal(row(proxy).held, 0);
    assert_true(longest < patient(100));
    /* And whoever is sure that it will not come back gives it free. */
    assert_int_equal(world_order(proxy, ORDER_VOID, "", "gone"), 10000);
    assert_int_equal(row(proxy).presumed, 0);
    world_close(&world);
}

static void unsafe__servers_are_told_of(void **state)
{
    static const struct {
        const char *aof;
        const char *save;
        const char *policy;
        bool accepts;
        enum ledger_redis_state state;
        const char *says;
    } rows[] = {
        {"yes", "", "noeviction", false, LEDGER_UP, ""},
        {"no", "60 1", "noeviction", false, LEDGER_UP, ""},
        {"no", "", "noeviction", false, LEDGER_UNSAFE, "appendonly"},
        {"no", "", "noeviction", true, LEDGER_UP, ""},
        {"yes", "", "allkeys-lru", false, LEDGER_UNSAFE, "maxmemory-policy"},
        {"yes", "", "allkeys-lru", true, LEDGER_UNSAFE, "maxmemory-policy"},
    };

    (void)state;
    subject = subject_of("growth", "ci");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world_proxy *proxy = NULL;
        struct attempt attempt;
        struct why why;

        redis_server_tell(&server, "FLUSHALL");
        redis_server_tell(&server, "CONFIG SET appendonly %s", rows[i].aof);
        redis_server_tell(&server, "CONFIG SET save %s", rows[i].save);
        redis_server_tell(&server, "CONFIG SET maxmemory-policy %s", rows[i].policy);
        redis_server_season(&server);
        world_open(&world, WORLD_REDIS, &server);
        world.settings.accept_volatile = rows[i].accepts;
        (void)world_budget(&world, "team", "team", 100);
        proxy = world_proxy_start(&world, 0);
        world_run(&world, 100);
        assert_int_equal(ledger_redis_state(proxy->ledger, &why), rows[i].state);
        assert_int_equal(attempt_hold(&attempt, proxy, subject, 1),
                         rows[i].state == LEDGER_UP ? HOLD_GRANTED : HOLD_UNAVAILABLE);
        if (rows[i].state == LEDGER_UP) {
            attempt_settle(&attempt, 0);
        } else {
            assert_non_null(strstr(why.text, rows[i].says));
            assert_int_equal(proxy->notices[LEDGER_NOTICE_UNSAFE], 1);
        }
        world_close(&world);
    }
    redis_server_tell(&server, "CONFIG SET appendonly yes");
    redis_server_tell(&server, "CONFIG SET save %s", "");
    redis_server_tell(&server, "CONFIG SET maxmemory-policy noeviction");
}

static void unsafe__what_may_not_be_asked_is_said(void **state)
{
    struct fake_redis fake;
    struct world_proxy *proxy = NULL;
    struct why why;

    (void)state;
    world_open(&world, WORLD_REDIS, &server);
    fake_redis_start(&fake, world.loop);
    fake.on_config = "-NOPERM this user has no permissions to run the 'config' command\r\n";
    world.urls[0].port = fake.port;
    world.settings.accept_volatile = false;
    (void)world_budget(&world, "team", "team", 100);
    proxy = world_proxy_start(&world, 0);
    world_run(&world, 100);
    /* INFO says that it keeps a log. */
    assert_int_equal(ledger_redis_state(proxy->ledger, &why), LEDGER_UP);
    assert_int_equal(proxy->notices[LEDGER_NOTICE_UNCHECKED], 1);
    world_proxy_kill(proxy);
    fake.on_info = "$36\r\nrun_id:x\r\nrole:master\r\naof_enabled:0\r\n";
    proxy = world_proxy_start(&world, 0);
    world_run(&world, 100);
    assert_int_equal(ledger_redis_state(proxy->ledger, &why), LEDGER_UNSAFE);
    assert_non_null(strstr(why.text, "CONFIG GET"));
    world_close(&world);
    fake_redis_stop(&fake);
}

static void warm_up__only_warns_and_then_enforces(void **state)
{
    struct world_proxy *proxy = NULL;
    struct attempt attempt;

    (void)state;
    subject = subject_of("growth", "ci");
    redis_server_tell(&server, "FLUSHALL");
    redis_server_season(&server);
    world_open(&world, WORLD_REDIS, &server);
    world_budget(&world, "team", "team", 100)->warm_up_ms = 400;
    proxy = world_proxy_start(&world, 0);
    world_run(&world, 100);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 150), HOLD_GRANTED);
    assert_true(attempt.answer.is_over);
    attempt_settle(&attempt, 150);
    world_run(&world, 400);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 1), HOLD_DENIED);
    /* Another process knows when it was first seen. */
    proxy = world_proxy_start(&world, 1);
    world_run(&world, 50);
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 1), HOLD_DENIED);
    /* A server that forgot is told. */
    redis_server_tell(&server, "FLUSHALL");
    redis_server_tell(&server, "CLIENT KILL TYPE normal SKIPME yes");
    world_run(&world, 100);
    redis_server_tell(&server, "CLIENT KILL TYPE normal SKIPME yes");
    while (attempt_hold(&attempt, proxy, subject, 1) == HOLD_UNAVAILABLE) {
        world_run(&world, 20);
    }
    assert_int_equal(attempt.answer.verdict, HOLD_DENIED);
    world_close(&world);
}

static void dead__processes_leave_what_they_held_presumed_until_they_are_back(void **state)
{
    struct world_proxy *proxy = open_with(WORLD_REDIS, FAILURE_CLOSED, 100);
    struct world_proxy *other = world_proxy_start(&world, 1);
    struct attempt attempt;
    struct attempt denied;
    struct ledger_redis_record record;

    (void)state;
    assert_int_equal(attempt_hold(&attempt, proxy, subject, 60), HOLD_GRANTED);
    world_proxy_kill(proxy);
    redis_server_tell(&server, "ZADD hg:{t:growth}:d 1 %s", attempt.id); /* a minute later */
    spend(other, 1);
    while (row(other).presumed == 0) {
        world_run(&world, 50);
    }
    assert_int_equal(row(other).held, 0);
    assert_int_equal(row(other).presumed, 60);
    assert_int_equal(attempt_hold(&denied, other, subject, 40), HOLD_DENIED);
    proxy = world_proxy_start(&world, 0);
    record = (struct ledger_redis_record){.record_id = span_of(attempt.id),
                                          .team = attempt.team,
                                          .chain = &attempt.chain,
                                          .actual = {{20, 20, 1}},
                                          .held_at = attempt.answer.held_at};
    assert_true(ledger_redis_load(proxy->ledger, attempt.team, &world.list[0], SPAN_OF("growth"),
                                  attempt.answer.held_at, 20, 0));
    assert_true(ledger_redis_resend(proxy->ledger, &record));
    ledger_redis_resent(proxy->ledger);
    world_run(&world, 100);
    assert_int_equal(row(other).presumed, 0);
    assert_int_equal(row(other).settled, 21);
    world_close(&world);
}

/* ---- */

static int set_up(void **state)
{
    (void)state;
    redis_server_start(&server, keeps);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    redis_server_remove(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(F01_refused_at_start),
        cmocka_unit_test(F02_F03_killed_and_back),
        cmocka_unit_test(F02_loans_are_a_cushion),
        cmocka_unit_test(F02_as_the_budget_says),
        cmocka_unit_test(F03_much_to_tell),
        cmocka_unit_test(F02_an_extension_takes_from_the_allowance),
        cmocka_unit_test(F04_black_hole),
        cmocka_unit_test(F05_slow),
        cmocka_unit_test(F06_F07_answers_get_lost),
        cmocka_unit_test(F06_what_an_older_connection_says_is_refused),
        cmocka_unit_test(F08_scripts_are_gone),
        cmocka_unit_test(F09_a_master_becomes_a_replica_and_back),
        cmocka_unit_test(F11_full),
        cmocka_unit_test(F12_busy_with_a_script),
        cmocka_unit_test(F12_a_foreign_key_in_the_way),
        cmocka_unit_test(F10_F12_F13_F19_anything_it_may_say),
        cmocka_unit_test(F15_everything_is_forgotten),
        cmocka_unit_test(F16_a_counter_vanishes),
        cmocka_unit_test(F18_the_clock_is_that_of_the_server),
        cmocka_unit_test(F20_ten_thousand_are_due),
        cmocka_unit_test(unsafe__servers_are_told_of),
        cmocka_unit_test(unsafe__what_may_not_be_asked_is_said),
        cmocka_unit_test(warm_up__only_warns_and_then_enforces),
        cmocka_unit_test(dead__processes_leave_what_they_held_presumed_until_they_are_back),
    };
    int failed = 0;

    if (getenv("LEDGER_TEST_ONLY") != NULL) {
        cmocka_set_test_filter(getenv("LEDGER_TEST_ONLY"));
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, set_up, tear_down);
    curl_global_cleanup();
    return failed;
}
