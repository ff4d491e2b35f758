/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "wire/json_splice.h"

struct row {
    struct json_edit edits[JSON_EDITS_MAX];
    size_t count;
    const char *wanted;
    size_t pieces;
};

static void splice__replaces_and_inserts_without_touching_the_rest(void **state)
{
    static const struct row rows[] = {
        {.count = 0, .wanted = "0123456789", .pieces = 1},
        {.edits = {{3, 2, SPAN("ab")}}, .count = 1, .wanted = "012ab56789", .pieces = 3},
        {.edits = {{3, 2, SPAN("")}}, .count = 1, .wanted = "01256789", .pieces = 2},
        {.edits = {{3, 0, SPAN("ab")}}, .count = 1, .wanted = "012ab3456789", .pieces = 3},
        {.edits = {{0, 0, SPAN("ab")}}, .count = 1, .wanted = "ab0123456789", .pieces = 2},
        {.edits = {{10, 0, SPAN("ab")}}, .count = 1, .wanted = "0123456789ab", .pieces = 2},
        {.edits = {{0, 10, SPAN("x")}}, .count = 1, .wanted = "x", .pieces = 1},
        {.edits = {{0, 10, SPAN("")}}, .count = 1, .wanted = "", .pieces = 0},
        {.edits = {{1, 1, SPAN("a")}, {2, 1, SPAN("b")}},
         .count = 2,
         .wanted = "0ab3456789",
         .pieces = 4},
        {.edits = {{4, 0, SPAN("a")}, {4, 2, SPAN("b")}},
         .count = 2,
         .wanted = "0123ab6789",
         .pieces = 4},
        {.edits = {{1, 1, SPAN("a")},
                   {3, 1, SPAN("b")},
                   {5, 1, SPAN("c")},
                   {7, 1, SPAN("d")},
                   {8, 0, SPAN("e")},
                   {9, 0, SPAN("f")}},
         .count = 6,
         .wanted = "0a2b4c6de8f9",
         .pieces = 12},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span pieces[JSON_PIECES_MAX];
        size_t count = json_splice(SPAN_OF("0123456789"), rows[i].edits, rows[i].count, pieces);
        struct buf buf;

        buf_init(&buf, 64);
        for (size_t k = 0; k < count; k++) {
            assert_true(pieces[k].len > 0);
            buf_put(&buf, pieces[k]);
        }
        assert_true(span_equal(buf_span(&buf), span_of(rows[i].wanted)));
        assert_int_equal(count, rows[i].pieces);
        buf_fini(&buf);
    }
}

static void splice__takes_an_empty_document(void **state)
{
    struct span pieces[JSON_PIECES_MAX];
    struct json_edit edit = {.put = SPAN("x")};

    (void)state;
    assert_int_equal(json_splice(SPAN_OF(""), NULL, 0, pieces), 0);
    assert_int_equal(json_splice(SPAN_OF(""), &edit, 1, pieces), 1);
    assert_true(span_equal(pieces[0], SPAN_OF("x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splice__replaces_and_inserts_without_touching_the_rest),
        cmocka_unit_test(splice__takes_an_empty_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
