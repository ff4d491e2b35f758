/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a call counts for: what budgets and rates are looked up by. */
#include "proxy/call_parts.h"

void call_subject(const struct call *call, struct subject *subject)
{
    const struct call_head *head = &call->head;

    *subject = (struct subject){.values = {
                                    [SCOPE_TEAM] = call->caller->team,
                                    [SCOPE_USER] = call_user(call),
                                    [SCOPE_KEY] = call->caller->name,
                                    [SCOPE_TAG] = call_head_span(head, head->tags),
                                    [SCOPE_TASK] = call_head_span(head, head->task),
                                    [SCOPE_TRACE] = call_head_span(head, head->trace),
                                    [SCOPE_CALL] = span_make(call->call_id, CALL_ID_LENGTH),
                                }};
    if (call->plan.route != NULL) {
        subject->values[SCOPE_ROUTE] = call->plan.route->name;
    }
}

void call_subject_target(const struct call *call, const struct target *target,
                         struct subject *subject)
{
    subject->values[SCOPE_PROVIDER] = target->provider->name;
    subject->values[SCOPE_MODEL] = target->model.len > 0 ? target->model : buf_span(&call->model);
}
