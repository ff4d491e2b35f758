/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes: compare, trim, find, cut. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/span.h"

static void check(struct span seen, const char *expected)
{
    assert_true(span_equal(seen, span_of(expected)));
}

static void span__compares_bytes(void **state)
{
    (void)state;
    assert_true(span_equal(SPAN_OF("a\0b"), SPAN_OF("a\0b")));
    assert_false(span_equal(SPAN_OF("a\0b"), SPAN_OF("a\0c")));
    assert_false(span_equal(SPAN_OF("a"), SPAN_OF("ab")));
    assert_true(span_equal(span_make(NULL, 0), SPAN_OF("")));
    assert_true(span_of(NULL).len == 0);
}

static void span__ignores_case_in_ascii_only(void **state)
{
    (void)state;
    assert_true(span_equal_nocase(SPAN_OF("Content-LENGTH"), SPAN_OF("content-length")));
    assert_false(span_equal_nocase(SPAN_OF("\xc9"), SPAN_OF("\xe9")));
    assert_false(span_equal_nocase(SPAN_OF("@"), SPAN_OF("`")));
    assert_false(span_equal_nocase(SPAN_OF("["), SPAN_OF("{")));
}

static bool is_same_letter(unsigned a, unsigned b)
{
    return a == b || ((a | 0x20) == (b | 0x20) && (a | 0x20) >= 'a' && (a | 0x20) <= 'z');
}

/* Long spans are compared by words, so each byte is tried beside others and at both ends. */
static void span__ignores_case_at_every_place(void **state)
{
    static const size_t lengths[] = {1, 7, 8, 9, 16, 21};

    (void)state;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        char left[21] = "Content-Encoding-More";
        char right[21] = "cONTENT-eNCODING-mORE";
        size_t last = lengths[k] - 1;

        for (unsigned pair = 0; pair < 0x10000; pair++) {
            size_t place = pair % 3 == 0 ? 0 : last;
            char kept[2] = {left[place], right[place]};

            left[place] = (char)(pair >> 8);
            right[place] = (char)(pair & 0xff);
            assert_int_equal(
                span_equal_nocase(span_make(left, last + 1), span_make(right, last + 1)),
                is_same_letter(pair >> 8, pair & 0xff));
            left[place] = kept[0];
            right[place] = kept[1];
        }
    }
}

static void span__tells_how_bytes_begin_and_end(void **state)
{
    (void)state;
    assert_true(span_starts(SPAN_OF("Bearer x"), SPAN_OF("Bearer ")));
    assert_true(span_starts(SPAN_OF("a"), SPAN_OF("")));
    assert_false(span_starts(SPAN_OF("Bear"), SPAN_OF("Bearer")));
    assert_false(span_starts(SPAN_OF("bearer x"), SPAN_OF("Bearer ")));
    assert_true(span_starts_nocase(SPAN_OF("bEARER x"), SPAN_OF("Bearer ")));
    assert_true(span_ends(SPAN_OF("a.yaml"), SPAN_OF(".yaml")));
    assert_false(span_ends(SPAN_OF("yaml"), SPAN_OF(".yaml")));
}

static void span__trims_blanks_and_tabs(void **state)
{
    (void)state;
    check(span_trim(SPAN_OF(" \t a b\t ")), "a b");
    check(span_trim(SPAN_OF(" \t ")), "");
    check(span_trim(SPAN_OF("\ra\n")), "\ra\n");
}

static void span__finds_the_first_place(void **state)
{
    static const struct span text = SPAN("aabaab!");

    (void)state;
    assert_ptr_equal(span_find(text, SPAN_OF("aab!")), text.at + 3);
    assert_ptr_equal(span_find(text, SPAN_OF("ab")), text.at + 1);
    assert_ptr_equal(span_find(text, SPAN_OF("")), text.at);
    assert_null(span_find(text, SPAN_OF("abb")));
    assert_null(span_find(text, SPAN_OF("aabaab!x")));
    assert_null(span_find(span_make(text.at, 6), SPAN_OF("b!")));
    assert_null(span_find(span_make(NULL, 0), SPAN_OF("a")));
}

static void span__cuts_at_separators(void **state)
{
    struct span rest = SPAN_OF("a,,b,");

    (void)state;
    check(span_cut(&rest, ','), "a");
    check(span_cut(&rest, ','), "");
    check(span_cut(&rest, ','), "b");
    assert_non_null(rest.at);
    check(span_cut(&rest, ','), "");
    assert_null(rest.at);
}

static void span__goes_on_from_a_place(void **state)
{
    (void)state;
    check(span_from(SPAN_OF("abc"), 1), "bc");
    check(span_from(SPAN_OF("abc"), 3), "");
    check(span_from(SPAN_OF("abc"), SIZE_MAX), "");
    assert_null(span_from(span_make(NULL, 0), 1).at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(span__compares_bytes),
        cmocka_unit_test(span__ignores_case_in_ascii_only),
        cmocka_unit_test(span__ignores_case_at_every_place),
        cmocka_unit_test(span__tells_how_bytes_begin_and_end),
        cmocka_unit_test(span__trims_blanks_and_tabs),
        cmocka_unit_test(span__finds_the_first_place),
        cmocka_unit_test(span__cuts_at_separators),
        cmocka_unit_test(span__goes_on_from_a_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
