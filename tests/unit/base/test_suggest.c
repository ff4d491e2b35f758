/* SPDX-License-Identifier: Apache-2.0 */
/* The nearest name: one of each kind of mistake, and silence when nothing is near. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/suggest.h"

static const struct span names[] = {
    SPAN("providers"), SPAN("routes"), SPAN("budgets"),       SPAN("log"),
    SPAN("listen"),    SPAN("limits"), SPAN("first_content"),
};

static const char *nearest(const char *word)
{
    int index = suggest_nearest(span_of(word), names, ARRAY_LENGTH(names));

    return index < 0 ? "" : names[index].at;
}

static void suggest__forgives_each_kind_of_mistake(void **state)
{
    (void)state;
    assert_string_equal(nearest("provider"), "providers");
    assert_string_equal(nearest("providerss"), "providers");
    assert_string_equal(nearest("provibers"), "providers");
    assert_string_equal(nearest("porviders"), "providers");
    assert_string_equal(nearest("Routes"), "routes");
    assert_string_equal(nearest("first-content"), "first_content");
    assert_string_equal(nearest("firstContnet"), "first_content");
    assert_string_equal(nearest("lgo"), "log");
}

static void suggest__says_nothing_when_nothing_is_near(void **state)
{
    char longest[200];

    (void)state;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(nearest(""), "");
    assert_string_equal(nearest("l"), "");
    assert_string_equal(nearest("xyz"), "");
    assert_string_equal(nearest("database"), "");
    assert_string_equal(nearest("rutesss"), "");
    assert_string_equal(nearest(longest), "");
    assert_int_equal(suggest_nearest(SPAN_OF("log"), NULL, 0), -1);
}

static void suggest__takes_the_nearest_and_the_first_of_equals(void **state)
{
    static const struct span near[] = {SPAN("listed"), SPAN("listens"), SPAN("listen"),
                                       SPAN("Listen")};

    (void)state;
    assert_int_equal(suggest_nearest(SPAN_OF("listen"), near, ARRAY_LENGTH(near)), 2);
    assert_int_equal(suggest_nearest(SPAN_OF("listenx"), near, 2), 1);
    assert_int_equal(suggest_nearest(SPAN_OF("listem"), near, ARRAY_LENGTH(near)), 0);
    assert_int_equal(suggest_nearest(SPAN_OF("liste"), near, ARRAY_LENGTH(near)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suggest__forgives_each_kind_of_mistake),
        cmocka_unit_test(suggest__says_nothing_when_nothing_is_near),
        cmocka_unit_test(suggest__takes_the_nearest_and_the_first_of_equals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
