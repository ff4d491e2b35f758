/* SPDX-License-Identifier: Apache-2.0 */
/* countTokens, embedContent and batchEmbedContents (gemini.md 2, 10): no stream, no output side. What
 * an embedding took is told by newer models alone; without, it is estimated like everything else. */
#include "wire/dialects/gemini.h"

/* The model may be named once more, deeper in: that one is the provider's to compare. */
static const struct json_path count_paths[] = {
    JSON_PATH1("messages"),
    JSON_PATH1("model"),
    JSON_PATH2("generateContentRequest", "model"),
};
static const struct request_row count_rows[] = {
    {RULE_FOREIGN, "messages",
     "It looks like one of the Anthropic API: send it to /v1/messages/count_tokens"},
    {RULE_MODEL_AGAIN, "model", NULL},
    {RULE_MODEL_AGAIN, "generateContentRequest.model", NULL},
};

struct refusal gemini_count_request(struct json_scan *scan, uint64_t seed, struct span body,
                                    struct request *request)
{
    static const struct request_table table = {
        .paths = count_paths, .rows = count_rows, .count = ARRAY_LENGTH(count_paths)};
    _Static_assert(ARRAY_LENGTH(count_paths) == ARRAY_LENGTH(count_rows), "a row per path");

    return request_read(&table, scan, seed, body, request);
}

void gemini_count_answer(struct json_scan *scan, struct span body, struct answer *answer,
                         struct meter *meter)
{
    static const struct json_path paths[] = {ANSWER_ERROR_PATHS, JSON_PATH1("totalTokens")};
    struct span document = gemini_unwrap(scan, body);
    struct json_hit hits[ARRAY_LENGTH(paths)];

    (void)meter; /* counting is free */
    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, ARRAY_LENGTH(paths), document, hits)) {
        return;
    }
    answer->is_json = true;
    answer_read_error(hits, document, false, &answer->error);
    answer->has_result = !answer->error.is_present; /* a count of zero is not written */
    gemini_error_details(scan, document, &answer->error);
}

/* ---- embeddings ---- */

static const struct json_path embed_paths[] = {
    JSON_PATH1("content"),
    JSON_PATH1("model"),
};
static const struct request_row embed_rows[] = {
    {RULE_REQUIRED, "content", NULL},
    {RULE_MODEL_AGAIN, "model", NULL},
};

struct refusal gemini_embed_request(struct json_scan *scan, uint64_t seed, struct span body,
                                    struct request *request)
{
    static const struct request_table table = {
        .paths = embed_paths, .rows = embed_rows, .count = ARRAY_LENGTH(embed_paths)};
    _Static_assert(ARRAY_LENGTH(embed_paths) == ARRAY_LENGTH(embed_rows), "a row per path");

    return request_read(&table, scan, seed, body, request);
}

/* Of several requests the last one's model is judged; all of them must be the same anyway. */
static const struct json_path batch_paths[] = {
    JSON_PATH1("requests"),
    JSON_PATH3("requests", "[]", "model"),
};
static const struct request_row batch_rows[] = {
    {RULE_MESSAGES, "requests", NULL},
    {RULE_MODEL_AGAIN, "requests.model", NULL},
};

struct refusal gemini_batch_embed_request(struct json_scan *scan, uint64_t seed, struct span body,
                                          struct request *request)
{
    static const struct request_table table = {
        .paths = batch_paths, .rows = batch_rows, .count = ARRAY_LENGTH(batch_paths)};
    _Static_assert(ARRAY_LENGTH(batch_paths) == ARRAY_LENGTH(batch_rows), "a row per path");

    return request_read(&table, scan, seed, body, request);
}

void gemini_embed_answer(struct json_scan *scan, struct span body, struct answer *answer,
                         struct meter *meter)
{
    static const struct json_path paths[] = {ANSWER_ERROR_PATHS, JSON_PATH1("embedding"),
                                             JSON_PATH1("embeddings"), JSON_PATH1("usageMetadata")};
    enum { ONE = ANSWER_ERROR_PLACES, MANY, USAGE };
    struct span document = gemini_unwrap(scan, body);
    struct json_hit hits[ARRAY_LENGTH(paths)];

    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, ARRAY_LENGTH(paths), document, hits)) {
        return;
    }
    answer->is_json = true;
    answer->has_result = hits[ONE].kind == JSON_OBJECT || hits[MANY].kind == JSON_ARRAY;
    answer_read_error(hits, document, answer->has_result, &answer->error);
    answer->usage = gemini_usage_take(meter, scan, answer_object(&hits[USAGE], document));
    gemini_error_details(scan, document, &answer->error);
}
