/* SPDX-License-Identifier: Apache-2.0 */
/* An app's messages request into the hub: everything but the conversation itself (anthropic.md 3, 4;
 * translation.md 5 to 8). */
#include "wire/dialects/anthropic_messages.h"

#include "base/must.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

static bool is_true(struct span value)
{
    return span_equal(value, SPAN_OF("true"));
}

static bool is_bool(struct span value)
{
    return is_true(value) || span_equal(value, SPAN_OF("false"));
}

static struct span number_of(struct span value)
{
    bool is_number = value.len > 0 && (*value.at == '-' || (*value.at >= '0' && *value.at <= '9'));

    return is_number ? value : span_make("", 0);
}

static struct span string_of(struct span value)
{
    return json_is_string(value) ? value : span_make("", 0);
}

static struct span object_of(struct span value)
{
    return json_is_object(value) ? value : span_make("", 0);
}

static bool has_items(struct span array)
{
    struct json_walk walk = json_walk_of(array);
    struct span item;

    return json_walk_item(&walk, &item);
}

/* ---- tools ---- */

/* Tools with a date in their type are the vendor's: they have no schema, and nobody else means the same by them
 * (translation.md 5). */
static bool is_own_tool(struct span tool)
{
    struct span type = json_walk_find(tool, "type");

    return json_is_object(tool) &&
           (type.len == 0 || span_equal(type, SPAN_OF("null")) || json_is_text(type, "custom"));
}

/* Whether somebody else than the model itself may call it. */
static bool has_other_callers(struct span callers)
{
    struct json_walk walk = json_walk_of(callers);
    struct span item;

    while (json_walk_item(&walk, &item)) {
        if (!json_is_text(item, "direct")) {
            return true;
        }
    }
    return false;
}

static void read_tool(struct chat *chat, struct span value)
{
    static const struct chat_expected expected[] = {
        {TOOL_DESCRIPTION, CHAT_IS_STRING}, {TOOL_SCHEMA, CHAT_IS_OBJECT}, {TOOL_STRICT, CHAT_IS_BOOL},
        {TOOL_CACHE, CHAT_IS_OBJECT},       {TOOL_DEFER, CHAT_IS_BOOL},    {TOOL_CALLERS, CHAT_IS_ARRAY}};
    struct span got[TOOL_FIELDS];
    struct chat_tool *tool = NULL;

    if (!is_own_tool(value)) {
        chat_refuse_one(chat, "tools[].type", "A tool of the vendor's own has no counterpart in the other dialect",
                        json_walk_find(value, "type"));
        return;
    }
    messages_take(chat, MESSAGES_TOOL, value, got);
    messages_expect(chat, MESSAGES_TOOL, got, expected, ARRAY_LENGTH(expected));
    if (chat_inside(got[TOOL_NAME]).len == 0) {
        chat_refuse(chat, "tools[].name", "A tool needs a name");
        return;
    }
    if (is_true(got[TOOL_DEFER])) {
        chat_refuse(chat, "tools[].defer_loading", "Tools that are loaded later have no counterpart");
    }
    if (has_other_callers(got[TOOL_CALLERS])) {
        chat_refuse(chat, "tools[].allowed_callers", "Calls by programs of the vendor have no counterpart");
    }
    tool = chat_add_tool(chat);
    if (tool == NULL) {
        return;
    }
    tool->name = got[TOOL_NAME];
    tool->description = string_of(got[TOOL_DESCRIPTION]);
    tool->schema = object_of(got[TOOL_SCHEMA]);
    tool->cache = messages_cache(chat, got[TOOL_CACHE]);
    if (is_bool(got[TOOL_STRICT])) {
        tool->strict = is_true(got[TOOL_STRICT]);
    }
}

static void read_tools(struct chat *chat, struct span value)
{
    struct json_walk walk = json_walk_of(json_is_array(value) ? value : span_make("", 0));
    struct span item;

    while (!chat_is_refused(chat) && json_walk_item(&walk, &item)) {
        read_tool(chat, item);
    }
}

static void read_choice(struct chat *chat, struct span value)
{
    static const struct {
        const char *type;
        enum chat_choice choice;
    } known[] = {{"auto", CHAT_CHOICE_AUTO}, {"any", CHAT_CHOICE_ANY}, {"tool", CHAT_CHOICE_ONE},
                 {"none", CHAT_CHOICE_NONE}};
    static const struct chat_expected expected[] = {{CHOICE_SINGLE, CHAT_IS_BOOL}};
    struct span got[CHOICE_FIELDS];

    if (value.len == 0) {
        return;
    }
    messages_take(chat, MESSAGES_CHOICE, value, got);
    messages_expect(chat, MESSAGES_CHOICE, got, expected, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (json_is_text(got[CHOICE_TYPE], known[i].type)) {
            chat->choice = known[i].choice;
        }
    }
    chat->choice_name = chat->choice == CHAT_CHOICE_ONE ? string_of(got[CHOICE_NAME]) : span_make("", 0);
    if (chat->choice == CHAT_CHOICE_UNSAID ||
        (chat->choice == CHAT_CHOICE_ONE && chat_inside(chat->choice_name).len == 0)) {
        chat_refuse(chat, "tool_choice", "It is none of auto, any, none and a tool by its name");
    }
    if (is_true(got[CHOICE_SINGLE])) {
        chat->parallel = 0;
    }
}

/* ---- thinking and the form of the answer ---- */

/* translation.md 7, "back from budgets". */
static enum chat_effort effort_of_budget(int64_t tokens)
{
    if (tokens < 2048) {
        return CHAT_EFFORT_LOW;
    }
    if (tokens < 8192) {
        return CHAT_EFFORT_MEDIUM;
    }
    return tokens < 24576 ? CHAT_EFFORT_HIGH : CHAT_EFFORT_XHIGH;
}

static void read_budget(struct chat *chat, struct span value)
{
    int64_t tokens = 0;

    if (json_integer(number_of(value), &tokens) != ERR_NONE || tokens < 0) {
        chat->params.is_thinking_adaptive = true; /* on, and nobody said how much */
        return;
    }
    chat->params.thinking_budget = tokens;
    chat->params.effort = effort_of_budget(tokens);
}

static void read_thinking(struct chat *chat, struct span value)
{
    struct span got[THINKING_FIELDS];

    messages_take(chat, MESSAGES_THINKING, value, got);
    chat->params.shows_thinking = json_is_text(got[THINKING_DISPLAY], "summarized");
    if (json_is_text(got[THINKING_TYPE], "enabled")) {
        read_budget(chat, got[THINKING_BUDGET]);
    } else if (json_is_text(got[THINKING_TYPE], "adaptive")) {
        chat->params.is_thinking_adaptive = true;
    } else if (json_is_text(got[THINKING_TYPE], "disabled")) {
        chat->params.effort = CHAT_EFFORT_NONE;
    } else if (json_is_text(got[THINKING_TYPE], "between_tools")) {
        chat->params.effort = CHAT_EFFORT_LOW; /* the least there is without switching it off */
        chat_change(chat, "thinking.type");
    } else if (value.len > 0) {
        chat_drop(chat, "thinking.type");
    }
}

static void read_format(struct chat *chat, struct span value)
{
    struct span got[FORMAT_FIELDS];

    if (value.len == 0) {
        return;
    }
    messages_take(chat, MESSAGES_FORMAT, value, got);
    if (!json_is_text(got[FORMAT_TYPE], "json_schema") || !json_is_object(got[FORMAT_SCHEMA])) {
        chat_refuse(chat, "output_config.format", "It is no JSON Schema");
        return;
    }
    chat->params.format = CHAT_FORMAT_SCHEMA;
    chat->params.format_schema = got[FORMAT_SCHEMA];
}

static void read_effort(struct chat *chat, struct span value)
{
    enum chat_effort effort = messages_effort_of(value);

    if (value.len == 0) {
        return;
    }
    /* Without thinking it says how long the answer is; elsewhere it would switch thinking on again. */
    if (effort == CHAT_EFFORT_UNSAID || chat->params.effort == CHAT_EFFORT_NONE) {
        chat_drop(chat, "output_config.effort");
        return;
    }
    chat->params.effort = effort;
}

static void read_output(struct chat *chat, struct span value, struct span old_format)
{
    struct span got[OUTPUT_FIELDS];

    messages_take(chat, MESSAGES_OUTPUT, value, got);
    read_effort(chat, got[OUTPUT_EFFORT]);
    read_format(chat, got[OUTPUT_FORMAT].len > 0 ? got[OUTPUT_FORMAT] : old_format);
}

/* ---- the rest ---- */

/* Thinking is left out of the history anyway, so its clearing is done; Claude Code asks for that with every call. Any
 * other edit changes what the model is to see. */
static void read_context(struct chat *chat, struct span value)
{
    static const struct chat_expected expected[] = {{CONTEXT_EDITS, CHAT_IS_ARRAY}};
    struct span got[CONTEXT_FIELDS];
    struct json_walk walk;
    struct span edit;

    messages_take(chat, MESSAGES_CONTEXT, value, got);
    messages_expect(chat, MESSAGES_CONTEXT, got, expected, ARRAY_LENGTH(expected));
    walk = json_walk_of(got[CONTEXT_EDITS]);
    while (json_walk_item(&walk, &edit)) {
        struct span type = json_walk_find(edit, "type");

        if (!span_starts(chat_inside(type), SPAN_OF("clear_thinking_"))) {
            chat_refuse(chat, "context_management", "No other dialect edits the conversation on the way");
            return;
        }
    }
}

static void read_stop(struct chat *chat, struct span value)
{
    struct json_walk walk = json_walk_of(json_is_array(value) ? value : span_make("", 0));
    struct span item;

    while (json_walk_item(&walk, &item)) {
        if (chat_inside(item).len > 0) {
            chat_add_word(chat, &chat->params.stop, item);
        }
    }
}

static void read_cap(struct chat *chat, struct span value)
{
    if (json_integer(number_of(value), &chat->params.cap) != ERR_NONE) {
        chat->params.cap = -1;
    } else if (chat->params.cap <= 0) {
        chat_refuse(chat, "max_tokens", "Only this dialect's caches are filled without an answer");
    }
}

static void read_params(struct chat *chat, const struct span *got)
{
    static const struct chat_expected expected[] = {{METADATA_USER, CHAT_IS_STRING}};
    struct span metadata[METADATA_FIELDS];
    struct chat_params *params = &chat->params;

    messages_take(chat, MESSAGES_METADATA, got[REQUEST_METADATA], metadata);
    messages_expect(chat, MESSAGES_METADATA, metadata, expected, ARRAY_LENGTH(expected));
    read_cap(chat, got[REQUEST_MAX_TOKENS]);
    read_stop(chat, got[REQUEST_STOP]);
    params->temperature = number_of(got[REQUEST_TEMPERATURE]);
    params->top_p = number_of(got[REQUEST_TOP_P]);
    params->top_k = number_of(got[REQUEST_TOP_K]);
    params->user = string_of(metadata[METADATA_USER]);
    params->tier = string_of(got[REQUEST_TIER]);
    params->is_stream = is_true(got[REQUEST_STREAM]);
    params->wants_usage = true; /* it comes unasked in this dialect */
    params->wants_cache = json_is_object(got[REQUEST_CACHE]);
    if (got[REQUEST_SPEED].len > 0 && !json_is_text(got[REQUEST_SPEED], "standard")) {
        chat_drop(chat, "speed");
    }
    if (has_items(got[REQUEST_MCP_SERVERS])) {
        chat_refuse(chat, "mcp_servers", "The other dialect does not reach tools of MCP servers");
    }
}

void messages_read_request(struct chat *chat, struct span body)
{
    static const struct chat_expected expected[] = {
        {REQUEST_STOP, CHAT_IS_ARRAY},      {REQUEST_TEMPERATURE, CHAT_IS_NUMBER}, {REQUEST_TOP_P, CHAT_IS_NUMBER},
        {REQUEST_TOP_K, CHAT_IS_NUMBER},    {REQUEST_TOOLS, CHAT_IS_ARRAY},        {REQUEST_THINKING, CHAT_IS_OBJECT},
        {REQUEST_OUTPUT, CHAT_IS_OBJECT},   {REQUEST_METADATA, CHAT_IS_OBJECT},    {REQUEST_TIER, CHAT_IS_STRING},
        {REQUEST_CACHE, CHAT_IS_OBJECT},    {REQUEST_MCP_SERVERS, CHAT_IS_ARRAY},  {REQUEST_CONTEXT, CHAT_IS_OBJECT},
        {REQUEST_SYSTEM, CHAT_IS_STRING | CHAT_IS_ARRAY},
    };
    struct span got[REQUEST_FIELDS];

    messages_take(chat, MESSAGES_REQUEST, json_walk_document(body), got);
    messages_expect(chat, MESSAGES_REQUEST, got, expected, ARRAY_LENGTH(expected));
    read_params(chat, got);
    read_context(chat, got[REQUEST_CONTEXT]);
    read_thinking(chat, got[REQUEST_THINKING]);
    read_output(chat, got[REQUEST_OUTPUT], got[REQUEST_OUTPUT_FORMAT]);
    read_tools(chat, got[REQUEST_TOOLS]);
    read_choice(chat, got[REQUEST_CHOICE]);
    messages_read_system(chat, got[REQUEST_SYSTEM]);
    messages_read_turns(chat, got[REQUEST_MESSAGES]);
    chat_finish(chat);
}
