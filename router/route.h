/* SPDX-License-Identifier: Apache-2.0 */
/* router/route.h: where a model name leads (docs/configuration.md). Pure; reads the settings, owns
 * nothing. Called once per call, before any target is chosen. */
#ifndef ROUTER_ROUTE_H
#define ROUTER_ROUTE_H

#include <stdbool.h>

#include "base/span.h"
#include "router/target.h"
#include "wire/refusal.h"

/* A call's way: a route of the settings, or one target that the name itself or the dialect chose.
 */
struct way {
    const struct route *route; /* NULL when the settings name none for this model */
    struct target direct;      /* then: this one (provider NULL: nothing fits) */
    const struct route *rules; /* the route, or what holds for calls without one; never NULL */
};

/* What the app says about where its call is to go; each may be empty. */
struct wish {
    struct span route; /* x-headgate-route */
    struct span task;  /* x-headgate-task */
    struct span model; /* decoded text */
    /* Which routes its caller may know of; NULL: all. */
    bool (*sees)(const void *to, const struct route *route);
    const void *to;
};

enum way_found {
    WAY_FOUND,
    WAY_NO_ROUTE, /* x-headgate-route names none */
    WAY_NO_TASK,  /* x-headgate-task names none */
    WAY_NO_MODEL
};

/* The first that fits: the route asked for, the task asked for, a route of the model's name, a task
 * of that name, a route that matches it (file order), provider/model, the first provider of the
 * dialect unless strict_models. What `way` holds borrows from `wish` and from the settings. */
enum way_found route_find(const struct routing *routing, const struct dialect *dialect,
                          const struct wish *wish, struct way *way);

/* The name most like what was asked for among the routes that its caller may know of and the tasks that
 * lead there; empty: none is near. */
struct span route_nearest(const struct routing *routing, enum way_found what,
                          const struct wish *wish);

/* What an app is told of a name that leads nowhere; `detail` is the name itself, as it was sent. */
struct refusal route_refusal(const struct routing *routing, enum way_found what,
                             const struct wish *wish);

/* The way of a path that names no model (pass-through, model list): the dialect's first provider.
 */
bool route_of_dialect(const struct routing *routing, const struct dialect *dialect,
                      struct way *way);

/* Whether `name` fits a pattern in which '*' stands for any run of characters, also none. Linear
 * in the product of their lengths, no recursion. */
bool route_glob(struct span pattern, struct span name);

#endif
