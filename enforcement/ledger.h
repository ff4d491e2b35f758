/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/ledger.h: the port to the book of what is set aside and what is spent. One hold over the
 * whole chain of an attempt, all of it or nothing, before the request leaves; one settle after. For
 * every counter at every instant: settled + held + presumed never exceed an enforcing limit.
 *
 *   (none) --hold--> HELD --settle(actual)--> gone
 *                      ^ |
 *                      +-+ extend(more)
 *
 * A hold is answered exactly once, unless it is settled before its answer came: then there is
 * silence, and the ledger sees to it that nothing stays held. Every hold is settled exactly once; with
 * nothing, if nothing was used. A hold counts in the windows in which it was made, also when it is
 * settled after their end. Implementations: ledger_memory.c (embedded), proxy/ledger_redis.c. */
#ifndef ENFORCEMENT_LEDGER_H
#define ENFORCEMENT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "enforcement/budget.h"

struct ledger; /* an implementation's own state */

/* Borrowed until hold returns. */
struct hold_request {
    uint64_t call_id;           /* given back with the answer, as is the attempt */
    uint8_t attempt;
    struct span record_id;      /* of the attempt's record: no two attempts of any process share it */
    struct span team;           /* whose keys: what a shared ledger keeps together */
    const struct chain *chain;  /* at least one link */
    struct amounts amounts;     /* of each unit the most that the attempt can come to */
    wall_ms now;                /* a shared ledger has a clock of its own */
};

enum hold_verdict {
    HOLD_GRANTED,
    HOLD_DENIED,     /* an enforcing budget has not so much left; nothing is held */
    HOLD_UNAVAILABLE /* the ledger cannot be asked, and the budgets want it to be; nothing is held */
};

enum { LINK_NONE = 0xff };

struct hold_answer {
    uint64_t call_id;
    uint8_t attempt;
    bool is_extend;
    enum hold_verdict verdict;
    /* The link that says most: DENIED, the one that said no; GRANTED, the one that is to be told of (a
     * threshold passed, or a budget that would have said no but does not enforce); LINK_NONE. */
    uint8_t link;
    bool is_over;        /* GRANTED: that one is beyond its limit, not only beyond a threshold */
    uint8_t percent;     /* GRANTED: the threshold passed */
    int64_t used;        /* of that link: settled, held and presumed, without this hold */
    wall_ms window_end;  /* of that link; INT64_MAX: never */
    /* By unit what all enforcing links together still allow, without this hold; INT64_MAX: all. */
    struct amounts left;
    wall_ms held_at;     /* GRANTED: by the ledger's clock; the windows are those of this moment */
    bool is_fail_open;   /* GRANTED without the ledger: on_failure */
};

/* A budget has passed one of its thresholds, or its limit (percent 100), by what is settled. Told once
 * per counter, window and threshold. Borrowed. */
struct ledger_warning {
    struct span budget;
    struct span value;
    enum budget_unit unit;
    enum budget_mode mode;
    uint8_t percent;
    int64_t settled;
    int64_t limit;
    wall_ms window_end;
};

/* Both are called from the loop, never from inside hold or extend. */
struct ledger_ears {
    void *to;
    void (*on_answer)(void *to, const struct hold_answer *answer);
    void (*on_warning)(void *to, const struct ledger_warning *warning);
};

/* One counter as it stands. Borrowed. */
struct ledger_row {
    struct span budget;
    struct span value;
    enum scope_kind scope;
    enum budget_unit unit;
    struct window window;   /* of a rolling one: the time that its sums are made of */
    uint32_t generation;    /* how often an operator reset it */
    int64_t settled;
    int64_t held;
    int64_t presumed;       /* held by processes that are not heard of any more */
    int64_t overrun;        /* part of settled: what went beyond its hold */
    int64_t limit;          /* -1: the settings do not name the budget any more */
};

/* A question for the counters of now; nothing is made for it, so one that was never counted on has no row.
 * Owned by the asker and left alone until done was called, from
 * the loop or from inside report. */
struct ledger_report {
    const struct subject *subject; /* counters of this one only; NULL: all that are known */
    const struct budgets *budgets; /* of the settings in force */
    wall_ms now;
    void (*row)(struct ledger_report *report, const struct ledger_row *row);
    void (*done)(struct ledger_report *report, bool is_whole); /* false: the ledger cannot be asked */
};

/* What an operator orders. Owned as above. */
enum ledger_order_kind {
    ORDER_RESET, /* a new generation: the budget's counters (of `value`, or all) begin at zero */
    ORDER_VOID,  /* what is presumed of a process (`value`: its name) is given back */
    ORDER_REBUILD /* settled sums of the open windows are those of the records */
};
struct ledger_order {
    enum ledger_order_kind kind;
    struct span budget;
    struct span value;
    bool has_value;
    wall_ms now;
    uint64_t touched;  /* counters, or holds */
    void (*done)(struct ledger_order *order, bool is_done, const char *why);
};

/* Under which numbers a shared ledger knows the last settle; 0: it has nothing there. */
struct ledger_stamp {
    uint64_t epoch;
    uint64_t cross;
    uint64_t team;
};

struct ledger_ops {
    /* Asks for a hold. *ticket (never 0) is its name from now on. True: the answer is in *answer
     * already, false: it comes by on_answer. DENIED and UNAVAILABLE end the ticket. */
    bool (*hold)(struct ledger *ledger, const struct hold_request *request, uint64_t *ticket,
                 struct hold_answer *answer);
    /* More for a granted hold; one at a time. Answers as hold does; a no leaves the hold as it is. */
    bool (*extend)(struct ledger *ledger, uint64_t ticket, const struct amounts *more,
                   struct hold_answer *answer);
    /* Whether an enforcing budget of tokens or requests in the chain (one of money may still pay for what costs
     * nothing) is settled up to its limit, as far as is known here (of a
     * shared ledger: what it heard in the last 2 s). Asks nobody and holds nothing. True: verdict, link,
     * used and window_end of *answer are set. */
    bool (*is_used_up)(struct ledger *ledger, struct span team, const struct chain *chain, wall_ms now,
                       struct hold_answer *answer);
    /* Ends the ticket: what was used is booked, in full even beyond the hold, and the rest is free. */
    void (*settle)(struct ledger *ledger, uint64_t ticket, const struct amounts *actual);
    /* Of the settle that was just made; to be kept with its record. NULL: it needs none. */
    void (*stamp)(const struct ledger *ledger, struct ledger_stamp *stamp);
    void (*report)(struct ledger *ledger, struct ledger_report *report);
    void (*order)(struct ledger *ledger, struct ledger_order *order);
};

#endif
