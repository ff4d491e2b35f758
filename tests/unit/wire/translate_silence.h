/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/translate_silence.h: what of a request may be lost in silence, by the program's own tables of fields
 * and features and by a list of values that say no more than their absence. */
#ifndef TESTS_UNIT_WIRE_TRANSLATE_SILENCE_H
#define TESTS_UNIT_WIRE_TRANSLATE_SILENCE_H

#include "translate_members.h"

struct field_row {
    const char *side;
    const char *where; /* the object it stands in, with a point at the end */
    const char *name;
    enum chat_mark mark;
};

enum messages_group {
#define FIELDS(GROUP, where) GROUP_##GROUP,
#define FIELDS_END(GROUP)
#define FIELD(GROUP, NAME, name, MARK, why)
#include "wire/dialects/anthropic_messages_fields.def"
#undef FIELDS
#undef FIELDS_END
#undef FIELD
};
static const char *const messages_wheres[] = {
#define FIELDS(GROUP, where) [GROUP_##GROUP] = where,
#define FIELDS_END(GROUP)
#define FIELD(GROUP, NAME, name, MARK, why)
#include "wire/dialects/anthropic_messages_fields.def"
#undef FIELDS
#undef FIELDS_END
#undef FIELD
};
static const struct {
    enum messages_group group;
    const char *name;
    enum chat_mark mark;
} messages_rows[] = {
#define FIELDS(GROUP, where)
#define FIELDS_END(GROUP)
#define FIELD(GROUP, NAME, name, MARK, why) {GROUP_##GROUP, name, CHAT_##MARK},
#include "wire/dialects/anthropic_messages_fields.def"
#undef FIELDS
#undef FIELDS_END
#undef FIELD
};

static const struct field_row field_rows[] = {
#define ROOT_FIELD(NAME, name, mark, why) {"chat", "", name, CHAT_##mark},
#define STREAM_FIELD(NAME, name, mark, why) {"chat", "stream_options.", name, CHAT_##mark},
#define FORMAT_FIELD(NAME, name, mark, why) {"chat", "response_format.", name, CHAT_##mark},
#define SCHEMA_FIELD(NAME, name, mark, why) {"chat", "json_schema.", name, CHAT_##mark},
#define TOOL_FIELD(NAME, name, mark, why) {"chat", "tools[].", name, CHAT_##mark},
#define FUNCTION_FIELD(NAME, name, mark, why) {"chat", "function.", name, CHAT_##mark},
#define MESSAGE_FIELD(NAME, name, mark, why) {"chat", "messages[].", name, CHAT_##mark},
#define CALL_FIELD(NAME, name, mark, why) {"chat", "tool_calls[].", name, CHAT_##mark},
#define CALLED_FIELD(NAME, name, mark, why) {"chat", "function.", name, CHAT_##mark},
#define PART_FIELD(NAME, name, mark, why) {"chat", "content[].", name, CHAT_##mark},
#define IMAGE_FIELD(NAME, name, mark, why) {"chat", "image_url.", name, CHAT_##mark},
#define AUDIO_FIELD(NAME, name, mark, why) {"chat", "input_audio.", name, CHAT_##mark},
#define FILE_FIELD(NAME, name, mark, why) {"chat", "file.", name, CHAT_##mark},
#include "wire/dialects/openai_chat_fields.def"
#define REQUEST_FIELD(NAME, name, mark, why) {"responses", "", name, CHAT_##mark},
#define STREAM_FIELD(NAME, name, mark, why) {"responses", "stream_options.", name, CHAT_##mark},
#define WORDS_FIELD(NAME, name, mark, why) {"responses", "text.", name, CHAT_##mark},
#define SHAPE_FIELD(NAME, name, mark, why) {"responses", "format.", name, CHAT_##mark},
#define THOUGHT_FIELD(NAME, name, mark, why) {"responses", "reasoning.", name, CHAT_##mark},
#define TOOL_FIELD(NAME, name, mark, why) {"responses", "tools[].", name, CHAT_##mark},
#define MESSAGE_FIELD(NAME, name, mark, why) {"responses", "input[].", name, CHAT_##mark},
#define CALL_FIELD(NAME, name, mark, why) {"responses", "input[].", name, CHAT_##mark},
#define RESULT_FIELD(NAME, name, mark, why) {"responses", "input[].", name, CHAT_##mark},
#define PART_FIELD(NAME, name, mark, why) {"responses", "content[].", name, CHAT_##mark},
#include "wire/dialects/openai_responses_fields.def"
#define GENERATE_REQUEST(NAME, camel, snake, mark, why) {"generate", "", camel, CHAT_##mark}, {"generate", "", snake, CHAT_##mark},
#define GENERATE_CONFIG(NAME, camel, snake, mark, why) {"generate", "generationConfig.", camel, CHAT_##mark}, {"generate", "generationConfig.", snake, CHAT_##mark},
#define GENERATE_THINKING(NAME, camel, snake, mark, why) {"generate", "thinkingConfig.", camel, CHAT_##mark}, {"generate", "thinkingConfig.", snake, CHAT_##mark},
#define GENERATE_TOOL(NAME, camel, snake, mark, why) {"generate", "tools[].", camel, CHAT_##mark}, {"generate", "tools[].", snake, CHAT_##mark},
#define GENERATE_FUNCTION(NAME, camel, snake, mark, why) {"generate", "functionDeclarations[].", camel, CHAT_##mark}, {"generate", "functionDeclarations[].", snake, CHAT_##mark},
#define GENERATE_TOOL_CONFIG(NAME, camel, snake, mark, why) {"generate", "toolConfig.", camel, CHAT_##mark}, {"generate", "toolConfig.", snake, CHAT_##mark},
#define GENERATE_CHOICE(NAME, camel, snake, mark, why) {"generate", "functionCallingConfig.", camel, CHAT_##mark}, {"generate", "functionCallingConfig.", snake, CHAT_##mark},
#define GENERATE_CONTENT(NAME, camel, snake, mark, why) {"generate", "contents[].", camel, CHAT_##mark}, {"generate", "contents[].", snake, CHAT_##mark},
#define GENERATE_PART(NAME, camel, snake, mark, why) {"generate", "parts[].", camel, CHAT_##mark}, {"generate", "parts[].", snake, CHAT_##mark},
#define GENERATE_BLOB(NAME, camel, snake, mark, why) {"generate", "inlineData.", camel, CHAT_##mark}, {"generate", "inlineData.", snake, CHAT_##mark},
#define GENERATE_FILE(NAME, camel, snake, mark, why) {"generate", "fileData.", camel, CHAT_##mark}, {"generate", "fileData.", snake, CHAT_##mark},
#define GENERATE_CALL(NAME, camel, snake, mark, why) {"generate", "functionCall.", camel, CHAT_##mark}, {"generate", "functionCall.", snake, CHAT_##mark},
#define GENERATE_RESULT(NAME, camel, snake, mark, why) {"generate", "functionResponse.", camel, CHAT_##mark}, {"generate", "functionResponse.", snake, CHAT_##mark},
#include "wire/dialects/gemini_generate_fields.def"
    {"generate", "systemInstruction.", "role", CHAT_CARRIED},
};

/* Features that a target leaves out without a word. Those of values (blank texts) are no members. */
static const struct {
    const char *feature;
    const char *names[4]; /* as in targets: chat, responses, messages, generate */
    enum chat_mark marks[4];
    enum chat_mark otherwise;
} feature_rows[] = {
#define FEATURE(name, chat, responses, messages, generate, to_chat, to_responses, to_messages, to_generate, otherwise, \
                why)                                                                                                   \
    {#name,                                                                                                            \
     {chat, responses, messages, generate},                                                                            \
     {CHAT_##to_chat, CHAT_##to_responses, CHAT_##to_messages, CHAT_##to_generate},                                    \
     CHAT_##otherwise},
#define FEATURE_CONVERSE(name, mark)
#include "wire/features.def"
#undef FEATURE
#undef FEATURE_CONVERSE
};

/* Values that say no more than their absence does. A star stands for anything. */
static const struct nothing {
    const char *side;   /* NULL: any */
    const char *path;
    const char *value;
    const char *beside; /* a member that must stand in the same object; NULL: none */
    const char *why;
} nothings[] = {
    {NULL, "*", "null", NULL, "as good as absent"},
    {"chat", "model", "*", NULL, "the target has its own"},
    {NULL, "stream", "*", NULL, "the target is asked for what the app was"},
    {"chat", "stream_options.include_usage", "*", NULL, "read here: the target is asked for the figures always"},
    {NULL, "*tools[].*strict", "false", NULL, "calls are not held to their schema unless one asks"},
    {NULL, "parallel_tool_calls", "true", NULL, "several calls are allowed"},
    {NULL, "store", "false", NULL, "nothing is kept"},
    {NULL, "tool_choice", "\"auto\"", NULL, "the choice is the model's"},
    {NULL, "*ervice*ier", "\"auto\"", NULL, "the usual one"},
    {NULL, "*ervice*ier", "\"standard*\"", NULL, "the usual one"},
    {NULL, "n", "1", NULL, "the default"},
    {NULL, "*temperature", "1", NULL, "the default"},
    {NULL, "*top*", "1", NULL, "the default"},
    {"chat", "logit_bias", "{}", NULL, "no token is named"},
    {"chat", "top_logprobs", "3", NULL, "nothing without logprobs"},
    {"chat", "modalities", "[\"text\"]", NULL, "the default"},
    {"chat", "reasoning_effort", "\"none\"", NULL, "of models that do not think"},
    {"chat", "messages[].name", "*", "tool_call_id", "the call says which function it was"},
    {"responses", "text", "{}", NULL, "nothing in it"},
    {"responses", "background", "false", NULL, "the default"},
    {"responses", "reasoning.mode", "\"standard\"", NULL, "the default"},
    {"responses", "top_logprobs", "0", NULL, "none"},
    {"responses", "truncation", "\"disabled\"", NULL, "the default"},
    {"responses", "context_management", "[]", NULL, "nothing in it"},
    {"responses", "prompt_cache_options.*", "*", NULL, "only what the provider keeps"},
    {"responses", "tools[].parameters", "{}", NULL, "it takes nothing"},
    {"messages", "tool_choice.disable_parallel_tool_use", "false", NULL, "the default"},
    {"messages", "speed", "\"standard\"", NULL, "the default"},
    {"messages", "context_management.edits", "[]", NULL, "nothing in it"},
    {"messages", "mcp_servers", "[]", NULL, "nothing in it"},
    {"messages", "tools[].defer_loading", "false", NULL, "the default"},
    {"messages", "tools[].allowed_callers", "[\"direct\"]", NULL, "the default"},
    {"messages", "*.source.media_type", "\"text/plain\"", NULL, "there is no other for a text"},
    {"messages", "messages[].content[].data", "*", NULL, "reasoning of an earlier turn, encrypted"},
    {"generate", "generationConfig.candidateCount", "1", NULL, "the default"},
    {"generate", "generationConfig.*Penalty", "0", NULL, "the default"},
    {"generate", "generationConfig.responseLogprobs", "false", NULL, "the default"},
    {"generate", "generationConfig.logprobs", "3", NULL, "nothing without responseLogprobs"},
    {"generate", "generationConfig.responseModalities", "[\"TEXT\"]", NULL, "the default"},
    {"generate", "generationConfig.thinkingConfig.thinkingBudget", "0", NULL, "of models that do not think"},
    {"generate", "generationConfig.thinkingConfig.thinkingBudget", "-1", NULL, "how much is left to the model"},
    {"generate", "*parts[].thought", "false", NULL, "the default"},
    {"generate", "contents[].parts[].thought", "true", "functionCall", "a call is none"},
    {"generate", "contents[].parts[].thought", "true", "functionResponse", "a result is none"},
    {"generate", "systemInstruction.parts[].thought", "true", NULL, "instructions are none"},
    {"responses", "include", "[\"reasoning.encrypted_content\"]", NULL, "made for its maker alone"},
    {"responses", "input[]", "*encrypted_content*", NULL, "reasoning of an earlier turn"},
    {"messages", "messages[].content[]", "*redacted_thinking*", NULL, "reasoning of an earlier turn"},
    {"messages", "messages[].content[]", "*signature*", NULL, "reasoning of an earlier turn"},
    {"messages", "messages[].content[].input", "{}", NULL, "of a call that is named as a whole"},
    {"messages", "context_management.edits[]", "*", NULL, "those of thoughts alone are not refused"},
    {"responses", "prompt_cache_options", "*", NULL, "only what the provider keeps"},
    {"responses", "input[].*", "*", "encrypted_content", "reasoning of an earlier turn"},
    {"responses", "input[].summary*", "*", NULL, "the same"},
    {"chat", "messages[].content", "\"\"", NULL, "an empty text"},
    {"messages", "system*", "\"x-anthropic-billing-header:*", NULL, "changes with each request"},
    {"messages", "thinking.type", "\"adaptive\"", NULL, "how much is left to the model"},
    {"messages", "thinking.display", "\"omitted\"", NULL, "no thoughts are shown unless one asks"},
    {"messages", "context_management.*", "*clear_thinking_*", NULL, "thoughts are left out anyway"},
    {"messages", "context_management.edits[].*", "*", "keep", "how many of them stay"},
    {"messages", "messages[].content[].*", "*", "signature", "reasoning of an earlier turn"},
    {"messages", "messages[].content[].is_error", "false", NULL, "it went well"},
    {"generate", "generationConfig", "{}", NULL, "nothing in it"},
    {"generate", "systemInstruction.role", "*", NULL, "nobody speaks them"},
    {"generate", "contents[].parts[].text", "*", "thought", "reasoning of an earlier turn"},
    {"generate", "contents[].parts[].functionResponse.id", "*", "name", "one of the two names the call"},
    {"generate", "contents[].parts[].functionResponse.name", "*", "id", "one of the two names the call"},
};

static size_t grammar_of(const char *side)
{
    static const char *const names[] = {"chat", "responses", "messages", "generate"};
    size_t i = 0;

    while (strcmp(names[i], side) != 0) {
        i++;
    }
    return i;
}

/* "messages[].content[].type" ends in the rows "content[].type" and, at the root alone, "type". */
static bool is_member(struct span path, const char *where, const char *name)
{
    const char *last = NULL;
    struct span object = span_of(where);
    char tail[128];

    while (object.len > 0 && (last = memchr(object.at, '.', object.len - 1)) != NULL) {
        object = span_from(object, (size_t)(last - object.at) + 1);
    }
    (void)snprintf(tail, sizeof tail, "%.*s%s", SPAN_ARGS(object), name);
    if (span_equal(path, span_of(tail))) {
        return true;
    }
    return object.len > 0 && span_ends(path, span_of(tail)) && path.at[path.len - strlen(tail) - 1] == '.';
}

static bool is_quiet_row(const char *side, struct span path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(field_rows); i++) {
        if (field_rows[i].mark == CHAT_QUIET && strcmp(field_rows[i].side, side) == 0 &&
            is_member(path, field_rows[i].where, field_rows[i].name)) {
            return true;
        }
    }
    for (size_t i = 0; strcmp(side, "messages") == 0 && i < ARRAY_LENGTH(messages_rows); i++) {
        if (messages_rows[i].mark == CHAT_QUIET &&
            is_member(path, messages_wheres[messages_rows[i].group], messages_rows[i].name)) {
            return true;
        }
    }
    return false;
}

/* What says the same by another name than that in the table. */
static bool is_alias(const char *feature, struct span path)
{
    static const char *const rows[][2] = {
        {"USER", "safety_identifier"}, {"CACHE_MARKS", "*cache_control"}, {"SUMMARIES", "reasoning.generate_summary"}};

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (strcmp(rows[i][0], feature) == 0 && span_fits(path, span_of(rows[i][1]))) {
            return true;
        }
    }
    return false;
}

static bool is_quiet_feature(const char *side, const char *to, struct span path)
{
    for (size_t i = 0; i < ARRAY_LENGTH(feature_rows); i++) {
        const char *name = feature_rows[i].names[grammar_of(side)];
        const char *feature = feature_rows[i].feature;
        bool is_value = strcmp(feature, "BLANK_TEXT") == 0;
        bool is_optional = strcmp(feature, "SUMMARIES") == 0 || strcmp(feature, "CACHE_MARKS") == 0;
        /* What only OpenAI says has no name elsewhere. */
        bool is_said = strncmp(feature, "FORMAT_", 7) != 0 || grammar_of(side) < 2;
        bool is_quiet = feature_rows[i].marks[grammar_of(to)] == CHAT_QUIET ||
                        (is_optional && feature_rows[i].otherwise == CHAT_QUIET);

        if (!is_value && is_said && is_quiet &&
            (span_equal(path, span_of(name)) || (is_optional && span_ends(path, span_of(name))) ||
             is_alias(feature, path))) {
            return true;
        }
    }
    return false;
}

static bool says_nothing(const char *side, const struct member *member)
{
    for (size_t i = 0; i < ARRAY_LENGTH(nothings); i++) {
        const struct nothing *row = &nothings[i];

        if ((row->side == NULL || strcmp(row->side, side) == 0) &&
            (row->beside == NULL || json_walk_find(member->object, row->beside).len > 0) &&
            span_fits(span_of(member->path), span_of(row->path)) && span_fits(member->value, span_of(row->value))) {
            return true;
        }
    }
    return false;
}

/* A name in the list of what was dropped. */
static bool tells(struct span dropped, struct span name)
{
    while (dropped.at != NULL && dropped.len > 0) {
        struct span one = span_cut(&dropped, ',');
        struct span item = span_trim(one);

        if (span_equal(span_cut(&item, '='), name)) {
            return true;
        }
    }
    return false;
}

/* A block that is lost as a whole is named by its kind: "messages[].content[].server_tool_use". */
static bool tells_kind(struct span dropped, const struct member *member)
{
    bool is_object = member->name.len == 0;
    struct span kind = json_walk_find(is_object ? member->value : member->object, "type");
    struct span place = span_of(member->path);
    char name[MEMBER_PATH_MAX];

    if (!json_is_string(kind)) {
        return false;
    }
    place.len -= is_object ? 0 : member->name.len - 2;
    (void)snprintf(name, sizeof name, "%.*s%s%.*s", SPAN_ARGS(place), is_object ? "." : "", SPAN_ARGS(chat_inside(kind)));
    return tells(dropped, span_of(name));
}

/* Whether it or what it stands in may be silent, or what it stands in was named as a whole. */
static bool is_accounted_for(const char *side, const char *to, const struct member *member, struct span dropped)
{
    struct span path = span_of(member->path);

    for (size_t len = 1; len <= path.len; len++) {
        struct span prefix = span_make(path.at, len);

        if (len < path.len && path.at[len] != '.' && path.at[len] != '[') {
            continue;
        }
        if (is_quiet_row(side, prefix) || is_quiet_feature(side, to, prefix) || tells(dropped, prefix)) {
            return true;
        }
    }
    return says_nothing(side, member) || tells_kind(dropped, member);
}

#endif
