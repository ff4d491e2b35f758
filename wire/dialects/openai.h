/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialects/openai.h: the operations of the OpenAI dialect, one file each, and what they share.
 * Only the files openai*.c include this. */
#ifndef WIRE_DIALECTS_OPENAI_H
#define WIRE_DIALECTS_OPENAI_H

#include "wire/answer.h"
#include "wire/request.h"

/* Chat completions; the answers of legacy completions are read by the same functions. */
struct refusal openai_chat_request(struct json_scan *scan, uint64_t seed, struct span body,
                                   struct request *request);
size_t openai_chat_edits(const struct request *request, struct span model_json, bool asks_usage,
                         struct json_edit edits[JSON_EDITS_MAX]);
void openai_chat_answer(struct json_scan *scan, struct span body, struct answer *answer,
                        struct meter *meter);
void openai_chat_event(struct stream *stream, struct json_scan *scan,
                       const struct sse_event *event, struct event_view *view);

bool openai_chat_unfold(struct json_scan *scan, struct span body, struct buf *out);
extern const struct resume_row openai_chat_resume;

struct refusal openai_completions_request(struct json_scan *scan, uint64_t seed, struct span body,
                                          struct request *request);

struct refusal openai_responses_request(struct json_scan *scan, uint64_t seed, struct span body,
                                        struct request *request);
void openai_responses_answer(struct json_scan *scan, struct span body, struct answer *answer,
                             struct meter *meter);
void openai_responses_event(struct stream *stream, struct json_scan *scan,
                            const struct sse_event *event, struct event_view *view);
/* The failure as response.failed, with the id and number that the stream has reached. */
void openai_responses_failed(struct buf *out, const struct stream *stream, const char *code,
                             struct span message);

struct refusal openai_embeddings_request(struct json_scan *scan, uint64_t seed, struct span body,
                                         struct request *request);
void openai_embeddings_answer(struct json_scan *scan, struct span body, struct answer *answer,
                              struct meter *meter);

/* For responses and embeddings: the model alone, usage comes unasked. */
size_t openai_model_edits(const struct request *request, struct span model_json, bool asks_usage,
                          struct json_edit edits[JSON_EDITS_MAX]);

/* Usage of chat, completions and embeddings, with the spellings of servers that differ
 * (openai-compatible.md, 2): first the figures of enum usage_figure, then the others. */
#define OPENAI_USAGE_PATHS                                                                         \
    JSON_PATH2("usage", "prompt_tokens"), JSON_PATH2("usage", "completion_tokens"),                \
        JSON_PATH3("usage", "prompt_tokens_details", "cached_tokens"),                             \
        JSON_PATH3("usage", "prompt_tokens_details", "cache_write_tokens"),                        \
        JSON_PATH3("usage", "completion_tokens_details", "reasoning_tokens"),                      \
        JSON_PATH2("usage", "total_tokens"), JSON_PATH2("usage", "prompt_cache_hit_tokens"),       \
        JSON_PATH2("usage", "cached_tokens"), JSON_PATH2("usage", "num_cached_tokens"),            \
        JSON_PATH3("x_groq", "usage", "prompt_tokens"),                                            \
        JSON_PATH3("x_groq", "usage", "completion_tokens"),                                        \
        JSON_PATH4("choices", "[]", "usage", "prompt_tokens"),                                     \
        JSON_PATH4("choices", "[]", "usage", "completion_tokens")
enum { OPENAI_USAGE_PLACES = 13 };

/* Takes the figures from the hits of OPENAI_USAGE_PATHS. False: there are none. */
bool openai_usage_take(struct meter *meter, const struct json_hit *hits, struct span document);

#endif
