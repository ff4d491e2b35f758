/* SPDX-License-Identifier: Apache-2.0 */
/* log: level, format. */
#include "conf/section.h"

/* In the order of enum log_level and enum log_format. */
static const struct span levels[] = {SPAN("error"), SPAN("warn"), SPAN("info"), SPAN("debug")};
static const struct span formats[] = {SPAN("json"), SPAN("text"), SPAN("logfmt")};

_Static_assert(LOG_DEBUG == 3 && LOG_LOGFMT == 2 && LOG_BY_TERMINAL == 3, "words follow the enums");

static const struct field rows[] = {
    {.name = "level",
     .type = FIELD_WORD,
     .place = offsetof(struct snapshot, log_level),
     .initial = "info",
     .words = levels,
     .words_count = ARRAY_LENGTH(levels),
     .help = "error, warn, info or debug"},
    {.name = "format",
     .type = FIELD_WORD,
     .place = offsetof(struct snapshot, log_format),
     .words = formats,
     .words_count = ARRAY_LENGTH(formats),
     .help = "json, text or logfmt; without it json, on a terminal text"},
};

const struct field_table log_fields = FIELD_TABLE(rows);

static const struct field fields[] = {
    {.name = "log", .type = FIELD_MAP, .inner = &log_fields, .help = "what is logged, and how"},
};

const struct field_table section_log = FIELD_TABLE(fields);
