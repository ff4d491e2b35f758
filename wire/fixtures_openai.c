/* SPDX-License-Identifier: Apache-2.0 */
/* Chat, legacy completions and the model list in the OpenAI dialect (openai.md 4, 5, 6, 9). A
 * stream of one choice:
 *   chunk with the role (and the tool call's id and name) -> a chunk per word -> chunk with
 *   finish_reason; after all choices, if asked for, the usage chunk; then [DONE] */
#include "wire/fixtures_parts.h"

static void put_usage(struct fixture_writer *writer)
{
    struct json_out *json = &writer->json;
    int64_t input = writer->wish->input_tokens;

    json_key(json, "usage");
    json_open_object(json);
    fixture_put_i64(json, "prompt_tokens", input);
    fixture_put_i64(json, "completion_tokens", writer->output_tokens);
    fixture_put_i64(json, "total_tokens", input + writer->output_tokens);
    json_key(json, "prompt_tokens_details");
    json_open_object(json);
    fixture_put_i64(json, "cached_tokens", 0);
    json_close_object(json);
    json_key(json, "completion_tokens_details");
    json_open_object(json);
    fixture_put_i64(json, "reasoning_tokens", 0);
    json_close_object(json);
    json_close_object(json);
}

/* What tells chat and completions apart. */
struct form {
    const char *id;
    const char *object;
};
static const struct form chat_whole = {"chatcmpl-", "chat.completion"};
static const struct form chat_chunk = {"chatcmpl-", "chat.completion.chunk"};
static const struct form text_form = {"cmpl-", "text_completion"};

/* Opens the object up to its list of choices. */
static void open_answer(struct fixture_writer *writer, const struct form *form)
{
    struct json_out *json = &writer->json;

    json_open_object(json);
    fixture_put_id(writer, "id", form->id, 0);
    json_member_text(json, "object", form->object);
    fixture_put_i64(json, "created", FIXTURE_CREATED);
    fixture_put_model(writer);
    json_key(json, "choices");
    json_open_array(json);
}

/* Closes the choice: "logprobs":null,"finish_reason":...} */
static void close_choice(struct json_out *json, const char *finish)
{
    fixture_put_null(json, "logprobs");
    json_key(json, "finish_reason");
    if (finish == NULL) {
        json_null(json);
    } else {
        json_text(json, finish);
    }
    json_close_object(json);
}

static const char *finish_of(const struct fixture_writer *writer, bool is_call)
{
    if (writer->words.is_cut) {
        return "length";
    }
    return is_call ? "tool_calls" : "stop";
}

/* The tool call up to its arguments; with_index: as a delta. */
static void open_call(struct fixture_writer *writer, uint32_t choice, bool with_index)
{
    struct json_out *json = &writer->json;

    json_key(json, "tool_calls");
    json_open_array(json);
    json_open_object(json);
    if (with_index) {
        fixture_put_i64(json, "index", 0);
    }
    fixture_put_id(writer, "id", "call_", choice);
    json_member_text(json, "type", "function");
    json_key(json, "function");
    json_open_object(json);
    json_key(json, "name");
    json_raw(json, writer->wish->tool);
    json_key(json, "arguments");
}

static void close_call(struct json_out *json)
{
    json_close_object(json);
    json_close_object(json);
    json_close_array(json);
}

/* ---- whole ---- */

static void put_message(struct fixture_writer *writer, uint32_t choice, bool is_call)
{
    struct json_out *json = &writer->json;

    json_key(json, "message");
    json_open_object(json);
    json_member_text(json, "role", "assistant");
    json_key(json, "content");
    if (is_call) {
        json_null(json);
        open_call(writer, choice, false);
        json_string(json, fixture_words_all(&writer->words));
        close_call(json);
    } else {
        json_string(json, fixture_words_all(&writer->words));
    }
    fixture_put_null(json, "refusal");
    json_key(json, "annotations");
    json_open_array(json);
    json_close_array(json);
    json_close_object(json);
}

static void write_chat(struct fixture_writer *writer)
{
    struct json_out *json = &writer->json;

    open_answer(writer, &chat_whole);
    for (uint32_t i = 0; i < writer->wish->choices; i++) {
        bool is_call = fixture_make_words(writer, i);
        json_open_object(json);
        fixture_put_i64(json, "index", i);
        put_message(writer, i, is_call);
        close_choice(json, finish_of(writer, is_call));
    }
    json_close_array(json);
    put_usage(writer);
    json_member_text(json, "service_tier", "default");
    json_close_object(json);
}

/* ---- streamed ---- */

static void close_chunk(struct fixture_writer *writer, const char *finish, bool is_word)
{
    struct json_out *json = &writer->json;

    close_choice(json, finish);
    json_close_array(json);
    if (writer->wish->wants_usage) {
        fixture_put_null(json, "usage");
    }
    json_close_object(json);
    fixture_event_end(writer, is_word);
}

/* After all choices. */
static void end_stream(struct fixture_writer *writer, const struct form *form)
{
    if (writer->wish->wants_usage) {
        fixture_event_begin(writer, NULL);
        open_answer(writer, form);
        json_close_array(&writer->json);
        put_usage(writer);
        json_close_object(&writer->json);
        fixture_event_end(writer, false);
    }
    fixture_event_begin(writer, NULL);
    buf_put_text(&writer->fixture->payload, "[DONE]");
    fixture_event_end(writer, false);
}

/* Opens a chunk up to the inside of its delta. */
static void open_delta(struct fixture_writer *writer, uint32_t choice)
{
    struct json_out *json = &writer->json;

    fixture_event_begin(writer, NULL);
    open_answer(writer, &chat_chunk);
    json_open_object(json);
    fixture_put_i64(json, "index", choice);
    json_key(json, "delta");
    json_open_object(json);
}

static void close_delta(struct fixture_writer *writer, const char *finish, bool is_word)
{
    json_close_object(&writer->json);
    close_chunk(writer, finish, is_word);
}

static void stream_first(struct fixture_writer *writer, uint32_t choice, bool is_call)
{
    struct json_out *json = &writer->json;

    open_delta(writer, choice);
    json_member_text(json, "role", "assistant");
    if (is_call) {
        fixture_put_null(json, "content");
        open_call(writer, choice, true);
        json_text(json, "");
        close_call(json);
    } else {
        json_member_text(json, "content", "");
    }
    fixture_put_null(json, "refusal");
    close_delta(writer, NULL, false);
}

/* Later pieces of a call bring its index and a fragment only. */
static void put_fragment(struct json_out *json, struct span fragment)
{
    json_key(json, "tool_calls");
    json_open_array(json);
    json_open_object(json);
    fixture_put_i64(json, "index", 0);
    json_key(json, "function");
    json_open_object(json);
    json_key(json, "arguments");
    json_string(json, fragment);
    close_call(json);
}

static void stream_choice(struct fixture_writer *writer, uint32_t choice)
{
    bool is_call = fixture_make_words(writer, choice);

    stream_first(writer, choice, is_call);
    for (uint32_t i = 0; i < writer->words.count; i++) {
        struct span word = fixture_word(&writer->words, i);
        open_delta(writer, choice);
        if (is_call) {
            put_fragment(&writer->json, word);
        } else {
            json_key(&writer->json, "content");
            json_string(&writer->json, word);
        }
        close_delta(writer, NULL, true);
    }
    open_delta(writer, choice);
    close_delta(writer, finish_of(writer, is_call), false);
}

void fixture_openai_chat(struct fixture_writer *writer)
{
    if (!writer->wish->is_stream) {
        write_chat(writer);
        return;
    }
    for (uint32_t i = 0; i < writer->wish->choices; i++) {
        stream_choice(writer, i);
    }
    end_stream(writer, &chat_chunk);
}

/* ---- completions ---- */

static void open_text(struct fixture_writer *writer, uint32_t choice, struct span text)
{
    json_open_object(&writer->json);
    json_key(&writer->json, "text");
    json_string(&writer->json, text);
    fixture_put_i64(&writer->json, "index", choice);
}

static void stream_text(struct fixture_writer *writer, uint32_t choice)
{
    (void)fixture_make_words(writer, choice);
    for (uint32_t i = 0; i <= writer->words.count; i++) {
        bool is_last = i == writer->words.count;
        fixture_event_begin(writer, NULL);
        open_answer(writer, &text_form);
        open_text(writer, choice, is_last ? span_make("", 0) : fixture_word(&writer->words, i));
        close_chunk(writer, is_last ? finish_of(writer, false) : NULL, !is_last);
    }
}

static void write_texts(struct fixture_writer *writer)
{
    open_answer(writer, &text_form);
    for (uint32_t i = 0; i < writer->wish->choices; i++) {
        (void)fixture_make_words(writer, i);
        open_text(writer, i, fixture_words_all(&writer->words));
        close_choice(&writer->json, finish_of(writer, false));
    }
    json_close_array(&writer->json);
    put_usage(writer);
    json_close_object(&writer->json);
}

void fixture_openai_completions(struct fixture_writer *writer)
{
    if (!writer->wish->is_stream) {
        write_texts(writer);
        return;
    }
    for (uint32_t i = 0; i < writer->wish->choices; i++) {
        stream_text(writer, i);
    }
    end_stream(writer, &text_form);
}

/* ---- models ---- */

void fixture_openai_models(struct fixture_writer *writer)
{
    static const char *const names[] = {"demo", "demo-embedding"};
    struct json_out *json = &writer->json;

    json_open_object(json);
    json_member_text(json, "object", "list");
    json_key(json, "data");
    json_open_array(json);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        json_open_object(json);
        json_member_text(json, "id", names[i]);
        json_member_text(json, "object", "model");
        fixture_put_i64(json, "created", FIXTURE_CREATED);
        json_member_text(json, "owned_by", "headgate");
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}
