/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of other dialects as Google's (gemini.md 4 to 6; translation.md 11 and 12, "Writer G"). In a stream
 * each piece of text is a chunk; a call is kept until it is over and then sent whole, since Google's have no
 * fragments; reason and usage come in one last chunk. Chunks have no names and there is no [DONE]. */
#include "wire/dialects/gemini_generate.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/must.h"
#include "wire/answer.h"
#include "wire/json_scan.h"

/* ---- what both forms have ---- */

/* The one word for calls, stop strings and plain ends is STOP (translation.md 10). */
static const char *finish_word(enum chat_finish finish)
{
    switch (finish) {
    case CHAT_FINISH_NONE:
    case CHAT_FINISH_STOP:
    case CHAT_FINISH_STOP_TEXT:
    case CHAT_FINISH_CALLS:
    case CHAT_FINISH_UNKNOWN: return "STOP";
    case CHAT_FINISH_LENGTH:
    case CHAT_FINISH_WINDOW:
    case CHAT_FINISH_PAUSED: return "MAX_TOKENS";
    case CHAT_FINISH_FILTERED: return "SAFETY";
    case CHAT_FINISH_FAULT: return "OTHER";
    }
    UNREACHABLE();
}

static void open_response(struct json_out *out)
{
    json_open_object(out);
    json_key(out, "candidates");
    json_open_array(out);
    json_open_object(out);
    json_key(out, "content");
    json_open_object(out);
    json_key(out, "parts");
    json_open_array(out);
}

/* `finish` NULL: more is to come. */
static void close_candidate(struct json_out *out, const char *finish)
{
    json_close_array(out);
    json_key(out, "role");
    json_text(out, "model");
    json_close_object(out);
    if (finish != NULL) {
        json_key(out, "finishReason");
        json_text(out, finish);
    }
    json_key(out, "index");
    json_i64(out, 0);
    json_close_object(out);
    json_close_array(out);
}

/* `text`: the inside of a string. */
static void write_text(struct json_out *out, struct span text, bool is_thought)
{
    json_open_object(out);
    json_key(out, "text");
    json_raw(out, SPAN_OF("\""));
    buf_put(out->buf, text);
    buf_put_char(out->buf, '"');
    if (is_thought) {
        json_key(out, "thought");
        json_bool(out, true);
    }
    json_close_object(out);
}

static void write_call(struct json_out *out, struct span id, struct span name, struct span args)
{
    json_open_object(out);
    json_key(out, "functionCall");
    json_open_object(out);
    if (chat_inside(id).len > 0) {
        json_key(out, "id");
        json_raw(out, id);
    }
    json_key(out, "name");
    json_raw(out, json_is_string(name) ? name : SPAN_OF("\"\""));
    json_key(out, "args");
    json_raw(out, span_make("", 0)); /* the comma; the line breaks of the object become blanks */
    answer_put_line(out->buf, args);
    json_close_object(out);
    json_close_object(out);
}

static void write_count(struct json_out *out, const char *key, int64_t count)
{
    json_key(out, key);
    json_i64(out, count);
}

/* translation.md 11: cached input is part of the prompt, thoughts are no part of the candidates. Figures that
 * nobody told are left out: an app takes zero for free. */
static void write_usage(struct json_out *out, const struct usage *usage)
{
    int64_t input = usage_input_all(usage);
    int64_t output = usage_output_all(usage);
    int64_t reasoning = usage->reasoning > 0 ? usage->reasoning : 0;

    if (input < 0 && output < 0) {
        return;
    }
    if (output >= 0 && reasoning > output) {
        reasoning = output;
    }
    json_key(out, "usageMetadata");
    json_open_object(out);
    if (input >= 0) {
        write_count(out, "promptTokenCount", input);
    }
    if (usage->tokens[TOKENS_CACHE_READ] > 0) {
        write_count(out, "cachedContentTokenCount", usage->tokens[TOKENS_CACHE_READ]);
    }
    if (output >= 0) {
        write_count(out, "candidatesTokenCount", output - reasoning);
        if (reasoning > 0) {
            write_count(out, "thoughtsTokenCount", reasoning);
        }
    }
    write_count(out, "totalTokenCount", usage_tokens(usage));
    json_close_object(out);
}

/* An id that nobody gave: the seed in sixteen digits. */
static void write_id(struct json_out *out, struct span id, uint64_t seed)
{
    static const char digits[] = "0123456789abcdef";

    json_key(out, "responseId");
    if (chat_inside(id).len > 0) {
        json_raw(out, id);
        return;
    }
    json_raw(out, SPAN_OF("\""));
    for (unsigned shift = 64; shift > 0; shift -= 4) {
        buf_put_char(out->buf, digits[seed >> (shift - 4) & 15]);
    }
    buf_put_char(out->buf, '"');
}

static void close_response(struct json_out *out, struct span model, struct span id,
                           const struct chat_terms *terms)
{
    if (chat_inside(model).len == 0) {
        model = terms->model;
    }
    if (chat_inside(model).len > 0) {
        json_key(out, "modelVersion");
        json_raw(out, model);
    }
    write_id(out, id, terms->seed);
    json_close_object(out);
}

/* ---- a whole answer ---- */

void gemini_generate_write_answer(const struct chat_answer *answer, const struct chat_terms *terms,
                           struct json_out *out)
{
    open_response(out);
    if (terms->shows_thinking && chat_inside(answer->reasoning).len > 0) {
        write_text(out, chat_inside(answer->reasoning), true);
    }
    for (const struct chat_part *part = answer->turn.parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_TEXT) {
            write_text(out, chat_inside(part->text), false);
        } else if (part->kind == CHAT_CALL) {
            write_call(out, part->id, part->name,
                       json_is_object(part->input) ? part->input : SPAN_OF("{}"));
        }
    }
    /* Without anything else there is one empty text: some apps read the first part unasked. */
    if (answer->turn.parts == NULL || chat_inside(answer->refusal).len > 0) {
        write_text(out, chat_inside(answer->refusal), false);
    }
    close_candidate(out, finish_word(answer->finish));
    write_usage(out, &answer->usage);
    close_response(out, answer->model, answer->id, terms);
}

/* ---- a stream ---- */

struct gemini_generate_call {
    uint32_t number;
    size_t id_len;         /* of `head` */
    struct buf head;       /* id and name, strings */
    struct buf arguments;  /* their JSON inside of a string, which has its first quote */
    struct gemini_generate_call *next;
};

static void open_chunk(struct json_out *out, struct buf *buf)
{
    buf_put_text(buf, "data: ");
    json_out_init(out, buf);
    open_response(out);
}

static void close_chunk(struct json_out *out, const struct gemini_generate_writer *writer,
                        const struct chat_pipe *pipe)
{
    close_response(out, span_make(writer->model, writer->model_len),
                   span_make(writer->id, writer->id_len), pipe->terms);
    buf_put_text(out->buf, "\n\n");
}

/* One that is too long is taken for none. */
static uint16_t keep_name(char room[GENERATE_ID_MAX], struct span string)
{
    if (string.len > GENERATE_ID_MAX) {
        return 0;
    }
    if (string.len > 0) {
        memcpy(room, string.at, string.len);
    }
    return (uint16_t)string.len;
}

static void write_text_chunk(const struct gemini_generate_writer *writer, const struct chat_event *event,
                             struct chat_pipe *pipe)
{
    struct json_out out;

    open_chunk(&out, pipe->out);
    write_text(&out, event->text, event->kind == CHAT_EVENT_REASON);
    close_candidate(&out, NULL);
    close_chunk(&out, writer, pipe);
}

static struct gemini_generate_call **call_at(struct gemini_generate_writer *writer, uint32_t number)
{
    struct gemini_generate_call **at = &writer->calls;

    while (*at != NULL && (*at)->number != number) {
        at = &(*at)->next;
    }
    return at;
}

static void give_call(struct gemini_generate_writer *writer, struct gemini_generate_call **at)
{
    struct gemini_generate_call *call = *at;

    *at = call->next;
    writer->calls_count--;
    writer->held -= call->arguments.len;
    buf_fini(&call->head);
    buf_fini(&call->arguments);
    mem_give(call, sizeof *call);
}

static void begin_call(struct gemini_generate_writer *writer, const struct chat_event *event,
                       struct chat_pipe *pipe)
{
    struct gemini_generate_call **at = call_at(writer, event->call);
    struct gemini_generate_call *call =
        *at == NULL && writer->calls_count < CHAT_CALLS_MAX ? mem_take_zero(sizeof *call) : NULL;

    if (call == NULL) {
        pipe->has_failed = true;
        return;
    }
    *at = call;
    writer->calls_count++;
    call->number = event->call;
    buf_init(&call->head, LIMIT_EVENT_HELD);
    buf_init(&call->arguments, LIMIT_EVENT_HELD);
    buf_put(&call->head, event->id);
    call->id_len = call->head.len;
    buf_put(&call->head, event->name);
    buf_put_char(&call->arguments, '"');
    writer->held += call->arguments.len;
    pipe->has_failed = pipe->has_failed || call->head.failed || call->arguments.failed;
}

/* All calls that are open hold together no more than one event may. */
static void add_arguments(struct gemini_generate_writer *writer, const struct chat_event *event,
                          struct chat_pipe *pipe)
{
    struct gemini_generate_call *call = *call_at(writer, event->call);
    size_t before = 0;

    if (call == NULL) {
        return;
    }
    before = call->arguments.len;
    if (writer->held + event->text.len <= LIMIT_EVENT_HELD) {
        buf_put(&call->arguments, event->text);
    }
    writer->held += call->arguments.len - before;
    if (call->arguments.len - before < event->text.len) {
        pipe->has_failed = true;
    }
}

static void write_call_chunk(const struct gemini_generate_writer *writer, struct gemini_generate_call *call,
                             struct span args, struct chat_pipe *pipe)
{
    struct span head = buf_span(&call->head);
    struct json_out out;

    open_chunk(&out, pipe->out);
    write_call(&out, span_make(head.at, call->id_len), span_from(head, call->id_len), args);
    close_candidate(&out, NULL);
    close_chunk(&out, writer, pipe);
}

/* The fragments together are JSON as the model wrote it, good or not: only an object becomes `args`, anything else
 * goes on as {"arguments": "..."} (translation.md 3). */
static void end_call(struct gemini_generate_writer *writer, const struct chat_event *event,
                     struct chat_pipe *pipe)
{
    struct gemini_generate_call **at = call_at(writer, event->call);
    struct json_scan *scan = NULL;
    struct arena arena;
    struct chat chat;
    struct span args;
    bool is_good = false;

    if (*at == NULL) {
        return;
    }
    scan = json_scan_new();
    arena_init(&arena, (size_t)4 * LIMIT_EVENT_HELD);
    chat_init(&chat, &arena, scan, false);
    writer->held -= (*at)->arguments.len;
    buf_put_char(&(*at)->arguments, '"');
    writer->held += (*at)->arguments.len;
    args = chat_arguments(&chat, buf_span(&(*at)->arguments), &is_good);
    if (scan == NULL || arena.failed || (*at)->arguments.failed) {
        pipe->has_failed = true;
    } else {
        write_call_chunk(writer, *at, args, pipe);
    }
    give_call(writer, at);
    arena_fini(&arena);
    json_scan_free(scan);
}

static void write_last_chunk(const struct gemini_generate_writer *writer, struct chat_pipe *pipe)
{
    struct json_out out;

    open_chunk(&out, pipe->out);
    write_text(&out, span_make("", 0), false);
    close_candidate(&out, finish_word(pipe->finish));
    write_usage(&out, &pipe->usage);
    close_chunk(&out, writer, pipe);
}

void gemini_generate_write_event(void *memory, const struct chat_event *event, struct chat_pipe *pipe)
{
    struct gemini_generate_writer *writer = memory;

    switch (event->kind) {
    case CHAT_EVENT_START:
        writer->id_len = keep_name(writer->id, event->id);
        writer->model_len = keep_name(writer->model, event->name);
        return;
    case CHAT_EVENT_REASON:
        if (pipe->terms->shows_thinking) {
            write_text_chunk(writer, event, pipe);
        }
        return;
    case CHAT_EVENT_TEXT:
    case CHAT_EVENT_REFUSAL: write_text_chunk(writer, event, pipe); return;
    case CHAT_EVENT_CALL: begin_call(writer, event, pipe); return;
    case CHAT_EVENT_ARGUMENTS: add_arguments(writer, event, pipe); return;
    case CHAT_EVENT_CALL_END: end_call(writer, event, pipe); return;
    case CHAT_EVENT_FINISH: return; /* pipe->finish has it until the end */
    case CHAT_EVENT_END: write_last_chunk(writer, pipe); return;
    case CHAT_EVENT_FAIL: return;
    }
}

void gemini_generate_end_writer(void *memory)
{
    struct gemini_generate_writer *writer = memory;

    while (writer->calls != NULL) {
        give_call(writer, &writer->calls);
    }
}

const struct translator gemini_generate_translator = {
    .read_request = gemini_generate_read_request,
    .write_request = gemini_generate_write_request,
    .read_answer = gemini_generate_read_answer,
    .write_answer = gemini_generate_write_answer,
    .reader_size = sizeof(struct gemini_generate_reader),
    .read_event = gemini_generate_read_event,
    .read_end = gemini_generate_read_end,
    .writer_size = sizeof(struct gemini_generate_writer),
    .write_event = gemini_generate_write_event,
    .end_writer = gemini_generate_end_writer,
};
