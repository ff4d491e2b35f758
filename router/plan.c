/* SPDX-License-Identifier: Apache-2.0 */
/* With one attempt a call, the first candidate is the one that is asked. */
#include "router/plan.h"

static void consider(struct plan *plan, const struct target *target, const struct dialect *dialect)
{
    if (target->provider->dialect == dialect && plan->count < PLAN_CANDIDATES_MAX) {
        plan->candidates[plan->count++] = *target;
    }
}

void plan_make(struct plan *plan, const struct way *way, const struct dialect *dialect)
{
    plan->count = 0;
    plan->route = way->route;
    plan->rules = way->rules;
    if (way->route == NULL) {
        consider(plan, &way->direct, dialect);
        return;
    }
    for (size_t i = 0; i < way->route->targets_count; i++) {
        consider(plan, &way->route->targets[i], dialect);
    }
}
