/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/lease.h: money on loan from a shared ledger for one counter, so that most holds need no
 * round trip. The ledger holds `total` for us: what is free here, and what our open holds have taken of
 * it. What they use is spent, and the loan shrinks by as much; what they do not use is free again. Near
 * the limit (tight) there are no loans: then each hold is asked for, and the answer is exact. Pure value
 * machine: the owner says what it reports and what came. */
#ifndef ENFORCEMENT_LEASE_H
#define ENFORCEMENT_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"

enum {
    LEASE_MS = 60000,       /* so long the ledger keeps what nobody asks for again */
    LEASE_MARGIN_MS = 10000 /* before its end nothing is taken from it any more */
};

struct lease {
    int64_t total;  /* free and taken */
    int64_t free;
    int64_t usual;  /* 95 of 100 holds are not larger, about */
    mono_ms until;  /* nothing is taken from then on */
    mono_ms used_at;
    bool is_tight;
};

/* The counter as the ledger told it last. */
struct lease_view {
    int64_t limit;
    int64_t used;       /* settled, held (loans too) and presumed */
    uint32_t processes; /* that live, at least 1 */
};

/* A hold of this size was wanted, whoever answered it. */
void lease_note(struct lease *lease, int64_t amount);
/* Takes so much if it is there. */
bool lease_take(struct lease *lease, int64_t amount, mono_ms now);
/* What was taken and will not be used by a hold that never came to be. */
void lease_put_back(struct lease *lease, int64_t amount);
/* The same for a hold that was granted and needs more, also when it is tight. */
bool lease_take_more(struct lease *lease, int64_t amount);
/* A hold of `held`, taken from it, has used `actual`. What the loan is smaller by: to be told. */
int64_t lease_settle(struct lease *lease, int64_t held, int64_t actual);
/* How much more to ask for; 0: nothing. */
int64_t lease_wants(const struct lease *lease, const struct lease_view *view);
/* The ledger gave so much more; 0: it only keeps what there is for longer. */
void lease_grow(struct lease *lease, int64_t amount, mono_ms now);
/* Learns from the ledger's figures whether it is tight. */
void lease_look(struct lease *lease, const struct lease_view *view);
/* What is free goes back. What the loan is smaller by: to be told. */
int64_t lease_give_back(struct lease *lease);

#endif
