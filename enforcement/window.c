/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/window.c: edges of the local clock as instants. There are two kinds of them.
 *
 * Days and longer begin when the clock first shows their first midnight or more. A clock that is turned
 * back over midnight shows the end of the old day twice; who has begun the new day stays in it, so
 * every date has one window, and the windows follow one another without a gap.
 *
 * Hours and minutes begin whenever the clock shows a full one or is turned forward over it, also a
 * second time. So the hour that a clock repeats is one of its own, and all are as long as ever where
 * clocks are turned by a whole hour at a full hour. Elsewhere those around a turn have between 15 and 90
 * minutes (Chatham turns at a quarter to three, Lord Howe by half an hour). */
#include "enforcement/window.h"

#include "base/date.h"
#include "base/must.h"
#include "base/text.h"

#define MINUTE_MS UINT64_C(60000)
#define ROLLING_MAX_MS (UINT64_C(366) * 24 * 60 * MINUTE_MS)

/* Some 142,000 years on either side of 1970. What lies beyond is one window: a clock may lie, but must
 * not make sums overflow. */
#define REACH_MS (INT64_C(1) << 52)

/* A file of the zone database may turn the clock as often as it likes; ours do so twice a year. */
enum { TURNS_MAX = 64, WALK_MAX = 16 };

static const struct span words[] = {
    [WINDOW_TOTAL] = SPAN("total"), [WINDOW_MINUTE] = SPAN("minute"),
    [WINDOW_HOUR] = SPAN("hour"),   [WINDOW_DAY] = SPAN("day"),
    [WINDOW_WEEK] = SPAN("week"),   [WINDOW_MONTH] = SPAN("month"),
    [WINDOW_YEAR] = SPAN("year"),
};

enum err window_read(struct span text, struct window_rule *rule)
{
    uint64_t length = 0;
    enum err err = ERR_NONE;

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equal(text, words[i])) {
            rule->kind = (enum window_kind)i;
            rule->length_ms = 0;
            return ERR_NONE;
        }
    }
    if (!span_starts(text, SPAN_OF("rolling:"))) {
        return ERR_FORMAT;
    }
    err = text_read_duration(span_from(text, sizeof "rolling:" - 1), &length);
    if (err == ERR_NONE &&
        (length < MINUTE_MS || length > ROLLING_MAX_MS || length % WINDOW_PARTS != 0)) {
        err = ERR_RANGE;
    }
    if (err == ERR_NONE) {
        rule->kind = WINDOW_ROLLING;
        rule->length_ms = length;
    }
    return err;
}

/* All times below are seconds since 1970. */
struct stretch_of_time {
    int64_t begin;
    int64_t end;
};

static struct zone_stretch ask(const struct zone *zone, int64_t at)
{
    return zone == NULL ? (struct zone_stretch){.until = INT64_MAX} : zone_at(zone, at);
}

/* ---- hours and minutes ---- */

/* The first edge after `at`. */
static int64_t next_edge(const struct zone *zone, int64_t at, int64_t length)
{
    struct zone_stretch stretch = ask(zone, at);

    for (int i = 0; i < TURNS_MAX; i++) {
        int64_t count = date_floor(at + stretch.offset_s, length);
        int64_t edge = (count + 1) * length - stretch.offset_s;

        if (edge < stretch.until) {
            return edge;
        }
        at = stretch.until; /* so the clock has not left the hour of `count` when it is turned */
        stretch = ask(zone, at);
        if (at + stretch.offset_s >= (count + 1) * length ||
            (at + stretch.offset_s) % length == 0) {
            return at;
        }
    }
    return at;
}

static struct stretch_of_time short_window(const struct zone *zone, int64_t now, int64_t length)
{
    struct zone_stretch stretch = ask(zone, now);
    int64_t shown = now + stretch.offset_s;
    int64_t begin = date_floor(shown, length) * length - stretch.offset_s;
    int64_t end = next_edge(zone, now, length);

    if (ask(zone, begin).until > now) {
        return (struct stretch_of_time){begin, end};
    }
    /* The clock was turned meanwhile. No two edges are twice the length apart. */
    begin = now - 2 * length;
    for (int i = 0; i < WALK_MAX; i++) {
        int64_t edge = next_edge(zone, begin, length);

        if (edge > now) {
            break;
        }
        begin = edge;
    }
    return (struct stretch_of_time){begin, end};
}

/* ---- days and longer ---- */

/* The first day of the window that holds the day, and of the next one. */
static void days_around(const struct window_rule *rule, int64_t day, int64_t *first, int64_t *next)
{
    struct date date = date_from_days(day);

    switch (rule->kind) {
    case WINDOW_WEEK: /* 1970-01-01 was a Thursday */
        *first = date_floor(day + 3 - rule->week_begins, 7) * 7 - 3 + rule->week_begins;
        *next = *first + 7;
        return;
    case WINDOW_MONTH:
        *first = day - (int64_t)date.day + 1;
        *next = *first + date_month_length(date.year, date.month);
        return;
    case WINDOW_YEAR:
        *first = date_to_days(&(struct date){.year = date.year, .month = 1, .day = 1});
        *next = date_to_days(&(struct date){.year = date.year + 1, .month = 1, .day = 1});
        return;
    case WINDOW_DAY:
    case WINDOW_TOTAL:
    case WINDOW_MINUTE:
    case WINDOW_HOUR:
    case WINDOW_ROLLING: break;
    }
    *first = day;
    *next = day + 1;
}

static int64_t day_begin(const struct zone *zone, int64_t day)
{
    return zone == NULL ? day * DATE_DAY_S : zone_day_begin(zone, day);
}

static struct stretch_of_time long_window(const struct window_rule *rule, int64_t now)
{
    int64_t day = date_floor(now + ask(rule->zone, now).offset_s, DATE_DAY_S);
    int64_t next = 0;
    int64_t end = 0;

    days_around(rule, day, &day, &next);
    end = day_begin(rule->zone, next);
    /* Turned back over the edge: the clock shows the old day, but the new one has begun. */
    while (end <= now) {
        days_around(rule, next, &day, &next);
        end = day_begin(rule->zone, next);
    }
    return (struct stretch_of_time){day_begin(rule->zone, day), end};
}

/* ---- */

static int64_t clip(int64_t at)
{
    return at < -REACH_MS ? -REACH_MS : at > REACH_MS ? REACH_MS : at;
}

static void put_seconds(struct stretch_of_time seconds, struct window *window)
{
    window->begin = clip(seconds.begin * 1000);
    window->end = clip(seconds.end * 1000);
}

static void put_part(int64_t part, wall_ms now, struct window *window)
{
    window->begin = clip(date_floor(now, part) * part);
    window->end = clip((date_floor(now, part) + 1) * part);
}

void window_at(const struct window_rule *rule, wall_ms now, struct window *window)
{
    int64_t second = date_floor(now, 1000);

    if (rule->kind == WINDOW_TOTAL) {
        /* Nobody's clock is before 1970; a begin of zero keeps the length in 64 bits. */
        *window = now < 0 ? (struct window){INT64_MIN, 0} : (struct window){0, INT64_MAX};
        return;
    }
    if (now < -REACH_MS || now >= REACH_MS) {
        *window = now < 0 ? (struct window){INT64_MIN, -REACH_MS}
                          : (struct window){REACH_MS, INT64_MAX};
        return;
    }
    switch (rule->kind) {
    case WINDOW_MINUTE: put_seconds(short_window(rule->zone, second, 60), window); return;
    case WINDOW_HOUR: put_seconds(short_window(rule->zone, second, 3600), window); return;
    case WINDOW_DAY:
    case WINDOW_WEEK:
    case WINDOW_MONTH:
    case WINDOW_YEAR: put_seconds(long_window(rule, second), window); return;
    case WINDOW_ROLLING: put_part((int64_t)(rule->length_ms / WINDOW_PARTS), now, window); return;
    case WINDOW_TOTAL: break;
    }
    UNREACHABLE();
}
