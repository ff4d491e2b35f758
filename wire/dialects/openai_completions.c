/* SPDX-License-Identifier: Apache-2.0 */
/* POST /completions, the legacy form: a prompt instead of messages. Its edits and answers are read
 * as those of chat (openai_chat.c). */
#include "wire/dialects/openai.h"

#define TO_CHAT "It looks like one of the chat API: send it to /v1/chat/completions"

enum { MAIN_ROW = 1 };
static const struct json_path request_paths[] = {
    JSON_PATH1("messages"),
    JSON_PATH1("prompt"),
    JSON_PATH1("model"),
    JSON_PATH1("stream"),
    JSON_PATH1("stream_options"),
    JSON_PATH2("stream_options", "include_usage"),
    JSON_PATH1("n"),
    JSON_PATH1("best_of"),
    JSON_PATH1("max_tokens"),
    JSON_PATH1("metadata"),
    JSON_PATH1("user"),
};
static const struct request_row request_rows[] = {
    {RULE_FOREIGN_INSTEAD, "messages", TO_CHAT},
    {RULE_NOTED, "prompt", NULL},
    {RULE_MODEL, "model", NULL},
    {RULE_STREAM, "stream", NULL},
    {RULE_STREAM_OPTIONS, "stream_options", NULL},
    {RULE_INCLUDE_USAGE, "stream_options.include_usage", NULL},
    {RULE_CHOICES, "n", NULL},
    {RULE_UNUSUAL, "best_of", NULL},
    {RULE_CAP, "max_tokens", NULL},
    {RULE_METADATA, "metadata", NULL},
    {RULE_USER, "user", NULL},
};

struct refusal openai_completions_request(struct json_scan *scan, uint64_t seed, struct span body,
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
