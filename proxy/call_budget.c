/* SPDX-License-Identifier: Apache-2.0 */
/* What a call has while budgets count it: its memory, and what the app is told of them. */
#include "proxy/call_hold.h"

#include "base/mem.h"
#include "base/money.h"
#include "base/text.h"
#include "proxy/policy.h"

enum { SPARES_MAX = 128 };

struct call_budget *call_budget_take(struct calls *calls, struct policy *policy)
{
    struct call_budget *budget = calls->budgets_spare;

    if (budget != NULL) {
        calls->budgets_spare = budget->next;
        calls->budgets_spare_count--;
    } else {
        budget = mem_take(sizeof *budget);
    }
    if (budget != NULL) {
        calls->budgets_out++;
        budget->policy = policy_take(policy);
        budget->next = NULL;
        budget->is_quoted = false;
        budget->media = (struct chat_count){.tokens = 0};
        budget->chain.count = 0;
        budget->chain.guards_count = 0;
        memset(budget->holds, 0, sizeof budget->holds);
        budget->spent = (struct amounts){{0}};
        budget->told = (struct budget_told){.budget = NULL};
        budget->watched = NULL;
        budget->denials_count = 0;
        budget->shadows = 0;
    }
    return budget;
}

struct call_budget *call_budget_own(struct call *call)
{
    if (call->budget == NULL) {
        call->budget = call_budget_take(call->env->calls, call->env->policy);
    }
    return call->budget;
}

void call_budget_deny(struct call_budget *budget, struct budget_denial denial)
{
    if (budget->denials_count < DENIALS_MAX) {
        budget->denials[budget->denials_count++] = denial;
    }
}

void call_budgets_free(struct calls *calls)
{
    struct call_budget *next = NULL;

    for (struct call_budget *at = calls->budgets_spare; at != NULL; at = next) {
        next = at->next;
        mem_give(at, sizeof *at);
    }
    calls->budgets_spare = NULL;
}

const char *budget_decision_word(enum budget_decision decision)
{
    static const char *const words[] = {"allow", "warn", "clamp", "cut", "deny"};

    return words[decision];
}

void budget_put_amount(struct buf *out, enum budget_unit unit, int64_t amount)
{
    if (unit == UNIT_MONEY) {
        money_put_nano(out, amount);
        buf_put(out, SPAN_OF(" USD"));
    } else {
        buf_put_u64(out, (uint64_t)amount);
        buf_put_char(out, ' ');
        buf_put_text(out, budget_unit_word(unit));
    }
}

static void put_end(struct buf *out, wall_ms end)
{
    if (end == INT64_MAX) {
        buf_put(out, SPAN_OF("never"));
    } else {
        text_put_rfc3339(out, end);
    }
}

void call_budget_put_fields(struct buf *out, const struct call *call)
{
    const struct budget_told *told = &call->budget->told;

    if (told->budget != NULL) {
        buf_put(out, SPAN_OF("x-headgate-budget: "));
        buf_put(out, told->budget->name);
        buf_put_char(out, ';');
        if (!scope_is_shared(told->budget->scope.kind)) { /* what others spent is not for the app */
            budget_put_amount(out, told->budget->unit, told->used);
        }
        buf_put_char(out, ';');
        put_end(out, told->window_end);
        buf_put(out, SPAN_OF("\r\n"));
    }
    if (told->cap > 0) {
        buf_put(out, SPAN_OF("x-headgate-max-output-clamped: "));
        buf_put_u64(out, (uint64_t)told->cap);
        buf_put(out, SPAN_OF("\r\n"));
    }
}

void call_budget_refusal(struct call *call, struct refusal *refusal)
{
    struct buf *out = &call->wire_head;
    const struct budget_told *told = call->budget == NULL ? NULL : &call->budget->told;

    if (told == NULL) {
        return;
    }
    if (refusal->kind == REFUSAL_UNBOUNDED_COST) {
        refusal->hint = call->budget->open == QUOTE_OPEN_OUTPUT
                            ? "send an output cap such as max_tokens, or have the operator set "
                              "the route's default_max_output"
                            : quote_open_text(call->budget->open);
    }
    if (refusal->kind != REFUSAL_BUDGET_EXCEEDED || told->budget == NULL) {
        return;
    }
    buf_clear(out);
    buf_put(out, told->budget->name);
    if (told->window_end != INT64_MAX) {
        buf_put(out, SPAN_OF(", until "));
        put_end(out, told->window_end);
    }
    refusal->detail = buf_span(out);
    if (call->env->policy->snapshot->budget_status == 429) {
        refusal->kind = REFUSAL_BUDGET_EXCEEDED_429;
    }
}

void call_budget_give(struct call *call)
{
    struct calls *calls = call->env->calls;

    if (call->budget == NULL) {
        return;
    }
    policy_give(call->budget->policy);
    calls->budgets_out--;
    if (calls->budgets_spare_count < SPARES_MAX) {
        call->budget->next = calls->budgets_spare;
        calls->budgets_spare = call->budget;
        calls->budgets_spare_count++;
    } else {
        mem_give(call->budget, sizeof *call->budget);
    }
    call->budget = NULL;
}
