/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/json_trace.h: everything that a scan lets one see, as text, so that the tests can
 * compare two ways to feed the same bytes. */
#ifndef TESTS_UNIT_WIRE_JSON_TRACE_H
#define TESTS_UNIT_WIRE_JSON_TRACE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/lib/bytes.h"
#include "wire/json_scan.h"

struct json_trace {
    struct json_scan *scan;
    struct json_scan_options options;
};

/* bytes_trace_fn over a struct json_trace. Each piece lies in a block of its own size. */
static inline void json_trace_write(const struct bytes_split *split, struct buf *trace,
                                    void *context)
{
    struct json_trace *with = context;
    struct json_hit hits[JSON_PATHS_MAX];
    bool is_good = true;

    json_scan_begin(with->scan, &with->options, hits);
    for (size_t i = 0; i < split->count && is_good; i++) {
        struct span piece = bytes_own(bytes_piece(split, i));

        is_good = json_scan_feed(with->scan, piece);
        bytes_give(piece);
    }
    is_good = is_good && json_scan_end(with->scan);
    buf_put_text(trace, is_good ? "good" : json_fault_code(json_scan_fault(with->scan)));
    buf_put_format(trace, " at %llu", (unsigned long long)json_scan_offset(with->scan));
    for (size_t i = 0; i < with->options.paths_count; i++) {
        buf_put_format(trace, " [%d %u %llu+%llu]", (int)hits[i].kind, (unsigned)hits[i].count,
                       (unsigned long long)hits[i].at, (unsigned long long)hits[i].len);
    }
}

#endif
