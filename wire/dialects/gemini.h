/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialects/gemini.h: the operations of the Gemini dialect and what they share. Only the files
 * gemini*.c include this. */
#ifndef WIRE_DIALECTS_GEMINI_H
#define WIRE_DIALECTS_GEMINI_H

#include "wire/answer.h"
#include "wire/request.h"

/* generateContent and streamGenerateContent. */
struct refusal gemini_generate_request(struct json_scan *scan, uint64_t seed, struct span body,
                                       struct request *request);
void gemini_generate_answer(struct json_scan *scan, struct span body, struct answer *answer,
                            struct meter *meter);
bool gemini_generate_unfold(struct json_scan *scan, struct span body, struct buf *out);
void gemini_generate_event(struct stream *stream, struct json_scan *scan,
                           const struct sse_event *event, struct event_view *view);

/* gemini_other.c: countTokens, embedContent, batchEmbedContents. */
struct refusal gemini_count_request(struct json_scan *scan, uint64_t seed, struct span body,
                                    struct request *request);
void gemini_count_answer(struct json_scan *scan, struct span body, struct answer *answer,
                         struct meter *meter);
struct refusal gemini_embed_request(struct json_scan *scan, uint64_t seed, struct span body,
                                    struct request *request);
struct refusal gemini_batch_embed_request(struct json_scan *scan, uint64_t seed, struct span body,
                                          struct request *request);
void gemini_embed_answer(struct json_scan *scan, struct span body, struct answer *answer,
                         struct meter *meter);

/* A body may name the model as well, "models/<name>": it is called there what the path calls it. */
size_t gemini_model_edits(const struct request *request, struct span model_json, bool asks_usage,
                          struct json_edit edits[JSON_EDITS_MAX]);

/* The same in each request of a batch. Of more than can be edited the rest keeps its name, which providers
 * then refuse. */
size_t gemini_batch_edits(const struct request *request, struct span model_json, bool asks_usage,
                          struct json_edit edits[JSON_EDITS_MAX]);

/* The document that a body is about: errors come wrapped in a list at times (gemini.md 9, 11). */
struct span gemini_unwrap(struct json_scan *scan, struct span body);
/* What Google's errors tell in their details: the reason that its status leaves out, the wait. */
void gemini_error_details(struct json_scan *scan, struct span document,
                          struct provider_error *error);

/* Takes the figures of a usageMetadata object (empty: none is there). The object, when it brought
 * figures; else empty. */
struct span gemini_usage_take(struct meter *meter, struct json_scan *scan, struct span usage);

#endif
