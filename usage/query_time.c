/* SPDX-License-Identifier: Apache-2.0 */
/* usage/query_time.c: which stretch of time a question means. A word or a day names a stretch:
 * `from` takes its begin and `to` its end, so that a day as both is that day. */
#include "base/date.h"
#include "base/text.h"
#include "usage/query.h"

enum { DAILY_DAYS = 30 };

struct stretch {
    wall_ms begin;
    wall_ms end;
};

static wall_ms day_begin(const struct zone *zone, int64_t day)
{
    return zone_day_begin(zone, day) * 1000;
}

static struct stretch days(const struct zone *zone, int64_t first, int64_t end)
{
    return (struct stretch){day_begin(zone, first), day_begin(zone, end)};
}

static struct stretch month_of(const struct zone *zone, int64_t day)
{
    struct date date = date_from_days(day);
    int64_t first = day - (int64_t)date.day + 1;

    return days(zone, first, first + (int64_t)date_month_length(date.year, date.month));
}

static bool read_stretch(struct span text, const struct zone *zone, wall_ms now,
                         struct stretch *stretch)
{
    int64_t today = zone_day_of(zone, date_floor(now, 1000));
    uint64_t ms = 0;
    wall_ms at = 0;

    if (span_equal(text, SPAN_OF("today"))) {
        *stretch = days(zone, today, today + 1);
    } else if (span_equal(text, SPAN_OF("yesterday"))) {
        *stretch = days(zone, today - 1, today);
    } else if (span_equal(text, SPAN_OF("this_month"))) {
        *stretch = month_of(zone, today);
    } else if (text_read_day(text, &at) == ERR_NONE) {
        int64_t day = date_floor(at, INT64_C(1000) * DATE_DAY_S);

        *stretch = days(zone, day, day + 1);
    } else if (date_read_time(text, &at) == ERR_NONE) {
        *stretch = (struct stretch){at, at};
    } else if (text_read_duration(text, &ms) == ERR_NONE && ms <= (uint64_t)now) {
        *stretch = (struct stretch){now - (wall_ms)ms, now - (wall_ms)ms};
    } else {
        return false;
    }
    return true;
}

static wall_ms default_from(const struct query *query, const struct zone *zone, wall_ms now)
{
    int64_t today = zone_day_of(zone, date_floor(now, 1000));

    switch (query->kind) {
    case QUERY_SUMMARY: return month_of(zone, today).begin;
    case QUERY_HISTORY: return now - INT64_C(1000) * DATE_DAY_S;
    case QUERY_DAILY: return day_begin(zone, today - DAILY_DAYS + 1);
    case QUERY_CALLS:
    case QUERY_TRACE:
    case QUERY_KINDS: break;
    }
    return 0;
}

static enum err complain(const char *name, struct why *why)
{
    why_set(why,
            "%s: takes a time (2026-11-20T15:00:00Z), a day (2026-11-20), a duration before now "
            "(24h, 7d), today, yesterday or this_month",
            name);
    return ERR_FORMAT;
}

/* Sums are kept by the quarter of an hour. */
static void align(struct query *query)
{
    if (query->kind != QUERY_CALLS) {
        query->from = date_floor(query->from, QUARTER_MS) * QUARTER_MS;
        query->to = date_floor(query->to + QUARTER_MS - 1, QUARTER_MS) * QUARTER_MS;
    }
}

enum err query_resolve(struct query *query, const struct zone *zone, wall_ms now, struct why *why)
{
    struct stretch from = {.begin = default_from(query, zone, now)};
    struct stretch to = {.end = now + 1};

    if (query->from_text.len > 0 && !read_stretch(query->from_text, zone, now, &from)) {
        return complain("from", why);
    }
    if (query->to_text.len > 0 && !read_stretch(query->to_text, zone, now, &to)) {
        return complain("to", why);
    }
    query->from = from.begin;
    query->to = to.end;
    if (query->from >= query->to) {
        why_set(why, "from: is not before `to`; change one of them");
        return ERR_FORMAT;
    }
    align(query);
    return ERR_NONE;
}
