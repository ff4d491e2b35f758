/* SPDX-License-Identifier: Apache-2.0 */
/* The turns of a conversation as instructions and input of POST /responses (openai.md 7). Items stand
 * side by side: what is said in a turn becomes a message, each call and each result in it an item of
 * its own. */
#include "wire/dialects/openai_responses.h"

#include "wire/habits.h"
#include "wire/models.h"

/* The texts of these parts as one string. */
static void put_joined(struct json_out *out, const char *before, const struct chat_part *parts)
{
    json_raw(out, SPAN_OF("\""));
    buf_put_text(out->buf, before);
    for (const struct chat_part *part = parts; part != NULL; part = part->next) {
        buf_put(out->buf, chat_inside(part->text));
        buf_put_text(out->buf, part->next == NULL ? "" : "\\n\\n");
    }
    buf_put_char(out->buf, '"');
}

static bool is_text_alone(const struct chat_part *parts)
{
    while (parts != NULL && parts->kind == CHAT_TEXT) {
        parts = parts->next;
    }
    return parts == NULL;
}

/* ---- parts ---- */

static void put_data(struct json_out *out, const char *key, const struct chat_part *part)
{
    json_key(out, key);
    json_raw(out, SPAN_OF("\"data:"));
    json_escape(out->buf, part->media);
    buf_put_text(out->buf, ";base64,");
    buf_put(out->buf, part->data);
    buf_put_char(out->buf, '"');
}

static void put_image(struct json_out *out, const struct chat_part *part)
{
    responses_put_word(out, "type", "input_image");
    if (part->url.len > 0) {
        responses_put_said(out, "image_url", part->url);
    } else {
        put_data(out, "image_url", part);
    }
}

/* Data without a name is refused. */
static void put_file(struct json_out *out, const struct chat_part *part)
{
    responses_put_word(out, "type", "input_file");
    if (part->url.len > 0) {
        responses_put_said(out, "file_url", part->url);
        return;
    }
    responses_put_said(out, "filename", part->name.len > 0 ? part->name : SPAN_OF("\"document.pdf\""));
    put_data(out, "file_data", part);
}

static void put_part(struct json_out *out, const struct chat_part *part, bool is_model)
{
    json_open_object(out);
    switch (part->kind) {
    case CHAT_IMAGE: put_image(out, part); break;
    case CHAT_DOCUMENT: put_file(out, part); break;
    default:
        responses_put_word(out, "type", is_model ? "output_text" : "input_text");
        responses_put_said(out, "text", part->text);
        break;
    }
    json_close_object(out);
}

/* ---- items ---- */

static bool is_content(const struct chat_part *part)
{
    return part->kind == CHAT_TEXT || part->kind == CHAT_IMAGE || part->kind == CHAT_DOCUMENT;
}

/* The parts from here on that belong into one message; the first one behind them. */
static const struct chat_part *put_message(struct json_out *out, const char *role, bool is_model,
                                           const struct chat_part *part)
{
    json_open_object(out);
    responses_put_word(out, "type", "message");
    responses_put_word(out, "role", role);
    json_key(out, "content");
    json_open_array(out);
    for (; part != NULL && is_content(part); part = part->next) {
        put_part(out, part, is_model);
    }
    json_close_array(out);
    json_close_object(out);
    return part;
}

static void put_call(struct json_out *out, const struct chat_part *part)
{
    json_open_object(out);
    responses_put_word(out, "type", "function_call");
    responses_put_said(out, "call_id", part->id);
    responses_put_said(out, "name", part->name);
    json_key(out, "arguments");
    json_string(out, part->input.len > 0 ? part->input : SPAN_OF("{}"));
    json_close_object(out);
}

/* There is no word for a failure: it is told in the text. */
static void put_output(struct json_out *out, const struct chat_part *result)
{
    const struct chat_part *inner = result->inner;

    json_key(out, "output");
    if (is_text_alone(inner)) {
        put_joined(out, result->is_error ? "Error: " : "", inner);
        return;
    }
    json_open_array(out);
    if (result->is_error) {
        json_raw(out, SPAN_OF("{\"type\":\"input_text\",\"text\":\"Error:\"}"));
    }
    for (; inner != NULL; inner = inner->next) {
        put_part(out, inner, false);
    }
    json_close_array(out);
}

static void put_result(struct json_out *out, const struct chat_part *part)
{
    json_open_object(out);
    responses_put_word(out, "type", "function_call_output");
    responses_put_said(out, "call_id", part->id);
    put_output(out, part);
    json_close_object(out);
}

static void put_turn(const struct chat *chat, struct json_out *out, const struct chat_turn *turn)
{
    const struct chat_part *part = turn->parts;
    bool is_developer = (chat->target->habits & HABIT_SYSTEM_ROLE) == 0 && chat->target->model->wants_developer;
    const char *role = turn->role == CHAT_USER    ? "user"
                       : turn->role == CHAT_MODEL ? "assistant"
                       : is_developer             ? "developer"
                                                  : "system";

    while (part != NULL) {
        if (is_content(part)) {
            part = put_message(out, role, turn->role == CHAT_MODEL, part);
            continue;
        }
        if (part->kind == CHAT_CALL) {
            put_call(out, part);
        } else if (part->kind == CHAT_RESULT) {
            put_result(out, part);
        }
        part = part->next;
    }
}

/* The first words of the system are the instructions, all others stand where they were said. */
void openai_responses_write_input(const struct chat *chat, struct json_out *out)
{
    const struct chat_turn *turn = chat->turns;

    if (turn != NULL && turn->role == CHAT_SYSTEM && is_text_alone(turn->parts)) {
        json_key(out, "instructions");
        put_joined(out, "", turn->parts);
        turn = turn->next;
    }
    json_key(out, "input");
    json_open_array(out);
    for (; turn != NULL; turn = turn->next) {
        put_turn(chat, out, turn);
    }
    json_close_array(out);
}
