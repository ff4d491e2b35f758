/* SPDX-License-Identifier: Apache-2.0 */
/* admin/sinks_out.h: how far each sink has come, as JSON and as a table for people. Pure. */
#ifndef ADMIN_SINKS_OUT_H
#define ADMIN_SINKS_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

struct sink_view {
    struct span name;
    struct span kind;
    uint64_t delivered;     /* records since the start of the process */
    uint64_t failures;
    uint64_t damaged;
    uint64_t waiting_bytes; /* of the journal */
    bool is_down;
    uint64_t down_ms;
    struct span reason;     /* empty unless it is down */
};

/* {"sinks":[...]} and a line feed. */
void sinks_put_json(struct buf *out, const struct sink_view *sinks, size_t count);
/* Nothing when there is none. */
void sinks_put_table(struct buf *out, const struct sink_view *sinks, size_t count);

#endif
