/* SPDX-License-Identifier: Apache-2.0 */
/* router/plan.h: the ordered candidates for one call, and which of them may be asked next. Pure;
 * borrows targets from the settings and asks the fleet. The order is made once, by the route's
 * strategy, tier after tier; who of them is eligible is asked again at each attempt. */
#ifndef ROUTER_PLAN_H
#define ROUTER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "router/fleet.h"
#include "router/route.h"
#include "wire/prefill.h"

/* What the order depends on besides the settings. */
struct plan_ask {
    const struct dialect *dialect;
    const struct operation *operation; /* of the path: what may be translated to other dialects */
    struct span model;   /* as the app sent it; lives as long as the plan */
    struct span session; /* conversation key, empty: none */
    struct span caller;  /* whose share is taken where there is no session; may be empty */
    struct estimate estimate;
    const struct book *prices; /* for strategies that use costs; NULL: there are none */
    wall_ms at;                /* and when the call began */
    int64_t length;            /* of answers as they usually are here, in tokens, for their costs; 0: as
                                * estimated */
    bool is_preview;           /* only asked what the next call would get: nothing remembers it */
};

struct plan {
    const struct route *route;     /* NULL: no route of the settings */
    const struct route *rules;     /* of the route, or of calls without one */
    const struct dialect *dialect; /* of the app */
    const struct target *targets;  /* `order` and `tries` speak of places in it */
    struct target direct;          /* of a way without a route */
    struct span model;
    struct estimate estimate;
    uint64_t session;              /* hash to note where this session went; 0: none */
    bool is_preview;
    uint8_t count;
    uint8_t order[TARGETS_MAX];    /* best first */
    uint8_t tries[TARGETS_MAX];    /* by place: attempts of this call; UINT8_MAX: no more of them */
};

/* The enabled targets of the way that serve the dialect and take this caller, ordered. count 0: no
 * target of the route serves it. Counts the call for the budgets of their endpoints; a preview counts
 * nothing, and takes no turn of the strategy. */
void plan_make(struct plan *plan, struct fleet *fleet, const struct way *way,
               const struct plan_ask *ask, mono_ms now);

/* Whether calls of this dialect's operation can be served by the target, as themselves or translated; rules: of the
 * route. An app's own key is no key of another provider: it goes nowhere else. */
bool plan_serves(const struct target *target, const struct route *rules, const struct dialect *dialect,
                 const struct operation *operation);
/* Whether a target of this route serves conversations of this dialect. */
bool plan_speaks(const struct route *route, const struct dialect *dialect);

const struct target *plan_target(const struct plan *plan, uint8_t place);

enum { PLAN_NONE = 0xff };

/* What to look for. */
struct plan_wish {
    uint8_t tries_max;       /* candidates with fewer attempts of this call; 1: untried ones */
    uint8_t but;             /* not this place; PLAN_NONE: any */
    uint8_t other_credential_than; /* only with another credential than this place's; PLAN_NONE */
    bool is_certain;         /* no probe, no slow start: for hedges */
    bool continues;          /* only targets that continue an answer already begun */
};

/* The best candidate that is eligible now: those with the fewest attempts first, then by the order.
 * PLAN_NONE: none. */
uint8_t plan_pick(const struct plan *plan, struct fleet *fleet, const struct plan_wish *wish,
                  mono_ms now);
/* How this place continues an answer already begun; NULL: not at all, as always in another dialect. */
const struct prefill_way *plan_prefill(const struct plan *plan, uint8_t place);
struct member plan_member(const struct plan *plan, struct fleet *fleet, uint8_t place);
struct standing plan_standing(const struct plan *plan, struct fleet *fleet, uint8_t place,
                              mono_ms now);

/* Why none may be asked, over all candidates. */
struct outlook {
    uint8_t soonest;      /* place of the one that is out, comes back first by itself and may be
                           * asked then, parks left out; PLAN_NONE: there is none */
    mono_ms at;           /* when */
    uint8_t soonest_open; /* the same among those behind a breaker alone */
    mono_ms at_any;       /* when the first comes back, parks included; MONO_NEVER: by an operator */
    bool is_all_cooling;  /* rate limits alone keep all of them out */
    bool is_all_parked;
    enum park_reason reason; /* of the one in first place, when all are parked */
};
/* tries_max: as of the plan_wish that found none. */
struct outlook plan_outlook(const struct plan *plan, struct fleet *fleet, uint8_t tries_max,
                            mono_ms now);

/* This place answered: the session comes here again. */
void plan_served(const struct plan *plan, struct fleet *fleet, uint8_t place, mono_ms now);

#endif
