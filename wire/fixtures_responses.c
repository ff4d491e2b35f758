/* SPDX-License-Identifier: Apache-2.0 */
/* POST /responses of the built-in provider (openai.md 7, 8). A stream:
 *   created, in_progress, output_item.added
 *   text: content_part.added, output_text.delta per word, output_text.done, content_part.done
 *   call: function_call_arguments.delta per word, function_call_arguments.done
 *   output_item.done, and completed or incomplete with the whole response and its usage */
#include "wire/fixtures_parts.h"

enum stage { STAGE_BEGUN, STAGE_DONE };

static void put_empty_array(struct json_out *json, const char *key)
{
    json_key(json, key);
    json_open_array(json);
    json_close_array(json);
}

static const char *status_of(const struct fixture_writer *writer, enum stage stage)
{
    if (stage == STAGE_BEGUN) {
        return "in_progress";
    }
    return writer->words.is_cut ? "incomplete" : "completed";
}

/* The inside of the text part. */
static void put_part(struct fixture_writer *writer, enum stage stage)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    json_member_text(json, "type", "output_text");
    json_key(json, "text");
    json_string(json, stage == STAGE_BEGUN ? span_make("", 0) : fixture_words_all(&writer->words));
    put_empty_array(json, "annotations");
    put_empty_array(json, "logprobs");
    json_close_object(json);
}

static void put_item(struct fixture_writer *writer, enum stage stage, bool is_call)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    fixture_put_id(writer, "id", is_call ? "fc_" : "msg_", 0);
    json_member_text(json, "type", is_call ? "function_call" : "message");
    json_member_text(json, "status", status_of(writer, stage));
    if (is_call) {
        fixture_put_id(writer, "call_id", "call_", 0);
        json_key(json, "name");
        json_raw(json, writer->wish->tool);
        json_key(json, "arguments");
        json_string(json,
                    stage == STAGE_BEGUN ? span_make("", 0) : fixture_words_all(&writer->words));
    } else {
        json_member_text(json, "role", "assistant");
        json_key(json, "content");
        json_open_array(json);
        if (stage == STAGE_DONE) {
            put_part(writer, stage);
        }
        json_close_array(json);
    }
    json_close_object(json);
}

static void put_usage(struct fixture_writer *writer)
{
    struct json_out *json = &writer->json;
    int64_t input = writer->wish->input_tokens;

    json_open_object(json);
    fixture_put_i64(json, "input_tokens", input);
    json_key(json, "input_tokens_details");
    json_open_object(json);
    fixture_put_i64(json, "cached_tokens", 0);
    json_close_object(json);
    fixture_put_i64(json, "output_tokens", writer->output_tokens);
    json_key(json, "output_tokens_details");
    json_open_object(json);
    fixture_put_i64(json, "reasoning_tokens", 0);
    json_close_object(json);
    fixture_put_i64(json, "total_tokens", input + writer->output_tokens);
    json_close_object(json);
}

/* Members that say how it was asked; the values are those of a request that says nothing. */
static void put_echo(struct json_out *json)
{
    fixture_put_null(json, "instructions");
    fixture_put_null(json, "max_output_tokens");
    json_key(json, "parallel_tool_calls");
    json_bool(json, true);
    fixture_put_null(json, "previous_response_id");
    json_key(json, "store");
    json_bool(json, false);
    fixture_put_i64(json, "temperature", 1);
    json_key(json, "text");
    json_raw(json, SPAN_OF("{\"format\":{\"type\":\"text\"}}"));
    json_member_text(json, "tool_choice", "auto");
    put_empty_array(json, "tools");
    fixture_put_i64(json, "top_p", 1);
    json_member_text(json, "truncation", "disabled");
    json_key(json, "metadata");
    json_open_object(json);
    json_close_object(json);
}

static void put_response(struct fixture_writer *writer, enum stage stage, bool is_call)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    fixture_put_id(writer, "id", "resp_", 0);
    json_member_text(json, "object", "response");
    fixture_put_i64(json, "created_at", FIXTURE_CREATED);
    json_member_text(json, "status", status_of(writer, stage));
    fixture_put_null(json, "error");
    json_key(json, "incomplete_details");
    if (stage == STAGE_DONE && writer->words.is_cut) {
        json_raw(json, SPAN_OF("{\"reason\":\"max_output_tokens\"}"));
    } else {
        json_null(json);
    }
    fixture_put_model(writer);
    json_key(json, "output");
    json_open_array(json);
    if (stage == STAGE_DONE) {
        put_item(writer, stage, is_call);
    }
    json_close_array(json);
    put_echo(json);
    json_key(json, "usage");
    if (stage == STAGE_DONE) {
        put_usage(writer);
    } else {
        json_null(json);
    }
    json_close_object(json);
}

/* ---- streamed ---- */

static void open_event(struct fixture_writer *writer, const char *type)
{
    fixture_event_begin(writer, type);
    json_open_object(&writer->json);
    json_member_text(&writer->json, "type", type);
    fixture_put_i64(&writer->json, "sequence_number", writer->sequence++);
}

static void close_event(struct fixture_writer *writer, bool is_word)
{
    json_close_object(&writer->json);
    fixture_event_end(writer, is_word);
}

static void send_response(struct fixture_writer *writer, const char *type, enum stage stage,
                          bool is_call)
{
    open_event(writer, type);
    json_key(&writer->json, "response");
    put_response(writer, stage, is_call);
    close_event(writer, false);
}

static void send_item(struct fixture_writer *writer, const char *type, enum stage stage,
                      bool is_call)
{
    open_event(writer, type);
    fixture_put_i64(&writer->json, "output_index", 0);
    json_key(&writer->json, "item");
    put_item(writer, stage, is_call);
    close_event(writer, false);
}

/* Opens an event about the inside of the one item. */
static void open_inner(struct fixture_writer *writer, const char *type, bool is_call)
{
    open_event(writer, type);
    fixture_put_id(writer, "item_id", is_call ? "fc_" : "msg_", 0);
    fixture_put_i64(&writer->json, "output_index", 0);
    if (!is_call) {
        fixture_put_i64(&writer->json, "content_index", 0);
    }
}

static void send_part(struct fixture_writer *writer, const char *type, enum stage stage)
{
    open_inner(writer, type, false);
    json_key(&writer->json, "part");
    put_part(writer, stage);
    close_event(writer, false);
}

static void send_words(struct fixture_writer *writer, bool is_call)
{
    const char *delta =
        is_call ? "response.function_call_arguments.delta" : "response.output_text.delta";
    const char *done =
        is_call ? "response.function_call_arguments.done" : "response.output_text.done";
    struct json_out *json = &writer->json;

    for (uint32_t i = 0; i < writer->words.count; i++) {
        open_inner(writer, delta, is_call);
        json_key(json, "delta");
        json_string(json, fixture_word(&writer->words, i));
        if (!is_call) {
            put_empty_array(json, "logprobs");
        }
        close_event(writer, true);
    }
    open_inner(writer, done, is_call);
    if (is_call) {
        json_key(json, "name");
        json_raw(json, writer->wish->tool);
    } else {
        put_empty_array(json, "logprobs");
    }
    json_key(json, is_call ? "arguments" : "text");
    json_string(json, fixture_words_all(&writer->words));
    close_event(writer, false);
}

void fixture_openai_responses(struct fixture_writer *writer)
{
    bool is_call = fixture_make_words(writer, 0);

    if (!writer->wish->is_stream) {
        put_response(writer, STAGE_DONE, is_call);
        return;
    }
    send_response(writer, "response.created", STAGE_BEGUN, is_call);
    send_response(writer, "response.in_progress", STAGE_BEGUN, is_call);
    send_item(writer, "response.output_item.added", STAGE_BEGUN, is_call);
    if (!is_call) {
        send_part(writer, "response.content_part.added", STAGE_BEGUN);
    }
    send_words(writer, is_call);
    if (!is_call) {
        send_part(writer, "response.content_part.done", STAGE_DONE);
    }
    send_item(writer, "response.output_item.done", STAGE_DONE, is_call);
    send_response(writer, writer->words.is_cut ? "response.incomplete" : "response.completed",
                  STAGE_DONE, is_call);
}
