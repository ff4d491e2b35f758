/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/counters.h: what was spent and what is set aside, by budget and by whose of it. A counter
 * has a tally for the window of now, and older ones for as long as a hold made in them is open (a hold
 * counts in the window in which it was made) or a rolling window reaches back to them. Bounded:
 * counters whose windows are over go by themselves. Pure; one thread. */
#ifndef ENFORCEMENT_COUNTERS_H
#define ENFORCEMENT_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "enforcement/budget.h"

struct tally {
    struct tally *older;
    struct window window;
    uint32_t generation;
    uint32_t holds;    /* open ones that count here */
    int64_t settled;
    int64_t held;
    int64_t overrun;   /* part of settled: beyond its hold */
    uint8_t warned;    /* thresholds told of, by their bits; bit 7: the limit */
};

struct counter {
    struct map_entry entry;
    struct link link;      /* of all */
    struct span budget;    /* both in its own memory */
    struct span value;
    enum scope_kind scope;
    enum budget_unit unit;
    struct window_rule rule; /* as last used, without its zone, which is the settings' */
    wall_ms last_at;       /* of its last use, or its last window's begin */
    wall_ms reset_at;      /* what was set aside before does not count any more; INT64_MIN: never */
    uint32_t generation;
    struct tally *newest;  /* never NULL */
    size_t size;           /* bytes of its memory */
};

struct counters {
    struct map map;
    struct link all;
    struct link *hand;   /* where the next look for dead ones begins */
    wall_ms latest;      /* the clock never goes back */
};

enum { COUNTERS_MAX = 200000 };
/* A unit of work (scope trace) is forgotten so long after its last call. */
#define COUNTERS_TRACE_MS INT64_C(86400000)

void counters_init(struct counters *counters, const uint64_t seed[2]);
void counters_fini(struct counters *counters);

/* Time as the counters see it: `now`, or the latest they have seen. */
wall_ms counters_now(struct counters *counters, wall_ms now);

/* The counter of this budget and value, with a tally for the window of `now`; made when there is none.
 * NULL: no memory, or too many. */
struct counter *counters_take(struct counters *counters, const struct budget *budget,
                              struct span value, wall_ms now);
/* The same, but only if it is there; its windows are left alone. */
struct counter *counters_find(const struct counters *counters, struct span budget,
                              struct span value);
/* The tally of this window, made among the older ones if there is none: for sums that come from
 * elsewhere. NULL: no memory. */
struct tally *counter_tally(struct counter *counter, const struct window *window);

/* Whether nothing counts any more that it could tell. */
bool counter_is_dead(const struct counter *counter, wall_ms now);
/* The sums of the window: of a calendar's those of its newest tally, of a rolling one what all its parts come to
 * at `now`. */
void counter_sum(const struct counter *counter, wall_ms now, struct tally *sum);

/* From `at` on the counter begins at zero; open holds stay in tallies of the old generation. False: no
 * memory. */
bool counter_reset(struct counter *counter, wall_ms at);
/* An open hold that counts here has ended: what nobody needs any more goes. */
void counter_release(struct counter *counter, struct tally *tally);

#endif
