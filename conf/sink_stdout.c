/* SPDX-License-Identifier: Apache-2.0 */
/* sinks[] of kind stdout: nothing but what every sink has. */
#include "base/must.h"
#include "conf/sink.h"

static const struct field rows[] = {SINK_ROWS("100", "100ms")};

static const struct field_table fields = FIELD_TABLE(rows);

const struct sink_kind sink_kind_stdout = {
    .name = "stdout",
    .help = "lines to the process's standard output",
    .fields = &fields,
    .size = sizeof(struct sink_settings),
};
