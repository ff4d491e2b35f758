/* SPDX-License-Identifier: Apache-2.0 */
/* The tools of a chat completion request into the hub, and who chooses among them (openai.md 3; translation.md 5). */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "wire/json_walk.h"

enum tool_field {
#define TOOL_FIELD(NAME, name, mark, why) TOOL_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    TOOL_FIELDS
};
enum function_field {
#define FUNCTION_FIELD(NAME, name, mark, why) FUNCTION_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    FUNCTION_FIELDS
};
enum choice_field {
#define CHOICE_FIELD(NAME, name, mark, why) CHOICE_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    CHOICE_FIELDS
};
enum chosen_field {
#define CHOSEN_FIELD(NAME, name, mark, why) CHOSEN_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    CHOSEN_FIELDS
};

static const struct chat_field tool_list[] = {
#define TOOL_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field function_list[] = {
#define FUNCTION_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field choice_list[] = {
#define CHOICE_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field chosen_list[] = {
#define CHOSEN_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};

static const struct chat_fields tool_fields = {"tools[].", tool_list, TOOL_FIELDS};
static const struct chat_fields function_fields = {"tools[].function.", function_list, FUNCTION_FIELDS};
static const struct chat_fields choice_fields = {"tool_choice.", choice_list, CHOICE_FIELDS};
static const struct chat_fields chosen_fields = {"tool_choice.function.", chosen_list, CHOSEN_FIELDS};
static const struct chat_fields legacy_fields = {"functions[].", function_list, FUNCTION_FIELDS};

static bool is_filled(struct span value)
{
    return json_is_string(value) && value.len > 2;
}

static int8_t yes_or_no(struct span value)
{
    return span_equal(value, SPAN_OF("true")) ? 1 : span_equal(value, SPAN_OF("false")) ? 0 : -1;
}

enum chat_cache openai_chat_cache(struct span breakpoint, struct span control)
{
    /* OpenAI's shortest, half an hour, is longer than Anthropic's five minutes (translation.md 4). */
    if (json_is_object(breakpoint)) {
        return CHAT_CACHE_LONG;
    }
    if (json_is_object(control)) {
        return json_is_text(json_walk_find(control, "ttl"), "1h") ? CHAT_CACHE_LONG : CHAT_CACHE_SHORT;
    }
    return CHAT_CACHE_NONE;
}

/* ---- tools ---- */

static void read_function(struct chat *chat, const struct chat_fields *fields, struct span object, enum chat_cache cache)
{
    static const struct chat_expected expected[] = {{FUNCTION_DESCRIPTION, CHAT_IS_STRING}, {FUNCTION_STRICT, CHAT_IS_BOOL}};
    struct span said[FUNCTION_FIELDS] = {{NULL, 0}};
    struct chat_tool *tool = NULL;

    if (json_is_object(object)) {
        chat_take(chat, fields, object, said);
        chat_expect(chat, fields, said, expected, ARRAY_LENGTH(expected));
    }
    if (!is_filled(said[FUNCTION_NAME])) {
        chat_refuse(chat, "tools[].function.name", "A function has no name");
        return;
    }
    if (said[FUNCTION_PARAMETERS].len > 0 && !json_is_object(said[FUNCTION_PARAMETERS])) {
        chat_refuse(chat, "tools[].function.parameters", "The parameters of a function are no JSON Schema object");
        return;
    }
    tool = chat_add_tool(chat);
    if (tool == NULL) {
        return;
    }
    tool->name = said[FUNCTION_NAME];
    tool->description = is_filled(said[FUNCTION_DESCRIPTION]) ? said[FUNCTION_DESCRIPTION] : span_make(NULL, 0);
    tool->schema = said[FUNCTION_PARAMETERS];
    tool->strict = yes_or_no(said[FUNCTION_STRICT]);
    tool->cache = cache;
}

static void read_tool(struct chat *chat, struct span item)
{
    struct span said[TOOL_FIELDS] = {{NULL, 0}};

    if (json_is_object(item)) {
        chat_take(chat, &tool_fields, item, said);
    }
    if (said[TOOL_TYPE].len > 0 && !json_is_text(said[TOOL_TYPE], "function")) {
        chat_refuse_one(chat, "tools[].type", "Only functions are known to other dialects", said[TOOL_TYPE]);
        return;
    }
    read_function(chat, &function_fields, said[TOOL_FUNCTION],
                  openai_chat_cache(span_make(NULL, 0), said[TOOL_CACHE_CONTROL]));
}

static void read_tools(struct chat *chat, struct span tools)
{
    struct json_walk walk = json_walk_of(tools);
    struct span item;

    if (tools.len > 0 && !json_is_array(tools)) {
        chat_refuse(chat, "tools", "The tools are no list");
    }
    while (json_walk_item(&walk, &item) && !chat_is_refused(chat)) {
        read_tool(chat, item);
    }
}

/* An app that sends the older form can read no other in the answer. */
static void read_legacy(struct chat *chat, struct span functions)
{
    struct json_walk walk = json_walk_of(functions);
    struct span item;

    if (functions.len > 0 && !json_is_array(functions)) {
        chat_refuse(chat, "functions", "The functions are no list");
    }
    chat->params.is_legacy = chat->tools == NULL && functions.len > 0;
    while (json_walk_item(&walk, &item) && !chat_is_refused(chat)) {
        read_function(chat, &legacy_fields, item, CHAT_CACHE_NONE);
    }
}

void openai_chat_take_tools(struct chat *chat, struct span tools, struct span functions)
{
    read_tools(chat, tools);
    read_legacy(chat, functions);
}

/* ---- choice ---- */

static void refuse_choice(struct chat *chat)
{
    chat_refuse(chat, "tool_choice", "A choice of tools that no other dialect has");
}

/* Mistral's name for `required` is taken as well (openai-compatible.md 3). */
static enum chat_choice choice_of_word(struct span word)
{
    if (json_is_text(word, "auto")) {
        return CHAT_CHOICE_AUTO;
    }
    if (json_is_text(word, "none")) {
        return CHAT_CHOICE_NONE;
    }
    return json_is_text(word, "required") || json_is_text(word, "any") ? CHAT_CHOICE_ANY : CHAT_CHOICE_UNSAID;
}

/* {type: function, function: {name}}, or {type: function, name} as in Responses, or the older {name}. Anything else has
 * no name. */
static struct span name_of_tool(struct chat *chat, struct span object)
{
    struct span said[CHOICE_FIELDS] = {{NULL, 0}};
    struct span chosen[CHOSEN_FIELDS] = {{NULL, 0}};
    bool has_function = false;

    chat_take(chat, &choice_fields, object, said);
    has_function = json_is_object(said[CHOICE_FUNCTION]);
    if (said[CHOICE_TYPE].len > 0 && !json_is_text(said[CHOICE_TYPE], "function")) {
        return span_make(NULL, 0);
    }
    chat_take(chat, &chosen_fields, said[CHOICE_FUNCTION], chosen);
    chat_spare(chat, &choice_fields, said, 1U << CHOICE_TYPE | 1U << (has_function ? CHOICE_FUNCTION : CHOICE_NAME));
    return has_function ? chosen[CHOSEN_NAME] : said[CHOICE_NAME];
}

/* {type, allowed_tools: {mode, tools: [...]}}, or {type, mode, tools} as in Responses. */
static void read_allowed(struct chat *chat, struct span object)
{
    struct span inner = json_walk_find(object, "allowed_tools");
    bool is_nested = json_is_object(inner);
    struct span said[CHOICE_FIELDS] = {{NULL, 0}};
    struct json_walk walk;
    struct span item;

    if (is_nested) {
        chat_take(chat, &choice_fields, object, said);
        chat_spare(chat, &choice_fields, said, 1U << CHOICE_TYPE | 1U << CHOICE_ALLOWED_TOOLS);
    }
    chat_take(chat, &choice_fields, is_nested ? inner : object, said);
    chat_spare(chat, &choice_fields, said, 1U << CHOICE_TYPE | 1U << CHOICE_MODE | 1U << CHOICE_TOOLS);
    chat->choice = choice_of_word(said[CHOICE_MODE]);
    if ((chat->choice != CHAT_CHOICE_AUTO && chat->choice != CHAT_CHOICE_ANY) || !json_is_array(said[CHOICE_TOOLS])) {
        refuse_choice(chat);
        return;
    }
    walk = json_walk_of(said[CHOICE_TOOLS]);
    while (json_walk_item(&walk, &item) && !chat_is_refused(chat)) {
        struct span name = name_of_tool(chat, item);

        if (is_filled(name)) {
            chat_add_word(chat, &chat->choice_of, name);
        } else {
            refuse_choice(chat);
        }
    }
}

void openai_chat_take_choice(struct chat *chat, struct span value)
{
    if (value.len == 0) {
        return;
    }
    if (json_is_object(value) && json_is_text(json_walk_find(value, "type"), "allowed_tools")) {
        read_allowed(chat, value);
        return;
    }
    if (json_is_object(value)) {
        chat->choice = CHAT_CHOICE_ONE;
        chat->choice_name = name_of_tool(chat, value);
    } else {
        chat->choice = choice_of_word(value);
    }
    if (chat->choice == CHAT_CHOICE_UNSAID || (chat->choice == CHAT_CHOICE_ONE && !is_filled(chat->choice_name))) {
        refuse_choice(chat);
    }
}
