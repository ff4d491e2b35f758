/* SPDX-License-Identifier: Apache-2.0 */
/* Wait hints. All arithmetic is in microseconds of an int64_t that is bounded before it grows; a
 * part of a millisecond counts as a whole one, so that nobody comes back too early. */
#include "wire/hint.h"

#include "base/must.h"
#include "base/text.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define US_PER_MS 1000
#define US_PER_SECOND ((int64_t)1000000)

enum { TELL_MAX_SECONDS = 60, FRACTION_DIGITS = 6 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* From microseconds; whatever is not between a millisecond's part and a day is no hint. */
static int64_t bounded(int64_t us)
{
    if (us <= 0 || us > DAY_MS * US_PER_MS) {
        return HINT_NONE;
    }
    return (us + US_PER_MS - 1) / US_PER_MS;
}

/* Takes "digits[.digits]" off the front, as millionths. False: no number, or a huge one. */
static bool take_decimal(struct span *text, int64_t *millionths)
{
    enum { WHOLE_MAX = 1000000000 };
    int64_t whole = 0;
    int64_t scale = 1000000;
    int64_t part = 0;
    size_t i = 0;

    for (; i < text->len && is_digit(text->at[i]); i++) {
        whole = whole * 10 + (text->at[i] - '0');
        if (whole > WHOLE_MAX) {
            return false;
        }
    }
    if (i == 0) {
        return false;
    }
    if (i + 1 < text->len && text->at[i] == '.' && is_digit(text->at[i + 1])) {
        for (i++; i < text->len && is_digit(text->at[i]); i++) {
            scale /= 10; /* digits past the sixth count for nothing */
            part += scale * (text->at[i] - '0');
        }
    }
    *millionths = whole * 1000000 + part;
    *text = span_from(*text, i);
    return true;
}

int64_t hint_of_ms(struct span text)
{
    int64_t millionths = 0;

    if (!take_decimal(&text, &millionths) || text.len > 0) {
        return HINT_NONE;
    }
    return bounded((millionths + 999) / 1000); /* millionths of a millisecond -> microseconds */
}

int64_t hint_of_seconds(struct span text)
{
    int64_t millionths = 0;

    if (!take_decimal(&text, &millionths) || text.len > 0) {
        return HINT_NONE;
    }
    return bounded(millionths);
}

/* The unit at the front of `text`: its length in the text, and how long it is. */
static size_t unit_of(struct span text, int64_t *us)
{
    static const struct {
        struct span name;
        int64_t us;
    } units[] = {
        {SPAN("ms"), US_PER_MS},
        {SPAN("us"), 1},
        {SPAN("\xc2\xb5s"), 1},
        {SPAN("h"), 3600 * US_PER_SECOND},
        {SPAN("m"), 60 * US_PER_SECOND},
        {SPAN("s"), US_PER_SECOND},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (span_starts(text, units[i].name)) {
            *us = units[i].us;
            return units[i].name.len;
        }
    }
    return 0;
}

int64_t hint_of_duration(struct span text)
{
    int64_t total = 0;

    if (text.len == 0) {
        return HINT_NONE;
    }
    while (text.len > 0) {
        int64_t millionths = 0;
        int64_t us = 0;
        size_t unit = 0;

        if (!take_decimal(&text, &millionths)) {
            return HINT_NONE;
        }
        unit = unit_of(text, &us);
        /* No part may be longer than a day: this also keeps the product small. */
        if (unit == 0 || millionths / 1000000 > DAY_MS * US_PER_MS / us) {
            return HINT_NONE;
        }
        total += millionths / 1000000 * us + millionths % 1000000 * us / 1000000;
        if (total > DAY_MS * US_PER_MS) {
            return HINT_NONE;
        }
        text = span_from(text, unit);
    }
    return bounded(total);
}

/* Exactly `count` digits at `at`. */
static bool digits_at(struct span text, size_t at, size_t count, int64_t *number)
{
    *number = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= text.len || !is_digit(text.at[i])) {
            return false;
        }
        *number = *number * 10 + (text.at[i] - '0');
    }
    return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, counted from March so that a leap day
 * is the last one of its year. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* "Z", "+hh:mm" or "-hh:mm": what it is ahead of UTC. */
static bool read_zone(struct span zone, int64_t *ahead_ms)
{
    int64_t hours = 0;
    int64_t minutes = 0;

    *ahead_ms = 0;
    if (zone.len == 1) {
        return zone.at[0] == 'Z' || zone.at[0] == 'z';
    }
    if (zone.len != 6 || (zone.at[0] != '+' && zone.at[0] != '-') || zone.at[3] != ':' ||
        !digits_at(zone, 1, 2, &hours) || !digits_at(zone, 4, 2, &minutes) || hours > 23 ||
        minutes > 59) {
        return false;
    }
    *ahead_ms = (hours * 60 + minutes) * 60000 * (zone.at[0] == '-' ? -1 : 1);
    return true;
}

/* The marks of "2026-11-20T15:04:05" in their places. */
static bool has_marks(struct span text)
{
    return text.len >= 20 && text.at[4] == '-' && text.at[7] == '-' &&
           (text.at[10] == 'T' || text.at[10] == 't') && text.at[13] == ':' && text.at[16] == ':';
}

/* "2026-11-20T15:04:05[.fraction]" and a zone. */
static bool read_moment(struct span text, wall_ms *at)
{
    enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FIELDS };
    static const struct {
        uint8_t at;
        uint8_t digits;
        uint8_t least;
        uint8_t most;
    } fields[FIELDS] = {{0, 4, 0, 255}, {5, 2, 1, 12},  {8, 2, 1, 31},
                        {11, 2, 0, 23}, {14, 2, 0, 59}, {17, 2, 0, 60}};
    int64_t f[FIELDS];
    int64_t ahead_ms = 0;
    size_t end = 19;

    if (!has_marks(text)) {
        return false;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if (!digits_at(text, fields[i].at, fields[i].digits, &f[i]) ||
            (i != YEAR && (f[i] < fields[i].least || f[i] > fields[i].most))) {
            return false;
        }
    }
    if (text.at[end] == '.') {
        for (end++; end < text.len && is_digit(text.at[end]);) {
            end++; /* less than a second: left out, the rest rounds upward */
        }
    }
    if (!read_zone(span_from(text, end), &ahead_ms)) {
        return false;
    }
    *at = days_of(f[YEAR], f[MONTH], f[DAY]) * DAY_MS +
          ((f[HOUR] * 60 + f[MINUTE]) * 60 + f[SECOND]) * 1000 - ahead_ms;
    return true;
}

static int64_t until(wall_ms at, wall_ms now)
{
    if (at <= now || at - now > DAY_MS) {
        return HINT_NONE;
    }
    return at - now;
}

int64_t hint_of_moment(struct span text, wall_ms now)
{
    wall_ms at = 0;

    return read_moment(text, &at) ? until(at, now) : HINT_NONE;
}

static struct span value_of(const struct http1_head *head, const char *base, struct span name)
{
    int i = http1_find(head, base, name, 0);

    return i < 0 ? span_make(NULL, 0) : http1_value(head, base, (size_t)i);
}

static int64_t of_retry_after(struct span text, wall_ms now)
{
    int64_t wait = hint_of_seconds(text);
    wall_ms at = 0;

    if (wait == HINT_NONE && text_read_http_date(text, now, &at) == ERR_NONE) {
        wait = until(at, now);
    }
    return wait;
}

/* A limit that providers report: how much is left of it, when it is full again. */
struct reported {
    struct span remaining;
    struct span reset;
};

/* The reset of the limit that is used up (the longest of those). When none says so, the shortest of
 * all: it is not known which one said no, and a reset tells of the full refill, not of the next
 * free place. */
static int64_t of_resets(const struct http1_head *head, const char *base,
                         const struct reported *limits, size_t count, wall_ms now)
{
    int64_t shortest = HINT_NONE;
    int64_t used_up = HINT_NONE;

    for (size_t i = 0; i < count; i++) {
        struct span text = value_of(head, base, limits[i].reset);
        int64_t wait = hint_of_duration(text);
        if (wait == HINT_NONE) {
            wait = hint_of_seconds(text);
        }
        if (wait == HINT_NONE) {
            wait = hint_of_moment(text, now);
        }
        if (wait == HINT_NONE) {
            continue;
        }
        if (span_equal(value_of(head, base, limits[i].remaining), SPAN_OF("0")) &&
            wait > used_up) {
            used_up = wait;
        }
        if (shortest == HINT_NONE || wait < shortest) {
            shortest = wait;
        }
    }
    return used_up == HINT_NONE ? shortest : used_up;
}

static int64_t of_reported(const struct http1_head *head, const char *base, wall_ms now)
{
    static const struct reported openai[] = {
        {SPAN("x-ratelimit-remaining-requests"), SPAN("x-ratelimit-reset-requests")},
        {SPAN("x-ratelimit-remaining-tokens"), SPAN("x-ratelimit-reset-tokens")},
    };
    static const struct reported anthropic[] = {
        {SPAN("anthropic-ratelimit-requests-remaining"),
         SPAN("anthropic-ratelimit-requests-reset")},
        {SPAN("anthropic-ratelimit-tokens-remaining"), SPAN("anthropic-ratelimit-tokens-reset")},
        {SPAN("anthropic-ratelimit-input-tokens-remaining"),
         SPAN("anthropic-ratelimit-input-tokens-reset")},
        {SPAN("anthropic-ratelimit-output-tokens-remaining"),
         SPAN("anthropic-ratelimit-output-tokens-reset")},
    };
    int64_t wait = of_resets(head, base, openai, ARRAY_LENGTH(openai), now);

    return wait != HINT_NONE ? wait
                             : of_resets(head, base, anthropic, ARRAY_LENGTH(anthropic), now);
}

int64_t hint_wait_ms(const struct http1_head *head, const char *base, struct span retry_delay,
                     wall_ms now)
{
    int64_t wait = hint_of_ms(value_of(head, base, SPAN_OF("retry-after-ms")));

    if (wait == HINT_NONE) {
        wait = hint_of_ms(value_of(head, base, SPAN_OF("x-ms-retry-after-ms")));
    }
    if (wait == HINT_NONE) {
        wait = of_retry_after(value_of(head, base, SPAN_OF("retry-after")), now);
    }
    if (wait == HINT_NONE) {
        wait = hint_of_duration(retry_delay);
    }
    return wait != HINT_NONE ? wait : of_reported(head, base, now);
}

struct hint_told hint_tell(int64_t wait_ms)
{
    must(wait_ms > 0);
    if (wait_ms > TELL_MAX_SECONDS * 1000) {
        return (struct hint_told){
            .seconds = TELL_MAX_SECONDS, .ms = TELL_MAX_SECONDS * 1000, .is_capped = true};
    }
    return (struct hint_told){.seconds = (uint32_t)((wait_ms + 999) / 1000),
                              .ms = (uint32_t)wait_ms};
}
