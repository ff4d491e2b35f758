/* SPDX-License-Identifier: Apache-2.0 */
/* What the Redis ledger costs: processor time of this process per hold and settle, the server's time per
 * script, and how many holds need no round trip. No test: it prints. Three links per call (global, team,
 * key), each enforcing. */
#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/contract/ledger_world.h"

enum { CALLS = 20000, OPEN = 64, WARM = 200 };
#define LIMIT INT64_C(1000000000000)

static struct redis_server server;
static struct world world;

static double cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double script_us(unsigned long long *calls)
{
    redisReply *reply = redis_server_ask(&server, "INFO commandstats");
    const char *at = strstr(reply->str, "cmdstat_evalsha:calls=");
    unsigned long long count = 0;
    unsigned long long usec = 0;

    if (at != NULL) {
        (void)sscanf(at, "cmdstat_evalsha:calls=%llu,usec=%llu", &count, &usec);
    }
    freeReplyObject(reply);
    *calls = count;
    return count == 0 ? 0 : (double)usec / (double)count;
}

static struct world_proxy *begin(enum ledger_world_kind kind, int64_t limit)
{
    redis_server_tell(&server, "FLUSHALL");
    redis_server_season(&server);
    world_open(&world, kind, &server);
    (void)world_budget(&world, "all", "global", limit);
    (void)world_budget(&world, "team", "team", limit);
    (void)world_budget(&world, "key", "key", limit);
    return world_proxy_start(&world, 0);
}

static void scripts(void)
{
    static struct attempt list[2000];
    struct world_proxy *proxy = begin(WORLD_REDIS, LIMIT);
    unsigned long long calls = 0;
    double us = 0;

    for (size_t i = 0; i < 2000; i++) {
        if (i == 1) {
            redis_server_tell(&server, "CONFIG RESETSTAT");
        }
        (void)attempt_hold(&list[i], proxy, subject_of("growth", "ci"), 1000000);
    }
    us = script_us(&calls);
    (void)printf("hold: %.1f us of the server per script (%llu of them, one for the global counter and "
                 "one for the team's two)\n", us, calls);
    redis_server_tell(&server, "CONFIG RESETSTAT");
    for (size_t i = 0; i < 2000; i++) {
        attempt_settle(&list[i], 500000);
    }
    world_quiet(&world);
    us = script_us(&calls);
    (void)printf("settle: %.1f us per settle (%llu scripts for 2000 settles in two parts)\n",
                 us * (double)calls / 4000, calls);
    world_close(&world);
}

/* Loans come. */
static void warm_up(struct world_proxy *proxy)
{
    for (int i = 0; i < WARM; i++) {
        struct attempt attempt;

        (void)attempt_hold(&attempt, proxy, subject_of("growth", "ci"), 1000000);
        attempt_settle(&attempt, 400000);
        world_turn(&world, 1);
    }
}

static void calls(enum ledger_world_kind kind)
{
    static struct attempt open[OPEN];
    struct world_proxy *proxy = begin(kind, LIMIT);
    struct ledger_redis_counts counts;
    uint64_t began = 0;
    double cpu = 0;

    warm_up(proxy);
    redis_server_tell(&server, "CONFIG RESETSTAT");
    began = loop_micros(world.loop);
    cpu = cpu_us();
    for (size_t i = 0; i < CALLS; i++) {
        struct attempt *attempt = &open[i % OPEN];

        if (attempt->ticket != 0) {
            (void)attempt_wait(attempt);
            attempt_settle(attempt, 400000);
        }
        attempt_begin(attempt, proxy, subject_of("growth", "ci"), 1000000);
        if (kind == WORLD_MEMORY || i % 16 == 0) {
            world_turn(&world, 0);
        }
    }
    for (size_t i = 0; i < OPEN; i++) {
        if (open[i].ticket != 0) {
            (void)attempt_wait(&open[i]);
            attempt_settle(&open[i], 400000);
        }
    }
    world_quiet(&world);
    cpu = cpu_us() - cpu;
    counts = ledger_redis_counts(proxy->ledger);
    (void)printf("%s: %.2f us of processor time per hold and settle, %.0f calls/s, %.2f%% without a round "
                 "trip, %llu commands\n",
                 ledger_world_names[kind], cpu / CALLS,
                 (double)CALLS / ((double)(loop_micros(world.loop) - began) / 1e6),
                 100.0 * (double)counts.local / (CALLS + WARM), (unsigned long long)counts.commands);
    {
        unsigned long long scripts_run = 0;
        double us = script_us(&scripts_run);

        (void)printf("  the server: %.1f us per script, %.2f us per call\n", us,
                     us * (double)scripts_run / CALLS);
    }
    world_close(&world);
}

/* Nothing but the chain, the hold and the settle, and what of it is told in between: what a call pays. */
static void loans_alone(void)
{
    enum { ROUNDS = 15, TURNS = 2000, A_TURN = 16 };
    struct world_proxy *proxy = begin(WORLD_LOANS, LIMIT * 1000);
    struct subject subject = subject_of("growth", "ci");
    struct chain chains[OPEN];
    uint64_t tickets[OPEN] = {0};
    struct amounts most = {{1000000, 1000000, 1}};
    struct amounts used = {{400000, 400000, 1}};
    double best = 1e9;
    uint64_t number = 0;

    warm_up(proxy);
    for (int round = 0; round < ROUNDS; round++) {
        double cpu = cpu_us();

        for (int i = 0; i < TURNS * A_TURN; i++) {
            size_t at = number++ % OPEN;
            char id[27] = "01m8mr4p6vhkrptzp75s4c6n3n";
            struct hold_request request = {.call_id = number, .attempt = 1, .record_id = span_make(id, 26),
                                           .team = subject.values[SCOPE_TEAM], .chain = &chains[at],
                                           .amounts = most, .now = loop_wall(world.loop)};
            struct hold_answer answer;

            memcpy(id + 10, &number, sizeof number);
            if (tickets[at] != 0) {
                world.ops->settle(proxy->ledger, tickets[at], &used);
            }
            chain_make(&world.budgets, &subject, &chains[at]);
            if (!world.ops->hold(proxy->ledger, &request, &tickets[at], &answer)) {
                world.ops->settle(proxy->ledger, tickets[at], &used); /* no loan yet */
                tickets[at] = 0;
            }
            if (i % A_TURN == 0) {
                world_turn(&world, 0);
            }
        }
        cpu = (cpu_us() - cpu) / (TURNS * A_TURN);
        best = cpu < best ? cpu : best;
        world_quiet(&world);
    }
    (void)printf("loans: %.2f us of processor time per hold and settle (the best of %d batches, with the chain "
                 "and the turns of the loop), %.2f%% without a round trip\n", best, ROUNDS,
                 100.0 * (double)ledger_redis_counts(proxy->ledger).local / (double)(number + WARM));
    for (size_t i = 0; i < OPEN; i++) {
        if (tickets[i] != 0) {
            world.ops->settle(proxy->ledger, tickets[i], &used);
        }
    }
    world_quiet(&world);
    world_close(&world);
}

int main(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    redis_server_start(&server, NULL);
    scripts();
    calls(WORLD_REDIS);
    calls(WORLD_LOANS);
    loans_alone();
    redis_server_remove(&server);
    curl_global_cleanup();
    return 0;
}
