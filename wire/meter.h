/* SPDX-License-Identifier: Apache-2.0 */
/* wire/meter.h: reads what an answer says it used (budgets.md, 2). Last value wins, nothing is added
 * up; missing is not zero. */
#ifndef WIRE_METER_H
#define WIRE_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "wire/json_scan.h"
#include "wire/usage.h"

/* One dialect's names for the figures, as watched paths, in this order. */
enum usage_figure {
    USAGE_INPUT,
    USAGE_OUTPUT,
    USAGE_CACHE_READ,
    USAGE_CACHE_WRITE,
    USAGE_REASONING,
    USAGE_TOTAL,      /* input and output together, as the provider adds them up */
    USAGE_FIGURES
};

/* The figures as told, before normalising; kept over a stream, last non-null value wins. */
struct meter {
    int64_t told[USAGE_FIGURES];
    bool is_anomalous;
};
void meter_init(struct meter *meter);
/* hits[USAGE_FIGURES]: where the figures stand in `document`. */
void meter_take(struct meter *meter, const struct json_hit *hits, struct span document);
/* A total above its parts is output that was not told as such (some servers leave reasoning out):
 * it is added. input_holds_cache: the dialect's input figure includes the cached tokens (OpenAI)
 * or not (Anthropic). */
void meter_usage(const struct meter *meter, bool input_holds_cache, struct usage *usage);

#endif
