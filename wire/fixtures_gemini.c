/* SPDX-License-Identifier: Apache-2.0 */
/* generateContent, countTokens and the model list of the built-in provider in the Gemini dialect
 * (gemini.md 4, 5, 6). A stream is an event per word, each with the figures so far; the last one has
 * the reason and no text. A call comes whole, as Google sends it. */
#include "wire/fixtures_parts.h"

static void put_usage(struct fixture_writer *writer, int64_t output)
{
    struct json_out *json = &writer->json;
    int64_t input = writer->wish->input_tokens;

    json_key(json, "usageMetadata");
    json_open_object(json);
    fixture_put_i64(json, "promptTokenCount", input);
    fixture_put_i64(json, "candidatesTokenCount", output);
    fixture_put_i64(json, "totalTokenCount", input + output);
    json_close_object(json);
}

static void put_part(struct fixture_writer *writer, bool is_call, struct span content)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    if (is_call) {
        json_key(json, "functionCall");
        json_open_object(json);
        json_key(json, "name");
        json_raw(json, writer->wish->tool);
        json_key(json, "args");
        /* Half an object cannot be told. */
        json_raw(json, writer->words.is_cut ? SPAN_OF("{}") : content);
        json_close_object(json);
    } else {
        json_key(json, "text");
        json_string(json, content);
    }
    json_close_object(json);
}

/* A candidate with one part; with a reason when this is the last one heard of it. */
static void put_candidate(struct fixture_writer *writer, uint32_t choice, bool is_call,
                          struct span content, bool is_last)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    json_key(json, "content");
    json_open_object(json);
    json_key(json, "parts");
    json_open_array(json);
    put_part(writer, is_call, content);
    json_close_array(json);
    json_member_text(json, "role", "model");
    json_close_object(json);
    if (is_last) {
        json_member_text(json, "finishReason", writer->words.is_cut ? "MAX_TOKENS" : "STOP");
    }
    fixture_put_i64(json, "index", choice);
    json_close_object(json);
}

static void open_response(struct fixture_writer *writer)
{
    json_open_object(&writer->json);
    json_key(&writer->json, "candidates");
    json_open_array(&writer->json);
}

static void close_response(struct fixture_writer *writer, int64_t output)
{
    struct json_out *json = &writer->json;

    json_close_array(json);
    put_usage(writer, output);
    json_key(json, "modelVersion");
    json_raw(json, writer->wish->model);
    fixture_put_id(writer, "responseId", "", 0);
    json_close_object(json);
}

static void write_whole(struct fixture_writer *writer)
{
    open_response(writer);
    for (uint32_t i = 0; i < writer->wish->choices; i++) {
        bool is_call = fixture_make_words(writer, i);

        put_candidate(writer, i, is_call, fixture_words_all(&writer->words), true);
    }
    close_response(writer, writer->output_tokens);
}

static void send(struct fixture_writer *writer, uint32_t choice, bool is_call, struct span content,
                 bool is_last)
{
    fixture_event_begin(writer, NULL);
    open_response(writer);
    put_candidate(writer, choice, is_call, content, is_last);
    close_response(writer, writer->output_tokens);
    fixture_event_end(writer, content.len > 0);
}

static void stream_choice(struct fixture_writer *writer, uint32_t choice)
{
    int64_t before = writer->output_tokens;
    bool is_call = fixture_make_words(writer, choice);
    int64_t after = writer->output_tokens;

    if (is_call) {
        send(writer, choice, true, fixture_words_all(&writer->words), true);
        return;
    }
    for (uint32_t i = 0; i < writer->words.count; i++) {
        writer->output_tokens = before + i + 1;
        send(writer, choice, false, fixture_word(&writer->words, i), false);
    }
    writer->output_tokens = after;
    send(writer, choice, false, span_make("", 0), true);
}

void fixture_gemini_generate(struct fixture_writer *writer)
{
    if (!writer->wish->is_stream) {
        write_whole(writer);
        return;
    }
    for (uint32_t i = 0; i < writer->wish->choices; i++) {
        stream_choice(writer, i);
    }
}

/* ---- what costs nothing ---- */

void fixture_gemini_count(struct fixture_writer *writer)
{
    json_open_object(&writer->json);
    fixture_put_i64(&writer->json, "totalTokens", writer->wish->input_tokens);
    json_close_object(&writer->json);
}

void fixture_gemini_models(struct fixture_writer *writer)
{
    static const char *const names[] = {"models/demo", "models/demo-large"};
    struct json_out *json = &writer->json;

    json_open_object(json);
    json_key(json, "models");
    json_open_array(json);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        json_open_object(json);
        json_member_text(json, "name", names[i]);
        json_member_text(json, "displayName", names[i]);
        json_key(json, "supportedGenerationMethods");
        json_raw(json, SPAN_OF("[\"generateContent\",\"countTokens\"]"));
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}
