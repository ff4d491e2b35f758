/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may: a table of routes and models, then operations, addresses and what passes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "enforcement/caller.h"

static const struct span routes[] = {SPAN("smart"), SPAN("cheap")};
static const struct span models[] = {SPAN("gpt-*"), SPAN("o3")};

static void caller__both_lists_bind(void **state)
{
    static const struct {
        bool has_routes;
        bool has_models;
        const char *route;
        const char *model;
        bool may;
    } table[] = {
        {false, false, "", "anything", true},
        {false, false, "smart", "smart", true},
        {true, false, "smart", "smart", true},
        {true, false, "smart", "claude-x", true},
        {true, false, "other", "other", false},
        {true, false, "", "gpt-5", false},
        {false, true, "", "gpt-5", true},
        {false, true, "", "o3", true},
        {false, true, "", "o3-mini", false},
        {false, true, "other", "gpt-5", true},
        {false, true, "smart", "smart", false},
        {true, true, "smart", "smart", true},
        {true, true, "smart", "gpt-5", true},
        {true, true, "smart", "claude-x", false},
        {true, true, "other", "gpt-5", false},
        {true, true, "", "gpt-5", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        struct caller caller = caller_anyone;

        if (table[i].has_routes) {
            caller.routes = (struct caller_list){routes, ARRAY_LENGTH(routes)};
        }
        if (table[i].has_models) {
            caller.models = (struct caller_list){models, ARRAY_LENGTH(models)};
        }
        if (caller_may_call(&caller, span_of(table[i].route), span_of(table[i].model)) !=
            table[i].may) {
            fail_msg("row %zu: %s by %s", i, table[i].model, table[i].route);
        }
        assert_int_equal(caller_may_pass(&caller), !table[i].has_routes && !table[i].has_models);
    }
}

static void caller__operations_and_addresses_bind_when_they_are_listed(void **state)
{
    static const struct span operations[] = {SPAN("embeddings")};
    struct egress_range range;
    struct egress_address inside;
    struct egress_address outside;
    struct caller caller = caller_anyone;

    (void)state;
    assert_int_equal(egress_range_read(SPAN_OF("10.1.0.0/16"), &range), ERR_NONE);
    assert_true(egress_address_read(SPAN_OF("10.1.2.3"), &inside));
    assert_true(egress_address_read(SPAN_OF("10.2.2.3"), &outside));
    assert_true(caller_may_do(&caller, SPAN_OF("chat")));
    assert_true(caller_may_be_at(&caller, &outside));
    caller.operations = (struct caller_list){operations, 1};
    caller.addresses = &range;
    caller.addresses_count = 1;
    assert_false(caller_may_do(&caller, SPAN_OF("chat")));
    assert_true(caller_may_do(&caller, SPAN_OF("embeddings")));
    assert_true(caller_may_be_at(&caller, &inside));
    assert_false(caller_may_be_at(&caller, &outside));
}

static void caller__the_usual_tiers_need_no_place_in_the_list(void **state)
{
    static const struct span tiers[] = {SPAN("flex")};
    struct caller caller = caller_anyone;

    (void)state;
    assert_true(caller_may_name_tier(&caller, SPAN_OF("priority")));
    caller.tiers = (struct caller_list){tiers, 1};
    assert_false(caller_may_name_tier(&caller, SPAN_OF("priority")));
    assert_false(caller_may_pass(&caller));
    assert_true(caller_may_name_all(&caller));
    assert_false(caller_may_name_tier(&caller, SPAN_OF("")));
    assert_true(caller_may_name_tier(&caller, SPAN_OF("flex")));
    assert_true(caller_may_name_tier(&caller, SPAN_OF("auto")));
    assert_true(caller_may_name_tier(&caller, SPAN_OF("standard_only")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caller__both_lists_bind),
        cmocka_unit_test(caller__operations_and_addresses_bind_when_they_are_listed),
        cmocka_unit_test(caller__the_usual_tiers_need_no_place_in_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
