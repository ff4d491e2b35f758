/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of usage: taken one by one as they are told, normalised once at the end. The figures come
 * from outside: whatever is not a plain, sane number is left out and flagged, never guessed. */
#include "wire/meter.h"

/* No answer costs so many tokens; larger figures are a server's mistake (budgets.md, 2). */
#define FIGURE_MAX ((int64_t)1 << 31)

static int64_t told_or_zero(int64_t figure)
{
    return figure < 0 ? 0 : figure;
}

void meter_init(struct meter *meter)
{
    meter->is_anomalous = false;
    for (size_t i = 0; i < USAGE_FIGURES; i++) {
        meter->told[i] = -1;
    }
}

static int64_t input_side(const struct meter *meter)
{
    return told_or_zero(meter->told[USAGE_INPUT]) + told_or_zero(meter->told[USAGE_CACHE_READ]) +
           told_or_zero(meter->told[USAGE_CACHE_WRITE]);
}

static void take_figure(struct meter *meter, size_t i, const struct json_hit *hit,
                        struct span document)
{
    int64_t number = 0;

    if (hit->kind == JSON_ABSENT || hit->kind == JSON_NULL) {
        return;
    }
    if (hit->kind != JSON_NUMBER ||
        json_integer(json_hit_span(hit, document), &number) != ERR_NONE || number < 0 ||
        number > FIGURE_MAX) {
        meter->is_anomalous = true;
        return;
    }
    meter->told[i] = number;
}

void meter_take(struct meter *meter, const struct json_hit *hits, struct span document)
{
    int64_t input_before = input_side(meter);
    int64_t output_before = meter->told[USAGE_OUTPUT];

    for (size_t i = 0; i < USAGE_FIGURES; i++) {
        take_figure(meter, i, &hits[i], document);
    }
    /* Figures are cumulative: the last one counts, but one that shrinks deserves a look. The input
     * side is judged as a sum, because some servers tell the whole prompt first and the part of
     * the cache later. */
    if (input_side(meter) < input_before || meter->told[USAGE_OUTPUT] < output_before) {
        meter->is_anomalous = true;
    }
}

/* OpenAI's input counts cached tokens too: leaves each token in one bucket only. */
static void take_cache_out(struct usage *usage)
{
    if (usage->tokens[TOKENS_INPUT] < 0) {
        return;
    }
    if (usage->tokens[TOKENS_CACHE_READ] > usage->tokens[TOKENS_INPUT]) {
        usage->tokens[TOKENS_CACHE_READ] = usage->tokens[TOKENS_INPUT];
        usage->is_anomalous = true;
    }
    usage->tokens[TOKENS_INPUT] -= told_or_zero(usage->tokens[TOKENS_CACHE_READ]);
    if (usage->tokens[TOKENS_CACHE_WRITE_5M] > usage->tokens[TOKENS_INPUT]) {
        usage->tokens[TOKENS_CACHE_WRITE_5M] = usage->tokens[TOKENS_INPUT];
        usage->is_anomalous = true;
    }
    usage->tokens[TOKENS_INPUT] -= told_or_zero(usage->tokens[TOKENS_CACHE_WRITE_5M]);
}

/* A total above its parts is output that the provider bills but did not count as such; xAI leaves
 * its reasoning tokens out in this way, which is then no anomaly (openai-compatible.md, 2). */
static void add_hidden_output(struct usage *usage, int64_t total)
{
    int64_t hidden = 0;

    if (total < 0 || usage->tokens[TOKENS_INPUT] < 0 || usage->tokens[TOKENS_OUTPUT] < 0) {
        return;
    }
    hidden = total - usage_input_all(usage) - usage->tokens[TOKENS_OUTPUT];
    if (hidden > 0) {
        usage->tokens[TOKENS_OUTPUT] += hidden;
    }
    if (hidden != 0 && hidden != usage->reasoning) {
        usage->is_anomalous = true;
    }
}

void meter_usage(const struct meter *meter, bool input_holds_cache, struct usage *usage)
{
    usage_init(usage);
    usage->tokens[TOKENS_INPUT] = meter->told[USAGE_INPUT];
    usage->tokens[TOKENS_CACHE_READ] = meter->told[USAGE_CACHE_READ];
    usage->tokens[TOKENS_CACHE_WRITE_5M] = meter->told[USAGE_CACHE_WRITE];
    usage->tokens[TOKENS_OUTPUT] = meter->told[USAGE_OUTPUT];
    usage->reasoning = meter->told[USAGE_REASONING];
    usage->is_anomalous = meter->is_anomalous;
    if (input_holds_cache) {
        take_cache_out(usage);
    }
    add_hidden_output(usage, meter->told[USAGE_TOTAL]);
    if (usage->tokens[TOKENS_OUTPUT] >= 0 && usage->reasoning > usage->tokens[TOKENS_OUTPUT]) {
        usage->reasoning = usage->tokens[TOKENS_OUTPUT];
        usage->is_anomalous = true;
    }
}
