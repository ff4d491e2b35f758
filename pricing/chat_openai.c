/* SPDX-License-Identifier: Apache-2.0 */
/* Chat completions and responses. A message costs three tokens, its role and its texts, and three
 * more prime the answer (tokenizers.md 8). That is exact for the models on which it was checked,
 * without tools; whatever else comes in has a slack of its own. */
#include "base/must.h"
#include "pricing/chat_parts.h"
#include "pricing/definitions.h"
#include "wire/json_walk.h"

enum {
    MESSAGE = 3,
    NAME = 1,
    PRIME = 3,
    CALL = 3,
    FUNCTION_ROLE = 2, /* less */
    FUNCTIONS = 9,
    FUNCTIONS_SYSTEM = 4, /* less, beside a system message */
    CHOSEN = 4,
    CHOSEN_NONE = 1,

    SLACK_MESSAGE = 1, /* of a model whose frame nobody checked */
    SLACK_PRIME = 8,
    SLACK_CALL = 4,
    SLACK_FUNCTIONS = 24,
    SLACK_HOSTED = 300 /* what a tool of the provider's own tells the model */
};

static bool is_null(struct span value)
{
    return value.len == 0 || value.at[0] == 'n';
}

/* By its address or in base64. Elsewhere a provider may take a film or a document under this name:
 * what does not say that it is a picture is media like any other. `url` is empty of one that is
 * called by an id. */
static void count_picture(struct counting *counting, struct span url)
{
    bool is_inline = span_starts_nocase(url, SPAN_OF("\"data:image"));

    if (is_inline || url.len == 0 || span_starts_nocase(url, SPAN_OF("\"http"))) {
        counting_picture(counting, is_inline ? url : span_make(NULL, 0));
    } else {
        counting->media++;
    }
}

static void count_part(struct counting *counting, struct span part)
{
    enum { TYPE, TEXT, REFUSAL, IMAGE, MEMBERS };
    static const char *const members[MEMBERS] = {"type", "text", "refusal", "image_url"};
    struct span values[MEMBERS];
    struct span type;
    bool is_text = false;

    json_walk_pick(part, members, MEMBERS, values);
    type = values[TYPE];
    is_text = type.len == 0 || span_ends(type, SPAN_OF("text\"")) || json_is_text(type, "refusal");
    counting_string(counting, values[TEXT], "");
    counting_string(counting, values[REFUSAL], "");
    if (json_is_text(type, "image_url") || json_is_text(type, "input_image") ||
        json_is_text(type, "computer_screenshot")) {
        count_picture(counting, json_is_object(values[IMAGE])
                                    ? json_walk_find(values[IMAGE], "url")
                                : is_null(values[IMAGE]) ? span_make(NULL, 0)
                                                         : values[IMAGE]);
    } else if (!is_text || !(json_is_string(values[TEXT]) || json_is_string(values[REFUSAL]))) {
        counting->media++;
    }
}

void count_content(struct counting *counting, struct span content, const char *suffix)
{
    struct json_walk walk = json_walk_of(content);
    struct span part;

    counting_string(counting, content, suffix);
    if (json_is_array(content)) {
        while (json_walk_item(&walk, &part)) {
            count_part(counting, part);
        }
    } else if (json_is_object(content)) { /* a screenshot, alone */
        count_part(counting, content);
    }
}

/* A call that the model made: {name, arguments} or {name, input}. */
static void count_call(struct counting *counting, struct span call)
{
    static const char *const members[] = {"name", "arguments", "input"};
    struct span values[ARRAY_LENGTH(members)];

    json_walk_pick(call, members, ARRAY_LENGTH(members), values);
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        counting_string(counting, values[i], "");
    }
    counting->texts += CALL;
    counting->slack += SLACK_CALL;
}

static void count_calls(struct counting *counting, struct span calls)
{
    static const char *const members[] = {"function", "custom"};
    struct json_walk walk = json_walk_of(calls);
    struct span call;

    while (json_is_array(calls) && json_walk_item(&walk, &call)) {
        struct span values[ARRAY_LENGTH(members)];

        json_walk_pick(call, members, ARRAY_LENGTH(members), values);
        count_call(counting, values[0].len > 0 ? values[0] : values[1]);
    }
}

/* ---- tools ---- */

/* {type: function, function: {...}} (chat), {type: function, name, ...} (responses) or {name, ...}
 * (functions of old): what describes the function; empty for tools of another kind. */
static struct span function_of(struct span tool)
{
    static const char *const members[] = {"type", "function", "name"};
    struct span values[ARRAY_LENGTH(members)];

    json_walk_pick(tool, members, ARRAY_LENGTH(members), values);
    if (values[0].len > 0 && !json_is_text(values[0], "function")) {
        return span_make(NULL, 0);
    }
    return json_is_object(values[1]) ? values[1] : tool;
}

void count_tools(struct counting *counting, struct span tools)
{
    struct json_walk walk = json_walk_of(tools);
    struct buf *text = counting_scratch(counting);
    struct definitions definitions;
    struct span tool;

    if (!json_is_array(tools)) {
        return;
    }
    definitions_begin(&definitions, text);
    while (json_walk_item(&walk, &tool)) {
        struct span function = function_of(tool);

        if (function.len > 0) {
            definitions_put(&definitions, function);
        } else {
            counting_json(counting, tool);
            counting->slack += SLACK_HOSTED;
        }
    }
    definitions_end(&definitions);
    if (definitions.count > 0) {
        counting->has_functions = true;
        counting_text(counting, buf_span(text));
        counting->texts += FUNCTIONS;
        counting->slack += SLACK_FUNCTIONS + SLACK_CALL * (uint64_t)definitions.count;
    }
}

void count_choice(struct counting *counting, struct span choice)
{
    struct span function = json_walk_find(choice, "function");

    if (json_is_text(choice, "none")) {
        counting->texts += CHOSEN_NONE;
    } else if (json_is_object(choice)) {
        counting_string(counting, json_walk_find(function.len > 0 ? function : choice, "name"), "");
        counting->texts += CHOSEN;
    }
}

/* ---- chat completions ---- */

/* Beside functions the first system message ends in a line break. */
static const char *system_suffix(const struct counting *counting, struct span content,
                                 bool is_first_system)
{
    bool ends = span_ends(content, SPAN_OF("\\n\"")) && !span_ends(content, SPAN_OF("\\\\n\""));

    return counting->has_functions && is_first_system && content.len > 2 && !ends ? "\n" : "";
}

/* Returns whether it is a system message. */
static bool count_message(struct counting *counting, struct span message, bool has_system)
{
    enum { ROLE, CONTENT, NAME_OF, FUNCTION_CALL, TOOL_CALLS, REFUSAL, AUDIO, MEMBERS };
    static const char *const members[MEMBERS] = {"role",       "content", "name", "function_call",
                                                 "tool_calls", "refusal", "audio"};
    struct span values[MEMBERS];
    bool is_system = false;

    json_walk_pick(message, members, MEMBERS, values);
    is_system = json_is_text(values[ROLE], "system");
    counting->texts += MESSAGE;
    counting->slack += counting->family.is_frame_checked ? 0 : SLACK_MESSAGE;
    counting_string(counting, values[ROLE], "");
    count_content(counting, values[CONTENT],
                  system_suffix(counting, values[CONTENT], is_system && !has_system));
    counting_string(counting, values[REFUSAL], "");
    counting->media += is_null(values[AUDIO]) ? 0 : 1;
    if (json_is_string(values[NAME_OF])) {
        counting_string(counting, values[NAME_OF], "");
        counting->texts += NAME;
    }
    if (json_is_object(values[FUNCTION_CALL])) {
        count_call(counting, values[FUNCTION_CALL]);
    }
    count_calls(counting, values[TOOL_CALLS]);
    if (json_is_text(values[ROLE], "function")) {
        counting->texts -= FUNCTION_ROLE;
    }
    return is_system;
}

/* Tools come first, because what a system message costs depends on them. */
void count_chat(struct counting *counting, struct span body)
{
    enum { MESSAGES, TOOLS, OLD_FUNCTIONS, CHOICE, OLD_CHOICE, FORMAT, MEMBERS };
    static const char *const members[MEMBERS] = {"messages",    "tools",         "functions",
                                                 "tool_choice", "function_call", "response_format"};
    struct span values[MEMBERS];
    struct json_walk walk;
    struct span message;
    bool has_system = false;

    json_walk_pick(body, members, MEMBERS, values);
    count_tools(counting, values[TOOLS]);
    count_tools(counting, values[OLD_FUNCTIONS]);
    if (counting->has_functions) {
        count_choice(counting, values[CHOICE]);
        count_choice(counting, values[OLD_CHOICE]);
    }
    walk = json_walk_of(values[MESSAGES]);
    while (json_is_array(values[MESSAGES]) && json_walk_item(&walk, &message)) {
        has_system = count_message(counting, message, has_system) || has_system;
    }
    counting->texts += PRIME;
    counting->texts -= counting->has_functions && has_system ? FUNCTIONS_SYSTEM : 0;
    counting->slack += counting->family.is_frame_checked ? 0 : SLACK_PRIME;
    counting_json(counting, json_walk_find(values[FORMAT], "json_schema"));
}

/* ---- responses ---- */

static void count_item(struct counting *counting, struct span item)
{
    enum { TYPE, ROLE, CONTENT, OUTPUT, SEALED, SUMMARY, MEMBERS };
    static const char *const members[MEMBERS] = {"type",   "role",              "content",
                                                 "output", "encrypted_content", "summary"};
    struct span values[MEMBERS];

    json_walk_pick(item, members, MEMBERS, values);
    counting->texts += MESSAGE;
    counting->slack += SLACK_MESSAGE;
    if (json_is_string(values[ROLE])) {
        counting_string(counting, values[ROLE], "");
        count_content(counting, values[CONTENT], "");
    } else if (json_is_text(values[TYPE], "function_call") ||
               json_is_text(values[TYPE], "custom_tool_call")) {
        count_call(counting, item);
    } else if (!is_null(values[OUTPUT])) {
        counting->texts++; /* in the place of a role */
        count_content(counting, values[OUTPUT], "");
    } else if (json_is_text(values[TYPE], "item_reference")) {
        counting->is_elsewhere = true;
    } else if (json_is_text(values[TYPE], "reasoning") && json_is_string(values[SEALED])) {
        count_content(counting, values[SUMMARY], "");
        count_content(counting, values[CONTENT], "");
        counting_sealed(counting, values[SEALED]);
    } else {
        counting->media++; /* reasoning that is kept elsewhere, calls of the provider's own tools */
    }
}

void count_responses(struct counting *counting, struct span body)
{
    enum { INPUT, INSTRUCTIONS, TOOLS, CHOICE, TEXT, PREVIOUS, CONVERSATION, PROMPT, MEMBERS };
    static const char *const members[MEMBERS] = {
        "input", "instructions",         "tools",        "tool_choice",
        "text",  "previous_response_id", "conversation", "prompt"};
    struct span values[MEMBERS];
    struct json_walk walk;
    struct span item;

    json_walk_pick(body, members, MEMBERS, values);
    count_tools(counting, values[TOOLS]);
    if (counting->has_functions) {
        count_choice(counting, values[CHOICE]);
    }
    if (json_is_string(values[INSTRUCTIONS])) {
        counting->texts += MESSAGE + 1;
        counting_string(counting, values[INSTRUCTIONS], "");
    }
    if (json_is_string(values[INPUT])) {
        counting->texts += MESSAGE + 1;
        counting_string(counting, values[INPUT], "");
    }
    walk = json_walk_of(values[INPUT]);
    while (json_is_array(values[INPUT]) && json_walk_item(&walk, &item)) {
        count_item(counting, item);
    }
    counting_json(counting, json_walk_find(json_walk_find(values[TEXT], "format"), "schema"));
    counting->texts += PRIME;
    counting->slack += SLACK_PRIME;
    counting->is_elsewhere = counting->is_elsewhere || !is_null(values[PREVIOUS]) ||
                             !is_null(values[CONVERSATION]) || !is_null(values[PROMPT]);
}
