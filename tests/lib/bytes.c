/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/bytes.c: the ways to split a string, and the comparison of what was seen. */
#include "tests/lib/bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

struct span bytes_prefix(const struct bytes_split *split, size_t i)
{
    return span_make(split->whole.at, split->ends[i]);
}

struct span bytes_piece(const struct bytes_split *split, size_t i)
{
    size_t from = i == 0 ? 0 : split->ends[i - 1];

    return span_make(split->whole.at + from, split->ends[i] - from);
}

static void visit_cuts(struct span whole, const size_t *ends, size_t count, bytes_visit_fn *visit,
                       void *context)
{
    struct bytes_split split = {.whole = whole, .ends = ends, .count = count};

    visit(&split, context);
}

static void visit_single_bytes(struct span whole, bytes_visit_fn *visit, void *context)
{
    size_t *ends = malloc(whole.len * sizeof *ends);

    assert_non_null(ends);
    for (size_t i = 0; i < whole.len; i++) {
        ends[i] = i + 1;
    }
    visit_cuts(whole, ends, whole.len, visit, context);
    free(ends);
}

void bytes_each_split(struct span whole, bytes_visit_fn *visit, void *context)
{
    visit_cuts(whole, (size_t[]){whole.len}, 1, visit, context);
    for (size_t cut = 1; cut < whole.len; cut++) {
        visit_cuts(whole, (size_t[]){cut, whole.len}, 2, visit, context);
    }
    for (size_t cut = 1; cut < whole.len && whole.len <= BYTES_PAIRS_MAX; cut++) {
        for (size_t next = cut + 1; next < whole.len; next++) {
            visit_cuts(whole, (size_t[]){cut, next, whole.len}, 3, visit, context);
        }
    }
    if (whole.len > 1) {
        visit_single_bytes(whole, visit, context);
    }
}

struct comparison {
    bytes_trace_fn *trace;
    void *context;
    struct buf *expected;
    struct buf *seen;
    bool has_expected;
};

static void compare_split(const struct bytes_split *split, void *context)
{
    struct comparison *comparison = context;
    struct buf *trace = comparison->has_expected ? comparison->seen : comparison->expected;

    buf_clear(trace);
    comparison->trace(split, trace, comparison->context);
    assert_false(trace->failed);
    if (!comparison->has_expected) {
        comparison->has_expected = true;
        return;
    }
    if (!span_equal(buf_span(trace), buf_span(comparison->expected))) {
        fail_msg("split into %zu pieces, first cuts %zu and %zu, gives\n%.*s\ninstead "
                 "of\n%.*s\nfor\n%.*s",
                 split->count, split->ends[0], split->ends[split->count > 1 ? 1 : 0],
                 SPAN_ARGS(buf_span(trace)), SPAN_ARGS(buf_span(comparison->expected)),
                 SPAN_ARGS(split->whole));
    }
}

void bytes_same_for_each_split(struct span whole, bytes_trace_fn *trace, void *context,
                               struct buf *expected)
{
    struct buf own;
    struct buf seen;
    struct comparison comparison = {
        .trace = trace,
        .context = context,
        .expected = expected == NULL ? &own : expected,
        .seen = &seen,
    };

    buf_init(&own, (size_t)64 * 1024 * 1024);
    buf_init(&seen, (size_t)64 * 1024 * 1024);
    bytes_each_split(whole, compare_split, &comparison);
    buf_fini(&own);
    buf_fini(&seen);
}

struct span bytes_own(struct span bytes)
{
    char *at = malloc(bytes.len == 0 ? 1 : bytes.len);

    assert_non_null(at);
    if (bytes.len > 0) {
        memcpy(at, bytes.at, bytes.len);
    }
    return span_make(at, bytes.len);
}

void bytes_give(struct span owned)
{
    free((void *)(uintptr_t)owned.at);
}
