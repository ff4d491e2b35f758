/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/house.h: a route with some targets, each at a provider of its own, with the defaults of
 * the settings, and the fleet that lives from it; what tests of plan, fleet and dispatch begin with.
 * Members may be changed between house_init and house_open. */
#ifndef TESTS_LIB_HOUSE_H
#define TESTS_LIB_HOUSE_H

#include "router/plan.h"

enum { HOUSE_TARGETS_MAX = TARGETS_MAX };

struct house {
    struct provider providers[HOUSE_TARGETS_MAX]; /* "p0", "p1", ... with credentials of ours */
    struct target targets[HOUSE_TARGETS_MAX];     /* model "m", tier 1, weight 1 */
    struct route route;                           /* "r", priority */
    struct routing routing;
    struct fleet *fleet;
};

/* `targets` of them. */
void house_init(struct house *house, size_t targets);
/* Makes the fleet. */
void house_open(struct house *house, uint64_t seed);
void house_close(struct house *house);
/* The plan of a call to the route; borrows the house. */
void house_plan(struct house *house, struct plan *plan, mono_ms now);

#endif
