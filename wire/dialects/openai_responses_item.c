/* SPDX-License-Identifier: Apache-2.0 */
/* The items of a response's output (openai.md 7), as whole answers have them and events of streams
 * repeat them. */
#include "wire/dialects/openai_responses.h"

#include "wire/json_walk.h"

enum { HEX_DIGITS = 16 };

static const struct response_row rows[] = {
    [RESPONSE_MESSAGE] = {"msg_", "output_text", "text", "content_index",
                          "response.content_part.added", "response.output_text.delta",
                          "response.output_text.done", "response.content_part.done"},
    [RESPONSE_REFUSAL] = {"msg_", "refusal", "refusal", "content_index",
                          "response.content_part.added", "response.refusal.delta",
                          "response.refusal.done", "response.content_part.done"},
    [RESPONSE_REASONING] = {"rs_", "summary_text", "text", "summary_index",
                            "response.reasoning_summary_part.added",
                            "response.reasoning_summary_text.delta",
                            "response.reasoning_summary_text.done",
                            "response.reasoning_summary_part.done"},
    [RESPONSE_CALL] = {"fc_", NULL, "arguments", NULL, NULL, "response.function_call_arguments.delta",
                       "response.function_call_arguments.done", NULL},
};

const struct response_row *response_row(enum response_kind kind)
{
    return &rows[kind];
}

const char *response_status(enum response_stage stage)
{
    return stage == RESPONSE_BEGUN ? "in_progress" : stage == RESPONSE_CUT ? "incomplete" : "completed";
}

void response_put_hex(struct buf *buf, uint64_t number)
{
    for (int digit = HEX_DIGITS; digit > 0; digit--) {
        buf_put_char(buf, "0123456789abcdef"[(number >> ((digit - 1) * 4)) & 15]);
    }
}

void response_put_item_id(struct json_out *out, const struct chat_terms *terms, const struct response_item *item)
{
    json_raw(out, SPAN_OF("\""));
    buf_put_text(out->buf, rows[item->kind].id);
    response_put_hex(out->buf, terms->seed);
    buf_put_char(out->buf, '_');
    buf_put_u64(out->buf, item->index);
    buf_put_char(out->buf, '"');
}

void response_put_text(struct json_out *out, const struct response_item *item)
{
    if (item->object.len > 0) {
        json_string(out, item->object);
        return;
    }
    json_raw(out, SPAN_OF("\""));
    buf_put(out->buf, item->inside);
    for (const struct chat_part *part = item->texts; part != NULL && part->kind == CHAT_TEXT;
         part = part->next) {
        buf_put(out->buf, chat_inside(part->text));
    }
    buf_put_char(out->buf, '"');
}

void response_put_part(struct json_out *out, const struct response_item *item)
{
    json_open_object(out);
    responses_put_word(out, "type", rows[item->kind].part);
    json_key(out, rows[item->kind].text);
    response_put_text(out, item);
    if (item->kind == RESPONSE_MESSAGE) {
        responses_put_said(out, "annotations", SPAN_OF("[]"));
        responses_put_said(out, "logprobs", SPAN_OF("[]"));
    }
    json_close_object(out);
}

/* Readers promise both. */
static void put_name(struct json_out *out, const char *key, struct span string)
{
    json_key(out, key);
    json_raw(out, json_is_string(string) ? string : SPAN_OF("\"\""));
}

static void put_call(struct json_out *out, const struct response_item *item)
{
    put_name(out, "call_id", item->call_id);
    put_name(out, "name", item->name);
    json_key(out, "arguments");
    response_put_text(out, item);
}

void response_put_item(struct json_out *out, const struct chat_terms *terms, const struct response_item *item)
{
    bool is_message = item->kind == RESPONSE_MESSAGE || item->kind == RESPONSE_REFUSAL;

    json_open_object(out);
    json_key(out, "id");
    response_put_item_id(out, terms, item);
    responses_put_word(out, "type",
                       is_message                    ? "message"
                       : item->kind == RESPONSE_CALL ? "function_call"
                                                     : "reasoning");
    responses_put_word(out, "status", response_status(item->stage));
    if (item->kind == RESPONSE_CALL) {
        put_call(out, item);
    } else {
        if (is_message) {
            responses_put_word(out, "role", "assistant");
        }
        json_key(out, is_message ? "content" : "summary");
        json_open_array(out);
        if (item->stage != RESPONSE_BEGUN) {
            response_put_part(out, item);
        }
        json_close_array(out);
    }
    json_close_object(out);
}
