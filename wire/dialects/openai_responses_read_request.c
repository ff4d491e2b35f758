/* SPDX-License-Identifier: Apache-2.0 */
/* A request of POST /responses, read for a target of another dialect (openai.md 7; translation.md 14).
 * A response is stored at its provider unless the request says no, and a request may build on what
 * is stored there: those can be served by nobody else. */
#include "wire/dialects/openai_responses.h"

#include "base/must.h"
#include "wire/json_value.h"
#include "wire/json_walk.h"

enum request_place {
#define REQUEST_FIELD(NAME, name, mark, why) REQUEST_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    REQUEST_PLACES
};
enum stream_place {
#define STREAM_FIELD(NAME, name, mark, why) STREAM_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    STREAM_PLACES
};
enum words_place {
#define WORDS_FIELD(NAME, name, mark, why) WORDS_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    WORDS_PLACES
};
enum shape_place {
#define SHAPE_FIELD(NAME, name, mark, why) SHAPE_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    SHAPE_PLACES
};
enum thought_place {
#define THOUGHT_FIELD(NAME, name, mark, why) THOUGHT_##NAME,
#include "wire/dialects/openai_responses_fields.def"
    THOUGHT_PLACES
};

static const struct chat_field request_list[REQUEST_PLACES] = {
#define REQUEST_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_field stream_list[STREAM_PLACES] = {
#define STREAM_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_field words_list[WORDS_PLACES] = {
#define WORDS_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_field shape_list[SHAPE_PLACES] = {
#define SHAPE_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_field thought_list[THOUGHT_PLACES] = {
#define THOUGHT_FIELD(NAME, name, mark, why) CHAT_FIELD(name, mark),
#include "wire/dialects/openai_responses_fields.def"
};
static const struct chat_fields request_fields = {"", request_list, REQUEST_PLACES};
static const struct chat_fields stream_fields = {"stream_options.", stream_list, STREAM_PLACES};
static const struct chat_fields words_fields = {"text.", words_list, WORDS_PLACES};
static const struct chat_fields shape_fields = {"text.format.", shape_list, SHAPE_PLACES};
static const struct chat_fields thought_fields = {"reasoning.", thought_list, THOUGHT_PLACES};

static bool is_true(struct span value)
{
    return span_equal(value, SPAN_OF("true"));
}

static struct span string_of(struct span value)
{
    return json_is_string(value) ? value : span_make(NULL, 0);
}

static struct span number_of(struct span value)
{
    bool is_number = value.len > 0 && (*value.at == '-' || (*value.at >= '0' && *value.at <= '9'));

    return is_number ? value : span_make(NULL, 0);
}

static bool has_items(struct span container)
{
    struct json_walk walk = json_walk_of(container);
    struct span item;

    return json_walk_item(&walk, &item);
}

/* What only the provider that keeps it can do. */
static void read_state(struct chat *chat, const struct span *values)
{
    static const enum request_place kept[] = {REQUEST_PREVIOUS, REQUEST_CONVERSATION, REQUEST_PROMPT};
    struct span cache = values[REQUEST_CACHE_OPTIONS];

    for (size_t i = 0; i < ARRAY_LENGTH(kept); i++) {
        if (values[kept[i]].len > 0) {
            chat_refuse(chat, request_list[kept[i]].name, OPENAI_RESPONSES_KEPT);
        }
    }
    if (is_true(values[REQUEST_BACKGROUND])) {
        chat_refuse(chat, "background", "An answer that is fetched later is kept by its provider");
    }
    if (has_items(values[REQUEST_CONTEXT])) {
        chat_refuse(chat, "context_management", "What a provider has compacted only it can read");
    }
    if (json_is_object(cache) && is_true(json_walk_find(cache, "prewarm"))) {
        chat_refuse(chat, "prompt_cache_options.prewarm", "It fills the cache of one provider");
    }
    if (is_true(values[REQUEST_STORE])) {
        chat_drop(chat, "store");
    } else if (values[REQUEST_STORE].len > 0) {
        chat->params.store = SPAN_OF("false");
    }
    if (values[REQUEST_TRUNCATION].len > 0 && !json_is_text(values[REQUEST_TRUNCATION], "disabled")) {
        chat_drop(chat, "truncation");
    }
}

/* {model, policy: {input: {mode}, output: {mode}}}: to score tells more in the answer, to block
 * keeps something from being answered. */
static void read_moderation(struct chat *chat, struct span moderation)
{
    struct span policy = span_make(NULL, 0);

    if (moderation.len == 0) {
        return;
    }
    if (json_is_object(moderation)) {
        policy = json_walk_find(moderation, "policy");
    }
    for (size_t i = 0; i < 2 && json_is_object(policy); i++) {
        struct span side = json_walk_find(policy, i == 0 ? "input" : "output");

        if (json_is_object(side) && json_is_text(json_walk_find(side, "mode"), "block")) {
            chat_refuse(chat, "moderation", "Nobody else blocks by these rules");
        }
    }
    chat_drop(chat, "moderation");
}

static void read_cap(struct chat *chat, struct span value)
{
    int64_t cap = 0;

    if (json_integer(value, &cap) == ERR_NONE && cap > 0) {
        chat->params.cap = cap;
    }
}

static void read_params(struct chat *chat, const struct span *values)
{
    struct chat_params *params = &chat->params;
    struct span safety = string_of(values[REQUEST_SAFETY]);
    struct span logprobs = number_of(values[REQUEST_TOP_LOGPROBS]);

    read_cap(chat, values[REQUEST_CAP]);
    params->is_stream = is_true(values[REQUEST_STREAM]);
    params->wants_usage = true; /* it always comes */
    params->temperature = number_of(values[REQUEST_TEMPERATURE]);
    params->top_p = number_of(values[REQUEST_TOP_P]);
    if (!span_equal(logprobs, SPAN_OF("0"))) {
        params->top_logprobs = logprobs;
    }
    params->user = safety.len > 0 ? safety : string_of(values[REQUEST_USER]);
    params->cache_key = string_of(values[REQUEST_CACHE_KEY]);
    params->tier = string_of(values[REQUEST_TIER]);
    if (json_is_object(values[REQUEST_METADATA]) && has_items(values[REQUEST_METADATA])) {
        params->metadata = values[REQUEST_METADATA];
    }
    if (values[REQUEST_STREAM_OPTIONS].len > 0) { /* all of it goes without saying */
        struct span none[STREAM_PLACES];

        chat_take(chat, &stream_fields, values[REQUEST_STREAM_OPTIONS], none);
    }
}

/* Each names something that the answer is to have besides the text. */
static void read_include(struct chat *chat, struct span include)
{
    struct json_walk walk = json_walk_of(include);
    struct span item;

    while (json_walk_item(&walk, &item)) {
        if (json_is_text(item, "message.output_text.logprobs")) {
            chat_refuse_one(chat, "include", "A translated answer has no log probabilities", item);
        } else if (!json_is_text(item, "reasoning.encrypted_content")) {
            chat_drop(chat, "include");
        }
    }
}

static void read_reasoning(struct chat *chat, struct span object)
{
    static const struct {
        const char *word;
        enum chat_effort effort;
    } efforts[] = {
        {"none", CHAT_EFFORT_NONE},   {"minimal", CHAT_EFFORT_MINIMAL}, {"low", CHAT_EFFORT_LOW},
        {"medium", CHAT_EFFORT_MEDIUM}, {"high", CHAT_EFFORT_HIGH},     {"xhigh", CHAT_EFFORT_XHIGH},
        {"max", CHAT_EFFORT_MAX},
    };
    static const struct chat_expected expected[] = {{THOUGHT_SUMMARY, CHAT_IS_STRING}, {THOUGHT_OLD_SUMMARY, CHAT_IS_STRING}};
    struct span values[THOUGHT_PLACES];
    size_t i = 0;

    chat_take(chat, &thought_fields, object, values);
    chat_expect(chat, &thought_fields, values, expected, ARRAY_LENGTH(expected));
    while (i < ARRAY_LENGTH(efforts) && !json_is_text(values[THOUGHT_EFFORT], efforts[i].word)) {
        i++;
    }
    if (i < ARRAY_LENGTH(efforts)) {
        chat->params.effort = efforts[i].effort;
    } else if (values[THOUGHT_EFFORT].len > 0) {
        chat_drop(chat, "reasoning.effort");
    }
    chat->params.shows_thinking =
        json_is_string(values[THOUGHT_SUMMARY]) || json_is_string(values[THOUGHT_OLD_SUMMARY]);
    if (values[THOUGHT_MODE].len > 0 && !json_is_text(values[THOUGHT_MODE], "standard")) {
        chat_drop(chat, "reasoning.mode");
    }
}

static void read_schema(struct chat *chat, const struct span *values)
{
    struct chat_params *params = &chat->params;
    struct span strict = values[SHAPE_STRICT];

    if (!json_is_object(values[SHAPE_SCHEMA])) {
        chat_refuse(chat, "text.format.schema", "There is no schema in it");
        return;
    }
    params->format = CHAT_FORMAT_SCHEMA;
    params->format_name = string_of(values[SHAPE_NAME]);
    params->format_description = string_of(values[SHAPE_DESCRIPTION]);
    params->format_schema = values[SHAPE_SCHEMA];
    if (is_true(strict) || span_equal(strict, SPAN_OF("false"))) {
        params->format_strict = is_true(strict);
    }
}

static void read_format(struct chat *chat, struct span object)
{
    static const struct chat_expected expected[] = {
        {SHAPE_NAME, CHAT_IS_STRING}, {SHAPE_DESCRIPTION, CHAT_IS_STRING}, {SHAPE_STRICT, CHAT_IS_BOOL}};
    struct span values[SHAPE_PLACES];

    chat_take(chat, &shape_fields, object, values);
    chat_expect(chat, &shape_fields, values, expected, ARRAY_LENGTH(expected));
    if (json_is_text(values[SHAPE_TYPE], "json_schema")) {
        read_schema(chat, values);
        return;
    }
    chat_spare(chat, &shape_fields, values, 1U << SHAPE_TYPE);
    if (json_is_text(values[SHAPE_TYPE], "json_object")) {
        chat->params.format = CHAT_FORMAT_JSON;
    } else if (values[SHAPE_TYPE].len > 0 && !json_is_text(values[SHAPE_TYPE], "text")) {
        chat_refuse_one(chat, "text.format.type", "No target of another dialect has this form of answers", values[SHAPE_TYPE]);
    }
}

static void read_text(struct chat *chat, struct span object)
{
    static const struct chat_expected expected[] = {{WORDS_FORMAT, CHAT_IS_OBJECT}, {WORDS_VERBOSITY, CHAT_IS_STRING}};
    struct span values[WORDS_PLACES];

    chat_take(chat, &words_fields, object, values);
    chat_expect(chat, &words_fields, values, expected, ARRAY_LENGTH(expected));
    read_format(chat, values[WORDS_FORMAT]);
    chat->params.verbosity = string_of(values[WORDS_VERBOSITY]);
}

void openai_responses_read_chat(struct chat *chat, struct span body)
{
    static const struct chat_expected expected[] = {
        {REQUEST_CAP, CHAT_IS_NUMBER},         {REQUEST_TEMPERATURE, CHAT_IS_NUMBER}, {REQUEST_TOP_P, CHAT_IS_NUMBER},
        {REQUEST_TOP_LOGPROBS, CHAT_IS_NUMBER}, {REQUEST_PARALLEL, CHAT_IS_BOOL},      {REQUEST_REASONING, CHAT_IS_OBJECT},
        {REQUEST_TEXT, CHAT_IS_OBJECT},        {REQUEST_INCLUDE, CHAT_IS_ARRAY},      {REQUEST_STORE, CHAT_IS_BOOL},
        {REQUEST_BACKGROUND, CHAT_IS_BOOL},    {REQUEST_CONTEXT, CHAT_IS_ARRAY},      {REQUEST_TIER, CHAT_IS_STRING},
        {REQUEST_USER, CHAT_IS_STRING},        {REQUEST_SAFETY, CHAT_IS_STRING},      {REQUEST_METADATA, CHAT_IS_OBJECT},
        {REQUEST_CACHE_KEY, CHAT_IS_STRING},   {REQUEST_STREAM_OPTIONS, CHAT_IS_OBJECT},
    };
    struct span values[REQUEST_PLACES];

    chat_take(chat, &request_fields, json_walk_document(body), values);
    chat_expect(chat, &request_fields, values, expected, ARRAY_LENGTH(expected));
    read_state(chat, values);
    read_moderation(chat, values[REQUEST_MODERATION]);
    read_params(chat, values);
    read_include(chat, values[REQUEST_INCLUDE]);
    read_reasoning(chat, values[REQUEST_REASONING]);
    read_text(chat, values[REQUEST_TEXT]);
    openai_responses_read_tools(chat, values[REQUEST_TOOLS], values[REQUEST_CHOICE]);
    if (is_true(values[REQUEST_PARALLEL]) || span_equal(values[REQUEST_PARALLEL], SPAN_OF("false"))) {
        chat->parallel = is_true(values[REQUEST_PARALLEL]);
    }
    if (values[REQUEST_INSTRUCTIONS].len > 0 && !json_is_string(values[REQUEST_INSTRUCTIONS])) {
        chat_refuse(chat, "instructions", "They are no text");
    }
    chat_add_text(chat, chat_turn(chat, CHAT_SYSTEM), values[REQUEST_INSTRUCTIONS]);
    openai_responses_read_input(chat, values[REQUEST_INPUT]);
    chat_finish(chat);
}
