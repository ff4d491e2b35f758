/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/habits.h"

#include <stddef.h>
#include <string.h>

#include "base/must.h"

/* The words of habits.def. */
enum {
    MAX_TOKENS = HABIT_MAX_TOKENS,
    SYSTEM_ROLE = HABIT_SYSTEM_ROLE,
    NINE_IDS = HABIT_NINE_IDS,
    RANDOM_SEED = HABIT_RANDOM_SEED,
    EMPTY_REASONING = HABIT_EMPTY_REASONING,
    NO_STREAM_OPTIONS = HABIT_NO_STREAM_OPTIONS,
    EMPTY_CONTENT = HABIT_EMPTY_CONTENT,
    NO_USER = HABIT_NO_USER,
    NO_LOGPROBS = HABIT_NO_LOGPROBS,
    NO_STRICT = HABIT_NO_STRICT,
    NO_TIER = HABIT_NO_TIER,
    NO_VERBOSITY = HABIT_NO_VERBOSITY,
    NO_IMAGE_URLS = HABIT_NO_IMAGE_URLS,
    NO_METADATA = HABIT_NO_METADATA,
    ONE_ANSWER = HABIT_ONE_ANSWER,
    NO_BIAS = HABIT_NO_BIAS,
    /* What all but OpenAI have in common. */
    COMMON = SYSTEM_ROLE | NO_TIER | NO_VERBOSITY | NO_METADATA | HABIT_NO_RESPONSES,
    LOCAL = COMMON | NO_USER | NO_BIAS | ONE_ANSWER | NO_STRICT,
    /* Who may refuse what it does not know. */
    CAREFUL = LOCAL | HABIT_NO_PARALLEL | NO_LOGPROBS
};

static const struct {
    const char *kind;
    const char *at;
    const char *model;
    unsigned habits;
} rows[] = {
#define HABIT(kind, at, model, habits) {kind, at, model, (unsigned)(habits)},
#include "wire/habits.def"
#undef HABIT
};

unsigned habits_of(const char *kind, struct span address, struct span model)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (strcmp(rows[i].kind, kind) == 0 && span_fits(address, span_of(rows[i].at)) &&
            span_fits(model, span_of(rows[i].model))) {
            return rows[i].habits;
        }
    }
    return 0;
}
