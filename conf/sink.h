/* SPDX-License-Identifier: Apache-2.0 */
/* conf/sink.h: where usage records are delivered, as the settings say it. A kind is a row of
 * sinks.def: its table of fields here, its doing in proxy/sink.h under the same number. */
#ifndef CONF_SINK_H
#define CONF_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/field.h"
#include "base/span.h"

struct sink_kind;

/* What every sink has; the first member of the kind's own settings (conf/sink_<name>.h). */
struct sink_settings {
    const struct sink_kind *kind;
    size_t kind_index;        /* in sinks.def */
    struct span name;         /* as the operator calls it, else "file ./usage.jsonl" */
    struct span destination;  /* "./usage.jsonl", "https://usage.example/v1": never a secret */
    uint32_t batch;           /* lines delivered at once, at most */
    uint32_t every_ms;        /* a line waits at most so long for others */
};

struct reader;
struct node;

struct sink_kind {
    const char *name;
    const char *help;
    const struct field_table *fields;
    size_t size; /* of its own settings */
    /* After the fields were read without a complaint: what they mean together, and the
     * destination. NULL: the kind has one destination only, its name. */
    void (*check)(struct reader *reader, const struct node *node, struct sink_settings *settings);
};

/* The i-th kind in the order of sinks.def, or NULL. */
const struct sink_kind *sink_kind_at(size_t i);

/* A field_reader that takes nothing: the section has read the key before. */
void sink_skip(struct reader *reader, const struct node *node, void *object);
/* A field_reader of `name`. */
void sink_read_name(struct reader *reader, const struct node *node, void *object);

/* The rows that every kind begins with. */
#define SINK_ROWS(batch_text, every_text)                                                          \
    {.name = "kind",                                                                               \
     .type = FIELD_CUSTOM,                                                                         \
     .read = sink_skip,                                                                            \
     .is_required = true,                                                                          \
     .help = "how records are delivered: file, stdout, http or redis"},                            \
        {.name = "name",                                                                           \
         .type = FIELD_CUSTOM,                                                                     \
         .read = sink_read_name,                                                                   \
         .help = "what logs call it, and what its cursor belongs to; kind and destination "        \
                 "without it"},                                                                    \
        {.name = "batch",                                                                          \
         .type = FIELD_U32,                                                                        \
         .place = offsetof(struct sink_settings, batch),                                           \
         .initial = batch_text,                                                                    \
         .min = "1",                                                                               \
         .max = "10000",                                                                           \
         .help = "records delivered at once, at most"},                                            \
    {                                                                                              \
        .name = "every", .type = FIELD_DURATION,                                                   \
        .place = offsetof(struct sink_settings, every_ms), .initial = every_text, .min = "1ms",    \
        .max = "1h", .help = "how long a record waits for others, at most"                         \
    }

#endif
