/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from a provider to the app. A stream is held behind the gate until its first real content; a
 * whole answer until its end; so that what fails before can still become an honest error. After
 * the gate is open each chunk goes through in one function. */
#include "proxy/call_parts.h"

#include "base/limits.h"
#include "base/text.h"
#include "wire/head.h"
#include "router/inner_error.h"
#include "wire/hint.h"

enum { RELAY_HEAD_MAX = LIMIT_RESPONSE_HEAD, ERROR_HELD = LIMIT_ERROR_BODY };

void relay_begin(struct relay *relay)
{
    relay->head.max = RELAY_HEAD_MAX;
    usage_init(&relay->usage);
}

void relay_end(struct relay *relay)
{
    if (relay->mode == RELAY_STREAM) {
        sse_fini(&relay->sse);
        relay->mode = RELAY_NOTHING;
    }
}

void relay_fini(struct relay *relay)
{
    relay_end(relay);
    buf_fini(&relay->head);
    buf_fini(&relay->held);
}

/* ---- the head ---- */

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

    return span_equal_nocase(type, SPAN_OF("application/json")) || span_ends(type, SPAN_OF("+json"));
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

        if (!head_value_is_plain(value)) {
            continue;
        }
        switch (answer_use(name)) {
        case ANSWER_STAYS: break;
        case ANSWER_CONTENT_TYPE: seen->content_type = value; break;
        case ANSWER_CONTENT_ENCODING: seen->encoding = value; break;
        case ANSWER_RETRY_AFTER: break;
        case ANSWER_PASSES: head_put(&relay->head, name, value); break;
        case ANSWER_REQUEST_ID: keep_upstream_id(call, value); break;
        }
    }
}

/* How long to wait, in the form SDKs obey; the provider's own figure beside it. */
static void put_wait(struct call *call, const struct http1_head *head, const char *base)
{
    struct buf *out = &call->relay.head;
    int64_t wait_ms = HINT_NONE;
    struct hint_told told;

    if (head->status != 429 && head->status != 503 && head->status != 529) {
        return;
    }
    wait_ms = hint_wait_ms(head, base, span_make("", 0), loop_wall(call->env->loop));
    if (wait_ms == HINT_NONE) {
        return;
    }
    told = hint_tell(wait_ms);
    call->relay.has_wait = true;
    buf_put_format(out, "retry-after: %u\r\nretry-after-ms: %u\r\n", told.seconds, told.ms);
    if (told.is_capped) {
        buf_put(out, SPAN_OF("x-should-retry: false\r\n"));
    }
    if (told.is_capped && call->snapshot->response_headers) {
        buf_put_format(out, "x-headgate-upstream-retry-after: %lld\r\n",
                       (long long)((wait_ms + 999) / 1000));
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
    case RELAY_STREAM: return LIMIT_GATE + LIMIT_EVENT_HELD + LIMIT_RECV;
    case RELAY_ERROR: return ERROR_HELD;
    case RELAY_NOTHING:
    case RELAY_PASS: break;
    }
    return 0;
}

static enum outcome judge_type(const struct call *call, const struct head_seen *seen)
{
    const struct relay *relay = &call->relay;

    if (relay->mode != RELAY_WHOLE && relay->mode != RELAY_STREAM) {
        return OUTCOME_OK;
    }
    if (seen->encoding.len > 0 && !span_equal_nocase(seen->encoding, SPAN_OF("identity"))) {
        return OUTCOME_BAD_BODY; /* identity was asked; a call carries no decoder */
    }
    if (relay->mode == RELAY_STREAM) {
        return is_type(seen->content_type, SPAN_OF("text/event-stream")) ? OUTCOME_OK
                                                                         : OUTCOME_BAD_BODY;
    }
    return relay->is_json ? OUTCOME_OK : OUTCOME_BAD_BODY;
}

enum outcome relay_on_head(struct call *call, const struct http1_head *head, const char *base)
{
    struct relay *relay = &call->relay;
    struct head_seen seen = {0};
    const struct target *target = call_target(call);
    bool hides_usage = call->request.is_stream && !call->request.app_wants_usage &&
                       call->match.operation->sends_done;
    enum outcome outcome = OUTCOME_OK;

    relay->status = head->status;
    call->facts.upstream_status = head->status;
    relay->mode = mode_of(call, head);
    relay->held.max = (size_t)hold_ceiling(call, relay->mode);
    keep_fields(call, head, base, &seen);
    relay->is_json = is_json_type(seen.content_type);
    outcome = outcome_of_status(head->status, NULL,
                                target->provider->credential_mode == CREDENTIAL_SECRET);
    /* Not Modified leads nowhere: on a path that is only passed through it is an answer. */
    if (outcome == OUTCOME_REDIRECT && !(relay->mode == RELAY_PASS && head->status == 304)) {
        return outcome;
    }
    if (relay->mode == RELAY_STREAM) {
        sse_init(&relay->sse, LIMIT_EVENT_HELD, LIMIT_EVENT);
        relay->stream.hides_usage = hides_usage;
        return judge_type(call, &seen);
    }
    if (relay->mode == RELAY_ERROR) {
        put_wait(call, head, base);
        return OUTCOME_OK;
    }
    if (relay->mode == RELAY_PASS) {
        relay->has_length = head->framing == HTTP1_BODY_LENGTH;
        relay->length = head->length;
        relay->has_no_body = head->framing == HTTP1_BODY_NONE;
        if (seen.content_type.len > 0) {
            head_put(&relay->head, SPAN_OF("content-type"), seen.content_type);
        }
        return OUTCOME_OK;
    }
    if (head->framing == HTTP1_BODY_LENGTH && head->length > 0 &&
        head->length <= call->snapshot->limits.response) {
        buf_hint(&relay->held, (size_t)head->length);
    }
    return judge_type(call, &seen);
}

/* ---- bytes out ---- */

static void send_pieces(struct call *call, const struct span *pieces, size_t count)
{
    if (call->conn == NULL) {
        return;
    }
    if (call->facts.first_us == 0) {
        call->facts.first_us = loop_micros(call->env->loop);
    }
    conn_send(call->conn, pieces, count);
    dispatch_saw_sent(&call->dispatch, loop_now(call->env->loop));
    if (!call->relay.is_paused && call->upstream != 0 &&
        conn_backlog(call->conn) > LIMIT_APP_BACKLOG_HIGH) {
        struct upstream *upstream = NULL;
        const struct upstream_ops *ops = call_upstream(call, &upstream);
        call->relay.is_paused = true;
        dispatch_paused(&call->dispatch, true, loop_now(call->env->loop));
        ops->pause(upstream, call->upstream);
    }
}

static bool is_chunked(const struct call *call)
{
    return !call->relay.has_length && !call->relay.has_no_body && call->conn != NULL &&
           !conn_is_http10(call->conn);
}

enum { CHUNK_HEAD_MAX = 20, CHUNK_PIECES = 12 };

static struct span chunk_head(char text[CHUNK_HEAD_MAX], size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = CHUNK_HEAD_MAX;

    text[--at] = '\n';
    text[--at] = '\r';
    do {
        text[--at] = digits[size % 16];
        size /= 16;
    } while (size > 0);
    return span_make(text + at, CHUNK_HEAD_MAX - at);
}

/* `head` (may be empty) and the body's bytes in the app's framing, in one send. */
static void send_body(struct call *call, struct span head, const struct span *body, size_t count)
{
    struct span pieces[CHUNK_PIECES + 4];
    char size_text[CHUNK_HEAD_MAX];
    size_t total = 0;
    size_t used = 0;

    must(count <= CHUNK_PIECES);
    for (size_t i = 0; i < count; i++) {
        total += body[i].len;
    }
    if (head.len > 0) {
        pieces[used++] = head;
    }
    if (total > 0 && is_chunked(call)) {
        pieces[used++] = chunk_head(size_text, total);
    }
    for (size_t i = 0; i < count && total > 0; i++) {
        pieces[used++] = body[i];
    }
    if (total > 0 && is_chunked(call)) {
        pieces[used++] = SPAN_OF("\r\n");
    }
    if (used > 0) {
        send_pieces(call, pieces, used);
    }
}

/* ---- events ---- */

/* Runs of events that go on unchanged; contiguous bytes are one piece. */
struct run {
    struct call *call;
    struct span pieces[CHUNK_PIECES];
    size_t count;
};

static void run_flush(struct run *run)
{
    struct relay *relay = &run->call->relay;

    if (run->count == 0) {
        return;
    }
    if (relay->is_open) {
        send_body(run->call, span_make(NULL, 0), run->pieces, run->count);
    } else {
        for (size_t i = 0; i < run->count; i++) {
            buf_put(&relay->held, run->pieces[i]);
        }
    }
    run->count = 0;
}

static void run_add(struct run *run, struct span bytes)
{
    struct span *last = run->count > 0 ? &run->pieces[run->count - 1] : NULL;

    if (bytes.len == 0) {
        return;
    }
    if (last != NULL && last->at + last->len == bytes.at) {
        last->len += bytes.len;
        return;
    }
    if (run->count == CHUNK_PIECES) {
        run_flush(run);
    }
    run->pieces[run->count++] = bytes;
}

/* A failure told inside the stream before anything was shown is a failure with a real status. */
static void stream_failed_early(struct call *call, const struct event_view *view,
                                struct span data)
{
    struct relay *relay = &call->relay;

    relay->answer.error = view->error;
    relay->answer.is_json = true;
    relay->status = inner_error_status(&view->error);
    buf_clear(&relay->held);
    buf_put(&relay->held, data);
    relay->is_json = true;
    call_event(call, EVENT_ENDED,
               outcome_of_status(relay->status, &view->error,
                                 call_target(call)->provider->credential_mode ==
                                     CREDENTIAL_SECRET));
}

/* A provider's error inside a stream that has begun: the same words, no secrets. */
static void add_error(struct call *call, struct run *run, struct span raw)
{
    struct buf *text = &call->env->scratch->text;

    buf_clear(text);
    buf_put(text, raw);
    reply_cover(call, text);
    run_add(run, buf_span(text));
    run_flush(run);
}

/* One event. False: the call has been decided, read no further. */
static bool take_event(struct call *call, struct run *run, const struct sse_event *event,
                       bool *is_content)
{
    struct relay *relay = &call->relay;
    struct event_view view = {0};

    if (relay->stream.saw_terminal) {
        return true; /* nothing after the end is for the app */
    }
    relay->in_piece = event->is_piece && !event->is_last_piece;
    call->match.operation->read_event(&relay->stream, call->env->scratch->scan, event, &view);
    view.is_content = view.is_content || event->is_piece;
    relay->saw_event = relay->saw_event || event->has_data || event->is_piece;
    if (view.is_error && !relay->is_open && !call->dispatch.head_is_out) {
        run->count = 0;
        stream_failed_early(call, &view, event->data);
        return false;
    }
    *is_content = *is_content || view.is_content;
    if (view.is_error && !relay->is_open) { /* an early head is out: told in our words by the cut */
        call_event(call, EVENT_ENDED, OUTCOME_STREAM_ERROR);
        return false;
    }
    if (view.is_error) {
        add_error(call, run, event->raw);
        relay->stream.saw_terminal = true; /* the provider has ended it in the dialect's own form */
        call_event(call, EVENT_ENDED, OUTCOME_STREAM_ERROR);
        return false;
    }
    if (!view.hide) {
        run_add(run, event->raw);
    }
    return true;
}

static void stream_bytes(struct call *call, struct span bytes)
{
    struct relay *relay = &call->relay;
    struct run run = {.call = call};
    struct sse_event event;
    struct span all = bytes;
    bool is_content = false;
    bool was_terminal = relay->stream.saw_terminal;
    enum sse_step step = SSE_MORE;

    while ((step = sse_feed(&relay->sse, &bytes, &event)) == SSE_EVENT) {
        if (!take_event(call, &run, &event, &is_content)) {
            return;
        }
        if (event.raw.at < all.at || event.raw.at >= all.at + all.len) {
            run_flush(&run); /* it lies in the scanner's memory, which the next feed uses again */
        }
        if (is_content && !relay->is_open) {
            /* Now, not after the loop: what one read brings must not change what comes of it. */
            run_flush(&run);
            call_event(call, EVENT_CONTENT, OUTCOME_OK);
        }
    }
    run_flush(&run);
    dispatch_saw_bytes(&call->dispatch, loop_now(call->env->loop), is_content);
    if (step == SSE_TOO_LONG || step == SSE_NO_MEMORY || relay->held.failed) {
        call_event(call, EVENT_ENDED, step == SSE_TOO_LONG ? OUTCOME_TOO_LARGE : OUTCOME_LOCAL);
        return;
    }
    if (!relay->is_open && relay->held.len + relay->sse.tail.len > LIMIT_GATE) {
        call_event(call, EVENT_CONTENT, OUTCOME_OK);
    }
    if (!was_terminal && relay->stream.saw_terminal && !call->is_closed) {
        call_event(call, EVENT_TERMINAL, OUTCOME_OK);
    }
}

void relay_on_bytes(struct call *call, struct span bytes)
{
    struct relay *relay = &call->relay;

    switch (relay->mode) {
    case RELAY_NOTHING: return;
    case RELAY_STREAM: stream_bytes(call, bytes); return;
    case RELAY_PASS:
        dispatch_saw_bytes(&call->dispatch, loop_now(call->env->loop), true);
        send_body(call, span_make(NULL, 0), &bytes, 1);
        return;
    case RELAY_WHOLE:
        dispatch_saw_bytes(&call->dispatch, loop_now(call->env->loop), false);
        buf_put(&relay->held, bytes);
        if (relay->held.failed) {
            call_event(call, EVENT_ENDED, OUTCOME_TOO_LARGE);
        }
        return;
    case RELAY_ERROR:
        dispatch_saw_bytes(&call->dispatch, loop_now(call->env->loop), false);
        if (bytes.len > ERROR_HELD - relay->held.len) {
            bytes.len = ERROR_HELD - relay->held.len;
        }
        buf_put(&relay->held, bytes);
        if (relay->held.len == ERROR_HELD) {
            call_event(call, EVENT_ENDED, relay_on_end(call, OUTCOME_OK));
        }
        return;
    }
}

/* ---- the end ---- */

/* Past our scanner's limits, though not wrong: it goes on, unmetered. */
static bool is_beyond_us(const struct json_scan *scan)
{
    enum json_fault fault = json_scan_fault(scan);

    return fault == JSON_FAULT_DEEP || fault == JSON_FAULT_LARGE ||
           fault == JSON_FAULT_NUMBER_LONG || fault == JSON_FAULT_MEMORY;
}

static enum outcome end_of_whole(struct call *call, enum outcome how)
{
    struct relay *relay = &call->relay;
    const struct operation *operation = call->match.operation;
    struct meter meter;

    if (how != OUTCOME_OK || operation->read_answer == NULL) {
        return how;
    }
    meter_init(&meter);
    operation->read_answer(call->env->scratch->scan, buf_span(&relay->held), &relay->answer,
                           &meter);
    meter_usage(&meter, operation->input_holds_cache, &relay->usage);
    if (!relay->answer.is_json) {
        return is_beyond_us(call->env->scratch->scan) ? OUTCOME_OK : OUTCOME_BAD_BODY;
    }
    if (relay->answer.error.is_present && !relay->answer.has_result) {
        relay->status = inner_error_status(&relay->answer.error);
        return outcome_of_status(relay->status, &relay->answer.error,
                                 call_target(call)->provider->credential_mode ==
                                     CREDENTIAL_SECRET);
    }
    return relay->answer.has_result ? OUTCOME_OK : OUTCOME_BAD_BODY;
}

static enum outcome end_of_stream(struct call *call, enum outcome how)
{
    struct relay *relay = &call->relay;
    struct sse_event event;
    struct run run = {.call = call};
    bool is_content = false;
    bool had_finish = relay->stream.saw_finish;

    /* A last event without its blank line counts when it ends the answer, and is given one then. */
    if (!relay->stream.saw_terminal && sse_finish(&relay->sse, &event) && event.has_data) {
        if (!take_event(call, &run, &event, &is_content)) {
            return OUTCOME_STREAM_ERROR;
        }
        if (relay->stream.saw_terminal || relay->stream.saw_finish != had_finish) {
            run_add(&run, SPAN_OF("\n\n"));
            run_flush(&run);
        }
    }
    if (relay->stream.saw_terminal || relay->stream.saw_finish) {
        return OUTCOME_OK;
    }
    if (!relay->saw_event) {
        return how == OUTCOME_OK ? OUTCOME_EMPTY_STREAM : how;
    }
    return how == OUTCOME_OK ? OUTCOME_TRUNCATED : how;
}

static enum outcome end_of_error(struct call *call)
{
    struct relay *relay = &call->relay;
    const struct operation *operation = call->match.operation;
    struct meter meter;

    /* Errors look alike all over a dialect: what is only passed through is read by its first row. */
    if (operation->read_answer == NULL) {
        operation = &call->match.dialect->operations[0];
    }
    meter_init(&meter);
    operation->read_answer(call->env->scratch->scan, buf_span(&relay->held), &relay->answer,
                           &meter);
    return outcome_of_status(relay->status, &relay->answer.error,
                             call_target(call)->provider->credential_mode == CREDENTIAL_SECRET);
}

enum outcome relay_on_end(struct call *call, enum outcome how)
{
    switch (call->relay.mode) {
    case RELAY_NOTHING:
    case RELAY_PASS: return how;
    case RELAY_WHOLE: return end_of_whole(call, how);
    case RELAY_STREAM: return end_of_stream(call, how);
    case RELAY_ERROR: return end_of_error(call);
    }
    UNREACHABLE();
}

/* ---- what the dispatch orders ---- */

static void stream_head(struct call *call, struct buf *out)
{
    reply_status(out, 200);
    buf_put(out, SPAN_OF("content-type: text/event-stream\r\ncache-control: no-cache, no-store\r\n"
                         "x-accel-buffering: no\r\n"));
    buf_put(out, buf_span(&call->relay.head));
    reply_own_fields(out, call);
    if (is_chunked(call)) {
        buf_put(out, SPAN_OF("transfer-encoding: chunked\r\n"));
    } else {
        conn_close_after(call->conn);
    }
    buf_put_text(out, conn_must_close(call->conn) ? "connection: close\r\n\r\n" : "\r\n");
    call->facts.status = 200;
}

static void pass_head(struct call *call, struct buf *out)
{
    struct relay *relay = &call->relay;

    reply_status(out, relay->status);
    buf_put(out, SPAN_OF("cache-control: no-store\r\n"));
    buf_put(out, buf_span(&relay->head));
    reply_own_fields(out, call);
    if (relay->has_length) {
        buf_put(out, SPAN_OF("content-length: "));
        buf_put_u64(out, relay->length);
        buf_put(out, SPAN_OF("\r\n"));
    } else if (is_chunked(call)) {
        buf_put(out, SPAN_OF("transfer-encoding: chunked\r\n"));
    } else if (!relay->has_no_body) {
        conn_close_after(call->conn);
    }
    buf_put_text(out, conn_must_close(call->conn) ? "connection: close\r\n\r\n" : "\r\n");
    call->facts.status = relay->status;
}

/* No other target can be asked any more: a long stream need not carry its request along. */
static void forget_request(struct call *call)
{
    buf_fini(&call->relay.held);
    buf_fini(&call->relay.head);
    if (call->dispatch.is_written) {
        buf_fini(&call->body);
        buf_fini(&call->wire_head);
    }
}

void relay_commit(struct call *call)
{
    struct relay *relay = &call->relay;
    struct buf *out = &call->env->scratch->out;
    struct span held = buf_span(&relay->held);

    if (relay->mode == RELAY_WHOLE || relay->mode == RELAY_ERROR || call->conn == NULL ||
        call->match.operation->kind == OPERATION_MODELS) {
        return; /* goes out whole in relay_finish */
    }
    buf_clear(out);
    if (!call->dispatch.head_is_out || call->facts.status == 0) {
        if (relay->mode == RELAY_STREAM) {
            stream_head(call, out);
        } else {
            pass_head(call, out);
        }
    }
    relay->is_open = true;
    send_body(call, buf_span(out), &held, held.len > 0 ? 1 : 0);
    forget_request(call);
}

static void end_message(struct call *call)
{
    if (is_chunked(call)) {
        struct span last = SPAN_OF("0\r\n\r\n");
        send_pieces(call, &last, 1);
    }
}

void relay_finish(struct call *call)
{
    struct relay *relay = &call->relay;
    struct buf *out = &call->env->scratch->out;
    struct span end;

    if (relay->mode == RELAY_STREAM) {
        meter_usage(&relay->stream.meter, call->match.operation->input_holds_cache, &relay->usage);
    }
    if (call->conn == NULL) {
        return;
    }
    if (call->match.operation->kind == OPERATION_MODELS) {
        models_reply(call, buf_span(&relay->held));
        return;
    }
    if (relay->mode == RELAY_WHOLE) {
        reply_whole(call, relay->status, SPAN_OF("application/json"), buf_span(&relay->held));
        return;
    }
    if (relay->mode == RELAY_STREAM && !relay->stream.saw_terminal) {
        buf_clear(out);
        call->match.dialect->write_stream_end(out, &relay->stream);
        end = buf_span(out);
        send_body(call, span_make(NULL, 0), &end, end.len > 0 ? 1 : 0);
    }
    end_message(call);
    call_leave(call);
}

void relay_cut(struct call *call, enum outcome outcome)
{
    struct relay *relay = &call->relay;
    struct buf *out = &call->env->scratch->out;
    struct refusal refusal = {.kind = outcome_refusal(outcome)};
    struct span error;

    if (relay->mode == RELAY_STREAM) {
        meter_usage(&relay->stream.meter, call->match.operation->input_holds_cache, &relay->usage);
    }
    if (call->conn == NULL) {
        return;
    }
    if (!call->request.is_stream || (relay->mode == RELAY_PASS)) {
        call->facts.bytes_out = conn_sent(call->conn);
        conn_abort(call->conn); /* nothing but a broken message tells that it is not whole */
        call->conn = NULL;
        return;
    }
    if (!relay->stream.saw_terminal) {
        if (refusal.kind == REFUSAL_NONE) {
            refusal.kind = REFUSAL_UPSTREAM_ERROR;
        }
        buf_clear(out);
        if (relay->in_piece) {
            buf_put(out, SPAN_OF("\n\n")); /* the oversized event that is half out must end first */
        }
        call->match.dialect->write_stream_error(out, &relay->stream, &refusal);
        call->facts.refusal = refusal.kind;
        error = buf_span(out);
        send_body(call, span_make(NULL, 0), &error, 1);
    }
    end_message(call);
    call_leave(call);
}

void relay_early_head(struct call *call)
{
    struct buf *out = &call->env->scratch->out;
    struct span comment = SPAN_OF(": keep-alive\n\n");

    if (call->conn == NULL) {
        return;
    }
    buf_clear(out);
    stream_head(call, out);
    send_body(call, buf_span(out), &comment, 1);
}

void relay_keep_alive(struct call *call)
{
    struct span comment = call->relay.is_open ? call->match.dialect->keep_alive
                                              : SPAN_OF(": keep-alive\n\n");

    if (call->conn != NULL && !call->relay.in_piece && conn_backlog(call->conn) == 0) {
        send_body(call, span_make(NULL, 0), &comment, 1);
    }
}
