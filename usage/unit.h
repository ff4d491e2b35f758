/* SPDX-License-Identifier: Apache-2.0 */
/* usage/unit.h: what a unit of work cost: all calls of one x-headgate-trace, and by the tasks `draft`
 * and `repair` apart. Plain data, texts are copied. Pure. */
#ifndef USAGE_UNIT_H
#define USAGE_UNIT_H

#include "usage/query.h"
#include "usage/sums.h"

enum unit_part { UNIT_DRAFT, UNIT_REPAIR, UNIT_PARTS };

struct unit_name {
    char text[RECORD_TEXT_MAX];
    size_t len;
};

struct unit {
    struct sums total;
    struct sums parts[UNIT_PARTS];
    struct unit_name sources[UNIT_PARTS]; /* provider of the attempt that answered, the last one */
    struct unit_name models[UNIT_PARTS];
    struct unit_name answered_by; /* the first provider that answered anything of the unit */
    bool has_mixed;               /* another one answered too */
};

void unit_init(struct unit *unit);
void unit_add(struct unit *unit, const struct record *record);
/* The answer to trace: begin, records in their order (answer_record), end. */
void unit_put_begin(struct buf *out, const struct query *query);
void unit_put_end(struct buf *out, const struct query *query, const struct unit *unit);

#endif
