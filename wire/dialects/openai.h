/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialects/openai.h: the operations of the OpenAI dialect, one file each, and what they share.
 * Only the files openai*.c include this. */
#ifndef WIRE_DIALECTS_OPENAI_H
#define WIRE_DIALECTS_OPENAI_H

#include "wire/answer.h"
#include "wire/chat.h"
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

extern const struct translator openai_responses_translator;

struct refusal openai_embeddings_request(struct json_scan *scan, uint64_t seed, struct span body,
                                         struct request *request);
void openai_embeddings_answer(struct json_scan *scan, struct span body, struct answer *answer,
                              struct meter *meter);

/* For responses and embeddings: the model alone, usage comes unasked. */
size_t openai_model_edits(const struct request *request, struct span model_json, bool asks_usage,
                          struct json_edit edits[JSON_EDITS_MAX]);

/* Where chat, completions and embeddings tell their usage, and what goes with it
 * (openai-compatible.md, 2). */
#define OPENAI_USAGE_PATHS                                                                         \
    JSON_PATH1("usage"), JSON_PATH2("x_groq", "usage"), JSON_PATH3("choices", "[]", "usage"),      \
        JSON_PATH1("timings"), JSON_PATH1("service_tier")
enum { OPENAI_USAGE_PLACES = 5 };
/* Takes the figures from the hits of OPENAI_USAGE_PATHS; `hits` may not be those of `scan`, which is
 * used again. The usage object that brought them, empty when there are none. */
struct span openai_usage_take(struct meter *meter, struct json_scan *scan,
                              const struct json_hit *hits, struct span document);
/* The same for an answer without an output side. */
struct span openai_usage_take_input(struct meter *meter, struct json_scan *scan,
                                    const struct json_hit *hits, struct span document);

/* What a response tells beside its usage: both in the order of these places. */
enum {
    OPENAI_RESPONSE_USAGE,
    OPENAI_RESPONSE_TIER,
    OPENAI_RESPONSE_SEARCHES,
    OPENAI_RESPONSE_IMAGES,
    OPENAI_RESPONSE_PLACES
};
struct span openai_response_take(struct meter *meter, struct json_scan *scan,
                                 const struct json_hit *hits, struct span document);
/* The same from the last bytes of an event that was too large to be held: no member of a response that can
 * be large stands behind its usage. */
struct span openai_response_take_end(struct meter *meter, struct json_scan *scan, struct span end);

/* ---- translation ---- */

extern const struct translator openai_chat_translator;
/* Whether a provider has told any figures. */
bool openai_has_usage(const struct usage *usage);
/* The usage object of chat completions, as it is told to apps (translation.md 11). */
void openai_put_usage(struct json_out *out, const struct usage *usage);

#endif
