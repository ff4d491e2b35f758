/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "router/route.h"

static const struct provider providers[] = {
    {.name = SPAN("claude"), .dialect = &dialect_anthropic},
    {.name = SPAN("openai"), .dialect = &dialect_openai},
    {.name = SPAN("other"), .dialect = &dialect_openai},
};

static const struct span mini_names[] = {SPAN("gpt-*-mini"), SPAN("tiny")};
static const struct span any_names[] = {SPAN("gpt-*")};

static const struct target smart_targets[] = {
    {.provider = &providers[0], .model = SPAN("claude-sonnet-4-5")},
    {.provider = &providers[2], .model = SPAN("gpt-5.4")},
    {.provider = &providers[1]},
};
static const struct target claude_targets[] = {{.provider = &providers[0]}};

static const struct route routes[] = {
    {.name = SPAN("smart"), .targets = smart_targets, .targets_count = 3},
    {.name = SPAN("minis"),
     .match_models = mini_names,
     .match_models_count = 2,
     .targets = claude_targets,
     .targets_count = 1},
    {.name = SPAN("gpts"),
     .match_models = any_names,
     .match_models_count = 1,
     .targets = smart_targets,
     .targets_count = 3},
};

static struct routing routing_of(bool is_strict)
{
    return (struct routing){.providers = providers,
                             .providers_count = 3,
                             .routes = routes,
                             .routes_count = 3,
                             .strict_models = is_strict};
}

static enum way_found find(const struct routing *settings, const struct dialect *dialect,
                           struct span model, struct way *way)
{
    struct wish wish = {.model = model};

    return route_find(settings, dialect, &wish, way);
}

static void route__globs(void **state)
{
    static const struct {
        struct span pattern, name;
        bool fits;
    } rows[] = {
        {SPAN("gpt-5"), SPAN("gpt-5"), true},      {SPAN("gpt-5"), SPAN("gpt-5x"), false},
        {SPAN("*"), SPAN(""), true},               {SPAN("gpt-*"), SPAN("gpt-"), true},
        {SPAN("gpt-*"), SPAN("gpt"), false},       {SPAN("*-mini"), SPAN("a-mini-mini"), true},
        {SPAN("*-mini"), SPAN("a-mini-x"), false}, {SPAN("a*b*c"), SPAN("aXbYbZc"), true},
        {SPAN("a*b*c"), SPAN("aXcYb"), false},     {SPAN("**"), SPAN("x"), true},
        {SPAN(""), SPAN("x"), false},              {SPAN("A*"), SPAN("abc"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(route_glob(rows[i].pattern, rows[i].name), rows[i].fits);
    }
}

static void route__prefers_the_exact_name_then_file_order(void **state)
{
    struct routing settings = routing_of(false);
    struct way way;

    (void)state;
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("smart"), &way), WAY_FOUND);
    assert_ptr_equal(way.route, &routes[0]);
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("gpt-5-mini"), &way), WAY_FOUND);
    assert_ptr_equal(way.route, &routes[1]);
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("gpt-5"), &way), WAY_FOUND);
    assert_ptr_equal(way.route, &routes[2]);
}

static void route__splits_provider_and_model_at_the_first_slash(void **state)
{
    struct routing settings = routing_of(true);
    struct way way;

    (void)state;
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("other/a/b"), &way), WAY_FOUND);
    assert_null(way.route);
    assert_ptr_equal(way.direct.provider, &providers[2]);
    assert_true(span_equal(way.direct.model, SPAN_OF("a/b")));
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("nobody/a"), &way), WAY_NO_MODEL);
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("other/"), &way), WAY_NO_MODEL);
}

static void route__falls_back_on_the_dialects_provider_unless_strict(void **state)
{
    struct routing settings = routing_of(false);
    struct way way;

    (void)state;
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("o9"), &way), WAY_FOUND);
    assert_ptr_equal(way.direct.provider, &providers[1]);
    assert_int_equal(way.direct.model.len, 0);
    assert_int_equal(find(&settings, &dialect_anthropic, SPAN_OF("o9"), &way), WAY_FOUND);
    assert_ptr_equal(way.direct.provider, &providers[0]);
    settings.strict_models = true;
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("o9"), &way), WAY_NO_MODEL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(route__globs),
        cmocka_unit_test(route__prefers_the_exact_name_then_file_order),
        cmocka_unit_test(route__splits_provider_and_model_at_the_first_slash),
        cmocka_unit_test(route__falls_back_on_the_dialects_provider_unless_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
