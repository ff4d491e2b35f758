/* SPDX-License-Identifier: Apache-2.0 */
/* The turns of a fitted request as the messages of a chat completion (openai.md 3; translation.md 3, 4). */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "wire/habits.h"
#include "wire/models.h"

static bool has_habit(const struct chat *chat, unsigned habit)
{
    return (chat->target->habits & habit) != 0;
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
    json_key(out, "text");
    json_raw(out, part->text);
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

void openai_chat_write_messages(const struct chat *chat, struct json_out *out)
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
