/* SPDX-License-Identifier: Apache-2.0 */
/* A fitted request as a chat completion (openai.md 3; translation.md 3 to 8). Compatible servers differ in
 * spelling alone here: what they do not take at all is gone already (wire/fit.h). */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "wire/habits.h"
#include "wire/json_walk.h"
#include "wire/models.h"

static bool has_habit(const struct chat *chat, unsigned habit)
{
    return (chat->target->habits & habit) != 0;
}

/* A member that is left out where nothing was said. */
static void put_member(struct json_out *out, const char *key, struct span value)
{
    if (value.len > 0) {
        json_key(out, key);
        json_raw(out, value);
    }
}

static void put_flag(struct json_out *out, const char *key, int8_t value)
{
    if (value >= 0) {
        json_key(out, key);
        json_bool(out, value > 0);
    }
}

/* ---- parts ---- */

static const struct chat_part *next_of(const struct chat_part *part, enum chat_part_kind kind)
{
    while (part != NULL && part->kind != kind) {
        part = part->next;
    }
    return part;
}

static void open_part(struct json_out *out, const char *type)
{
    json_open_object(out);
    json_key(out, "type");
    json_text(out, type);
}

/* Both of Anthropic's times become OpenAI's shorter one (translation.md 4). */
static void close_part(struct json_out *out, const struct chat_part *part)
{
    if (part->cache != CHAT_CACHE_NONE) {
        json_key(out, "prompt_cache_breakpoint");
        json_raw(out, SPAN_OF("{\"mode\":\"explicit\",\"ttl\":\"30m\"}"));
    }
    json_close_object(out);
}

static void put_data_url(struct json_out *out, const struct chat_part *part)
{
    json_raw(out, SPAN_OF("\"data:"));
    buf_put(out->buf, part->media);
    buf_put_text(out->buf, ";base64,");
    buf_put(out->buf, part->data);
    buf_put_char(out->buf, '"');
}

static void put_text(struct json_out *out, const struct chat_part *part)
{
    open_part(out, "text");
    put_member(out, "text", part->text);
    close_part(out, part);
}

static void put_image(struct json_out *out, const struct chat_part *part)
{
    open_part(out, "image_url");
    json_key(out, "image_url");
    json_open_object(out);
    json_key(out, "url");
    if (part->data.len > 0) {
        put_data_url(out, part);
    } else {
        json_raw(out, part->url);
    }
    json_close_object(out);
    close_part(out, part);
}

/* The name is asked for. */
static void put_document(struct json_out *out, const struct chat_part *part)
{
    open_part(out, "file");
    json_key(out, "file");
    json_open_object(out);
    json_key(out, "filename");
    json_raw(out, part->name.len > 0 ? part->name : SPAN_OF("\"document.pdf\""));
    json_key(out, "file_data");
    put_data_url(out, part);
    json_close_object(out);
    close_part(out, part);
}

/* "audio/x-wav" is wav, "audio/mpeg" mp3; of others the word behind the stroke. */
static struct span sound_format(struct span media)
{
    static const struct {
        struct span media;
        struct span word;
    } rows[] = {
        {SPAN("audio/x-wav"), SPAN("wav")}, {SPAN("audio/wave"), SPAN("wav")}, {SPAN("audio/mpeg"), SPAN("mp3")}};
    struct span rest = media;

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (span_equal_nocase(media, rows[i].media)) {
            return rows[i].word;
        }
    }
    (void)span_cut(&rest, '/');
    return rest;
}

static void put_sound(struct json_out *out, const struct chat_part *part)
{
    open_part(out, "input_audio");
    json_key(out, "input_audio");
    json_open_object(out);
    json_key(out, "data");
    json_raw(out, SPAN_OF("\""));
    buf_put(out->buf, part->data);
    buf_put_char(out->buf, '"');
    json_key(out, "format");
    json_string(out, sound_format(part->media));
    json_close_object(out);
    close_part(out, part);
}

static void put_part(struct json_out *out, const struct chat_part *part)
{
    switch (part->kind) {
    case CHAT_TEXT: put_text(out, part); return;
    case CHAT_IMAGE: put_image(out, part); return;
    case CHAT_DOCUMENT: put_document(out, part); return;
    case CHAT_AUDIO: put_sound(out, part); return;
    case CHAT_CALL:
    case CHAT_RESULT: return; /* told in their own messages */
    }
}

/* ---- messages ---- */

static void open_message(struct json_out *out, const char *role)
{
    json_open_object(out);
    json_key(out, "role");
    json_text(out, role);
}

/* All texts of a list as one string. Anything else in it, and with `between` no text, is passed over. */
static void put_texts(struct json_out *out, const char *prefix, const struct chat_part *part, const char *between)
{
    bool is_first = true;

    json_raw(out, SPAN_OF("\""));
    buf_put_text(out->buf, prefix);
    for (part = next_of(part, CHAT_TEXT); part != NULL; part = next_of(part->next, CHAT_TEXT)) {
        buf_put_text(out->buf, is_first ? "" : between);
        buf_put(out->buf, chat_inside(part->text));
        is_first = false;
    }
    buf_put_char(out->buf, '"');
}

/* One message per result; it takes text alone (openai.md 3). */
static void put_result(struct json_out *out, const struct chat_part *part)
{
    open_message(out, "tool");
    json_key(out, "tool_call_id");
    json_raw(out, part->id);
    json_key(out, "content");
    put_texts(out, part->is_error ? "Error: " : "", part->inner, "\\n");
    json_close_object(out);
}

static bool is_shown(const struct chat_part *part)
{
    return part->kind != CHAT_CALL && part->kind != CHAT_RESULT;
}

/* The only part of a content if it is a text without a mark: then the content is a string. */
static const struct chat_part *only_text(const struct chat_part *parts)
{
    return parts != NULL && parts->next == NULL && parts->kind == CHAT_TEXT && parts->cache == CHAT_CACHE_NONE
               ? parts
               : NULL;
}

static void put_list(struct json_out *out, const struct chat_part *parts)
{
    for (; parts != NULL; parts = parts->next) {
        put_part(out, parts);
    }
}

static bool has_media(const struct chat_part *result)
{
    for (const struct chat_part *part = result->inner; part != NULL; part = part->next) {
        if (part->kind != CHAT_TEXT) {
            return true;
        }
    }
    return false;
}

/* What tools showed goes in front of what the user says: a message of a tool holds text alone. */
static void put_shown(struct json_out *out, const struct chat_part *result)
{
    for (; result != NULL; result = next_of(result->next, CHAT_RESULT)) {
        for (const struct chat_part *part = result->inner; part != NULL; part = part->next) {
            if (part->kind != CHAT_TEXT) {
                put_part(out, part);
            }
        }
    }
}

static void put_user(struct json_out *out, const struct chat_turn *turn)
{
    const struct chat_part *results = next_of(turn->parts, CHAT_RESULT);
    const struct chat_part *others = turn->parts;
    bool shows_media = false;

    for (const struct chat_part *part = results; part != NULL; part = next_of(part->next, CHAT_RESULT)) {
        put_result(out, part);
        shows_media |= has_media(part);
    }
    while (others != NULL && !is_shown(others)) {
        others = others->next;
    }
    if (others == NULL && !shows_media) {
        return;
    }
    open_message(out, "user");
    json_key(out, "content");
    if (!shows_media && only_text(others) != NULL) {
        json_raw(out, others->text);
    } else {
        json_open_array(out);
        put_shown(out, results);
        put_list(out, others);
        json_close_array(out);
    }
    json_close_object(out);
}

static void put_system(const struct chat *chat, struct json_out *out, const struct chat_turn *turn)
{
    bool is_developer = chat->target->model->wants_developer && !has_habit(chat, HABIT_SYSTEM_ROLE);

    open_message(out, is_developer ? "developer" : "system");
    json_key(out, "content");
    if (only_text(turn->parts) != NULL) {
        json_raw(out, turn->parts->text);
    } else {
        json_open_array(out);
        put_list(out, turn->parts);
        json_close_array(out);
    }
    json_close_object(out);
}

static void put_call(struct json_out *out, const struct chat_part *call)
{
    json_open_object(out);
    json_key(out, "id");
    json_raw(out, call->id);
    json_key(out, "type");
    json_text(out, "function");
    json_key(out, "function");
    json_open_object(out);
    json_key(out, "name");
    json_raw(out, call->name);
    json_key(out, "arguments");
    json_string(out, call->input.len > 0 ? call->input : SPAN_OF("{}"));
    json_close_object(out);
    json_close_object(out);
}

static void put_model(const struct chat *chat, struct json_out *out, const struct chat_turn *turn)
{
    const struct chat_part *call = next_of(turn->parts, CHAT_CALL);

    open_message(out, "assistant");
    json_key(out, "content");
    if (call == NULL || next_of(turn->parts, CHAT_TEXT) != NULL || has_habit(chat, HABIT_EMPTY_CONTENT)) {
        put_texts(out, "", turn->parts, "");
    } else {
        json_null(out);
    }
    /* DeepSeek V4 refuses a turn without it (openai-compatible.md 3). */
    if (has_habit(chat, HABIT_EMPTY_REASONING)) {
        json_key(out, "reasoning_content");
        json_text(out, "");
    }
    if (call != NULL) {
        json_key(out, "tool_calls");
        json_open_array(out);
        for (; call != NULL; call = next_of(call->next, CHAT_CALL)) {
            put_call(out, call);
        }
        json_close_array(out);
    }
    json_close_object(out);
}

static void put_messages(const struct chat *chat, struct json_out *out)
{
    json_key(out, "messages");
    json_open_array(out);
    for (const struct chat_turn *turn = chat->turns; turn != NULL; turn = turn->next) {
        switch (turn->role) {
        case CHAT_SYSTEM: put_system(chat, out, turn); break;
        case CHAT_USER: put_user(out, turn); break;
        case CHAT_MODEL: put_model(chat, out, turn); break;
        }
    }
    json_close_array(out);
}

/* ---- tools ---- */

static void put_named(struct json_out *out, struct span name)
{
    open_part(out, "function");
    json_key(out, "function");
    json_open_object(out);
    put_member(out, "name", name);
    json_close_object(out);
    json_close_object(out);
}

static void put_tools(const struct chat *chat, struct json_out *out)
{
    if (chat->tools == NULL) {
        return;
    }
    json_key(out, "tools");
    json_open_array(out);
    for (const struct chat_tool *tool = chat->tools; tool != NULL; tool = tool->next) {
        open_part(out, "function");
        json_key(out, "function");
        json_open_object(out);
        put_member(out, "name", tool->name);
        put_member(out, "description", tool->description);
        put_member(out, "parameters", tool->schema);
        put_flag(out, "strict", tool->strict);
        json_close_object(out);
        json_close_object(out);
    }
    json_close_array(out);
}

static void put_allowed(const struct chat *chat, struct json_out *out)
{
    open_part(out, "allowed_tools");
    json_key(out, "allowed_tools");
    json_open_object(out);
    json_key(out, "mode");
    json_text(out, chat->choice == CHAT_CHOICE_ANY ? "required" : "auto");
    json_key(out, "tools");
    json_open_array(out);
    for (const struct chat_word *word = chat->choice_of.first; word != NULL; word = word->next) {
        put_named(out, word->text);
    }
    json_close_array(out);
    json_close_object(out);
    json_close_object(out);
}

static void put_choice(const struct chat *chat, struct json_out *out)
{
    static const char *const words[] = {
        [CHAT_CHOICE_AUTO] = "auto", [CHAT_CHOICE_NONE] = "none", [CHAT_CHOICE_ANY] = "required"};

    if (chat->choice == CHAT_CHOICE_UNSAID) {
        return;
    }
    json_key(out, "tool_choice");
    if (chat->choice == CHAT_CHOICE_ONE) {
        put_named(out, chat->choice_name);
    } else if (chat->choice != CHAT_CHOICE_NONE && chat->choice_of.first != NULL) {
        put_allowed(chat, out);
    } else {
        json_text(out, words[chat->choice]);
    }
}

/* ---- parameters ---- */

static void put_numbers(const struct chat *chat, struct json_out *out)
{
    const struct chat_params *params = &chat->params;

    if (params->cap >= 0) {
        json_key(out, has_habit(chat, HABIT_MAX_TOKENS) ? "max_tokens" : "max_completion_tokens");
        json_i64(out, params->cap);
    }
    if (params->answers > 1) {
        json_key(out, "n");
        json_i64(out, params->answers);
    }
    put_member(out, "temperature", params->temperature);
    put_member(out, "top_p", params->top_p);
    put_member(out, "top_k", params->top_k);
    put_member(out, has_habit(chat, HABIT_RANDOM_SEED) ? "random_seed" : "seed", params->seed);
    put_member(out, "frequency_penalty", params->frequency_penalty);
    put_member(out, "presence_penalty", params->presence_penalty);
    put_member(out, "logit_bias", params->logit_bias);
    if (params->top_logprobs.len > 0) {
        json_key(out, "logprobs");
        json_bool(out, true);
        if (!span_equal(params->top_logprobs, SPAN_OF("0"))) {
            put_member(out, "top_logprobs", params->top_logprobs);
        }
    }
}

static void put_stop(struct json_out *out, const struct chat_word *stop)
{
    if (stop == NULL) {
        return;
    }
    json_key(out, "stop");
    json_open_array(out);
    for (; stop != NULL; stop = stop->next) {
        json_raw(out, stop->text);
    }
    json_close_array(out);
}

static void put_format(struct json_out *out, const struct chat_params *params)
{
    if (params->format == CHAT_FORMAT_TEXT) {
        return;
    }
    json_key(out, "response_format");
    open_part(out, params->format == CHAT_FORMAT_JSON ? "json_object" : "json_schema");
    if (params->format == CHAT_FORMAT_SCHEMA) {
        json_key(out, "json_schema");
        json_open_object(out);
        put_member(out, "name", params->format_name.len > 0 ? params->format_name : SPAN_OF("\"output\""));
        put_member(out, "schema", params->format_schema);
        put_flag(out, "strict", params->format_strict);
        json_close_object(out);
    }
    json_close_object(out);
}

/* The figures of a stream come when they are asked for; the shell keeps them from an app that did not. */
static void put_stream(const struct chat *chat, struct json_out *out)
{
    if (!chat->params.is_stream) {
        return;
    }
    json_key(out, "stream");
    json_bool(out, true);
    if (!has_habit(chat, HABIT_NO_STREAM_OPTIONS)) {
        json_key(out, "stream_options");
        json_raw(out, SPAN_OF("{\"include_usage\":true}"));
    }
}

void openai_chat_write_request(struct chat *chat, struct json_out *out)
{
    const struct chat_params *params = &chat->params;

    json_open_object(out);
    put_member(out, "model", chat->model);
    put_messages(chat, out);
    put_tools(chat, out);
    put_choice(chat, out);
    put_flag(out, "parallel_tool_calls", chat->parallel);
    put_numbers(chat, out);
    put_stop(out, params->stop.first);
    if (params->effort != CHAT_EFFORT_UNSAID) {
        json_key(out, "reasoning_effort");
        json_text(out, openai_chat_efforts[params->effort - CHAT_EFFORT_NONE]);
    }
    put_format(out, params);
    put_member(out, "verbosity", params->verbosity);
    put_member(out, "user", params->user);
    put_member(out, "metadata", params->metadata);
    put_member(out, "store", params->store);
    put_member(out, "prompt_cache_key", params->cache_key);
    put_member(out, "service_tier", params->tier);
    put_stream(chat, out);
    json_close_object(out);
}
