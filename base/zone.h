/* SPDX-License-Identifier: Apache-2.0 */
/* base/zone.h: local time of a zone, from the bytes of a file of the zone database (TZif of version 2
 * and later, RFC 9636). Reads no file: the shell brings the bytes, which are judged before they are
 * believed. A value that borrows them. All times are seconds since 1970, UTC. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"

enum { ZONE_FILE_MAX = 64 * 1024, ZONE_NAME_MAX = 64 };

/* Where the zone database is, on every system that has one. */
#define ZONE_FOLDER "/usr/share/zoneinfo/"

/* When summer time begins or ends, every year. */
struct zone_turn {
    char form;      /* 'M': the day-th weekday of a week of a month; 'J': day 1 to 365, February has 28;
                     * 'n': day 0 to 365 */
    uint8_t month;
    uint8_t week;   /* 5: the last */
    uint16_t day;
    int32_t time_s; /* of the local clock before the turn; may be below 0 or beyond a day */
};

struct zone {
    struct span times;  /* 8 bytes each, ascending: when the local clock is turned */
    struct span kinds;  /* 1 byte each: to which of the types */
    struct span types;  /* 6 bytes each: offset, summer time, name */
    bool has_rule;      /* what comes after the last of the times: */
    bool has_summer;
    int32_t offset_s;   /* east of UTC is positive */
    int32_t summer_s;
    struct zone_turn begin;
    struct zone_turn end;
};

/* One offset, from where one asked on and until the local clock is turned. */
struct zone_stretch {
    int64_t until; /* INT64_MAX: for ever */
    int32_t offset_s;
};

/* UTC itself, which needs no file. */
void zone_init(struct zone *zone);
/* Borrows `file`. ERR_FORMAT: no such file, or one that contradicts itself, or with leap seconds;
 * then the zone is UTC. */
MUST_CHECK enum err zone_read(struct zone *zone, struct span file);
/* Whether the name may be looked for among the files: letters, digits and "_+-", with single slashes
 * between, so that no path leaves their folder. */
bool zone_name_is_good(struct span name);

struct zone_stretch zone_at(const struct zone *zone, int64_t at);
/* The first moment at which the local clock (seconds since 1970 as if it were UTC) shows `local` or
 * more. So days may have 23 or 25 hours, begin at one o'clock, or not be there at all. */
int64_t zone_first(const struct zone *zone, int64_t local);
/* The local day in which `at` lies, counted from 1970-01-01, and when a day begins. */
int64_t zone_day_of(const struct zone *zone, int64_t at);
int64_t zone_day_begin(const struct zone *zone, int64_t day);

#endif
