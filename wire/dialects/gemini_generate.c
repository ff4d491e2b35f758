/* SPDX-License-Identifier: Apache-2.0 */
/* generateContent and streamGenerateContent (gemini.md 3, 4, 6). An event of a stream is a whole
 * response with the new parts alone:
 *   parts, parts, ... -> one with finishReason and, like most before it, usageMetadata -> the end
 * A prompt that was blocked has promptFeedback and no candidates: an answer, and a complete one.
 * CONTINUATION ends an answer like any other reason; the app asks for the rest itself. */
#include "wire/dialects/gemini.h"

#include "wire/json_walk.h"

#define TO_CHAT "It looks like one of the OpenAI or Anthropic API: send it to /v1/chat/completions or " \
                "/v1/messages"

/* Members have two spellings, as in all of Google's APIs that take JSON. */
enum { MAIN_ROW = 1 };
static const struct json_path request_paths[] = {
    JSON_PATH1("messages"),
    JSON_PATH1("contents"),
    JSON_PATH1("model"),
    JSON_PATH1("generationConfig"),
    JSON_PATH1("generation_config"),
    JSON_PATH2("generationConfig", "candidateCount"),
    JSON_PATH2("generationConfig", "candidate_count"),
    JSON_PATH2("generation_config", "candidateCount"),
    JSON_PATH2("generation_config", "candidate_count"),
    JSON_PATH2("generationConfig", "maxOutputTokens"),
    JSON_PATH2("generationConfig", "max_output_tokens"),
    JSON_PATH2("generation_config", "maxOutputTokens"),
    JSON_PATH2("generation_config", "max_output_tokens"),
    JSON_PATH1("labels"),
    JSON_PATH1("continuationToken"), /* gemini.md 7 */
    JSON_PATH1("continuation_token"),
    JSON_PATH4("contents", "[]", "parts", "[]"), /* they need not be text */
};
static const struct request_row request_rows[] = {
    {RULE_FOREIGN_INSTEAD, "messages", TO_CHAT},
    {RULE_MESSAGES, "contents", NULL},
    {RULE_MODEL_AGAIN, "model", NULL},
    {RULE_CAP_HOME, "generationConfig", NULL},
    {RULE_CAP_HOME, "generation_config", NULL},
    {RULE_CHOICES, "generationConfig.candidateCount", NULL},
    {RULE_CHOICES, "generationConfig.candidate_count", NULL},
    {RULE_CHOICES, "generation_config.candidateCount", NULL},
    {RULE_CHOICES, "generation_config.candidate_count", NULL},
    {RULE_CAP, "generationConfig.maxOutputTokens", NULL},
    {RULE_CAP, "generationConfig.max_output_tokens", NULL},
    {RULE_CAP, "generation_config.maxOutputTokens", NULL},
    {RULE_CAP, "generation_config.max_output_tokens", NULL},
    {RULE_METADATA, "labels", NULL},
    {RULE_BOUND, "continuationToken", NULL},
    {RULE_BOUND, "continuation_token", NULL},
    {RULE_UNUSUAL, "contents", NULL},
};

struct refusal gemini_generate_request(struct json_scan *scan, uint64_t seed, struct span body,
                                       struct request *request)
{
    static const struct request_table table = {
        .paths = request_paths,
        .rows = request_rows,
        .count = ARRAY_LENGTH(request_paths),
        .main = MAIN_ROW,
    };
    _Static_assert(ARRAY_LENGTH(request_paths) == ARRAY_LENGTH(request_rows), "a row per path");

    return request_read(&table, scan, seed, body, request);
}

/* ---- answers ---- */

enum place {
    PLACE_CANDIDATES = ANSWER_ERROR_PLACES,
    PLACE_FINISH,
    PLACE_PARTS,
    PLACE_BLOCKED,
    PLACE_USAGE,
    PLACE_MODEL,
    PLACES
};
static const struct json_path paths[PLACES] = {
    ANSWER_ERROR_PATHS,
    JSON_PATH1("candidates"),
    JSON_PATH3("candidates", "[]", "finishReason"),
    JSON_PATH4("candidates", "[]", "content", "parts"),
    JSON_PATH2("promptFeedback", "blockReason"),
    JSON_PATH1("usageMetadata"),
    JSON_PATH1("modelVersion"),
};

static bool has_candidates(const struct json_hit *hits)
{
    return hits[PLACE_CANDIDATES].kind == JSON_ARRAY && hits[PLACE_CANDIDATES].count > 0;
}

static bool is_blocked(const struct json_hit *hits)
{
    return !has_candidates(hits) && answer_is_filled(&hits[PLACE_BLOCKED]);
}

void gemini_generate_answer(struct json_scan *scan, struct span body, struct answer *answer,
                            struct meter *meter)
{
    struct span document = gemini_unwrap(scan, body);
    struct json_hit hits[PLACES];

    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, PLACES, document, hits)) {
        return;
    }
    answer->is_json = true;
    answer->has_result = has_candidates(hits) || is_blocked(hits);
    answer->model =
        answer_name(&hits[PLACE_MODEL], document, answer->model_room, sizeof answer->model_room);
    answer_read_error(hits, document, answer->has_result, &answer->error);
    answer->usage = gemini_usage_take(meter, scan, answer_object(&hits[PLACE_USAGE], document));
    gemini_error_details(scan, document, &answer->error);
}

bool gemini_generate_unfold(struct json_scan *scan, struct span body, struct buf *out)
{
    struct json_hit hits[PLACES];

    if (!answer_scan(scan, paths, PLACES, body, hits) ||
        (!answer_is_filled(&hits[PLACE_FINISH]) && !is_blocked(hits))) {
        return false;
    }
    buf_put_text(out, "data: ");
    answer_put_line(out, json_walk_document(body));
    buf_put_text(out, "\r\n\r\n");
    return !out->failed;
}

/* ---- streams ---- */

/* Whether one of the parts brings something: a text that is not empty, or whatever else it may be (a
 * call, media, code), but a signature alone. */
static bool has_content(const struct json_hit *parts, struct span data)
{
    static const char *const marks[] = {"text", "thought", "thoughtSignature", "partMetadata"};
    enum { TEXT, MARKS = ARRAY_LENGTH(marks) };
    struct json_walk walk = json_walk_of(json_hit_span(parts, data));
    struct span item;

    while (parts->kind == JSON_ARRAY && json_walk_item(&walk, &item)) {
        struct json_walk members = json_walk_of(item);
        struct span name;
        struct span value;

        while (json_is_object(item) && json_walk_member(&members, &name, &value)) {
            bool is_mark = false;

            for (size_t i = 0; i < MARKS; i++) {
                is_mark = is_mark || json_is_name(name, marks[i]);
            }
            if (json_is_name(name, marks[TEXT]) ? json_is_string(value) && value.len > 2
                                                : !is_mark && (json_is_object(value))) {
                return true;
            }
        }
    }
    return false;
}

/* Too large to be held: read by its end, where the reason and the figures stand. */
static void read_end(struct stream *stream, struct json_scan *scan, const struct sse_event *event,
                     struct event_view *view)
{
    static const struct span finish[] = {SPAN("finishReason")};
    struct json_hit usage =
        answer_last_value(scan, event->end, SPAN_OF("\"usageMetadata\""), JSON_OBJECT);

    if ((answer_members(event->end, finish, 1) & 1) != 0) {
        view->is_finish = stream->saw_finish = true;
    }
    view->usage = gemini_usage_take(&stream->meter, scan, answer_object(&usage, event->end));
    view->is_usage = view->usage.len > 0;
}

static void read_whole(struct stream *stream, struct json_scan *scan, struct span data,
                       struct event_view *view)
{
    struct json_hit hits[PLACES];

    if (!answer_scan(scan, paths, PLACES, data, hits)) {
        return;
    }
    answer_read_error(hits, data, has_candidates(hits), &view->error);
    view->is_error = view->error.is_present;
    if (view->is_error) {
        gemini_error_details(scan, data, &view->error);
        return;
    }
    view->is_content = has_content(&hits[PLACE_PARTS], data);
    view->is_finish = answer_is_filled(&hits[PLACE_FINISH]) || is_blocked(hits);
    stream->saw_content |= view->is_content;
    stream->saw_finish |= view->is_finish;
    answer_note_model(stream, &hits[PLACE_MODEL], data);
    view->usage = gemini_usage_take(&stream->meter, scan, answer_object(&hits[PLACE_USAGE], data));
    view->is_usage = view->usage.len > 0;
}

void gemini_generate_event(struct stream *stream, struct json_scan *scan,
                           const struct sse_event *event, struct event_view *view)
{
    *view = (struct event_view){.is_content = event->is_piece};
    stream->saw_content |= event->is_piece;
    if (event->is_last_piece) {
        read_end(stream, scan, event, view);
    } else if (event->has_data && !event->is_piece) {
        read_whole(stream, scan, event->data, view);
    }
    answer_count(stream, event, view->is_content, view->is_usage);
}
