/* SPDX-License-Identifier: Apache-2.0 */
/* base/date.h: days of the Gregorian calendar, carried back and forth without end, and times as
 * people write them. Days count from 1970-01-01. No clock, no zone: those are base/zone.h and the caller. */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"
#include "base/tick.h"

struct date {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
};

enum { DATE_DAY_S = 24 * 60 * 60 };

/* The quotient rounded down, also below zero; by > 0. */
int64_t date_floor(int64_t number, int64_t by);
int64_t date_to_days(const struct date *date);
struct date date_from_days(int64_t days);
unsigned date_month_length(int64_t year, unsigned month);
/* "2026-11-20T15:04:05.123Z", "2026-11-20 15:04:05+01:00" (RFC 3339): the fraction may be absent or
 * longer (cut at milliseconds); a leap second counts as the one before. */
MUST_CHECK enum err date_read_time(struct span text, wall_ms *at);

#endif
