/* SPDX-License-Identifier: Apache-2.0 */
/* router/headroom.h: what is left of the limits that a provider reports, for one credential and
 * model. A guess that keeps us from asking in vain; the provider's own 429 stays the judge. Pure,
 * no heap; written by its own file only.
 *
 * What is left is what the last answer reported, less the estimates of all attempts started since;
 * from the reset on it is the limit. Answers overtake each other, and an older one reports more
 * than there is. So one that reports more than can be there (the last report and what could have
 * come back since, if it came back evenly until the reset) counts as older and changes nothing, the
 * estimates neither. A true rise that looks like an older answer (tokens given back for output that
 * was not used) is believed a little later, at the latest with the reset. Attempts under way while
 * an answer comes may not be in its figures: that many at most are started too much. */
#ifndef ROUTER_HEADROOM_H
#define ROUTER_HEADROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "router/fleet_view.h"
#include "wire/reported.h"

/* One limit. */
struct headroom_line {
    int64_t limit;    /* -1: not told */
    int64_t told;     /* what remained by the last report; -1: none yet */
    uint64_t started; /* estimates since */
    mono_ms told_at;
    mono_ms full_at;  /* back to the limit from here on */
    bool has_reset;   /* full_at is the provider's word, not a guess */
};

struct headroom {
    struct headroom_line requests;
    struct headroom_line tokens;
    struct headroom_line input;
    struct headroom_line output;
};

void headroom_init(struct headroom *headroom);
/* An answer's head has been read. */
void headroom_report(struct headroom *headroom, const struct reported *reported, mono_ms now);
/* An attempt begins: its estimates come off what is left. */
void headroom_start(struct headroom *headroom, uint64_t input_tokens, uint64_t output_tokens,
                    mono_ms now);
/* Whether an attempt of this size fits. False: `until` is when it will (later than now), else it is
 * left alone. Only a limit whose reset is told and still to come can say no. A request larger than
 * a whole limit fits when that limit is full: the provider decides. */
bool headroom_covers(const struct headroom *headroom, uint64_t input_tokens,
                     uint64_t output_tokens, mono_ms now, mono_ms *until);
/* The factor for sharing out load, of the tightest limit: 1000 while a fifth or more is left or
 * nothing is known, down to 100. */
uint32_t headroom_permille(const struct headroom *headroom, mono_ms now);
/* For operators. `tokens` is the common limit, or the tighter of input and output where the
 * provider tells only of those. */
void headroom_view(const struct headroom *headroom, mono_ms now, struct limit_view *requests,
                   struct limit_view *tokens);

#endif
