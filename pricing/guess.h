/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/guess.h: tokens from bytes, when nobody tells them. Each provider and model has its own
 * ratio, learned from the answers that do tell, with how far it was off. Integers only. Pure.
 *
 * Three ratios are kept: of request bodies to input, of the data of a stream's events to output, and
 * of whole answers to output; and beside them, in the same way, how long answers are. */
#ifndef PRICING_GUESS_H
#define PRICING_GUESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum guess_kind { GUESS_INPUT, GUESS_STREAM, GUESS_WHOLE, GUESS_LENGTH, GUESS_KINDS };
/* As the bytes of GUESS_LENGTH: then its tokens are those of an answer. */
enum { GUESS_ONE_ANSWER = 1 << 16 };

struct guess {
    int64_t tokens;
    uint32_t error_permille; /* about 19 of 20 true figures lie within so much of it; 1000: it is
                              * no more than a default */
    bool is_learned;         /* a few answers told something */
};

/* Many ratios, with a ceiling: the one that was not used for the longest time gives way. */
struct guesses;
/* NULL without memory. `seed` for its hash. */
struct guesses *guesses_new(uint64_t seed);
void guesses_free(struct guesses *guesses);

/* Whose ratios: of a provider and the model there. To be kept for as long as both stay the same. */
uint64_t guesses_key(const struct guesses *guesses, struct span provider, struct span model);
/* `tokens` were told for `bytes`. What is no sane pair (none of either) is not learned. */
void guesses_learn(struct guesses *guesses, uint64_t key, enum guess_kind kind, uint64_t bytes,
                   int64_t tokens);
/* Of so many bytes of this kind. At least one token for at least one byte. */
struct guess guesses_tokens(const struct guesses *guesses, uint64_t key, enum guess_kind kind,
                            uint64_t bytes);

#endif
