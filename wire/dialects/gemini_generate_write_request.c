/* SPDX-License-Identifier: Apache-2.0 */
/* A fitted conversation as a generateContent request (gemini.md 3; translation.md 3, "To G"). */
#include "wire/dialects/gemini_generate.h"

#include "base/buf.h"
#include "base/must.h"
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
            put_inside(out, part->text);
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
static void write_contents(struct chat *chat, struct json_out *out)
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
            write_text(out, part->text);
        }
    }
    if (has_any) {
        close_content(out);
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
        if (!generate_schema_is_empty(tool->schema)) {
            json_key(out, "parametersJsonSchema");
            generate_schema_write(out, tool->schema);
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
        generate_schema_write(out, params->format_schema);
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

void generate_write_request(struct chat *chat, struct json_out *out)
{
    const struct chat_params *params = &chat->params;

    json_open_object(out);
    write_contents(chat, out);
    write_system(chat, out);
    write_tools(chat, out);
    write_choice(chat, out);
    json_key(out, "generationConfig");
    json_open_object(out);
    write_sampling(params, out);
    write_extent(params, out);
    write_format(params, out);
    write_thinking(params, out);
    json_close_object(out);
    write_raw(out, "safetySettings", params->safety);
    write_raw(out, "serviceTier", params->tier);
    json_close_object(out);
}
