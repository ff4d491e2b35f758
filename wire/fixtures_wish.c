/* SPDX-License-Identifier: Apache-2.0 */
/* What a request asks of the built-in provider. One scan over the body finds everything; the list
 * of tools and the last message are then looked at item by item. */
#include "wire/fixtures_parts.h"

#include "base/must.h"

enum { MODEL_BYTES_MAX = LIMIT_MODEL_NAME + 2, TOOL_BYTES_MAX = 1024, BYTES_PER_TOKEN = 4 };

enum place {
    PLACE_MODEL,
    PLACE_STREAM,
    PLACE_INCLUDE_USAGE,
    PLACE_N,
    PLACE_CAP,
    PLACE_CAP_CHAT,
    PLACE_CAP_RESPONSES,
    PLACE_DIMENSIONS,
    PLACE_ENCODING,
    PLACE_CHOICE,
    PLACE_CHOICE_TYPE,
    PLACE_CHOICE_NAME,
    PLACE_CHOICE_FUNCTION,
    PLACE_LAST_ROLE,
    PLACE_LAST_CONTENT,
    PLACE_INPUT_ITEM,
    PLACE_INPUT_TYPE,
    PLACE_INPUT_ROLE,
    PLACE_PROMPT_ITEM,
    PLACE_CAP_GEMINI,
    PLACE_N_GEMINI,
    PLACE_DECLARATIONS,
    PLACE_CALLING,
    PLACE_LAST_PARTS,
    PLACE_TOOLS, /* from here on: what makes up the input */
    PLACE_MESSAGES,
    PLACE_INPUT,
    PLACE_PROMPT,
    PLACE_SYSTEM,
    PLACE_INSTRUCTIONS,
    PLACE_CONTENTS,
    PLACE_SYSTEM_GEMINI,
    PLACES
};

static const struct json_path paths[PLACES] = {
    JSON_PATH1("model"),
    JSON_PATH1("stream"),
    JSON_PATH2("stream_options", "include_usage"),
    JSON_PATH1("n"),
    JSON_PATH1("max_tokens"),
    JSON_PATH1("max_completion_tokens"),
    JSON_PATH1("max_output_tokens"),
    JSON_PATH1("dimensions"),
    JSON_PATH1("encoding_format"),
    JSON_PATH1("tool_choice"),
    JSON_PATH2("tool_choice", "type"),
    JSON_PATH2("tool_choice", "name"),
    JSON_PATH3("tool_choice", "function", "name"),
    JSON_PATH3("messages", "[]", "role"),
    JSON_PATH3("messages", "[]", "content"),
    JSON_PATH2("input", "[]"),
    JSON_PATH3("input", "[]", "type"),
    JSON_PATH3("input", "[]", "role"),
    JSON_PATH2("prompt", "[]"),
    JSON_PATH2("generationConfig", "maxOutputTokens"),
    JSON_PATH2("generationConfig", "candidateCount"),
    JSON_PATH3("tools", "[]", "functionDeclarations"),
    JSON_PATH3("toolConfig", "functionCallingConfig", "mode"),
    JSON_PATH3("contents", "[]", "parts"),
    JSON_PATH1("tools"),
    JSON_PATH1("messages"),
    JSON_PATH1("input"),
    JSON_PATH1("prompt"),
    JSON_PATH1("system"),
    JSON_PATH1("instructions"),
    JSON_PATH1("contents"),
    JSON_PATH1("systemInstruction"),
};

/* Eight bytes at a time, the same on every machine. */
uint64_t fixture_hash(uint64_t from, struct span bytes)
{
    uint64_t hash = from ^ bytes.len;

    for (size_t i = 0; i < bytes.len; i += 8) {
        uint64_t word = 0;
        size_t count = bytes.len - i < 8 ? bytes.len - i : 8;

        for (size_t k = 0; k < count; k++) {
            word |= (uint64_t)(unsigned char)bytes.at[i + k] << (8 * k);
        }
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool fixture_next_item(struct json_scan *scan, const struct json_scan_options *options,
                       struct span *rest, struct json_hit *hits, struct span *item)
{
    size_t at = 0;
    size_t len = 0;
    bool is_more = false;

    /* In front of an item stands the array's bracket or a comma. */
    for (at = rest->len == 0 ? 0 : 1; at < rest->len && is_space(rest->at[at]); at++) {
    }
    if (at >= rest->len || rest->at[at] == ']') {
        return false;
    }
    *rest = span_from(*rest, at);
    json_scan_begin(scan, options, hits);
    /* The array is good, so the first byte that the item alone cannot hold is what follows it. */
    is_more = json_scan_feed(scan, *rest);
    must(!is_more && json_scan_fault(scan) == JSON_FAULT_SYNTAX);
    at = (size_t)json_scan_offset(scan);
    for (len = at; len > 0 && is_space(rest->at[len - 1]); len--) {
    }
    *item = span_make(rest->at, len);
    *rest = span_from(*rest, at);
    return true;
}

static struct span text_at(const struct json_hit *hits, enum place place, struct span body)
{
    return hits[place].kind == JSON_STRING ? json_hit_span(&hits[place], body) : span_make(NULL, 0);
}

/* The integer at a place, or `otherwise`. */
static int64_t integer_at(const struct json_hit *hits, enum place place, struct span body,
                          int64_t otherwise)
{
    int64_t number = 0;

    if (hits[place].kind != JSON_NUMBER ||
        json_integer(json_hit_span(&hits[place], body), &number) != ERR_NONE) {
        return otherwise;
    }
    return number;
}

/* ---- tools ---- */

/* Anthropic: a user's message that brings results of tools, perhaps with text behind them. */
static bool has_tool_result(struct json_scan *scan, struct span content)
{
    static const struct json_path type[] = {JSON_PATH1("type")};
    struct json_scan_options options = {
        .paths = type, .paths_count = ARRAY_LENGTH(type), .allow_duplicates = true};
    struct json_hit hit;
    struct span item;

    while (fixture_next_item(scan, &options, &content, &hit, &item)) {
        if (hit.kind == JSON_STRING &&
            span_equal(json_hit_span(&hit, item), SPAN_OF("\"tool_result\""))) {
            return true;
        }
    }
    return false;
}

/* Gemini: one of the last turn's parts is a result. */
static bool has_function_response(struct json_scan *scan, struct span parts)
{
    static const struct json_path path[] = {JSON_PATH1("functionResponse")};
    struct json_scan_options options = {
        .paths = path, .paths_count = ARRAY_LENGTH(path), .allow_duplicates = true};
    struct json_hit hit;
    struct span item;

    while (fixture_next_item(scan, &options, &parts, &hit, &item)) {
        if (hit.kind == JSON_OBJECT) {
            return true;
        }
    }
    return false;
}

/* Whether the conversation ends with what a tool said: then it is time to answer. */
static bool ends_with_result(struct json_scan *scan, const struct json_hit *hits, struct span body)
{
    struct span type = text_at(hits, PLACE_INPUT_TYPE, body);

    if (span_equal(text_at(hits, PLACE_LAST_ROLE, body), SPAN_OF("\"tool\""))) {
        return true;
    }
    if (hits[PLACE_LAST_CONTENT].kind == JSON_ARRAY &&
        has_tool_result(scan, json_hit_span(&hits[PLACE_LAST_CONTENT], body))) {
        return true;
    }
    if (hits[PLACE_LAST_PARTS].kind == JSON_ARRAY &&
        has_function_response(scan, json_hit_span(&hits[PLACE_LAST_PARTS], body))) {
        return true;
    }
    /* A message needs no type, so the type found last may be that of an item before it. */
    return span_equal(type, SPAN_OF("\"function_call_output\"")) &&
           (hits[PLACE_INPUT_ROLE].kind == JSON_ABSENT ||
            hits[PLACE_INPUT_ROLE].at < hits[PLACE_INPUT_TYPE].at);
}

enum tool_place {
    TOOL_TYPE,
    TOOL_NAME,
    TOOL_SCHEMA,
    TOOL_INPUT_SCHEMA,
    TOOL_FUNCTION_NAME,
    TOOL_FUNCTION_SCHEMA,
    TOOL_PLACES
};

/* Both spellings of a tool: flat, and inside "function". False: not one that the app runs. */
static bool read_tool(const struct json_hit *hits, struct span item, struct span *name,
                      struct span *schema)
{
    static const enum tool_place schemas[] = {TOOL_SCHEMA, TOOL_INPUT_SCHEMA, TOOL_FUNCTION_SCHEMA};
    bool is_nested = hits[TOOL_FUNCTION_NAME].kind == JSON_STRING;
    const struct json_hit *named = &hits[is_nested ? TOOL_FUNCTION_NAME : TOOL_NAME];

    *schema = span_make(NULL, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(schemas); i++) {
        if (hits[schemas[i]].kind == JSON_OBJECT) {
            *schema = json_hit_span(&hits[schemas[i]], item);
        }
    }
    if (named->kind != JSON_STRING || named->len > TOOL_BYTES_MAX) {
        return false;
    }
    *name = json_hit_span(named, item);
    return schema->len > 0 ||
           (hits[TOOL_TYPE].kind == JSON_STRING &&
            span_equal(json_hit_span(&hits[TOOL_TYPE], item), SPAN_OF("\"function\"")));
}

/* The tool of this name; with none, the first that can be called. */
static void choose_tool(struct fixture_wish *wish, struct json_scan *scan, struct span tools,
                        struct span wanted)
{
    static const struct json_path tool_paths[TOOL_PLACES] = {JSON_PATH1("type"),
                                                             JSON_PATH1("name"),
                                                             JSON_PATH1("parameters"),
                                                             JSON_PATH1("input_schema"),
                                                             JSON_PATH2("function", "name"),
                                                             JSON_PATH2("function", "parameters")};
    struct json_scan_options options = {
        .paths = tool_paths, .paths_count = TOOL_PLACES, .allow_duplicates = true};
    struct json_hit hits[TOOL_PLACES];
    struct span item;
    struct span name;
    struct span schema;

    while (fixture_next_item(scan, &options, &tools, hits, &item)) {
        if (read_tool(hits, item, &name, &schema) &&
            (wanted.len == 0 || span_equal(wanted, name))) {
            wish->tool = name;
            wish->schema = schema;
            return;
        }
    }
}

/* Gemini: the first function that the last list of declarations has. */
static void choose_declared(struct fixture_wish *wish, struct json_scan *scan, struct span list)
{
    enum { NAME, SCHEMA, SCHEMA_JSON, DECLARED };
    static const struct json_path declared[DECLARED] = {
        JSON_PATH1("name"), JSON_PATH1("parameters"), JSON_PATH1("parametersJsonSchema")};
    struct json_scan_options options = {
        .paths = declared, .paths_count = DECLARED, .allow_duplicates = true};
    struct json_hit hits[DECLARED];
    struct span item;

    while (fixture_next_item(scan, &options, &list, hits, &item)) {
        const struct json_hit *schema =
            &hits[hits[SCHEMA].kind == JSON_OBJECT ? SCHEMA : SCHEMA_JSON];

        if (hits[NAME].kind == JSON_STRING && hits[NAME].len <= TOOL_BYTES_MAX) {
            wish->tool = json_hit_span(&hits[NAME], item);
            wish->schema = schema->kind == JSON_OBJECT ? json_hit_span(schema, item)
                                                       : span_make(NULL, 0);
            return;
        }
    }
}

static void read_tools(struct fixture_wish *wish, struct json_scan *scan,
                       const struct json_hit *hits, struct span body)
{
    struct span none = SPAN_OF("\"none\"");
    struct span wanted = text_at(hits, PLACE_CHOICE_NAME, body);

    if (hits[PLACE_TOOLS].kind != JSON_ARRAY || wish->cap < 1 ||
        span_equal(text_at(hits, PLACE_CHOICE, body), none) ||
        span_equal(text_at(hits, PLACE_CHOICE_TYPE, body), none) ||
        span_equal(text_at(hits, PLACE_CALLING, body), SPAN_OF("\"NONE\"")) ||
        ends_with_result(scan, hits, body)) {
        return;
    }
    if (hits[PLACE_DECLARATIONS].kind == JSON_ARRAY) {
        choose_declared(wish, scan, json_hit_span(&hits[PLACE_DECLARATIONS], body));
        return;
    }
    if (wanted.len == 0) {
        wanted = text_at(hits, PLACE_CHOICE_FUNCTION, body);
    }
    choose_tool(wish, scan, json_hit_span(&hits[PLACE_TOOLS], body), wanted);
}

/* ---- the rest ---- */

static void read_input(struct fixture_wish *wish, const struct json_hit *hits, struct span body)
{
    uint64_t bytes = 0;

    wish->hash = fixture_hash(wish->seed, wish->model);
    for (size_t i = PLACE_TOOLS; i < PLACES; i++) {
        if (hits[i].kind != JSON_ABSENT) {
            bytes += hits[i].len;
            wish->hash = fixture_hash(wish->hash, json_hit_span(&hits[i], body));
        }
    }
    wish->input_tokens = (int64_t)((bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
    if (wish->input_tokens == 0) {
        wish->input_tokens = 1;
    }
}

static void read_cap(struct fixture_wish *wish, const struct json_hit *hits, struct span body)
{
    static const enum place caps[] = {PLACE_CAP, PLACE_CAP_CHAT, PLACE_CAP_RESPONSES,
                                      PLACE_CAP_GEMINI};

    wish->cap = INT64_MAX;
    for (size_t i = 0; i < ARRAY_LENGTH(caps); i++) {
        int64_t cap = integer_at(hits, caps[i], body, INT64_MAX);
        if (cap >= 0 && cap < wish->cap) {
            wish->cap = cap;
        }
    }
}

static bool is_list_of(const struct json_hit *list, const struct json_hit *item)
{
    return list->kind == JSON_ARRAY && (item->kind == JSON_STRING || item->kind == JSON_ARRAY);
}

static uint32_t bounded(int64_t number, uint32_t most)
{
    return number < 1 ? 1 : number > (int64_t)most ? most : (uint32_t)number;
}

static void read_counts(struct fixture_wish *wish, const struct json_hit *hits, struct span body)
{
    int64_t choices = bounded(
        integer_at(hits, PLACE_N, body, integer_at(hits, PLACE_N_GEMINI, body, 1)),
        FIXTURE_CHOICES_MAX);
    int64_t dimensions = integer_at(hits, PLACE_DIMENSIONS, body, FIXTURE_DIMENSIONS);
    bool has_input = hits[PLACE_INPUT].kind == JSON_STRING || hits[PLACE_INPUT].count > 0;

    /* An array of prompts has an answer for each. */
    if (is_list_of(&hits[PLACE_PROMPT], &hits[PLACE_PROMPT_ITEM])) {
        choices *= hits[PLACE_PROMPT].count;
    }
    wish->choices = bounded(choices, FIXTURE_CHOICES_MAX);
    /* So has an array of inputs; but an array of numbers is one input, in tokens. */
    wish->input_is_list = is_list_of(&hits[PLACE_INPUT], &hits[PLACE_INPUT_ITEM]);
    wish->vectors = wish->input_is_list ? hits[PLACE_INPUT].count : has_input ? 1 : 0;
    if (has_input) {
        wish->input = json_hit_span(&hits[PLACE_INPUT], body);
    }
    if (dimensions > 0 && dimensions <= FIXTURE_DIMENSIONS_MAX) {
        wish->dimensions = (uint32_t)dimensions;
    }
    wish->is_base64 = span_equal(text_at(hits, PLACE_ENCODING, body), SPAN_OF("\"base64\""));
}

const char *fixture_wish_read(struct fixture_wish *wish, struct json_scan *scan, uint64_t seed,
                              struct span body)
{
    struct json_scan_options options = {.paths = paths, .paths_count = PLACES, .seed = seed};
    struct json_hit hits[PLACES];

    *wish = (struct fixture_wish){.seed = seed, .model = SPAN("\"demo\"")};
    if (!json_scan_whole(scan, &options, body, hits)) {
        return "The body is not valid JSON.";
    }
    if (hits[PLACE_MODEL].kind == JSON_STRING) {
        wish->model = json_hit_span(&hits[PLACE_MODEL], body);
    }
    if (wish->model.len > MODEL_BYTES_MAX) {
        return "The name of the model is too long.";
    }
    wish->is_stream = hits[PLACE_STREAM].kind == JSON_TRUE;
    wish->wants_usage = hits[PLACE_INCLUDE_USAGE].kind == JSON_TRUE;
    read_cap(wish, hits, body);
    read_input(wish, hits, body);
    read_counts(wish, hits, body);
    read_tools(wish, scan, hits, body);
    return NULL;
}

const char *fixture_wish_judge_vectors(const struct fixture_wish *wish)
{
    if (wish->vectors == 0) {
        return "The input is missing or empty.";
    }
    if (wish->dimensions == 0) {
        return "The dimensions must be from 1 to 3072.";
    }
    if (wish->vectors > FIXTURE_VECTORS_MAX ||
        wish->vectors > (uint32_t)FIXTURE_NUMBERS_MAX / wish->dimensions) {
        return "The input has too many items for one request.";
    }
    return NULL;
}
