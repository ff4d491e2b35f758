/* SPDX-License-Identifier: Apache-2.0 */
/* wire/dialects/bedrock.h: the operations of Amazon Bedrock's Converse interface and what they share. Only the files
 * bedrock*.c include this. */
#ifndef WIRE_DIALECTS_BEDROCK_H
#define WIRE_DIALECTS_BEDROCK_H

#include "wire/answer.h"
#include "wire/request.h"

/* bedrock_usage.c: takes the figures of a usage object (empty: none is there). The object, when it brought figures;
 * else empty. */
struct span bedrock_usage_take(struct meter *meter, struct json_scan *scan, struct span usage);

/* bedrock_error.c: names of failures, as they stand in __type and in the heads of messages (bedrock.md 5, 8), without
 * what stands around them. */
struct span bedrock_error_name(struct span type);
/* The status that this failure has when it is an answer; 0: not known. */
int64_t bedrock_error_status(struct span name);
/* What a message tells that ends a stream. `data` may be JSON or plain text. */
void bedrock_error_of_message(struct json_scan *scan, const struct sse_event *event, struct provider_error *error);

#endif
