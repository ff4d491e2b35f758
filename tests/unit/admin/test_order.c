/* SPDX-License-Identifier: Apache-2.0 */
/* Orders out of request lines: what is one, what is none, and names that mean harm. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "admin/order.h"
#include "base/must.h"

#define BASE "/admin/v1/targets/"

static const struct {
    const char *target;
    enum fleet_order what;
    struct span name;
} good[] = {
    {BASE "openai/park", FLEET_PARK, SPAN("openai")},
    {BASE "openai/unpark", FLEET_UNPARK, SPAN("openai")},
    {BASE "openai/reset", FLEET_RESET, SPAN("openai")},
    {BASE "openai%2Fgpt-5.4-mini/park", FLEET_PARK, SPAN("openai/gpt-5.4-mini")},
    {BASE "openai%2fgpt-5.4-mini/park", FLEET_PARK, SPAN("openai/gpt-5.4-mini")},
    {BASE "openai/gpt-5.4-mini/park", FLEET_PARK, SPAN("openai/gpt-5.4-mini")},
    {BASE "router%2Fmeta%2Fllama/reset", FLEET_RESET, SPAN("router/meta/llama")},
    {BASE "*/reset", FLEET_RESET, SPAN("*")},
    {BASE "%2A/reset", FLEET_RESET, SPAN("*")},
    {BASE "a%20b/park?x=/reset", FLEET_PARK, SPAN("a b")},
    {BASE "a%25b/park", FLEET_PARK, SPAN("a%b")},
    {BASE "caf%C3%A9/park", FLEET_PARK, SPAN("caf\xc3\xa9")},
    /* Nothing of these is a path of ours: names that no target has. */
    {BASE "../park", FLEET_PARK, SPAN("..")},
    {BASE "..%2f..%2fetc/park", FLEET_PARK, SPAN("../../etc")},
    {BASE "'; --/park", FLEET_PARK, SPAN("'; --")},
    {BASE "park/park", FLEET_PARK, SPAN("park")},
    {BASE "a/park/park", FLEET_PARK, SPAN("a/park")},
};

static void order__reads_the_name_and_the_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct order order;

        assert_int_equal(order_read(SPAN_OF("POST"), span_of(good[i].target), &order), ORDER_GOOD);
        assert_int_equal(order.what, good[i].what);
        if (!span_equal(order_name(&order), good[i].name)) {
            fail_msg("%s: <%.*s>", good[i].target, SPAN_ARGS(order_name(&order)));
        }
    }
}

static void order__other_paths_are_none(void **state)
{
    static const char *const targets[] = {"/admin/v1/targets",
                                          "/admin/v1/targets/",
                                          BASE "park",
                                          BASE "openai",
                                          BASE "openai/",
                                          BASE "openai/PARK",
                                          BASE "openai/park/",
                                          BASE "openai%2Fpark",
                                          BASE "openai/delete",
                                          "/Admin/v1/targets/a/park",
                                          "/admin/v2/targets/a/park",
                                          "/admin/v1/targetsa/park",
                                          "//admin/v1/targets/a/park",
                                          "/x?/admin/v1/targets/a/park",
                                          "*",
                                          ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct order order;

        if (order_read(SPAN_OF("POST"), span_of(targets[i]), &order) != ORDER_NONE) {
            fail_msg("%s", targets[i]);
        }
    }
}

static void order__names_that_no_target_has_are_not_read(void **state)
{
    static const char *const targets[] = {
        BASE "/park",        BASE "%00/park",  BASE "a%00b/park", BASE "a%0d%0ab/park",
        BASE "a%1b[2J/park", BASE "%7f/park",  BASE "%/park",     BASE "%2/park",
        BASE "a%zz/park",    BASE "a%2F/park", BASE "a//park",    BASE "%2Fm/park",
        BASE "//m/park",     BASE "%-1/park",  BASE "a%2/park"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct order order;

        if (order_read(SPAN_OF("POST"), span_of(targets[i]), &order) != ORDER_NAME) {
            fail_msg("%s", targets[i]);
        }
    }
}

static void order__a_name_has_a_ceiling(void **state)
{
    static char target[8192] = BASE;
    size_t from = strlen(BASE);

    (void)state;
    for (size_t len = ORDER_NAME_MAX; len <= ORDER_NAME_MAX + 1; len++) {
        struct order order;

        memset(target + from, 'a', len);
        memcpy(target + from + len, "/park", sizeof "/park");
        assert_int_equal(order_read(SPAN_OF("POST"), span_of(target), &order),
                         len > ORDER_NAME_MAX ? ORDER_NAME : ORDER_GOOD);
    }
}

static void order__only_post_orders(void **state)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "post", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        struct order order;

        assert_int_equal(order_read(span_of(methods[i]), SPAN_OF(BASE "a/park"), &order),
                         ORDER_METHOD);
        assert_int_equal(order_read(span_of(methods[i]), SPAN_OF(BASE "a"), &order), ORDER_NONE);
    }
}

static void order__words_go_both_ways(void **state)
{
    static const enum fleet_order all[] = {FLEET_PARK, FLEET_UNPARK, FLEET_RESET};
    enum fleet_order what = FLEET_PARK;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        assert_true(order_of_word(span_of(order_word(all[i])), &what));
        assert_int_equal(what, all[i]);
    }
    assert_false(order_of_word(SPAN_OF("parks"), &what));
    assert_false(order_of_word(SPAN_OF(""), &what));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order__reads_the_name_and_the_word),
        cmocka_unit_test(order__other_paths_are_none),
        cmocka_unit_test(order__names_that_no_target_has_are_not_read),
        cmocka_unit_test(order__a_name_has_a_ceiling),
        cmocka_unit_test(order__only_post_orders),
        cmocka_unit_test(order__words_go_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
