/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/ledger_world.h: ledgers of one kind behind one port, so that a test runs on each kind:
 * several processes' worth of them on one loop, budgets, and holds that are written down. */
#ifndef TESTS_CONTRACT_LEDGER_WORLD_H
#define TESTS_CONTRACT_LEDGER_WORLD_H

#include "enforcement/ledger.h"
#include "proxy/ledger_redis.h"
#include "tests/contract/redis_server.h"

enum ledger_world_kind { WORLD_MEMORY, WORLD_REDIS, WORLD_LOANS, WORLD_KINDS };
extern const char *const ledger_world_names[WORLD_KINDS];

enum { WORLD_PROXIES = 8, WORLD_BUDGETS = 8, WORLD_NOTES = 64 };

struct world;

struct world_proxy {
    struct world *world;
    struct ledger *ledger; /* NULL: it does not run */
    char name[16];
    uint64_t epoch;
    int64_t clock_ahead;   /* what its clock is wrong by */
    unsigned warnings;
    uint8_t warned_percent;
    int64_t warned_settled;
    unsigned notices[16];
    char said[128];        /* with the last notice */
};

struct world {
    enum ledger_world_kind kind;
    const struct ledger_ops *ops;
    struct loop *loop;
    struct fetcher *fetcher;
    struct snapshot *snapshot;
    struct redis_server *server;
    struct redis_url urls[4];
    size_t urls_count;
    struct ledger_redis_settings settings;
    struct world_proxy proxies[WORLD_PROXIES];
    struct budget list[WORLD_BUDGETS];
    struct budgets budgets;
    size_t held_before;
    int64_t ahead_ms;
    uint64_t opened_at; /* real ms */
    uint64_t skipped_ms;
    uint32_t skip_ms; /* nobody waits for real: the clock is put forward so much a turn (clock.h); 0: they wait */
};

/* An attempt that a proxy asked a hold for. */
struct attempt {
    struct world_proxy *proxy;
    struct link link;
    uint64_t ticket;       /* 0: it has ended */
    uint64_t number;
    struct span team;
    struct chain chain;
    struct subject subject;
    struct amounts amounts;
    struct hold_answer answer;
    unsigned answers;      /* heard */
    bool is_answered;      /* the last thing that was asked for */
    char id[48];
};

/* Without budgets; the server (Redis kinds) is there. world_budget, then world_proxy_start. */
void world_open(struct world *world, enum ledger_world_kind kind, struct redis_server *server);
/* The same, with a wall clock that is wrong by so much. */
void world_open_ahead(struct world *world, enum ledger_world_kind kind, struct redis_server *server,
                      int64_t ahead_ms);
/* Frees all; checks that all memory came back. */
void world_close(struct world *world);
/* Money, enforcing, of the whole time, unless changed before the proxies start. */
struct budget *world_budget(struct world *world, const char *name, const char *scope, int64_t limit);
struct world_proxy *world_proxy_start(struct world *world, size_t i);
/* As kill -9: nothing is said. Its attempts are gone with it. */
void world_proxy_kill(struct world_proxy *proxy);
/* Turns the loop once; waits at most `ms`. */
void world_turn(struct world *world, uint32_t ms);
void world_run(struct world *world, uint32_t ms);
/* Until all that was settled is told. */
void world_quiet(struct world *world);

/* `tail`: its own name in the chain ("user" and so on follow the subject). Asks; the answer may come
 * later. */
void attempt_begin(struct attempt *attempt, struct world_proxy *proxy, struct subject subject,
                   int64_t amount);
void attempt_begin_with(struct attempt *attempt, struct world_proxy *proxy, struct subject subject,
                        struct amounts amounts);
void attempt_extend(struct attempt *attempt, int64_t more);
void attempt_settle(struct attempt *attempt, int64_t actual);
/* Until it is answered. The verdict. */
enum hold_verdict attempt_wait(struct attempt *attempt);
/* All of it. */
enum hold_verdict attempt_hold(struct attempt *attempt, struct world_proxy *proxy,
                               struct subject subject, int64_t amount);

struct subject subject_of(const char *team, const char *key);

/* The counters of a subject, or of all (NULL), as a report tells them. */
struct world_rows {
    struct ledger_report report;
    struct ledger_row list[64];
    char texts[64][2][80];
    size_t count;
    bool is_done;
    bool is_whole;
};
void world_report(struct world_proxy *proxy, const struct subject *subject, struct world_rows *rows);
/* The one row of a subject, when all is told. */
struct ledger_row world_only_row(struct world_proxy *proxy, const struct subject *subject);
/* Holds and settles so much; it must be granted. */
void world_spend(struct world_proxy *proxy, struct subject subject, int64_t amount);
/* Until a hold is granted again, in at most so many milliseconds. */
void world_recover(struct world_proxy *proxy, struct subject subject, uint32_t ms);
/* An operator's order is obeyed (value NULL: of all). What it touched; -1: it is refused. */
int64_t world_order(struct world_proxy *proxy, enum ledger_order_kind kind, const char *budget,
                    const char *value);
/* The row of this budget and value; NULL. */
const struct ledger_row *world_row(const struct world_rows *rows, const char *budget,
                                   const char *value);

#endif
