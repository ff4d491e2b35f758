/* SPDX-License-Identifier: Apache-2.0 */
/* What the dispatch orders towards the app: the head, the held bytes, comments, the end or the cut;
 * all in the framing that this app understands. */
#include "proxy/call_translate.h"

#include "base/limits.h"

static void send_pieces(struct call *call, const struct span *pieces, size_t count)
{
    if (call->conn == NULL) {
        return;
    }
    if (call->first_us == 0) {
        call->first_us = loop_micros(call->env->loop);
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

enum { CHUNK_HEAD_MAX = 20 };

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

/* The body's bytes in the app's framing. Returns how many pieces that makes. */
static size_t frame(const struct call *call, const struct span *body, size_t count,
                    char text[CHUNK_HEAD_MAX], struct span pieces[RELAY_PIECES_MAX + 2])
{
    size_t total = 0;
    size_t used = 0;

    must(count <= RELAY_PIECES_MAX);
    for (size_t i = 0; i < count; i++) {
        total += body[i].len;
    }
    if (total == 0) {
        return 0;
    }
    if (!is_chunked(call)) {
        memcpy(pieces, body, count * sizeof *body);
        return count;
    }
    pieces[used++] = chunk_head(text, total);
    for (size_t i = 0; i < count; i++) {
        pieces[used++] = body[i];
    }
    pieces[used++] = SPAN_OF("\r\n");
    return used;
}

void relay_send(struct call *call, struct span head, const struct span *body, size_t count)
{
    struct span pieces[RELAY_PIECES_MAX + 3];
    char text[CHUNK_HEAD_MAX];
    size_t used = 0;

    if (head.len > 0) {
        pieces[used++] = head;
    }
    used += frame(call, body, count, text, pieces + used);
    if (used > 0) {
        send_pieces(call, pieces, used);
    }
}

/* ---- what the dispatch orders ---- */

static void stream_head(struct call *call, struct buf *out)
{
    reply_status(out, 200);
    buf_put(out, SPAN_OF("content-type: text/event-stream\r\ncache-control: no-cache, no-store\r\n"
                         "x-accel-buffering: no\r\n"));
    if (!call->relay.is_early) {
        buf_put(out, buf_span(&call->relay.head));
    }
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

/* A long stream need not carry its request along. */
void relay_forget_request(struct call *call)
{
    if (call->dispatch.flights[0].is_written) {
        if (!call_keep_request(call)) {
            buf_fini(&call->body);
        }
        buf_fini(&call->wire_head);
        if (call->translations != NULL) {
            call_translate_forget_request(call);
        }
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
            if (call->env->ports->is_power) {
                call_wait_at_length(call, 0);
            }
        }
    }
    relay->is_open = true;
    relay_send(call, buf_span(out), &held, held.len > 0 ? 1 : 0);
    call_resume_follow(call, held);
    buf_fini(&relay->held);
    buf_fini(&relay->head);
    if (!relay->is_followed) {
        relay_forget_request(call);
    }
}

static void end_message(struct call *call)
{
    if (is_chunked(call)) {
        struct span last = SPAN_OF("0\r\n\r\n");
        send_pieces(call, &last, 1);
    }
}

/* In the app's dialect, whoever failed. */
static void put_stream_error(const struct call *call, struct buf *out, const struct refusal *refusal)
{
    struct stream told = {.operation = call->match.operation};

    if (call->relay.translation != NULL) {
        call_translate_tell_stream(call, &told);
    }
    call->match.dialect->write_stream_error(
        out, call->relay.translation == NULL ? &call->relay.stream : &told, refusal);
}

/* Never no end at all: an app would take what it has for the whole. */
static void put_translated_end(struct call *call, struct buf *out)
{
    if (!call_translate_end(call, out)) {
        buf_clear(out);
        call->facts.refusal = REFUSAL_UPSTREAM_ERROR;
        put_stream_error(call, out, &(struct refusal){.kind = REFUSAL_UPSTREAM_ERROR});
    }
}

/* What a provider owes its stream, or a translation has held back until here. */
static void put_stream_end(struct call *call, struct buf *out)
{
    struct relay *relay = &call->relay;

    if (relay->translation == NULL) {
        call->match.dialect->write_stream_end(out, &relay->stream);
    } else {
        put_translated_end(call, out);
    }
}

void relay_finish(struct call *call)
{
    struct relay *relay = &call->relay;
    struct buf *out = &call->env->scratch->out;
    struct span end;

    if (relay->mode == RELAY_STREAM) {
        meter_usage(&relay->stream.meter, relay->stream.operation->input_holds_cache, &relay->usage);
    }
    if (call->conn == NULL) {
        return;
    }
    if (call->match.operation->kind == OPERATION_MODELS) {
        models_reply(call, buf_span(&relay->held));
        return;
    }
    if (relay->mode == RELAY_WHOLE) {
        call_record_bill(call, OUTCOME_OK, ATTEMPT_HEADED);
        call->facts.is_cost_final = true;
        reply_whole(call, relay->status, SPAN_OF("application/json"), buf_span(&relay->held));
        return;
    }
    if (relay->mode == RELAY_STREAM && (relay->translation != NULL || !relay->stream.saw_terminal)) {
        buf_clear(out);
        put_stream_end(call, out);
        end = buf_span(out);
        relay_send(call, span_make(NULL, 0), &end, end.len > 0 ? 1 : 0);
    }
    end_message(call);
    call_leave(call);
}

/* Why a stream is cut. Of another dialect nothing that the provider said goes through as it is. */
static struct refusal why_cut(struct call *call, enum outcome outcome)
{
    struct relay *relay = &call->relay;
    struct refusal refusal = {.kind = outcome_refusal(outcome)};

    if (outcome == OUTCOME_STREAM_ERROR && relay->told != REFUSAL_NONE) {
        refusal.kind = relay->told;
    } else if (refusal.kind == REFUSAL_NONE && relay->translation != NULL && !relay->is_open) {
        refusal = call_translate_error(call, outcome); /* after an early head */
    }
    if (refusal.kind == REFUSAL_NONE) {
        refusal.kind = REFUSAL_UPSTREAM_ERROR;
    }
    return refusal;
}

static bool was_told_end(const struct call *call)
{
    return call->relay.translation == NULL ? call->relay.stream.saw_terminal : call_translate_has_ended(call);
}

void relay_cut(struct call *call, enum outcome outcome)
{
    struct relay *relay = &call->relay;
    struct buf *out = &call->env->scratch->out;
    struct refusal refusal;
    struct span error;

    if (relay->mode == RELAY_STREAM) {
        meter_usage(&relay->stream.meter, relay->stream.operation->input_holds_cache, &relay->usage);
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
    if (relay->has_error) {
        error = buf_span(&relay->held);
        relay_send(call, span_make(NULL, 0), &error, 1);
    } else if (!was_told_end(call)) {
        refusal = why_cut(call, outcome);
        buf_clear(out);
        if (relay->in_piece) {
            buf_put(out, SPAN_OF("\n\n")); /* the oversized event that is half out must end first */
        }
        put_stream_error(call, out, &refusal);
        call->facts.refusal = refusal.kind;
        error = buf_span(out);
        relay_send(call, span_make(NULL, 0), &error, 1);
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
    call->relay.is_early = true;
    stream_head(call, out);
    call->relay.is_early = false;
    relay_send(call, buf_span(out), &comment, 1);
}

void relay_keep_alive(struct call *call)
{
    struct span comment =
        call->relay.is_open ? call->match.dialect->keep_alive : SPAN_OF(": keep-alive\n\n");

    if (call->conn != NULL && !call->relay.in_piece && conn_backlog(call->conn) == 0) {
        relay_send(call, span_make(NULL, 0), &comment, 1);
    }
}
