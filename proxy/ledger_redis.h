/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/ledger_redis.h: the ledger that many processes share: a Redis (or Valkey) server, one with
 * replicas and sentinels, or a cluster. Everything that must hold at once happens in one script on the
 * server; what lies between is numbered, so that it happens once (docs/decisions/0025-redis-ledger.md).
 * Most holds need no round trip: they are taken from money on loan. Runs on the loop, never waits in
 * a function. */
#ifndef PROXY_LEDGER_REDIS_H
#define PROXY_LEDGER_REDIS_H

#include "base/must.h"
#include "conf/redis_url.h"
#include "enforcement/ledger.h"
#include "proxy/fetcher.h"
#include "proxy/loop.h"

enum redis_topology { REDIS_SINGLE, REDIS_SENTINEL, REDIS_CLUSTER };

enum { REDIS_URLS_MAX = 16, REDIS_PROXY_MAX = 64 };

struct ledger_redis_settings {
    enum redis_topology topology;
    /* SINGLE: one. SENTINEL: of the sentinels; user, password and database are the server's. CLUSTER: of
     * nodes to begin with. */
    const struct redis_url *urls;
    size_t urls_count;
    struct span sentinel;       /* name of the master as sentinels know it */
    bool accept_volatile;       /* a server that may forget what is booked */
    bool is_synchronous;        /* no loans: each hold is asked for */
    uint32_t recover_ms;        /* 0: 2 s. So long living processes have to put back what they hold */
    uint32_t counters_max;      /* 0: 200,000 */
    const struct budgets *budgets; /* in force now; may be replaced: ledger_redis_budgets */
};

enum ledger_redis_state {
    LEDGER_STARTING, /* not heard of any server yet */
    LEDGER_UP,
    LEDGER_DOWN,     /* `why` tells; it comes back by itself */
    LEDGER_UNSAFE    /* the server may forget what is booked: enforcing budgets refuse */
};

/* What is worth a line in the log. */
enum ledger_redis_notice {
    LEDGER_NOTICE_UP,
    LEDGER_NOTICE_DOWN,
    LEDGER_NOTICE_UNSAFE,
    LEDGER_NOTICE_UNCHECKED, /* the server does not let itself be asked how safe it is */
    LEDGER_NOTICE_SICK,      /* an error of the server that needs somebody */
    LEDGER_NOTICE_SLOW,      /* answers take longer than 50 ms */
    LEDGER_NOTICE_RESENT,    /* the server had forgotten what it had acknowledged; it was told again */
    LEDGER_NOTICE_GAP,       /* it had forgotten more than could be told again */
    LEDGER_NOTICE_REBUILT    /* it had forgotten everything; the sums of this process are there again */
};

struct ledger_redis_ears {
    struct ledger_ears ledger;
    /* For the log; may be called from inside of hold and extend, and may ask nothing. May be NULL. */
    void (*on_notice)(void *to, enum ledger_redis_notice notice, struct span root, const char *text);
};

struct ledger_redis_counts {
    uint64_t local;       /* holds granted without a round trip */
    uint64_t asked;       /* holds that the server answered */
    uint64_t denied;
    uint64_t unavailable;
    uint64_t fail_open;
    uint64_t commands;
    uint64_t resent;      /* operations told again after the server forgot them */
    uint64_t gaps;        /* operations that it forgot and could not be told again */
    uint64_t connections; /* made */
    uint64_t open;        /* holds open now */
    uint64_t unsaid;      /* operations that are not acknowledged now */
};

/* `proxy`: this process' name for ever (no blanks), kept in the state directory; `epoch`: one more at each
 * start, kept before it is used here. Settings and urls outlive it. NULL: no memory. It begins to
 * connect at once. */
MUST_CHECK struct ledger *ledger_redis_new(struct loop *loop, struct fetcher *fetcher,
                                           const struct ledger_redis_settings *settings,
                                           struct span proxy, uint64_t epoch,
                                           const struct ledger_redis_ears *ears);
/* Tells nobody anything any more; what is held is presumed by the others after a minute, so settle and
 * drain first. */
void ledger_redis_free(struct ledger *ledger);
extern const struct ledger_ops ledger_redis_ops;

/* Other settings are in force. The old ones outlive the holds made under them. */
void ledger_redis_budgets(struct ledger *ledger, const struct budgets *budgets);

enum ledger_redis_state ledger_redis_state(const struct ledger *ledger, struct why *why);
struct ledger_redis_counts ledger_redis_counts(const struct ledger *ledger);

/* Loans go back and what is settled is told. True: nothing is left to be told. For the end. */
bool ledger_redis_drain(struct ledger *ledger);

/* ---- what outlives this process ---- */

/* Under which numbers the last settle stands with the two parts of the ledger: what crosses teams, and
 * the team's. 0: it has nothing there. To be written into the attempt's record. */
struct ledger_redis_numbers {
    uint64_t cross;
    uint64_t team;
};
struct ledger_redis_numbers ledger_redis_numbers(const struct ledger *ledger);

/* A record that an earlier process of this state directory wrote. */
struct ledger_redis_record {
    struct span record_id;
    struct span team;
    const struct chain *chain; /* on which it counts */
    struct amounts actual;
    wall_ms held_at;           /* by the ledger's clock: chooses the windows */
    uint64_t epoch;            /* under which it was settled; 0: it was not */
    struct ledger_redis_numbers numbers;
};
/* A sum of this state directory's records, before the first hold: what this process contributes where
 * the server knows nothing of it. False: no memory. */
MUST_CHECK bool ledger_redis_load(struct ledger *ledger, struct span team,
                                  const struct budget *budget, struct span value, wall_ms at,
                                  int64_t settled, int64_t overrun);
/* Books it unless that was done. False: no memory. */
MUST_CHECK bool ledger_redis_resend(struct ledger *ledger, const struct ledger_redis_record *record);
/* All records were told: what earlier processes of this state directory still hold is given back. */
void ledger_redis_resent(struct ledger *ledger);
/* Records settled before this moment need not be told again. */
wall_ms ledger_redis_settled_until(const struct ledger *ledger);

#endif
