/* SPDX-License-Identifier: Apache-2.0 */
/* What an observer is told of a call; nothing when there is none. */
#include "proxy/call_parts.h"

static struct call_report report_of(struct call *call)
{
    if (call->facts.told == 0) {
        call->facts.told = ++call->env->calls->told;
    }
    return (struct call_report){
        .number = call->facts.told,
        .method = call_head_span(&call->head, call->head.method),
        .path = call_head_span(&call->head, call->head.path),
        .is_stream = call->request.is_stream,
    };
}

static const struct attempt_note *note_of(const struct dispatch *dispatch, uint8_t number)
{
    for (uint8_t i = 0; i < dispatch->notes_count; i++) {
        if (dispatch->notes[i].number == number && dispatch->notes[i].is_over) {
            return &dispatch->notes[i];
        }
    }
    return NULL;
}

void call_tell_attempt(struct call *call, uint8_t number)
{
    const struct observer *observer = call->env->ports->observer;
    const struct attempt_note *note = note_of(&call->dispatch, number);

    if (observer == NULL || note == NULL) {
        return;
    }
    struct call_report report = report_of(call);
    struct attempt_report attempt = {
        .provider = plan_target(&call->plan, note->place)->provider->name,
        .outcome = note->outcome,
        .status = number == call->number ? call->facts.upstream_status : 0,
        .tokens = number == call->number ? call->relay.usage.tokens[TOKENS_OUTPUT] : -1,
        .why = note->why,
        .took_ms = note->took_ms,
        .wait_ms = note->wait_ms,
    };
    observer->on_attempt(observer->to, &report, &attempt);
}

void call_tell(struct call *call)
{
    const struct observer *observer = call->env->ports->observer;
    const struct call_facts *facts = &call->facts;

    if (observer == NULL) {
        return;
    }
    struct call_report report = report_of(call);
    report.attempts = call->dispatch.attempts;
    report.status = facts->status;
    report.reason = facts->refusal != REFUSAL_NONE ? refusal_row(facts->refusal)->code : NULL;
    report.is_good = facts->refusal == REFUSAL_NONE && facts->outcome == OUTCOME_OK;
    report.took_ms = (uint32_t)((loop_micros(call->env->loop) - facts->began_us) / 1000);
    observer->on_call(observer->to, &report);
}
