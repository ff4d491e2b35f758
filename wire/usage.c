/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over classes of tokens. */
#include "wire/usage.h"

void usage_init(struct usage *usage)
{
    *usage = (struct usage){.reasoning = -1};
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        usage->tokens[i] = -1;
    }
    for (size_t i = 0; i < FEE_KINDS; i++) {
        usage->fees[i] = -1;
    }
}

/* Of the classes from `first` to `last`. Each is at most a few times 2^31, and they are few: no overflow. */
static int64_t sum_of(const struct usage *usage, enum token_class first, enum token_class last)
{
    int64_t sum = -1;

    for (size_t i = first; i <= (size_t)last; i++) {
        if (usage->tokens[i] >= 0) {
            sum = (sum < 0 ? 0 : sum) + usage->tokens[i];
        }
    }
    return sum;
}

int64_t usage_input_all(const struct usage *usage)
{
    return sum_of(usage, TOKENS_INPUT, TOKENS_IMAGE_INPUT);
}

int64_t usage_output_all(const struct usage *usage)
{
    return sum_of(usage, TOKENS_OUTPUT, TOKENS_AUDIO_OUTPUT);
}

int64_t tokens_sum(const int64_t *tokens)
{
    int64_t sum = 0;

    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        if (tokens[i] > 0) {
            sum = tokens[i] > INT64_MAX - sum ? INT64_MAX : sum + tokens[i];
        }
    }
    return sum;
}

int64_t usage_tokens(const struct usage *usage)
{
    return tokens_sum(usage->tokens);
}

int64_t usage_cache_write(const struct usage *usage)
{
    return sum_of(usage, TOKENS_CACHE_WRITE_5M, TOKENS_CACHE_WRITE_12H);
}

static bool is_word_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

void usage_word_set(struct usage_word *word, struct span text)
{
    text.len = text.len > sizeof word->text ? sizeof word->text : text.len;
    if (text.len == 0) {
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is_word_letter(text.at[i])) {
            return;
        }
    }
    memcpy(word->text, text.at, text.len);
    word->len = (uint8_t)text.len;
}

struct span usage_word_span(const struct usage_word *word)
{
    return span_make(word->text, word->len);
}

bool usage_cost_set(struct usage_cost *cost, struct span number, bool is_ticks)
{
    if (number.len == 0 || number.at[0] == '-' || number.len > sizeof cost->text) {
        return false;
    }
    memcpy(cost->text, number.at, number.len);
    cost->len = (uint8_t)number.len;
    cost->is_ticks = is_ticks;
    return true;
}

struct span usage_cost_span(const struct usage_cost *cost)
{
    return span_make(cost->text, cost->len);
}
