/* SPDX-License-Identifier: Apache-2.0 */
/* A whole chat completion as the stream that was asked for: some servers do not heed stream: true.
 * One choice with text alone; tool calls would need indices that a whole answer does not have. */
#include "wire/dialects/openai.h"

enum place {
    ID,
    CREATED,
    MODEL,
    CHOICES,
    MESSAGE,
    CONTENT,
    TOOLS,
    FUNCTION,
    LOGPROBS,
    FINISH,
    USAGE,
    PLACES
};

static const struct json_path paths[PLACES] = {
    JSON_PATH1("id"),
    JSON_PATH1("created"),
    JSON_PATH1("model"),
    JSON_PATH1("choices"),
    JSON_PATH3("choices", "[]", "message"),
    JSON_PATH4("choices", "[]", "message", "content"),
    JSON_PATH4("choices", "[]", "message", "tool_calls"),
    JSON_PATH4("choices", "[]", "message", "function_call"),
    JSON_PATH3("choices", "[]", "logprobs"),
    JSON_PATH3("choices", "[]", "finish_reason"),
    JSON_PATH1("usage"),
};

static bool is_given(const struct json_hit *hit)
{
    return hit->kind != JSON_ABSENT && hit->kind != JSON_NULL;
}

static void put_member(struct buf *out, const char *key, const struct json_hit *hit,
                       struct span body)
{
    buf_put_text(out, ",\"");
    buf_put_text(out, key);
    buf_put_text(out, "\":");
    if (is_given(hit)) {
        answer_put_line(out, json_hit_span(hit, body));
    } else {
        buf_put_text(out, "null");
    }
}

static void begin_chunk(struct buf *out, const struct json_hit *hits, struct span body)
{
    buf_put_text(out, "data: {\"object\":\"chat.completion.chunk\"");
    put_member(out, "id", &hits[ID], body);
    put_member(out, "created", &hits[CREATED], body);
    put_member(out, "model", &hits[MODEL], body);
    buf_put_text(out, ",\"choices\":[");
}

bool openai_chat_unfold(struct json_scan *scan, struct span body, struct buf *out)
{
    struct json_hit hits[PLACES];

    if (!answer_scan(scan, paths, PLACES, body, hits) || hits[CHOICES].count != 1 ||
        hits[CONTENT].kind != JSON_STRING || answer_is_filled(&hits[TOOLS]) ||
        is_given(&hits[FUNCTION]) || is_given(&hits[LOGPROBS]) || !is_given(&hits[FINISH])) {
        return false;
    }
    begin_chunk(out, hits, body);
    buf_put_text(out, "{\"index\":0,\"delta\":");
    answer_put_line(out, json_hit_span(&hits[MESSAGE], body));
    buf_put_text(out, ",\"finish_reason\":null}]}\n\n");
    begin_chunk(out, hits, body);
    buf_put_text(out, "{\"index\":0,\"delta\":{}");
    put_member(out, "finish_reason", &hits[FINISH], body);
    buf_put_text(out, "}]}\n\n");
    if (is_given(&hits[USAGE])) {
        begin_chunk(out, hits, body);
        buf_put_text(out, "]");
        put_member(out, "usage", &hits[USAGE], body);
        buf_put_text(out, "}\n\n");
    }
    buf_put_text(out, "data: [DONE]\n\n");
    return !out->failed;
}
