/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/ledger_redis_parts.h: what the files of the Redis ledger share.
 *
 *   ledger_redis.c           the whole: settings, the port, what is told to whom
 *   ledger_redis_topology.c  which server has what: one, sentinels, a cluster
 *   ledger_redis_node.c      one server: connection, commands in order, their deadline, its faults
 *   ledger_redis_root.c      one part of the book, that lies on one server: what waits there, its life
 *   ledger_redis_born.c      when the ledger began, and that it began anew
 *   ledger_redis_counter.c   whose money is counted where: counters and their windows
 *   ledger_redis_greet.c     its greeting, and what is brought back there
 *   ledger_redis_hold.c      holds: their legs, from loans or asked for, and their ends
 *   ledger_redis_judge.c     what is answered
 *   ledger_redis_extend.c    more for a hold
 *   ledger_redis_ask.c       asking the server for a leg
 *   ledger_redis_settle.c    telling what was used
 *   ledger_redis_lease.c     money on loan
 *   ledger_redis_resend.c    what earlier processes of this state directory left
 *   ledger_redis_reap.c      holds of others, given back or presumed
 *   ledger_redis_report.c    reports
 *   ledger_redis_order.c     orders
 */
#ifndef PROXY_LEDGER_REDIS_PARTS_H
#define PROXY_LEDGER_REDIS_PARTS_H

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/slots.h"
#include "enforcement/lease.h"
#include "enforcement/sequence.h"
#include "proxy/ledger_redis.h"
#include "proxy/ledger_redis_scripts.h"
#include "proxy/redis_link.h"

enum {
    COMMAND_MS = 250,   /* then the server is taken for dead */
    SLOW_MS = 50,
    OPEN_MS = 1000,     /* from the dial to the last answer of the greeting */
    RECOVER_MS = 2000,
    BEAT_MS = 1000,     /* half of the recovery: everybody has noticed by then */
    FLUSH_MS = 100,     /* what was spent of loans is told so often */
    REAP_MS = 5000,
    FORGET_MS = 7 * 24 * 3600 * 1000, /* a process' numbers, after its last word */
    RECORD_ID_MAX = 64,
    ROOTS_MAX = 16384,
    COUNTERS_MAX_REDIS = 200000,
    HOLDS_MAX_REDIS = 262144,
    RUN_ID_MAX = 40,
    BATCH_OPS = 128,    /* of one settle script */
    SAID_MAX = 4096,    /* that are not acknowledged */
    BATCH_WINDOWS = 512
};
/* A window is kept so long after its end, for settles that come late. */
#define AFTER_WINDOW_MS INT64_C(259200000)
/* A unit of work (scope trace) is forgotten so long after its last call. */
#define TRACE_MS INT64_C(86400000)

struct node;
struct root;
struct counter;

/* ---- one server ---- */

struct command {
    struct link link;
    /* reply NULL: nobody knows whether it was done. */
    void (*done)(struct command *command, const struct redisReply *reply);
    struct root *root;
    uint64_t number; /* of a hold, or what the asker likes */
    void *to;
    int64_t amount;  /* of a loan */
    mono_ms at;
    uint32_t era;    /* of the root: answers from before its last greeting are as good as lost */
};

enum node_state { NODE_DOWN, NODE_OPENING, NODE_GREETING, NODE_UP };

struct node {
    struct link link; /* of the ledger's */
    struct ledger *ledger;
    struct redis_url url;
    char host[256];
    struct redis_link *redis;
    enum node_state state;
    struct link due; /* commands without an answer, the oldest first */
    struct loop_timer timer;
    char run_id[RUN_ID_MAX + 1];
    char sha[REDIS_SCRIPTS][RUN_ID_MAX + 1];
    struct span fence;
    uint64_t session;
    unsigned replies;   /* of the greeting */
    unsigned failures;  /* since it was up */
    mono_ms down_since;
    bool is_silent;     /* it did not answer in time */
    bool is_told_down;
    bool is_checked;    /* its settings are known */
    bool keeps;         /* it has them written down: RDB */
    bool has_aof;
    bool evicts;
    bool is_replica;
    bool is_retired;
};

/* NULL: no memory. Begins to connect. */
struct node *node_new(struct ledger *ledger, const struct redis_url *url, struct span host,
                      uint16_t port);
void node_free(struct node *node);
/* It is not the one any more: its connection ends, and it goes at the next beat. */
void node_retire(struct node *node);
bool node_is_up(const struct node *node);
/* It may be back within the time that a hold waits. */
bool node_may_return(const struct node *node);
/* The connection is made anew at once: what it is asked is not answered there. */
void node_renew(struct node *node, const char *why);
/* A command of `words` words; they follow as redis_link_put. NULL: no memory. */
struct command *node_command(struct node *node, size_t words,
                             void (*done)(struct command *, const struct redisReply *),
                             struct root *root);
/* The same of a script, with so many keys and arguments to follow. */
struct command *node_script(struct node *node, enum redis_script script, size_t keys, size_t args,
                            void (*done)(struct command *, const struct redisReply *),
                            struct root *root);
void put_text(struct node *node, struct span text);
void put_number(struct node *node, int64_t number);
void node_send(struct node *node);
/* An integer among the items of an array; `otherwise` if it is none. */
int64_t reply_number(const struct redisReply *reply, size_t i, int64_t otherwise);

/* ---- one part of the book ---- */

enum { LEG_CROSS, LEG_TEAM, LEGS };
enum root_state { ROOT_AWAY, ROOT_JOINING, ROOT_GREETING, ROOT_READY };

struct generation {
    struct generation *next;
    uint32_t number;
    uint32_t len;
    char key[];
};

struct root {
    struct map_entry entry;
    struct link link;
    struct link dirty;   /* of the ledger's */
    struct ledger *ledger;
    struct span name; /* "x", "t:growth": what stands in the braces */
    uint16_t slot;
    struct node *node; /* NULL: not known yet */
    bool is_asking;    /* its slot moves: the new server wants to be told so */
    enum root_state state;
    struct sequence sequence;
    size_t said;       /* operations on their way */
    struct link waiting; /* holds that are to be asked for here (struct hold, wait) */
    struct link held;    /* legs with a hold of their own (struct leg, link) */
    struct link counters;
    struct link lent;    /* windows with loans */
    struct link old;     /* operations of earlier processes */
    struct link *untold; /* the first of them that was not told; NULL: not known */
    bool is_telling_old;
    uint64_t contributed; /* epoch in which this process brought its sums: older operations are in them */
    struct generation *generations;
    int64_t resets;
    uint32_t processes;
    uint32_t open;     /* legs that will be settled here */
    uint32_t held_count;
    uint32_t era;      /* one more with each loss */
    mono_ms flush_at;  /* MONO_NEVER: nothing is to be told */
    wall_ms unsaid_since; /* at least so old is what is not acknowledged; INT64_MAX: nothing is */
    mono_ms recovers_at; /* enforcing budgets wait until then */
    mono_ms reap_at;
    mono_ms used_at;
    mono_ms retry_at;  /* after an error of its own */
    bool is_beating;
    bool has_due;      /* more holds than were looked at */
    bool is_wanted;    /* somebody waits for its greeting */
};

/* The part of this name, made if there is none. NULL: no memory, too many. */
struct root *root_find(struct ledger *ledger, struct span team, bool is_cross);
struct root *root_new(struct ledger *ledger, struct span name);
void root_free(struct root *root);
/* The server says an error about keys of this part: it is left alone for a second. */
void root_rest(struct root *root, const struct redisReply *reply);
/* It may be asked within the time that a hold waits. */
bool root_may_return(const struct root *root);
/* What waits there goes on if it can; a part that was not greeted is. */
void root_pump(struct root *root);
/* The server is another, or was away: it is greeted again. */
void root_lose(struct root *root);
/* The ledger is not the one that it was: all parts in which we have a share are greeted. */
void root_hear_born(struct ledger *ledger, int64_t born);
void root_ask_born(struct ledger *ledger);
void root_join(struct root *root);
void begin_key(struct root *root, struct buf *key);
size_t count_generations(const struct root *root);
void hear_generations(struct root *root, const struct redisReply *pairs);
void root_beat(struct root *root, mono_ms now);
/* It is looked at by the tick at `at`, or before. */
void root_mark(struct root *root, mono_ms at);
/* What the tick finds to do there. */
void root_tick(struct root *root);
/* "hg:{name}:rest" as a key. */
void put_key(struct root *root, const char *rest);
void put_process_key(struct root *root, uint64_t epoch);
uint32_t root_generation(const struct root *root, struct span budget, struct span value);
/* Holds that are due (no cursor) or all, a piece at a time: the script `list`. False: no memory. */
bool root_list(struct root *root, int64_t count, struct span cursor,
               void (*done)(struct command *, const struct redisReply *), void *to);
/* Those of the list that it takes (NULL: all) are presumed (P) or given back (V). False: none is. */
bool root_reap(struct root *root, const struct redisReply *list,
               bool (*takes)(void *to, const struct redisReply *row), void *to, const char *how,
               void (*done)(struct command *, const struct redisReply *));
struct command *root_script(struct root *root, enum redis_script script, size_t keys, size_t args,
                            void (*done)(struct command *, const struct redisReply *));

/* ---- counters ---- */

struct op;

struct win {
    struct win *older;
    struct counter *counter;
    struct window window;
    uint32_t generation;
    uint32_t refs;      /* open holds, and operations that are kept */
    int64_t settled;    /* as told last, */
    int64_t used;
    int64_t limit;      /* of the budget that asked last */
    int64_t mine;       /* what this process booked, and those before it */
    int64_t mine_over;
    int64_t unsaid;     /* of it: not acknowledged; set where it is needed */
    int64_t unsaid_over;
    int64_t unsaid_shrink;
    struct link lent;   /* of its root's, while there may be a loan */
    mono_ms lent_at;    /* last heard of it */
    struct op *in_op;   /* the operation that still takes more, and where in it */
    uint32_t in_op_at;
    uint8_t warned;
    bool is_asking;     /* for a loan */
    bool is_unsure;     /* a loan was asked for and not answered: there may be one */
    bool releases;      /* what is held too long is given back, not presumed */
    mono_ms seen_at;    /* when the figures came; 0: never */
    struct lease lease;
};
/* What a settled hold or a report said of it. */
void win_see(struct win *win, int64_t settled, int64_t used);

struct counter {
    struct map_entry entry;
    struct link link; /* of its root's */
    struct root *root;
    struct span budget;
    struct span value;
    enum scope_kind scope;
    enum budget_unit unit;
    enum window_kind kind;
    uint32_t mark;    /* budget_mark */
    int64_t part_ms;  /* of a rolling window, else 0 */
    struct win *newest;
    mono_ms last_at;
    size_t size;
};

/* The counter of this link with its window of now. NULL: no memory. */
struct win *counter_take(struct root *root, const struct budget *budget, struct span value,
                         wall_ms now);
/* The window in which `at` lies, whatever the newest is. NULL: no memory. */
struct win *counter_at(struct root *root, const struct budget *budget, struct span value,
                       wall_ms at);
/* Windows that no server has confirmed are those of the generations that are known now: records tell no
 * generation. */
void counters_renew(struct root *root);
void counters_sweep(struct root *root, wall_ms now);
void counters_free(struct root *root);
void win_let_go(struct win *win);
bool win_is_newest(const struct win *win);
/* How many keys make its sum, and those keys. */
size_t win_keys(const struct win *win);
void put_win_keys(struct win *win);
void put_win_key(const struct win *win);
/* "Lowner" and the key: the name of its loan. */
void put_lease_id(const struct win *win);
/* unit, end, expiry. */
void put_win_birth(const struct win *win);
wall_ms win_expires(const struct win *win);

/* ---- holds ---- */

enum leg_state {
    LEG_NONE,    /* no link counts there */
    LEG_WANTED,  /* not asked yet */
    LEG_SENT,    /* asked: it may be held */
    LEG_HELD,
    LEG_LOCAL,   /* taken from loans */
    LEG_OPEN     /* not held: the ledger could not be asked */
};

struct hold_link {
    const struct budget *budget; /* of the call's settings, which outlive the hold */
    struct win *win;
    uint8_t leg;
    bool enforces;
    bool is_leased;
};

struct leg {
    struct link link; /* of root->held */
    struct root *root;
    struct op *op;    /* for its settle */
    enum leg_state state;
    uint32_t era;     /* of the root, when its windows were taken */
    bool wants_more;  /* it is to be extended */
    bool took_more;   /* of its loans, for this extension */
    uint8_t at;       /* LEG_CROSS, LEG_TEAM */
    uint8_t count;    /* links */
};

enum hold_phase { HOLD_ASKING, HOLD_IS_GRANTED, HOLD_EXTENDING };

#define HOLD_MOST INT64_C(9000000000000) /* 9,000 USD, 9e12 tokens: what one hold or extension may be */

struct hold {
    struct link wait;    /* of a root's waiting ones */
    struct link pending; /* of the ledger's, by deadline */
    struct link telling; /* of the ledger's answers */
    struct link all;     /* of the ledger's */
    struct ledger *ledger;
    uint64_t ticket;
    mono_ms until;
    struct leg legs[LEGS];
    struct amounts amounts;
    struct amounts more;
    struct hold_answer answer;
    enum hold_phase phase;
    uint8_t tries;
    uint8_t asks;        /* loans that are asked for to extend it */
    bool is_inside;      /* of hold or extend: whose answer goes back at once */
    bool is_told;        /* its answer is known */
    uint64_t outage;     /* in which it was let through; 0: it was not */
    struct amounts passed; /* what then was */
    uint8_t id_len;
    uint8_t count;
    char id[RECORD_ID_MAX];
    struct hold_link list[];
};

struct hold *leg_owner(struct leg *leg);
bool hold_begin(struct ledger *ledger, const struct hold_request *request, uint64_t *ticket,
                struct hold_answer *answer);
/* As is_used_up of struct ledger_ops. */
bool hold_is_used_up(struct ledger *ledger, struct span team, const struct chain *chain, wall_ms now,
                     struct hold_answer *answer);
bool hold_extend(struct ledger *ledger, uint64_t ticket, const struct amounts *more,
                 struct hold_answer *answer);
void hold_settle(struct ledger *ledger, uint64_t ticket, const struct amounts *actual);
/* The server is ready: asks for what waits. */
void hold_ask(struct hold *hold, struct root *root);
/* An enforcing budget is among those that it asks for there. */
bool hold_waits_for_recovery(const struct hold *hold, const struct root *root);
/* It cannot be asked in time: as the budgets say. */
void hold_fail(struct hold *hold);
/* A loan that an extension waits for was answered. */
void hold_loan_answered(struct ledger *ledger, uint64_t ticket);
void holds_free(struct ledger *ledger);
/* Its answer goes out: what nobody has a use for any more is given back. */
struct hold_answer hold_take_answer(struct hold *hold);
/* One link of which the sums are told: as the memory ledger judges. */
void hold_judge(struct hold *hold, uint8_t i, int64_t settled, int64_t used, int64_t left);
/* No call costs as much as HOLD_MOST, and beyond it the server's sums might overflow: where it is to be
 * enforced the answer is no, and else that much is held. */
bool hold_is_possible(struct hold *hold);
int64_t left_of(int64_t limit, int64_t used);
void hold_begin_answer(struct hold *hold, bool is_extend);
void hold_set_link(struct hold *hold, uint8_t i, bool is_over, uint8_t percent, int64_t used);
/* An extension of what was taken from loans: from them, or from what they can be made larger by. */
bool hold_take_more(struct hold *hold, struct leg *leg);
void hold_enlarge(struct hold *hold, struct leg *leg);
void hold_undo_extension(struct hold *hold);
/* The leg from loans alone, if they have enough: LEG_LOCAL then. */
bool hold_take_local(struct hold *hold, struct leg *leg);
/* Judges a leg so taken, by the figures that came last. */
void hold_judge_local(struct hold *hold, const struct leg *leg);
/* Loans of its windows that run low are asked for. */
void hold_ask_for_loans(struct hold *hold);
/* Gives back what links of the leg have taken from loans, of the first `before` ones of the chain. */
void hold_put_back(struct hold *hold, uint8_t leg, uint8_t before);
/* Its moment, in answer.held_at, is not earlier than any of its windows begins. */
void hold_keep_moment(struct hold *hold);
/* The next leg, or the answer. */
void hold_go_on(struct hold *hold);
/* Until the root can be asked. */
void hold_wait(struct hold *hold, struct root *root);
void leg_end(struct leg *leg);
/* What the script `hold` wants: keys, arguments, and of each link. */
void put_hold_head(struct root *root);
void put_hold_args(struct root *root);
void put_hold_link(struct win *win, int64_t amount, bool enforces);
/* Nothing can be asked there any more in time: those who wait are told. */
void holds_node_down(struct ledger *ledger);
/* Those that wait for too long. */
void holds_expire(struct ledger *ledger, mono_ms now);
void put_policies(const struct hold *hold, uint8_t leg);

/* ---- operations ---- */

struct op_item {
    struct win *win;
    int64_t actual;
    int64_t shrink;
    int64_t over;
};
struct op {
    struct op_item *items; /* own, or larger */
    uint32_t count;
    uint32_t cap;
    uint16_t own_cap;
    uint8_t id_len; /* 0: a sum of what was spent of loans, or unheld */
    bool was_said;     /* the server may have it */
    char id[RECORD_ID_MAX];
    struct op_item own[];
};
struct op *op_new(size_t cap);
void op_free(void *to, void *op);
void op_add(struct op *op, struct win *win, int64_t actual, int64_t shrink, int64_t over);
/* Goes into the book: joined to the newest one if it can. Takes the operation. Its number; 0 if it says
 * nothing. */
uint64_t root_push(struct root *root, struct op *op);
void root_flush(struct root *root);
/* unsaid and its kin of all windows. */
void root_reckon_unsaid(struct root *root);
void root_settled(struct root *root, struct win *win, int64_t actual, int64_t settled);

/* ---- operations of earlier processes (ledger_redis_resend.c) ---- */

/* After a greeting all of them are told again. */
void root_repeat_old(struct root *root);
void root_flush_old(struct root *root);
void root_trim_old(struct root *root, mono_ms now);
void root_free_old(struct root *root);
/* Until all are told. */
bool root_has_old(const struct root *root);
void put_op_items(struct root *root, const struct op *op);

/* ---- loans ---- */

/* Asks for more if it is time; `at_least`: so much more for a hold (its ticket) that needs it. */
bool lease_ask(struct win *win, int64_t at_least, uint64_t ticket);
void leases_beat(struct root *root, mono_ms now);
struct lease_view win_view(const struct win *win);

/* ---- reports and orders ---- */

void order_report(struct ledger *ledger, struct ledger_report *report);
void order_obey(struct ledger *ledger, struct ledger_order *order);
void orders_free(struct ledger *ledger);
/* Jobs that waited for a part go on. */
void orders_step(struct ledger *ledger);
/* Holds of earlier processes of this name are given back. False: not now. */
bool order_void_old(struct ledger *ledger);

/* ---- the whole ---- */

struct seen {
    char name[BUDGET_NAME_MAX];
    size_t len;
    wall_ms at;
};

struct ledger {
    struct loop *loop;
    struct fetcher *fetcher;
    const struct ledger_redis_settings *settings;
    const struct budgets *budgets;
    struct ledger_redis_ears ears;
    struct ledger_redis_counts counts;
    struct ledger_redis_numbers numbers;
    uint64_t epoch;
    uint64_t session;     /* of the newest connection */
    char proxy[REDIS_PROXY_MAX + 1];
    char owner[REDIS_PROXY_MAX + 32]; /* proxy:epoch */
    struct link nodes;
    size_t nodes_count;
    struct cluster *cluster; /* NULL: it is none */
    struct sentinel *sentinel;
    struct map roots;
    struct link all_roots;
    struct root *registry; /* where all parts are listed */
    struct map counters;
    struct slots holds;
    struct link jobs;
    struct link all_holds;
    struct link pending;
    struct link answers;
    struct link dirty;    /* roots with something to do at the next tick */
    struct loop_task telling;
    struct loop_timer tick;
    mono_ms beat_at;
    int64_t born;         /* when the ledger was begun, by its server; 0: not known */
    bool is_asking_born;
    struct rng rng;
    int64_t clock_ahead;  /* of ours */
    wall_ms latest;
    enum ledger_redis_state state;
    mono_ms lost_at;      /* since when no server is known */
    struct why why;
    int64_t allowed[BUDGETS_MAX]; /* spent without the ledger in this outage */
    uint64_t outage;
    struct seen seen[BUDGETS_MAX * 2];
    size_t seen_count;
    struct buf scratch;
    bool is_ending;
    bool has_time;      /* the server has told its clock */
    bool voids_old;     /* what earlier processes hold is given back when all was told */
    mono_ms voided_at;  /* 0: not yet */
    bool is_draining;   /* loans go back, and no new ones are taken */
    mono_ms told_slow_at;
};

wall_ms ledger_now(struct ledger *ledger);
uint32_t ledger_recover_ms(const struct ledger *ledger);
/* So long a hold waits for a server that changes places, or recovers: 2.5 s. */
uint32_t ledger_wait_ms(const struct ledger *ledger);
/* The server's clock says so. */
void ledger_hear_time(struct ledger *ledger, int64_t now);
void ledger_notice(struct ledger *ledger, enum ledger_redis_notice notice, struct span root,
                   const char *text);
void ledger_tell(struct ledger *ledger, struct hold *hold);
bool ledger_enforces(struct ledger *ledger, const struct budget *budget);
/* The timer runs no later than this. */
void ledger_wake(struct ledger *ledger, mono_ms at);
void ledger_node_up(struct ledger *ledger, struct node *node);
void ledger_node_down(struct ledger *ledger, struct node *node);
void ledger_judge_state(struct ledger *ledger);

/* Which server has this part; NULL: not known yet, asked for. */
struct node *topology_find(struct ledger *ledger, struct root *root);
bool topology_begin(struct ledger *ledger);
void topology_end(struct ledger *ledger);
/* The server sent us elsewhere, is no master any more, or has gone. */
void topology_moved(struct ledger *ledger, struct root *root, struct span error);
void topology_doubt(struct ledger *ledger, struct node *node);
void topology_node_up(struct ledger *ledger, struct node *node);
void topology_beat(struct ledger *ledger);
uint16_t topology_slot(struct span name);

#endif
