/* SPDX-License-Identifier: Apache-2.0 */
/* A chat completion request into the hub: its tools and parameters (openai.md 3; translation.md 5 to 8). The
 * messages have a file of their own. */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

enum root_field {
#define ROOT_FIELD(NAME, name, mark, why) ROOT_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    ROOT_FIELDS
};
enum stream_field {
#define STREAM_FIELD(NAME, name, mark, why) STREAM_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    STREAM_FIELDS
};
enum format_field {
#define FORMAT_FIELD(NAME, name, mark, why) FORMAT_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    FORMAT_FIELDS
};
enum schema_field {
#define SCHEMA_FIELD(NAME, name, mark, why) SCHEMA_##NAME,
#include "wire/dialects/openai_chat_fields.def"
    SCHEMA_FIELDS
};
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

static const struct chat_field root_list[] = {
#define ROOT_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field stream_list[] = {
#define STREAM_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field format_list[] = {
#define FORMAT_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field schema_list[] = {
#define SCHEMA_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field tool_list[] = {
#define TOOL_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};
static const struct chat_field function_list[] = {
#define FUNCTION_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_chat_fields.def"
};

static const struct chat_fields root_fields = {"", root_list, ROOT_FIELDS};
static const struct chat_fields stream_fields = {"stream_options.", stream_list, STREAM_FIELDS};
static const struct chat_fields format_fields = {"response_format.", format_list, FORMAT_FIELDS};
static const struct chat_fields schema_fields = {"response_format.json_schema.", schema_list, SCHEMA_FIELDS};
static const struct chat_fields tool_fields = {"tools[].", tool_list, TOOL_FIELDS};
static const struct chat_fields function_fields = {"tools[].function.", function_list, FUNCTION_FIELDS};
static const struct chat_fields legacy_fields = {"functions[].", function_list, FUNCTION_FIELDS};

const char *const openai_chat_efforts[OPENAI_EFFORTS] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};

/* ---- types ---- */

static bool is_number(struct span value)
{
    return value.len > 0 && (*value.at == '-' || (*value.at >= '0' && *value.at <= '9'));
}

static bool is_true(struct span value)
{
    return span_equal(value, SPAN_OF("true"));
}

static bool is_bool(struct span value)
{
    return is_true(value) || span_equal(value, SPAN_OF("false"));
}

static bool is_filled(struct span value)
{
    return json_is_string(value) && value.len > 2;
}

static int8_t yes_or_no(struct span value)
{
    if (!is_bool(value)) {
        return -1;
    }
    return is_true(value) ? 1 : 0;
}

/* The value of a member of the request if it is of its type; of another one it is left out and named. */
static struct span take(struct chat *chat, const struct span *values, enum root_field field, bool (*is)(struct span))
{
    if (values[field].len > 0 && !is(values[field])) {
        chat_drop(chat, root_list[field].name);
        return span_make(NULL, 0);
    }
    return values[field];
}

enum chat_cache openai_chat_cache(struct span breakpoint, struct span control)
{
    /* A time that OpenAI lets one choose is longer than Anthropic's five minutes (translation.md 4). */
    if (json_is_object(breakpoint)) {
        return json_is_string(json_walk_find(breakpoint, "ttl")) ? CHAT_CACHE_LONG : CHAT_CACHE_SHORT;
    }
    if (json_is_object(control)) {
        return json_is_text(json_walk_find(control, "ttl"), "1h") ? CHAT_CACHE_LONG : CHAT_CACHE_SHORT;
    }
    return CHAT_CACHE_NONE;
}

/* ---- tools ---- */

static void read_function(struct chat *chat, const struct chat_fields *fields, struct span object, enum chat_cache cache)
{
    struct span said[FUNCTION_FIELDS] = {{NULL, 0}};
    struct chat_tool *tool = NULL;

    if (json_is_object(object)) {
        chat_take(chat, fields, object, said);
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
        chat_refuse(chat, "tools[].type", "Only functions are known to other dialects");
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

/* {function: {name}}, or {name} as in Responses. */
static struct span name_of_tool(struct span object)
{
    struct span function = json_walk_find(object, "function");

    return json_walk_find(json_is_object(function) ? function : object, "name");
}

static void read_allowed(struct chat *chat, struct span object)
{
    struct span inner = json_walk_find(object, "allowed_tools");
    struct span allowed = json_is_object(inner) ? inner : object;
    struct span tools = json_walk_find(allowed, "tools");
    struct json_walk walk = json_walk_of(tools);
    struct span item;

    chat->choice = choice_of_word(json_walk_find(allowed, "mode"));
    if ((chat->choice != CHAT_CHOICE_AUTO && chat->choice != CHAT_CHOICE_ANY) || !json_is_array(tools)) {
        refuse_choice(chat);
        return;
    }
    while (json_walk_item(&walk, &item) && !chat_is_refused(chat)) {
        struct span name = name_of_tool(item);

        if (is_filled(name)) {
            chat_add_word(chat, &chat->choice_of, name);
        } else {
            refuse_choice(chat);
        }
    }
}

static void read_choice(struct chat *chat, struct span value)
{
    struct span type = json_is_object(value) ? json_walk_find(value, "type") : span_make(NULL, 0);

    if (value.len == 0) {
        return;
    }
    if (json_is_text(type, "allowed_tools")) {
        read_allowed(chat, value);
        return;
    }
    if (json_is_object(value)) {
        chat->choice = CHAT_CHOICE_ONE;
        chat->choice_name = name_of_tool(value);
    } else {
        chat->choice = choice_of_word(value);
    }
    if (chat->choice == CHAT_CHOICE_UNSAID || (chat->choice == CHAT_CHOICE_ONE && !is_filled(chat->choice_name)) ||
        (type.len > 0 && !json_is_text(type, "function"))) {
        refuse_choice(chat);
    }
}

/* ---- parameters ---- */

/* A list that holds one string, or several. */
static void read_stop(struct chat *chat, struct span stop)
{
    struct json_walk walk = json_walk_of(stop);
    struct span item;

    if (is_filled(stop)) {
        chat_add_word(chat, &chat->params.stop, stop);
        return;
    }
    if (stop.len > 0 && !json_is_string(stop) && !json_is_array(stop)) {
        chat_refuse(chat, "stop", "It is neither a string nor a list of strings");
    }
    while (json_walk_item(&walk, &item) && !chat_is_refused(chat)) {
        if (is_filled(item)) {
            chat_add_word(chat, &chat->params.stop, item);
        } else if (!json_is_string(item)) {
            chat_refuse(chat, "stop", "It is neither a string nor a list of strings");
        }
    }
}

static void read_effort(struct chat *chat, struct span word)
{
    for (size_t i = 0; i < OPENAI_EFFORTS; i++) {
        if (json_is_text(word, openai_chat_efforts[i])) {
            chat->params.effort = (enum chat_effort)(CHAT_EFFORT_NONE + i);
            return;
        }
    }
    if (word.len > 0) {
        chat_drop(chat, "reasoning_effort");
    }
}

static void read_schema(struct chat *chat, struct span object)
{
    struct chat_params *params = &chat->params;
    struct span said[SCHEMA_FIELDS] = {{NULL, 0}};

    if (json_is_object(object)) {
        chat_take(chat, &schema_fields, object, said);
    }
    if (said[SCHEMA_SCHEMA].len > 0 && !json_is_object(said[SCHEMA_SCHEMA])) {
        chat_refuse(chat, "response_format.json_schema.schema", "The schema is no object");
        return;
    }
    params->format = said[SCHEMA_SCHEMA].len > 0 ? CHAT_FORMAT_SCHEMA : CHAT_FORMAT_JSON;
    params->format_schema = said[SCHEMA_SCHEMA];
    params->format_name = is_filled(said[SCHEMA_NAME]) ? said[SCHEMA_NAME] : span_make(NULL, 0);
    params->format_strict = yes_or_no(said[SCHEMA_STRICT]);
}

static void read_format(struct chat *chat, struct span object)
{
    struct span said[FORMAT_FIELDS] = {{NULL, 0}};

    if (object.len == 0) {
        return;
    }
    if (json_is_object(object)) {
        chat_take(chat, &format_fields, object, said);
    }
    if (json_is_text(said[FORMAT_TYPE], "json_schema")) {
        read_schema(chat, said[FORMAT_JSON_SCHEMA]);
    } else if (json_is_text(said[FORMAT_TYPE], "json_object")) {
        chat->params.format = CHAT_FORMAT_JSON;
    } else if (!json_is_text(said[FORMAT_TYPE], "text")) {
        chat_refuse(chat, "response_format", "The format of the answer is not known");
    }
}

static int64_t count_of(struct span value)
{
    int64_t count = 0;

    return json_integer(value, &count) == ERR_NONE && count > 0 ? count : -1;
}

static void read_numbers(struct chat *chat, const struct span *values)
{
    struct chat_params *params = &chat->params;
    int64_t cap = count_of(values[ROOT_MAX_COMPLETION_TOKENS]);
    int64_t answers = count_of(values[ROOT_N]);

    params->cap = cap >= 0 ? cap : count_of(values[ROOT_MAX_TOKENS]);
    params->answers = answers > 0 && answers <= UINT32_MAX ? (uint32_t)answers : 1;
    params->temperature = take(chat, values, ROOT_TEMPERATURE, is_number);
    params->top_p = take(chat, values, ROOT_TOP_P, is_number);
    params->top_k = take(chat, values, ROOT_TOP_K, is_number);
    params->seed = take(chat, values, ROOT_SEED, is_number);
    params->frequency_penalty = take(chat, values, ROOT_FREQUENCY_PENALTY, is_number);
    params->presence_penalty = take(chat, values, ROOT_PRESENCE_PENALTY, is_number);
    if (is_true(values[ROOT_LOGPROBS])) {
        params->top_logprobs = is_number(values[ROOT_TOP_LOGPROBS]) ? values[ROOT_TOP_LOGPROBS] : SPAN_OF("0");
    }
}

static void read_bias(struct chat *chat, struct span bias)
{
    struct json_walk walk = json_walk_of(bias);
    struct span name;
    struct span value;

    if (bias.len > 0 && !json_is_object(bias)) {
        chat_refuse(chat, "logit_bias", "The bias is no object");
    } else if (json_walk_member(&walk, &name, &value)) {
        chat->params.logit_bias = bias;
    }
}

static void read_company(struct chat *chat, const struct span *values)
{
    struct chat_params *params = &chat->params;
    struct span user = take(chat, values, ROOT_USER, json_is_string);
    struct span identifier = take(chat, values, ROOT_SAFETY_IDENTIFIER, json_is_string);

    params->user = is_filled(identifier) ? identifier : user;
    params->metadata = take(chat, values, ROOT_METADATA, json_is_object);
    params->cache_key = take(chat, values, ROOT_PROMPT_CACHE_KEY, json_is_string);
    params->tier = take(chat, values, ROOT_SERVICE_TIER, json_is_string);
    params->store = take(chat, values, ROOT_STORE, is_bool);
    params->verbosity = take(chat, values, ROOT_VERBOSITY, json_is_string);
    chat->parallel = yes_or_no(take(chat, values, ROOT_PARALLEL_TOOL_CALLS, is_bool));
}

static void read_stream(struct chat *chat, const struct span *values)
{
    struct span said[STREAM_FIELDS] = {{NULL, 0}};

    chat->params.is_stream = is_true(values[ROOT_STREAM]);
    if (json_is_object(values[ROOT_STREAM_OPTIONS])) {
        chat_take(chat, &stream_fields, values[ROOT_STREAM_OPTIONS], said);
    }
    chat->params.wants_usage = is_true(said[STREAM_INCLUDE_USAGE]);
}

static void judge_modalities(struct chat *chat, struct span list)
{
    struct json_walk walk = json_walk_of(list);
    struct span item;

    while (json_walk_item(&walk, &item)) {
        if (!json_is_text(item, "text")) {
            chat_refuse(chat, "modalities", "Only text can be answered in other dialects");
        }
    }
}

static void judge_moderation(struct chat *chat, struct span moderation)
{
    struct span policy = json_walk_find(moderation, "policy");

    if (json_is_text(json_walk_find(json_walk_find(policy, "input"), "mode"), "block") ||
        json_is_text(json_walk_find(json_walk_find(policy, "output"), "mode"), "block")) {
        chat_refuse(chat, "moderation", "A moderation that blocks is known to this dialect alone");
    } else if (moderation.len > 0) {
        chat_drop(chat, "moderation");
    }
}

void openai_chat_take_request(struct chat *chat, struct span body)
{
    struct span values[ROOT_FIELDS] = {{NULL, 0}};

    chat_take(chat, &root_fields, json_walk_document(body), values);
    chat->model = json_is_string(values[ROOT_MODEL]) ? values[ROOT_MODEL] : chat->model;
    openai_chat_take_messages(chat, values[ROOT_MESSAGES]);
    read_tools(chat, values[ROOT_TOOLS]);
    read_legacy(chat, values[ROOT_FUNCTIONS]);
    read_choice(chat, values[ROOT_TOOL_CHOICE].len > 0 ? values[ROOT_TOOL_CHOICE] : values[ROOT_FUNCTION_CALL]);
    read_numbers(chat, values);
    read_stop(chat, values[ROOT_STOP]);
    read_bias(chat, values[ROOT_LOGIT_BIAS]);
    read_effort(chat, values[ROOT_REASONING_EFFORT]);
    read_format(chat, values[ROOT_RESPONSE_FORMAT]);
    read_company(chat, values);
    read_stream(chat, values);
    judge_modalities(chat, values[ROOT_MODALITIES]);
    judge_moderation(chat, values[ROOT_MODERATION]);
}
