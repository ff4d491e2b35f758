/* SPDX-License-Identifier: Apache-2.0 */
/* POST /responses. Each event of a stream has a name and repeats it as data.type, with a sequence
 * number that grows from 0; the last one carries the whole response, usage included:
 *   response.created, .queued, .in_progress, .output_item.added, .content_part.added   (no content)
 *   -> deltas and everything else -> response.completed | .incomplete | .failed, or error
 * New types appear often: an unknown one counts as content and passes. */
#include "wire/dialects/openai.h"

#include "wire/json_out.h"

enum { MAIN_ROW = 2 };
static const struct json_path request_paths[] = {
    JSON_PATH1("messages"), JSON_PATH1("contents"),
    JSON_PATH1("input"),    JSON_PATH1("model"),
    JSON_PATH1("stream"),   JSON_PATH1("stream_options"),
    JSON_PATH1("n"),        JSON_PATH1("max_output_tokens"),
    JSON_PATH1("metadata"), JSON_PATH1("prompt_cache_key"),
    JSON_PATH1("tools"),    JSON_PATH1("service_tier"),
    JSON_PATH1("prompt"),   JSON_PATH1("conversation"),
    JSON_PATH1("previous_response_id"), JSON_PATH2("input", "[]"),
    JSON_PATH1("user"),
};
static const struct request_row request_rows[] = {
    {RULE_FOREIGN_INSTEAD, "messages",
     "It looks like one of the chat API: send it to /v1/chat/completions"},
    {RULE_FOREIGN_INSTEAD, "contents",
     "It looks like one of the Gemini API: send it to /v1beta/models/{model}:generateContent"},
    {RULE_NOTED, "input", NULL},
    {RULE_MODEL, "model", NULL},
    {RULE_STREAM, "stream", NULL},
    {RULE_STREAM_OPTIONS, "stream_options", NULL},
    {RULE_CHOICES, "n", NULL},
    {RULE_CAP, "max_output_tokens", NULL},
    {RULE_METADATA, "metadata", NULL},
    {RULE_SESSION, "prompt_cache_key", NULL},
    {RULE_UNUSUAL, "tools", NULL},
    {RULE_UNUSUAL, "service_tier", NULL},
    {RULE_UNUSUAL, "prompt", NULL},
    {RULE_UNUSUAL, "conversation", NULL},
    {RULE_UNUSUAL, "previous_response_id", NULL},
    {RULE_UNUSUAL, "input", NULL},
    {RULE_USER, "user", NULL},
};

struct refusal openai_responses_request(struct json_scan *scan, uint64_t seed, struct span body,
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

void openai_responses_answer(struct json_scan *scan, struct span body, struct answer *answer,
                             struct meter *meter)
{
    enum {
        USAGE = ANSWER_ERROR_PLACES,
        OUTPUT = USAGE + OPENAI_RESPONSE_PLACES,
        STATUS,
        MODEL,
        PLACES
    };
    static const struct json_path paths[PLACES] = {
        ANSWER_ERROR_PATHS,
        JSON_PATH1("usage"), /* in the order of OPENAI_RESPONSE_PLACES */
        JSON_PATH1("service_tier"),
        JSON_PATH3("tool_usage", "web_search", "num_requests"),
        JSON_PATH2("tool_usage", "image_gen"),
        JSON_PATH1("output"),
        JSON_PATH1("status"),
        JSON_PATH1("model"),
    };
    struct json_hit hits[PLACES];

    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, PLACES, body, hits)) {
        return;
    }
    answer->is_json = true;
    answer->has_result = hits[OUTPUT].kind == JSON_ARRAY;
    answer->is_failed = span_equal(answer_text(&hits[STATUS], body), SPAN_OF("failed"));
    answer->model = answer_name(&hits[MODEL], body, answer->model_room, sizeof answer->model_room);
    answer_read_error(hits, body, answer->has_result, &answer->error);
    answer->usage = openai_response_take(meter, scan, hits + USAGE, body);
}

enum event_class { CLASS_EARLY, CLASS_CONTENT, CLASS_DONE, CLASS_FAILED, CLASS_ERROR };

static enum event_class class_of(struct span type)
{
    static const struct {
        struct span type;
        enum event_class class;
    } known[] = {
        {SPAN("response.created"), CLASS_EARLY},
        {SPAN("response.queued"), CLASS_EARLY},
        {SPAN("response.in_progress"), CLASS_EARLY},
        {SPAN("response.output_item.added"), CLASS_EARLY},
        {SPAN("response.content_part.added"), CLASS_EARLY},
        {SPAN("response.reasoning_summary_part.added"), CLASS_EARLY},
        {SPAN("ping"), CLASS_EARLY},
        {SPAN("keepalive"), CLASS_EARLY},
        {SPAN("response.completed"), CLASS_DONE},
        {SPAN("response.incomplete"), CLASS_DONE},
        {SPAN("response.failed"), CLASS_FAILED},
        {SPAN("error"), CLASS_ERROR},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (span_equal(type, known[i].type)) {
            return known[i].class;
        }
    }
    return CLASS_CONTENT;
}

enum event_place {
    EVENT_SEQUENCE = ANSWER_ERROR_PLACES,
    EVENT_ID,
    EVENT_FAILURE,
    EVENT_FAILURE_TYPE,
    EVENT_FAILURE_CODE,
    EVENT_FAILURE_MESSAGE,
    EVENT_MODEL,
    EVENT_USAGE,
    EVENT_PLACES = EVENT_USAGE + OPENAI_RESPONSE_PLACES
};

static const struct json_path event_paths[EVENT_PLACES] = {
    ANSWER_ERROR_PATHS,
    JSON_PATH1("sequence_number"),
    JSON_PATH2("response", "id"),
    JSON_PATH2("response", "error"),
    JSON_PATH3("response", "error", "type"),
    JSON_PATH3("response", "error", "code"),
    JSON_PATH3("response", "error", "message"),
    JSON_PATH2("response", "model"),
    JSON_PATH2("response", "usage"), /* in the order of OPENAI_RESPONSE_PLACES */
    JSON_PATH2("response", "service_tier"),
    JSON_PATH4("response", "tool_usage", "web_search", "num_requests"),
    JSON_PATH3("response", "tool_usage", "image_gen"),
};

/* Where the stream stands, for an honest response.failed of our own. */
static void note_place(struct stream *stream, const struct json_hit *hits, struct span data)
{
    struct span id = answer_text(&hits[EVENT_ID], data);
    int64_t number = 0;

    if (id.len > 0 && id.len <= sizeof stream->id && memchr(id.at, '\\', id.len) == NULL) {
        memcpy(stream->id, id.at, id.len);
        stream->id_len = (uint8_t)id.len;
    }
    if (hits[EVENT_SEQUENCE].kind == JSON_NUMBER &&
        json_integer(json_hit_span(&hits[EVENT_SEQUENCE], data), &number) == ERR_NONE &&
        number >= 0 && number < INT32_MAX) {
        stream->sequence = (uint32_t)number + 1;
    }
}

static void read_failure(const struct json_hit *hits, struct span data, struct event_view *view)
{
    view->is_error = true;
    if (hits[EVENT_FAILURE].kind == JSON_OBJECT) {
        view->error.is_present = true;
        view->error.type = answer_text(&hits[EVENT_FAILURE_TYPE], data);
        view->error.code = answer_text(&hits[EVENT_FAILURE_CODE], data);
        view->error.message = answer_text(&hits[EVENT_FAILURE_MESSAGE], data);
        return;
    }
    answer_read_error(hits, data, false, &view->error);
}

static void read_class(const struct json_hit *hits, struct span data, enum event_class class,
                       struct event_view *view)
{
    switch (class) {
    case CLASS_EARLY: break;
    case CLASS_CONTENT: view->is_content = true; break;
    case CLASS_DONE: view->is_finish = view->is_terminal = true; break;
    case CLASS_FAILED:
        view->is_terminal = true;
        read_failure(hits, data, view);
        break;
    case CLASS_ERROR: read_failure(hits, data, view); break;
    }
}

/* An event too large to be held comes in pieces and is not read. The terminal one can be so large
 * (it repeats the whole answer), and its end must still be seen: the first piece tells by its
 * beginning. What was used stands at its end. */
static void read_piece(struct stream *stream, struct json_scan *scan, const struct sse_event *event,
                       struct event_view *view)
{
    static const struct span beginnings[] = {SPAN("event: response.completed"),
                                             SPAN("event:response.completed"),
                                             SPAN("event: response.incomplete"),
                                             SPAN("event:response.incomplete"),
                                             SPAN("data: {\"type\":\"response.completed\""),
                                             SPAN("data: {\"type\":\"response.incomplete\"")};

    if (!stream->is_in_pieces) {
        stream->ends_in_pieces = false;
        for (size_t i = 0; i < ARRAY_LENGTH(beginnings); i++) {
            stream->ends_in_pieces |= span_starts(event->raw, beginnings[i]);
        }
    }
    stream->is_in_pieces = !event->is_last_piece;
    view->is_content = true;
    view->is_finish = view->is_terminal = stream->ends_in_pieces && event->is_last_piece;
    if (view->is_terminal) {
        view->usage = openai_response_take_end(&stream->meter, scan, event->end);
        view->is_usage = view->usage.len > 0;
    }
}

static void read_whole(struct stream *stream, struct json_scan *scan, const struct sse_event *event,
                       struct event_view *view)
{
    struct json_hit hits[EVENT_PLACES];
    enum event_class class = class_of(event->name);

    stream->sequence++;
    if (stream->saw_content && event->name.len > 0 &&
        (class == CLASS_EARLY || class == CLASS_CONTENT)) {
        view->is_content = class == CLASS_CONTENT;
        return;
    }
    if (!answer_scan(scan, event_paths, EVENT_PLACES, event->data, hits)) {
        /* Broken, but its name says enough. */
        view->is_finish = class == CLASS_DONE;
        view->is_terminal = class == CLASS_DONE || class == CLASS_FAILED;
        view->is_error = class == CLASS_FAILED || class == CLASS_ERROR;
        return;
    }
    if (event->name.len == 0) {
        class = class_of(answer_text(&hits[ANSWER_TYPE_PLACE], event->data));
    }
    if (hits[0].kind == JSON_OBJECT && class == CLASS_CONTENT) {
        class = CLASS_ERROR; /* the chat form of an error, on a server that knows no other */
    }
    note_place(stream, hits, event->data);
    answer_note_model(stream, &hits[EVENT_MODEL], event->data);
    read_class(hits, event->data, class, view);
    view->usage = openai_response_take(&stream->meter, scan, hits + EVENT_USAGE, event->data);
    view->is_usage = view->usage.len > 0;
}

/* What is done repeats what its deltas have brought, and the terminal event repeats all of it. */
static bool is_repeated(const struct stream *stream, const struct sse_event *event)
{
    return event->is_piece ? stream->ends_in_pieces : span_ends(event->name, SPAN_OF(".done"));
}

void openai_responses_event(struct stream *stream, struct json_scan *scan,
                            const struct sse_event *event, struct event_view *view)
{
    *view = (struct event_view){0};
    if (event->is_piece) {
        read_piece(stream, scan, event, view);
    } else if (event->has_data && !span_equal(span_trim(event->data), SPAN_OF("[DONE]"))) {
        read_whole(stream, scan, event, view);
    }
    stream->saw_content |= view->is_content;
    stream->saw_finish |= view->is_finish;
    stream->saw_terminal |= view->is_terminal;
    answer_count(stream, event, view->is_content && !is_repeated(stream, event), view->is_usage);
}

void openai_responses_failed(struct buf *out, const struct stream *stream, const char *code,
                             struct span message)
{
    struct json_out json;

    buf_put_text(out, "event: response.failed\ndata: ");
    json_out_init(&json, out);
    json_open_object(&json);
    json_key(&json, "type");
    json_text(&json, "response.failed");
    json_key(&json, "sequence_number");
    json_i64(&json, (int64_t)stream->sequence);
    json_key(&json, "response");
    json_open_object(&json);
    json_key(&json, "id");
    json_string(&json, span_make(stream->id, stream->id_len));
    json_key(&json, "object");
    json_text(&json, "response");
    json_key(&json, "status");
    json_text(&json, "failed");
    json_key(&json, "error");
    json_open_object(&json);
    json_key(&json, "code");
    json_text(&json, code);
    json_key(&json, "message");
    json_string(&json, message);
    json_close_object(&json);
    json_key(&json, "incomplete_details");
    json_null(&json);
    json_key(&json, "output");
    json_open_array(&json);
    json_close_array(&json);
    json_key(&json, "usage");
    json_null(&json);
    json_close_object(&json);
    json_close_object(&json);
    buf_put_text(out, "\n\n");
}
