/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/ledger_memory.h: the embedded ledger: default in production, reference in tests. Pure.
 * Answers at once; presumes nothing, because whoever held something is this very process. What was
 * settled before a start is brought in by the one who keeps records. */
#ifndef ENFORCEMENT_LEDGER_MEMORY_H
#define ENFORCEMENT_LEDGER_MEMORY_H

#include "base/must.h"
#include "enforcement/ledger.h"

/* `ears` may hold no functions; it is copied. `seed`: two words of chance. NULL: no memory. */
MUST_CHECK struct ledger *ledger_memory_new(const struct ledger_ears *ears,
                                            const uint64_t seed[2]);
void ledger_memory_free(struct ledger *ledger);
extern const struct ledger_ops ledger_memory_ops;

/* Holds granted and not yet settled. */
uint64_t ledger_memory_open(const struct ledger *ledger);

/* A sum of an earlier process, before the first hold. */
struct ledger_sum {
    const struct budget *budget;
    struct span value;
    struct window window;
    int64_t settled;
    int64_t overrun;
    wall_ms reset_at; /* INT64_MIN: never */
};
/* False: no memory. */
MUST_CHECK bool ledger_memory_load(struct ledger *ledger, const struct ledger_sum *sum, wall_ms now);
/* A moment later than that of every hold so far, and no later than that of any hold to come. */
wall_ms ledger_memory_turn(struct ledger *ledger, wall_ms now);
/* What is settled in the window that begins then, to be put right by the one who keeps records; NULL:
 * nobody counts there. Until the next hold. */
int64_t *ledger_memory_sum(struct ledger *ledger, struct span budget, struct span value,
                           wall_ms begin);
/* When a budget was first seen, for its warm-up; what is not told of was first seen by its first
 * hold. */
void ledger_memory_first_seen(struct ledger *ledger, struct span budget, wall_ms at);

#endif
