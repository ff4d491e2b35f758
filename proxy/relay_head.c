/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's head: which of its fields come back, how the body is to be treated, and whether it
 * is what was asked for at all. */
#include "proxy/relay_parts.h"

#include "base/limits.h"
#include "wire/blame.h"
#include "wire/head.h"
#include "wire/hint.h"
#include "wire/reported.h"

/* One event may be told at greater length in another dialect. */
enum { TRANSLATED_TIMES = 8 };

struct head_seen {
    struct span content_type;
    struct span encoding;
};

static bool is_type(struct span content_type, struct span wanted)
{
    struct span type = span_trim(span_cut(&content_type, ';'));

    return span_equal_nocase(type, wanted);
}

static bool is_json_type(struct span content_type)
{
    struct span type = span_trim(span_cut(&content_type, ';'));

    return span_equal_nocase(type, SPAN_OF("application/json")) ||
           span_ends(type, SPAN_OF("+json"));
}

static void keep_upstream_id(struct call *call, struct span value)
{
    if (value.len == 0 || value.len > UPSTREAM_ID_MAX || call->head.upstream_id.len > 0) {
        return;
    }
    call->head.upstream_id = call_head_keep(&call->head, value);
    if (call->snapshot->response_headers) {
        head_put(&call->relay.head, SPAN_OF("x-headgate-upstream-request-id"), value);
    }
}

/* The provider's fields that may come back, as lines for the app's head. */
static void keep_fields(struct call *call, const struct http1_head *head, const char *base,
                        struct head_seen *seen)
{
    struct relay *relay = &call->relay;

    for (size_t i = 0; i < head->count; i++) {
        struct span name = http1_name(head, base, i);
        struct span value = http1_value(head, base, i);

        if (!head_value_is_plain(value) ||
            (call->rates != NULL && call_rates_replace(call, name))) {
            continue;
        }
        switch (answer_use(name)) {
        case ANSWER_STAYS: break;
        case ANSWER_CONTENT_TYPE: seen->content_type = value; break;
        case ANSWER_CONTENT_ENCODING: seen->encoding = value; break;
        case ANSWER_RETRY_AFTER: break;
        case ANSWER_SHOULD_RETRY:
            relay->should_retry = span_equal_nocase(value, SPAN_OF("true"))    ? 1
                                  : span_equal_nocase(value, SPAN_OF("false")) ? 0
                                                                               : -1;
            break;
        case ANSWER_PASSES: head_put(&relay->head, name, value); break;
        case ANSWER_REQUEST_ID: keep_upstream_id(call, value); break;
        }
    }
}

/* How long to wait. What the app is told of it is decided with the answer; the provider's own
 * figure stands beside that when it is more than can be told. */
static void keep_wait(struct call *call, int64_t wait_ms)
{
    struct relay *relay = &call->relay;

    relay->hint_ms = wait_ms;
    relay->has_wait = relay->hint_ms != HINT_NONE &&
                      (relay->status == 429 || relay->status == 503 || relay->status == 529);
    if (relay->has_wait && hint_tell(relay->hint_ms).is_capped &&
        call->snapshot->response_headers) {
        buf_put_format(&relay->head, "x-headgate-upstream-retry-after: %lld\r\n",
                       (long long)((relay->hint_ms + 999) / 1000));
    }
}

/* For a body that does not tell it. A name that does not fit is none that we know. */
static void keep_name(struct relay *relay, struct span name)
{
    size_t len = name.len < sizeof relay->failure ? name.len : 0;

    if (len > 0) {
        memcpy(relay->failure, name.at, len);
    }
    relay->failure[len] = '\0';
}

static void keep_hint(struct call *call, const struct http1_head *head, const char *base)
{
    if (head->status >= 429 && head->status <= 599) {
        keep_wait(call, hint_wait_ms(head, base, span_make("", 0), loop_wall(call->env->loop)));
    }
}

void relay_told_wait(struct call *call, const struct provider_error *error)
{
    const struct relay *relay = &call->relay;

    if (error->retry_delay.len > 0 && relay->hint_ms == HINT_NONE && relay->status >= 429 &&
        relay->status <= 599) {
        keep_wait(call, hint_of_duration(error->retry_delay));
    }
}

static enum relay_mode mode_of(const struct call *call, const struct http1_head *head)
{
    enum operation_kind kind = call->match.operation->kind;

    if (kind == OPERATION_PASS) {
        return head->status >= 400 ? RELAY_ERROR : RELAY_PASS;
    }
    if (head->status < 200 || head->status > 299) {
        return RELAY_ERROR;
    }
    return call->request.is_stream ? RELAY_STREAM : RELAY_WHOLE;
}

static uint64_t hold_ceiling(const struct call *call, enum relay_mode mode)
{
    switch (mode) {
    case RELAY_WHOLE: return call->snapshot->limits.response;
    case RELAY_STREAM:
        return call->plan.rules->commit.mode == COMMIT_COMPLETE
                   ? call->snapshot->limits.response
                   : LIMIT_GATE + LIMIT_RECV +
                         (call->relay.translation == NULL ? LIMIT_EVENT_HELD : TRANSLATED_TIMES * LIMIT_EVENT);
    case RELAY_ERROR: return LIMIT_ERROR_BODY;
    case RELAY_NOTHING:
    case RELAY_PASS: break;
    }
    return 0;
}

static struct span events_type(const struct relay *relay)
{
    return relay->stream.operation->is_framed ? SPAN_OF("application/vnd.amazon.eventstream")
                                              : SPAN_OF("text/event-stream");
}

static enum outcome judge_type(struct call *call, const struct head_seen *seen)
{
    struct relay *relay = &call->relay;
    bool is_wanted = false;

    if (relay->mode != RELAY_WHOLE && relay->mode != RELAY_STREAM) {
        return OUTCOME_OK;
    }
    if (seen->encoding.len > 0 && !span_equal_nocase(seen->encoding, SPAN_OF("identity"))) {
        return OUTCOME_BAD_BODY; /* identity was asked; a call carries no decoder */
    }
    is_wanted = relay->mode == RELAY_STREAM
                    ? is_type(seen->content_type, events_type(relay))
                    : relay->is_json;
    /* An answer in the other form, or none at all: the model may well have worked for it. */
    relay->is_foreign = !is_wanted && seen->content_type.len > 0 && !relay->is_json &&
                        !is_type(seen->content_type, SPAN_OF("text/event-stream"));
    return is_wanted ? OUTCOME_OK : OUTCOME_BAD_BODY;
}

/* What is only passed through may be kept for repeats when its end is told and it is no stream. */
static void copy_passed(struct call *call, const struct http1_head *head,
                        const struct head_seen *seen)
{
    struct relay *relay = &call->relay;

    relay->is_copied =
        call->repeats != NULL && head->status < 300 && seen->content_type.len > 0 &&
        seen->encoding.len == 0 && !is_type(seen->content_type, SPAN_OF("text/event-stream")) &&
        (head->framing == HTTP1_BODY_LENGTH || head->framing == HTTP1_BODY_CHUNKED) &&
        call_replay_copies(call, seen->content_type);
}

enum outcome relay_on_head(struct call *call, const struct http1_head *head, const char *base)
{
    struct relay *relay = &call->relay;
    struct head_seen seen = {0};
    const struct target *target = call_target(call);
    bool hides_usage = call->request.is_stream && !call->request.app_wants_usage &&
                       call->match.operation->sends_done && call->relay.translation == NULL;
    enum outcome outcome = OUTCOME_OK;

    struct reported reported;

    reported_read(head, base, loop_wall(call->env->loop), &reported);
    dispatch_reported(&call->dispatch, call->number, &reported, loop_now(call->env->loop));
    relay->status = head->status;
    call->facts.upstream_status = head->status;
    relay->mode = mode_of(call, head);
    relay->held.max = (size_t)hold_ceiling(call, relay->mode);
    if (call->rates != NULL) {
        call_rates_compare(call, &reported);
    }
    keep_fields(call, head, base, &seen);
    relay->is_json = is_json_type(seen.content_type);
    if (relay->head.failed) {
        return OUTCOME_HEADER;
    }
    outcome = outcome_of_status(head->status, NULL,
                                target->provider->credential_mode == CREDENTIAL_SECRET);
    /* Not Modified leads nowhere: on a path that is only passed through it is an answer. */
    if (outcome == OUTCOME_REDIRECT && !(relay->mode == RELAY_PASS && head->status == 304)) {
        return outcome;
    }
    if (relay->mode == RELAY_STREAM && relay->is_json && relay->stream.operation->unfold != NULL) {
        relay->mode = RELAY_WHOLE; /* told as a stream once it is whole */
        relay->held.max = (size_t)hold_ceiling(call, relay->mode);
    }
    if (relay->mode == RELAY_STREAM) {
        relay_begin_events(relay, relay->stream.operation->is_framed);
        relay->stream.hides_usage = hides_usage;
        return judge_type(call, &seen);
    }
    if (relay->mode == RELAY_ERROR) {
        keep_hint(call, head, base);
        keep_name(relay, blame_name(head, base));
        return OUTCOME_OK;
    }
    if (relay->mode == RELAY_PASS) {
        relay->has_length = head->framing == HTTP1_BODY_LENGTH;
        relay->length = head->length;
        relay->has_no_body = head->framing == HTTP1_BODY_NONE;
        if (seen.content_type.len > 0) {
            head_put(&relay->head, SPAN_OF("content-type"), seen.content_type);
        }
        copy_passed(call, head, &seen);
        return OUTCOME_OK;
    }
    if (head->framing == HTTP1_BODY_LENGTH && head->length > 0 &&
        head->length <= call->snapshot->limits.response) {
        buf_hint(&relay->held, (size_t)head->length);
    }
    return judge_type(call, &seen);
}
