/* SPDX-License-Identifier: Apache-2.0 */
/* wire/habits.h: in what providers that are compatible differ, as data (habits.def), told by their address and
 * the model. Only for requests that are translated. */
#ifndef WIRE_HABITS_H
#define WIRE_HABITS_H

#include "base/span.h"

/* Bits. */
enum habit {
    HABIT_MAX_TOKENS = 1,        /* the cap is max_tokens, not max_completion_tokens */
    HABIT_SYSTEM_ROLE = 2,       /* `developer` is not known */
    HABIT_NINE_IDS = 4,          /* Mistral: ids of calls are nine letters and digits */
    HABIT_RANDOM_SEED = 8,       /* Mistral: random_seed */
    HABIT_EMPTY_REASONING = 16,  /* DeepSeek V4: reasoning_content on each turn of the assistant */
    HABIT_NO_STREAM_OPTIONS = 32,
    HABIT_EMPTY_CONTENT = 64,    /* "" where OpenAI has null */
    HABIT_NO_USER = 128,
    HABIT_NO_LOGPROBS = 256,
    HABIT_NO_PARALLEL = 512,     /* parallel_tool_calls is refused */
    HABIT_NO_STRICT = 1024,
    HABIT_NO_TIER = 2048,
    HABIT_NO_VERBOSITY = 4096,
    HABIT_NO_IMAGE_URLS = 8192,  /* data URLs alone */
    HABIT_NO_RESPONSES = 16384,  /* /responses is not served: told in chat completions */
    HABIT_NO_METADATA = 32768,   /* metadata, store, prompt_cache_key */
    HABIT_ONE_ANSWER = 65536,    /* n must be 1 */
    HABIT_NO_BIAS = 131072
};

/* `kind` as in the config, `address` host and path ("api.mistral.ai/v1"). */
unsigned habits_of(const char *kind, struct span address, struct span model);

#endif
