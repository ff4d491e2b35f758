/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/budget.h: what the settings say about budgets, and which of them one attempt counts on
 * (its chain). Plain data that dies with the snapshot; written by conf/ only. Pure. */
#ifndef ENFORCEMENT_BUDGET_H
#define ENFORCEMENT_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "enforcement/scope.h"
#include "enforcement/window.h"

enum budget_unit {
    UNIT_MONEY,   /* nanodollars */
    UNIT_TOKENS,  /* input and output together */
    UNIT_REQUESTS, /* attempts that were sent */
    BUDGET_UNITS
};
const char *budget_unit_word(enum budget_unit unit); /* "USD", "tokens", "requests" */

enum budget_mode {
    BUDGET_ENFORCE, /* a call that does not fit is refused */
    BUDGET_WARN,    /* it is let through and told of */
    BUDGET_SHADOW   /* it is let through; only the log and `headgate budget` know */
};
const char *budget_mode_word(enum budget_mode mode);

/* How much is set aside for a request whose size is not known (reference/budgets.md, 3). */
enum budget_bound { BOUND_STRICT, BOUND_LEARNED };
enum budget_low { LOW_CLAMP, LOW_DENY };
enum budget_overrun { OVERRUN_CUT, OVERRUN_FINISH };
enum budget_expiry { EXPIRY_PRESUME, EXPIRY_RELEASE };
enum budget_ambiguous { AMBIGUOUS_CHARGE_NONE, AMBIGUOUS_CHARGE_INPUT, AMBIGUOUS_CHARGE_HOLD };
/* When the ledger cannot be asked. */
enum budget_failure { FAILURE_CLOSED, FAILURE_ALLOWANCE, FAILURE_OPEN };

enum {
    BUDGETS_MAX = 64,
    BUDGET_WARNINGS_MAX = 8,
    BUDGET_NAME_MAX = 64,
    CHAIN_MAX = 32, /* links of one attempt */
    GUARDS_MAX = 8
};
#define BUDGET_MONEY_MAX INT64_C(9000000000000000) /* nanodollars: beyond it Redis cannot compare exactly */
#define BUDGET_COUNT_MAX INT64_C(9000000000000000) /* tokens, requests: the same */

struct budget {
    struct span name;
    struct scope scope;
    enum budget_unit unit;
    int64_t limit;            /* in the unit, at least 1 */
    struct window_rule window;
    enum budget_mode mode;
    uint8_t warn_at[BUDGET_WARNINGS_MAX]; /* percents, ascending */
    uint8_t warn_count;
    uint64_t warm_up_ms;      /* for so long after it was first seen an enforcing one only warns */
    enum budget_bound bound;
    enum budget_low on_low;
    enum budget_overrun on_overrun;
    enum budget_expiry on_expiry;
    enum budget_ambiguous ambiguous;
    enum budget_failure on_failure;
    int64_t allowance;        /* FAILURE_ALLOWANCE: so much per process and outage, in the unit */
    uint16_t index;           /* in the settings */
};

struct budgets {
    const struct budget *list;
    size_t count;
    bool enforces_money;      /* one of them is an enforcing one in USD */
    bool enforces;            /* one of them enforces at all */
};

/* Whether so much settled, in the budget's unit, is this share of the limit or more. */
bool budget_is_past(const struct budget *budget, uint8_t percent, int64_t settled);
/* The highest threshold of warn_at that it has passed; 0: none. */
uint8_t budget_threshold(const struct budget *budget, int64_t settled);

/* Two budgets with the same mark count the same, in the same windows: what one has spent the other has. */
uint32_t budget_mark(const struct budget *budget);
/* When the oldest window began of which something counts at `now` (ms since 1970). Of a trace, whose window begins
 * with its first call: when the longest that may still be known began. */
wall_ms budget_open_since(const struct budget *budget, wall_ms now);

/* What an attempt takes or may take at most, by unit. */
struct amounts {
    int64_t of[BUDGET_UNITS];
};

/* What an attempt is booked with, by the ledger when it is over and by whoever reads its record: what it
 * was charged (below 0: nobody knows), its tokens (wire/tokens.def), and whether it was sent. */
void amounts_book(struct amounts *amounts, int64_t charged, const int64_t *tokens, bool is_sent);

/* One counter that an attempt counts on: a budget, and whose of it. Borrows from the budget, the subject, and
 * the chain itself, which therefore stays where it is. */
struct chain_link {
    const struct budget *budget;
    struct span value;
};
struct chain {
    struct scope_room room;
    struct chain_link list[CHAIN_MAX];
    const struct budget *guards[GUARDS_MAX]; /* scope `call`: a call counts its own, no ledger does */
    uint8_t count;
    uint8_t guards_count;
    bool has_overflowed; /* it should have been longer: must not be let through unasked */
    bool enforces;
    bool enforces_money;
};

/* Every budget that counts for the subject, in the order of the settings. */
void chain_make(const struct budgets *budgets, const struct subject *subject, struct chain *chain);

#endif
