/* SPDX-License-Identifier: Apache-2.0 */
/* The table of `headgate top`: from answers to rows, and how it is drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cli/top.h"

/* 2026-11-20T15:04:05Z */
#define NOW INT64_C(1795187045)

static struct top_table table;
static char drawn[64 * 1024];
static struct buf out;

static int begin(void **state)
{
    (void)state;
    memset(&table, 0, sizeof table);
    table.by[0] = DIMENSION_MODEL;
    table.by_count = 1;
    table.now = NOW;
    table.start = NOW - 7200;
    table.hour = NOW / 900 * 900 - 3600;
    out = (struct buf){.at = drawn, .cap = sizeof drawn, .max = sizeof drawn};
    return 0;
}

static struct span draw(size_t width, size_t height)
{
    buf_clear(&out);
    top_draw(&table, width, height, span_make("", 0), &out);
    return buf_span(&out);
}

#define SUMS(calls, failed, input, output, cost)                                                   \
    "\"calls\":" #calls ",\"failed_attempts\":" #failed ",\"charged_nusd\":" #cost                 \
    ",\"tokens\":{\"input\":" #input ",\"output\":" #output "}"

static bool take(enum top_window window, int64_t sign, const char *text)
{
    return top_take_sums(&table, window, sign, span_of(text));
}

static const struct top_row *row_of(const char *name)
{
    for (size_t i = 0; i < table.rows_count; i++) {
        if (span_equal(span_make(table.rows[i].name, table.rows[i].name_len), span_of(name))) {
            return &table.rows[i];
        }
    }
    fail_msg("no row %s", name);
    return NULL;
}

static int64_t calls_of(const char *name, enum top_window window)
{
    return row_of(name)->windows[window].of[TOP_CALLS];
}

static void sums__since_the_start_are_the_hour_and_what_is_before_it(void **state)
{
    (void)state;
    assert_true(take(TOP_BEFORE, 1,
                     "{\"total\":{" SUMS(5, 1, 50, 5, 500) "},\"groups\":[{\"model\":\"m\"," SUMS(
                         3, 1, 30, 3, 300) "},{\"model\":\"old\"," SUMS(2, 0, 20, 2, 200) "}]}"));
    assert_true(take(TOP_HOUR, 1,
                     "{\"total\":{" SUMS(4, 0, 40, 4, 400) "},\"groups\":[{\"model\":\"m\"," SUMS(
                         4, 0, 40, 4, 400) "}]}"));
    top_add_up(&table);
    assert_int_equal(calls_of("total", TOP_START), 9);
    assert_int_equal(calls_of("m", TOP_START), 7);
    assert_int_equal(calls_of("m", TOP_HOUR), 4);
    assert_int_equal(calls_of("old", TOP_START), 2);
    assert_int_equal(calls_of("old", TOP_HOUR), 0);
    assert_int_equal(row_of("m")->windows[TOP_START].of[TOP_ERRORS], 1);
    assert_int_equal(row_of("m")->windows[TOP_START].of[TOP_COST], 700);
    /* A headgate younger than the hour: what is before its start is taken away. */
    assert_true(take(TOP_BEFORE, -1, "{\"total\":{" SUMS(1, 0, 0, 0, 0) "},\"groups\":[]}"));
    top_add_up(&table);
    assert_int_equal(calls_of("total", TOP_START), 3);
    /* Nothing is less than nothing. */
    assert_true(take(TOP_BEFORE, -1, "{\"total\":{" SUMS(9, 0, 0, 0, 0) "},\"groups\":[]}"));
    top_add_up(&table);
    assert_int_equal(calls_of("total", TOP_START), 0);
}

static void rows__of_a_name_that_looks_the_same_add_up_and_total_is_apart(void **state)
{
    (void)state;
    assert_true(take(TOP_HOUR, 1,
                     "{\"total\":{\"calls\":15},\"groups\":[{\"model\":\"total\",\"calls\":1},"
                     "{\"model\":\"a\\u001b\",\"calls\":2},{\"model\":\"a\\u0007\",\"calls\":4},"
                     "{\"model\":\"\",\"calls\":8}]}"));
    assert_int_equal(table.rows_count, 4);
    assert_int_equal(calls_of("total", TOP_HOUR), 15);
    assert_int_equal(table.rows[1].windows[TOP_HOUR].of[TOP_CALLS], 1);
    assert_int_equal(calls_of("a?", TOP_HOUR), 6);
    assert_int_equal(calls_of("-", TOP_HOUR), 8);
}

static void minute__is_what_was_added_since_a_minute_ago(void **state)
{
    (void)state;
    assert_true(take(TOP_HOUR, 1, "{\"total\":{" SUMS(9, 0, 0, 0, 0) "},\"groups\":[]}"));
    top_add_up(&table);
    assert_true(top_wants_calls(&table));
    assert_true(top_take_calls(&table, SPAN_OF("{\"calls\":[]}")));
    top_turn(&table);
    assert_int_equal(calls_of("total", TOP_MINUTE), 0);
    for (int i = 1; i <= 100; i++) {
        char text[256];

        table.now = NOW + i;
        (void)snprintf(text, sizeof text, "{\"total\":{\"calls\":%d},\"groups\":[]}", 9 + i);
        assert_true(take(TOP_HOUR, 1, text));
        top_add_up(&table);
        assert_false(top_wants_calls(&table));
        top_turn(&table);
        assert_int_equal(calls_of("total", TOP_MINUTE), i < 60 ? i : 60);
    }
    table.now += TOP_STALE_S + 1;
    assert_true(top_wants_calls(&table));
    table.now = NOW; /* a clock that was put back */
    assert_true(top_wants_calls(&table));
}

static void minute__begins_with_the_calls_of_the_last_one(void **state)
{
    const char *calls =
        "{\"calls\":[{\"at\":\"2026-11-20T15:03:55.000Z\",\"model\":\"m\",\"tags\":[\"x\",\"y\"],"
        "\"attempt\":1,\"status\":200,\"outcome\":\"ok\",\"input\":10},"
        "{\"at\":\"2026-11-20T15:02:00.000Z\",\"model\":\"m\",\"attempt\":1,\"status\":200,"
        "\"outcome\":\"ok\"},7,\"text\",[],{}],\"next\":null}";

    (void)state;
    table.by[0] = DIMENSION_TAG;
    assert_true(take(TOP_HOUR, 1,
                     "{\"total\":{" SUMS(2, 0, 10, 0, 0) "},\"groups\":[{\"tag\":\"x\"," SUMS(
                         1, 0, 10, 0, 0) "},{\"tag\":\"y\"," SUMS(1, 0, 10, 0, 0) "}]}"));
    top_add_up(&table);
    assert_true(top_take_calls(&table, span_of(calls)));
    top_turn(&table);
    assert_int_equal(calls_of("total", TOP_MINUTE), 1);
    assert_int_equal(calls_of("x", TOP_MINUTE), 1);
    assert_int_equal(calls_of("y", TOP_MINUTE), 1);
    assert_int_equal(row_of("y")->windows[TOP_MINUTE].of[TOP_INPUT], 10);
    table.now += 49; /* a minute and a little behind that call */
    top_turn(&table);
    assert_int_equal(calls_of("total", TOP_MINUTE), 1);
    table.now += 2;
    top_turn(&table);
    assert_int_equal(calls_of("total", TOP_MINUTE), 0);
}

static void answers__of_others_do_no_harm(void **state)
{
    static const char *const bodies[] = {
        "{}",
        "{\"total\":7,\"groups\":{\"a\":1}}",
        "{\"total\":[],\"groups\":\"text\"}",
        "{\"groups\":[1,\"two\",[3],null,{\"model\":[]},{\"model\":\"" /* goes on below */
        "\\ud83d\\ude00\\u0000\\u009b\"}]}",
        "{\"total\":{\"calls\":-5,\"charged_nusd\":9223372036854775807,\"tokens\":{\"input\":"
        "9223372036854775807,\"cache_read\":9223372036854775807,\"output\":1e400}},\"groups\":[]}",
        "{\"calls\":[[],{\"at\":1},{\"at\":\"x\"},{\"model\":[]},{\"input\":\"a\"}],\"process\":5}",
        "{\"process\":{\"uptime_s\":9223372036854775807,\"version\":\"\\u001b[2J\"},\"status\":{}"
        "}"};
    static const char *const none[] = {"", "7", "[]", "{", "<html>", "{\"a\":1}x"};
    bool is_new = false;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct span text;

        assert_true(top_take_status(&table, span_of(bodies[i]), &is_new));
        assert_true(take(TOP_BEFORE, 1, bodies[i]));
        assert_true(take(TOP_HOUR, 1, bodies[i]));
        top_add_up(&table);
        assert_true(top_take_calls(&table, span_of(bodies[i])));
        top_turn(&table);
        text = draw(0, 0);
        for (size_t k = 0; k < text.len; k++) {
            assert_true(text.at[k] == '\n' || (text.at[k] >= ' ' && text.at[k] <= '~'));
        }
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(top_take_status(&table, span_of(none[i]), &is_new));
        assert_false(take(TOP_HOUR, 1, none[i]));
        assert_false(top_take_calls(&table, span_of(none[i])));
    }
}

static void status__tells_of_a_new_start(void **state)
{
    bool is_new = false;

    (void)state;
    table.start = 0;
#define STATUS(uptime)                                                                             \
    SPAN_OF("{\"status\":\"ok\",\"process\":{\"version\":\"1.2\",\"uptime_s\":" #uptime            \
            ",\"calls_in_flight\":3}}")
    assert_true(top_take_status(&table, STATUS(100), &is_new) && is_new);
    assert_int_equal(table.start, NOW - 100);
    table.now += 5;
    assert_true(top_take_status(&table, STATUS(104), &is_new) && !is_new);
    assert_true(top_take_status(&table, STATUS(2), &is_new) && is_new);
    assert_int_equal(table.start, NOW + 3);
    assert_int_equal(table.calls_in_flight, 3);
    assert_string_equal(table.version, "1.2");
    assert_string_equal(table.state, "ok");
}

static void fill(size_t rows)
{
    char text[16384];
    size_t len = (size_t)snprintf(text, sizeof text, "{\"total\":{%s},\"groups\":[",
                                  SUMS(7, 1, 123456, 99999, 1234567));

    for (size_t i = 0; i < rows; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "%s{\"model\":\"model-%02zu-with-a-long-name\",\"calls\":%zu}",
                                i > 0 ? "," : "", i, i);
    }
    (void)snprintf(text + len, sizeof text - len, "]}");
    assert_true(take(TOP_HOUR, 1, text));
    top_add_up(&table);
    assert_true(top_take_calls(&table, SPAN_OF("{\"calls\":[]}")));
    top_turn(&table);
}

static void drawing__stays_within_the_terminal(void **state)
{
    (void)state;
    fill(20);
    for (size_t width = 1; width < 200; width += 3) {
        for (size_t height = 1; height < 40; height++) {
            struct span rest = draw(width, height);
            size_t lines = 0;

            for (; rest.len > 0; lines++) {
                assert_true(span_cut(&rest, '\n').len <= width);
            }
            assert_int_equal(lines, height < 25 ? height : 25);
        }
    }
    table.rows_count = 0;
    assert_true(draw(80, 24).len > 0);
}

static void drawing__puts_the_dearest_first_and_says_what_is_left_out(void **state)
{
    struct span text;

    (void)state;
    fill(20);
    text = draw(120, 10);
    assert_non_null(span_find(text, SPAN_OF("\nmodel-19-with-a-long-name ")));
    assert_null(span_find(text, SPAN_OF("model-15")));
    assert_non_null(span_find(text, SPAN_OF("\nand 16 more\ntotal ")));
    assert_non_null(span_find(text, SPAN_OF("  15:04:05 UTC\n")));
    assert_null(span_find(text, SPAN_OF("since 14:00\n"))); /* three windows need 133 columns */
    assert_non_null(span_find(text, SPAN_OF("123.4k  99999   0.001235\n")));
    assert_non_null(span_find(draw(133, 10), SPAN_OF("since 14:00")));
}

static void figures__keep_their_columns(void **state)
{
    static const struct {
        const char *cost;
        const char *shown;
    } costs[] = {{"0", "  0.000000\n"},           {"1", "  0.000001\n"},
                 {"1000", "  0.000001\n"},        {"999999999000", " 999.999999\n"},
                 {"999999999001", "  1000.00\n"}, {"1234567890000000", " 1234567.89\n"}};
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"total\":{\"calls\":99999,\"failed_attempts\":100000,\"charged_nusd\":%s,"
                       "\"tokens\":{\"input\":999999,\"output\":12345678901}}}",
                       costs[i].cost);
        assert_true(take(TOP_HOUR, 1, text));
        top_add_up(&table);
        assert_true(top_take_calls(&table, SPAN_OF("{\"calls\":[]}")));
        top_turn(&table);
        if (span_find(draw(0, 0), span_of(costs[i].shown)) == NULL ||
            span_find(draw(0, 0), SPAN_OF("  99999 100.0k 999.9k  12.3G")) == NULL) {
            fail_msg("%.*s", SPAN_ARGS(buf_span(&out)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sums__since_the_start_are_the_hour_and_what_is_before_it, begin),
        cmocka_unit_test_setup(rows__of_a_name_that_looks_the_same_add_up_and_total_is_apart,
                               begin),
        cmocka_unit_test_setup(minute__is_what_was_added_since_a_minute_ago, begin),
        cmocka_unit_test_setup(minute__begins_with_the_calls_of_the_last_one, begin),
        cmocka_unit_test_setup(answers__of_others_do_no_harm, begin),
        cmocka_unit_test_setup(status__tells_of_a_new_start, begin),
        cmocka_unit_test_setup(drawing__stays_within_the_terminal, begin),
        cmocka_unit_test_setup(drawing__puts_the_dearest_first_and_says_what_is_left_out, begin),
        cmocka_unit_test_setup(figures__keep_their_columns, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
