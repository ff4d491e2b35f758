/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/roster.h: the live state of rates: a seat for each rate and each value of its scope
 * that was seen lately. A call asks all the rates that count for it at once and is let in by all of
 * them or takes from none; it keeps its pass until it is over.
 *
 *   roster_ask --ROSTER_PASSED--> pass --roster_used, as attempts end--> roster_leave
 *              --ROSTER_DENIED--> pass, of which nothing was taken ----> roster_leave
 *              --ROSTER_FREE, ROSTER_FULL--> no pass
 *
 * Tokens are taken as estimated and corrected when the call is over. Bounded: seats of which
 * everything is free again go by themselves. Pure; one thread. */
#ifndef ENFORCEMENT_ROSTER_H
#define ENFORCEMENT_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/tick.h"
#include "enforcement/rate.h"

struct roster;
struct roster_pass;

enum {
    ROSTER_MAX = 200000,         /* seats: some 30 MB */
    ROSTER_CLAIMS_MAX = 64,      /* rates that count for one call, each once per value */
    ROSTER_WAIT_CONCURRENT_MS = 1000, /* nobody knows when a call ends */
    ROSTER_TOKENS_MAX = 1 << 24  /* of an attempt: no provider's word counts for more */
};

enum roster_verdict {
    ROSTER_FREE,   /* no rate counts for it */
    ROSTER_PASSED,
    ROSTER_DENIED,
    ROSTER_FULL    /* no memory, too many seats, or more claims than a call may have */
};

struct roster_ask {
    const struct rates *rates; /* outlive the pass */
    const struct subject *subject;
    uint64_t tokens;           /* what the call is expected to take */
    mono_ms now;
    bool is_trial; /* whether it would be denied: takes from none, and leaves a pass only with a no */
};

/* NULL: no memory. */
MUST_CHECK struct roster *roster_new(const uint64_t seed[2]);
/* When no pass is out. NULL is allowed. */
void roster_free(struct roster *roster);

/* A call that is expected to take more tokens than may come at once is let in when all of those are
 * free: its true size still counts, against those that come later. Of a trial that passes there is no pass. */
enum roster_verdict roster_ask(struct roster *roster, const struct roster_ask *ask,
                               struct roster_pass **pass);

/* Of ROSTER_DENIED: the rate that keeps the call out longest; NULL: it was let in; */
const struct rate *roster_denied(const struct roster_pass *pass);
/* and after how many milliseconds all of them would let it in, if nobody else took anything
 * meanwhile (ROSTER_WAIT_CONCURRENT_MS where that depends on others' ends). */
uint64_t roster_wait_ms(const struct roster_pass *pass);

/* An attempt of the call took so many tokens. */
void roster_used(struct roster_pass *pass, uint64_t tokens);
/* The call is over; the pass is gone. */
void roster_leave(struct roster *roster, struct roster_pass *pass, mono_ms now);

/* What an app may be told of a rate. */
struct rate_figures {
    uint64_t limit;
    uint64_t remaining;
    uint64_t reset_ms; /* until nothing is taken any more; 0: now */
};
/* Of the rate of this unit (not RATE_CONCURRENT) that leaves the least. False: none counts for the
 * call whose figures are its caller's own business: with keys, what others do is not told. */
bool roster_figures(const struct roster_pass *pass, enum rate_unit unit, mono_ms now,
                    struct rate_figures *figures);

/* A rate as it stands for one of the subject's values. Borrows from both. */
struct rate_sight {
    const struct rate *rate;
    struct span value;
    struct rate_figures figures; /* of RATE_CONCURRENT reset_ms is 0: nobody knows when a call ends */
};
/* The rates that count for the subject, in the order of the settings; none is asked, and no seat made.
 * Returns how many. */
size_t roster_look(const struct roster *roster, const struct rates *rates,
                   const struct subject *subject, mono_ms now,
                   struct rate_sight sights[ROSTER_CLAIMS_MAX]);

/* Seats that there are, and passes that are out. */
size_t roster_seats(const struct roster *roster);
size_t roster_passes(const struct roster *roster);

#endif
