/* SPDX-License-Identifier: Apache-2.0 */
/* A generateContent request into the hub: everything but the turns (gemini.md 3; translation.md 5 to 8).
 * What has the wrong type is named and left out, or refused where the answer would be another one. */
#include "wire/dialects/gemini_generate.h"

#include "wire/json_value.h"

enum request_field {
#define GENERATE_REQUEST(NAME, camel, snake, mark, why) REQUEST_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    REQUEST_FIELDS
};
enum config_field {
#define GENERATE_CONFIG(NAME, camel, snake, mark, why) CONFIG_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    CONFIG_FIELDS
};
enum thinking_field {
#define GENERATE_THINKING(NAME, camel, snake, mark, why) THINKING_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    THINKING_FIELDS
};
enum tool_field {
#define GENERATE_TOOL(NAME, camel, snake, mark, why) TOOL_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    TOOL_FIELDS
};
enum function_field {
#define GENERATE_FUNCTION(NAME, camel, snake, mark, why) FUNCTION_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    FUNCTION_FIELDS
};
enum tool_config_field {
#define GENERATE_TOOL_CONFIG(NAME, camel, snake, mark, why) TOOL_CONFIG_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    TOOL_CONFIG_FIELDS
};
enum choice_field {
#define GENERATE_CHOICE(NAME, camel, snake, mark, why) CHOICE_##NAME,
#include "wire/dialects/gemini_generate_fields.def"
    CHOICE_FIELDS
};

static const struct chat_field request_rows[] = {
#define GENERATE_REQUEST GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field config_rows[] = {
#define GENERATE_CONFIG GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field thinking_rows[] = {
#define GENERATE_THINKING GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field tool_rows[] = {
#define GENERATE_TOOL GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field function_rows[] = {
#define GENERATE_FUNCTION GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field tool_config_rows[] = {
#define GENERATE_TOOL_CONFIG GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};
static const struct chat_field choice_rows[] = {
#define GENERATE_CHOICE GENERATE_BOTH
#include "wire/dialects/gemini_generate_fields.def"
};

static const struct chat_fields request_fields = {"", request_rows, ARRAY_LENGTH(request_rows)};
static const struct chat_fields config_fields = {"generationConfig.", config_rows,
                                                 ARRAY_LENGTH(config_rows)};
static const struct chat_fields thinking_fields = {"generationConfig.thinkingConfig.",
                                                   thinking_rows, ARRAY_LENGTH(thinking_rows)};
static const struct chat_fields tool_fields = {"tools[].", tool_rows, ARRAY_LENGTH(tool_rows)};
static const struct chat_fields function_fields = {"tools[].functionDeclarations[].", function_rows,
                                                   ARRAY_LENGTH(function_rows)};
static const struct chat_fields tool_config_fields = {"toolConfig.", tool_config_rows,
                                                      ARRAY_LENGTH(tool_config_rows)};
static const struct chat_fields choice_fields = {"toolConfig.functionCallingConfig.", choice_rows,
                                                 ARRAY_LENGTH(choice_rows)};

/* ---- values of one type ---- */

static void judge_doubles(struct chat *chat, const struct chat_fields *fields, struct span *values)
{
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        const struct chat_expected never = {(unsigned char)(i + 1), 0};

        if (values[i].len > 0) {
            chat_expect(chat, fields, values, &never, 1);
        }
    }
}

void gemini_generate_take(struct chat *chat, const struct chat_fields *fields, struct span object, struct span *values)
{
    chat_take(chat, fields, object, values);
    judge_doubles(chat, fields, values);
}

void gemini_generate_expect(struct chat *chat, const struct chat_fields *fields, struct span *values,
                            const struct chat_expected *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned row = 2U * expected[i].row;
        const struct chat_expected both[] = {{(unsigned char)row, expected[i].types},
                                             {(unsigned char)(row + 1), expected[i].types}};

        chat_expect(chat, fields, values, both, ARRAY_LENGTH(both));
    }
}

static bool is_true(struct span value)
{
    return span_equal(value, SPAN_OF("true"));
}

/* A number, or nothing. */
static struct span number_of(struct chat *chat, struct span value, const char *param)
{
    if (value.len == 0 || *value.at == '-' || (*value.at >= '0' && *value.at <= '9')) {
        return value;
    }
    chat_drop(chat, param);
    return span_make(NULL, 0);
}

/* A whole number from `least` on. False: it was not said, or is no such number. */
static bool whole_of(struct chat *chat, struct span value, const char *param, int64_t least,
                     int64_t *number)
{
    if (value.len == 0) {
        return false;
    }
    if (json_integer(value, number) != ERR_NONE || *number < least) {
        chat_drop(chat, param);
        return false;
    }
    return true;
}

/* ---- generationConfig ---- */

static void read_sampling(struct chat *chat, const struct span *values)
{
    struct chat_params *params = &chat->params;

    params->temperature = number_of(chat, gemini_generate_said(values, CONFIG_TEMPERATURE),
                                    "generationConfig.temperature");
    params->top_p = number_of(chat, gemini_generate_said(values, CONFIG_TOP_P), "generationConfig.topP");
    params->top_k = number_of(chat, gemini_generate_said(values, CONFIG_TOP_K), "generationConfig.topK");
    params->seed = number_of(chat, gemini_generate_said(values, CONFIG_SEED), "generationConfig.seed");
    params->presence_penalty = number_of(chat, gemini_generate_said(values, CONFIG_PRESENCE),
                                         "generationConfig.presencePenalty");
    params->frequency_penalty = number_of(chat, gemini_generate_said(values, CONFIG_FREQUENCY),
                                          "generationConfig.frequencyPenalty");
}

static void read_stop(struct chat *chat, struct span list)
{
    struct json_walk walk = json_walk_of(list);
    struct span word;
    bool is_good = list.len == 0 || json_is_array(list);

    while (json_is_array(list) && json_walk_item(&walk, &word)) {
        if (json_is_string(word)) {
            chat_add_word(chat, &chat->params.stop, word);
        } else {
            is_good = false;
        }
    }
    if (!is_good) {
        chat_drop(chat, "generationConfig.stopSequences");
    }
}

static void read_extent(struct chat *chat, const struct span *values)
{
    struct span logprobs = number_of(chat, gemini_generate_said(values, CONFIG_LOGPROBS),
                                     "generationConfig.logprobs");
    int64_t number = 0;

    if (whole_of(chat, gemini_generate_said(values, CONFIG_CANDIDATES), "generationConfig.candidateCount",
                 0, &number) &&
        number > 0) {
        chat->params.answers = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
    }
    /* 0 is as good as not said in Google's JSON. */
    if (whole_of(chat, gemini_generate_said(values, CONFIG_CAP), "generationConfig.maxOutputTokens", 0,
                 &number) &&
        number > 0) {
        chat->params.cap = number;
    }
    if (is_true(gemini_generate_said(values, CONFIG_WANTS_LOGPROBS))) {
        chat->params.top_logprobs = logprobs.len > 0 ? logprobs : SPAN_OF("0");
    }
    read_stop(chat, gemini_generate_said(values, CONFIG_STOP));
}

static void read_format(struct chat *chat, const struct span *values)
{
    struct span mime = chat_plain(chat, gemini_generate_said(values, CONFIG_MIME));
    struct span schema = gemini_generate_said(values, CONFIG_JSON_SCHEMA);
    bool is_json = span_equal(mime, SPAN_OF("application/json"));

    if (mime.len > 0 && !is_json && !span_equal(mime, SPAN_OF("text/plain"))) {
        chat_refuse(chat, "generationConfig.responseMimeType",
                    "Other dialects answer in text or in JSON");
        return;
    }
    if (!json_is_object(schema)) {
        schema = gemini_generate_said(values, CONFIG_SCHEMA);
        schema = json_is_object(schema) ? gemini_generate_schema_read(chat, schema) : schema;
    }
    if (json_is_object(schema)) {
        chat->params.format = CHAT_FORMAT_SCHEMA;
        chat->params.format_schema = schema;
    } else if (is_json) {
        chat->params.format = CHAT_FORMAT_JSON;
    }
}

static void read_modalities(struct chat *chat, struct span list)
{
    struct gemini_generate_items items = gemini_generate_items_of(list);
    struct span item;

    while (gemini_generate_next(&items, &item)) {
        if (!json_is_text(item, "TEXT") && !json_is_text(item, "MODALITY_UNSPECIFIED")) {
            chat_refuse(chat, "generationConfig.responseModalities",
                        "Other dialects answer in text alone");
        }
    }
}

/* Sent in upper or lower case (gemini.md 8). */
static enum chat_effort effort_of(struct span level)
{
    static const struct {
        struct span name;
        enum chat_effort effort;
    } levels[] = {
        {SPAN("minimal"), CHAT_EFFORT_MINIMAL}, {SPAN("low"), CHAT_EFFORT_LOW},
        {SPAN("medium"), CHAT_EFFORT_MEDIUM},   {SPAN("high"), CHAT_EFFORT_HIGH},
        {SPAN("xhigh"), CHAT_EFFORT_XHIGH},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) {
        if (span_equal_nocase(level, levels[i].name)) {
            return levels[i].effort;
        }
    }
    return CHAT_EFFORT_UNSAID;
}

/* translation.md 7: back from budgets. */
static enum chat_effort effort_of_budget(int64_t budget)
{
    return budget == 0      ? CHAT_EFFORT_NONE
           : budget < 2048  ? CHAT_EFFORT_LOW
           : budget < 8192  ? CHAT_EFFORT_MEDIUM
           : budget < 24576 ? CHAT_EFFORT_HIGH
                            : CHAT_EFFORT_XHIGH;
}

static void read_thinking(struct chat *chat, struct span object)
{
    static const struct chat_expected expected[] = {{THINKING_SHOWN, CHAT_IS_BOOL}, {THINKING_LEVEL, CHAT_IS_STRING}};
    struct span values[2 * THINKING_FIELDS];
    struct chat_params *params = &chat->params;
    struct span level;
    int64_t budget = 0;

    gemini_generate_take(chat, &thinking_fields, object, values);
    gemini_generate_expect(chat, &thinking_fields, values, expected, ARRAY_LENGTH(expected));
    params->shows_thinking = is_true(gemini_generate_said(values, THINKING_SHOWN));
    level = chat_inside(gemini_generate_said(values, THINKING_LEVEL));
    params->effort = effort_of(level);
    if (level.len > 0 && params->effort == CHAT_EFFORT_UNSAID &&
        !span_equal(level, SPAN_OF("THINKING_LEVEL_UNSPECIFIED"))) {
        chat_drop(chat, "generationConfig.thinkingConfig.thinkingLevel");
    }
    if (!whole_of(chat, gemini_generate_said(values, THINKING_BUDGET),
                  "generationConfig.thinkingConfig.thinkingBudget", -1, &budget)) {
        return;
    }
    if (budget < 0) {
        params->is_thinking_adaptive = params->effort == CHAT_EFFORT_UNSAID;
        return;
    }
    params->thinking_budget = budget;
    if (params->effort == CHAT_EFFORT_UNSAID) {
        params->effort = effort_of_budget(budget);
    }
}

static void read_config(struct chat *chat, struct span object)
{
    static const struct chat_expected expected[] = {
        {CONFIG_MIME, CHAT_IS_STRING},        {CONFIG_SCHEMA, CHAT_IS_OBJECT},       {CONFIG_JSON_SCHEMA, CHAT_IS_OBJECT},
        {CONFIG_THINKING, CHAT_IS_OBJECT},    {CONFIG_WANTS_LOGPROBS, CHAT_IS_BOOL},
    };
    struct span values[2 * CONFIG_FIELDS];

    gemini_generate_take(chat, &config_fields, object, values);
    gemini_generate_expect(chat, &config_fields, values, expected, ARRAY_LENGTH(expected));
    read_sampling(chat, values);
    read_extent(chat, values);
    read_format(chat, values);
    read_modalities(chat, gemini_generate_said(values, CONFIG_MODALITIES));
    read_thinking(chat, gemini_generate_said(values, CONFIG_THINKING));
}

/* ---- tools ---- */

static void read_function(struct chat *chat, struct span object)
{
    static const struct chat_expected expected[] = {
        {FUNCTION_DESCRIPTION, CHAT_IS_STRING}, {FUNCTION_PARAMETERS, CHAT_IS_OBJECT}, {FUNCTION_JSON_SCHEMA, CHAT_IS_OBJECT}};
    struct span values[2 * FUNCTION_FIELDS];
    struct chat_tool *tool = NULL;
    struct span schema;
    struct span name;

    gemini_generate_take(chat, &function_fields, object, values);
    gemini_generate_expect(chat, &function_fields, values, expected, ARRAY_LENGTH(expected));
    name = gemini_generate_said(values, FUNCTION_NAME);
    if (chat_inside(name).len == 0) {
        chat_refuse(chat, "tools[].functionDeclarations[].name", "A function needs a name");
        return;
    }
    schema = gemini_generate_said(values, FUNCTION_JSON_SCHEMA);
    if (!json_is_object(schema)) {
        schema = gemini_generate_said(values, FUNCTION_PARAMETERS);
        schema = json_is_object(schema) ? gemini_generate_schema_read(chat, schema) : span_make(NULL, 0);
    }
    tool = chat_add_tool(chat);
    if (tool == NULL) {
        return;
    }
    tool->name = name;
    if (chat_inside(gemini_generate_said(values, FUNCTION_DESCRIPTION)).len > 0) {
        tool->description = gemini_generate_said(values, FUNCTION_DESCRIPTION);
    }
    if (!gemini_generate_schema_is_empty(schema)) {
        tool->schema = schema;
    }
}

static void read_tools(struct chat *chat, struct span list)
{
    struct gemini_generate_items tools = gemini_generate_items_of(list);
    struct span tool;

    while (gemini_generate_next(&tools, &tool)) {
        struct span values[2 * TOOL_FIELDS];
        struct gemini_generate_items functions;
        struct span function;

        gemini_generate_take(chat, &tool_fields, tool, values);
        functions = gemini_generate_items_of(gemini_generate_said(values, TOOL_FUNCTIONS));
        while (gemini_generate_next(&functions, &function)) {
            read_function(chat, function);
        }
    }
}

static void read_mode(struct chat *chat, struct span mode)
{
    if (json_is_text(mode, "AUTO")) {
        chat->choice = CHAT_CHOICE_AUTO;
    } else if (json_is_text(mode, "ANY")) {
        chat->choice = CHAT_CHOICE_ANY;
    } else if (json_is_text(mode, "NONE")) {
        chat->choice = CHAT_CHOICE_NONE;
    } else if (json_is_text(mode, "VALIDATED")) {
        /* The model decides; that a call fits its schema is promised by Google alone. */
        chat->choice = CHAT_CHOICE_AUTO;
        chat_change(chat, "toolConfig.functionCallingConfig.mode");
    } else if (mode.len > 0 && !json_is_text(mode, "MODE_UNSPECIFIED")) {
        chat_drop(chat, "toolConfig.functionCallingConfig.mode");
    }
}

static void read_choice(struct chat *chat, struct span object)
{
    static const struct chat_expected of_config[] = {{TOOL_CONFIG_CHOICE, CHAT_IS_OBJECT}};
    static const struct chat_expected of_choice[] = {{CHOICE_NAMES, CHAT_IS_ARRAY | CHAT_IS_STRING}};
    struct span values[2 * TOOL_CONFIG_FIELDS];
    struct span choice[2 * CHOICE_FIELDS];
    struct gemini_generate_items names;
    struct span name;

    gemini_generate_take(chat, &tool_config_fields, object, values);
    gemini_generate_expect(chat, &tool_config_fields, values, of_config, ARRAY_LENGTH(of_config));
    gemini_generate_take(chat, &choice_fields, gemini_generate_said(values, TOOL_CONFIG_CHOICE), choice);
    gemini_generate_expect(chat, &choice_fields, choice, of_choice, ARRAY_LENGTH(of_choice));
    read_mode(chat, gemini_generate_said(choice, CHOICE_MODE));
    if (chat->choice != CHAT_CHOICE_ANY && chat->choice != CHAT_CHOICE_AUTO) {
        return;
    }
    names = gemini_generate_items_of(gemini_generate_said(choice, CHOICE_NAMES));
    while (gemini_generate_next(&names, &name)) {
        if (chat_inside(name).len > 0) {
            chat_add_word(chat, &chat->choice_of, name);
        }
    }
    if (chat->choice == CHAT_CHOICE_ANY && chat->choice_of.count == 1) {
        chat->choice = CHAT_CHOICE_ONE;
        chat->choice_name = chat->choice_of.first->text;
        chat->choice_of = (struct chat_words){.count = 0};
    }
}

/* ---- the whole ---- */

struct gemini_generate_items gemini_generate_items_of(struct span value)
{
    struct gemini_generate_items items = {.walk = json_walk_of(span_make(NULL, 0))};

    if (json_is_array(value)) {
        items.walk = json_walk_of(value);
    } else {
        items.lone = value;
    }
    return items;
}

bool gemini_generate_next(struct gemini_generate_items *items, struct span *item)
{
    if (items->lone.len > 0) {
        *item = items->lone;
        items->lone = span_make(NULL, 0);
        return true;
    }
    return json_walk_item(&items->walk, item);
}

bool gemini_generate_take_next(struct chat *chat, struct gemini_generate_items *items, const struct chat_fields *fields,
                               struct span *values)
{
    struct span item = items->lone;
    char first = 0;

    if (item.len > 0) {
        items->lone = span_make(NULL, 0);
        items->is_odd = !json_is_object(item);
        gemini_generate_take(chat, fields, item, values);
        return true;
    }
    items->is_odd = json_walk_stop(&items->walk, NULL, &first) && first != '{';
    if (!chat_take_next(chat, fields, &items->walk, values)) {
        return false;
    }
    judge_doubles(chat, fields, values);
    return true;
}

void gemini_generate_read_request(struct chat *chat, struct span body)
{
    static const struct chat_expected expected[] = {
        {REQUEST_CONFIG, CHAT_IS_OBJECT}, {REQUEST_TOOL_CONFIG, CHAT_IS_OBJECT},
        {REQUEST_SAFETY, CHAT_IS_ARRAY},  {REQUEST_TIER, CHAT_IS_STRING},
        {REQUEST_TOOLS, CHAT_IS_ARRAY | CHAT_IS_OBJECT},
    };
    struct span values[2 * REQUEST_FIELDS];
    struct span safety;
    struct span tier;

    gemini_generate_take(chat, &request_fields, json_walk_document(body), values);
    gemini_generate_expect(chat, &request_fields, values, expected, ARRAY_LENGTH(expected));
    gemini_generate_read_system(chat, gemini_generate_said(values, REQUEST_SYSTEM));
    gemini_generate_read_contents(chat, gemini_generate_said(values, REQUEST_CONTENTS));
    read_tools(chat, gemini_generate_said(values, REQUEST_TOOLS));
    read_choice(chat, gemini_generate_said(values, REQUEST_TOOL_CONFIG));
    read_config(chat, gemini_generate_said(values, REQUEST_CONFIG));
    safety = gemini_generate_said(values, REQUEST_SAFETY);
    if (json_is_array(safety) && safety.len > 2) {
        chat->params.safety = safety;
    }
    tier = gemini_generate_said(values, REQUEST_TIER);
    if (chat_inside(tier).len > 0) {
        chat->params.tier = tier;
    }
    chat_finish(chat);
    if (chat->turns == NULL) {
        chat_refuse(chat, "contents", "There is nothing to be answered");
    }
}
