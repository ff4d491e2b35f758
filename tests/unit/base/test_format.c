/* SPDX-License-Identifier: Apache-2.0 */
/* Formatting into a fixed place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/format.h"

static void put(char *at, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

static void put(char *at, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_cut(at, size, format, args);
    va_end(args);
}

static void format__writes_what_fits(void **state)
{
    char out[8];

    (void)state;
    put(out, sizeof out, "%s-%d", "ab", 12);
    assert_string_equal(out, "ab-12");
    put(out, sizeof out, "%s", "1234567");
    assert_string_equal(out, "1234567");
}

static void format__cuts_with_dots(void **state)
{
    char out[9] = "????????";

    (void)state;
    put(out, 8, "%s", "12345678");
    assert_string_equal(out, "1234...");
    assert_int_equal(out[8], '\0');
    put(out, 3, "%s", "12345678");
    assert_string_equal(out, "12");
    put(out, 1, "%s", "12345678");
    assert_string_equal(out, "");
}

static void format__never_cuts_inside_a_character(void **state)
{
    char out[8];

    (void)state;
    put(out, sizeof out, "%s",
        "123\xe2\x82\xac"
        "4567");
    assert_string_equal(out, "123...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format__writes_what_fits),
        cmocka_unit_test(format__cuts_with_dots),
        cmocka_unit_test(format__never_cuts_inside_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
