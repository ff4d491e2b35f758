/* SPDX-License-Identifier: Apache-2.0 */
/* wire/habits.h: in what providers that are compatible differ, as data (habits.def), told by their address and
 * the model. Only for requests that are translated. */
#ifndef WIRE_HABITS_H
#define WIRE_HABITS_H

#include "base/span.h"

/* Bits. Each with what it says of a provider, as docs/providers.md has it. */
enum habit {
    HABIT_MAX_TOKENS = 1,          /* the cap is `max_tokens`, not `max_completion_tokens` */
    HABIT_SYSTEM_ROLE = 2,         /* the role `developer` is not known: `system` */
    HABIT_NINE_IDS = 4,            /* ids of calls are nine letters and digits */
    HABIT_RANDOM_SEED = 8,         /* `random_seed`, not `seed` */
    HABIT_EMPTY_REASONING = 16,    /* each turn of the assistant carries `reasoning_content` */
    HABIT_NO_STREAM_OPTIONS = 32,  /* `stream_options` are refused: streams tell their usage unasked */
    HABIT_EMPTY_CONTENT = 64,      /* `""` where OpenAI has `null` */
    HABIT_NO_USER = 128,           /* no `user` */
    HABIT_NO_LOGPROBS = 256,       /* no `logprobs` */
    HABIT_NO_PARALLEL = 512,       /* `parallel_tool_calls` is refused */
    HABIT_NO_STRICT = 1024,        /* no `strict` of tools */
    HABIT_NO_TIER = 2048,          /* no `service_tier` */
    HABIT_NO_VERBOSITY = 4096,     /* no `verbosity` */
    HABIT_NO_IMAGE_URLS = 8192,    /* pictures as data URLs alone */
    HABIT_NO_RESPONSES = 16384,    /* `/responses` is not served: they are told in chat completions */
    HABIT_NO_METADATA = 32768,     /* no `metadata`, `store`, `prompt_cache_key` */
    HABIT_ONE_ANSWER = 65536,      /* `n` must be 1 */
    HABIT_NO_BIAS = 131072         /* no `logit_bias` */
};

/* `kind` as in the config, `address` host and path ("api.mistral.ai/v1"). */
unsigned habits_of(const char *kind, struct span address, struct span model);

#endif
