/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from a provider to the app. A stream is held behind the gate until its first real content;
 * a whole answer until its end; so that what fails before can still become an honest error. After
 * the gate is open each chunk goes through in one function. What a whole answer and an error become is told in
 * relay_whole.c and relay_error.c. */
#include "proxy/call_translate.h"
#include "proxy/relay_parts.h"

#include "base/limits.h"
#include "usage/record.h"
#include "wire/estimate.h"
#include "wire/hint.h"

/* A streamed token travels in an event of its own, some forty times its size. */
enum { EVENT_OVERHEAD = 40 };

void relay_begin(struct relay *relay)
{
    relay->head.max = LIMIT_RESPONSE_HEAD;
    relay->usage_raw.max = RECORD_RAW_MAX;
    relay->hint_ms = HINT_NONE;
    relay->should_retry = -1;
    usage_init(&relay->usage);
}

void relay_end(struct relay *relay)
{
    if (relay->mode == RELAY_STREAM) {
        events_fini(&relay->events);
        relay->mode = RELAY_NOTHING;
    }
    buf_fini(&relay->usage_raw);
}

void relay_again(struct call *call)
{
    struct relay *relay = &call->relay;
    struct buf head = relay->head;
    struct buf held = relay->held;

    relay_end(relay);
    buf_clear(&head);
    buf_clear(&held);
    memset(relay, 0, sizeof *relay);
    relay->head = head;
    relay->held = held;
    relay_begin(relay);
    stream_init(&relay->stream, call->match.operation, false);
    call->head.upstream_id.len = 0;
    call->facts.upstream_status = 0;
    call->facts.head_us = 0;
    call->facts.content_us = 0;
    call->facts.told_us = 0;
    call->facts.is_reused = false;
}

void relay_fini(struct relay *relay)
{
    relay_end(relay);
    buf_fini(&relay->head);
    buf_fini(&relay->held);
    buf_fini(&relay->usage_raw);
}

/* ---- events ---- */

/* One that is translated must be whole, however large: Responses repeat the instructions in three (openai.md 7). */
void relay_begin_events(struct relay *relay, bool is_framed)
{
    events_init(&relay->events, is_framed, relay->translation == NULL ? LIMIT_EVENT_HELD : LIMIT_EVENT, LIMIT_EVENT);
}

/* What of the unfinished event the app may get before it is whole. */
static size_t passes_soon(const struct relay *relay)
{
    return relay->translation == NULL ? events_held(&relay->events) : 0;
}

/* Runs of events that go on unchanged; contiguous bytes are one piece. */
struct run {
    struct call *call;
    struct buf *text; /* of a translation: written meanwhile */
    struct span pieces[RELAY_PIECES_MAX];
    size_t count;
};

static void run_flush(struct run *run)
{
    struct relay *relay = &run->call->relay;

    if (run->text != NULL && run->text->len > 0) {
        must(run->count == 0);
        run->pieces[run->count++] = buf_span(run->text);
    }

    if (run->call->conn == NULL) { /* read for its usage alone */
        run->count = 0;
        if (run->text != NULL) {
            buf_clear(run->text);
        }
    }
    if (run->count == 0) {
        return;
    }
    if (relay->is_open) {
        relay_send(run->call, span_make(NULL, 0), run->pieces, run->count);
    } else {
        for (size_t i = 0; i < run->count; i++) {
            buf_put(&relay->held, run->pieces[i]);
        }
    }
    run->count = 0;
    if (run->text != NULL) {
        buf_clear(run->text);
    }
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
    if (run->count == RELAY_PIECES_MAX) {
        run_flush(run);
    }
    run->pieces[run->count++] = bytes;
}

/* A provider's error inside a stream that has begun: the same words, no secrets. Where the stream
 * may go on elsewhere it is told only when nobody does. */
static void add_error(struct call *call, struct run *run, struct span raw)
{
    struct relay *relay = &call->relay;
    struct buf *text = &call->env->scratch->text;

    buf_clear(text);
    buf_put(text, raw);
    reply_cover(call, text);
    if (call_can_resume(call)) {
        run_flush(run);
        buf_clear(&relay->held);
        buf_put(&relay->held, buf_span(text));
        relay->has_error = !relay->held.failed;
        return;
    }
    run_add(run, buf_span(text));
    run_flush(run);
    relay->stream.saw_terminal = true; /* the provider has ended it in the dialect's own form */
}

/* An event of a stream that may go on elsewhere, or does. False: it cannot be passed on. */
static bool follow_event(struct call *call, struct run *run, const struct sse_event *event,
                         struct event_view *view)
{
    struct buf *text = &call->env->scratch->text;

    switch (call_resume_event(call, event, view, text)) {
    case RESUME_PASS: run_add(run, event->raw); return true;
    case RESUME_DROP: view->is_content = false; return true;
    case RESUME_PUT:
        run_add(run, buf_span(text));
        run_flush(run);
        return true;
    case RESUME_BROKEN:
        run_flush(run);
        call_event(call, EVENT_ENDED, OUTCOME_BAD_BODY);
        return false;
    }
    UNREACHABLE();
}

/* An event of another dialect: what the app gets for it waits in run->text until this read is through. False: the
 * attempt has failed. */
static bool translate_event(struct call *call, struct run *run, const struct sse_event *event)
{
    if (call->conn == NULL) { /* read for its usage alone */
        return true;
    }
    if (!call_translate_event(call, event, run->text)) {
        run_flush(run);
        call_event(call, EVENT_ENDED, OUTCOME_STREAM_ERROR);
        return false;
    }
    return true;
}

void relay_keep_usage(struct relay *relay, struct span usage)
{
    buf_clear(&relay->usage_raw);
    if (usage.len <= RECORD_RAW_MAX) {
        buf_put(&relay->usage_raw, usage);
    }
}

/* Whether the provider's last word ends an answer. What is translated needs the reason for it (translation.md 12), or
 * one that was cut would be told as complete. An app of this dialect gets the same words and judges them itself, once
 * anything was said. */
static bool is_end(const struct relay *relay)
{
    return relay->stream.saw_finish || (relay->translation == NULL && relay->stream.saw_content);
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
    relay->stream.operation->read_event(&relay->stream, call->env->scratch->scan, event, &view);
    view.is_content = view.is_content || event->is_piece;
    relay->saw_event = relay->saw_event || event->has_data || event->is_piece;
    if (view.is_error && !relay->is_open) {
        run->count = 0;
        relay_failed_early(call, &view, event->data);
        return false;
    }
    if (view.is_error) {
        if (relay->translation == NULL && !view.is_odd) {
            add_error(call, run, event->raw);
        } else { /* in our words */
            run_flush(run); /* what came before it in the same read */
            relay->told = call_translate_kind(call, &view.error);
        }
        call_event(call, EVENT_ENDED, OUTCOME_STREAM_ERROR);
        return false;
    }
    if (relay->stream.saw_terminal && !is_end(relay)) {
        relay->stream.saw_terminal = false;
        run_flush(run);
        call_event(call, EVENT_ENDED, OUTCOME_TRUNCATED);
        return false;
    }
    if (view.is_usage && view.usage.len > 0) {
        relay_keep_usage(relay, view.usage);
    }
    if (relay->is_open && relay->stream.saw_terminal && call->env->ports->is_power) {
        call_wait_for_end(call); /* before it is given to the connection */
    }
    if (relay->translation != NULL) {
        if (!translate_event(call, run, event)) {
            return false;
        }
    } else if (relay->is_followed && !view.hide) {
        if (!follow_event(call, run, event, &view)) {
            return false;
        }
    } else if (!view.hide) {
        run_add(run, event->raw);
    }
    *is_content = *is_content || view.is_content;
    return true;
}

/* How much of an answer a stream has brought: as told, else by its bytes. What Anthropic tells at
 * the beginning stands until the end (anthropic.md 6), so that the larger one counts. */
static int64_t tokens_so_far(const struct relay *relay)
{
    int64_t told = relay->stream.meter.told[USAGE_OUTPUT];
    int64_t guess = (int64_t)estimate_input(relay->held.len) / EVENT_OVERHEAD;

    return told > guess ? told : guess;
}

/* Content came and the gate is shut: the dispatch hears of the first, and of enough. */
static void content_behind_gate(struct call *call)
{
    struct relay *relay = &call->relay;
    const struct commit_rule *rule = &call->plan.rules->commit;

    if (!relay->has_content) {
        relay->has_content = true;
        call->facts.content_us = loop_micros(call->env->loop);
        call_event(call, EVENT_CONTENT, OUTCOME_OK);
    }
    if (rule->mode == COMMIT_TOKENS && !relay->is_open && !call->is_closed &&
        tokens_so_far(relay) >= (int64_t)rule->value) {
        call_event(call, EVENT_READY, OUTCOME_OK);
    }
}

static struct run run_of(struct call *call)
{
    struct run run = {.call = call};

    if (call->relay.translation != NULL) {
        run.text = &call->env->scratch->events;
        buf_clear(run.text);
    }
    return run;
}

void relay_stream_bytes(struct call *call, struct span bytes)
{
    struct relay *relay = &call->relay;
    struct run run = run_of(call);
    struct sse_event event;
    struct span all = bytes;
    bool is_content = false;
    bool was_terminal = relay->stream.saw_terminal;
    enum sse_step step = SSE_MORE;

    while ((step = events_feed(&relay->events, &bytes, &event)) == SSE_EVENT) {
        if (!take_event(call, &run, &event, &is_content)) {
            return;
        }
        if (relay->translation == NULL && (event.raw.at < all.at || event.raw.at >= all.at + all.len)) {
            run_flush(&run); /* it lies in the scanner's memory, which the next feed uses again */
        }
        if (run.text != NULL && run.text->len > LIMIT_RECV) {
            run_flush(&run);
        }
        if (is_content && !relay->is_open) {
            /* Now, not after the loop: what one read brings must not change what comes of it. */
            run_flush(&run);
            if (relay->held.failed) { /* told below: what is not whole must not go out */
                break;
            }
            content_behind_gate(call);
        }
    }
    run_flush(&run);
    dispatch_saw_bytes(&call->dispatch, call->number, loop_now(call->env->loop), is_content);
    if (is_content) {
        call_record_progress(call);
    }
    if (step == SSE_BROKEN) {
        call_event(call, EVENT_ENDED, OUTCOME_BAD_BODY);
        return;
    }
    if (step == SSE_TOO_LONG || step == SSE_NO_MEMORY || (!relay->is_open && relay->held.failed)) {
        call_event(call, EVENT_ENDED,
                   step == SSE_TOO_LONG || relay->held.len + LIMIT_RECV > relay->held.max
                       ? OUTCOME_TOO_LARGE
                       : OUTCOME_LOCAL);
        return;
    }
    if (!relay->is_open && relay->held.len + passes_soon(relay) > LIMIT_GATE &&
        call->plan.rules->commit.mode != COMMIT_COMPLETE) {
        call_event(call, EVENT_READY, OUTCOME_OK);
    }
    if (!was_terminal && relay->stream.saw_terminal && !call->is_closed) {
        if (call->env->ports->is_power) {
            call_wait_for_end(call); /* where the gate was shut until here */
        }
        call_event(call, EVENT_TERMINAL, OUTCOME_OK);
    }
}

void relay_on_bytes(struct call *call, struct span bytes)
{
    struct relay *relay = &call->relay;

    if (call->drain != NULL && !call_drain_takes(call, bytes.len)) {
        call_event(call, EVENT_ENDED, OUTCOME_TOO_LARGE);
        return;
    }
    switch (relay->mode) {
    case RELAY_NOTHING: return;
    case RELAY_STREAM: relay_stream_bytes(call, bytes); return;
    case RELAY_PASS:
        dispatch_saw_bytes(&call->dispatch, call->number, loop_now(call->env->loop), true);
        if (call->env->ports->is_power) {
            call_wait_at_length(call, bytes.len);
        }
        relay_send(call, span_make(NULL, 0), &bytes, 1);
        if (relay->is_copied) {
            buf_put(&relay->held, bytes);
        }
        return;
    case RELAY_WHOLE:
        dispatch_saw_bytes(&call->dispatch, call->number, loop_now(call->env->loop), false);
        buf_put(&relay->held, bytes);
        if (relay->held.failed) {
            call_event(call, EVENT_ENDED, OUTCOME_TOO_LARGE);
        }
        return;
    case RELAY_ERROR:
        dispatch_saw_bytes(&call->dispatch, call->number, loop_now(call->env->loop), false);
        if (bytes.len > LIMIT_ERROR_BODY - relay->held.len) {
            bytes.len = LIMIT_ERROR_BODY - relay->held.len;
        }
        buf_put(&relay->held, bytes);
        if (relay->held.len == LIMIT_ERROR_BODY) {
            call_event(call, EVENT_ENDED, relay_on_end(call, OUTCOME_OK));
        }
        return;
    }
}

/* ---- the end ---- */

/* Whether the unfinished event says that the answer is over. Else it is not shown, and a stream
 * that goes on elsewhere must not count it as shown. */
static bool ends_answer(const struct call *call, const struct sse_event *event)
{
    struct stream stream = call->relay.stream;
    struct event_view view = {0};

    stream.operation->read_event(&stream, call->env->scratch->scan, event, &view);
    return view.is_error || view.is_terminal || view.is_finish;
}

static enum outcome end_of_stream(struct call *call, enum outcome how)
{
    struct relay *relay = &call->relay;
    struct sse_event event;
    struct run run = run_of(call);
    bool is_content = false;
    bool had_finish = relay->stream.saw_finish;

    /* A last event without its blank line counts when it ends the answer, and is given one then. */
    if (!relay->stream.saw_terminal && events_finish(&relay->events, &event) && event.has_data &&
        (!relay->is_followed || ends_answer(call, &event))) {
        if (!take_event(call, &run, &event, &is_content)) {
            return OUTCOME_STREAM_ERROR;
        }
        if (relay->translation != NULL) {
            run_flush(&run);
        } else if (relay->stream.saw_terminal || relay->stream.saw_finish != had_finish) {
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

enum outcome relay_on_end(struct call *call, enum outcome how)
{
    switch (call->relay.mode) {
    case RELAY_NOTHING:
    case RELAY_PASS: return how;
    case RELAY_WHOLE: return relay_end_of_whole(call, how);
    case RELAY_STREAM: return end_of_stream(call, how);
    case RELAY_ERROR: return relay_end_of_error(call);
    }
    UNREACHABLE();
}
