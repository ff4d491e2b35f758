/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an answer that came in one piece: what it was, and what of it the app gets. */
#include "proxy/call_translate.h"
#include "proxy/relay_parts.h"

#include "base/limits.h"
#include "router/inner_error.h"

/* Past our scanner's limits, though not wrong: it goes on, unmetered. */
static bool is_beyond_us(const struct json_scan *scan)
{
    enum json_fault fault = json_scan_fault(scan);

    return fault == JSON_FAULT_DEEP || fault == JSON_FAULT_LARGE ||
           fault == JSON_FAULT_NUMBER_LONG || fault == JSON_FAULT_MEMORY;
}

/* A server that does not heed stream: true: its whole answer goes the way of a stream. */
static enum outcome unfold(struct call *call)
{
    struct relay *relay = &call->relay;
    struct buf body = relay->held;
    struct buf events;
    enum outcome outcome = OUTCOME_BAD_BODY;

    buf_init(&events, body.max);
    if (relay->stream.operation->unfold(call->env->scratch->scan, buf_span(&body), &events)) {
        buf_init(&relay->held, body.max);
        relay->mode = RELAY_STREAM;
        relay_begin_events(relay, false);
        relay->stream.hides_usage =
            !call->request.app_wants_usage && call->match.operation->sends_done && relay->translation == NULL;
        relay_stream_bytes(call, buf_span(&events));
        buf_fini(&body);
        outcome = OUTCOME_OK;
    }
    buf_fini(&events);
    return outcome;
}

/* What the record tells of the provider's own answer, which is about to go. */
static void keep_answer(struct relay *relay)
{
    struct answer *answer = &relay->answer;

    relay_keep_usage(relay, answer->usage);
    answer->usage = buf_span(&relay->usage_raw);
    if (answer->model.len > sizeof answer->model_room) {
        answer->model.len = 0;
    }
    if (answer->model.len > 0 && answer->model.at != answer->model_room) {
        memcpy(answer->model_room, answer->model.at, answer->model.len);
        answer->model.at = answer->model_room;
    }
}

/* The answer that is held becomes one of the app's dialect. */
static enum outcome translate_whole(struct call *call)
{
    struct relay *relay = &call->relay;
    struct buf told;

    buf_init(&told, relay->held.max);
    if (!call_translate_whole(call, buf_span(&relay->held), &told)) {
        buf_fini(&told);
        relay->answer.has_result = false; /* none that the app, or its repeats, could be given */
        return OUTCOME_BAD_BODY;
    }
    keep_answer(relay);
    relay->whole_len = relay->held.len;
    buf_fini(&relay->held);
    relay->held = told;
    return OUTCOME_OK;
}

enum outcome relay_end_of_whole(struct call *call, enum outcome how)
{
    struct relay *relay = &call->relay;
    const struct operation *operation = relay->stream.operation;
    struct meter meter;

    if (how != OUTCOME_OK || operation->read_answer == NULL) {
        return how;
    }
    meter_init(&meter);
    operation->read_answer(call->env->scratch->scan, buf_span(&relay->held), &relay->answer,
                           &meter);
    meter_usage(&meter, operation->input_holds_cache, &relay->usage);
    if (!relay->answer.is_json) {
        return relay->translation == NULL && is_beyond_us(call->env->scratch->scan)
                   ? OUTCOME_OK
                   : OUTCOME_BAD_BODY;
    }
    if (relay->answer.error.is_present && (!relay->answer.has_result || relay->answer.is_failed)) {
        relay->status = inner_error_status(&relay->answer.error);
        return relay_judge(call, &relay->answer.error);
    }
    if (!relay->answer.has_result) {
        return OUTCOME_BAD_BODY;
    }
    if (call->request.is_stream) {
        return unfold(call);
    }
    return relay->translation == NULL ? OUTCOME_OK : translate_whole(call);
}
