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

static const struct task tasks[] = {
    {.name = SPAN("draft"), .route = &routes[1]},
    {.name = SPAN("gpts"), .route = &routes[0]},      /* a route has this name, too */
    {.name = SPAN("gpt-draft"), .route = &routes[0]}, /* and a pattern fits this one */
};

static struct routing routing_of(bool is_strict)
{
    return (struct routing){.providers = providers,
                             .providers_count = 3,
                             .routes = routes,
                             .routes_count = 3,
                             .tasks = tasks,
                             .tasks_count = 3,
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

/* The order of the manual: each wish beats those behind it. */
static void route__takes_the_first_that_fits(void **state)
{
    static const struct {
        struct span route, task, model;
        enum way_found found;
        int place; /* of the route; -1: a way without one */
    } rows[] = {
        {SPAN("smart"), SPAN("draft"), SPAN("gpts"), WAY_FOUND, 0},
        {SPAN("smart"), SPAN("nobody"), SPAN("nobody/x"), WAY_FOUND, 0},
        {SPAN("nobody"), SPAN("draft"), SPAN("gpts"), WAY_NO_ROUTE, -1},
        {SPAN("draft"), SPAN(""), SPAN("gpts"), WAY_NO_ROUTE, -1}, /* a task is no route */
        {SPAN("gpt-5"), SPAN(""), SPAN("gpts"), WAY_NO_ROUTE, -1}, /* nor is a pattern's model */
        {SPAN(""), SPAN("draft"), SPAN("smart"), WAY_FOUND, 1},
        {SPAN(""), SPAN("gpts"), SPAN("minis"), WAY_FOUND, 0},
        {SPAN(""), SPAN("smart"), SPAN("smart"), WAY_NO_TASK, -1}, /* a route is no task */
        {SPAN(""), SPAN(""), SPAN("gpts"), WAY_FOUND, 2},          /* before the task's name */
        {SPAN(""), SPAN(""), SPAN("draft"), WAY_FOUND, 1},
        {SPAN(""), SPAN(""), SPAN("gpt-draft"), WAY_FOUND, 0}, /* before the patterns */
        {SPAN(""), SPAN(""), SPAN("gpt-x-mini"), WAY_FOUND, 1},
        {SPAN(""), SPAN(""), SPAN("gpt-x"), WAY_FOUND, 2},
        {SPAN(""), SPAN(""), SPAN("openai/gpt-x"), WAY_FOUND, -1},
        {SPAN(""), SPAN(""), SPAN("tiny"), WAY_FOUND, 1},
        {SPAN(""), SPAN(""), SPAN("Smart"), WAY_NO_MODEL, -1}, /* names are told apart by case */
        {SPAN(""), SPAN(""), SPAN(""), WAY_NO_MODEL, -1},
        {SPAN(""), SPAN(""), SPAN("/x"), WAY_NO_MODEL, -1},
    };
    struct routing settings = routing_of(true);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct wish wish = {
            .route = rows[i].route, .task = rows[i].task, .model = rows[i].model};
        struct way way;

        assert_int_equal(route_find(&settings, &dialect_openai, &wish, &way), rows[i].found);
        if (rows[i].place >= 0) {
            assert_ptr_equal(way.route, &routes[rows[i].place]);
            assert_ptr_equal(way.rules, way.route);
        } else {
            assert_null(way.route);
            assert_ptr_equal(way.rules, &settings.defaults);
        }
    }
}

static void route__patterns_come_before_a_providers_name(void **state)
{
    static const struct span names[] = {SPAN("openai/*")};
    struct route route = {.name = SPAN("r"), .match_models = names, .match_models_count = 1};
    struct routing settings = routing_of(true);
    struct way way;

    (void)state;
    settings.routes = &route;
    settings.routes_count = 1;
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("openai/x"), &way), WAY_FOUND);
    assert_ptr_equal(way.route, &route);
    assert_int_equal(find(&settings, &dialect_openai, SPAN_OF("other/x"), &way), WAY_FOUND);
    assert_null(way.route);
    /* A way without a route may be asked as it stands. */
    assert_true(way.direct.is_enabled && way.direct.weight == 1 && way.direct.tier == 1);
    assert_int_equal(way.direct.share_percent, 100);
    assert_int_equal(way.direct.number, TARGET_UNLISTED);
}

static void route__suggests_what_there_is(void **state)
{
    static const struct {
        enum way_found what;
        struct wish wish;
        struct span name;
    } rows[] = {
        {WAY_NO_ROUTE, {.route = SPAN("smrt")}, SPAN("smart")},
        {WAY_NO_ROUTE, {.route = SPAN("draftt"), .model = SPAN("smrt")}, SPAN("")},
        {WAY_NO_TASK, {.task = SPAN("darft"), .model = SPAN("smrt")}, SPAN("draft")},
        {WAY_NO_TASK, {.task = SPAN("smrt")}, SPAN("")},
        {WAY_NO_MODEL, {.model = SPAN("smrt")}, SPAN("smart")},
        {WAY_NO_MODEL, {.model = SPAN("drafts")}, SPAN("draft")},
        {WAY_NO_MODEL, {.model = SPAN("something else")}, SPAN("")},
        {WAY_NO_MODEL, {.model = SPAN("")}, SPAN("")},
    };
    struct routing settings = routing_of(true);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_true(span_equal(route_nearest(&settings, rows[i].what, &rows[i].wish),
                               rows[i].name));
    }
}

static bool sees_none_of_that_name(const void *to, const struct route *route)
{
    const struct span *name = to;

    return !span_equal(route->name, *name);
}

/* A name that its caller may not use is not given away by a suggestion, nor is a task that leads there. */
static void route__suggests_only_what_its_caller_may_know(void **state)
{
    static const struct span hidden = SPAN("smart");
    struct wish wish = {.model = SPAN("smrt"), .sees = sees_none_of_that_name, .to = &hidden};
    struct routing settings = routing_of(true);

    (void)state;
    assert_false(span_equal(route_nearest(&settings, WAY_NO_MODEL, &wish), SPAN_OF("smart")));
    wish.model = SPAN_OF("drafts");
    assert_true(span_equal(route_nearest(&settings, WAY_NO_MODEL, &wish), SPAN_OF("draft")));
}

static void route__of_a_dialect_is_its_first_provider(void **state)
{
    struct routing settings = routing_of(true);
    struct way way;

    (void)state;
    assert_true(route_of_dialect(&settings, &dialect_openai, &way));
    assert_ptr_equal(way.direct.provider, &providers[1]);
    settings.providers_count = 1;
    assert_false(route_of_dialect(&settings, &dialect_openai, &way));
    assert_null(way.direct.provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(route__globs),
        cmocka_unit_test(route__prefers_the_exact_name_then_file_order),
        cmocka_unit_test(route__splits_provider_and_model_at_the_first_slash),
        cmocka_unit_test(route__falls_back_on_the_dialects_provider_unless_strict),
        cmocka_unit_test(route__takes_the_first_that_fits),
        cmocka_unit_test(route__patterns_come_before_a_providers_name),
        cmocka_unit_test(route__suggests_what_there_is),
        cmocka_unit_test(route__suggests_only_what_its_caller_may_know),
        cmocka_unit_test(route__of_a_dialect_is_its_first_provider),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
