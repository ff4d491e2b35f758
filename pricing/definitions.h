/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/definitions.h: functions that a model may call, as OpenAI's models are told of them: a
 * namespace in the manner of TypeScript. From the JSON of a request to text, for counting. Used by
 * pricing/chat_count.c. */
#ifndef PRICING_DEFINITIONS_H
#define PRICING_DEFINITIONS_H

#include <stdint.h>

#include "base/buf.h"

struct definitions {
    struct buf *out;
    uint32_t count;
    uint32_t depth; /* of the type being written */
    uint32_t looks; /* left for asking whether a property is required: see definitions.c */
};

/* Begins at the end of `out`, whose `failed` tells at the end whether all went well. */
void definitions_begin(struct definitions *definitions, struct buf *out);
/* One function: an object with `name`, `description` and `parameters`. */
void definitions_put(struct definitions *definitions, struct span function);
void definitions_end(struct definitions *definitions);

#endif
