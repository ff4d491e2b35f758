/* SPDX-License-Identifier: Apache-2.0 */
/* An answer out of the hub as the events of a stream (anthropic.md 6; translation.md 12, writer A). Blocks may not
 * interleave: while a call is open, text and the fragments of other calls wait until it is over. */
#include "wire/dialects/anthropic_messages.h"

enum { HELD_MAX = 32 * 1024 * 1024 }; /* what waits: more than any answer has */

#define NOWHERE SIZE_MAX

/* A call: where its pieces begin and end while it waits. The first two are its id and its name. */
struct held_call {
    size_t first;
    size_t last;
    bool has_ended;
};

/* In front of the bytes of each piece. */
struct held_piece {
    size_t next; /* of the same call */
    size_t len;
};

/* ---- what waits ---- */

static struct held_call call_at(const struct messages_writer *w, uint32_t call)
{
    struct held_call held;

    memcpy(&held, w->waiting.at + call * sizeof held, sizeof held);
    return held;
}

static void set_call(struct messages_writer *w, uint32_t call, const struct held_call *held)
{
    memcpy(w->waiting.at + call * sizeof *held, held, sizeof *held);
}

static void hold(struct messages_writer *w, uint32_t call, struct span bytes)
{
    const struct held_piece piece = {.next = NOWHERE, .len = bytes.len};
    struct held_call held = call_at(w, call);
    size_t at = w->pieces.len;

    buf_put(&w->pieces, span_make((const char *)&piece, sizeof piece));
    buf_put(&w->pieces, bytes);
    if (w->pieces.failed) {
        return;
    }
    if (held.first == NOWHERE) {
        held.first = at;
    } else {
        memcpy(w->pieces.at + held.last + offsetof(struct held_piece, next), &at, sizeof at);
    }
    held.last = at;
    set_call(w, call, &held);
}

/* The piece at `*at`, which then tells of the next one. */
static struct span take_piece(const struct messages_writer *w, size_t *at)
{
    struct held_piece piece;
    struct span bytes;

    if (*at == NOWHERE) {
        return span_make("", 0);
    }
    memcpy(&piece, w->pieces.at + *at, sizeof piece);
    bytes = span_make(w->pieces.at + *at + sizeof piece, piece.len);
    *at = piece.next;
    return bytes;
}

/* ---- events ---- */

/* Up to the type, with the comma for what follows. */
static void begin_event(struct buf *out, const char *name)
{
    buf_put_text(out, "event: ");
    buf_put_text(out, name);
    buf_put_text(out, "\ndata: {\"type\":\"");
    buf_put_text(out, name);
    buf_put_text(out, "\",");
}

static void begin_block_event(const struct messages_writer *w, struct buf *out, const char *name)
{
    begin_event(out, name);
    buf_put_text(out, "\"index\":");
    buf_put_u64(out, w->blocks - 1);
}

static void close_block(struct messages_writer *w, struct buf *out)
{
    if (w->open == MESSAGES_OPEN_NONE) {
        return;
    }
    begin_block_event(w, out, "content_block_stop");
    buf_put_text(out, "}\n\n");
    w->open = MESSAGES_OPEN_NONE;
}

static void open_block(struct messages_writer *w, struct buf *out, enum messages_open open)
{
    close_block(w, out);
    w->open = open;
    w->blocks++;
    begin_block_event(w, out, "content_block_start");
    buf_put_text(out, ",\"content_block\":");
}

static void open_text(struct messages_writer *w, struct buf *out)
{
    open_block(w, out, MESSAGES_OPEN_TEXT);
    buf_put_text(out, "{\"type\":\"text\",\"text\":\"\"}}\n\n");
}

static void put_delta(const struct messages_writer *w, struct buf *out, const char *head, struct span inside)
{
    begin_block_event(w, out, "content_block_delta");
    buf_put_text(out, head);
    buf_put(out, inside);
    buf_put_text(out, "\"}}\n\n");
}

static void put_text(struct messages_writer *w, struct buf *out, struct span inside)
{
    if (inside.len == 0) {
        return;
    }
    if (w->open != MESSAGES_OPEN_TEXT) {
        open_text(w, out);
    }
    put_delta(w, out, ",\"delta\":{\"type\":\"text_delta\",\"text\":\"", inside);
}

/* A null is told as it is in a whole message: what begins with it is nothing else. */
static void put_arguments(struct messages_writer *w, struct buf *out, struct span inside)
{
    if (!w->has_arguments && span_equal(inside, SPAN_OF("null"))) {
        inside = SPAN_OF("{}");
    }
    if (inside.len > 0) {
        w->has_arguments = true;
        put_delta(w, out, ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"", inside);
    }
}

static void open_call(struct messages_writer *w, struct chat_pipe *pipe, struct span id, struct span name)
{
    struct json_out json;

    open_block(w, pipe->out, MESSAGES_OPEN_CALL);
    json_out_init(&json, pipe->out);
    json_open_object(&json);
    json_key(&json, "type");
    json_text(&json, "tool_use");
    json_key(&json, "id");
    messages_put_call_id(&json, id, w->begun, pipe->terms);
    json_key(&json, "name");
    json_raw(&json, name.len > 0 ? name : SPAN_OF("\"\""));
    json_key(&json, "input");
    json_open_object(&json);
    json_close_object(&json);
    json_close_object(&json);
    buf_put_text(pipe->out, "}\n\n");
    w->begun++;
    w->has_arguments = false;
}

/* ---- calls, one behind the other ---- */

static bool is_open_call(const struct messages_writer *w, uint32_t call)
{
    return w->open == MESSAGES_OPEN_CALL && call + 1 == w->begun;
}

/* No call is open: what was said meanwhile, then the calls that wait, up to one that goes on. */
static void advance(struct messages_writer *w, struct chat_pipe *pipe)
{
    put_text(w, pipe->out, buf_span(&w->texts));
    buf_clear(&w->texts);
    while (w->open != MESSAGES_OPEN_CALL && w->begun < w->calls) {
        struct held_call held = call_at(w, w->begun);
        size_t at = held.first;
        struct span id = take_piece(w, &at);
        struct span name = take_piece(w, &at);

        open_call(w, pipe, id, name);
        while (at != NOWHERE) {
            put_arguments(w, pipe->out, take_piece(w, &at));
        }
        if (held.has_ended) {
            close_block(w, pipe->out);
        }
    }
}

static void write_call(struct messages_writer *w, const struct chat_event *event, struct chat_pipe *pipe)
{
    const struct held_call held = {.first = NOWHERE, .last = NOWHERE};

    buf_put(&w->waiting, span_make((const char *)&held, sizeof held));
    if (w->waiting.failed || event->call != w->calls) {
        return;
    }
    w->calls++;
    if (w->open == MESSAGES_OPEN_CALL) {
        hold(w, event->call, event->id);
        hold(w, event->call, event->name);
    } else {
        open_call(w, pipe, event->id, event->name);
    }
}

static void write_arguments(struct messages_writer *w, const struct chat_event *event, struct chat_pipe *pipe)
{
    if (is_open_call(w, event->call)) {
        put_arguments(w, pipe->out, event->text);
    } else if (event->call >= w->begun && event->call < w->calls && event->text.len > 0) {
        hold(w, event->call, event->text);
    }
}

static void write_call_end(struct messages_writer *w, const struct chat_event *event, struct chat_pipe *pipe)
{
    if (is_open_call(w, event->call)) {
        close_block(w, pipe->out);
        advance(w, pipe);
    } else if (event->call >= w->begun && event->call < w->calls) {
        struct held_call held = call_at(w, event->call);

        held.has_ended = true;
        set_call(w, event->call, &held);
    }
}

/* ---- the message ---- */

/* The figures are those of the provider where it tells them so early, else an estimate; the last event has the true
 * ones, which both of the dialect's readers take then (sdk-clients.md 4). */
static void write_start(struct messages_writer *w, const struct chat_event *event, struct chat_pipe *pipe)
{
    struct json_out json;

    buf_init(&w->waiting, HELD_MAX);
    buf_init(&w->pieces, HELD_MAX);
    buf_init(&w->texts, HELD_MAX);
    begin_event(pipe->out, "message_start");
    json_out_init(&json, pipe->out);
    json_key(&json, "message");
    json_open_object(&json);
    json_key(&json, "id");
    messages_put_id(&json, event->id, pipe->terms);
    json_key(&json, "type");
    json_text(&json, "message");
    json_key(&json, "role");
    json_text(&json, "assistant");
    json_key(&json, "model");
    json_raw(&json, chat_inside(event->name).len > 0 ? event->name : pipe->terms->model);
    json_key(&json, "content");
    json_raw(&json, SPAN_OF("[]"));
    json_key(&json, "stop_reason");
    json_null(&json);
    json_key(&json, "stop_sequence");
    json_null(&json);
    messages_put_usage(&json, &pipe->usage, pipe->terms);
    json_close_object(&json);
    buf_put_text(pipe->out, "}\n\n");
}

static void write_text(struct messages_writer *w, const struct chat_event *event, struct chat_pipe *pipe)
{
    w->has_refused |= event->kind == CHAT_EVENT_REFUSAL;
    if (w->open == MESSAGES_OPEN_CALL) {
        buf_put(&w->texts, event->text);
    } else {
        put_text(w, pipe->out, event->text);
    }
}

static void write_end(struct messages_writer *w, const struct chat_event *event, struct chat_pipe *pipe)
{
    enum chat_finish finish = w->has_refused ? CHAT_FINISH_FILTERED : w->finish;
    struct json_out json;

    (void)event;
    do { /* a call that nobody ended is over now */
        close_block(w, pipe->out);
        advance(w, pipe);
    } while (w->open == MESSAGES_OPEN_CALL);
    if (w->blocks == 0) {
        open_text(w, pipe->out);
    }
    close_block(w, pipe->out);
    begin_event(pipe->out, "message_delta");
    json_out_init(&json, pipe->out);
    json_key(&json, "delta");
    json_open_object(&json);
    json_key(&json, "stop_reason");
    json_string(&json, messages_finish_word(finish));
    json_key(&json, "stop_sequence");
    json_null(&json);
    json_close_object(&json);
    messages_put_usage(&json, &pipe->usage, pipe->terms);
    buf_put_text(pipe->out, "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

static void write_finish(struct messages_writer *w, const struct chat_event *event, struct chat_pipe *pipe)
{
    (void)pipe;
    w->finish = event->finish;
}

/* Reasoning is left out: see anthropic_messages_write_answer.c. */
static void write_nothing(struct messages_writer *w, const struct chat_event *event, struct chat_pipe *pipe)
{
    (void)w;
    (void)event;
    (void)pipe;
}

void messages_write_event(void *state, const struct chat_event *event, struct chat_pipe *pipe)
{
    static void (*const writers[])(struct messages_writer *w, const struct chat_event *event,
                                   struct chat_pipe *pipe) = {
        [CHAT_EVENT_START] = write_start,         [CHAT_EVENT_TEXT] = write_text,
        [CHAT_EVENT_REFUSAL] = write_text,        [CHAT_EVENT_REASON] = write_nothing,
        [CHAT_EVENT_CALL] = write_call,           [CHAT_EVENT_ARGUMENTS] = write_arguments,
        [CHAT_EVENT_CALL_END] = write_call_end,   [CHAT_EVENT_FINISH] = write_finish,
        [CHAT_EVENT_END] = write_end,             [CHAT_EVENT_FAIL] = write_nothing,
    };
    struct messages_writer *w = state;

    writers[event->kind](w, event, pipe);
    pipe->out->failed |= w->waiting.failed || w->pieces.failed || w->texts.failed;
}

void messages_end_writer(void *state)
{
    struct messages_writer *w = state;

    buf_fini(&w->waiting);
    buf_fini(&w->pieces);
    buf_fini(&w->texts);
}
