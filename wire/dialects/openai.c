/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAI dialect: its operations and its way to say no (openai.md 10; conventions.md 1.5,
 * 1.6). */
#include "wire/dialects/openai.h"

#include "wire/json_out.h"

/* A message of ours is one sentence and a hint. */
enum { MESSAGE_MAX = 4096 };

static const struct operation operations[] = {
    {.name = "chat",
     .path = SPAN("/chat/completions"),
     .kind = OPERATION_CALL,
     .input_holds_cache = true,
     .sends_done = true,
     .read_request = openai_chat_request,
     .cap = "max_completion_tokens",
     .cap_elsewhere = "max_tokens",
     .edits = openai_chat_edits,
     .read_answer = openai_chat_answer,
     .unfold = openai_chat_unfold,
     .read_event = openai_chat_event,
     .resume = &openai_chat_resume,
     .translator = &openai_chat_translator},
    {.name = "responses",
     .path = SPAN("/responses"),
     .kind = OPERATION_CALL,
     .input_holds_cache = true,
     .read_request = openai_responses_request,
     .cap = "max_output_tokens",
     .edits = openai_model_edits,
     .read_answer = openai_responses_answer,
     .read_event = openai_responses_event,
     .translator = &openai_responses_translator},
    {.name = "completions",
     .path = SPAN("/completions"),
     .kind = OPERATION_CALL,
     .input_holds_cache = true,
     .sends_done = true,
     .read_request = openai_completions_request,
     .cap = "max_tokens",
     .edits = openai_chat_edits,
     .read_answer = openai_chat_answer,
     .read_event = openai_chat_event},
    {.name = "embeddings",
     .path = SPAN("/embeddings"),
     .kind = OPERATION_CALL,
     .input_holds_cache = true,
     .read_request = openai_embeddings_request,
     .edits = openai_model_edits,
     .read_answer = openai_embeddings_answer},
    {.name = "models", .path = SPAN("/models"), .kind = OPERATION_MODELS},
    {.name = NULL},
};

/* {"message","type","param","code"}, the member "error" of a body or of an event. */
static void put_error(struct json_out *json, const struct refusal *refusal)
{
    const struct refusal_row *row = refusal_row(refusal->kind);
    struct buf message;

    buf_init(&message, MESSAGE_MAX);
    refusal_message(refusal, &message);
    json_open_object(json);
    json_key(json, "error");
    json_open_object(json);
    json_key(json, "message");
    json_string(json, buf_span(&message));
    json_key(json, "type");
    json_text(json, row->openai_type);
    json_key(json, "param");
    if (refusal->param == NULL) {
        json_null(json);
    } else {
        json_text(json, refusal->param);
    }
    json_key(json, "code");
    json_text(json, row->code);
    json_close_object(json);
    json_close_object(json);
    json->buf->failed |= message.failed;
    buf_fini(&message);
}

static void write_error(struct buf *out, const struct refusal *refusal, struct span id)
{
    struct json_out json;

    (void)id; /* told in a header alone */
    json_out_init(&json, out);
    put_error(&json, refusal);
}

/* Chat clients raise on a top-level error and then want no [DONE]; clients of Responses need the
 * failed response, a bare error event is ignored by some. */
static void write_stream_error(struct buf *out, const struct stream *stream,
                               const struct refusal *refusal)
{
    struct buf message;

    if (stream->operation->sends_done) {
        buf_put_text(out, "data: ");
        write_error(out, refusal, span_make(NULL, 0));
        buf_put_text(out, "\n\n");
        return;
    }
    buf_init(&message, MESSAGE_MAX);
    refusal_message(refusal, &message);
    openai_responses_failed(out, stream, refusal_row(refusal->kind)->code, buf_span(&message));
    out->failed |= message.failed;
    buf_fini(&message);
}

static void write_stream_end(struct buf *out, const struct stream *stream)
{
    /* The last event of Responses holds the whole answer: nobody but the provider can write it. */
    if (stream->operation->sends_done) {
        buf_put_text(out, "data: [DONE]\n\n");
    }
}

static void write_models(struct buf *out, const struct span *routes, size_t count,
                         struct span listed)
{
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "object");
    json_text(&json, "list");
    json_key(&json, "data");
    json_open_array(&json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(&json);
        json_key(&json, "id");
        json_string(&json, routes[i]);
        json_key(&json, "object");
        json_text(&json, "model");
        json_key(&json, "created");
        json_i64(&json, 0);
        json_key(&json, "owned_by");
        json_text(&json, "headgate");
        json_close_object(&json);
    }
    if (listed.len > 0) {
        json_raw(&json, listed);
    }
    json_close_array(&json);
    json_close_object(&json);
}

const struct dialect dialect_openai = {
    .name = "openai",
    .operations = operations,
    .pass = {.name = "pass", .kind = OPERATION_PASS},
    .pass_paths = {SPAN("/files"), SPAN("/uploads"), SPAN("/batches"), SPAN("/images"),
                   SPAN("/audio"), SPAN("/moderations"), SPAN("/models"), SPAN("/responses"),
                   SPAN("/chat/completions"), SPAN("/vector_stores"), SPAN("/fine_tuning"),
                   SPAN("/conversations"), SPAN("/videos"), SPAN("/containers"), SPAN("/evals")},
    .write_error = write_error,
    .write_stream_error = write_stream_error,
    .write_stream_end = write_stream_end,
    .context_words = "This model's maximum context length is exceeded",
    .overloaded_status = 503,
    .too_large_status = 413,
    .keep_alive = SPAN(": keep-alive\n\n"),
    .models_member = "data",
    .model_member = "id",
    .write_models = write_models,
    .request_id_header = NULL,
};
