/* SPDX-License-Identifier: Apache-2.0 */
/* tests/sim/agenda.h: what is to come in virtual time. What is due at the same moment comes in an
 * order that the seed shuffles, never in the order in which it was put in: nothing may rest on
 * that. */
#ifndef TESTS_SIM_AGENDA_H
#define TESTS_SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/tick.h"

enum due {
    DUE_CALL,     /* the app's request is whole */
    DUE_WAKE,     /* a call asked to be woken */
    DUE_UPSTREAM, /* a target does its next thing */
    DUE_LEDGER,   /* the ledger answers */
    DUE_LEAVING,  /* an app has had enough */
    DUE_SHUTDOWN  /* the drain's time is over */
};

struct appointment {
    mono_ms at;
    uint64_t tie;    /* chance: the order among equals */
    enum due due;
    uint32_t slot;   /* of the call, */
    uint64_t serial; /* which is still this one, or nobody is there any more */
    uint32_t number; /* of the attempt or of the wake-up */
};

struct agenda {
    struct appointment *heap;
    size_t count;
    size_t room;
    struct rng rng;
};

void agenda_init(struct agenda *agenda, uint64_t seed);
void agenda_fini(struct agenda *agenda);
void agenda_put(struct agenda *agenda, struct appointment appointment);
/* When the next one is due; MONO_NEVER: there is none. */
mono_ms agenda_next_at(const struct agenda *agenda);
/* Takes the next one out; there is one. */
struct appointment agenda_take(struct agenda *agenda);

#endif
