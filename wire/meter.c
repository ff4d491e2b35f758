/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of usage: taken one by one as they are told, normalised once at the end. The figures come
 * from outside: whatever is not a plain, sane number is left out and flagged, never guessed. */
#include "wire/meter.h"

/* No answer costs so many; larger figures are a server's mistake (reference/budgets.md, 2). */
#define FIGURE_MAX ((int64_t)1 << 31)

static int64_t told_or_zero(int64_t figure)
{
    return figure < 0 ? 0 : figure;
}

void meter_init(struct meter *meter)
{
    *meter = (struct meter){.is_anomalous = false};
    for (size_t i = 0; i < USAGE_FIGURES; i++) {
        meter->told[i] = -1;
    }
}

/* ---- taking ---- */

bool meter_figure(struct meter *meter, const struct json_hit *hit, struct span document,
                  int64_t *number)
{
    int64_t figure = 0;

    if (hit->kind == JSON_ABSENT || hit->kind == JSON_NULL) {
        return false;
    }
    if (hit->kind != JSON_NUMBER ||
        json_integer(json_hit_span(hit, document), &figure) != ERR_NONE || figure < 0 ||
        figure > FIGURE_MAX) {
        meter->is_anomalous = true;
        return false;
    }
    *number = figure;
    return true;
}

void meter_add(struct meter *meter, enum usage_figure figure, int64_t number)
{
    int64_t sum = told_or_zero(meter->told[figure]) + number;

    if (sum > FIGURE_MAX) {
        sum = FIGURE_MAX;
        meter->is_anomalous = true;
    }
    meter->told[figure] = sum;
}

void meter_cost(struct meter *meter, const struct json_hit *hit, struct span document,
                bool is_ticks)
{
    if (hit->kind == JSON_NUMBER &&
        !usage_cost_set(&meter->cost, json_hit_span(hit, document), is_ticks)) {
        meter->is_anomalous = true;
    }
}

/* Some servers tell the whole prompt first and the part of the cache later: where the cache is not
 * inside the input, only the sum of both can be said to shrink. */
static int64_t input_side(const struct meter *meter, bool input_holds_cache)
{
    int64_t input = meter->told[USAGE_INPUT];

    if (input_holds_cache) {
        return input;
    }
    return told_or_zero(input) + told_or_zero(meter->told[USAGE_CACHE_READ]) +
           told_or_zero(meter->told[USAGE_CACHE_WRITE]);
}

/* What was written is told as a sum, as a split, or as both. The long part alone is kept: a later
 * sum without a split leaves it as it was, and the rest is short. */
static void take_split(struct meter *meter, const struct json_hit *hits, struct span document)
{
    int64_t sum = 0;
    int64_t brief = 0;
    int64_t lasting = 0;
    bool has_sum = meter_figure(meter, &hits[USAGE_CACHE_WRITE], document, &sum);
    bool has_brief = meter_figure(meter, &hits[USAGE_CACHE_WRITE_SHORT], document, &brief);
    bool has_lasting = meter_figure(meter, &hits[USAGE_CACHE_WRITE_LONG], document, &lasting);

    if (has_sum && has_brief && has_lasting && brief + lasting != sum) {
        meter->is_anomalous = true;
    }
    if (!has_sum && (has_brief || has_lasting)) {
        meter->told[USAGE_CACHE_WRITE] = -1;
        meter_add(meter, USAGE_CACHE_WRITE, brief);
        meter_add(meter, USAGE_CACHE_WRITE, told_or_zero(meter->told[USAGE_CACHE_WRITE_LONG]));
    }
}

void meter_take(struct meter *meter, const struct json_hit *hits, struct span document,
                bool input_holds_cache)
{
    int64_t input_before = input_side(meter, input_holds_cache);
    int64_t output_before = meter->told[USAGE_OUTPUT];
    int64_t total_before = meter->told[USAGE_TOTAL];

    for (size_t i = 0; i < USAGE_FIGURES; i++) {
        bool is_told = meter_figure(meter, &hits[i], document, &meter->told[i]);

        if (i == USAGE_OUTPUT) {
            meter->took_output = is_told;
        }
    }
    take_split(meter, hits, document);
    /* Figures are cumulative: the last one counts, but one that shrinks deserves a look. */
    if (input_side(meter, input_holds_cache) < input_before ||
        meter->told[USAGE_OUTPUT] < output_before || meter->told[USAGE_TOTAL] < total_before) {
        meter->is_anomalous = true;
    }
}

/* ---- normalising ---- */

static void set_figures(const struct meter *meter, struct usage *usage)
{
    usage->tokens[TOKENS_INPUT] = meter->told[USAGE_INPUT];
    usage->tokens[TOKENS_CACHE_READ] = meter->told[USAGE_CACHE_READ];
    usage->tokens[TOKENS_AUDIO_INPUT] = meter->told[USAGE_AUDIO_INPUT];
    usage->tokens[TOKENS_IMAGE_INPUT] = meter->told[USAGE_IMAGE_INPUT];
    usage->tokens[TOKENS_OUTPUT] = meter->told[USAGE_OUTPUT];
    usage->tokens[TOKENS_AUDIO_OUTPUT] = meter->told[USAGE_AUDIO_OUTPUT];
    usage->reasoning = meter->told[USAGE_REASONING];
    usage->fees[FEE_WEB_SEARCH] = meter->told[USAGE_WEB_SEARCH];
    usage->tier = meter->tier;
    usage->region = meter->region;
    usage->cost = meter->cost;
    usage->is_anomalous = meter->is_anomalous;
    usage->has_other_models = meter->has_other_models;
    if (meter->is_fast) {
        usage_word_set(&usage->tier, SPAN_OF("fast"));
    }
}

/* One side was not told: it is what the total leaves. */
static void fill_from_total(struct usage *usage, enum token_class missing, int64_t left)
{
    if (left > 0) {
        usage->tokens[missing] = left;
    }
    if (left != 0) {
        usage->is_anomalous = true;
    }
}

/* A total above its parts is output that the provider bills but did not count as such; xAI leaves
 * its reasoning tokens out in this way, which is then no anomaly (openai-compatible.md, 2). What is
 * billed beside may be in the total or not. Totals are told only where the input holds the cache.
 */
static void compare_total(const struct meter *meter, struct usage *usage)
{
    int64_t total = meter->told[USAGE_TOTAL];
    int64_t input = usage->tokens[TOKENS_INPUT];
    int64_t output = usage->tokens[TOKENS_OUTPUT];
    int64_t beside = told_or_zero(meter->told[USAGE_MORE_OUTPUT]);
    int64_t hidden = total - input - output;

    if (total < 0) {
        return;
    }
    if (input < 0 && output < 0) {
        usage->is_anomalous = usage->is_anomalous || total > 0;
    } else if (output < 0) {
        fill_from_total(usage, TOKENS_OUTPUT, total - input);
    } else if (input < 0) {
        fill_from_total(usage, TOKENS_INPUT, total - output);
    } else if (hidden != 0 && hidden != beside) {
        usage->tokens[TOKENS_OUTPUT] += hidden > beside ? hidden - beside : 0;
        usage->is_anomalous = usage->is_anomalous || hidden != usage->reasoning;
    }
}

/* Takes a part out of its whole, so that each token is in one class only. */
static void take_out(struct usage *usage, enum token_class whole, int64_t *part)
{
    int64_t *left = &usage->tokens[whole];

    if (*left < 0 || *part < 0) {
        return;
    }
    if (*part > *left) {
        *part = *left;
        usage->is_anomalous = true;
    }
    *left -= *part;
}

static void split_written(struct usage *usage, int64_t written, int64_t lasting,
                          bool input_holds_cache)
{
    int64_t *brief_class = &usage->tokens[TOKENS_CACHE_WRITE_5M];
    int64_t *lasting_class = &usage->tokens[TOKENS_CACHE_WRITE_1H];

    if (input_holds_cache) { /* OpenAI's times */
        brief_class = &usage->tokens[TOKENS_CACHE_WRITE_30M];
        lasting_class = &usage->tokens[TOKENS_CACHE_WRITE_12H];
    }
    *brief_class = written;
    if (written < 0 || lasting < 0) {
        return;
    }
    if (lasting > written) {
        lasting = written;
        usage->is_anomalous = true;
    }
    *lasting_class = lasting;
    *brief_class = written - lasting;
}

static void add_to(struct usage *usage, enum token_class class, int64_t more)
{
    if (more >= 0) {
        usage->tokens[class] = told_or_zero(usage->tokens[class]) + more;
    }
}

/* What was billed beside, by the same model. */
static void add_more(const struct meter *meter, struct usage *usage)
{
    int64_t written = meter->told[USAGE_MORE_CACHE_WRITE];
    int64_t lasting = meter->told[USAGE_MORE_CACHE_WRITE_LONG];

    add_to(usage, TOKENS_INPUT, meter->told[USAGE_MORE_INPUT]);
    add_to(usage, TOKENS_OUTPUT, meter->told[USAGE_MORE_OUTPUT]);
    add_to(usage, TOKENS_CACHE_READ, meter->told[USAGE_MORE_CACHE_READ]);
    add_to(usage, TOKENS_CACHE_WRITE_1H, lasting);
    add_to(usage, TOKENS_CACHE_WRITE_5M,
           written < 0 ? -1 : told_or_zero(written - told_or_zero(lasting)));
}

void meter_usage(const struct meter *meter, bool input_holds_cache, struct usage *usage)
{
    int64_t written = meter->told[USAGE_CACHE_WRITE];

    usage_init(usage);
    set_figures(meter, usage);
    compare_total(meter, usage);
    if (input_holds_cache) {
        take_out(usage, TOKENS_INPUT, &usage->tokens[TOKENS_CACHE_READ]);
        take_out(usage, TOKENS_INPUT, &written);
        take_out(usage, TOKENS_INPUT, &usage->tokens[TOKENS_AUDIO_INPUT]);
        take_out(usage, TOKENS_INPUT, &usage->tokens[TOKENS_IMAGE_INPUT]);
    }
    take_out(usage, TOKENS_OUTPUT, &usage->tokens[TOKENS_AUDIO_OUTPUT]);
    split_written(usage, written, meter->told[USAGE_CACHE_WRITE_LONG], input_holds_cache);
    add_more(meter, usage);
    if (usage->tokens[TOKENS_OUTPUT] >= 0 && usage->reasoning > usage->tokens[TOKENS_OUTPUT]) {
        usage->reasoning = usage->tokens[TOKENS_OUTPUT];
        usage->is_anomalous = true;
    }
}
