/* SPDX-License-Identifier: Apache-2.0 */
/* wire/models.h: what models can do, as data (models.def): for translation alone, since requests that stay in
 * their dialect go on as they are. A model without a row is taken for the newest of its family. Pure. */
#ifndef WIRE_MODELS_H
#define WIRE_MODELS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Whether temperature, top_p and top_k may be set. */
enum model_sampling { MODEL_SAMPLES, MODEL_SAMPLES_WITHOUT_EFFORT /* only with effort `none` */, MODEL_NEVER_SAMPLES };

/* How much it thinks is said by an effort, by a budget of tokens, both, or not at all. Bits. */
enum model_thinking {
    MODEL_THINKS_EFFORT = 1,
    MODEL_THINKS_BUDGET = 2,
    MODEL_THINKS_ADAPTIVE = 4, /* Anthropic: {type: adaptive} */
    MODEL_THINKS_ALWAYS = 8,   /* cannot be switched off */
    MODEL_THINKS_BY_DEFAULT = 16
};

/* Bits: what it does not do. */
enum model_cannot {
    MODEL_NO_FORCED_CHOICE = 1,
    MODEL_NO_SCHEMA = 2,       /* structured output */
    MODEL_NO_SCHEMA_WITH_TOOLS = 4,
    MODEL_NO_PREFILL = 8,      /* a last turn of the assistant */
    MODEL_NO_IMAGES = 16,
    MODEL_NO_DOCUMENTS = 32,
    MODEL_NO_TOOLS = 64,
    MODEL_NO_STOP = 128,
    MODEL_NO_PENALTIES = 256,
    MODEL_NO_LATER_SYSTEM = 512, /* system messages only at the beginning */
    MODEL_NO_TOOLS_WITH_EFFORT = 1024, /* chat completions of gpt-5.6 */
    MODEL_NO_RESULT_IMAGES = 2048,
    MODEL_NO_SYSTEM = 4096,    /* gemma: put it into the first turn of the user */
    MODEL_NO_CHAT = 8192,      /* served by Responses alone */
    MODEL_NO_AUDIO = 16384,
    MODEL_NO_CACHE_MARKS = 32768, /* where a prompt cache ends cannot be said */
    MODEL_NO_TOP_K = 65536,
    MODEL_ONE_DRAW = 131072    /* temperature or top_p, not both */
};

struct model_facts {
    int32_t output_max;  /* tokens of one answer */
    uint8_t sampling;    /* enum model_sampling */
    uint8_t thinking;    /* bits of enum model_thinking */
    uint8_t efforts;     /* bit 1 << enum chat_effort */
    bool wants_developer; /* OpenAI: the role of its instructions */
    uint32_t cannot;     /* bits of enum model_cannot */
    bool is_known;       /* by a row of its own: what it says of output_max holds for this very model */
    int32_t budget_min;  /* tokens of thinking, with MODEL_THINKS_BUDGET */
    int32_t budget_max;
};

/* `dialect` ("openai", "anthropic", "gemini", "bedrock", which serves Claude too) and the model's name, as the provider has it: prefixes of resellers
 * ("anthropic/", "us.anthropic."), dates and versions behind it are no part of it. Never NULL; a dialect without rows
 * is taken for OpenAI's. */
const struct model_facts *model_facts_of(const char *dialect, struct span model);

#endif
