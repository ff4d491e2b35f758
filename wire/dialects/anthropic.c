/* SPDX-License-Identifier: Apache-2.0 */
/* The Anthropic dialect: its operations and its way to say no (anthropic.md 6, 7). Its SDK drops
 * every event without a name, so ours have one. */
#include "wire/dialects/anthropic.h"

#include "wire/json_out.h"

enum { MESSAGE_MAX = 4096 };

static void write_count(struct buf *out, int64_t tokens)
{
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "input_tokens");
    json_i64(&json, tokens);
    json_close_object(&json);
}

static const struct operation operations[] = {
    {.name = "messages",
     .path = SPAN("/messages"),
     .kind = OPERATION_CALL,
     .read_request = anthropic_messages_request,
     .cap = "max_tokens",
     .edits = anthropic_model_edits,
     .read_answer = anthropic_messages_answer,
     .unfold = anthropic_messages_unfold,
     .read_event = anthropic_messages_event,
     .resume = &anthropic_messages_resume,
     .translator = &anthropic_messages_translator},
    {.name = "count_tokens",
     .path = SPAN("/messages/count_tokens"),
     .write_count = write_count,
     .kind = OPERATION_COUNT,
     .read_request = anthropic_count_request,
     .edits = anthropic_model_edits,
     .read_answer = anthropic_count_answer},
    {.name = "models", .path = SPAN("/models"), .kind = OPERATION_MODELS},
    {.name = NULL},
};

static void write_error(struct buf *out, const struct refusal *refusal, struct span id)
{
    struct json_out json;
    struct buf message;

    buf_init(&message, MESSAGE_MAX);
    refusal_message(refusal, &message);
    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "type");
    json_text(&json, "error");
    json_key(&json, "error");
    json_open_object(&json);
    json_key(&json, "type");
    json_text(&json, refusal_row(refusal->kind)->anthropic_type);
    json_key(&json, "message");
    json_string(&json, buf_span(&message));
    json_close_object(&json);
    if (id.len > 0) {
        json_key(&json, "request_id");
        json_string(&json, id);
    }
    json_close_object(&json);
    out->failed |= message.failed;
    buf_fini(&message);
}

static void write_stream_error(struct buf *out, const struct stream *stream,
                               const struct refusal *refusal)
{
    (void)stream;
    buf_put_text(out, "event: error\ndata: ");
    write_error(out, refusal, span_make(NULL, 0));
    buf_put_text(out, "\n\n");
}

static void write_stream_end(struct buf *out, const struct stream *stream)
{
    (void)stream;
    buf_put_text(out, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

static void put_model(struct json_out *json, struct span name)
{
    json_open_object(json);
    json_key(json, "type");
    json_text(json, "model");
    json_key(json, "id");
    json_string(json, name);
    json_key(json, "display_name");
    json_string(json, name);
    json_key(json, "created_at");
    json_text(json, "1970-01-01T00:00:00Z"); /* the API's own word for an unknown date */
    json_close_object(json);
}

static void put_name_or_null(struct json_out *json, const struct span *name)
{
    if (name == NULL) {
        json_null(json);
    } else {
        json_string(json, *name);
    }
}

static void write_models(struct buf *out, const struct span *routes, size_t count,
                         struct span listed)
{
    struct json_out json;

    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "data");
    json_open_array(&json);
    for (size_t i = 0; i < count; i++) {
        put_model(&json, routes[i]);
    }
    if (listed.len > 0) {
        json_raw(&json, listed);
    }
    json_close_array(&json);
    json_key(&json, "has_more");
    json_bool(&json, false);
    /* Cursors for further pages, of which there are none; `listed` is not looked into. */
    json_key(&json, "first_id");
    put_name_or_null(&json, count > 0 ? &routes[0] : NULL);
    json_key(&json, "last_id");
    put_name_or_null(&json, count > 0 && listed.len == 0 ? &routes[count - 1] : NULL);
    json_close_object(&json);
}

const struct dialect dialect_anthropic = {
    .name = "anthropic",
    .operations = operations,
    .pass = {.name = "pass", .kind = OPERATION_PASS},
    .pass_paths = {SPAN("/files"), SPAN("/models"), SPAN("/messages/batches"), SPAN("/skills")},
    .write_error = write_error,
    .write_stream_error = write_stream_error,
    .write_stream_end = write_stream_end,
    /* The older version takes all that the newer one does, and sampling for the models that still have it
     * (anthropic.md 1). */
    .headers = SPAN("anthropic-version: 2023-06-01\r\n"),
    .context_words = "prompt is too long",
    .overloaded_status = 529,
    .too_large_status = 413,
    .keep_alive = SPAN("event: ping\ndata: {\"type\":\"ping\"}\n\n"),
    .models_member = "data",
    .model_member = "id",
    .write_models = write_models,
    .request_id_header = "request-id",
};
