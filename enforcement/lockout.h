/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/lockout.h: who guessed a token too often has to wait. Counts wrong ones per address
 * from the first on; with LOCKOUT_WRONG of them it is on, until LOCKOUT_MS (or a time of its own)
 * after the first. What that means for the address is the owner's business. A value machine without
 * heap: addresses fall into places by their bytes, and those that share a place share its count, so
 * that no number of addresses gains more than LOCKOUT_PLACES times the guesses. */
#ifndef ENFORCEMENT_LOCKOUT_H
#define ENFORCEMENT_LOCKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "enforcement/silent.h"

enum { LOCKOUT_WRONG = 20, LOCKOUT_MS = 10000, LOCKOUT_PLACES = 64 };

/* Zero is a valid beginning. */
struct lockout {
    uint32_t window_ms; /* in place of LOCKOUT_MS; 0: that */
    struct lockout_place {
        mono_ms since;  /* the first wrong one */
        uint32_t wrong; /* 0: the place is free */
    } places[LOCKOUT_PLACES];
};

bool lockout_is_on(const struct lockout *lockout, const struct silent_name *who, mono_ms now);
/* How much longer; 0: it is not on. */
uint64_t lockout_left(const struct lockout *lockout, const struct silent_name *who, mono_ms now);
/* Another wrong one. */
void lockout_wrong(struct lockout *lockout, const struct silent_name *who, mono_ms now);

#endif
