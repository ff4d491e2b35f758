/* SPDX-License-Identifier: Apache-2.0 */
/* A fitted conversation as a generateContent request: all but the turns (gemini.md 3; translation.md 5 to 8). */
#include "wire/dialects/gemini_generate.h"

#include "base/must.h"

static void write_system(const struct chat *chat, struct json_out *out)
{
    bool has_any = false;

    for (const struct chat_turn *turn = chat->turns; turn != NULL; turn = turn->next) {
        const struct chat_part *part = turn->role == CHAT_SYSTEM ? turn->parts : NULL;

        for (; part != NULL; part = part->next) {
            if (part->kind != CHAT_TEXT) {
                continue;
            }
            if (!has_any) {
                json_key(out, "systemInstruction");
                json_open_object(out);
                json_key(out, "parts");
                json_open_array(out);
            }
            has_any = true;
            json_open_object(out);
            json_key(out, "text");
            json_raw(out, part->text);
            json_close_object(out);
        }
    }
    if (has_any) {
        json_close_array(out);
        json_close_object(out);
    }
}

/* ---- tools ---- */

static void write_tools(const struct chat *chat, struct json_out *out)
{
    if (chat->tools == NULL) {
        return;
    }
    json_key(out, "tools");
    json_open_array(out);
    json_open_object(out);
    json_key(out, "functionDeclarations");
    json_open_array(out);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next) {
        json_open_object(out);
        json_key(out, "name");
        json_raw(out, tool->name);
        if (tool->description.len > 0) {
            json_key(out, "description");
            json_raw(out, tool->description);
        }
        if (!gemini_generate_schema_is_empty(tool->schema)) {
            json_key(out, "parametersJsonSchema");
            gemini_generate_schema_write(out, tool->schema);
        }
        json_close_object(out);
    }
    json_close_array(out);
    json_close_object(out);
    json_close_array(out);
}

/* Names are read only with ANY and VALIDATED (gemini.md 3). */
static const char *mode_of(const struct chat *chat)
{
    switch (chat->choice) {
    case CHAT_CHOICE_UNSAID:
    case CHAT_CHOICE_AUTO: return chat->choice_of.count > 0 ? "VALIDATED" : "AUTO";
    case CHAT_CHOICE_NONE: return "NONE";
    case CHAT_CHOICE_ANY:
    case CHAT_CHOICE_ONE: return "ANY";
    }
    UNREACHABLE();
}

static void write_names(struct json_out *out, const struct chat_words *names)
{
    json_key(out, "allowedFunctionNames");
    json_open_array(out);
    for (const struct chat_word *word = names->first; word != NULL; word = word->next) {
        json_raw(out, word->text);
    }
    json_close_array(out);
}

static void write_choice(const struct chat *chat, struct json_out *out)
{
    struct chat_word one = {.text = chat->choice_name};
    struct chat_words names = chat->choice_of;

    if (chat->choice == CHAT_CHOICE_UNSAID && names.count == 0) {
        return;
    }
    if (chat->choice == CHAT_CHOICE_ONE) {
        names = (struct chat_words){&one, &one, 1};
    } else if (chat->choice == CHAT_CHOICE_NONE) {
        names.count = 0;
    }
    json_key(out, "toolConfig");
    json_open_object(out);
    json_key(out, "functionCallingConfig");
    json_open_object(out);
    json_key(out, "mode");
    json_text(out, mode_of(chat));
    if (names.count > 0) {
        write_names(out, &names);
    }
    json_close_object(out);
    json_close_object(out);
}

/* ---- generationConfig ---- */

static void write_raw(struct json_out *out, const char *key, struct span value)
{
    if (value.len > 0) {
        json_key(out, key);
        json_raw(out, value);
    }
}

static void write_sampling(const struct chat_params *params, struct json_out *out)
{
    write_raw(out, "temperature", params->temperature);
    write_raw(out, "topP", params->top_p);
    write_raw(out, "topK", params->top_k);
    write_raw(out, "presencePenalty", params->presence_penalty);
    write_raw(out, "frequencyPenalty", params->frequency_penalty);
    write_raw(out, "seed", params->seed);
    if (params->top_logprobs.len > 0) {
        json_key(out, "responseLogprobs");
        json_bool(out, true);
        if (!span_equal(params->top_logprobs, SPAN_OF("0"))) {
            write_raw(out, "logprobs", params->top_logprobs);
        }
    }
}

static void write_extent(const struct chat_params *params, struct json_out *out)
{
    if (params->answers > 1) {
        json_key(out, "candidateCount");
        json_i64(out, params->answers);
    }
    if (params->cap >= 0) {
        json_key(out, "maxOutputTokens");
        json_i64(out, params->cap);
    }
    if (params->stop.count > 0) {
        json_key(out, "stopSequences");
        json_open_array(out);
        for (const struct chat_word *word = params->stop.first; word != NULL; word = word->next) {
            json_raw(out, word->text);
        }
        json_close_array(out);
    }
}

static void write_format(const struct chat_params *params, struct json_out *out)
{
    if (params->format == CHAT_FORMAT_TEXT) {
        return;
    }
    json_key(out, "responseMimeType");
    json_text(out, "application/json");
    if (params->format == CHAT_FORMAT_SCHEMA && params->format_schema.len > 0) {
        json_key(out, "responseJsonSchema");
        gemini_generate_schema_write(out, params->format_schema);
    }
}

static const char *level_of(enum chat_effort effort)
{
    switch (effort) {
    case CHAT_EFFORT_UNSAID:
    case CHAT_EFFORT_NONE: return NULL;
    case CHAT_EFFORT_MINIMAL: return "MINIMAL";
    case CHAT_EFFORT_LOW: return "LOW";
    case CHAT_EFFORT_MEDIUM: return "MEDIUM";
    case CHAT_EFFORT_HIGH:
    case CHAT_EFFORT_MAX: return "HIGH";
    case CHAT_EFFORT_XHIGH: return "XHIGH";
    }
    UNREACHABLE();
}

/* A budget and a level together are refused by Google: the budget is the more exact one. */
static void write_thinking(const struct chat_params *params, struct json_out *out)
{
    bool is_off = params->effort == CHAT_EFFORT_NONE && params->thinking_budget < 0;
    const char *level = params->thinking_budget < 0 ? level_of(params->effort) : NULL;

    if (!params->shows_thinking && params->thinking_budget < 0 && level == NULL && !is_off) {
        return;
    }
    json_key(out, "thinkingConfig");
    json_open_object(out);
    if (params->shows_thinking) {
        json_key(out, "includeThoughts");
        json_bool(out, true);
    }
    if (level != NULL) {
        json_key(out, "thinkingLevel");
        json_text(out, level);
    } else if (params->thinking_budget >= 0 || is_off) {
        json_key(out, "thinkingBudget");
        json_i64(out, is_off ? 0 : params->thinking_budget);
    }
    json_close_object(out);
}

/* Left out where there is nothing in it. */
static void write_config(const struct chat_params *params, struct json_out *out)
{
    struct json_out before = *out;
    size_t start = out->buf->len;
    size_t inside = 0;

    json_key(out, "generationConfig");
    json_open_object(out);
    inside = out->buf->len;
    write_sampling(params, out);
    write_extent(params, out);
    write_format(params, out);
    write_thinking(params, out);
    if (out->buf->len == inside) {
        buf_truncate(out->buf, start);
        *out = before;
    } else {
        json_close_object(out);
    }
}

void gemini_generate_write_request(struct chat *chat, struct json_out *out)
{
    const struct chat_params *params = &chat->params;

    json_open_object(out);
    gemini_generate_write_contents(chat, out);
    write_system(chat, out);
    write_tools(chat, out);
    write_choice(chat, out);
    write_config(params, out);
    write_raw(out, "safetySettings", params->safety);
    write_raw(out, "serviceTier", params->tier);
    json_close_object(out);
}
