/* SPDX-License-Identifier: Apache-2.0 */
/* A call whose stream may be continued by another provider: what of it is out is followed from the
 * commit on, and a continuing attempt's events are made to follow on those. Calls of other routes
 * have nothing of this. */
#include "proxy/call_parts.h"

#include "base/limits.h"
#include "base/mem.h"

void call_resume_begin(struct call *call)
{
    if (!call->plan.rules->resumes || !call->request.is_stream ||
        call->match.operation->resume == NULL) {
        return;
    }
    call->resume = mem_take_zero(sizeof *call->resume);
    if (call->resume != NULL) { /* else it cannot be continued, and nothing else is amiss */
        resume_begin(call->resume, call->env->scratch->scan, &call->request);
    }
}

void call_resume_end(struct call *call)
{
    if (call->resume != NULL) {
        resume_fini(call->resume);
        mem_give(call->resume, sizeof *call->resume);
        call->resume = NULL;
    }
}

bool call_can_resume(const struct call *call)
{
    const struct relay *relay = &call->relay;

    return relay->is_followed && relay->translation == NULL && relay->is_open && resume_can(call->resume, &relay->stream);
}

enum resume_step call_resume_event(struct call *call, const struct sse_event *event,
                                   const struct event_view *view, struct buf *out)
{
    struct resume_look look = {.event = event,
                               .view = view,
                               .stream = &call->relay.stream,
                               .scan = call->env->scratch->scan,
                               .out = out};
    enum resume_step step = RESUME_PASS;

    buf_clear(out);
    step = resume_event(call->resume, &look);
    if (!call->resume->is_continuing && !call->resume->now.is_possible) {
        call->relay.is_followed = false;
        relay_forget_request(call);
    }
    return step;
}

/* Before the commit nobody knows whose answer it will be, so that what was held is read again. */
void call_resume_follow(struct call *call, struct span held)
{
    struct relay *relay = &call->relay;
    struct event_view view = {0};
    struct sse_event event;
    struct sse sse;

    if (call->resume == NULL || call->resume->is_continuing || call->resume->row == NULL ||
        relay->mode != RELAY_STREAM || relay->in_piece || relay->translation != NULL) {
        return;
    }
    relay->is_followed = true;
    sse_init(&sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
    while (relay->is_followed && sse_feed(&sse, &held, &event) == SSE_EVENT) {
        (void)call_resume_event(call, &event, &view, &call->env->scratch->text);
    }
    sse_fini(&sse);
}

void call_resume_next(struct call *call)
{
    resume_leave(call->resume, &call->relay.stream, call->relay.is_open);
}

bool call_resume_edits(struct call *call, const struct json_edit *own, size_t own_count,
                       struct json_edit edits[JSON_EDITS_MAX], size_t *count)
{
    struct resume_ask ask = {.scan = call->env->scratch->scan,
                             .request = &call->request,
                             .way = plan_prefill(&call->plan, call->place),
                             .own = own,
                             .own_count = own_count};

    return ask.way != NULL && resume_edits(call->resume, &ask, edits, count);
}

struct usage call_usage(const struct call *call)
{
    struct usage usage = call->relay.usage;
    struct meter sum;

    if (call->resume != NULL && call->resume->is_continuing) {
        resume_usage(call->resume, &call->relay.stream, &sum);
        meter_usage(&sum, call->match.operation->input_holds_cache, &usage);
    }
    return usage;
}
