/* SPDX-License-Identifier: Apache-2.0 */
/* References inside values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/expand.h"
#include "tests/unit/conf/world.h"

static const struct fake_world fakes = {
    .variables = {{"A", "alpha"}, {"EMPTY", ""}, {"NESTED", "${A}"}, {"_x9", "low"}},
    .files = {{"/one", SPAN("line\n")},
              {"/two", SPAN("line\n\n")},
              {"/dos", SPAN("line\r\n")},
              {"/none", SPAN("line")},
              {"/empty", SPAN("")}},
};

static void expand__puts_values_in_place_of_references(void **state)
{
    static const struct {
        const char *raw;
        const char *value;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"${A}", "alpha"},
        {"<${A}${A}>", "<alphaalpha>"},
        {"${_x9}", "low"},
        {"${EMPTY}", ""},
        {"${A:-beta}", "alpha"},
        {"${B:-beta}", "beta"},
        {"${EMPTY:-beta}", "beta"},
        {"${B:-}", ""},
        {"${B:-a:-b}", "a:-b"},
        {"${NESTED}", "${A}"},
        {"$${A}", "${A}"},
        {"$$${A}", "$${A}"},
        {"$A $ $$ $", "$A $ $$ $"},
        {"${file:/one}", "line"},
        {"${file:/two}", "line\n"},
        {"${file:/dos}", "line"},
        {"${file:/none}", "line"},
        {"${file:/empty}", ""},
        {"a${file:/one}b", "alineb"},
    };
    struct conf_world world = world_of(&fakes);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct why why = {""};
        struct why help = {""};
        struct buf out;

        buf_init(&out, EXPAND_MAX);
        if (expand_value(span_of(rows[i].raw), &world, &out, &why, &help) != ERR_NONE ||
            !span_equal(buf_span(&out), span_of(rows[i].value))) {
            fail_msg("%s gave %.*s (%s)", rows[i].raw, (int)out.len, out.at, why.text);
        }
        buf_fini(&out);
    }
    assert_int_equal(mem_held(), 0);
}

static void expand__names_what_is_missing(void **state)
{
    static const struct {
        const char *raw;
        const char *why;
        const char *help;
    } rows[] = {
        {"${B}", "the variable B, which is not set", "set B, or give a default: ${B:-default}"},
        {"x${A}${B}", "the variable B", ""},
        {"${A", "without \"}\"", "$${"},
        {"${", "without \"}\"", "$${"},
        {"${}", "is no reference", "${NAME:-default}"},
        {"${1A}", "\"${1A}\" is no reference", ""},
        {"${A B}", "is no reference", ""},
        {"${A-b}", "is no reference", ""},
        {"${A:b}", "is no reference", ""},
        {"${${A}}", "is no reference", ""},
        {"${env:A}", "is no reference", ""},
        {"${file:}", "names no file", ""},
        {"${file:/gone}", "cannot read \"/gone\": no such file", ""},
    };
    struct conf_world world = world_of(&fakes);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct why why = {""};
        struct why help = {""};
        struct buf out;

        buf_init(&out, EXPAND_MAX);
        if (expand_value(span_of(rows[i].raw), &world, &out, &why, &help) != ERR_CONFIG ||
            strstr(why.text, rows[i].why) == NULL || strstr(help.text, rows[i].help) == NULL) {
            fail_msg("%s said: %s (%s)", rows[i].raw, why.text, help.text);
        }
        buf_fini(&out);
    }
    assert_int_equal(mem_held(), 0);
}

static void expand__has_a_ceiling(void **state)
{
    static char big[EXPAND_MAX + 1];
    struct fake_world huge = {
        .files = {{"/huge", {big, sizeof big}}, {"/most", {big, EXPAND_MAX}}}};
    struct conf_world world = world_of(&huge);
    struct why why = {""};
    struct why help = {""};
    struct buf out;

    (void)state;
    memset(big, 'x', sizeof big);
    buf_init(&out, EXPAND_MAX);
    assert_int_equal(expand_value(SPAN_OF("${file:/huge}"), &world, &out, &why, &help), ERR_CONFIG);
    assert_non_null(strstr(why.text, "too large"));
    assert_int_equal(expand_value(SPAN_OF("${file:/most}"), &world, &out, &why, &help), ERR_NONE);
    buf_fini(&out);
    assert_int_equal(expand_value(SPAN_OF("${file:/most}x"), &world, &out, &why, &help),
                     ERR_CONFIG);
    assert_non_null(strstr(why.text, "longer than 65536 bytes"));
    buf_fini(&out);
    assert_int_equal(mem_held(), 0);
}

static void expand__tells_references_from_literals(void **state)
{
    (void)state;
    assert_true(expand_is_reference(SPAN_OF("${A}")));
    assert_true(expand_is_reference(SPAN_OF("${A:-}")));
    assert_true(expand_is_reference(SPAN_OF("${file:/run/secrets/a}")));
    assert_false(expand_is_reference(SPAN_OF("")));
    assert_false(expand_is_reference(SPAN_OF("A")));
    assert_false(expand_is_reference(SPAN_OF("${A:-literal}")));
    assert_false(expand_is_reference(SPAN_OF("${A}x")));
    assert_false(expand_is_reference(SPAN_OF("${A}x${B}")));
    assert_false(expand_is_reference(SPAN_OF("x${A}")));
    assert_false(expand_is_reference(SPAN_OF("${}")));
    assert_true(expand_lacks_braces(SPAN_OF("$A_1")));
    assert_false(expand_lacks_braces(SPAN_OF("${A}")));
    assert_false(expand_lacks_braces(SPAN_OF("A")));
    assert_false(expand_lacks_braces(SPAN_OF("$")));
    assert_false(expand_lacks_braces(SPAN_OF("$1")));
    assert_false(expand_lacks_braces(SPAN_OF("$A-B")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand__puts_values_in_place_of_references),
        cmocka_unit_test(expand__names_what_is_missing),
        cmocka_unit_test(expand__has_a_ceiling),
        cmocka_unit_test(expand__tells_references_from_literals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
