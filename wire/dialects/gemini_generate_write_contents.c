/* SPDX-License-Identifier: Apache-2.0 */
/* The turns of a fitted conversation as contents of generateContent (gemini.md 3; translation.md 3, "To G"). */
#include "wire/dialects/gemini_generate.h"

#include "base/buf.h"
#include "wire/models.h"

/* Looks for results in the order of the calls: 128 calls and as many results, each found at the far end. */
enum { ORDER_LOOKS_MAX = CHAT_CALLS_MAX * CHAT_CALLS_MAX };

/* ---- parts ---- */

/* The inside of a string that is put together of several. */
static void put_inside(struct json_out *out, struct span string)
{
    buf_put(out->buf, chat_inside(string));
}

static void open_string(struct json_out *out)
{
    json_raw(out, SPAN_OF("\""));
}

static void close_string(struct json_out *out)
{
    buf_put_char(out->buf, '"');
}

static void write_media(struct json_out *out, const struct chat_part *part)
{
    bool is_inline = part->data.len > 0;

    json_open_object(out);
    json_key(out, is_inline ? "inlineData" : "fileData");
    json_open_object(out);
    if (part->media.len > 0) {
        json_key(out, "mimeType");
        json_string(out, part->media);
    }
    json_key(out, is_inline ? "data" : "fileUri");
    if (is_inline) {
        json_string(out, part->data);
    } else {
        json_raw(out, part->url);
    }
    json_close_object(out);
    json_close_object(out);
}

/* Ids are left out, here and in results: they are another provider's, older versions of Vertex know none, and
 * in one step the order tells which result is whose. */
static void write_call(struct json_out *out, const struct chat_part *part, bool is_signed)
{
    json_open_object(out);
    json_key(out, "functionCall");
    json_open_object(out);
    json_key(out, "name");
    json_raw(out, part->name);
    json_key(out, "args");
    json_raw(out, json_is_object(part->input) ? part->input : SPAN_OF("{}"));
    json_close_object(out);
    if (is_signed) {
        json_key(out, "thoughtSignature");
        json_text(out, "skip_thought_signature_validator");
    }
    json_close_object(out);
}

/* The only text of a result, or nothing: none, or there are several. */
static struct span only_text(const struct chat_part *result)
{
    struct span text = span_make(NULL, 0);

    for (const struct chat_part *part = result->inner; part != NULL; part = part->next) {
        if (part->kind == CHAT_TEXT && text.len > 0) {
            return span_make(NULL, 0);
        }
        text = part->kind == CHAT_TEXT ? part->text : text;
    }
    return text;
}

/* The only text of a result as the JSON object that it decodes to; else nothing. The hub's scanner judges it, so
 * that the app's text cannot break the request. */
static struct span object_of(struct chat *chat, const struct chat_part *result)
{
    struct span text = only_text(result);
    struct span inside = chat_inside(text);
    struct span plain;

    /* A look at the first byte spares most texts the decoding; an escape may be a line break. */
    if (result->is_error || inside.len == 0 ||
        (*inside.at != '{' && *inside.at != ' ' && *inside.at != '\\')) {
        return span_make(NULL, 0);
    }
    plain = json_walk_document(chat_plain(chat, text));
    return chat_is_json_object(chat, plain) ? plain : span_make(NULL, 0);
}

static void write_response(struct chat *chat, const struct chat_part *result, struct json_out *out)
{
    struct span object = object_of(chat, result);
    bool has_text = false;

    json_key(out, "response");
    if (object.len > 0) {
        json_raw(out, object);
        return;
    }
    json_open_object(out);
    json_key(out, result->is_error ? "error" : "output");
    open_string(out);
    for (const struct chat_part *part = result->inner; part != NULL; part = part->next) {
        if (part->kind == CHAT_TEXT) {
            put_inside(out, has_text ? SPAN_OF("\"\\n\"") : SPAN_OF("\"\""));
            put_inside(out, part->text);
            has_text = true;
        }
    }
    close_string(out);
    json_close_object(out);
}

static void write_result(struct chat *chat, const struct chat_part *result, struct json_out *out)
{
    bool has_media = false;

    json_open_object(out);
    json_key(out, "functionResponse");
    json_open_object(out);
    json_key(out, "name");
    json_raw(out, result->name.len > 0 ? result->name : SPAN_OF("\"tool\""));
    write_response(chat, result, out);
    for (const struct chat_part *part = result->inner; part != NULL; part = part->next) {
        if (part->kind != CHAT_TEXT) {
            if (!has_media) {
                json_key(out, "parts");
                json_open_array(out);
            }
            has_media = true;
            write_media(out, part);
        }
    }
    if (has_media) {
        json_close_array(out);
    }
    json_close_object(out);
    json_close_object(out);
}

static void write_text(struct json_out *out, struct span text)
{
    json_open_object(out);
    json_key(out, "text");
    json_raw(out, text);
    json_close_object(out);
}

/* ---- turns ---- */

/* Takes the first result of this call out of the list. */
static struct chat_part *take_result(struct chat_part **list, struct span id, size_t *looks)
{
    for (struct chat_part **at = list; *at != NULL && *looks < ORDER_LOOKS_MAX; at = &(*at)->next) {
        struct chat_part *part = *at;

        (*looks)++;
        if (part->kind == CHAT_RESULT && span_equal(part->id, id)) {
            *at = part->next;
            part->next = NULL;
            return part;
        }
    }
    return NULL;
}

/* All results of a step stand first, in the order of its calls (gemini.md 14.5). */
static void order_results(const struct chat_turn *step, struct chat_turn *turn)
{
    struct chat_part *rest = turn->parts;
    struct chat_part **end = &turn->parts;
    size_t looks = 0;

    for (const struct chat_part *call = step->parts; call != NULL; call = call->next) {
        struct chat_part *result =
            call->kind == CHAT_CALL ? take_result(&rest, call->id, &looks) : NULL;

        if (result != NULL) {
            *end = result;
            end = &result->next;
        }
    }
    *end = rest;
    while (*end != NULL) {
        turn->last = *end;
        end = &(*end)->next;
    }
}

/* Models that think by levels (Gemini 3 and later) refuse a step whose first call has no signature, and one that
 * another provider's model made has none (gemini.md 8). */
static bool wants_signature(const struct chat *chat)
{
    return chat->target == NULL || (chat->target->model->thinking & MODEL_THINKS_EFFORT) != 0;
}

static void write_parts(struct chat *chat, const struct chat_turn *turn, struct json_out *out,
                        bool *wants_sign)
{
    for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
        switch (part->kind) {
        case CHAT_TEXT: write_text(out, part->text); break;
        case CHAT_IMAGE:
        case CHAT_DOCUMENT:
        case CHAT_AUDIO: write_media(out, part); break;
        case CHAT_CALL:
            write_call(out, part, *wants_sign);
            *wants_sign = false;
            break;
        case CHAT_RESULT: write_result(chat, part, out); break;
        }
    }
}

static void open_content(struct json_out *out, enum chat_role role)
{
    json_open_object(out);
    json_key(out, "role");
    json_text(out, role == CHAT_MODEL ? "model" : "user");
    json_key(out, "parts");
    json_open_array(out);
}

static void close_content(struct json_out *out)
{
    json_close_array(out);
    json_close_object(out);
}

/* Neighbours of one role, which a system turn between them may have parted, are one content. */
void gemini_generate_write_contents(struct chat *chat, struct json_out *out)
{
    const struct chat_turn *before = NULL;
    bool wants_sign = false;

    json_key(out, "contents");
    json_open_array(out);
    for (struct chat_turn *turn = chat->turns; turn != NULL; turn = turn->next) {
        if (turn->role == CHAT_SYSTEM) {
            continue;
        }
        if (before != NULL && before->role != turn->role) {
            close_content(out);
        }
        if (before != NULL && turn->role == CHAT_USER && before->role == CHAT_MODEL) {
            order_results(before, turn);
        }
        if (before == NULL || before->role != turn->role) {
            open_content(out, turn->role);
            wants_sign = wants_signature(chat);
        }
        write_parts(chat, turn, out, &wants_sign);
        before = turn;
    }
    if (before != NULL) {
        close_content(out);
    }
    json_close_array(out);
}
