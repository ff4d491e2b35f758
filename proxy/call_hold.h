/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/call_hold.h: what a call has while budgets count it; seen only by the files that are the call. */
#ifndef PROXY_CALL_HOLD_H
#define PROXY_CALL_HOLD_H

#include "enforcement/ledger.h"
#include "proxy/call_parts.h"
#include "router/bound.h"

/* One attempt's hold, kept until its record is written. */
struct call_hold {
    uint64_t ticket;        /* of the ledger; 0: nothing is held there */
    uint8_t number;         /* of the attempt; 0: none */
    uint8_t place;
    uint8_t asks;           /* how often the ledger was asked */
    bool is_open;           /* asked for, and not settled */
    bool is_granted;
    bool is_strict;
    bool is_extending;
    bool is_fail_open;
    uint8_t decision;       /* enum budget_decision */
    uint8_t ambiguous;      /* enum budget_ambiguous: the dearest of its budgets */
    uint8_t links_count;
    uint8_t links[CHAIN_MAX]; /* what its chain counted on when the ledger was asked: places in `budgets` */
    const struct budget *budgets; /* of the settings that it was asked by */
    const struct budget *by; /* the budget that made it; NULL: nothing is to be told */
    struct bound bound;
    struct amounts amounts; /* held */
    wall_ms held_at;
    struct ledger_stamp stamp; /* of its settle */
    struct amounts more;    /* asked for */
    int64_t more_output;
    int64_t more_seen;      /* output that had come then */
    uint16_t doubt;         /* by how many permille what is seen may be too much */
};

/* What was decided, the gravest last. */
enum budget_decision { DECISION_ALLOW, DECISION_WARN, DECISION_CLAMP, DECISION_CUT, DECISION_DENY };
const char *budget_decision_word(enum budget_decision decision);

/* What the app is told: of the latest decision that is more than `allow`. */
struct budget_told {
    const struct budget *budget; /* that made it; NULL: nothing is to be told */
    int64_t used;
    wall_ms window_end;
    int64_t cap;                 /* of output, as clamped; 0: not */
};

/* A no that led to another target: its record is written at the end. */
struct budget_denial {
    const struct budget *by; /* NULL: no budget of its own */
    uint8_t number;
    uint8_t place;
    uint8_t outcome;
};
enum { DENIALS_MAX = 8 };

enum { CALL_HOLDS = 4 }; /* two in flight, one asked for, one whose record is not written yet */

struct call_budget {
    struct call_budget *next;    /* spare ones */
    struct policy *policy;       /* the one it began with: keeps all that its holds were made by */
    struct quote_request quoted;
    struct chat_count media;     /* all but its tokens */
    bool is_quoted;
    struct subject subject;      /* of the attempt that was asked for last */
    struct chain chain;
    struct call_hold holds[CALL_HOLDS];
    struct call_hold *watched;   /* of the attempt whose stream is out */
    struct amounts spent;        /* by attempts that are over */
    struct budget_told told;
    enum quote_open open;        /* why the latest bound is none */
    struct budget_denial denials[DENIALS_MAX];
    uint8_t denials_count;
    uint8_t shadows;             /* guards that only look and were told of, by their bits */
};

/* ACTION_HOLD. */
void call_hold_ask(struct call *call, uint8_t number, uint8_t place);
/* The ledger's ear; `to` is the calls. */
void call_hold_on_answer(void *to, const struct hold_answer *told);
/* The hold of an attempt, also when it is over; NULL: it needed none. */
struct call_hold *call_hold_of(const struct call *call, uint8_t number);
/* What is charged for the attempt in view if nobody can tell whether it ran, and its hold. */
enum charge_ambiguous call_hold_ambiguous(const struct call *call, struct bill_hold *bill);
/* The stream of the attempt in view is out: what it brings is watched. */
void call_hold_watch(struct call *call);
/* More output has come than 90 % of what is held pays for, or all of it. */
void call_hold_extend(struct call *call, int64_t seen);
/* The attempt is over. Without effect for one that holds nothing. */
void call_hold_settle(struct call *call, uint8_t number, const struct amounts *actual);
/* The call is over: what it still holds, or waits for, is given back. */
void call_hold_end(struct call *call);

/* call_hold_bound.c */
/* What the attempt can come to at most, into hold->bound and ->amounts. OUTCOME_OK, or why it cannot be let
 * through at all. */
enum outcome call_hold_bound(struct call *call, struct call_hold *hold);
/* The same with as much output as this pays for. False: it pays for none that is of use. */
bool call_hold_fit(struct call *call, struct call_hold *hold, const struct amounts *left);

/* call_guards.c */
/* The guard that has not so much left, one that enforces before one that warns, or NULL; `left` is lowered to
 * what they all leave. Without what is held for `but`. */
const struct budget *call_guards_ask(const struct call *call, const struct call_hold *but,
                                     const struct amounts *more, struct amounts *left,
                                     int64_t *used);

/* call_budget.c */
/* NULL: no memory. */
struct call_budget *call_budget_take(struct calls *calls, struct policy *policy);
/* The call's own, taken if there is none. NULL: no memory. */
struct call_budget *call_budget_own(struct call *call);
/* For the records: a budget said no. More than DENIALS_MAX are not kept. */
void call_budget_deny(struct call_budget *budget, struct budget_denial denial);
void call_budget_give(struct call *call);
void call_budgets_free(struct calls *calls);
/* x-headgate-budget and what belongs to it. */
void call_budget_put_fields(struct buf *out, const struct call *call);
/* A refusal that a budget has to do with: which, and until when. */
void call_budget_refusal(struct call *call, struct refusal *refusal);
/* "0.25 USD", "1000 tokens". */
void budget_put_amount(struct buf *out, enum budget_unit unit, int64_t amount);

#endif
