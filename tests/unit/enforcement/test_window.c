/* SPDX-License-Identifier: Apache-2.0 */
/* Windows against what another reader of the same zones says (tests/data/zones/make.py), and against
 * the law that they follow one another without gap and overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/date.h"
#include "enforcement/window.h"

enum { HOUR_S = 3600, KINDS = 7 };

static const struct window_rule rules[KINDS] = {
    {.kind = WINDOW_MINUTE},
    {.kind = WINDOW_HOUR},
    {.kind = WINDOW_DAY},
    {.kind = WINDOW_WEEK},
    {.kind = WINDOW_WEEK, .week_begins = 6},
    {.kind = WINDOW_MONTH},
    {.kind = WINDOW_YEAR},
};

struct file {
    char name[64];
    char bytes[ZONE_FILE_MAX];
    struct zone zone;
};

static void load(struct file *file, const char *name)
{
    char path[160];
    size_t len = 0;
    FILE *stream = NULL;

    if (strcmp(file->name, name) == 0) {
        return;
    }
    (void)snprintf(path, sizeof(path), "tests/data/zones/%s.tzif", name);
    (void)snprintf(file->name, sizeof(file->name), "%s", name);
    stream = fopen(path, "rb");
    assert_non_null(stream);
    len = fread(file->bytes, 1, sizeof(file->bytes), stream);
    (void)fclose(stream);
    assert_int_equal(zone_read(&file->zone, span_make(file->bytes, len)), ERR_NONE);
}

static wall_ms at_utc(int64_t year, unsigned month, unsigned day)
{
    struct date date = {.year = year, .month = month, .day = day};

    return date_to_days(&date) * DATE_DAY_S * 1000;
}

static struct window ask(struct window_rule rule, wall_ms now)
{
    struct window window;
    struct window again;

    window_at(&rule, now, &window);
    assert_true(window.begin <= now && now < window.end);
    window_at(&rule, window.begin, &again);
    assert_memory_equal(&window, &again, sizeof(window));
    window_at(&rule, window.end - 1, &again);
    assert_memory_equal(&window, &again, sizeof(window));
    return window;
}

/* From window to window; each instant in between belongs to exactly one. Gives how many. */
static int walk(struct window_rule rule, wall_ms from, wall_ms to)
{
    struct window window = ask(rule, from);
    int count = 1;

    for (; window.end < to; count++) {
        struct window next;
        struct window again;

        window_at(&rule, window.end, &next);
        assert_true(next.begin == window.end && next.end > next.begin);
        window_at(&rule, next.begin + (next.end - next.begin) / 3, &again);
        assert_memory_equal(&next, &again, sizeof(next));
        window_at(&rule, next.end - 1, &again);
        assert_memory_equal(&next, &again, sizeof(next));
        window = next;
    }
    return count;
}

/* ---- every change of 2020 to 2030, and of 2040 and 2099 ---- */

static void check_turn(const struct zone *zone, long long turn, char *words)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct window_rule rule = rules[i];
        struct window window;
        long long before = strtoll(words, &words, 10);
        bool is_edge = *words == '*';
        long long after = strtoll(words + 1, &words, 10);

        rule.zone = zone;
        window = ask(rule, turn * 1000 - 1);
        assert_int_equal(window.begin, (turn - before) * 1000);
        assert_int_equal(window.end, (is_edge ? turn : turn + after) * 1000);
        window = ask(rule, turn * 1000);
        assert_int_equal(window.begin, (is_edge ? turn : turn - before) * 1000);
        assert_int_equal(window.end, (turn + after) * 1000);
    }
}

static void windows__are_what_the_other_reader_says(void **state)
{
    static struct file file;
    FILE *answers = fopen("tests/data/zones/windows.txt", "r");
    char line[256];
    char name[64];
    long long turn = 0;
    int words = 0;
    int turns = 0;

    (void)state;
    assert_non_null(answers);
    while (fgets(line, sizeof(line), answers) != NULL) {
        if (line[0] == '#') {
            continue;
        }
        assert_int_equal(sscanf(line, "%63s %lld %n", name, &turn, &words), 2);
        load(&file, name);
        check_turn(&file.zone, turn, line + words);
        for (size_t i = 0; i < KINDS; i++) {
            struct window_rule rule = rules[i];
            int64_t reach = rule.kind == WINDOW_MINUTE ? HOUR_S : 30 * HOUR_S;

            rule.zone = &file.zone;
            assert_true(walk(rule, (turn - reach) * 1000, (turn + reach) * 1000) > 0);
        }
        turns++;
    }
    (void)fclose(answers);
    assert_true(turns > 400);
}

/* All zones, also those that change nothing. */
static void windows__follow_one_another(void **state)
{
    static const char *const zones[] = {
        "Africa_Cairo", "Africa_Casablanca", "Africa_Johannesburg", "America_Anchorage",
        "America_Argentina_Buenos_Aires", "America_Asuncion", "America_Caracas", "America_Chicago",
        "America_Havana", "America_Los_Angeles", "America_New_York", "America_Nuuk",
        "America_Santiago", "America_Sao_Paulo", "America_St_Johns", "Asia_Gaza", "Asia_Jerusalem",
        "Asia_Kathmandu", "Asia_Kolkata", "Asia_Shanghai", "Asia_Tehran", "Asia_Tokyo",
        "Australia_Eucla", "Australia_Lord_Howe", "Australia_Sydney", "Europe_Berlin",
        "Europe_Dublin", "Europe_London", "Europe_Moscow", "Pacific_Apia", "Pacific_Chatham",
        "Pacific_Kiritimati"};
    static struct file file;

    (void)state;
    for (size_t z = 0; z < ARRAY_LENGTH(zones); z++) {
        load(&file, zones[z]);
        for (size_t i = 2; i < KINDS; i++) {
            struct window_rule rule = rules[i];
            int count = 0;

            rule.zone = &file.zone;
            count = walk(rule, at_utc(2019, 12, 28), at_utc(2031, 1, 4));
            assert_true(rule.kind != WINDOW_YEAR || count == 13);
            assert_true(rule.kind != WINDOW_MONTH || count == 134);
            assert_true(rule.kind != WINDOW_DAY || count == 4025 || count == 4026);
        }
    }
}

/* Hours and minutes around each turn. */
static void walk_turns(const struct zone *zone, wall_ms from, wall_ms to)
{
    for (int64_t turn = zone_at(zone, from / 1000).until; turn < to / 1000;
         turn = zone_at(zone, turn).until) {
        for (size_t i = 0; i < 2; i++) {
            struct window_rule rule = rules[i];

            rule.zone = zone;
            (void)walk(rule, (turn - 3 * HOUR_S) * 1000, (turn + 3 * HOUR_S) * 1000);
        }
    }
}

/* What was turned when nobody thought of us: days repeated and left out, offsets with seconds, a clock
 * that falls back over midnight. */
static void windows__follow_one_another_in_the_past(void **state)
{
    static const char *const zones[] = {"America_Anchorage", "Pacific_Apia", "America_St_Johns",
                                        "Europe_Dublin", "Africa_Cairo", "America_Sao_Paulo"};
    static const int64_t years[] = {1845, 1867, 1892, 1911, 1919, 1945, 1969, 1987, 1989, 2011};
    static struct file file;

    (void)state;
    for (size_t z = 0; z < ARRAY_LENGTH(zones); z++) {
        load(&file, zones[z]);
        for (size_t y = 0; y < ARRAY_LENGTH(years); y++) {
            for (size_t i = 2; i < KINDS; i++) {
                struct window_rule rule = rules[i];

                rule.zone = &file.zone;
                assert_true(walk(rule, at_utc(years[y], 1, 1), at_utc(years[y] + 1, 2, 1)) > 1);
            }
            walk_turns(&file.zone, at_utc(years[y], 1, 1), at_utc(years[y] + 1, 2, 1));
        }
    }
}

/* St. John's turned its clocks at one minute past midnight: the new day had begun, then the clock showed
 * the old one again. */
static void a_day_that_has_begun__does_not_end_again(void **state)
{
    static struct file file;
    struct window_rule rule = {.kind = WINDOW_DAY, .zone = &file.zone};
    const wall_ms midnight = at_utc(2010, 11, 7) + (2 * HOUR_S + 1800) * 1000;

    (void)state;
    load(&file, "America_St_Johns");
    assert_int_equal(ask(rule, midnight - 1).end, midnight);
    assert_int_equal(ask(rule, midnight + 30 * 60 * 1000).begin, midnight);
    assert_int_equal(ask(rule, midnight).end - midnight, 25 * HOUR_S * 1000);
    rule.kind = WINDOW_HOUR;
    assert_int_equal(ask(rule, midnight + 61 * 1000).end - midnight, HOUR_S * 1000);
}

static void hours__are_hours_but_where_clocks_turn_by_half(void **state)
{
    static struct file file;
    struct window_rule rule = {.kind = WINDOW_HOUR, .zone = &file.zone};
    struct window window;

    (void)state;
    load(&file, "Europe_Berlin");
    for (wall_ms at = at_utc(2026, 1, 1); at < at_utc(2027, 1, 1); at = window.end) {
        window = ask(rule, at);
        assert_int_equal(window.end - window.begin, HOUR_S * 1000);
    }
    load(&file, "Australia_Lord_Howe");
    window = ask(rule, at_utc(2026, 4, 4) + 15 * HOUR_S * 1000); /* 2:00 becomes 1:30 */
    assert_int_equal(window.begin, at_utc(2026, 4, 4) + 14 * HOUR_S * 1000);
    assert_int_equal(window.end - window.begin, 90 * 60 * 1000);
    window = ask(rule, at_utc(2026, 10, 3) + (15 * HOUR_S + 1800) * 1000); /* 2:00 becomes 2:30 */
    assert_int_equal(window.begin, at_utc(2026, 10, 3) + (15 * HOUR_S + 1800) * 1000);
    assert_int_equal(window.end - window.begin, 30 * 60 * 1000);
}

static void windows__know_the_calendar(void **state)
{
    static const unsigned lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct window_rule rule = {.kind = WINDOW_MONTH};
    struct window window;

    (void)state;
    window.end = at_utc(2028, 1, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        window = ask(rule, window.end);
        assert_int_equal((window.end - window.begin) / 1000, lengths[i] * DATE_DAY_S);
    }
    assert_int_equal(window.end, at_utc(2029, 1, 1));
    assert_int_equal(ask(rule, at_utc(2026, 2, 28)).end, at_utc(2026, 3, 1));
    assert_int_equal(ask(rule, at_utc(2100, 2, 28)).end, at_utc(2100, 3, 1));
    rule.kind = WINDOW_DAY;
    assert_int_equal(ask(rule, at_utc(2028, 2, 29)).end, at_utc(2028, 3, 1));
    rule.kind = WINDOW_YEAR;
    assert_int_equal(ask(rule, at_utc(2028, 6, 1)).end, at_utc(2029, 1, 1));
    rule.kind = WINDOW_WEEK;
    for (uint8_t begins = 0; begins < 7; begins++) {
        rule.week_begins = begins; /* 2026-11-23 was a Monday */
        assert_int_equal(ask(rule, at_utc(2026, 11, 29)).begin, at_utc(2026, 11, 23 + begins));
        assert_int_equal(ask(rule, at_utc(2026, 11, 22)).end, at_utc(2026, 11, 23) +
                         begins * INT64_C(1000) * DATE_DAY_S);
    }
}

static void rolling_windows__have_24_parts(void **state)
{
    struct window_rule rule = {.kind = WINDOW_TOTAL};
    struct window window;

    (void)state;
    assert_int_equal(window_read(SPAN_OF("rolling:24h"), &rule), ERR_NONE);
    window = ask(rule, at_utc(2026, 11, 29) + 12345678);
    assert_int_equal(window.begin, at_utc(2026, 11, 29) + 3 * HOUR_S * 1000);
    assert_int_equal(window.end - window.begin, HOUR_S * 1000);
    assert_int_equal(window_read(SPAN_OF("rolling:1m"), &rule), ERR_NONE);
    assert_int_equal(walk(rule, at_utc(1969, 12, 31), at_utc(1970, 1, 2)), 2 * 1440 * 24);
}

static void windows__bear_any_time(void **state)
{
    static const wall_ms times[] = {INT64_MIN, INT64_MIN + 1, -(INT64_C(1) << 52) - 1,
                                    -(INT64_C(1) << 52), -1, 0, 1, (INT64_C(1) << 52) - 1,
                                    INT64_C(1) << 52, INT64_MAX - 1};
    static struct file file;
    struct window_rule total = {.kind = WINDOW_TOTAL};
    struct window_rule rolling = {.kind = WINDOW_ROLLING, .length_ms = 24 * HOUR_S * 1000};

    (void)state;
    load(&file, "Australia_Lord_Howe");
    for (size_t t = 0; t < ARRAY_LENGTH(times); t++) {
        for (size_t i = 0; i < KINDS; i++) {
            struct window_rule rule = rules[i];

            (void)ask(rule, times[t]);
            rule.zone = &file.zone;
            (void)ask(rule, times[t]);
        }
        (void)ask(total, times[t]);
        (void)ask(rolling, times[t]);
    }
    assert_true(ask(total, at_utc(2026, 11, 29)).end == INT64_MAX);
    assert_int_equal(ask(total, at_utc(2026, 11, 29)).begin, 0);
    for (size_t i = 2; i < KINDS; i++) {
        struct window_rule rule = rules[i];

        rule.zone = &file.zone;
        (void)walk(rule, at_utc(1969, 1, 1), at_utc(1971, 1, 1));
        (void)walk(rule, at_utc(2399, 1, 1), at_utc(2401, 1, 1));
        (void)walk(rule, at_utc(142000, 1, 1), at_utc(142001, 1, 1));
    }
}

/* A zone file that lies may make windows of any length, but they hold the moment asked for. */
static void hostile_zones__do_no_harm(void **state)
{
    static struct file good;
    static char bytes[ZONE_FILE_MAX];
    FILE *stream = fopen("tests/data/zones/America_Caracas.tzif", "rb");
    size_t len = 0;
    unsigned seed = 1;
    int read = 0;

    (void)state;
    assert_non_null(stream);
    len = fread(good.bytes, 1, sizeof(good.bytes), stream);
    (void)fclose(stream);
    for (int i = 0; i < 3000; i++) {
        struct zone zone;

        memcpy(bytes, good.bytes, len);
        for (int n = 0; n < 1 + i % 3; n++) {
            seed = seed * 1103515245u + 12345u;
            bytes[(seed >> 8) % len] = (char)(seed >> 24);
        }
        read += zone_read(&zone, span_make(bytes, len)) == ERR_NONE ? 1 : 0;
        for (size_t k = 0; k < KINDS; k++) {
            struct window_rule rule = rules[k];
            struct window window;
            int64_t turn = zone_at(&zone, (int64_t)(seed % 4000000000u) - 2000000000).until;

            rule.zone = &zone;
            for (int64_t at = -3; at < 4 && turn < INT64_C(1) << 40; at++) {
                wall_ms now = turn * 1000 + at * 600000;

                window_at(&rule, now, &window);
                assert_true(window.begin <= now && now < window.end);
            }
        }
    }
    assert_true(read > 500);
}

static void window_words__are_read(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        enum window_kind kind;
        uint64_t length_ms;
    } rows[] = {
        {"total", ERR_NONE, WINDOW_TOTAL, 0},
        {"minute", ERR_NONE, WINDOW_MINUTE, 0},
        {"hour", ERR_NONE, WINDOW_HOUR, 0},
        {"day", ERR_NONE, WINDOW_DAY, 0},
        {"week", ERR_NONE, WINDOW_WEEK, 0},
        {"month", ERR_NONE, WINDOW_MONTH, 0},
        {"year", ERR_NONE, WINDOW_YEAR, 0},
        {"rolling:1m", ERR_NONE, WINDOW_ROLLING, 60000},
        {"rolling:24h", ERR_NONE, WINDOW_ROLLING, 86400000},
        {"rolling:366d", ERR_NONE, WINDOW_ROLLING, UINT64_C(366) * 86400000},
        {"rolling:59s", ERR_RANGE, WINDOW_TOTAL, 0},
        {"rolling:367d", ERR_RANGE, WINDOW_TOTAL, 0},
        {"rolling:0d", ERR_RANGE, WINDOW_TOTAL, 0},
        {"rolling:60001ms", ERR_RANGE, WINDOW_TOTAL, 0},
        {"rolling:99999999999999999999d", ERR_RANGE, WINDOW_TOTAL, 0},
        {"rolling:", ERR_FORMAT, WINDOW_TOTAL, 0},
        {"rolling", ERR_FORMAT, WINDOW_TOTAL, 0},
        {"rolling:24", ERR_FORMAT, WINDOW_TOTAL, 0},
        {"rolling:-1d", ERR_FORMAT, WINDOW_TOTAL, 0},
        {"", ERR_FORMAT, WINDOW_TOTAL, 0},
        {"0d", ERR_FORMAT, WINDOW_TOTAL, 0},
        {"days", ERR_FORMAT, WINDOW_TOTAL, 0},
        {"Day", ERR_FORMAT, WINDOW_TOTAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct window_rule rule = {.kind = WINDOW_TOTAL, .week_begins = 3};

        assert_int_equal(window_read(span_of(rows[i].text), &rule), rows[i].err);
        assert_int_equal(rule.kind, rows[i].kind);
        assert_int_equal(rule.length_ms, rows[i].length_ms);
        assert_int_equal(rule.week_begins, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows__are_what_the_other_reader_says),
        cmocka_unit_test(windows__follow_one_another),
        cmocka_unit_test(windows__follow_one_another_in_the_past),
        cmocka_unit_test(a_day_that_has_begun__does_not_end_again),
        cmocka_unit_test(hours__are_hours_but_where_clocks_turn_by_half),
        cmocka_unit_test(windows__know_the_calendar),
        cmocka_unit_test(rolling_windows__have_24_parts),
        cmocka_unit_test(windows__bear_any_time),
        cmocka_unit_test(hostile_zones__do_no_harm),
        cmocka_unit_test(window_words__are_read),
    };

    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
