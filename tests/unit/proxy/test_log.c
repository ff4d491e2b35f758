/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log: each has the level and the time of its own, whatever they share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/log.h"

#define T0 INT64_C(1795187045123) /* 2026-11-20T15:04:05.123Z */

static wall_ms now;

static mono_ms mono(void *to)
{
    (void)to;
    return (mono_ms)(now - T0) + 1000;
}

static wall_ms wall(void *to)
{
    (void)to;
    return now;
}

static void entropy(void *to, void *bytes, size_t count)
{
    (void)to;
    memset(bytes, 7, count);
}

static void log__tells_level_and_time_of_each_line(void **state)
{
    static const char expected[] =
        "{\"ts\":\"2026-11-20T15:04:05.123Z\",\"level\":\"info\",\"msg\":\"one\",\"event\":\"a\"}\n"
        "{\"ts\":\"2026-11-20T15:04:05.123Z\",\"level\":\"warn\",\"msg\":\"two\",\"event\":\"b\"}\n"
        "{\"ts\":\"2026-11-20T15:04:05.123Z\",\"level\":\"warn\",\"msg\":\"three\",\"event\":\"b\"}"
        "\n"
        "{\"ts\":\"2026-11-20T15:04:05.124Z\",\"level\":\"warn\",\"msg\":\"four\",\"event\":\"b\"}"
        "\n"
        "{\"ts\":\"2026-11-20T15:04:05.124Z\",\"level\":\"info\",\"msg\":\"five\",\"event\":\"a\"}"
        "\n";
    const struct loop_world world = {.mono = mono, .wall = wall, .entropy = entropy};
    char text[1024] = "";
    FILE *file = tmpfile();
    struct loop *loop = NULL;
    struct log *log = NULL;

    (void)state;
    now = T0;
    assert_non_null(file);
    loop = loop_new(&world);
    log = log_new(loop, fileno(file), LOG_INFO, LOG_JSON);
    assert_non_null(log);
    log_say(log, LOG_INFO, "a", "one");
    log_say(log, LOG_WARN, "b", "two");
    log_say(log, LOG_WARN, "b", "three");
    now++;
    (void)loop_turn(loop, 0);
    log_say(log, LOG_WARN, "b", "four");
    log_say(log, LOG_INFO, "a", "five");
    log_free(log);
    loop_free(loop);
    rewind(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen(expected));
    assert_string_equal(text, expected);
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log__tells_level_and_time_of_each_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
