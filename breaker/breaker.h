/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/breaker.h: the door in front of one endpoint or deployment. A value machine: no heap, no
 * pointer of its own; the owner passes rule, time and chance.
 *
 *   CLOSED     attempts pass; failures are counted (trip.h says when it opens)
 *   OPEN       nothing passes until reopen_at
 *   HALF_OPEN  one probe at a time passes, at most one a second; two successes in a row close,
 *              one failure opens again for longer
 *
 * The move from OPEN to HALF_OPEN happens when somebody enters after reopen_at, never by a timer. A
 * probe is a lease: it ends with its report, with breaker_forgo, or by itself after a time of the
 * owner's choice, so that a slot cannot leak. Neutral ends change nothing else. Its members are
 * written by breaker.c alone; all times are of one clock that never goes back. */
#ifndef BREAKER_BREAKER_H
#define BREAKER_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/tick.h"
#include "breaker/tally.h"
#include "breaker/trip.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

/* May an attempt pass now? */
enum admission {
    ADMISSION_NO,
    ADMISSION_YES,
    ADMISSION_PROBE, /* yes, as the probe */
    ADMISSION_PANIC  /* never told by breaker_ask: let through although it is open */
};

enum signal {
    SIGNAL_NEUTRAL,
    SIGNAL_SUCCESS,
    SIGNAL_SLOW,    /* a success that took too long */
    SIGNAL_FAILURE,
    SIGNAL_CONNECT  /* a failure to connect at all: the endpoint's breaker counts these apart too */
};

enum breaker_change { BREAKER_STAYS, BREAKER_OPENED, BREAKER_HALF_OPENED, BREAKER_CLOSES };

/* How an attempt passed; kept by the attempt and given back with its reports. */
struct pass {
    enum admission how;
    uint32_t lease; /* of a probe: which one */
};

struct breaker {
    enum breaker_state state;
    uint32_t trips;           /* how often it opened, less what the last report forgave */
    uint32_t failures_in_row;
    uint32_t connects_in_row;
    uint32_t probes_good;     /* in a row, while half-open */
    uint32_t lease;           /* the latest probe's number; opening skips one: older probes end */
    mono_ms lease_until;      /* 0: no probe is out */
    mono_ms probe_after;      /* the gap since the latest probe ends then, whatever the state */
    mono_ms reopen_at;        /* while open; never ahead in another state */
    mono_ms closed_at;        /* when it last closed after being open; 0: never opened */
    mono_ms forgiven_at;      /* since when the next forgiveness counts */
    struct tally tally;
};

enum { BREAKER_PROBE_GAP_MS = 1000, BREAKER_PROBES_GOOD = 2 };

void breaker_init(struct breaker *breaker, const struct trip_rule *rule);
/* Says what breaker_enter would do; changes nothing. */
enum admission breaker_ask(const struct breaker *breaker, mono_ms now);
/* An attempt passes: as breaker_ask says for the same `now` (never ADMISSION_NO), or
 * ADMISSION_PANIC in any state, which changes nothing until its report. lease_ms: how long a probe
 * may take before its slot is free again. *change: BREAKER_HALF_OPENED when this was the move out
 * of OPEN, else BREAKER_STAYS. */
struct pass breaker_enter(struct breaker *breaker, enum admission how, uint32_t lease_ms,
                          mono_ms now, enum breaker_change *change);
/* What came of an attempt. May come twice for one pass: success at the first content, failure when
 * the stream breaks later. While CLOSED every pass counts. While OPEN only a panic pass counts: its
 * success moves to HALF_OPEN with one good probe, its failure is no new trip, though its hint may
 * lengthen the stay. While HALF_OPEN only the latest probe of this stay counts: its first report
 * ends the lease, a failure counts also later, until another probe is let out. hint_ms: how long
 * the failing answer asked to wait; 0: it did not. */
enum breaker_change breaker_report(struct breaker *breaker, const struct trip_rule *rule,
                                   struct pass pass, enum signal signal, uint32_t hint_ms,
                                   mono_ms now, struct rng *rng);
/* The attempt ends without saying anything: a probe's slot is given back. Harmless after a report,
 * for a stale lease and for passes that were no probe. */
void breaker_forgo(struct breaker *breaker, struct pass pass);
/* Something outside of calls showed that the endpoint answers again: OPEN may become HALF_OPEN
 * now. It never closes a breaker. */
enum breaker_change breaker_invite(struct breaker *breaker, mono_ms now);
/* Its owner knows of a failure that no report tells: CLOSED becomes OPEN now, as by one more trip. In
 * the other states nothing happens. */
enum breaker_change breaker_open(struct breaker *breaker, const struct trip_rule *rule, mono_ms now,
                                 struct rng *rng);
/* By an operator: closed, nothing remembered. Attempts under way may still report. */
void breaker_reset(struct breaker *breaker, const struct trip_rule *rule);

#endif
