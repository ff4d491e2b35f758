/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of a request of POST /responses and the choice among them (openai.md 7): flat, unlike
 * those of chat. All other tools are run by the provider, or answer in a form of their own. */
#include "wire/dialects/openai_responses.h"

#include "base/must.h"
#include "wire/json_walk.h"

enum tool_place {
#define TOOL_FIELD(NAME, name, mark, why) TOOL_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    TOOL_PLACES
};
static const struct chat_field tool_list[TOOL_PLACES] = {
#define TOOL_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
enum choice_place {
#define CHOICE_FIELD(NAME, name, mark, why) CHOICE_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    CHOICE_PLACES
};
static const struct chat_field choice_list[CHOICE_PLACES] = {
#define CHOICE_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_fields choice_fields = {"tool_choice.", choice_list, CHOICE_PLACES};
static const struct chat_fields tool_fields = {"tools[].", tool_list, TOOL_PLACES};

static bool is_function(struct span object)
{
    return json_is_text(json_walk_find(object, "type"), "function");
}

static void refuse_tool(struct chat *chat, const char *param, struct span object)
{
    chat_refuse_one(chat, param, "Of tools only functions have a counterpart in other dialects", json_walk_find(object, "type"));
}

static bool is_empty_object(struct span object)
{
    struct json_walk walk = json_walk_of(object);
    struct span item;

    return !json_walk_item(&walk, &item);
}

static void read_tool(struct chat *chat, struct span object)
{
    static const struct chat_expected expected[] = {
        {TOOL_DESCRIPTION, CHAT_IS_STRING}, {TOOL_PARAMETERS, CHAT_IS_OBJECT}, {TOOL_STRICT, CHAT_IS_BOOL}};
    struct span values[TOOL_PLACES];
    struct chat_tool *tool = NULL;

    if (!is_function(object)) {
        refuse_tool(chat, "tools", object);
        return;
    }
    chat_take(chat, &tool_fields, object, values);
    chat_expect(chat, &tool_fields, values, expected, ARRAY_LENGTH(expected));
    if (chat_inside(values[TOOL_NAME]).len == 0) {
        chat_refuse(chat, "tools[].name", "A function has no name");
        return;
    }
    tool = chat_add_tool(chat);
    if (tool == NULL) {
        return;
    }
    tool->name = values[TOOL_NAME];
    if (json_is_string(values[TOOL_DESCRIPTION])) {
        tool->description = values[TOOL_DESCRIPTION];
    }
    if (json_is_object(values[TOOL_PARAMETERS]) && !is_empty_object(values[TOOL_PARAMETERS])) {
        tool->schema = values[TOOL_PARAMETERS];
    }
    if (span_equal(values[TOOL_STRICT], SPAN_OF("true"))) {
        tool->strict = 1;
    } else if (span_equal(values[TOOL_STRICT], SPAN_OF("false"))) {
        tool->strict = 0;
    }
}

/* {type: "function", name}; anything else has no name. */
static struct span name_of(struct chat *chat, struct span object)
{
    struct span values[CHOICE_PLACES];

    if (!is_function(object)) {
        return span_make(NULL, 0);
    }
    chat_take(chat, &choice_fields, object, values);
    chat_spare(chat, &choice_fields, values, 1U << CHOICE_TYPE | 1U << CHOICE_NAME);
    return values[CHOICE_NAME];
}

/* {type: "allowed_tools", mode, tools: [{type: "function", name}]} */
static void read_allowed(struct chat *chat, struct span object)
{
    struct span values[CHOICE_PLACES];
    struct json_walk walk;
    struct span item;

    chat_take(chat, &choice_fields, object, values);
    chat_spare(chat, &choice_fields, values, 1U << CHOICE_TYPE | 1U << CHOICE_MODE | 1U << CHOICE_TOOLS);
    if (json_is_text(values[CHOICE_MODE], "required")) {
        chat->choice = CHAT_CHOICE_ANY;
    } else if (json_is_text(values[CHOICE_MODE], "auto")) {
        chat->choice = CHAT_CHOICE_AUTO;
    } else {
        chat_refuse(chat, "tool_choice.mode", "It is neither auto nor required");
    }
    walk = json_walk_of(values[CHOICE_TOOLS]);
    while (json_walk_item(&walk, &item)) {
        struct span name = name_of(chat, item);

        if (chat_inside(name).len == 0) {
            refuse_tool(chat, "tool_choice.tools", item);
            return;
        }
        chat_add_word(chat, &chat->choice_of, name);
    }
    if (chat->choice_of.count == 0) {
        chat_refuse(chat, "tool_choice.tools", "It allows no function");
    }
}

static void read_choice(struct chat *chat, struct span choice)
{
    if (json_is_text(choice, "auto")) {
        chat->choice = CHAT_CHOICE_AUTO;
    } else if (json_is_text(choice, "none")) {
        chat->choice = CHAT_CHOICE_NONE;
    } else if (json_is_text(choice, "required")) {
        chat->choice = CHAT_CHOICE_ANY;
    } else if (json_is_object(choice) && json_is_text(json_walk_find(choice, "type"), "allowed_tools")) {
        read_allowed(chat, choice);
    } else if (choice.len > 0) {
        chat->choice = CHAT_CHOICE_ONE;
        chat->choice_name = name_of(chat, choice);
        if (chat_inside(chat->choice_name).len == 0) {
            refuse_tool(chat, "tool_choice", choice);
        }
    }
}

void openai_responses_read_tools(struct chat *chat, struct span tools, struct span choice)
{
    struct json_walk walk = json_walk_of(tools);
    struct span item;

    if (tools.len > 0 && !json_is_array(tools)) {
        chat_refuse(chat, "tools", "They are no list");
        return;
    }
    while (json_walk_item(&walk, &item)) {
        read_tool(chat, item);
    }
    read_choice(chat, choice);
}
