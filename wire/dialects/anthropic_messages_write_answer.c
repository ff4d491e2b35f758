/* SPDX-License-Identifier: Apache-2.0 */
/* An answer out of the hub as a whole message, and what it shares with a streamed one: ids and figures
 * (anthropic.md 5; translation.md 9 to 11). Reasoning is left out: a block of it without the vendor's signature would be
 * refused when the app sends it back. */
#include "wire/dialects/anthropic_messages.h"

#include "base/sip.h"

enum { ID_MAX = 64 };

static bool is_safe(struct span id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_' && c != '-') {
            return false;
        }
    }
    return id.len > 0 && id.len <= ID_MAX;
}

static void put_hashed(struct json_out *out, const char *head, uint64_t hash)
{
    json_raw(out, SPAN_OF("\""));
    buf_put_format(out->buf, "%s%016llx\"", head, (unsigned long long)hash);
}

/* The same for the same bytes, wherever it is made. */
static uint64_t hash_of(struct span id)
{
    static const uint64_t seed[2] = {0, 0};

    return sip_hash(seed, id);
}

void messages_put_id(struct json_out *out, struct span id, const struct chat_terms *terms)
{
    struct span inside = chat_inside(id);

    if (!is_safe(inside)) {
        put_hashed(out, "msg_", inside.len > 0 ? hash_of(inside) : terms->seed);
        return;
    }
    json_raw(out, SPAN_OF("\""));
    if (!span_starts(inside, SPAN_OF("msg_"))) {
        buf_put_text(out->buf, "msg_");
    }
    buf_put(out->buf, inside);
    buf_put_char(out->buf, '"');
}

/* An id that this grammar does not take is told as its hash: the app's next request has that in the call and in the
 * result alike (anthropic.md 4). */
void messages_put_call_id(struct json_out *out, struct span id, uint32_t number, const struct chat_terms *terms)
{
    struct span inside = chat_inside(id);

    if (is_safe(inside)) {
        json_raw(out, id);
    } else {
        put_hashed(out, "toolu_", inside.len > 0 ? hash_of(inside) : terms->seed + number);
    }
}

/* ---- usage ---- */

static int64_t told(int64_t figure)
{
    return figure > 0 ? figure : 0;
}

static void put_figure(struct json_out *out, const char *key, int64_t figure)
{
    json_key(out, key);
    json_i64(out, told(figure));
}

/* What was neither read from a cache nor written to one (translation.md 11). */
static int64_t uncached(const struct usage *usage)
{
    return told(usage->tokens[TOKENS_INPUT]) + told(usage->tokens[TOKENS_AUDIO_INPUT]) +
           told(usage->tokens[TOKENS_IMAGE_INPUT]);
}

static void put_creation(struct json_out *out, const int64_t *tokens)
{
    json_key(out, "cache_creation");
    json_open_object(out);
    put_figure(out, "ephemeral_5m_input_tokens",
               told(tokens[TOKENS_CACHE_WRITE_5M]) + told(tokens[TOKENS_CACHE_WRITE_30M]));
    put_figure(out, "ephemeral_1h_input_tokens",
               told(tokens[TOKENS_CACHE_WRITE_1H]) + told(tokens[TOKENS_CACHE_WRITE_12H]));
    json_close_object(out);
}

void messages_put_usage(struct json_out *out, const struct usage *usage, const struct chat_terms *terms)
{
    bool is_told = usage_input_all(usage) >= 0;

    json_key(out, "usage");
    json_open_object(out);
    put_figure(out, "input_tokens", is_told ? uncached(usage) : terms->input_estimate);
    put_figure(out, "cache_creation_input_tokens", usage_cache_write(usage));
    put_figure(out, "cache_read_input_tokens", usage->tokens[TOKENS_CACHE_READ]);
    put_creation(out, usage->tokens);
    put_figure(out, "output_tokens", usage_output_all(usage));
    if (usage->reasoning >= 0) {
        json_key(out, "output_tokens_details");
        json_open_object(out);
        put_figure(out, "thinking_tokens", usage->reasoning);
        json_close_object(out);
    }
    json_key(out, "server_tool_use");
    json_null(out);
    json_key(out, "service_tier");
    json_text(out, "standard");
    json_close_object(out);
}

/* ---- the message ---- */

static void put_text(struct json_out *out, struct span text)
{
    json_open_object(out);
    json_key(out, "type");
    json_text(out, "text");
    json_key(out, "text");
    json_raw(out, text);
    json_close_object(out);
}

static void put_call(struct json_out *out, const struct chat_part *part, uint32_t number, const struct chat_terms *terms)
{
    json_open_object(out);
    json_key(out, "type");
    json_text(out, "tool_use");
    json_key(out, "id");
    messages_put_call_id(out, part->id, number, terms);
    json_key(out, "name");
    json_raw(out, part->name);
    json_key(out, "input");
    json_raw(out, part->input.len > 0 ? part->input : SPAN_OF("{}"));
    json_close_object(out);
}

static void put_content(struct json_out *out, const struct chat_answer *answer, const struct chat_terms *terms)
{
    uint32_t calls = 0;
    bool is_empty = true;

    json_key(out, "content");
    json_open_array(out);
    for (const struct chat_part *part = answer->turn.parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_TEXT) {
            put_text(out, part->text);
            is_empty = false;
        } else if (part->kind == CHAT_CALL) {
            put_call(out, part, calls++, terms);
            is_empty = false;
        }
    }
    if (answer->refusal.len > 0) {
        put_text(out, answer->refusal);
    } else if (is_empty) {
        put_text(out, SPAN_OF("\"\""));
    }
    json_close_array(out);
}

void messages_write_answer(const struct chat_answer *answer, const struct chat_terms *terms, struct json_out *out)
{
    enum chat_finish finish = answer->refusal.len > 0 ? CHAT_FINISH_FILTERED : answer->finish;

    json_open_object(out);
    json_key(out, "id");
    messages_put_id(out, answer->id, terms);
    json_key(out, "type");
    json_text(out, "message");
    json_key(out, "role");
    json_text(out, "assistant");
    json_key(out, "model");
    json_raw(out, chat_inside(answer->model).len > 0 ? answer->model : terms->model);
    put_content(out, answer, terms);
    json_key(out, "stop_reason");
    json_string(out, messages_finish_word(finish));
    json_key(out, "stop_sequence");
    json_null(out); /* which one it was, others do not say */
    messages_put_usage(out, &answer->usage, terms);
    json_close_object(out);
}
