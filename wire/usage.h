/* SPDX-License-Identifier: Apache-2.0 */
/* wire/usage.h: what an answer used, normalised: no token is in two classes (reference/budgets.md,
 * 2). Missing is not zero. Plain data, no float anywhere. */
#ifndef WIRE_USAGE_H
#define WIRE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum token_class {
#define TOKENS(NAME, name, help) TOKENS_##NAME,
#include "wire/tokens.def"
#undef TOKENS
};
enum {
    TOKEN_CLASSES = 0
#define TOKENS(NAME, name, help) +1
#include "wire/tokens.def"
#undef TOKENS
};

enum fee_kind {
#define FEE(NAME, name, help) FEE_##NAME,
#include "wire/fees.def"
#undef FEE
};
enum {
    FEE_KINDS = 0
#define FEE(NAME, name, help) +1
#include "wire/fees.def"
#undef FEE
};

/* A short word of the provider's, of a-z, 0-9, '_', '-' and '.'; empty: not told. */
struct usage_word {
    char text[31]; /* of a longer one so much */
    uint8_t len;
};

/* What the provider itself says the call costs, as it spelled the number: digits, a point, perhaps an
 * exponent. Empty: not told, or too long to be kept. */
struct usage_cost {
    char text[24];
    uint8_t len;
    bool is_ticks; /* xAI's: 10^10 to the dollar; else US dollars */
};

struct usage {
    int64_t tokens[TOKEN_CLASSES]; /* -1: not told */
    int64_t reasoning;             /* part of TOKENS_OUTPUT; -1: not told */
    int64_t fees[FEE_KINDS];       /* uses; -1: not told */
    struct usage_word tier;        /* the service tier that served it, as answered; "fast" also for
                                    * Anthropic's speed */
    struct usage_word region;      /* where it was served, as answered */
    struct usage_cost cost;
    bool is_anomalous;             /* negative, fractional, over 2^31, shrinking, or parts larger
                                    * than their whole */
    bool has_other_models;         /* other models worked too, at prices of their own: what they used
                                    * is not in the tokens */
};

void usage_init(struct usage *usage);
/* All input tokens, cached, written, audio and image ones included; -1 when none was told. */
int64_t usage_input_all(const struct usage *usage);
/* All output tokens, audio included; -1 when none was told. */
int64_t usage_output_all(const struct usage *usage);
/* All classes together, `tokens` being one figure of each; what was not told counts nothing. */
int64_t tokens_sum(const int64_t *tokens);
/* Input and output together; what was not told counts nothing. */
int64_t usage_tokens(const struct usage *usage);
/* Tokens written to caches, however long they stay; -1 when none was told. */
int64_t usage_cache_write(const struct usage *usage);
/* No letters, other ones, or too many: the word stays as it was. */
void usage_word_set(struct usage_word *word, struct span text);
struct span usage_word_span(const struct usage_word *word);
/* `number`: a JSON number. False: it is negative or too long, and what was there stays. */
bool usage_cost_set(struct usage_cost *cost, struct span number, bool is_ticks);
struct span usage_cost_span(const struct usage_cost *cost);

#endif
