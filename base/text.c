/* SPDX-License-Identifier: Apache-2.0 */
/* base/text.c: readers take digits by hand, because the library functions accept blanks, signs and
 * locales; dates are counted in days from the year 0, where every sum is positive. */
#include "base/text.h"

#include <stdbool.h>

/* A unit and how much of the smallest one it is, in rising order. */
struct unit {
    struct span name;
    uint64_t size;
};

static const struct unit durations[] = {
    {SPAN("ms"), 1},
    {SPAN("s"), 1000},
    {SPAN("m"), 60 * 1000},
    {SPAN("h"), 60 * 60 * 1000},
    {SPAN("d"), 24 * 60 * 60 * 1000},
};

static const struct unit sizes[] = {
    {SPAN("B"), 1},
    {SPAN("KiB"), 1024},
    {SPAN("MiB"), 1024 * 1024},
    {SPAN("GiB"), 1024 * 1024 * 1024},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum err text_read_u64(struct span text, uint64_t *number)
{
    uint64_t sum = 0;
    bool fits = true;

    if (text.len == 0) {
        return ERR_FORMAT;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(text.at[i] - '0');

        if (!is_digit(text.at[i])) {
            return ERR_FORMAT;
        }
        if (sum > UINT64_MAX / 10 || sum * 10 > UINT64_MAX - digit) {
            fits = false;
        }
        sum = sum * 10 + digit;
    }
    if (!fits) {
        return ERR_RANGE;
    }
    *number = sum;
    return ERR_NONE;
}

static enum err read_unit(struct span text, const struct unit *units, size_t count, uint64_t *value)
{
    size_t digits = 0;
    uint64_t number = 0;
    enum err err = ERR_NONE;

    while (digits < text.len && is_digit(text.at[digits])) {
        digits++;
    }
    for (size_t i = 0; i < count; i++) {
        if (!span_equal(span_from(text, digits), units[i].name)) {
            continue;
        }
        err = text_read_u64(span_make(text.at, digits), &number);
        if (err == ERR_NONE && number > UINT64_MAX / units[i].size) {
            err = ERR_RANGE;
        }
        if (err == ERR_NONE) {
            *value = number * units[i].size;
        }
        return err;
    }
    return ERR_FORMAT;
}

enum err text_read_duration(struct span text, uint64_t *ms)
{
    return read_unit(text, durations, ARRAY_LENGTH(durations), ms);
}

enum err text_read_size(struct span text, uint64_t *bytes)
{
    return read_unit(text, sizes, ARRAY_LENGTH(sizes), bytes);
}

enum err text_read_percent(struct span text, unsigned *percent)
{
    uint64_t number = 0;
    enum err err = ERR_FORMAT;

    if (text.len > 0 && text.at[text.len - 1] == '%') {
        err = text_read_u64(span_make(text.at, text.len - 1), &number);
    }
    if (err == ERR_NONE && number > 100) {
        err = ERR_RANGE;
    }
    if (err == ERR_NONE) {
        *percent = (unsigned)number;
    }
    return err;
}

/* The largest unit that leaves no rest gives the shortest text. */
static void put_unit(struct buf *buf, const struct unit *units, size_t count, uint64_t value)
{
    const struct unit *unit = &units[0];

    for (size_t i = 1; i < count && value > 0; i++) {
        if (value % units[i].size == 0) {
            unit = &units[i];
        }
    }
    buf_put_u64(buf, value / unit->size);
    buf_put(buf, unit->name);
}

void text_put_duration(struct buf *buf, uint64_t ms)
{
    if (ms == 0) {
        buf_put_text(buf, "0s");
        return;
    }
    put_unit(buf, durations, ARRAY_LENGTH(durations), ms);
}

void text_put_size(struct buf *buf, uint64_t bytes)
{
    put_unit(buf, sizes, ARRAY_LENGTH(sizes), bytes);
}

static size_t printable_run(struct span text, size_t max)
{
    size_t run = 0;

    while (run < text.len && run < max && text.at[run] >= ' ' && text.at[run] <= '~') {
        run++;
    }
    return run;
}

void text_put_printable(struct buf *buf, struct span text, size_t max)
{
    while (text.len > 0 && max > 0) {
        size_t run = printable_run(text, max);

        buf_put(buf, span_make(text.at, run));
        text = span_from(text, run < text.len ? run + 1 : run); /* without the one behind it */
        max -= run;
    }
}

/* Dates. The calendar is the Gregorian one carried back to the year 0, as RFC 3339 wants it. */

#define MS_PER_DAY   INT64_C(86400000)
#define DAYS_TO_1970 INT64_C(719528) /* from 0000-01-01 */
#define YEAR_MAX     INT64_C(9999)

enum {
    DAYS_OF_4_YEARS = 1461,
    DAYS_OF_100_YEARS = 36524,
    DAYS_OF_400_YEARS = 146097,
    DAYS_BEFORE_MARCH = 60 /* of the year 0, which is a leap year */
};

struct date {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
    unsigned hour;
    unsigned minute;
    unsigned second;
};

static const struct span months[] = {
    SPAN("Jan"), SPAN("Feb"), SPAN("Mar"), SPAN("Apr"), SPAN("May"), SPAN("Jun"),
    SPAN("Jul"), SPAN("Aug"), SPAN("Sep"), SPAN("Oct"), SPAN("Nov"), SPAN("Dec"),
};

static const struct span weekdays[] = {
    SPAN("Sunday"),   SPAN("Monday"), SPAN("Tuesday"),  SPAN("Wednesday"),
    SPAN("Thursday"), SPAN("Friday"), SPAN("Saturday"),
};

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* From 0000-01-01 to the first of January; year 0 is a leap year. year >= 0. */
static int64_t days_before_year(int64_t year)
{
    return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

static wall_ms wall_of(const struct date *date)
{
    int64_t days = days_before_year(date->year) - DAYS_TO_1970 + (int64_t)date->day - 1;
    int64_t seconds = (int64_t)date->hour * 3600 + (int64_t)date->minute * 60 + date->second;

    for (unsigned month = 1; month < date->month; month++) {
        days += days_in_month(date->year, month);
    }
    return days * MS_PER_DAY + seconds * 1000;
}

/* days: since 0000-01-01, not negative. */
static void set_day(struct date *date, int64_t days)
{
    /* In years that begin with March a leap day is the last one, and months are 153 days for each
     * five. The span of 400 years in front keeps January and February of the year 0 positive. */
    int64_t since = days + DAYS_OF_400_YEARS - DAYS_BEFORE_MARCH;
    int64_t cycle = since / DAYS_OF_400_YEARS;
    unsigned day = (unsigned)(since % DAYS_OF_400_YEARS);
    unsigned year = (day - day / (DAYS_OF_4_YEARS - 1) + day / DAYS_OF_100_YEARS -
                     day / (DAYS_OF_400_YEARS - 1)) /
                    365;
    unsigned month = 0;

    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    date->day = day - (153 * month + 2) / 5 + 1;
    date->month = month < 10 ? month + 3 : month - 9;
    date->year = cycle * 400 - 400 + (int64_t)year + (date->month < 3);
}

/* Exactly `width` digits, and what separates them from the next ones. */
static char *put_digits(char *at, unsigned number, unsigned width, char behind)
{
    for (unsigned i = width; i > 0; i--) {
        at[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    at[width] = behind;
    return at + width + 1;
}

void text_put_rfc3339(struct buf *buf, wall_ms at)
{
    const int64_t first = -DAYS_TO_1970 * MS_PER_DAY;
    const int64_t last = (days_before_year(YEAR_MAX + 1) - DAYS_TO_1970) * MS_PER_DAY - 1;
    int64_t inside = at < first ? first : at > last ? last : at;
    unsigned ms = (unsigned)((inside - first) % MS_PER_DAY);
    struct date date = {0};
    char text[sizeof "2026-11-20T15:04:05.123Z" - 1];
    char *end = text;

    set_day(&date, (inside - first) / MS_PER_DAY);
    end = put_digits(end, (unsigned)date.year, 4, '-');
    end = put_digits(end, date.month, 2, '-');
    end = put_digits(end, date.day, 2, 'T');
    end = put_digits(end, ms / 3600000, 2, ':');
    end = put_digits(end, ms / 60000 % 60, 2, ':');
    end = put_digits(end, ms / 1000 % 60, 2, '.');
    end = put_digits(end, ms % 1000, 3, 'Z');
    buf_put(buf, span_make(text, (size_t)(end - text)));
}

/* Takes exactly `width` digits off the front. */
static bool take_number(struct span *rest, size_t width, unsigned *number)
{
    uint64_t value = 0;

    if (rest->len < width || text_read_u64(span_make(rest->at, width), &value) != ERR_NONE) {
        return false;
    }
    *number = (unsigned)value;
    *rest = span_from(*rest, width);
    return true;
}

/* Takes one of the names, or its first `letters`, off the front; gives its number from 1. */
static bool take_name(struct span *rest, const struct span *names, size_t count, size_t letters,
                      unsigned *number)
{
    for (size_t i = 0; i < count; i++) {
        struct span name = names[i];

        name.len = name.len > letters ? letters : name.len;
        if (span_starts(*rest, name)) {
            *rest = span_from(*rest, name.len);
            *number = (unsigned)i + 1;
            return true;
        }
    }
    return false;
}

/* Takes what one letter of a form stands for; any other letter stands for itself. */
static bool take_part(struct span *rest, char part, struct date *date)
{
    unsigned number = 0;
    bool taken = true;

    switch (part) {
    case 'w': return take_name(rest, weekdays, ARRAY_LENGTH(weekdays), 3, &number);
    case 'W': return take_name(rest, weekdays, ARRAY_LENGTH(weekdays), SIZE_MAX, &number);
    case 'n': return take_name(rest, months, ARRAY_LENGTH(months), 3, &date->month);
    case 'N': return take_number(rest, 2, &date->month);
    case 'd': return take_number(rest, 2, &date->day);
    case 'h': return take_number(rest, 2, &date->hour);
    case 'm': return take_number(rest, 2, &date->minute);
    case 's': return take_number(rest, 2, &date->second);
    case 'b': /* a day below ten has a blank in front */
        if (rest->len > 0 && rest->at[0] == ' ') {
            *rest = span_from(*rest, 1);
            return take_number(rest, 1, &date->day);
        }
        return take_number(rest, 2, &date->day);
    case 'y':
    case 'Y':
        taken = take_number(rest, part == 'y' ? 2 : 4, &number);
        date->year = number;
        return taken;
    default: break;
    }
    taken = rest->len > 0 && rest->at[0] == part;
    *rest = span_from(*rest, 1);
    return taken;
}

static bool take_form(struct span text, const char *form, struct date *date)
{
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (!take_part(&text, form[i], date)) {
            return false;
        }
    }
    return text.len == 0;
}

/* RFC 9110, 5.6.7: a two-digit year that seems more than 50 years ahead is one of the past. */
static int64_t whole_year(int64_t short_year, wall_ms now)
{
    struct date today = {0};
    int64_t days = now / MS_PER_DAY + DAYS_TO_1970;

    set_day(&today, days < 0 ? 0 : days);
    short_year += today.year / 100 * 100;
    if (short_year > today.year + 50) {
        return short_year - 100;
    }
    return short_year <= today.year - 50 ? short_year + 100 : short_year;
}

/* The second 60 is a leap second. */
static bool is_possible(const struct date *date)
{
    return date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= days_in_month(date->year, date->month) && date->hour <= 23 &&
           date->minute <= 59 && date->second <= 60;
}

enum err text_read_http_date(struct span text, wall_ms now, wall_ms *at)
{
    struct date date = {0};

    if (take_form(text, "W, d-n-y h:m:s GMT", &date)) {
        date.year = whole_year(date.year, now);
    } else if (!take_form(text, "w, d n Y h:m:s GMT", &date) &&
               !take_form(text, "w n b h:m:s Y", &date)) {
        return ERR_FORMAT;
    }
    if (!is_possible(&date)) {
        return ERR_RANGE;
    }
    *at = wall_of(&date);
    return ERR_NONE;
}

enum err text_read_rfc3339(struct span text, wall_ms *at)
{
    const size_t whole = sizeof "2026-11-20T15:04:05" - 1;
    struct date date = {0};
    struct span rest = span_from(text, whole + 1);
    unsigned ms = 0;

    if (text.len <= whole || text.at[whole] != '.' ||
        !take_form(span_make(text.at, whole), "Y-N-dTh:m:s", &date) ||
        !take_number(&rest, 3, &ms) || !span_equal(rest, SPAN_OF("Z"))) {
        return ERR_FORMAT;
    }
    if (!is_possible(&date)) {
        return ERR_RANGE;
    }
    *at = wall_of(&date) + (wall_ms)ms;
    return ERR_NONE;
}

enum err text_read_day(struct span text, wall_ms *at)
{
    struct date date = {0};

    if (!take_form(text, "Y-N-d", &date)) {
        return ERR_FORMAT;
    }
    if (!is_possible(&date)) {
        return ERR_RANGE;
    }
    *at = wall_of(&date);
    return ERR_NONE;
}

void text_put_day(struct buf *buf, wall_ms at)
{
    enum { DAY_BYTES = 10 };
    size_t start = buf->len;

    text_put_rfc3339(buf, at);
    if (!buf->failed) {
        buf_truncate(buf, start + DAY_BYTES);
    }
}

int text_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_put_url_decoded(struct buf *buf, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '%') {
            int high = i + 2 < text.len ? text_hex_digit(text.at[i + 1]) : -1;
            int low = i + 2 < text.len ? text_hex_digit(text.at[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        buf_put_char(buf, c);
    }
    return true;
}
