/* SPDX-License-Identifier: Apache-2.0 */
/* limits: calls, body, response, memory. drain: delay, timeout. */
#include "conf/section.h"

static const struct field limit_rows[] = {
    {.name = "calls",
     .type = FIELD_U32,
     .place = offsetof(struct settings_limits, calls),
     .initial = "10000",
     .min = "1",
     .max = "1000000",
     .help = "calls in flight"},
    {.name = "body",
     .type = FIELD_SIZE,
     .place = offsetof(struct settings_limits, body),
     .initial = "32MiB",
     .min = "1KiB",
     .max = "1GiB",
     .help = "bytes of one request body"},
    {.name = "response",
     .type = FIELD_SIZE,
     .place = offsetof(struct settings_limits, response),
     .initial = "64MiB",
     .min = "1KiB",
     .max = "1GiB",
     .help = "bytes of one answer that is held whole"},
    {.name = "memory",
     .type = FIELD_SIZE,
     .place = offsetof(struct settings_limits, memory),
     .initial = "512MiB",
     .min = "1MiB",
     .max = "1024GiB",
     .help = "bytes held in all"},
};

static const struct field drain_rows[] = {
    {.name = "delay",
     .type = FIELD_DURATION,
     .place = offsetof(struct snapshot, drain_delay_ms),
     .initial = "0s",
     .min = "0s",
     .max = "1h",
     .help = "how long a stopping process still accepts while it says that it is not ready"},
    {.name = "timeout",
     .type = FIELD_DURATION,
     .place = offsetof(struct snapshot, drain_timeout_ms),
     .initial = "60s",
     .min = "0s",
     .max = "1d",
     .help = "how long calls may take to end after that"},
};

static const struct field_table limit_fields = FIELD_TABLE(limit_rows);
static const struct field_table drain_fields = FIELD_TABLE(drain_rows);

static const struct field fields[] = {
    {.name = "limits",
     .type = FIELD_MAP,
     .place = offsetof(struct snapshot, limits),
     .inner = &limit_fields,
     .help = "ceilings of the whole process"},
    {.name = "drain", .type = FIELD_MAP, .inner = &drain_fields, .help = "how the process ends"},
};

const struct field_table section_limits = FIELD_TABLE(fields);
