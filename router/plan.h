/* SPDX-License-Identifier: Apache-2.0 */
/* router/plan.h: the ordered candidates for one request. Pure; borrows from the settings. */
#ifndef ROUTER_PLAN_H
#define ROUTER_PLAN_H

#include <stdint.h>

#include "router/route.h"

enum { PLAN_CANDIDATES_MAX = 8 };

struct plan {
    struct target candidates[PLAN_CANDIDATES_MAX];
    uint8_t count;
    const struct route *route; /* NULL: no route of the settings */
    const struct route *rules; /* of the route, or of calls without one */
};

/* The targets of the way that speak `dialect`, in the order of the settings, at most
 * PLAN_CANDIDATES_MAX. count 0: no target of the route speaks it. */
void plan_make(struct plan *plan, const struct way *way, const struct dialect *dialect);

#endif
