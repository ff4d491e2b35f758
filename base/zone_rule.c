/* SPDX-License-Identifier: Apache-2.0 */
/* base/zone_rule.c: POSIX.1-2017, chapter 8.3 (TZ), with the hours from -167 to 167 of RFC 9636. A
 * rule counts hours west of Greenwich; we count seconds east of it. */
#include "base/zone_rule.h"

#include "base/date.h"

enum { HOURS_OFFSET_MAX = 24, HOURS_TURN_MAX = 167, TURN_DEFAULT_S = 2 * 3600, SUMMER_S = 3600 };

static bool take(struct span *text, char c)
{
    if (text->len == 0 || text->at[0] != c) {
        return false;
    }
    *text = span_from(*text, 1);
    return true;
}

static bool take_number(struct span *text, int32_t max, int32_t *number)
{
    size_t digits = 0;
    int32_t sum = 0;

    while (digits < text->len && digits < 3 && text->at[digits] >= '0' && text->at[digits] <= '9') {
        sum = sum * 10 + (text->at[digits] - '0');
        digits++;
    }
    *text = span_from(*text, digits);
    *number = sum;
    return digits > 0 && sum <= max;
}

/* "CET", or "<+03>". */
static bool take_name(struct span *text)
{
    size_t len = 0;
    bool is_quoted = take(text, '<');

    while (len < text->len) {
        char c = text->at[len];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!is_letter && !(is_quoted && (c == '+' || c == '-' || (c >= '0' && c <= '9')))) {
            break;
        }
        len++;
    }
    *text = span_from(*text, len);
    return len >= 3 && (!is_quoted || take(text, '>'));
}

/* "-1", "5:30", "+02:00:00", in seconds. */
static bool take_time(struct span *text, int32_t hours_max, int32_t *seconds)
{
    int32_t parts[3] = {0, 0, 0};
    bool is_negative = take(text, '-');

    if (!is_negative) {
        (void)take(text, '+');
    }
    if (!take_number(text, hours_max, &parts[0])) {
        return false;
    }
    for (int i = 1; i < 3 && take(text, ':'); i++) {
        if (!take_number(text, 59, &parts[i])) {
            return false;
        }
    }
    *seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2];
    *seconds = is_negative ? -*seconds : *seconds;
    return true;
}

static bool take_day(struct span *text, struct zone_turn *turn)
{
    int32_t month = 0;
    int32_t week = 0;
    int32_t day = 0;

    if (take(text, 'M')) {
        if (!take_number(text, 12, &month) || !take(text, '.') || !take_number(text, 5, &week) ||
            !take(text, '.') || !take_number(text, 6, &day) || month == 0 || week == 0) {
            return false;
        }
        turn->form = 'M';
    } else if (take(text, 'J')) {
        if (!take_number(text, 365, &day) || day == 0) {
            return false;
        }
        turn->form = 'J';
    } else if (take_number(text, 365, &day)) {
        turn->form = 'n';
    } else {
        return false;
    }
    turn->month = (uint8_t)month;
    turn->week = (uint8_t)week;
    turn->day = (uint16_t)day;
    return true;
}

static bool take_turn(struct span *text, struct zone_turn *turn)
{
    turn->time_s = TURN_DEFAULT_S;
    return take(text, ',') && take_day(text, turn) &&
           (!take(text, '/') || take_time(text, HOURS_TURN_MAX, &turn->time_s));
}

bool zone_rule_read(struct zone *zone, struct span text)
{
    int32_t west = 0;

    if (!take_name(&text) || !take_time(&text, HOURS_OFFSET_MAX, &west)) {
        return false;
    }
    zone->has_rule = true;
    zone->offset_s = -west;
    if (text.len == 0) {
        return true;
    }
    zone->has_summer = true;
    zone->summer_s = zone->offset_s + SUMMER_S;
    if (!take_name(&text)) {
        return false;
    }
    if (text.len > 0 && text.at[0] != ',') {
        if (!take_time(&text, HOURS_OFFSET_MAX, &west)) {
            return false;
        }
        zone->summer_s = -west;
    }
    return take_turn(&text, &zone->begin) && take_turn(&text, &zone->end) && text.len == 0;
}

/* ---- asking ---- */

static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    return date_to_days(&(struct date){.year = year, .month = month, .day = day});
}

static int64_t weekday_in_month(const struct zone_turn *turn, int64_t year)
{
    int64_t first = days_of(year, turn->month, 1);
    int64_t weekday = first + 4 - date_floor(first + 4, 7) * 7; /* 1970-01-01 was a Thursday */
    int64_t day = ((int64_t)turn->day - weekday + 7) % 7 + 7 * ((int64_t)turn->week - 1);

    return first + (day >= (int64_t)date_month_length(year, turn->month) ? day - 7 : day);
}

/* When the turn comes in this year, by a clock that is ahead of UTC by offset_s before it. */
static int64_t turn_at(const struct zone_turn *turn, int64_t year, int32_t offset_s)
{
    int64_t day = 0;

    switch (turn->form) {
    case 'M': day = weekday_in_month(turn, year); break;
    case 'J':
        day = days_of(year, 1, 1) + turn->day - 1;
        day += turn->day >= 60 && date_month_length(year, 2) == 29 ? 1 : 0;
        break;
    default: day = days_of(year, 1, 1) + turn->day; break;
    }
    return day * DATE_DAY_S + turn->time_s - offset_s;
}

/* What is known of the turns around a moment: the last one and the next one. */
struct around {
    int64_t at;
    int64_t last;
    struct zone_stretch stretch;
};

/* Turns at the same moment: the later one told wins, which is the begin of summer: so a summer that
 * lasts the whole year has no gap. */
static void tell(struct around *around, int64_t turn, int32_t offset_s)
{
    if (turn <= around->at && turn >= around->last) {
        around->last = turn;
        around->stretch.offset_s = offset_s;
    } else if (turn > around->at && turn < around->stretch.until) {
        around->stretch.until = turn;
    }
}

struct zone_stretch zone_rule_at(const struct zone *zone, int64_t at)
{
    struct around around = {
        .at = at, .last = INT64_MIN, .stretch = {.until = INT64_MAX, .offset_s = zone->offset_s}};
    int64_t year = 0;

    if (!zone->has_summer) {
        return around.stretch;
    }
    year = date_from_days(date_floor(at, DATE_DAY_S)).year;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        tell(&around, turn_at(&zone->end, y, zone->summer_s), zone->offset_s);
        tell(&around, turn_at(&zone->begin, y, zone->offset_s), zone->summer_s);
    }
    return around.stretch;
}
