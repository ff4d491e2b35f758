/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/lockout.h: who guessed a token too often has to wait. Counts wrong ones per address
 * from the first on; past LOCKOUT_WRONG of them nothing of that address is looked at until
 * LOCKOUT_MS after the first. A value machine without heap: addresses fall into places by their
 * bytes, and those that share a place share its count, so that no number of addresses gains more
 * than LOCKOUT_PLACES times the guesses. */
#ifndef ENFORCEMENT_LOCKOUT_H
#define ENFORCEMENT_LOCKOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "enforcement/silent.h"

enum { LOCKOUT_WRONG = 20, LOCKOUT_MS = 10000, LOCKOUT_PLACES = 64 };

/* Zero is a valid beginning. */
struct lockout {
    struct lockout_place {
        mono_ms since;  /* the first wrong one */
        uint32_t wrong; /* 0: the place is free */
    } places[LOCKOUT_PLACES];
};

bool lockout_is_on(const struct lockout *lockout, const struct silent_name *who, mono_ms now);
/* Another wrong one. */
void lockout_wrong(struct lockout *lockout, const struct silent_name *who, mono_ms now);

#endif
