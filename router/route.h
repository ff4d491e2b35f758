/* SPDX-License-Identifier: Apache-2.0 */
/* router/route.h: where a model name leads (docs/configuration.md). Pure; reads the settings, owns
 * nothing. Called once per call, before any target is chosen. */
#ifndef ROUTER_ROUTE_H
#define ROUTER_ROUTE_H

#include <stdbool.h>

#include "base/span.h"
#include "router/target.h"

/* A call's way: a route of the settings, or one target that the name itself or the dialect chose.
 */
struct way {
    const struct route *route; /* NULL when the settings name none for this model */
    struct target direct;      /* then: this one (provider NULL: nothing fits) */
    const struct route *rules; /* the route, or what holds for calls without one; never NULL */
};

/* The first that fits: a route of that name, a route that matches it (file order), provider/model,
 * the first provider of the dialect unless strict_models. `model` is decoded text; what `way` holds
 * borrows from it and from the settings. False: nothing fits, 404. */
bool route_find(const struct routing *routing, const struct dialect *dialect, struct span model,
                struct way *way);

/* The way of a path that names no model (pass-through, model list): the dialect's first provider.
 */
bool route_of_dialect(const struct routing *routing, const struct dialect *dialect,
                      struct way *way);

/* Whether `name` fits a pattern in which '*' stands for any run of characters, also none. Linear
 * in the product of their lengths, no recursion. */
bool route_glob(struct span pattern, struct span name);

#endif
