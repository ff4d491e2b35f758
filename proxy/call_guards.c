/* SPDX-License-Identifier: Apache-2.0 */
/* Guards: budgets of the scope `call`. A call counts its own, from what its attempts hold and were booked
 * with. */
#include "proxy/call_hold.h"

#include "proxy/budgets.h"

_Static_assert(GUARDS_MAX <= 8, "each has a bit of shadows");

/* What of this unit the call has spent and set aside for other attempts. */
static int64_t used_by_call(const struct call_budget *budget, const struct call_hold *but,
                            enum budget_unit unit)
{
    int64_t used = budget->spent.of[unit];

    for (size_t i = 0; i < CALL_HOLDS; i++) {
        const struct call_hold *hold = &budget->holds[i];

        if (hold != but && hold->is_open && hold->is_granted) {
            used += hold->amounts.of[unit];
        }
    }
    return used;
}

/* Once per call and guard. */
static void tell_shadow(const struct call *call, uint8_t guard, int64_t asked)
{
    uint8_t bit = (uint8_t)(1u << guard);

    if ((call->budget->shadows & bit) == 0) {
        call->budget->shadows |= bit;
        budgets_tell_shadow(call->env, call->budget->chain.guards[guard],
                            span_make(call->call_id, CALL_ID_LENGTH), asked);
    }
}

const struct budget *call_guards_ask(const struct call *call, const struct call_hold *hold,
                                     const struct amounts *more, struct amounts *left,
                                     int64_t *used)
{
    const struct chain *chain = &call->budget->chain;
    const struct budget *denying = NULL;

    for (uint8_t i = 0; i < chain->guards_count; i++) {
        const struct budget *budget = chain->guards[i];
        int64_t spent = used_by_call(call->budget, hold, budget->unit);
        int64_t rest = spent < budget->limit ? budget->limit - spent : 0;

        if (budget->mode == BUDGET_ENFORCE && rest < left->of[budget->unit]) {
            left->of[budget->unit] = rest;
        }
        if (more->of[budget->unit] <= rest) {
            continue;
        }
        if (budget->mode == BUDGET_SHADOW) {
            tell_shadow(call, i, spent + more->of[budget->unit]);
        } else if (denying == NULL || denying->mode > budget->mode) { /* one that enforces goes first */
            *used = spent;
            denying = budget;
        }
    }
    return denying;
}
