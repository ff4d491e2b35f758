/* SPDX-License-Identifier: Apache-2.0 */
/* Zones against what another reader of the same files says (tests/data/zones/make.py), and against
 * files that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/zone.h"
#include "tests/lib/bytes.h"

struct file {
    char name[64];
    char bytes[ZONE_FILE_MAX];
    size_t len;
};

static void load(struct file *file, const char *name)
{
    char path[160];
    FILE *stream = NULL;

    (void)snprintf(path, sizeof(path), "tests/data/zones/%s.tzif", name);
    (void)snprintf(file->name, sizeof(file->name), "%s", name);
    stream = fopen(path, "rb");
    assert_non_null(stream);
    file->len = fread(file->bytes, 1, sizeof(file->bytes), stream);
    (void)fclose(stream);
}

static void zone__says_what_the_other_reader_says(void **state)
{
    static struct file file;
    FILE *answers = fopen("tests/data/zones/expected.txt", "r");
    struct zone zone;
    char line[256];
    char name[64];
    char what[8];
    long long at = 0;
    long long expected = 0;
    int zones = 0;
    int checked = 0;

    (void)state;
    assert_non_null(answers);
    zone_init(&zone);
    while (fgets(line, sizeof(line), answers) != NULL) {
        if (line[0] == '#') {
            continue;
        }
        assert_int_equal(sscanf(line, "%63s %7s %lld %lld", name, what, &at, &expected), 4);
        if (strcmp(name, file.name) != 0) {
            load(&file, name);
            assert_int_equal(zone_read(&zone, span_make(file.bytes, file.len)), ERR_NONE);
            zones++;
        }
        if (strcmp(what, "at") == 0 ? zone_at(&zone, at).offset_s != expected
                                    : zone_day_begin(&zone, at) != expected) {
            fail_msg("%s but %d, %lld", line, zone_at(&zone, at).offset_s,
                     (long long)zone_day_begin(&zone, at));
        }
        checked++;
    }
    (void)fclose(answers);
    assert_true(zones >= 30 && checked > 2000);
}

static void days__have_23_24_or_25_hours(void **state)
{
    static struct file file;
    struct zone zone;
    int short_days = 0;
    int long_days = 0;

    (void)state;
    load(&file, "Europe_Berlin");
    assert_int_equal(zone_read(&zone, span_make(file.bytes, file.len)), ERR_NONE);
    for (int64_t day = 18262; day < 18262 + 3653; day++) { /* 2020 to 2029 */
        int64_t begin = zone_day_begin(&zone, day);
        int64_t length = zone_day_begin(&zone, day + 1) - begin;

        assert_true(length == 23 * 3600 || length == 24 * 3600 || length == 25 * 3600);
        short_days += length == 23 * 3600;
        long_days += length == 25 * 3600;
        assert_int_equal(zone_day_of(&zone, begin), day);
        assert_int_equal(zone_day_of(&zone, begin - 1), day - 1);
    }
    assert_int_equal(short_days, 10);
    assert_int_equal(long_days, 10);
}

/* Any file is refused or answers: without reading beyond its end, and with days that go forward. */
static void poke(struct span bytes)
{
    struct span owned = bytes_own(bytes);
    struct zone zone;
    int64_t last = INT64_MIN;

    (void)!zone_read(&zone, owned);
    for (int64_t day = 18000; day < 18000 + 36500; day += 91) {
        int64_t begin = zone_day_begin(&zone, day);

        assert_true(begin > last);
        last = begin;
    }
    bytes_give(owned);
}

static void hostile_files__do_no_harm(void **state)
{
    static struct file file;
    static char copy[ZONE_FILE_MAX];
    unsigned seed = 1;

    (void)state;
    load(&file, "Europe_Berlin");
    for (size_t len = 0; len < file.len; len++) {
        poke(span_make(file.bytes, len));
    }
    for (int i = 0; i < 4000; i++) {
        memcpy(copy, file.bytes, file.len);
        for (int n = 0; n < 1 + i % 3; n++) {
            seed = seed * 1103515245u + 12345u;
            copy[(seed >> 8) % file.len] = (char)(seed >> 24);
        }
        poke(span_make(copy, file.len));
    }
}

static void zone__refuses_what_is_no_zone_file(void **state)
{
    struct zone zone;

    (void)state;
    assert_int_equal(zone_read(&zone, SPAN_OF("")), ERR_FORMAT);
    assert_int_equal(zone_read(&zone, SPAN_OF("TZif2 and nothing else of the kind, for 44 bytes")),
                     ERR_FORMAT);
    assert_int_equal(zone_at(&zone, 1795187045).offset_s, 0);
    assert_int_equal(zone_day_begin(&zone, 20000), INT64_C(20000) * 86400);
}

static void zone_names__stay_in_their_folder(void **state)
{
    static const char *const good[] = {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires",
                                       "Etc/GMT+3", "America/Port-au-Prince"};
    static const char *const bad[] = {"",  "/etc/passwd", "../x", "Europe/", "Europe//Berlin",
                                      ".", "a/../b",      "a b",  "a\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_true(zone_name_is_good(span_of(good[i])));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_false(zone_name_is_good(span_of(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(zone__says_what_the_other_reader_says),
                                       cmocka_unit_test(days__have_23_24_or_25_hours),
                                       cmocka_unit_test(hostile_files__do_no_harm),
                                       cmocka_unit_test(zone__refuses_what_is_no_zone_file),
                                       cmocka_unit_test(zone_names__stay_in_their_folder)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
