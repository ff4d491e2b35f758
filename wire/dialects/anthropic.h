/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialects/anthropic.h: the operations of the Anthropic dialect. Only the files anthropic*.c
 * include this. */
#ifndef WIRE_DIALECTS_ANTHROPIC_H
#define WIRE_DIALECTS_ANTHROPIC_H

#include "wire/answer.h"
#include "wire/request.h"

struct refusal anthropic_messages_request(struct json_scan *scan, uint64_t seed, struct span body,
                                          struct request *request);
void anthropic_messages_answer(struct json_scan *scan, struct span body, struct answer *answer,
                               struct meter *meter);
void anthropic_messages_event(struct stream *stream, struct json_scan *scan,
                              const struct sse_event *event, struct event_view *view);
bool anthropic_messages_unfold(struct json_scan *scan, struct span body, struct buf *out);

/* Takes the figures of a usage object (empty: there is none) in an answer of `model`. The same object;
 * empty when it brought none. */
struct span anthropic_usage_take(struct meter *meter, struct json_scan *scan, struct span usage,
                                 struct span model);

extern const struct resume_row anthropic_messages_resume;
extern const struct translator anthropic_messages_translator;

struct refusal anthropic_count_request(struct json_scan *scan, uint64_t seed, struct span body,
                                       struct request *request);
void anthropic_count_answer(struct json_scan *scan, struct span body, struct answer *answer,
                            struct meter *meter);

/* Usage comes unasked: the model alone is edited. */
size_t anthropic_model_edits(const struct request *request, struct span model_json,
                             bool asks_usage, struct json_edit edits[JSON_EDITS_MAX]);

#endif
