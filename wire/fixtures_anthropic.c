/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, count_tokens and the model list of the built-in provider in the Anthropic dialect
 * (anthropic.md 5, 6, 10). A stream:
 *   message_start, content_block_start, ping, content_block_delta per word, content_block_stop,
 *   message_delta with the usage, message_stop          (no block when the cap leaves no word) */
#include "wire/fixtures_parts.h"

static void put_usage(struct fixture_writer *writer, int64_t output)
{
    struct json_out *json = &writer->json;

    json_key(json, "usage");
    json_open_object(json);
    fixture_put_i64(json, "input_tokens", writer->wish->input_tokens);
    fixture_put_i64(json, "cache_creation_input_tokens", 0);
    fixture_put_i64(json, "cache_read_input_tokens", 0);
    fixture_put_i64(json, "output_tokens", output);
    json_close_object(json);
}

static void put_stop(struct fixture_writer *writer, bool is_call)
{
    const char *reason = is_call ? "tool_use" : "end_turn";

    json_member_text(&writer->json, "stop_reason", writer->words.is_cut ? "max_tokens" : reason);
    fixture_put_null(&writer->json, "stop_sequence");
}

/* Up to and with the key of the content. */
static void open_message(struct fixture_writer *writer)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    fixture_put_id(writer, "id", "msg_", 0);
    json_member_text(json, "type", "message");
    json_member_text(json, "role", "assistant");
    fixture_put_model(writer);
    json_key(json, "content");
}

static bool has_block(const struct fixture_writer *writer, bool is_call)
{
    return is_call || writer->words.count > 0;
}

/* The inside of a block: the text, or the call with `input`. */
static void put_block(struct fixture_writer *writer, bool is_call, struct span content)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    if (is_call) {
        json_member_text(json, "type", "tool_use");
        fixture_put_id(writer, "id", "toolu_", 0);
        json_key(json, "name");
        json_raw(json, writer->wish->tool);
        json_key(json, "input");
        json_raw(json, content);
    } else {
        json_member_text(json, "type", "text");
        json_key(json, "text");
        json_string(json, content);
    }
    json_close_object(json);
}

static void write_whole(struct fixture_writer *writer, bool is_call)
{
    struct json_out *json = &writer->json;
    struct span content = fixture_words_all(&writer->words);

    if (is_call && writer->words.is_cut) {
        content = SPAN_OF("{}"); /* half an object can only be told in a stream */
    }
    open_message(writer);
    json_open_array(json);
    if (has_block(writer, is_call)) {
        put_block(writer, is_call, content);
    }
    json_close_array(json);
    put_stop(writer, is_call);
    put_usage(writer, writer->output_tokens);
    json_close_object(json);
}

/* ---- streamed ---- */

static void open_event(struct fixture_writer *writer, const char *type)
{
    fixture_event_begin(writer, type);
    json_open_object(&writer->json);
    json_member_text(&writer->json, "type", type);
}

static void close_event(struct fixture_writer *writer, bool is_word)
{
    json_close_object(&writer->json);
    fixture_event_end(writer, is_word);
}

static void send_start(struct fixture_writer *writer)
{
    struct json_out *json = &writer->json;

    open_event(writer, "message_start");
    json_key(json, "message");
    open_message(writer);
    json_open_array(json);
    json_close_array(json);
    fixture_put_null(json, "stop_reason");
    fixture_put_null(json, "stop_sequence");
    put_usage(writer, writer->output_tokens > 0 ? 1 : 0);
    json_close_object(json);
    close_event(writer, false);
}

static void send_word(struct fixture_writer *writer, bool is_call, struct span word)
{
    struct json_out *json = &writer->json;

    open_event(writer, "content_block_delta");
    fixture_put_i64(json, "index", 0);
    json_key(json, "delta");
    json_open_object(json);
    json_member_text(json, "type", is_call ? "input_json_delta" : "text_delta");
    json_key(json, is_call ? "partial_json" : "text");
    json_string(json, word);
    json_close_object(json);
    close_event(writer, true);
}

static void send_block(struct fixture_writer *writer, bool is_call)
{
    struct json_out *json = &writer->json;

    open_event(writer, "content_block_start");
    fixture_put_i64(json, "index", 0);
    json_key(json, "content_block");
    put_block(writer, is_call, is_call ? SPAN_OF("{}") : span_make("", 0));
    close_event(writer, false);
    open_event(writer, "ping");
    close_event(writer, false);
    for (uint32_t i = 0; i < writer->words.count; i++) {
        send_word(writer, is_call, fixture_word(&writer->words, i));
    }
    open_event(writer, "content_block_stop");
    fixture_put_i64(json, "index", 0);
    close_event(writer, false);
}

static void send_end(struct fixture_writer *writer, bool is_call)
{
    struct json_out *json = &writer->json;

    open_event(writer, "message_delta");
    json_key(json, "delta");
    json_open_object(json);
    put_stop(writer, is_call);
    json_close_object(json);
    put_usage(writer, writer->output_tokens);
    close_event(writer, false);
    open_event(writer, "message_stop");
    close_event(writer, false);
}

void fixture_anthropic_messages(struct fixture_writer *writer)
{
    bool is_call = fixture_make_words(writer, 0);

    if (!writer->wish->is_stream) {
        write_whole(writer, is_call);
        return;
    }
    send_start(writer);
    if (has_block(writer, is_call)) {
        send_block(writer, is_call);
    }
    send_end(writer, is_call);
}

/* ---- what costs nothing ---- */

void fixture_anthropic_count(struct fixture_writer *writer)
{
    json_open_object(&writer->json);
    fixture_put_i64(&writer->json, "input_tokens", writer->wish->input_tokens);
    json_close_object(&writer->json);
}

void fixture_anthropic_models(struct fixture_writer *writer)
{
    static const char *const names[][2] = {{"demo", "Demo"}, {"demo-large", "Demo Large"}};
    struct json_out *json = &writer->json;

    json_open_object(json);
    json_key(json, "data");
    json_open_array(json);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        json_open_object(json);
        json_member_text(json, "type", "model");
        json_member_text(json, "id", names[i][0]);
        json_member_text(json, "display_name", names[i][1]);
        json_member_text(json, "created_at", "2026-01-01T00:00:00Z");
        json_close_object(json);
    }
    json_close_array(json);
    json_key(json, "has_more");
    json_bool(json, false);
    json_member_text(json, "first_id", names[0][0]);
    json_member_text(json, "last_id", names[ARRAY_LENGTH(names) - 1][0]);
    json_close_object(json);
}
