/* SPDX-License-Identifier: Apache-2.0 */
/* A whole message as the stream that was asked for. One block of text; other blocks are streamed in
 * ways that a whole answer does not tell. */
#include "wire/dialects/anthropic.h"

enum place { ID, ROLE, MODEL, CONTENT, BLOCK_TYPE, TEXT, STOP, SEQUENCE, USAGE, PLACES };

static const struct json_path paths[PLACES] = {
    JSON_PATH1("id"),
    JSON_PATH1("role"),
    JSON_PATH1("model"),
    JSON_PATH1("content"),
    JSON_PATH3("content", "[]", "type"),
    JSON_PATH3("content", "[]", "text"),
    JSON_PATH1("stop_reason"),
    JSON_PATH1("stop_sequence"),
    JSON_PATH1("usage"),
};

static void put_value(struct buf *out, const struct json_hit *hit, struct span body)
{
    if (hit->kind == JSON_ABSENT) {
        buf_put_text(out, "null");
    } else {
        answer_put_line(out, json_hit_span(hit, body));
    }
}

static void put_start(struct buf *out, const struct json_hit *hits, struct span body)
{
    buf_put_text(out, "event: message_start\n"
                      "data: {\"type\":\"message_start\",\"message\":{\"id\":");
    put_value(out, &hits[ID], body);
    buf_put_text(out, ",\"type\":\"message\",\"role\":");
    put_value(out, &hits[ROLE], body);
    buf_put_text(out, ",\"model\":");
    put_value(out, &hits[MODEL], body);
    buf_put_text(out, ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":");
    put_value(out, &hits[USAGE], body);
    buf_put_text(out, "}}\n\n");
}

bool anthropic_messages_unfold(struct json_scan *scan, struct span body, struct buf *out)
{
    struct json_hit hits[PLACES];

    if (!answer_scan(scan, paths, PLACES, body, hits) || hits[CONTENT].count != 1 ||
        !span_equal(answer_text(&hits[BLOCK_TYPE], body), SPAN_OF("text")) ||
        hits[TEXT].kind != JSON_STRING || hits[STOP].kind != JSON_STRING ||
        hits[USAGE].kind != JSON_OBJECT) {
        return false;
    }
    put_start(out, hits, body);
    buf_put_text(out, "event: content_block_start\n"
                      "data: {\"type\":\"content_block_start\",\"index\":0,"
                      "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
                      "event: content_block_delta\n"
                      "data: {\"type\":\"content_block_delta\",\"index\":0,"
                      "\"delta\":{\"type\":\"text_delta\",\"text\":");
    put_value(out, &hits[TEXT], body);
    buf_put_text(out, "}}\n\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\","
                      "\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\","
                      "\"delta\":{\"stop_reason\":");
    put_value(out, &hits[STOP], body);
    buf_put_text(out, ",\"stop_sequence\":");
    put_value(out, &hits[SEQUENCE], body);
    buf_put_text(out, "},\"usage\":");
    put_value(out, &hits[USAGE], body);
    buf_put_text(out, "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    return !out->failed;
}
