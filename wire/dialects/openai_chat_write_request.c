/* SPDX-License-Identifier: Apache-2.0 */
/* A fitted request as a chat completion (openai.md 3; translation.md 5 to 8). Compatible servers differ in
 * spelling alone here: what they do not take at all is gone already (wire/fit.h). The
 * messages have a file of their own. */
#include "wire/dialects/openai_chat.h"

#include "wire/habits.h"

static bool has_habit(const struct chat *chat, unsigned habit)
{
    return (chat->target->habits & habit) != 0;
}

/* A member that is left out where nothing was said. */
static void put_member(struct json_out *out, const char *key, struct span value)
{
    if (value.len > 0) {
        json_key(out, key);
        json_raw(out, value);
    }
}

static void put_flag(struct json_out *out, const char *key, int8_t value)
{
    if (value >= 0) {
        json_key(out, key);
        json_bool(out, value > 0);
    }
}

/* ---- tools ---- */

static void open_typed(struct json_out *out, const char *type)
{
    json_open_object(out);
    json_key(out, "type");
    json_text(out, type);
}

static void put_named(struct json_out *out, struct span name)
{
    open_typed(out, "function");
    json_key(out, "function");
    json_open_object(out);
    put_member(out, "name", name);
    json_close_object(out);
    json_close_object(out);
}

static void put_tools(const struct chat *chat, struct json_out *out)
{
    if (chat->tools == NULL) {
        return;
    }
    json_key(out, "tools");
    json_open_array(out);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next) {
        open_typed(out, "function");
        json_key(out, "function");
        json_open_object(out);
        put_member(out, "name", tool->name);
        put_member(out, "description", tool->description);
        put_member(out, "parameters", tool->schema);
        put_flag(out, "strict", tool->strict);
        json_close_object(out);
        json_close_object(out);
    }
    json_close_array(out);
}

static void put_allowed(const struct chat *chat, struct json_out *out)
{
    open_typed(out, "allowed_tools");
    json_key(out, "allowed_tools");
    json_open_object(out);
    json_key(out, "mode");
    json_text(out, chat->choice == CHAT_CHOICE_ANY ? "required" : "auto");
    json_key(out, "tools");
    json_open_array(out);
    for (const struct chat_word *word = chat->choice_of.first; word != NULL; word = word->next) {
        put_named(out, word->text);
    }
    json_close_array(out);
    json_close_object(out);
    json_close_object(out);
}

static void put_choice(const struct chat *chat, struct json_out *out)
{
    static const char *const words[] = {
        [CHAT_CHOICE_AUTO] = "auto", [CHAT_CHOICE_NONE] = "none", [CHAT_CHOICE_ANY] = "required"};

    if (chat->choice == CHAT_CHOICE_UNSAID) {
        return;
    }
    json_key(out, "tool_choice");
    if (chat->choice == CHAT_CHOICE_ONE) {
        put_named(out, chat->choice_name);
    } else if (chat->choice != CHAT_CHOICE_NONE && chat->choice_of.first != NULL) {
        put_allowed(chat, out);
    } else {
        json_text(out, words[chat->choice]);
    }
}

/* ---- parameters ---- */

static void put_numbers(const struct chat *chat, struct json_out *out)
{
    const struct chat_params *params = &chat->params;

    if (params->cap >= 0) {
        json_key(out, has_habit(chat, HABIT_MAX_TOKENS) ? "max_tokens" : "max_completion_tokens");
        json_i64(out, params->cap);
    }
    if (params->answers > 1) {
        json_key(out, "n");
        json_i64(out, params->answers);
    }
    put_member(out, "temperature", params->temperature);
    put_member(out, "top_p", params->top_p);
    put_member(out, "top_k", params->top_k);
    put_member(out, has_habit(chat, HABIT_RANDOM_SEED) ? "random_seed" : "seed", params->seed);
    put_member(out, "frequency_penalty", params->frequency_penalty);
    put_member(out, "presence_penalty", params->presence_penalty);
    put_member(out, "logit_bias", params->logit_bias);
    if (params->top_logprobs.len > 0) {
        json_key(out, "logprobs");
        json_bool(out, true);
        if (!span_equal(params->top_logprobs, SPAN_OF("0"))) {
            put_member(out, "top_logprobs", params->top_logprobs);
        }
    }
}

static void put_stop(struct json_out *out, const struct chat_word *stop)
{
    if (stop == NULL) {
        return;
    }
    json_key(out, "stop");
    json_open_array(out);
    for (; stop != NULL; stop = stop->next) {
        json_raw(out, stop->text);
    }
    json_close_array(out);
}

static void put_format(struct json_out *out, const struct chat_params *params)
{
    if (params->format == CHAT_FORMAT_TEXT) {
        return;
    }
    json_key(out, "response_format");
    open_typed(out, params->format == CHAT_FORMAT_JSON ? "json_object" : "json_schema");
    if (params->format == CHAT_FORMAT_SCHEMA) {
        json_key(out, "json_schema");
        json_open_object(out);
        put_member(out, "name", params->format_name.len > 0 ? params->format_name : SPAN_OF("\"output\""));
        put_member(out, "description", params->format_description);
        put_member(out, "schema", params->format_schema);
        put_flag(out, "strict", params->format_strict);
        json_close_object(out);
    }
    json_close_object(out);
}

/* The figures of a stream come only when they are asked for, and we need them whatever the app wants. */
static void put_stream(const struct chat *chat, struct json_out *out)
{
    if (!chat->params.is_stream) {
        return;
    }
    json_key(out, "stream");
    json_bool(out, true);
    if (!has_habit(chat, HABIT_NO_STREAM_OPTIONS)) {
        json_key(out, "stream_options");
        json_raw(out, SPAN_OF("{\"include_usage\":true}"));
    }
}

void openai_chat_write_request(struct chat *chat, struct json_out *out)
{
    const struct chat_params *params = &chat->params;

    json_open_object(out);
    put_member(out, "model", chat->model);
    openai_chat_write_messages(chat, out);
    put_tools(chat, out);
    put_choice(chat, out);
    put_flag(out, "parallel_tool_calls", chat->parallel);
    put_numbers(chat, out);
    put_stop(out, params->stop.first);
    if (params->effort != CHAT_EFFORT_UNSAID) {
        json_key(out, "reasoning_effort");
        json_text(out, openai_chat_efforts[params->effort - CHAT_EFFORT_NONE]);
    }
    put_format(out, params);
    put_member(out, "verbosity", params->verbosity);
    put_member(out, "user", params->user);
    put_member(out, "metadata", params->metadata);
    put_member(out, "store", params->store);
    put_member(out, "prompt_cache_key", params->cache_key);
    put_member(out, "service_tier", params->tier);
    put_stream(chat, out);
    json_close_object(out);
}
