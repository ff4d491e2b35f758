/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/park.h: out until a known time: a credential or target that the provider refuses (park),
 * or asked to be left alone for a while (cooldown). Facts about an account, not opinions about
 * health: no breaker state. A value. */
#ifndef BREAKER_PARK_H
#define BREAKER_PARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"

/* Why. Words in park_word. */
enum park_reason {
    PARK_NONE,
    PARK_AUTH,        /* 401: 5 min, doubling to 1 h */
    PARK_PERMISSION,  /* 403 of one target: the same */
    PARK_BILLING,     /* 402: 15 min, doubling to 6 h */
    PARK_QUOTA,       /* no quota left: to its known reset, else as billing */
    PARK_MODEL,       /* the provider does not know or serve this model: 10 min */
    PARK_EGRESS,      /* its name leads to denied addresses only: 10 min */
    PARK_THROTTLED,   /* cooldown by a 429's hint, else by backoff from 1 s */
    PARK_OVERLOADED   /* cooldown by the hint of a 5xx */
};

struct park {
    mono_ms until;    /* 0: not out */
    enum park_reason reason;
    uint8_t times;    /* stays in a row for this reason, for the doubling */
};

/* Out for `ms` from now (at most 31 days: a month of quota); an earlier, longer stay is kept, its
 * reason too. A stay for another reason than the last begins a new row. */
void park_for(struct park *park, enum park_reason reason, uint64_t ms, mono_ms now);
/* Out for the reason's own time, doubled with each stay in a row up to its most. Both cooldowns
 * begin at 1 s and end at 20 s. Told again while it is out for the same reason, it does not double:
 * that attempt began before the stay. Returns the ms. */
uint64_t park_back_off(struct park *park, enum park_reason reason, mono_ms now);
bool park_is_out(const struct park *park, mono_ms now);
/* A success: the next stay begins at its first length again; a stay that runs goes on. */
void park_forgive(struct park *park);
/* By an operator: back at once, nothing remembered. */
void park_clear(struct park *park);
/* "auth", "throttled", ...; "" for PARK_NONE. */
const char *park_word(enum park_reason reason);
/* Whether waiting a short while helps (throttled, overloaded), unlike the others. */
bool park_is_cooldown(enum park_reason reason);

#endif
