/* SPDX-License-Identifier: Apache-2.0 */
/* A route's own name comes before any match:, and among those the order of the file counts. */
#include "router/route.h"

bool route_glob(struct span pattern, struct span name)
{
    size_t p = 0;
    size_t n = 0;
    size_t star = pattern.len; /* where the last '*' stands, and what it had swallowed by then */
    size_t mark = 0;

    while (n < name.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.len && pattern.at[p] == name.at[n]) {
            p++;
            n++;
        } else if (star < pattern.len) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*') {
        p++;
    }
    return p == pattern.len;
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

static bool go_direct(struct way *way, const struct provider *provider, struct span model)
{
    way->direct = (struct target){.provider = provider, .model = model};
    return provider != NULL;
}

bool route_find(const struct routing *routing, const struct dialect *dialect, struct span model,
                struct way *way)
{
    struct span rest = model;
    struct span first;
    const struct provider *named = NULL;

    *way = (struct way){.rules = &routing->defaults};
    way->route = by_name(routing, model);
    if (way->route == NULL) {
        way->route = by_match(routing, model);
    }
    if (way->route != NULL) {
        way->rules = way->route;
        return true;
    }
    first = span_cut(&rest, '/');
    named = rest.len > 0 ? provider_named(routing, first) : NULL;
    if (named != NULL) {
        return go_direct(way, named, rest);
    }
    if (routing->strict_models) {
        return false;
    }
    return go_direct(way, provider_speaking(routing, dialect), span_make(NULL, 0));
}

bool route_of_dialect(const struct routing *routing, const struct dialect *dialect, struct way *way)
{
    *way = (struct way){.rules = &routing->defaults};
    return go_direct(way, provider_speaking(routing, dialect), span_make(NULL, 0));
}
