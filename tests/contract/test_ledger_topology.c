/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis ledger on servers that change places: a master with a replica and a sentinel, a cluster whose
 * slots move. */
#include <curl/curl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/contract/ledger_world.h"
#include "tests/contract/patience.h"

enum { NODES = 3, SLOTS = 16384 };

static struct world world;

static void spend(struct world_proxy *proxy, struct subject subject, int64_t amount)
{
    struct attempt attempt;

    assert_int_equal(attempt_hold(&attempt, proxy, subject, amount), HOLD_GRANTED);
    attempt_settle(&attempt, amount);
}

static void recover(struct world_proxy *proxy, struct subject subject, uint32_t ms)
{
    mono_ms end = loop_now(world.loop) + patient(ms);
    struct attempt attempt;

    while (attempt_hold(&attempt, proxy, subject, 1) != HOLD_GRANTED) {
        assert_true(loop_now(world.loop) < end);
        world_run(&world, 10);
    }
    attempt_settle(&attempt, 0);
}

static int64_t settled(struct world_proxy *proxy, struct subject subject, const char *budget,
                       struct span value)
{
    struct world_rows rows;
    char text[64];
    int tries = 0;

    (void)snprintf(text, sizeof text, "%.*s", SPAN_ARGS(value));
    do {
        world_quiet(&world);
        world_report(proxy, &subject, &rows);
        assert_true(tries++ < 50);
    } while (!rows.is_whole);
    assert_non_null(world_row(&rows, budget, text));
    assert_int_equal(world_row(&rows, budget, text)->held, 0);
    return world_row(&rows, budget, text)->settled;
}

/* ---- sentinels ---- */

struct trio {
    struct redis_server master;
    struct redis_server replica;
    struct redis_server sentinel;
};

/* Until the replica has all. */
static void await_replica(struct trio *trio)
{
    while (redis_server_number(&trio->master, "WAIT 1 100") != 1) {
    }
}

static void trio_start(struct trio *trio, enum ledger_world_kind kind)
{
    static const char *const options[] = {"--appendonly", "yes", NULL};

    *trio = (struct trio){.sentinel = {.is_sentinel = true}};
    redis_server_start(&trio->master, options);
    redis_server_start(&trio->replica, options);
    redis_server_start(&trio->sentinel, NULL);
    redis_server_tell(&trio->replica, "REPLICAOF 127.0.0.1 %d", (int)trio->master.port);
    redis_server_tell(&trio->sentinel, "SENTINEL MONITOR main 127.0.0.1 %d 1", (int)trio->master.port);
    redis_server_season(&trio->master);
    await_replica(trio);
    world_open(&world, kind, &trio->sentinel);
    world.settings.topology = REDIS_SENTINEL;
    world.settings.sentinel = SPAN_OF("main");
    world.settings.accept_volatile = false;
}

static void trio_end(struct trio *trio)
{
    world_close(&world);
    redis_server_remove(&trio->sentinel);
    redis_server_remove(&trio->replica);
    redis_server_remove(&trio->master);
}

static void sentinels__name_the_master_that_takes_over_behind(void **state)
{
    struct subject subject = subject_of("growth", "ci");
    struct world_proxy *proxy = NULL;
    struct world_proxy *other = NULL;
    struct attempt open;
    struct trio trio;

    (void)state;
    trio_start(&trio, WORLD_REDIS);
    redis_server_tell(&trio.sentinel, "SENTINEL SET main down-after-milliseconds 200 failover-timeout 3000");
    world.urls[1] = world.urls[0];
    world.urls[0].port = free_port(); /* of two sentinels one does not answer */
    world.urls_count = 2;
    (void)world_budget(&world, "all", "global", 10000);
    (void)world_budget(&world, "team", "team", 1000);
    proxy = world_proxy_start(&world, 0);
    other = world_proxy_start(&world, 1);
    spend(proxy, subject, 10);
    spend(other, subject, 10);
    world_quiet(&world);
    /* The sentinel has to know of the replica. */
    for (;;) {
        redisReply *reply = redis_server_ask(&trio.sentinel, "SENTINEL REPLICAS main");
        bool knows = reply->elements == 1;

        freeReplyObject(reply);
        if (knows) {
            break;
        }
        world_run(&world, 50);
    }
    await_replica(&trio);
    redis_server_freeze(&trio.replica);
    redis_server_tell(&trio.master, "CLIENT KILL TYPE replica");
    for (int i = 0; i < 20; i++) {
        spend(proxy, subject, 10);
        spend(other, subject, 5);
    }
    assert_int_equal(attempt_hold(&open, proxy, subject, 300), HOLD_GRANTED);
    world_quiet(&world);
    redis_server_kill(&trio.master); /* the replica knows nothing of the last 300 */
    redis_server_thaw(&trio.replica);
    recover(proxy, subject, 15000);
    {
        struct attempt attempt;

        assert_int_equal(attempt_hold(&attempt, other, subject, 1000 - 320 - 300 + 1), HOLD_DENIED);
    }
    attempt_settle(&open, 100);
    assert_int_equal(settled(proxy, subject, "team", SPAN_OF("growth")), 420);
    assert_int_equal(settled(other, subject, "all", SPAN_OF("")), 420);
    assert_true(proxy->notices[LEDGER_NOTICE_RESENT] > 0);
    trio_end(&trio);
}

/* ---- two primaries ---- */

/* The ids of who is connected to the server now, and is no replica. */
static size_t clients_of(struct redis_server *server, long long *ids, size_t most)
{
    redisReply *reply = redis_server_ask(server, "CLIENT LIST TYPE normal");
    size_t count = 0;

    for (char *line = strtok(reply->str, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(count < most);
        ids[count++] = strtoll(line + sizeof "id=" - 1, NULL, 10);
    }
    freeReplyObject(reply);
    return count;
}

/* The network breaks: the majority makes the replica a primary, and `others` go there. Whoever is
 * connected to the old one is not cut off. */
static void partition(struct trio *trio, const long long *others, size_t others_count)
{
    redis_server_tell(&trio->sentinel, "SENTINEL REMOVE main");
    redis_server_tell(&trio->replica, "REPLICAOF NO ONE");
    redis_server_tell(&trio->sentinel, "SENTINEL MONITOR main 127.0.0.1 %d 1", (int)trio->replica.port);
    for (size_t i = 0; i < others_count; i++) {
        (void)redis_server_number(&trio->master, "CLIENT KILL ID %lld", others[i]);
    }
}

/* Spends until there is no more, at most `most` times. How much. */
static int64_t spend_all(struct world_proxy *proxy, struct subject subject, int64_t amount, size_t most)
{
    struct attempt attempt;
    int64_t spent = 0;

    for (size_t i = 0; i < most; i++) {
        if (attempt_hold(&attempt, proxy, subject, amount) != HOLD_GRANTED) {
            break;
        }
        attempt_settle(&attempt, amount);
        spent += amount;
    }
    return spent;
}

static void two_primaries__an_old_one_without_replicas_gives_nothing_away(void **state)
{
    enum { LIMIT = 100000, AMOUNT = 20, CLIENTS = 16 };
    struct subject subject = subject_of("growth", "ci");
    struct world_proxy *minority = NULL;
    struct world_proxy *majority = NULL;
    long long before[CLIENTS];
    long long all[CLIENTS];
    size_t known = 0;
    int64_t there = 0;
    int64_t here = 0;
    struct trio trio;

    (void)state;
    trio_start(&trio, WORLD_LOANS);
    world.settings.recover_ms = 600;
    redis_server_tell(&trio.master, "CONFIG SET min-replicas-to-write 1");
    (void)world_budget(&world, "team", "team", LIMIT);
    minority = world_proxy_start(&world, 0);
    here = spend_all(minority, subject, AMOUNT, 50);
    known = clients_of(&trio.master, before, CLIENTS);
    majority = world_proxy_start(&world, 1);
    there = spend_all(majority, subject, AMOUNT, 50);
    assert_int_equal(here + there, 100 * AMOUNT);
    world_quiet(&world);
    await_replica(&trio);
    partition(&trio, all + known, clients_of(&trio.master, all, CLIENTS) - known);

    recover(majority, subject, 5000);
    here += spend_all(minority, subject, AMOUNT, LIMIT / AMOUNT);
    assert_true(minority->notices[LEDGER_NOTICE_DOWN] > 0);
    there += spend_all(majority, subject, AMOUNT, LIMIT / AMOUNT);
    assert_in_range(here, 50 * AMOUNT + 1, 50 * AMOUNT + LIMIT / 50); /* what was on loan */
    assert_in_range(there, LIMIT * 9 / 10, LIMIT - here);

    redis_server_tell(&trio.master, "REPLICAOF 127.0.0.1 %d", (int)trio.replica.port);
    world_run(&world, 2000);
    assert_int_equal(settled(minority, subject, "team", SPAN_OF("growth")), here + there);
    trio_end(&trio);
}

/* ---- cluster ---- */

static void await_ok(struct redis_server *nodes)
{
    for (size_t i = 0; i < NODES; i++) {
        for (uint32_t tries = 0;; tries++) {
            redisReply *reply = redis_server_ask(&nodes[i], "CLUSTER INFO");
            bool is_ok = strstr(reply->str, "cluster_state:ok") != NULL &&
                         strstr(reply->str, "cluster_known_nodes:3") != NULL;

            freeReplyObject(reply);
            if (is_ok) {
                break;
            }
            assert_true(tries < patient(1000));
            (void)poll(NULL, 0, 20);
        }
    }
}

static void start_cluster(struct redis_server *nodes)
{
    static const char *const options[] = {"--cluster-enabled", "yes", "--appendonly", "yes",
                                          "--cluster-node-timeout", "2000", NULL};

    for (size_t i = 0; i < NODES; i++) {
        do {
            redis_server_start(&nodes[i], options);
            /* Its bus has the port of 10,000 more. */
            if (nodes[i].port > 55000) {
                redis_server_remove(&nodes[i]);
            }
        } while (nodes[i].pid == 0);
        for (int slot = (int)i * SLOTS / NODES; slot < (int)(i + 1) * SLOTS / NODES; slot++) {
            redis_server_tell(&nodes[i], "CLUSTER ADDSLOTS %d", slot);
        }
    }
    for (size_t i = 1; i < NODES; i++) {
        redis_server_tell(&nodes[i], "CLUSTER SET-CONFIG-EPOCH %d", (int)i);
        redis_server_tell(&nodes[i], "CLUSTER MEET 127.0.0.1 %d", (int)nodes[0].port);
    }
    await_ok(nodes);
}

static void id_of(struct redis_server *node, char id[64])
{
    redisReply *reply = redis_server_ask(node, "CLUSTER MYID");

    (void)snprintf(id, 64, "%s", reply->str);
    freeReplyObject(reply);
}

static size_t owner_of(struct redis_server *nodes, const char *key)
{
    int slot = (int)redis_server_number(&nodes[0], "CLUSTER KEYSLOT %s", key);

    for (size_t i = 0; i < NODES; i++) {
        if (slot < (int)(i + 1) * SLOTS / NODES) {
            return i;
        }
    }
    return 0;
}

/* The slot moves while it is used: the ledger is asked in the middle of it. */
static void move_slot(struct redis_server *nodes, size_t from, size_t to, const char *key,
                      struct world_proxy *proxy, struct subject subject)
{
    int slot = (int)redis_server_number(&nodes[0], "CLUSTER KEYSLOT %s", key);
    char from_id[64];
    char to_id[64];
    struct attempt attempt;

    id_of(&nodes[from], from_id);
    id_of(&nodes[to], to_id);
    redis_server_tell(&nodes[to], "CLUSTER SETSLOT %d IMPORTING %s", slot, from_id);
    redis_server_tell(&nodes[from], "CLUSTER SETSLOT %d MIGRATING %s", slot, to_id);
    attempt_begin(&attempt, proxy, subject, 1);
    for (int left = 1; left > 0;) {
        redisReply *keys = redis_server_ask(&nodes[from], "CLUSTER GETKEYSINSLOT %d 1", slot);

        left = (int)keys->elements;
        if (left > 0) {
            redis_server_tell(&nodes[from], "MIGRATE 127.0.0.1 %d %b 0 1000", (int)nodes[to].port,
                              keys->element[0]->str, keys->element[0]->len);
        }
        freeReplyObject(keys);
        world_turn(&world, 0);
    }
    world_run(&world, 50);
    for (size_t i = 0; i < NODES; i++) {
        redis_server_tell(&nodes[i], "CLUSTER SETSLOT %d NODE %s", slot, to_id);
    }
    if (attempt_wait(&attempt) == HOLD_GRANTED) {
        attempt_settle(&attempt, 0);
    }
}

static void cluster__parts_lie_where_their_slots_are_and_move_with_them(void **state)
{
    static const char *const teams[] = {"growth", "ops", "a", "b", "c"};
    struct redis_server nodes[NODES] = {{.port = 0}};
    struct world_proxy *proxy = NULL;
    struct world_rows rows;
    size_t owner = 0;
    size_t on[NODES] = {0};

    (void)state;
    start_cluster(nodes);
    world_open(&world, WORLD_REDIS, &nodes[1]);
    world.settings.topology = REDIS_CLUSTER;
    world.settings.accept_volatile = false;
    world.settings.recover_ms = 400;
    (void)world_budget(&world, "all", "global", 100000);
    (void)world_budget(&world, "team", "team", 1000);
    (void)world_budget(&world, "key", "key", 1000);
    proxy = world_proxy_start(&world, 0);
    for (size_t i = 0; i < 5; i++) {
        char key[64];

        (void)snprintf(key, sizeof key, "hg:{t:%s}:m", teams[i]);
        on[owner_of(nodes, key)]++;
        recover(proxy, subject_of(teams[i], "k"), 5000);
        for (int n = 0; n < 10; n++) {
            spend(proxy, subject_of(teams[i], "k"), 3);
        }
    }
    assert_true((on[0] > 0) + (on[1] > 0) + (on[2] > 0) >= 2);
    assert_int_equal(settled(proxy, subject_of("ops", "k"), "team", SPAN_OF("ops")), 30);
    assert_int_equal(settled(proxy, subject_of("ops", "k"), "all", SPAN_OF("")), 150);
    world_report(proxy, NULL, &rows);
    assert_true(rows.is_whole);
    assert_int_equal(rows.count, 11);
    owner = owner_of(nodes, "hg:{t:growth}:m");
    move_slot(nodes, owner, (owner + 1) % NODES, "hg:{t:growth}:m", proxy,
              subject_of("growth", "k"));
    recover(proxy, subject_of("growth", "k"), 5000);
    spend(proxy, subject_of("growth", "k"), 3);
    assert_int_equal(settled(proxy, subject_of("growth", "k"), "team", SPAN_OF("growth")), 33);
    assert_int_equal(settled(proxy, subject_of("growth", "k"), "all", SPAN_OF("")), 153);
    /* One of them restarts: the others are asked as before. */
    owner = owner_of(nodes, "hg:{x}:m");
    redis_server_kill(&nodes[owner]);
    redis_server_restart(&nodes[owner]);
    recover(proxy, subject_of("a", "k"), 8000);
    assert_int_equal(settled(proxy, subject_of("a", "k"), "all", SPAN_OF("")), 153);
    world_close(&world);
    for (size_t i = 0; i < NODES; i++) {
        redis_server_remove(&nodes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentinels__name_the_master_that_takes_over_behind),
        cmocka_unit_test(two_primaries__an_old_one_without_replicas_gives_nothing_away),
        cmocka_unit_test(cluster__parts_lie_where_their_slots_are_and_move_with_them),
    };
    int failed = 0;

    if (getenv("LEDGER_TEST_ONLY") != NULL) {
        cmocka_set_test_filter(getenv("LEDGER_TEST_ONLY"));
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
