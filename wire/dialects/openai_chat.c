/* SPDX-License-Identifier: Apache-2.0 */
/* POST /chat/completions, and the answers of POST /completions, which differ only in that a choice
 * has a text instead of a message. A stream is data-only events:
 *   first delta with the role alone -> content deltas -> one chunk with finish_reason per choice
 *   -> (asked for) a chunk with choices: [] and usage -> data: [DONE] */
#include "wire/dialects/openai.h"

#define TO_MESSAGES "It looks like one of the Anthropic API: send it to /v1/messages"
#define TO_RESPONSES "It looks like one of the Responses API: send it to /v1/responses"
#define TO_GEMINI "It looks like one of the Gemini API: send it to /v1beta/models/{model}:generateContent"

enum { MAIN_ROW = 7 };
static const struct json_path request_paths[] = {
    JSON_PATH1("input"),
    JSON_PATH1("contents"),
    JSON_PATH1("anthropic_version"),
    JSON_PATH1("system"),
    JSON_PATH1("stop_sequences"),
    JSON_PATH3("tools", "[]", "input_schema"),
    JSON_PATH1("model"),
    JSON_PATH1("messages"),
    JSON_PATH1("stream"),
    JSON_PATH1("stream_options"),
    JSON_PATH2("stream_options", "include_usage"),
    JSON_PATH1("n"),
    JSON_PATH1("max_tokens"),
    JSON_PATH1("max_completion_tokens"),
    JSON_PATH1("metadata"),
    JSON_PATH1("prompt_cache_key"),
    JSON_PATH1("tools"),
    JSON_PATH1("web_search_options"),
    JSON_PATH1("audio"),
    JSON_PATH1("service_tier"),
    JSON_PATH4("messages", "[]", "content", "[]"), /* parts: they need not be text */
    JSON_PATH3("messages", "[]", "audio"),
    JSON_PATH1("user"),
};
static const struct request_row request_rows[] = {
    {RULE_FOREIGN_INSTEAD, "input", TO_RESPONSES},
    {RULE_FOREIGN_INSTEAD, "contents", TO_GEMINI},
    {RULE_FOREIGN, "anthropic_version", TO_MESSAGES},
    {RULE_FOREIGN, "system", TO_MESSAGES},
    {RULE_FOREIGN, "stop_sequences", TO_MESSAGES},
    {RULE_FOREIGN, "tools", TO_MESSAGES},
    {RULE_MODEL, "model", NULL},
    {RULE_MESSAGES, "messages", NULL},
    {RULE_STREAM, "stream", NULL},
    {RULE_STREAM_OPTIONS, "stream_options", NULL},
    {RULE_INCLUDE_USAGE, "stream_options.include_usage", NULL},
    {RULE_CHOICES, "n", NULL},
    {RULE_CAP, "max_tokens", NULL},
    {RULE_CAP, "max_completion_tokens", NULL},
    {RULE_METADATA, "metadata", NULL},
    {RULE_SESSION, "prompt_cache_key", NULL},
    {RULE_UNUSUAL, "tools", NULL},
    {RULE_UNUSUAL, "web_search_options", NULL},
    {RULE_UNUSUAL, "audio", NULL},
    {RULE_UNUSUAL, "service_tier", NULL},
    {RULE_UNUSUAL, "messages", NULL},
    {RULE_UNUSUAL, "messages", NULL},
    {RULE_USER, "user", NULL},
};

struct refusal openai_chat_request(struct json_scan *scan, uint64_t seed, struct span body,
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

/* Where the body's root object closes: its last byte that is not white space. */
static uint64_t root_end(struct span body)
{
    size_t at = body.len;

    while (at > 0 && body.at[at - 1] != '}') {
        at--;
    }
    return at - 1;
}

/* The smallest edit after which the stream ends with its usage. */
static struct json_edit usage_edit(const struct request *request)
{
    const struct json_hit *options = &request->stream_options;
    const struct json_hit *usage = &request->stream_options_usage;

    if (options->kind == JSON_ABSENT) {
        return (struct json_edit){
            .at = root_end(request->body),
            .put = SPAN_OF(",\"stream_options\":{\"include_usage\":true}")};
    }
    if (options->kind == JSON_NULL) {
        return (struct json_edit){.at = options->at,
                                  .cut = options->len,
                                  .put = SPAN_OF("{\"include_usage\":true}")};
    }
    if (usage->kind != JSON_ABSENT) {
        return (struct json_edit){.at = usage->at, .cut = usage->len, .put = SPAN_OF("true")};
    }
    return (struct json_edit){.at = options->at + 1,
                              .put = options->count == 0 ? SPAN_OF("\"include_usage\":true")
                                                         : SPAN_OF("\"include_usage\":true,")};
}

size_t openai_chat_edits(const struct request *request, struct span model_json, bool asks_usage,
                         struct json_edit edits[JSON_EDITS_MAX])
{
    size_t count = request_edit_model(request, model_json, &edits[0]);

    if (!asks_usage || !request->is_stream || request->app_wants_usage) {
        return count;
    }
    edits[count++] = usage_edit(request);
    if (count == 2 && edits[1].at < edits[0].at) {
        struct json_edit model = edits[0];
        edits[0] = edits[1];
        edits[1] = model;
    }
    return count;
}

void openai_chat_answer(struct json_scan *scan, struct span body, struct answer *answer,
                        struct meter *meter)
{
    static const struct json_path paths[] = {ANSWER_ERROR_PATHS, OPENAI_USAGE_PATHS,
                                             JSON_PATH1("choices"), JSON_PATH1("model")};
    enum { CHOICES = ANSWER_ERROR_PLACES + OPENAI_USAGE_PLACES, MODEL };
    struct json_hit hits[ARRAY_LENGTH(paths)];

    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, ARRAY_LENGTH(paths), body, hits)) {
        return;
    }
    answer->is_json = true;
    answer->has_result = hits[CHOICES].kind == JSON_ARRAY;
    answer->model = answer_name(&hits[MODEL], body, answer->model_room, sizeof answer->model_room);
    answer_read_error(hits, body, answer->has_result, &answer->error);
    answer->usage = openai_usage_take(meter, scan, hits + ANSWER_ERROR_PLACES, body);
}

/* Once the answer is under way, a chunk with choices and none of what makes one worth a scan is content, which
 * nobody here needs to understand. Without choices it may be an error that has no member `error`. */
static bool is_plain_chunk(struct span data)
{
    static const struct span names[] = {SPAN("choices"), SPAN("usage"), SPAN("finish_reason"), SPAN("error")};

    return answer_members(data, names, ARRAY_LENGTH(names)) == 1;
}

enum chunk_place {
    CHUNK_USAGE = ANSWER_ERROR_PLACES,
    CHUNK_MODEL = CHUNK_USAGE + OPENAI_USAGE_PLACES,
    CHUNK_CHOICES,
    CHUNK_FINISH,
    CHUNK_GROQ_ERROR,
    /* From CHUNK_CONTENT on: whatever brings content. */
#define DELTA(name, member) CHUNK_##name,
#include "wire/dialects/openai_deltas.def"
#undef DELTA
    CHUNK_TEXT,
    CHUNK_PLACES
};

static const struct json_path chunk_paths[CHUNK_PLACES] = {
    ANSWER_ERROR_PATHS,
    OPENAI_USAGE_PATHS,
    JSON_PATH1("model"),
    JSON_PATH1("choices"),
    JSON_PATH3("choices", "[]", "finish_reason"),
    JSON_PATH2("x_groq", "error"),
#define DELTA(name, member) JSON_PATH4("choices", "[]", "delta", member),
#include "wire/dialects/openai_deltas.def"
#undef DELTA
    JSON_PATH3("choices", "[]", "text"),
};
_Static_assert((size_t)CHUNK_PLACES <= (size_t)JSON_PATHS_MAX, "one scan finds all of them");

static bool is_told(const struct json_hit *hit)
{
    return hit->kind != JSON_ABSENT && hit->kind != JSON_NULL;
}

static void read_chunk(struct stream *stream, const struct json_hit *hits, struct span data,
                       struct event_view *view)
{
    bool has_choices = hits[CHUNK_CHOICES].kind == JSON_ARRAY;

    answer_read_error(hits, data, has_choices, &view->error);
    if (!view->error.is_present && answer_is_filled(&hits[CHUNK_GROQ_ERROR])) { /* openai-compatible.md 3 */
        view->error = (struct provider_error){.is_present = true,
                                              .message = answer_text(&hits[CHUNK_GROQ_ERROR], data)};
    }
    view->is_error = view->error.is_present;
    view->is_odd = view->is_error && !is_told(&hits[ANSWER_ERROR_PLACE]);
    view->is_finish = answer_is_filled(&hits[CHUNK_FINISH]);
    for (size_t i = CHUNK_CONTENT; i < CHUNK_PLACES && !view->is_content; i++) {
        view->is_content = answer_is_filled(&hits[i]);
    }
    stream->saw_content |= view->is_content;
    stream->saw_finish |= view->is_finish;
}

/* The figures of a chunk. Those in a chunk of their own, which only we asked for, are not for the
 * app: programs that take choices[0] of every chunk break on an empty list (openai.md, 14). */
static void read_chunk_usage(struct stream *stream, struct json_scan *scan,
                             const struct json_hit *hits, struct span data,
                             struct event_view *view)
{
    const struct json_hit *choices = &hits[CHUNK_CHOICES];
    bool has_usage = is_told(&hits[CHUNK_USAGE]) || is_told(&hits[CHUNK_USAGE + 1]);

    view->usage = openai_usage_take(&stream->meter, scan, hits + CHUNK_USAGE, data);
    view->is_usage = view->usage.len > 0;
    view->hide = stream->hides_usage && has_usage && choices->kind == JSON_ARRAY &&
                 choices->count == 0 && !view->is_error;
}

static void read_whole(struct stream *stream, struct json_scan *scan,
                       const struct sse_event *event, struct event_view *view)
{
    struct json_hit hits[CHUNK_PLACES];
    struct span data = event->data;
    bool is_named_error = span_equal(event->name, SPAN_OF("error"));

    if (span_equal(span_trim(data), SPAN_OF("[DONE]"))) {
        view->is_terminal = stream->saw_terminal = true;
        return;
    }
    view->is_error = is_named_error;
    if (stream->saw_content && !is_named_error && is_plain_chunk(data)) {
        view->is_content = true;
        return;
    }
    if (!answer_scan(scan, chunk_paths, ARRAY_LENGTH(chunk_paths), data, hits)) {
        return;
    }
    read_chunk(stream, hits, data, view);
    view->is_error |= is_named_error;
    view->is_odd &= !is_named_error;
    answer_note_model(stream, &hits[CHUNK_MODEL], data);
    read_chunk_usage(stream, scan, hits, data, view);
}

void openai_chat_event(struct stream *stream, struct json_scan *scan,
                       const struct sse_event *event, struct event_view *view)
{
    *view = (struct event_view){.is_content = event->is_piece};
    stream->saw_content |= event->is_piece;
    if (event->has_data && !event->is_piece) {
        read_whole(stream, scan, event, view);
    }
    answer_count(stream, event, view->is_content, view->is_usage);
}
