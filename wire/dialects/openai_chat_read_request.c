/* SPDX-License-Identifier: Apache-2.0 */
/* A chat completion request into the hub: its parameters (openai.md 3; translation.md 6 to 8). The messages and the
 * tools have files of their own. */
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
static const struct chat_fields root_fields = {"", root_list, ROOT_FIELDS};
static const struct chat_fields stream_fields = {"stream_options.", stream_list, STREAM_FIELDS};
static const struct chat_fields format_fields = {"response_format.", format_list, FORMAT_FIELDS};
static const struct chat_fields schema_fields = {"response_format.json_schema.", schema_list, SCHEMA_FIELDS};

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
    static const struct chat_expected expected[] = {
        {SCHEMA_NAME, CHAT_IS_STRING}, {SCHEMA_DESCRIPTION, CHAT_IS_STRING}, {SCHEMA_STRICT, CHAT_IS_BOOL}};
    struct span said[SCHEMA_FIELDS] = {{NULL, 0}};

    if (json_is_object(object)) {
        chat_take(chat, &schema_fields, object, said);
        chat_expect(chat, &schema_fields, said, expected, ARRAY_LENGTH(expected));
    }
    if (said[SCHEMA_SCHEMA].len > 0 && !json_is_object(said[SCHEMA_SCHEMA])) {
        chat_refuse(chat, "response_format.json_schema.schema", "The schema is no object");
        return;
    }
    params->format = said[SCHEMA_SCHEMA].len > 0 ? CHAT_FORMAT_SCHEMA : CHAT_FORMAT_JSON;
    params->format_schema = said[SCHEMA_SCHEMA];
    params->format_name = is_filled(said[SCHEMA_NAME]) ? said[SCHEMA_NAME] : span_make(NULL, 0);
    params->format_description = is_filled(said[SCHEMA_DESCRIPTION]) ? said[SCHEMA_DESCRIPTION] : span_make(NULL, 0);
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
        return;
    }
    chat_spare(chat, &format_fields, said, 1U << FORMAT_TYPE);
    if (json_is_text(said[FORMAT_TYPE], "json_object")) {
        chat->params.format = CHAT_FORMAT_JSON;
    } else if (!json_is_text(said[FORMAT_TYPE], "text")) {
        chat_refuse_one(chat, "response_format", "The format of the answer is not known", said[FORMAT_TYPE]);
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

    params->is_old_cap = cap < 0;
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
    /* What else there is is judged where it is read. */
    static const struct chat_expected expected[] = {
        {ROOT_MAX_COMPLETION_TOKENS, CHAT_IS_NUMBER}, {ROOT_MAX_TOKENS, CHAT_IS_NUMBER},
        {ROOT_N, CHAT_IS_NUMBER},                     {ROOT_LOGPROBS, CHAT_IS_BOOL},
        {ROOT_TOP_LOGPROBS, CHAT_IS_NUMBER},          {ROOT_STREAM_OPTIONS, CHAT_IS_OBJECT},
        {ROOT_MODALITIES, CHAT_IS_ARRAY},
    };
    struct span values[ROOT_FIELDS] = {{NULL, 0}};

    chat_take(chat, &root_fields, json_walk_document(body), values);
    chat_expect(chat, &root_fields, values, expected, ARRAY_LENGTH(expected));
    chat->model = json_is_string(values[ROOT_MODEL]) ? values[ROOT_MODEL] : chat->model;
    openai_chat_take_messages(chat, values[ROOT_MESSAGES]);
    openai_chat_take_tools(chat, values[ROOT_TOOLS], values[ROOT_FUNCTIONS]);
    openai_chat_take_choice(chat,
                            values[ROOT_TOOL_CHOICE].len > 0 ? values[ROOT_TOOL_CHOICE] : values[ROOT_FUNCTION_CALL]);
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
