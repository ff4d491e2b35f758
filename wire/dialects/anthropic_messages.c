/* SPDX-License-Identifier: Apache-2.0 */
/* POST /messages and /messages/count_tokens. A stream is named events:
 *   message_start (input figures) -> content_block_start, deltas, content_block_stop, per block
 *   -> message_delta (stop_reason, figures so far) -> message_stop; ping at any time, error ends it
 * Input figures exclude the cache. Figures are cumulative and the last one that is not null counts
 * (anthropic.md 6). */
#include "wire/dialects/anthropic.h"

#define TO_CHAT "It looks like one of the OpenAI API: send it to /v1/chat/completions"
#define TO_RESPONSES "It looks like one of the Responses API: send it to /v1/responses"

enum { MAIN_ROW = 7 };
static const struct json_path request_paths[] = {
    JSON_PATH1("input"),
    JSON_PATH1("contents"),
    JSON_PATH1("max_completion_tokens"),
    JSON_PATH1("stream_options"),
    JSON_PATH1("response_format"),
    JSON_PATH3("tools", "[]", "function"),
    JSON_PATH1("model"),
    JSON_PATH1("messages"),
    JSON_PATH1("stream"),
    JSON_PATH1("metadata"),
    JSON_PATH2("metadata", "user_id"),
    JSON_PATH1("tools"),
    JSON_PATH1("service_tier"),
    JSON_PATH1("speed"),
    JSON_PATH4("messages", "[]", "content", "[]"),
    JSON_PATH1("max_tokens"), /* 0 fills the cache and generates nothing (anthropic.md 3) */
};
static const struct request_row request_rows[] = {
    {RULE_FOREIGN_INSTEAD, "input", TO_RESPONSES},
    {RULE_FOREIGN_INSTEAD, "contents",
     "It looks like one of the Gemini API: send it to /v1beta/models/{model}:generateContent"},
    {RULE_FOREIGN, "max_completion_tokens", TO_CHAT},
    {RULE_FOREIGN, "stream_options", TO_CHAT},
    {RULE_FOREIGN, "response_format", TO_CHAT},
    {RULE_FOREIGN, "tools", TO_CHAT},
    {RULE_MODEL, "model", NULL},
    {RULE_MESSAGES, "messages", NULL},
    {RULE_STREAM, "stream", NULL},
    {RULE_METADATA, "metadata", NULL},
    {RULE_USER, "metadata.user_id", NULL},
    {RULE_UNUSUAL, "tools", NULL},
    {RULE_UNUSUAL, "service_tier", NULL},
    {RULE_UNUSUAL, "speed", NULL},
    {RULE_UNUSUAL, "messages", NULL},
    {RULE_CAP_OR_NONE, "max_tokens", NULL},
};
_Static_assert(ARRAY_LENGTH(request_paths) == ARRAY_LENGTH(request_rows), "a row per path");

struct refusal anthropic_messages_request(struct json_scan *scan, uint64_t seed, struct span body,
                                          struct request *request)
{
    static const struct request_table table = {
        .paths = request_paths,
        .rows = request_rows,
        .count = ARRAY_LENGTH(request_paths),
        .main = MAIN_ROW,
    };

    return request_read(&table, scan, seed, body, request);
}

struct refusal anthropic_count_request(struct json_scan *scan, uint64_t seed, struct span body,
                                       struct request *request)
{
    /* The same but for the last row: what is only counted generates nothing. */
    static const struct request_table table = {
        .paths = request_paths,
        .rows = request_rows,
        .count = ARRAY_LENGTH(request_paths) - 1,
        .main = MAIN_ROW,
    };
    struct refusal refusal = request_read(&table, scan, seed, body, request);

    request->is_stream = false; /* it never streams, whatever the body says */
    return refusal;
}

size_t anthropic_model_edits(const struct request *request, struct span model_json,
                             bool asks_usage, struct json_edit edits[JSON_EDITS_MAX])
{
    (void)asks_usage;
    return request_edit_model(request, model_json, &edits[0]);
}

void anthropic_messages_answer(struct json_scan *scan, struct span body, struct answer *answer,
                               struct meter *meter)
{
    enum { USAGE = ANSWER_ERROR_PLACES, CONTENT, MODEL, PLACES };
    static const struct json_path paths[PLACES] = {ANSWER_ERROR_PATHS, JSON_PATH1("usage"),
                                                   JSON_PATH1("content"), JSON_PATH1("model")};
    struct json_hit hits[PLACES];

    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, PLACES, body, hits)) {
        return;
    }
    answer->is_json = true;
    answer->has_result = hits[CONTENT].kind == JSON_ARRAY;
    answer->model = answer_name(&hits[MODEL], body, answer->model_room, sizeof answer->model_room);
    answer_read_error(hits, body, answer->has_result, &answer->error);
    answer->usage = anthropic_usage_take(meter, scan, answer_object(&hits[USAGE], body),
                                         answer->model);
}

void anthropic_count_answer(struct json_scan *scan, struct span body, struct answer *answer,
                            struct meter *meter)
{
    enum { TOKENS = ANSWER_ERROR_PLACES, PLACES };
    static const struct json_path paths[PLACES] = {ANSWER_ERROR_PATHS, JSON_PATH1("input_tokens")};
    struct json_hit hits[PLACES];

    (void)meter; /* counting is free */
    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, PLACES, body, hits)) {
        return;
    }
    answer->is_json = true;
    answer->has_result = hits[TOKENS].kind == JSON_NUMBER;
    answer_read_error(hits, body, answer->has_result, &answer->error);
}

enum event_type {
    TYPE_OTHER, /* ping, content_block_stop, and whatever comes later */
    TYPE_START,
    TYPE_BLOCK_START,
    TYPE_BLOCK_DELTA,
    TYPE_DELTA,
    TYPE_STOP,
    TYPE_ERROR
};

static enum event_type type_of(struct span name)
{
    static const struct {
        struct span name;
        enum event_type type;
    } known[] = {
        {SPAN("content_block_delta"), TYPE_BLOCK_DELTA},
        {SPAN("content_block_start"), TYPE_BLOCK_START},
        {SPAN("message_start"), TYPE_START},
        {SPAN("message_delta"), TYPE_DELTA},
        {SPAN("message_stop"), TYPE_STOP},
        {SPAN("error"), TYPE_ERROR},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (span_equal(name, known[i].name)) {
            return known[i].type;
        }
    }
    return TYPE_OTHER;
}

enum event_place {
    EVENT_USAGE = ANSWER_ERROR_PLACES,
    EVENT_START_USAGE,
    EVENT_MODEL,
    EVENT_STOP_REASON,
    EVENT_TEXT, /* from here on: whatever a delta can bring */
    EVENT_JSON,
    EVENT_THINKING,
    EVENT_SIGNATURE,
    EVENT_CITATION,
    EVENT_COMPACTION,
    EVENT_BLOCK_TYPE,
    EVENT_BLOCK_TEXT,
    EVENT_BLOCK_THINKING,
    EVENT_PLACES
};

static const struct json_path event_paths[EVENT_PLACES] = {
    ANSWER_ERROR_PATHS,
    JSON_PATH1("usage"),
    JSON_PATH2("message", "usage"),
    JSON_PATH2("message", "model"),
    JSON_PATH2("delta", "stop_reason"),
    JSON_PATH2("delta", "text"),
    JSON_PATH2("delta", "partial_json"),
    JSON_PATH2("delta", "thinking"),
    JSON_PATH2("delta", "signature"),
    JSON_PATH2("delta", "citation"),
    JSON_PATH2("delta", "content"),
    JSON_PATH2("content_block", "type"),
    JSON_PATH2("content_block", "text"),
    JSON_PATH2("content_block", "thinking"),
};
_Static_assert((size_t)EVENT_PLACES <= (size_t)JSON_PATHS_MAX, "one scan finds all of them");

/* The beginning of a text or of thinking is empty and promises nothing; that of a tool call or of a
 * finished block is the content itself. */
static bool block_is_content(const struct json_hit *hits, struct span data)
{
    struct span type = answer_text(&hits[EVENT_BLOCK_TYPE], data);

    if (span_equal(type, SPAN_OF("text"))) {
        return answer_is_filled(&hits[EVENT_BLOCK_TEXT]);
    }
    if (span_equal(type, SPAN_OF("thinking"))) {
        return answer_is_filled(&hits[EVENT_BLOCK_THINKING]);
    }
    return type.len > 0;
}

static bool delta_is_content(const struct json_hit *hits)
{
    for (size_t i = EVENT_TEXT; i <= EVENT_COMPACTION; i++) {
        if (answer_is_filled(&hits[i])) {
            return true;
        }
    }
    return false;
}

static void read_type(const struct json_hit *hits, struct span data, enum event_type type,
                      struct event_view *view)
{
    switch (type) {
    case TYPE_OTHER:
    case TYPE_START: break;
    case TYPE_BLOCK_START: view->is_content = block_is_content(hits, data); break;
    case TYPE_BLOCK_DELTA: view->is_content = delta_is_content(hits); break;
    case TYPE_DELTA: view->is_finish = answer_is_filled(&hits[EVENT_STOP_REASON]); break;
    case TYPE_STOP: view->is_terminal = true; break;
    case TYPE_ERROR:
        view->is_error = true;
        answer_read_error(hits, data, false, &view->error);
        break;
    }
}

static void read_usage(struct stream *stream, struct json_scan *scan, const struct json_hit *hits,
                       struct span data, struct event_view *view)
{
    struct span usage = answer_object(&hits[EVENT_START_USAGE], data);

    if (usage.len == 0) {
        usage = answer_object(&hits[EVENT_USAGE], data);
    }
    if (usage.len > 0) {
        view->usage = anthropic_usage_take(&stream->meter, scan, usage, stream_model(stream));
        view->is_usage = view->usage.len > 0;
    }
}

static void read_whole(struct stream *stream, struct json_scan *scan,
                       const struct sse_event *event, struct event_view *view)
{
    struct json_hit hits[EVENT_PLACES];
    enum event_type type = type_of(event->name);

    if (event->name.len > 0) {
        if (type == TYPE_BLOCK_DELTA && stream->saw_content) {
            view->is_content = true;
            return;
        }
        if (type == TYPE_OTHER || (type == TYPE_BLOCK_START && stream->saw_content)) {
            return;
        }
    }
    if (!answer_scan(scan, event_paths, EVENT_PLACES, event->data, hits)) {
        /* Broken, but its name says enough. */
        view->is_terminal = type == TYPE_STOP;
        view->is_error = type == TYPE_ERROR;
        return;
    }
    if (event->name.len == 0) {
        type = type_of(answer_text(&hits[ANSWER_TYPE_PLACE], event->data));
    }
    if (type == TYPE_OTHER && hits[0].kind == JSON_OBJECT) {
        type = TYPE_ERROR; /* the form of another dialect, on a server that knows no other */
    }
    answer_note_model(stream, &hits[EVENT_MODEL], event->data);
    read_type(hits, event->data, type, view);
    read_usage(stream, scan, hits, event->data, view);
}

void anthropic_messages_event(struct stream *stream, struct json_scan *scan,
                              const struct sse_event *event, struct event_view *view)
{
    *view = (struct event_view){.is_content = event->is_piece};
    if (event->has_data && !event->is_piece) {
        read_whole(stream, scan, event, view);
    }
    stream->saw_content |= view->is_content;
    stream->saw_finish |= view->is_finish;
    stream->saw_terminal |= view->is_terminal;
    answer_count(stream, event, view->is_content, view->is_usage);
}
