/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/window.h: the period in which a budget counts. Calendar windows begin and end at edges of
 * the local clock of a zone; both are told as instants, so that a day of 23 or 25 hours is right by
 * construction. Pure: the time comes in, zones come from the settings. */
#ifndef ENFORCEMENT_WINDOW_H
#define ENFORCEMENT_WINDOW_H

#include <stdint.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"
#include "base/tick.h"
#include "base/zone.h"

enum window_kind {
    WINDOW_TOTAL, /* one, for ever; also of what has none (trace, call) */
    WINDOW_MINUTE,
    WINDOW_HOUR,
    WINDOW_DAY,
    WINDOW_WEEK,
    WINDOW_MONTH,
    WINDOW_YEAR,
    WINDOW_ROLLING /* the last `length_ms`, counted in WINDOW_PARTS parts that follow one another */
};

enum { WINDOW_PARTS = 24 };

struct window_rule {
    enum window_kind kind;
    uint8_t week_begins;     /* 0: Monday, 6: Sunday */
    uint64_t length_ms;      /* WINDOW_ROLLING: a multiple of WINDOW_PARTS, at least a minute */
    const struct zone *zone; /* NULL: UTC */
    uint32_t zone_mark;      /* of its name: settings read again have it elsewhere; 0: UTC */
};

struct window {
    wall_ms begin;
    wall_ms end; /* the first moment that does not belong to it; INT64_MAX: for ever */
};

/* "minute", "hour", "day", "week", "month", "year", "total", "rolling:24h" (a duration from 1m to 366d).
 * Zone and the week's begin are left alone. ERR_FORMAT, ERR_RANGE. */
MUST_CHECK enum err window_read(struct span text, struct window_rule *rule);

/* The window in which `now` lies. Of WINDOW_ROLLING its newest part: length_ms / WINDOW_PARTS long,
 * edges at multiples of that since 1970. */
void window_at(const struct window_rule *rule, wall_ms now, struct window *window);

#endif
