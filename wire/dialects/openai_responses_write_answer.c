/* SPDX-License-Identifier: Apache-2.0 */
/* An answer from elsewhere as a response (openai.md 7), and what stands around the output, which events
 * of streams repeat. Whatever clients check is there, also what says how it was asked: those have the values
 * of a request that says nothing. */
#include "wire/dialects/openai_responses.h"

#include "wire/answer.h"
#include "wire/json_walk.h"

enum { ID_MAX = 64 /* bytes of a provider's id that are kept */ };

enum response_stage response_stage_of(enum chat_finish finish)
{
    bool is_cut = finish == CHAT_FINISH_LENGTH || finish == CHAT_FINISH_WINDOW ||
                  finish == CHAT_FINISH_PAUSED || finish == CHAT_FINISH_FILTERED;

    return is_cut ? RESPONSE_CUT : RESPONSE_DONE;
}

static bool is_id(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
              c == '-')) {
            return false;
        }
    }
    return text.len > 0 && text.len <= ID_MAX;
}

/* The provider's own, so that it is found again in its logs; another form of it made plain. */
void response_put_id(struct buf *out, const struct response_frame *frame)
{
    struct span id = chat_inside(frame->id);

    if (!is_id(id) || !span_starts(id, SPAN_OF("resp_"))) {
        buf_put_text(out, "resp_");
    }
    if (is_id(id)) {
        buf_put(out, id);
    } else {
        response_put_hex(out, frame->terms->seed);
    }
}

static void put_why_cut(struct json_out *out, const struct response_frame *frame)
{
    json_key(out, "incomplete_details");
    if (frame->stage == RESPONSE_CUT) {
        json_raw(out, frame->finish == CHAT_FINISH_FILTERED ? SPAN_OF("{\"reason\":\"content_filter\"}")
                                                            : SPAN_OF("{\"reason\":\"max_output_tokens\"}"));
    } else {
        json_null(out);
    }
}

void response_open(struct json_out *out, const struct response_frame *frame)
{
    struct span model = chat_inside(frame->model).len > 0 ? frame->model : frame->terms->model;

    json_open_object(out);
    json_key(out, "id");
    json_raw(out, SPAN_OF("\""));
    response_put_id(out->buf, frame);
    buf_put_char(out->buf, '"');
    responses_put_word(out, "object", "response");
    json_key(out, "created_at");
    json_i64(out, frame->terms->created);
    responses_put_word(out, "status", response_status(frame->stage));
    responses_put_said(out, "background", SPAN_OF("false"));
    responses_put_said(out, "error", SPAN_OF("null"));
    put_why_cut(out, frame);
    json_key(out, "model");
    json_raw(out, json_is_string(model) ? model : SPAN_OF("\"\""));
    json_key(out, "output");
    json_open_array(out);
}

/* Members that say how it was asked. */
static void put_echo(struct json_out *out, const struct chat_terms *terms)
{
    static const char *const members[][2] = {
        {"instructions", "null"},
        {"max_output_tokens", "null"},
        {"max_tool_calls", "null"},
        {"metadata", "{}"},
        {"parallel_tool_calls", "true"},
        {"previous_response_id", "null"},
        {"reasoning", "{\"effort\":null,\"summary\":null}"},
        {"service_tier", "null"},
        {"store", "false"},
        {"temperature", "null"},
        {"text", "{\"format\":{\"type\":\"text\"}}"},
        {"tool_choice", "\"auto\""},
        {"top_logprobs", "0"},
        {"top_p", "null"},
        {"truncation", "\"disabled\""},
        {"user", "null"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        responses_put_said(out, members[i][0], span_of(members[i][1]));
    }
    json_key(out, "tools");
    json_raw(out, SPAN_OF("")); /* the comma's business */
    answer_put_line(out->buf, json_is_array(terms->tools) ? terms->tools : SPAN_OF("[]"));
}

static int64_t at_least_none(int64_t tokens)
{
    return tokens < 0 ? 0 : tokens;
}

static void put_count(struct json_out *out, const char *key, int64_t tokens)
{
    json_key(out, key);
    json_i64(out, at_least_none(tokens));
}

/* translation.md 11. Clients want all of it: what was not told is estimated, or none. */
static void put_usage(struct json_out *out, const struct response_frame *frame)
{
    const struct usage *usage = frame->usage;
    int64_t input = usage_input_all(usage);
    int64_t output = at_least_none(usage_output_all(usage));

    input = at_least_none(input < 0 ? frame->terms->input_estimate : input);
    json_open_object(out);
    put_count(out, "input_tokens", input);
    json_key(out, "input_tokens_details");
    json_open_object(out);
    put_count(out, "cached_tokens", usage->tokens[TOKENS_CACHE_READ]);
    put_count(out, "cache_write_tokens", usage_cache_write(usage));
    json_close_object(out);
    put_count(out, "output_tokens", output);
    json_key(out, "output_tokens_details");
    json_open_object(out);
    put_count(out, "reasoning_tokens", usage->reasoning);
    json_close_object(out);
    put_count(out, "total_tokens", input > INT64_MAX - output ? INT64_MAX : input + output);
    json_close_object(out);
}

void response_close(struct json_out *out, const struct response_frame *frame)
{
    json_close_array(out);
    put_echo(out, frame->terms);
    json_key(out, "usage");
    if (frame->usage == NULL) {
        json_null(out);
    } else {
        put_usage(out, frame);
    }
    json_close_object(out);
}

/* ---- whole ---- */

/* Whose turn it is behind this part: neighbouring texts are one item. */
static const struct chat_part *behind(const struct chat_part *part)
{
    bool is_text = part->kind == CHAT_TEXT;

    do {
        part = part->next;
    } while (is_text && part != NULL && part->kind == CHAT_TEXT);
    return part;
}

/* The parts of the answer, which are texts and calls. Only the last one of all can be cut. */
static void put_parts(struct json_out *out, const struct chat_answer *answer,
                      const struct chat_terms *terms, struct response_item *item)
{
    enum response_stage last = answer->refusal.len > 0 ? RESPONSE_DONE : response_stage_of(answer->finish);

    for (const struct chat_part *part = answer->turn.parts; part != NULL; part = behind(part)) {
        bool is_call = part->kind == CHAT_CALL;

        item->kind = is_call ? RESPONSE_CALL : RESPONSE_MESSAGE;
        item->stage = behind(part) == NULL ? last : RESPONSE_DONE;
        item->texts = is_call ? NULL : part;
        item->call_id = part->id;
        item->name = part->name;
        item->inside = is_call ? chat_inside(part->text) : span_make(NULL, 0);
        item->object = is_call && item->inside.len == 0 ? part->input : span_make(NULL, 0);
        if (is_call || part->kind == CHAT_TEXT) {
            response_put_item(out, terms, item);
            item->index++;
        }
    }
}

void openai_responses_write_whole(const struct chat_answer *answer, const struct chat_terms *terms,
                                  struct json_out *out)
{
    enum response_stage stage = response_stage_of(answer->finish);
    struct response_frame frame = {.terms = terms,
                                   .id = answer->id,
                                   .model = answer->model,
                                   .stage = stage,
                                   .finish = answer->finish,
                                   .usage = &answer->usage};
    struct response_item item = {.kind = RESPONSE_REASONING, .stage = RESPONSE_DONE};

    response_open(out, &frame);
    item.inside = chat_inside(answer->reasoning);
    if (terms->shows_thinking && item.inside.len > 0) {
        response_put_item(out, terms, &item);
        item.index++;
    }
    item.inside = span_make(NULL, 0);
    put_parts(out, answer, terms, &item);
    if (chat_inside(answer->refusal).len > 0) {
        item = (struct response_item){.kind = RESPONSE_REFUSAL,
                                      .stage = stage,
                                      .index = item.index,
                                      .inside = chat_inside(answer->refusal)};
        response_put_item(out, terms, &item);
    }
    response_close(out, &frame);
}
