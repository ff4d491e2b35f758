/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for a go-ahead (Expect: 100-continue, RFC 9110, 10.1.1) may be spared the body: what no body changes is
 * looked at before. Nothing is taken or held by looking. */
#include "proxy/call_hold.h"

#include "proxy/policy.h"

/* Whether a budget that every call of the caller counts on is spent up to its limit, as far as the ledger knows
 * without asking anybody. */
static struct refusal look_at_budgets(struct call *call)
{
    const struct ports *ports = call->env->ports;
    struct refusal refusal = {.kind = REFUSAL_NONE};
    struct call_budget *budget = NULL;
    struct hold_answer told;

    if (call->match.operation->kind != OPERATION_CALL || !call->env->policy->snapshot->budgets.enforces) {
        return refusal;
    }
    budget = call_budget_own(call);
    if (budget == NULL) {
        refusal.kind = REFUSAL_OVERLOADED;
        return refusal;
    }
    call_subject(call, &budget->subject);
    chain_make(&call->env->policy->snapshot->budgets, &budget->subject, &budget->chain);
    if (ports->ledger_ops->is_used_up(ports->ledger, budget->subject.values[SCOPE_TEAM],
                                      &budget->chain, loop_wall(call->env->loop), &told)) {
        const struct budget *by = budget->chain.list[told.link].budget;

        budget->told = (struct budget_told){
            .budget = by, .used = told.used, .window_end = told.window_end};
        call_budget_deny(budget, (struct budget_denial){.by = by, .outcome = OUTCOME_BUDGET});
        refusal.kind = REFUSAL_BUDGET_EXCEEDED;
        call_budget_refusal(call, &refusal);
    }
    return refusal;
}

struct refusal call_look_ahead(struct call *call)
{
    struct refusal refusal = {.kind = REFUSAL_NONE};

    if (call->head.idempotency.len > 0) { /* what was answered before is answered again */
        return refusal;
    }
    if (call->snapshot->rates.count > 0) {
        refusal = call_rates_look(call);
    }
    return refusal.kind == REFUSAL_NONE ? look_at_budgets(call) : refusal;
}
