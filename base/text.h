/* SPDX-License-Identifier: Apache-2.0 */
/* base/text.h: numbers, durations, sizes and dates as text, both ways. Readers take the whole span
 * or refuse it: no blanks, no sign, no fraction, nothing left over. They give ERR_FORMAT for a text
 * of the wrong shape and ERR_RANGE for a value that does not fit, and write the result only when
 * they succeed. No locale, no clock, no libc time. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"
#include "base/span.h"
#include "base/tick.h"

/* 0..15, or -1 when it is no hexadecimal digit. */
int text_hex_digit(char c);
/* Decimal digits; leading zeros are allowed. */
MUST_CHECK enum err text_read_u64(struct span text, uint64_t *number);
/* One number with its unit, "250ms", "10s", "5m", "2h" or "7d", to milliseconds. A bare number is
 * ERR_FORMAT, because nobody can tell what it means. */
MUST_CHECK enum err text_read_duration(struct span text, uint64_t *ms);
/* One number with its unit, "512B", "64KiB", "32MiB" or "4GiB", to bytes. */
MUST_CHECK enum err text_read_size(struct span text, uint64_t *bytes);
/* "50%" to 50. Whole percents from 0 to 100, else ERR_RANGE. */
MUST_CHECK enum err text_read_percent(struct span text, unsigned *percent);
/* A date of HTTP in any of the three forms of RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT",
 * "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". `now` (milliseconds since 1970)
 * chooses the century of a two-digit year: at most 50 years ahead. The name of the weekday must be
 * one, but need not be the right one. */
MUST_CHECK enum err text_read_http_date(struct span text, wall_ms now, wall_ms *at);
/* "2026-11-20" to the begin of that day, UTC. ERR_RANGE: there is no such day. */
MUST_CHECK enum err text_read_day(struct span text, wall_ms *at);

/* What text_put_rfc3339 prints and no other form: "2026-11-20T15:04:05.123Z". */
MUST_CHECK enum err text_read_rfc3339(struct span text, wall_ms *at);

/* The shortest text that text_read_duration reads back as the same milliseconds: 90000 is "90s",
 * 3600000 is "1h", 0 is "0s". */
void text_put_duration(struct buf *buf, uint64_t ms);
/* The shortest text that text_read_size reads back as the same bytes: 65536 is "64KiB". */
void text_put_size(struct buf *buf, uint64_t bytes);
/* "2026-11-20T15:04:05.123Z" (RFC 3339, UTC). A time outside the years 0000 to 9999 is printed as
 * the nearest one inside, so that the text always has 24 bytes. */
void text_put_rfc3339(struct buf *buf, wall_ms at);
/* "2026-11-20": the day of the same text. */
void text_put_day(struct buf *buf, wall_ms at);
/* A name or value of a URL's query, its codes undone. False: "%" without two digits behind it. */
bool text_put_url_decoded(struct buf *buf, struct span text);
/* Of `text` the bytes that are printable ASCII (blank included), at most `max` of them; the others
 * are dropped. For quoting foreign bytes in messages. */
void text_put_printable(struct buf *buf, struct span text, size_t max);

#endif
