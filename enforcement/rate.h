/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/rate.h: what the settings say about rates: how many calls, or tokens, per period, and
 * how many calls at a time. Plain data that dies with the snapshot; written by conf/ only. Pure. */
#ifndef ENFORCEMENT_RATE_H
#define ENFORCEMENT_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforcement/gcra.h"
#include "enforcement/scope.h"

enum rate_unit {
    RATE_REQUESTS,   /* calls of apps, however many attempts they take */
    RATE_TOKENS,     /* input and output together, of all attempts */
    RATE_CONCURRENT, /* calls that are not over */
    RATE_UNITS
};
const char *rate_unit_word(enum rate_unit unit); /* "requests", "tokens", "concurrent" */

enum { RATES_MAX = 32, RATE_CONCURRENT_MAX = 1000000 };

struct rate {
    struct span name; /* never empty: without one of its own its place, "rates[0]" */
    struct scope scope;
    enum rate_unit unit;
    uint64_t limit;
    struct span per;       /* "minute"; empty of RATE_CONCURRENT */
    struct gcra_rule rule; /* but of RATE_CONCURRENT */
    uint16_t index;        /* in the settings */
};

struct rates {
    const struct rate *list;
    size_t count;
};

/* A rate is asked once for a call, before a target is chosen: what only an attempt has, or what is
 * never there twice (the call itself), is no scope of one. */
bool rate_has_scope(enum scope_kind kind);

#endif
