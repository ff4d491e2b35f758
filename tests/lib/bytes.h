/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/bytes.h: runs a function over the ways to split a string of bytes, because every
 * incremental scanner promises that no split changes what it sees. Add lib/bytes.c to the sources
 * of the test: unit_test(wire sse lib/bytes.c). */
#ifndef TESTS_LIB_BYTES_H
#define TESTS_LIB_BYTES_H

#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

/* Inputs up to this length are also tried with every pair of cuts. */
enum { BYTES_PAIRS_MAX = 96 };

/* One way to split: piece i begins where piece i-1 ended and ends at ends[i]; the last end is the
 * length of the whole. There is always at least one piece; only a lone one may be empty. */
struct bytes_split {
    struct span whole;
    const size_t *ends;
    size_t count;
};

/* The i-th piece, and everything up to its end. */
struct span bytes_piece(const struct bytes_split *split, size_t i);
struct span bytes_prefix(const struct bytes_split *split, size_t i);

typedef void bytes_visit_fn(const struct bytes_split *split, void *context);
/* Writes everything observable of a run over the split as text (events, values, faults). */
typedef void bytes_trace_fn(const struct bytes_split *split, struct buf *trace, void *context);

/* Calls `visit` with: the whole, every single cut, every pair of cuts when the input is short, and
 * byte by byte. */
void bytes_each_split(struct span whole, bytes_visit_fn *visit, void *context);
/* Fails the cmocka test, naming the cuts and both texts, unless the trace of each split equals the
 * trace of the whole. Returns nothing; the trace of the whole is left in `expected` if not NULL
 * (the caller has initialised it and gives it back). */
void bytes_same_for_each_split(struct span whole, bytes_trace_fn *trace, void *context,
                               struct buf *expected);

/* A copy that ends exactly at the end of its heap block, so that a sanitizer sees a read past it.
 * Give it back with bytes_give. An empty span is copied to a block of its own as well. */
struct span bytes_own(struct span bytes);
void bytes_give(struct span owned);

#endif
