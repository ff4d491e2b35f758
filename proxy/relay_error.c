/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's no: as the body of an error, or told inside a stream that has shown nothing yet. */
#include "proxy/relay_parts.h"

#include "router/inner_error.h"
#include "wire/answer.h"
#include "wire/json_out.h"

enum outcome relay_judge(struct call *call, const struct provider_error *error)
{
    struct relay *relay = &call->relay;

    relay->quota_ms = outcome_quota_ms(error, loop_wall(call->env->loop));
    relay_told_wait(call, error);
    return outcome_of_status(relay->status, error,
                             call_target(call)->provider->credential_mode == CREDENTIAL_SECRET);
}

/* What stood inside of a string, or null. */
static void put_member(struct json_out *json, const char *key, struct span inside)
{
    if (inside.len > 0) {
        json_member_inside(json, key, inside);
    } else {
        json_key(json, key);
        json_null(json);
    }
}

/* An event's error as the body of an error: events of Responses tell it elsewhere than bodies. */
static void hold_error(struct call *call, const struct provider_error *error, struct span data)
{
    static const struct json_path path[] = {JSON_PATH1("error")};
    struct buf *held = &call->relay.held;
    unsigned status = call->relay.status;
    struct json_out json;
    struct json_hit hit;

    buf_clear(held);
    if (!answer_scan(call->env->scratch->scan, path, 1, data, &hit) || hit.kind == JSON_OBJECT) {
        buf_put(held, data);
        return;
    }
    json_out_init(&json, held);
    json_open_object(&json);
    json_key(&json, "error");
    json_open_object(&json);
    put_member(&json, "message", error->message);
    json_key(&json, "type"); /* which these events have not */
    json_text(&json, status == 429  ? "rate_limit_error"
                     : status < 500 ? "invalid_request_error"
                                    : "server_error");
    json_key(&json, "param");
    json_null(&json);
    put_member(&json, "code", error->code);
    json_close_object(&json);
    json_close_object(&json);
}

/* Of another dialect's error the words alone are told on, when the event is gone. */
static void hold_words(struct relay *relay, const struct provider_error *error)
{
    struct buf *held = &relay->held;

    buf_clear(held);
    buf_put(held, error->message);
    buf_put(held, error->code);
    buf_put(held, error->type);
    relay->answer.error = (struct provider_error){.is_present = true, .status = error->status};
    if (!held->failed) {
        relay->answer.error.message = span_make(held->at, error->message.len);
        relay->answer.error.code = span_make(held->at + error->message.len, error->code.len);
        relay->answer.error.type = span_from(buf_span(held), error->message.len + error->code.len);
    }
}

/* The error again, where it stays as long as the attempt: the event's bytes do not. */
static void read_held_error(struct call *call)
{
    struct relay *relay = &call->relay;
    struct answer answer;
    struct meter meter;

    meter_init(&meter);
    relay->stream.operation->read_answer(call->env->scratch->scan, buf_span(&relay->held), &answer,
                                         &meter);
    relay->answer.error = answer.error;
    relay->answer.error.is_present = true;
}

void relay_failed_early(struct call *call, const struct event_view *view, struct span data)
{
    struct relay *relay = &call->relay;

    relay->answer.is_json = true;
    relay->status = inner_error_status(&view->error);
    if (relay->translation == NULL) {
        hold_error(call, &view->error, data);
        read_held_error(call);
    } else {
        hold_words(relay, &view->error);
    }
    relay->is_json = true;
    call_event(call, EVENT_ENDED, relay_judge(call, &view->error));
}

enum outcome relay_end_of_error(struct call *call)
{
    struct relay *relay = &call->relay;
    const struct operation *operation = relay->stream.operation;
    struct meter meter;

    /* Errors look alike all over a dialect: what is only passed through is read by its first row.
     */
    if (operation->read_answer == NULL) {
        operation = &call->match.dialect->operations[0];
    }
    meter_init(&meter);
    operation->read_answer(call->env->scratch->scan, buf_span(&relay->held), &relay->answer,
                           &meter);
    meter_usage(&meter, operation->input_holds_cache, &relay->usage);
    if (relay->failure[0] != '\0' && relay->answer.error.code.len == 0) {
        relay->answer.error.is_present = true;
        relay->answer.error.code = span_of(relay->failure);
    }
    return relay_judge(call, &relay->answer.error);
}
