/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation as a request of POST /responses (openai.md 7), for models that are served by no other
 * operation. Nothing is to be kept by the provider: other dialects do not expect it. */
#include "wire/dialects/openai_responses.h"

void responses_put_word(struct json_out *out, const char *key, const char *text)
{
    json_key(out, key);
    json_text(out, text);
}

void responses_put_said(struct json_out *out, const char *key, struct span value)
{
    if (value.len > 0) {
        json_key(out, key);
        json_raw(out, value);
    }
}

/* ---- tools ---- */

/* What is not said means strict here, and not so elsewhere. */
static void put_tool(struct json_out *out, const struct chat_tool *tool)
{
    json_open_object(out);
    responses_put_word(out, "type", "function");
    responses_put_said(out, "name", tool->name);
    responses_put_said(out, "description", tool->description);
    responses_put_said(out, "parameters",
             tool->schema.len > 0 ? tool->schema : SPAN_OF("{\"type\":\"object\",\"properties\":{}}"));
    json_key(out, "strict");
    json_bool(out, tool->strict == 1);
    json_close_object(out);
}

static void put_function(struct json_out *out, struct span name)
{
    json_open_object(out);
    responses_put_word(out, "type", "function");
    responses_put_said(out, "name", name);
    json_close_object(out);
}

static void put_allowed(struct json_out *out, const struct chat *chat)
{
    json_open_object(out);
    responses_put_word(out, "type", "allowed_tools");
    responses_put_word(out, "mode", chat->choice == CHAT_CHOICE_ANY ? "required" : "auto");
    json_key(out, "tools");
    json_open_array(out);
    for (const struct chat_word *word = chat->choice_of.first; word != NULL; word = word->next) {
        put_function(out, word->text);
    }
    json_close_array(out);
    json_close_object(out);
}

static void put_choice(const struct chat *chat, struct json_out *out)
{
    if (chat->choice == CHAT_CHOICE_UNSAID) {
        return;
    }
    json_key(out, "tool_choice");
    if (chat->choice == CHAT_CHOICE_ONE) {
        put_function(out, chat->choice_name);
    } else if (chat->choice == CHAT_CHOICE_NONE) {
        json_text(out, "none");
    } else if (chat->choice_of.count > 0) {
        put_allowed(out, chat);
    } else {
        json_text(out, chat->choice == CHAT_CHOICE_ANY ? "required" : "auto");
    }
}

static void put_tools(const struct chat *chat, struct json_out *out)
{
    if (chat->tools != NULL) {
        json_key(out, "tools");
        json_open_array(out);
        for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next) {
            put_tool(out, tool);
        }
        json_close_array(out);
    }
    put_choice(chat, out);
    if (chat->parallel >= 0) {
        json_key(out, "parallel_tool_calls");
        json_bool(out, chat->parallel == 1);
    }
}

/* ---- everything else ---- */

static const char *effort_word(enum chat_effort effort)
{
    switch (effort) {
    case CHAT_EFFORT_UNSAID: return NULL;
    case CHAT_EFFORT_NONE: return "none";
    case CHAT_EFFORT_MINIMAL: return "minimal";
    case CHAT_EFFORT_LOW: return "low";
    case CHAT_EFFORT_MEDIUM: return "medium";
    case CHAT_EFFORT_HIGH: return "high";
    case CHAT_EFFORT_XHIGH: return "xhigh";
    case CHAT_EFFORT_MAX: return "max";
    }
    return NULL;
}

static void put_reasoning(struct json_out *out, const struct chat_params *params)
{
    const char *effort = effort_word(params->effort);

    if (effort == NULL && !params->shows_thinking) {
        return;
    }
    json_key(out, "reasoning");
    json_open_object(out);
    if (effort != NULL) {
        responses_put_word(out, "effort", effort);
    }
    if (params->shows_thinking) {
        responses_put_word(out, "summary", "auto");
    }
    json_close_object(out);
}

/* The name is required. */
static void put_format(struct json_out *out, const struct chat_params *params)
{
    json_key(out, "format");
    json_open_object(out);
    responses_put_word(out, "type", params->format == CHAT_FORMAT_JSON ? "json_object" : "json_schema");
    if (params->format == CHAT_FORMAT_SCHEMA) {
        responses_put_said(out, "name", params->format_name.len > 0 ? params->format_name : SPAN_OF("\"output\""));
        responses_put_said(out, "description", params->format_description);
        responses_put_said(out, "schema", params->format_schema);
        if (params->format_strict >= 0) {
            json_key(out, "strict");
            json_bool(out, params->format_strict == 1);
        }
    }
    json_close_object(out);
}

static void put_words(struct json_out *out, const struct chat_params *params)
{
    if (params->format == CHAT_FORMAT_TEXT && params->verbosity.len == 0) {
        return;
    }
    json_key(out, "text");
    json_open_object(out);
    if (params->format != CHAT_FORMAT_TEXT) {
        put_format(out, params);
    }
    responses_put_said(out, "verbosity", params->verbosity);
    json_close_object(out);
}

static void put_params(struct json_out *out, const struct chat_params *params)
{
    if (params->cap >= 0) {
        json_key(out, "max_output_tokens");
        json_i64(out, params->cap);
    }
    responses_put_said(out, "temperature", params->temperature);
    responses_put_said(out, "top_p", params->top_p);
    put_reasoning(out, params);
    put_words(out, params);
    responses_put_said(out, "safety_identifier", params->user);
    responses_put_said(out, "metadata", params->metadata);
    responses_put_said(out, "prompt_cache_key", params->cache_key);
    responses_put_said(out, "service_tier", params->tier);
    responses_put_said(out, "store", params->store.len > 0 ? params->store : SPAN_OF("false"));
    if (params->is_stream) {
        json_key(out, "stream");
        json_bool(out, true);
    }
}

void openai_responses_write_chat(struct chat *chat, struct json_out *out)
{
    json_open_object(out);
    responses_put_said(out, "model", chat->model);
    openai_responses_write_input(chat, out);
    put_tools(chat, out);
    put_params(out, &chat->params);
    json_close_object(out);
}
