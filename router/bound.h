/* SPDX-License-Identifier: Apache-2.0 */
/* router/bound.h: the most that an attempt can come to, which is what is set aside for it before it is
 * sent (reference/budgets.md, 3), and how much output is left when there is less than that. Pure. */
#ifndef ROUTER_BOUND_H
#define ROUTER_BOUND_H

#include "router/quote.h"

struct bound_ask {
    struct quote_ask quote;
    const struct target *target;
    struct quote_counts counts;
    bool is_strict;         /* else what is likely with room to spare will do: an excess is booked */
    int64_t default_output; /* of a request that names no cap; 0: the model's maximum */
};

struct bound {
    int64_t nano;         /* nanodollars, rounded up; 0 without a price */
    int64_t input;        /* tokens */
    int64_t output;       /* of all answers together */
    int64_t cap;          /* of one answer; -1: there is no output, or no cap is known */
    bool writes_cap;      /* the request has another one, or none */
    bool is_priced;
    enum quote_open open; /* strict and not QUOTE_BOUNDED: nobody can tell */
};

void bound_make(const struct bound_ask *ask, struct bound *bound);

enum { BOUND_OUTPUT_LEAST = 256 }; /* tokens an answer is worth asking for */

/* Lowers the output until the attempt fits into what is left (INT64_MAX: as much as you like). False:
 * not even the least useful answer would, or there is no output to lower; then *bound is as it
 * was. */
bool bound_fit(const struct bound_ask *ask, struct bound *bound, int64_t left_nano,
               int64_t left_tokens);

#endif
