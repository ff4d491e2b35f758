/* SPDX-License-Identifier: Apache-2.0 */
/* Events as the stream of a chat completion (openai.md 5; translation.md 12, writer O). Each chunk has the same id,
 * time and model. A chunk with usage comes only when the app has asked for it: programs that take choices[0] of every
 * chunk break on one without choices. The translator's row is here too. */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "wire/dialects/openai.h"

/* The name that the provider gives the model: the one that really answers (translation.md 9). */
static void keep_start(struct openai_chat_writer *writer, const struct chat_event *event, const struct chat_pipe *pipe)
{
    writer->id_len = (uint16_t)openai_chat_make_id(writer->id, event->id, pipe->terms->seed);
    if (event->name.len > 2 && event->name.len <= sizeof writer->model) {
        memcpy(writer->model, event->name.at, event->name.len);
        writer->model_len = (uint16_t)event->name.len;
    }
}

/* ---- the frame of a chunk ---- */

static void open_chunk(const struct openai_chat_writer *writer, struct json_out *out, const struct chat_pipe *pipe)
{
    json_out_init(out, pipe->out);
    buf_put_text(pipe->out, "data: ");
    json_open_object(out);
    json_key(out, "id");
    json_string(out, span_make(writer->id, writer->id_len));
    json_key(out, "object");
    json_text(out, "chat.completion.chunk");
    json_key(out, "created");
    json_i64(out, pipe->terms->created);
    json_key(out, "model");
    json_raw(out, writer->model_len > 0 ? span_make(writer->model, writer->model_len) : pipe->terms->model);
    json_key(out, "choices");
    json_open_array(out);
}

static void close_chunk(struct json_out *out)
{
    json_close_object(out);
    buf_put_text(out->buf, "\n\n");
}

static void open_delta(const struct openai_chat_writer *writer, struct json_out *out, const struct chat_pipe *pipe)
{
    open_chunk(writer, out, pipe);
    json_open_object(out);
    json_key(out, "index");
    json_i64(out, 0);
    json_key(out, "delta");
    json_open_object(out);
}

static void close_delta(struct json_out *out, const char *finish, const struct chat_pipe *pipe)
{
    json_close_object(out);
    json_key(out, "finish_reason");
    if (finish == NULL) {
        json_null(out);
    } else {
        json_text(out, finish);
    }
    json_close_object(out);
    json_close_array(out);
    if (pipe->terms->wants_usage) {
        json_key(out, "usage");
        json_null(out);
    }
    close_chunk(out);
}

/* ---- events ---- */

static void put_inside(struct json_out *out, const char *key, struct span inside)
{
    json_key(out, key);
    json_raw(out, SPAN_OF("\""));
    buf_put(out->buf, inside);
    buf_put_char(out->buf, '"');
}

static void write_start(const struct openai_chat_writer *writer, const struct chat_pipe *pipe)
{
    struct json_out out;

    open_delta(writer, &out, pipe);
    json_key(&out, "role");
    json_text(&out, "assistant");
    put_inside(&out, "content", span_make(NULL, 0));
    close_delta(&out, NULL, pipe);
}

static void write_text(const struct openai_chat_writer *writer, const char *key, struct span text,
                       const struct chat_pipe *pipe)
{
    struct json_out out;

    if (text.len > 0) {
        open_delta(writer, &out, pipe);
        put_inside(&out, key, text);
        close_delta(&out, NULL, pipe);
    }
}

/* Up to the function's members. The older form has neither list nor id. */
static void open_call(struct json_out *out, const struct chat_event *event, bool is_legacy)
{
    if (is_legacy) {
        json_key(out, "function_call");
        json_open_object(out);
        return;
    }
    json_key(out, "tool_calls");
    json_open_array(out);
    json_open_object(out);
    json_key(out, "index");
    json_i64(out, event->call);
    if (event->kind == CHAT_EVENT_CALL) {
        json_key(out, "id");
        json_raw(out, event->id);
        json_key(out, "type");
        json_text(out, "function");
    }
    json_key(out, "function");
    json_open_object(out);
}

static void close_call(struct json_out *out, bool is_legacy)
{
    json_close_object(out);
    if (!is_legacy) {
        json_close_object(out);
        json_close_array(out);
    }
}

/* The older form has room for one call. */
static void write_call(const struct openai_chat_writer *writer, const struct chat_event *event,
                       const struct chat_pipe *pipe)
{
    bool is_legacy = pipe->terms->is_legacy;
    struct json_out out;

    if ((is_legacy && event->call > 0) || (event->kind == CHAT_EVENT_ARGUMENTS && event->text.len == 0)) {
        return;
    }
    open_delta(writer, &out, pipe);
    open_call(&out, event, is_legacy);
    if (event->kind == CHAT_EVENT_CALL) {
        json_key(&out, "name");
        json_raw(&out, event->name);
    }
    put_inside(&out, "arguments", event->kind == CHAT_EVENT_CALL ? span_make(NULL, 0) : event->text);
    close_call(&out, is_legacy);
    close_delta(&out, NULL, pipe);
}

static void write_finish(const struct openai_chat_writer *writer, enum chat_finish finish, const struct chat_pipe *pipe)
{
    struct json_out out;

    open_delta(writer, &out, pipe);
    close_delta(&out, openai_chat_finish_word(finish, pipe->terms->is_legacy), pipe);
}

static void write_end(const struct openai_chat_writer *writer, const struct chat_pipe *pipe)
{
    struct json_out out;

    if (pipe->terms->wants_usage && openai_has_usage(&pipe->usage)) {
        open_chunk(writer, &out, pipe);
        json_close_array(&out);
        json_key(&out, "usage");
        openai_put_usage(&out, &pipe->usage);
        close_chunk(&out);
    }
    buf_put_text(pipe->out, "data: [DONE]\n\n");
}

void openai_chat_write_event(void *memory, const struct chat_event *event, struct chat_pipe *pipe)
{
    struct openai_chat_writer *writer = memory;

    switch (event->kind) {
    case CHAT_EVENT_START:
        keep_start(writer, event, pipe);
        write_start(writer, pipe);
        return;
    case CHAT_EVENT_TEXT: write_text(writer, "content", event->text, pipe); return;
    case CHAT_EVENT_REFUSAL: write_text(writer, "refusal", event->text, pipe); return;
    case CHAT_EVENT_REASON:
        if (pipe->terms->shows_thinking) {
            write_text(writer, "reasoning_content", event->text, pipe);
        }
        return;
    case CHAT_EVENT_CALL:
    case CHAT_EVENT_ARGUMENTS: write_call(writer, event, pipe); return;
    case CHAT_EVENT_CALL_END: return; /* it ends with the answer */
    case CHAT_EVENT_FINISH: write_finish(writer, event->finish, pipe); return;
    case CHAT_EVENT_END: write_end(writer, pipe); return;
    case CHAT_EVENT_FAIL: return; /* told by the shell */
    }
}

const struct translator openai_chat_translator = {
    .read_request = openai_chat_take_request,
    .write_request = openai_chat_write_request,
    .read_answer = openai_chat_take_answer,
    .write_answer = openai_chat_write_answer,
    .reader_size = sizeof(struct openai_chat_reader),
    .read_event = openai_chat_take_event,
    .read_end = openai_chat_take_end,
    .writer_size = sizeof(struct openai_chat_writer),
    .write_event = openai_chat_write_event,
};
