/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/gcra.h: so many units per period, and so many of them at once: the generic cell rate
 * algorithm (I.371). One number is all there is to keep per counter: when everything will be free
 * again. It counts in ticks, of which a millisecond has `scale` and a unit takes `step`; both are
 * chosen so that 7 requests a minute are as exact as 10,000,000 tokens, without a fraction. A value
 * machine without heap and clock; its owner asks, and takes after a yes (or without asking, where
 * more was used than was asked for). */
#ifndef ENFORCEMENT_GCRA_H
#define ENFORCEMENT_GCRA_H

#include <stdint.h>

#include "base/tick.h"

/* Units per period, and per millisecond of it. */
#define GCRA_LIMIT_MAX UINT64_C(1000000000000)
#define GCRA_LIMIT_MAX_MS UINT64_C(1000000)
#define GCRA_PERIOD_MAX_MS UINT64_C(2678400000) /* 31 days */
/* The latest `now`, 69 years: ticks of it have 63 bits. */
#define GCRA_NOW_MAX ((UINT64_C(1) << 41) - 1)
#define GCRA_NEVER UINT64_MAX

/* Made once, with the settings. */
struct gcra_rule {
    uint64_t limit;
    uint64_t burst;
    uint64_t scale; /* ticks of a millisecond */
    uint64_t step;  /* ticks of a unit */
};

/* Zero is a valid beginning: everything is free. Belongs to its rule: see gcra_move. */
struct gcra {
    uint64_t tat; /* the theoretical arrival time, in ticks of its rule */
};

/* All are at least 1, limit and period at most what stands above, burst at most the limit. A limit
 * whose ticks would not fit is a little lower than written, by less than one in a million; one of up to
 * 4,000,000 never is. */
void gcra_rule_make(struct gcra_rule *rule, uint64_t limit, uint64_t period_ms, uint64_t burst);

/* 0: so much may come now. Else in how many milliseconds, not one more than needed, if nobody else
 * takes anything; GCRA_NEVER: more than may ever come at once. Changes nothing. */
uint64_t gcra_ask(const struct gcra *gcra, const struct gcra_rule *rule, mono_ms now,
                  uint64_t cost);
/* So much came, asked for or not. */
void gcra_take(struct gcra *gcra, const struct gcra_rule *rule, mono_ms now, uint64_t cost);
/* So much of what was taken was not used. Gives back no more than is missing: nobody saves up. */
void gcra_refund(struct gcra *gcra, const struct gcra_rule *rule, mono_ms now, uint64_t amount);

/* How many units may come now, and in how many milliseconds all of `burst` may (0: now). What
 * x-ratelimit-remaining-* and x-ratelimit-reset-* say. */
uint64_t gcra_remaining(const struct gcra *gcra, const struct gcra_rule *rule, mono_ms now);
uint64_t gcra_reset_ms(const struct gcra *gcra, const struct gcra_rule *rule, mono_ms now);

/* The counter goes on under another rule (the settings were changed): everything is free when it would
 * have been. */
void gcra_move(struct gcra *gcra, const struct gcra_rule *from, const struct gcra_rule *to);

#endif
