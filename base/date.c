/* SPDX-License-Identifier: Apache-2.0 */
/* base/date.c: a year is thought to begin with March, so that the day that comes and goes is its
 * last one; 400 such years have always the same number of days. */
#include "base/date.h"

#include <stdbool.h>

enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 /* from 0000-03-01 */ };

int64_t date_floor(int64_t number, int64_t by)
{
    return number / by - (number % by < 0 ? 1 : 0);
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned date_month_length(int64_t year, unsigned month)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    must(month >= 1 && month <= 12);
    return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

int64_t date_to_days(const struct date *date)
{
    int64_t year = date->month <= 2 ? date->year - 1 : date->year;
    int64_t era = date_floor(year, 400);
    int64_t in_era = year - era * 400;
    int64_t month = date->month <= 2 ? (int64_t)date->month + 9 : (int64_t)date->month - 3;
    int64_t in_year = (153 * month + 2) / 5 + (int64_t)date->day - 1;

    return era * DAYS_PER_ERA + in_era * 365 + in_era / 4 - in_era / 100 + in_year - DAYS_TO_1970;
}

struct date date_from_days(int64_t days)
{
    int64_t from_march = days + DAYS_TO_1970;
    int64_t era = date_floor(from_march, DAYS_PER_ERA);
    int64_t in_era = from_march - era * DAYS_PER_ERA;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;
    int64_t day = in_year - (153 * month + 2) / 5 + 1;

    month = month < 10 ? month + 3 : month - 9;
    return (struct date){.year = era * 400 + year + (month <= 2 ? 1 : 0),
                         .month = (unsigned)month,
                         .day = (unsigned)day};
}

/* ---- texts ---- */

/* Exactly `count` digits off the front of `text`. */
static bool take_digits(struct span *text, size_t count, int64_t *number)
{
    int64_t sum = 0;

    if (text->len < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (text->at[i] < '0' || text->at[i] > '9') {
            return false;
        }
        sum = sum * 10 + (text->at[i] - '0');
    }
    *text = span_from(*text, count);
    *number = sum;
    return true;
}

static bool take_char(struct span *text, char a, char b)
{
    if (text->len == 0 || (text->at[0] != a && text->at[0] != b)) {
        return false;
    }
    *text = span_from(*text, 1);
    return true;
}

static bool take_date(struct span *text, struct date *date)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;

    if (!take_digits(text, 4, &year) || !take_char(text, '-', '-') ||
        !take_digits(text, 2, &month) || !take_char(text, '-', '-') ||
        !take_digits(text, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > (int64_t)date_month_length(year, (unsigned)month)) {
        return false;
    }
    *date = (struct date){.year = year, .month = (unsigned)month, .day = (unsigned)day};
    return true;
}

static bool take_clock(struct span *text, int64_t *ms)
{
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;

    if (!take_digits(text, 2, &hour) || !take_char(text, ':', ':') ||
        !take_digits(text, 2, &minute) || !take_char(text, ':', ':') ||
        !take_digits(text, 2, &second) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *ms = ((hour * 60 + minute) * 60 + (second > 59 ? 59 : second)) * 1000;
    return true;
}

/* ".123456": the milliseconds of it. No point: none. */
static bool take_fraction(struct span *text, int64_t *ms)
{
    int64_t sum = 0;
    int64_t worth = 100;
    size_t digits = 0;

    if (!take_char(text, '.', '.')) {
        return true;
    }
    while (digits < text->len && text->at[digits] >= '0' && text->at[digits] <= '9') {
        sum += (text->at[digits] - '0') * worth;
        worth /= 10;
        digits++;
    }
    *text = span_from(*text, digits);
    *ms += sum;
    return digits > 0;
}

/* "Z", or "+01:00": how far ahead of UTC. */
static bool take_offset(struct span *text, int64_t *ms)
{
    int64_t hour = 0;
    int64_t minute = 0;
    bool is_behind = text->len > 0 && text->at[0] == '-';

    *ms = 0;
    if (take_char(text, 'Z', 'z')) {
        return true;
    }
    if (!take_char(text, '+', '-') || !take_digits(text, 2, &hour) || !take_char(text, ':', ':') ||
        !take_digits(text, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *ms = (hour * 60 + minute) * 60 * 1000 * (is_behind ? -1 : 1);
    return true;
}

enum err date_read_time(struct span text, wall_ms *at)
{
    struct date date;
    int64_t clock = 0;
    int64_t offset = 0;

    if (!take_date(&text, &date) || text.len == 0 ||
        (!take_char(&text, 'T', 't') && !take_char(&text, ' ', ' ')) ||
        !take_clock(&text, &clock) || !take_fraction(&text, &clock) ||
        !take_offset(&text, &offset) || text.len > 0) {
        return ERR_FORMAT;
    }
    *at = date_to_days(&date) * DATE_DAY_S * 1000 + clock - offset;
    return ERR_NONE;
}
