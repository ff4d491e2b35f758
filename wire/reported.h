/* SPDX-License-Identifier: Apache-2.0 */
/* wire/reported.h: the limits that a provider reports of itself with each answer: how much it
 * grants, what is left of it, when it is full again. Integers only; what is not a plain number, is
 * negative or beyond 2^53 is "not told", never zero. Pure; one pass over the fields of a head. */
#ifndef WIRE_REPORTED_H
#define WIRE_REPORTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "wire/http1.h"

/* One limit. Each member is -1 when it was not told. */
struct reported_limit {
    int64_t limit;
    int64_t remaining; /* of it, as of this answer */
    int64_t reset_ms;  /* until it is full again: 1 to a day; -1 also for now and the past */
};

struct reported {
    struct reported_limit requests;
    struct reported_limit tokens; /* input and output together */
    struct reported_limit input;  /* tokens */
    struct reported_limit output; /* tokens */
    bool is_any;                  /* something was told */
};

/* Reads a response head. `base` is where the message begins, `now` is for moments (RFC 3339). When
 * one limit is told in several spellings (project and organization, minute and day), the one with
 * the least left is taken, all three members from it. */
void reported_read(const struct http1_head *head, const char *base, wall_ms now,
                   struct reported *out);

#endif
