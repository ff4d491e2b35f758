/* SPDX-License-Identifier: Apache-2.0 */
/* Days and dates, there and back, and times as people and programs write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/text.h"

static void date__goes_there_and_back(void **state)
{
    struct date last = date_from_days(-800001);

    (void)state;
    for (int64_t days = -800000; days < 800000; days++) {
        struct date date = date_from_days(days);

        assert_int_equal(date_to_days(&date), days);
        assert_true(date.day == last.day + 1 || date.day == 1);
        assert_true(date.day <= date_month_length(date.year, date.month));
        last = date;
    }
    assert_int_equal(date_from_days(0).year, 1970);
    assert_int_equal(date_to_days(&(struct date){2026, 11, 20}), 20777);
}

static void time__is_read_with_its_offset(void **state)
{
    static const struct {
        const char *text;
        wall_ms at;
    } good[] = {{"1970-01-01T00:00:00Z", 0},
                {"2026-11-20T15:04:05.123Z", INT64_C(1795187045123)},
                {"2026-11-20 16:04:05.1239+01:00", INT64_C(1795187045123)},
                {"2026-11-20t09:34:05.1-05:30", INT64_C(1795187045100)},
                {"2016-12-31T23:59:60Z", INT64_C(1483228799000)}};
    static const char *const bad[] = {"2026-11-20T15:04:05",      "2026-11-20T24:00:00Z",
                                      "2026-11-20T15:04:05.Z",    "2026-11-20T15:04:05+0100",
                                      "2026-11-20T15:04:05Zjunk", "2026-11-20T15:4:05Z"};
    wall_ms at = 0;
    struct buf text;

    (void)state;
    buf_init(&text, 64);
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_int_equal(date_read_time(span_of(good[i].text), &at), ERR_NONE);
        assert_int_equal(at, good[i].at);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(date_read_time(span_of(bad[i]), &at), ERR_FORMAT);
    }
    text_put_rfc3339(&text, INT64_C(1795187045123));
    assert_int_equal(date_read_time(buf_span(&text), &at), ERR_NONE);
    assert_int_equal(at, INT64_C(1795187045123));
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(date__goes_there_and_back),
                                       cmocka_unit_test(time__is_read_with_its_offset)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
