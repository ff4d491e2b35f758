/* SPDX-License-Identifier: Apache-2.0 */
/* POST /embeddings: never streams; its usage has no output side. */
#include "wire/dialects/openai.h"

enum { MAIN_ROW = 1 };
static const struct json_path request_paths[] = {
    JSON_PATH1("model"),
    JSON_PATH1("input"),
    JSON_PATH1("metadata"),
    JSON_PATH1("user"),
};
static const struct request_row request_rows[] = {
    {RULE_MODEL, "model", NULL},
    {RULE_REQUIRED, "input", NULL},
    {RULE_METADATA, "metadata", NULL},
    {RULE_USER, "user", NULL},
};

struct refusal openai_embeddings_request(struct json_scan *scan, uint64_t seed, struct span body,
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

size_t openai_model_edits(const struct request *request, struct span model_json, bool asks_usage,
                          struct json_edit edits[JSON_EDITS_MAX])
{
    (void)asks_usage;
    return request_edit_model(request, model_json, &edits[0]);
}

void openai_embeddings_answer(struct json_scan *scan, struct span body, struct answer *answer,
                              struct meter *meter)
{
    static const struct json_path paths[] = {ANSWER_ERROR_PATHS, OPENAI_USAGE_PATHS,
                                             JSON_PATH1("data"), JSON_PATH1("model")};
    enum { DATA = ANSWER_ERROR_PLACES + OPENAI_USAGE_PLACES, MODEL };
    struct json_hit hits[ARRAY_LENGTH(paths)];

    *answer = (struct answer){0};
    if (!answer_scan(scan, paths, ARRAY_LENGTH(paths), body, hits)) {
        return;
    }
    answer->is_json = true;
    answer->has_result = hits[DATA].kind == JSON_ARRAY;
    answer->model = answer_name(&hits[MODEL], body, answer->model_room, sizeof answer->model_room);
    answer_read_error(hits, body, answer->has_result, &answer->error);
    answer->usage = openai_usage_take_input(meter, scan, hits + ANSWER_ERROR_PLACES, body);
}
