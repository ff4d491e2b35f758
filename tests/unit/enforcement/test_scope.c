/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a budget counts for, and which budgets one attempt counts on. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "enforcement/budget.h"
#include "enforcement/scope.h"

static void scope__is_read_with_and_without_a_value(void **state)
{
    struct scope scope;

    (void)state;
    assert_int_equal(scope_read(SPAN_OF("team"), &scope), ERR_NONE);
    assert_int_equal(scope.kind, SCOPE_TEAM);
    assert_int_equal(scope.value.len, 0);
    assert_int_equal(scope_read(SPAN_OF("model:a:b"), &scope), ERR_NONE);
    assert_int_equal(scope.kind, SCOPE_MODEL);
    assert_true(span_equal(scope.value, SPAN_OF("a:b")));
    assert_int_equal(scope_read(SPAN_OF("global"), &scope), ERR_NONE);
    assert_int_equal(scope_read(SPAN_OF("teams"), &scope), ERR_FORMAT);
    assert_int_equal(scope_read(SPAN_OF(""), &scope), ERR_FORMAT);
    assert_int_equal(scope_read(SPAN_OF("team:"), &scope), ERR_FORMAT);
    assert_int_equal(scope_read(SPAN_OF("global:x"), &scope), ERR_FORMAT);
    assert_int_equal(scope_read(SPAN_OF("call:x"), &scope), ERR_FORMAT);
}

static void scope__every_tag_counts_once(void **state)
{
    static const char *const expected[] = {"a", "b", "c"};
    struct scope bare = {.kind = SCOPE_TAG};
    struct scope one = {.kind = SCOPE_TAG, .value = SPAN_OF("b")};
    struct subject subject = {.values = {[SCOPE_TAG] = SPAN("a,b,,a,c,b")}};
    struct span value = {NULL, 0};
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        assert_true(scope_next(&bare, &subject, &at, &value));
        assert_true(span_equal(value, span_of(expected[i])));
    }
    assert_false(scope_next(&bare, &subject, &at, &value));
    at = 0;
    assert_true(scope_next(&one, &subject, &at, &value));
    assert_false(scope_next(&one, &subject, &at, &value));
}

static void scope__who_has_no_value_counts_for_nobody(void **state)
{
    struct scope user = {.kind = SCOPE_USER};
    struct scope growth = {.kind = SCOPE_TEAM, .value = SPAN_OF("growth")};
    struct scope global = {.kind = SCOPE_GLOBAL};
    struct subject subject = {.values = {[SCOPE_TEAM] = SPAN("ops")}};
    struct span value = {NULL, 0};
    size_t at = 0;

    (void)state;
    assert_false(scope_next(&user, &subject, &at, &value));
    at = 0;
    assert_false(scope_next(&growth, &subject, &at, &value));
    at = 0;
    assert_true(scope_next(&global, &subject, &at, &value));
    assert_int_equal(value.len, 0);
    assert_false(scope_next(&global, &subject, &at, &value));
}

static void scope__users_and_traces_are_their_teams_own(void **state)
{
    static const struct budget list[] = {
        {.name = SPAN("u"), .scope = {.kind = SCOPE_USER, .value = SPAN("alice")}},
        {.name = SPAN("t"), .scope = {.kind = SCOPE_TRACE}},
        {.name = SPAN("k"), .scope = {.kind = SCOPE_KEY}},
    };
    const struct budgets budgets = {.list = list, .count = ARRAY_LENGTH(list)};
    struct subject subject = {.values = {[SCOPE_TEAM] = SPAN("growth"),
                                         [SCOPE_USER] = SPAN("alice"),
                                         [SCOPE_KEY] = SPAN("ci"),
                                         [SCOPE_TRACE] = SPAN("unit-1")}};
    struct scope_room room;
    struct chain chain;
    char text[SCOPE_VALUE_MAX];

    (void)state;
    chain_make(&budgets, &subject, &chain);
    assert_int_equal(chain.count, 3);
    assert_true(span_equal(chain.list[0].value, SPAN_OF("growth/alice")));
    assert_true(span_equal(chain.list[1].value, SPAN_OF("growth/unit-1")));
    assert_true(span_equal(chain.list[2].value, SPAN_OF("ci")));
    subject.values[SCOPE_KEY] = SPAN_OF(""); /* no keys, one team */
    chain_make(&budgets, &subject, &chain);
    assert_true(span_equal(chain.list[0].value, SPAN_OF("alice")));
    subject.values[SCOPE_KEY] = SPAN_OF("ci");
    memset(text, 'x', sizeof text);
    assert_int_equal(scope_own(SCOPE_USER, &subject, span_make(text, sizeof text), &room).len,
                     SCOPE_VALUE_MAX);
}

static void chain__names_every_budget_that_counts(void **state)
{
    static const struct budget list[] = {
        {.name = SPAN("all"), .scope = {.kind = SCOPE_GLOBAL}, .mode = BUDGET_WARN},
        {.name = SPAN("ops"), .scope = {.kind = SCOPE_TEAM, .value = SPAN("ops")}},
        {.name = SPAN("growth"), .scope = {.kind = SCOPE_TEAM, .value = SPAN("growth")}},
        {.name = SPAN("tags"), .scope = {.kind = SCOPE_TAG}, .unit = UNIT_TOKENS},
    };
    const struct budgets budgets = {.list = list, .count = ARRAY_LENGTH(list)};
    struct subject subject = {.values = {[SCOPE_TEAM] = SPAN("growth"), [SCOPE_TAG] = SPAN("x,y")}};
    struct chain chain;

    (void)state;
    chain_make(&budgets, &subject, &chain);
    assert_int_equal(chain.count, 4);
    assert_ptr_equal(chain.list[0].budget, &list[0]);
    assert_ptr_equal(chain.list[1].budget, &list[2]);
    assert_true(span_equal(chain.list[3].value, SPAN_OF("y")));
    assert_true(chain.enforces && chain.enforces_money && !chain.has_overflowed);
}

static void chain__says_when_it_should_be_longer(void **state)
{
    static const char tags[] = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,0,1,2,3,4,5,6";
    static const struct budget list[] = {{.name = SPAN("tags"), .scope = {.kind = SCOPE_TAG}}};
    const struct budgets budgets = {.list = list, .count = 1};
    struct subject subject = {.values = {[SCOPE_TAG] = span_of(tags)}};
    struct chain chain;

    (void)state;
    chain_make(&budgets, &subject, &chain);
    assert_int_equal(chain.count, CHAIN_MAX);
    assert_true(chain.has_overflowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scope__is_read_with_and_without_a_value),
        cmocka_unit_test(scope__every_tag_counts_once),
        cmocka_unit_test(scope__who_has_no_value_counts_for_nobody),
        cmocka_unit_test(scope__users_and_traces_are_their_teams_own),
        cmocka_unit_test(chain__names_every_budget_that_counts),
        cmocka_unit_test(chain__says_when_it_should_be_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
