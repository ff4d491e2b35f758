/* SPDX-License-Identifier: Apache-2.0 */
/* A route's own name comes before any match:, and among those the order of the file counts. */
#include "router/route.h"

#include "base/suggest.h"

bool route_glob(struct span pattern, struct span name)
{
    return span_fits(name, pattern);
}

static const struct route *by_name(const struct routing *routing, struct span model)
{
    for (size_t i = 0; i < routing->routes_count; i++) {
        if (span_equal(routing->routes[i].name, model)) {
            return &routing->routes[i];
        }
    }
    return NULL;
}

static const struct route *by_match(const struct routing *routing, struct span model)
{
    for (size_t i = 0; i < routing->routes_count; i++) {
        const struct route *route = &routing->routes[i];
        for (size_t k = 0; k < route->match_models_count; k++) {
            if (route_glob(route->match_models[k], model)) {
                return route;
            }
        }
    }
    return NULL;
}

static const struct provider *provider_named(const struct routing *routing, struct span name)
{
    for (size_t i = 0; i < routing->providers_count; i++) {
        if (span_equal(routing->providers[i].name, name)) {
            return &routing->providers[i];
        }
    }
    return NULL;
}

static const struct provider *provider_speaking(const struct routing *routing,
                                                const struct dialect *dialect)
{
    for (size_t i = 0; i < routing->providers_count; i++) {
        if (routing->providers[i].dialect == dialect) {
            return &routing->providers[i];
        }
    }
    return NULL;
}

static const struct route *by_task(const struct routing *routing, struct span name)
{
    for (size_t i = 0; i < routing->tasks_count; i++) {
        if (span_equal(routing->tasks[i].name, name)) {
            return routing->tasks[i].route;
        }
    }
    return NULL;
}

static bool go_direct(struct way *way, const struct provider *provider, struct span model)
{
    way->direct = (struct target){.provider = provider,
                                  .model = model,
                                  .tier = 1,
                                  .weight = 1,
                                  .share_percent = 100,
                                  .is_enabled = true,
                                  .number = TARGET_UNLISTED};
    return provider != NULL;
}

static enum way_found take(struct way *way, const struct route *route, enum way_found otherwise)
{
    if (route == NULL) {
        return otherwise;
    }
    way->route = route;
    way->rules = route;
    return WAY_FOUND;
}

static const struct route *by_model(const struct routing *routing, struct span model)
{
    const struct route *route = by_name(routing, model);

    if (route == NULL) {
        route = by_task(routing, model);
    }
    return route == NULL ? by_match(routing, model) : route;
}

enum way_found route_find(const struct routing *routing, const struct dialect *dialect,
                          const struct wish *wish, struct way *way)
{
    struct span rest = wish->model;
    struct span first;
    const struct provider *named = NULL;

    *way = (struct way){.rules = &routing->defaults};
    if (wish->route.len > 0) {
        return take(way, by_name(routing, wish->route), WAY_NO_ROUTE);
    }
    if (wish->task.len > 0) {
        return take(way, by_task(routing, wish->task), WAY_NO_TASK);
    }
    if (take(way, by_model(routing, wish->model), WAY_NO_MODEL) == WAY_FOUND) {
        return WAY_FOUND;
    }
    first = span_cut(&rest, '/');
    named = rest.len > 0 ? provider_named(routing, first) : NULL;
    if (named != NULL) {
        (void)go_direct(way, named, rest);
        return WAY_FOUND;
    }
    if (routing->strict_models ||
        !go_direct(way, provider_speaking(routing, dialect), span_make(NULL, 0))) {
        return WAY_NO_MODEL;
    }
    return WAY_FOUND;
}

enum { NAMES_MAX = 256 };

static bool sees(const struct wish *wish, const struct route *route)
{
    return wish->sees == NULL || (route != NULL && wish->sees(wish->to, route));
}

struct span route_nearest(const struct routing *routing, enum way_found what,
                          const struct wish *wish)
{
    struct span names[NAMES_MAX];
    size_t count = 0;
    int near = -1;

    for (size_t i = 0; what != WAY_NO_TASK && i < routing->routes_count && count < NAMES_MAX; i++) {
        if (sees(wish, &routing->routes[i])) {
            names[count++] = routing->routes[i].name;
        }
    }
    for (size_t i = 0; what != WAY_NO_ROUTE && i < routing->tasks_count && count < NAMES_MAX; i++) {
        if (sees(wish, routing->tasks[i].route)) {
            names[count++] = routing->tasks[i].name;
        }
    }
    near = suggest_nearest(what == WAY_NO_ROUTE  ? wish->route
                           : what == WAY_NO_TASK ? wish->task
                                                 : wish->model,
                           names, count);
    return near < 0 ? span_make("", 0) : names[near];
}

struct refusal route_refusal(const struct routing *routing, enum way_found what,
                             const struct wish *wish)
{
    struct refusal refusal = {.nearest = route_nearest(routing, what, wish)};

    switch (what) {
    case WAY_FOUND: break;
    case WAY_NO_ROUTE:
        refusal.kind = REFUSAL_ROUTE_NOT_FOUND;
        refusal.detail = wish->route;
        break;
    case WAY_NO_TASK:
        refusal.kind = REFUSAL_TASK_NOT_FOUND;
        refusal.detail = wish->task;
        break;
    case WAY_NO_MODEL:
        refusal.kind = wish->model.len > 0 ? REFUSAL_MODEL_NOT_FOUND : REFUSAL_DIALECT_NOT_SERVED;
        refusal.param = wish->model.len > 0 ? "model" : NULL;
        refusal.detail = wish->model;
        break;
    }
    return refusal;
}

bool route_of_dialect(const struct routing *routing, const struct dialect *dialect, struct way *way)
{
    *way = (struct way){.rules = &routing->defaults};
    return go_direct(way, provider_speaking(routing, dialect), span_make(NULL, 0));
}
