/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/silence.h: whether somebody who used to answer has fallen silent, told long before the time
 * limits of single attempts are over: by then, at a busy place, more would wait than the retry
 * budgets can send elsewhere (docs/decisions/0013). A value machine: no heap, no clock. */
#ifndef BREAKER_SILENCE_H
#define BREAKER_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"

enum {
    SILENCE_OVERDUE = 10,    /* attempts that waited too long, and nothing was heard meanwhile */
    SILENCE_ANSWERS = 10,    /* fewer good answers of late, and silence is nothing new */
    SILENCE_P95_TIMES = 4,
    SILENCE_DOUBLINGS_MAX = 3
};

struct silence {
    uint32_t overdue; /* attempts, since the last sign */
    bool is_silent;   /* found so, and no sign came since */
    mono_ms heard_at; /* the last sign */
};

/* How long an attempt may wait for a sign before it counts as overdue, in ms: four times what 95 of
 * 100 took, at least least_ms, and twice as long for each trip of the breaker that is not forgiven
 * yet (up to eight times), so that one that has become slow for good is not found silent again and
 * again. 0: never, since least_ms or p95_ms is 0 (switched off, not known). */
uint32_t silence_after_ms(uint32_t least_ms, uint32_t p95_ms, uint32_t trips);
/* One more attempt is overdue, whose request was sent then. It counts when nothing was heard since: a
 * long one among quick ones is none. `answers`: how many good ones there were of late. True: this
 * makes it silent. */
bool silence_overdue(struct silence *silence, mono_ms sent_at, uint32_t answers);
/* An answer began. True: it had been found silent. */
bool silence_heard(struct silence *silence, mono_ms now);

#endif
