/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/caller.h: whose call it is, and what that one may. Plain data; borrows from the keys it was
 * made of. Pure. */
#ifndef ENFORCEMENT_CALLER_H
#define ENFORCEMENT_CALLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "base/tick.h"
#include "enforcement/egress.h"

/* Of a list: none means that nothing is said, so all. */
struct caller_list {
    const struct span *list;
    size_t count;
};

struct caller {
    struct span name; /* of the key; empty: there are no keys, everybody may call */
    struct span team; /* never empty: `default` where nothing else is said */
    struct span user; /* empty: none */
    struct span tags; /* with commas between, no blanks */
    bool user_is_from_request;
    bool team_is_disabled;
    struct caller_list routes;     /* names */
    struct caller_list models;     /* patterns, '*' stands for any run of characters */
    struct caller_list operations; /* "chat", "embeddings", ... */
    struct caller_list tiers;      /* of service, as requests name them: "priority", "flex", ... */
    const struct egress_range *addresses; /* where it may call from */
    size_t addresses_count;
};

/* Who calls where there are no keys. */
extern const struct caller caller_anyone;

/* Whether a call of this model may go by this route (empty: by none). Both lists bind; the name of a
 * route that `routes` lists needs no place in `models` besides. */
bool caller_may_call(const struct caller *caller, struct span route, struct span model);
bool caller_may_do(const struct caller *caller, struct span operation);
/* Whether a request may name this tier of service. What a request without one gets may always be named. */
bool caller_may_name_tier(const struct caller *caller, struct span tier);
bool caller_may_be_at(const struct caller *caller, const struct egress_address *address);
/* Whether every model and route may be named: there are no lists of them. */
bool caller_may_name_all(const struct caller *caller);
/* Whether what no model name stands for (files, batches) may be asked for: only without lists of routes, models and
 * tiers, since nobody knows what it leads to. */
bool caller_may_pass(const struct caller *caller);

#endif
