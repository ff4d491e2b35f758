/* SPDX-License-Identifier: Apache-2.0 */
/* conf/section.h: one kind of section of the settings. A section is a table of top-level keys whose
 * object is the snapshot; everything it accepts, its ranges, defaults and help stand in tables. */
#ifndef CONF_SECTION_H
#define CONF_SECTION_H

#include "base/field.h"
#include "conf/reader.h"

#define SECTION(name) extern const struct field_table section_##name;
#include "conf/sections.def"
#undef SECTION

/* The i-th section in reading order, or NULL. */
const struct field_table *section_at(size_t i);
/* All top-level keys in one table; `rows` has room for FIELDS_MAX. */
struct field_table section_keys(struct field rows[FIELDS_MAX]);

/* What a variable of the environment may set besides (conf/override.c). */
extern const struct field_table log_fields;
/* Of the ledger, whether the file has one or not. */
extern const struct field_table ledger_fields;
/* Of one route. */
extern const struct field_table route_fields;
/* What a route has that says nothing, and what holds for calls without a route. */
void route_defaults(struct route *route);

/* The route of this name, or NULL after a complaint. Routes have been read before. */
const struct route *route_named(struct reader *reader, const struct node *node, struct span name);

/* A list of ranges of addresses; NULL when there are none. */
const struct egress_range *reader_ranges(struct reader *reader, const struct node *node,
                                         size_t *count);

/* With the environment read: the keys are ready, or it is told what they lack. */
void keys_end(struct reader *reader);

/* The snapshot's book: with the program's own rows before the sections are read, ready behind them. */
void prices_begin(struct snapshot *snapshot);
void prices_end(struct reader *reader);

/* One listener's text into `item`, a struct listen_address; false after a complaint at `place`. */
bool listen_read_address(struct reader *reader, struct place place, struct span text,
                         struct listen_address *address);

#endif
