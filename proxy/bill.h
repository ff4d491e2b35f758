/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/bill.h: the charge of an attempt, priced, and put into its record. Decides nothing: what is
 * charged is usage/charge.h's, what that costs pricing's. Used by calls, and by the store thread for
 * attempts that were open when an earlier process died. */
#ifndef PROXY_BILL_H
#define PROXY_BILL_H

#include "conf/snapshot.h"
#include "usage/charge.h"
#include "usage/record.h"

/* What was set aside for an attempt. */
struct bill_hold {
    bool is_held;
    bool pays_ambiguous; /* ambiguous_charge: hold */
    int64_t nano;
    int64_t input;       /* tokens; 0: not known */
    int64_t output;
};

/* Whose prices, and of which model. */
struct bill_terms {
    const struct snapshot *snapshot;
    const struct provider *provider;
    struct span asked;    /* the model that the provider was asked for */
    struct span answered; /* the one that it says has answered; may be empty */
    wall_ms at;           /* when the call began */
    struct bill_hold hold;
};

struct bill {
    struct charge charge;
    const struct price *price; /* NULL: the model has none */
    struct cost cost;          /* of charge.usage, when it is priced */
    struct cost exposed;       /* of charge.exposed */
    bool is_priced;            /* the cost is known: a price, or nothing to be charged */
    bool is_beyond_belief;     /* what was told is not: the hold is charged */
};

void bill_make(const struct bill_terms *terms, const struct charge_facts *facts, struct bill *bill);
/* `name` is taken for the price row's name and lives as long as the record's texts. */
void bill_put(const struct bill *bill, const struct bill_terms *terms, struct buf *name,
              struct record *record);
/* For an attempt that was open at a crash: everything from its record. */
void bill_crash(const struct snapshot *snapshot, struct buf *name, struct record *record);

#endif
