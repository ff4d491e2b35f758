/* SPDX-License-Identifier: Apache-2.0 */
/* An answer of any provider as a chat completion for the app (openai.md 4, 6; translation.md 9 to 11). */
#include "wire/dialects/openai_chat.h"

#include "base/must.h"
#include "wire/dialects/openai.h"
#include "wire/json_walk.h"

/* ---- ids ---- */

static bool is_id_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

size_t openai_chat_make_id(char room[OPENAI_CHAT_ID_MAX], struct span id, uint64_t seed)
{
    static const struct span prefix = SPAN("chatcmpl-");
    struct span told = chat_inside(id);
    size_t len = prefix.len;

    told = span_starts(told, prefix) ? span_from(told, prefix.len) : told;
    memcpy(room, prefix.at, prefix.len);
    for (size_t i = 0; i < told.len && len < OPENAI_CHAT_ID_MAX; i++) {
        if (is_id_letter(told.at[i])) {
            room[len++] = told.at[i];
        }
    }
    if (len == prefix.len) {
        len = (size_t)(buf_digits(room + len, seed) - room);
    }
    return len;
}

/* ---- the reason for the end ---- */

const char *openai_chat_finish_word(enum chat_finish finish, bool is_legacy)
{
    switch (finish) {
    case CHAT_FINISH_LENGTH:
    case CHAT_FINISH_WINDOW:
    case CHAT_FINISH_PAUSED: return "length";
    case CHAT_FINISH_CALLS: return is_legacy ? "function_call" : "tool_calls";
    case CHAT_FINISH_FILTERED: return "content_filter";
    case CHAT_FINISH_NONE:
    case CHAT_FINISH_STOP:
    case CHAT_FINISH_STOP_TEXT:
    case CHAT_FINISH_UNKNOWN:
    case CHAT_FINISH_FAULT: return "stop";
    }
    UNREACHABLE();
}

/* ---- usage ---- */

static void put_count(struct json_out *out, const char *key, int64_t count)
{
    if (count >= 0) {
        json_key(out, key);
        json_i64(out, count);
    }
}

static int64_t or_nothing(int64_t count)
{
    return count < 0 ? 0 : count;
}

bool openai_has_usage(const struct usage *usage)
{
    return usage_input_all(usage) >= 0 || usage_output_all(usage) >= 0;
}

void openai_put_usage(struct json_out *out, const struct usage *usage)
{
    int64_t input = or_nothing(usage_input_all(usage));
    int64_t output = or_nothing(usage_output_all(usage));

    json_open_object(out);
    put_count(out, "prompt_tokens", input);
    put_count(out, "completion_tokens", output);
    put_count(out, "total_tokens", input + output);
    json_key(out, "prompt_tokens_details");
    json_open_object(out);
    put_count(out, "cached_tokens", or_nothing(usage->tokens[TOKENS_CACHE_READ]));
    put_count(out, "cache_write_tokens", usage_cache_write(usage));
    put_count(out, "audio_tokens", usage->tokens[TOKENS_AUDIO_INPUT]);
    put_count(out, "image_tokens", usage->tokens[TOKENS_IMAGE_INPUT]);
    json_close_object(out);
    json_key(out, "completion_tokens_details");
    json_open_object(out);
    put_count(out, "reasoning_tokens", or_nothing(usage->reasoning));
    put_count(out, "audio_tokens", usage->tokens[TOKENS_AUDIO_OUTPUT]);
    json_close_object(out);
    json_close_object(out);
}

/* ---- the message ---- */

static bool has_part(const struct chat_answer *answer, enum chat_part_kind kind)
{
    const struct chat_part *part = answer->turn.parts;

    while (part != NULL && part->kind != kind) {
        part = part->next;
    }
    return part != NULL;
}

/* All texts are one; without any it is null where something else was said. */
static void put_content(struct json_out *out, const struct chat_answer *answer)
{
    json_key(out, "content");
    if (!has_part(answer, CHAT_TEXT) && (has_part(answer, CHAT_CALL) || answer->refusal.len > 0)) {
        json_null(out);
        return;
    }
    json_raw(out, SPAN_OF("\""));
    for (const struct chat_part *part = answer->turn.parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_TEXT) {
            buf_put(out->buf, chat_inside(part->text));
        }
    }
    buf_put_char(out->buf, '"');
}

static void put_called(struct json_out *out, const struct chat_part *call)
{
    json_open_object(out);
    json_key(out, "name");
    json_raw(out, call->name);
    json_key(out, "arguments");
    if (call->text.len > 0) {
        json_raw(out, call->text);
    } else {
        json_string(out, call->input);
    }
    json_close_object(out);
}

static void put_calls(struct json_out *out, const struct chat_answer *answer)
{
    json_key(out, "tool_calls");
    json_open_array(out);
    for (const struct chat_part *part = answer->turn.parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_CALL) {
            json_open_object(out);
            json_key(out, "id");
            json_raw(out, part->id);
            json_key(out, "type");
            json_text(out, "function");
            json_key(out, "function");
            put_called(out, part);
            json_close_object(out);
        }
    }
    json_close_array(out);
}

/* The older form has room for one call: the app asked for no more than that. */
static void put_legacy_call(struct json_out *out, const struct chat_answer *answer)
{
    const struct chat_part *part = answer->turn.parts;

    while (part->kind != CHAT_CALL) {
        part = part->next;
    }
    json_key(out, "function_call");
    put_called(out, part);
}

static void put_message(struct json_out *out, const struct chat_answer *answer, const struct chat_terms *terms)
{
    json_open_object(out);
    json_key(out, "role");
    json_text(out, "assistant");
    put_content(out, answer);
    json_key(out, "refusal");
    json_raw(out, answer->refusal.len > 0 ? answer->refusal : SPAN_OF("null"));
    if (terms->shows_thinking && answer->reasoning.len > 0) {
        json_key(out, "reasoning_content");
        json_raw(out, answer->reasoning);
    }
    if (has_part(answer, CHAT_CALL) && terms->is_legacy) {
        put_legacy_call(out, answer);
    } else if (has_part(answer, CHAT_CALL)) {
        put_calls(out, answer);
    }
    json_key(out, "annotations");
    json_raw(out, SPAN_OF("[]"));
    json_close_object(out);
}

void openai_chat_write_answer(const struct chat_answer *answer, const struct chat_terms *terms, struct json_out *out)
{
    char room[OPENAI_CHAT_ID_MAX];

    json_open_object(out);
    json_key(out, "id");
    json_string(out, span_make(room, openai_chat_make_id(room, answer->id, terms->seed)));
    json_key(out, "object");
    json_text(out, "chat.completion");
    json_key(out, "created");
    json_i64(out, terms->created);
    json_key(out, "model");
    json_raw(out, chat_inside(answer->model).len > 0 ? answer->model : terms->model);
    json_key(out, "choices");
    json_open_array(out);
    json_open_object(out);
    json_key(out, "index");
    json_i64(out, 0);
    json_key(out, "message");
    put_message(out, answer, terms);
    json_key(out, "logprobs");
    json_null(out);
    json_key(out, "finish_reason");
    json_text(out, openai_chat_finish_word(answer->finish, terms->is_legacy));
    json_close_object(out);
    json_close_array(out);
    if (openai_has_usage(&answer->usage)) {
        json_key(out, "usage");
        openai_put_usage(out, &answer->usage);
    }
    json_close_object(out);
}
