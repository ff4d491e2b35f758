/* SPDX-License-Identifier: Apache-2.0 */
/* Amazon Bedrock's Converse (bedrock.md 3 to 6): one grammar for all of its models. It is outbound: no app is
 * served in it. The model stands in the path, and so does whether the answer is a stream:
 *   messageStart -> deltas -> messageStop with the reason -> metadata with the figures, the last one */
#include "wire/dialects/bedrock.h"
#include "wire/dialects/bedrock_converse.h"

/* ---- requests, as ours are read again ---- */

enum { MAIN_ROW = 0 };
static const struct json_path request_paths[] = {
    JSON_PATH1("messages"),
    JSON_PATH1("inferenceConfig"),
    JSON_PATH2("inferenceConfig", "maxTokens"),
};
static const struct request_row request_rows[] = {
    {RULE_MESSAGES, "messages", NULL},
    {RULE_CAP_HOME, "inferenceConfig", NULL},
    {RULE_CAP, "inferenceConfig.maxTokens", NULL},
};

static struct refusal read_request(struct json_scan *scan, uint64_t seed, struct span body, struct request *request)
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
    PLACE_CONTENT = ANSWER_ERROR_PLACES,
    PLACE_USAGE,
    PLACE_TIER,
    PLACE_TYPE_NAME,
    PLACE_CAPITAL_MESSAGE,
    PLACES
};
static const struct json_path paths[PLACES] = {
    ANSWER_ERROR_PATHS,
    JSON_PATH3("output", "message", "content"),
    JSON_PATH1("usage"),
    JSON_PATH2("serviceTier", "type"),
    JSON_PATH1("__type"),
    JSON_PATH1("Message"),
};

static void read_error(const struct json_hit *hits, struct span document, struct answer *answer)
{
    struct provider_error *error = &answer->error;
    struct span name = bedrock_error_name(answer_text(&hits[PLACE_TYPE_NAME], document));

    answer_read_error(hits, document, answer->has_result, error);
    if (answer->has_result) {
        return;
    }
    if (error->message.len == 0) {
        error->message = answer_text(&hits[PLACE_CAPITAL_MESSAGE], document);
    }
    if (name.len > 0) {
        error->code = name;
    }
    error->is_present = error->is_present || name.len > 0 || error->message.len > 0;
}

static void take_tier(struct meter *meter, const struct json_hit *hit, struct span document)
{
    if (hit->kind == JSON_STRING) {
        usage_word_set(&meter->tier, answer_text(hit, document));
    }
}

static void read_answer(struct json_scan *scan, struct span body, struct answer *answer, struct meter *meter)
{
    struct json_hit hits[PLACES];

    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, PLACES, body, hits)) {
        return;
    }
    answer->is_json = true;
    answer->has_result = hits[PLACE_CONTENT].kind == JSON_ARRAY;
    read_error(hits, body, answer);
    take_tier(meter, &hits[PLACE_TIER], body);
    answer->usage = bedrock_usage_take(meter, scan, answer_object(&hits[PLACE_USAGE], body));
}

/* ---- streams ---- */

enum event_place {
    EVENT_CALL,
    EVENT_TEXT,
    EVENT_REASON,
    EVENT_INPUT,
    EVENT_FINISH,
    EVENT_USAGE,
    EVENT_TIER,
    EVENT_PLACES
};
static const struct json_path event_paths[EVENT_PLACES] = {
    JSON_PATH2("start", "toolUse"),        JSON_PATH2("delta", "text"),
    JSON_PATH3("delta", "reasoningContent", "text"), JSON_PATH3("delta", "toolUse", "input"),
    JSON_PATH1("stopReason"),              JSON_PATH1("usage"),
    JSON_PATH2("serviceTier", "type"),
};

static void read_message(struct stream *stream, struct json_scan *scan, const struct sse_event *event,
                         struct event_view *view)
{
    struct json_hit hits[EVENT_PLACES];

    if (!answer_scan(scan, event_paths, EVENT_PLACES, event->data, hits)) {
        return;
    }
    view->is_content = hits[EVENT_CALL].kind == JSON_OBJECT || answer_is_filled(&hits[EVENT_TEXT]) ||
                       answer_is_filled(&hits[EVENT_REASON]) || answer_is_filled(&hits[EVENT_INPUT]);
    view->is_finish = answer_is_filled(&hits[EVENT_FINISH]);
    view->is_terminal = span_equal(event->name, SPAN_OF("metadata"));
    stream->saw_content |= view->is_content;
    stream->saw_finish |= view->is_finish;
    stream->saw_terminal |= view->is_terminal;
    take_tier(&stream->meter, &hits[EVENT_TIER], event->data);
    view->usage = bedrock_usage_take(&stream->meter, scan, answer_object(&hits[EVENT_USAGE], event->data));
    view->is_usage = view->usage.len > 0;
}

static void read_event(struct stream *stream, struct json_scan *scan, const struct sse_event *event,
                       struct event_view *view)
{
    *view = (struct event_view){0};
    if (event->is_failure) {
        view->is_error = true;
        bedrock_error_of_message(scan, event, &view->error);
        return;
    }
    read_message(stream, scan, event, view);
    answer_count(stream, event, view->is_content, view->is_usage);
}

/* ---- the rows ---- */

static const struct operation operations[] = {
    {.name = "converse",
     .path = SPAN("/converse"),
     .kind = OPERATION_CALL,
     .read_request = read_request,
     .cap = "maxTokens",
     .cap_home = "inferenceConfig",
     .read_answer = read_answer,
     .read_event = read_event,
     .translator = &bedrock_converse_translator},
    {.name = "converse",
     .path = SPAN("/converse-stream"),
     .kind = OPERATION_CALL,
     .is_stream = true,
     .is_framed = true,
     .read_request = read_request,
     .cap = "maxTokens",
     .cap_home = "inferenceConfig",
     .read_answer = read_answer,
     .read_event = read_event,
     .translator = &bedrock_converse_translator},
    {.name = NULL},
};

const struct dialect dialect_bedrock = {
    .name = "bedrock",
    .operations = operations,
    .pass = {.name = "pass", .kind = OPERATION_PASS},
};
