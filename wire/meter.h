/* SPDX-License-Identifier: Apache-2.0 */
/* wire/meter.h: reads what an answer says it used (reference/budgets.md, 2). Last value wins,
 * nothing is added up; missing is not zero. Where the figures stand is the dialects' business. */
#ifndef WIRE_METER_H
#define WIRE_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "wire/json_scan.h"
#include "wire/usage.h"

enum usage_figure {
    USAGE_INPUT,
    USAGE_OUTPUT,
    USAGE_CACHE_READ,
    USAGE_CACHE_WRITE, /* however long it stays */
    USAGE_REASONING,
    USAGE_TOTAL,       /* input and output together, as the provider adds them up */
    USAGE_CACHE_WRITE_LONG, /* part of what was written: for 1 h, 12 h */
    USAGE_AUDIO_INPUT,
    USAGE_IMAGE_INPUT,
    USAGE_AUDIO_OUTPUT,
    USAGE_WEB_SEARCH,
    USAGE_MORE_INPUT,  /* from here on: billed beside the figures above, part of none */
    USAGE_MORE_OUTPUT,
    USAGE_MORE_CACHE_READ,
    USAGE_MORE_CACHE_WRITE,
    USAGE_MORE_CACHE_WRITE_LONG,
    USAGE_FIGURES,
    USAGE_CACHE_WRITE_SHORT = USAGE_FIGURES, /* 5 m, 30 m: only read, it is what the long part leaves */
    USAGE_PLACES
};

/* The figures as told, before normalising; kept over a stream, last non-null value wins. */
struct meter {
    int64_t told[USAGE_FIGURES]; /* -1: not told */
    struct usage_word tier;
    struct usage_word region;
    struct usage_cost cost;
    bool is_fast;                /* Anthropic's speed */
    bool is_anomalous;
    bool has_other_models;
    bool took_output;            /* what was taken last told the output */
};

void meter_init(struct meter *meter);
/* hits[USAGE_PLACES]: where the figures stand in `document`. input_holds_cache: the dialect's input
 * figure includes the cached tokens (OpenAI) or not (Anthropic). */
void meter_take(struct meter *meter, const struct json_hit *hits, struct span document,
                bool input_holds_cache);
/* One figure, for those that need a look before they are taken. False: it is absent or null, or not
 * a plain number of tokens, which is noted. */
bool meter_figure(struct meter *meter, const struct json_hit *hit, struct span document,
                  int64_t *number);
/* Adds to a figure what was billed beside; no further than a figure can be. */
void meter_add(struct meter *meter, enum usage_figure figure, int64_t number);
/* A cost that is told as a number; others leave what is there. */
void meter_cost(struct meter *meter, const struct json_hit *hit, struct span document,
                bool is_ticks);

/* Each token in one class. A total above its parts is output that was not told as such (some servers
 * leave reasoning out): it is added. */
void meter_usage(const struct meter *meter, bool input_holds_cache, struct usage *usage);

#endif
