/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of failover: taken at both ends of their ranges, refused beyond, with their defaults
 * and in their places. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "router/strategy.h"
#include "tests/unit/conf/world.h"

#define HEAD             "version: 1\n"
#define PROVIDER(inside) HEAD "providers: { a: { kind: openai, " inside " } }\n"
#define BUILTIN(inside)  HEAD "providers: { a: { kind: fixtures, " inside " } }\n"
#define TOP(inside)      HEAD "providers: { a: { kind: fixtures }, b: { kind: fixtures } }\n" inside
#define ROUTE(inside)    TOP("routes: { m: { targets: [ { provider: a } ], " inside " } }\n")
#define TARGET(inside)   TOP("routes: { m: { targets: [ { provider: a, " inside " } ] } }\n")

struct fault {
    const char *text;
    const char *words;
};

static void take_all(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        snapshot_give(load_good(texts[i]));
        assert_int_equal(mem_held(), 0);
    }
}

static void refuse_all(const struct fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        REFUSE(faults[i].text, faults[i].words);
    }
}

/* ---- breaker ---- */

static void assert_breaker(const char *text, struct trip_rule expected)
{
    struct snapshot *snapshot = load_good(text);
    const struct trip_rule *rule = &snapshot->routing.providers[0].breaker;

    assert_int_equal(rule->failures, expected.failures);
    assert_int_equal(rule->ratio_percent, expected.ratio_percent);
    assert_int_equal(rule->window_ms, expected.window_ms);
    assert_int_equal(rule->open_ms, expected.open_ms);
    assert_int_equal(rule->silence_ms, expected.silence_ms);
    snapshot_give(snapshot);
}

static void failover__breakers_are_read(void **state)
{
    static const struct trip_rule usual = {5, 50, 30000, 5000, 10000};

    (void)state;
    assert_breaker(HEAD "providers: { a: { kind: openai } }\n", usual);
    assert_breaker(HEAD "providers: { a: { kind: fixtures } }\n", usual);
    assert_breaker(PROVIDER("breaker: {}"), usual);
    assert_breaker(
        PROVIDER("breaker: { failures: 1, ratio: 1%, window: 1s, open: 100ms, silence: off }"),
        (struct trip_rule){1, 1, 1000, 100, 0});
    assert_breaker(
        BUILTIN("breaker: { failures: 1000, ratio: 100%, window: 10m, open: 120s, silence: 10m }"),
        (struct trip_rule){1000, 100, 600000, 120000, 600000});
}

static void failover__breakers_are_refused_beyond_their_ranges(void **state)
{
    static const struct fault faults[] = {
        {PROVIDER("breaker: off"), "providers.a.breaker must be a mapping, not text"},
        {PROVIDER("breaker: { failures: 0 }"), "breaker.failures must be 1 to 1000"},
        {PROVIDER("breaker: { failures: 1001 }"), "breaker.failures must be 1 to 1000"},
        {PROVIDER("breaker: { ratio: 0% }"), "providers.a.breaker.ratio must be 1% to 100%"},
        {PROVIDER("breaker: { ratio: 101% }"), "breaker.ratio must be 1% to 100%"},
        {PROVIDER("breaker: { ratio: 50 }"), "breaker.ratio must be a percentage\n"},
        {PROVIDER("breaker: { ratio: 50 }"), "help: percentages are written like 50%\n"},
        {PROVIDER("breaker: { window: 999ms }"), "breaker.window must be 1s to 10m"},
        {PROVIDER("breaker: { window: 601s }"), "breaker.window must be 1s to 10m"},
        {PROVIDER("breaker: { open: 99ms }"), "breaker.open must be 100ms to 120s"},
        {PROVIDER("breaker: { silence: 99ms }"), "breaker.silence must be 100ms to 10m"},
        {PROVIDER("breaker: { silence: never }"), "breaker.silence must be"},
        {PROVIDER("breaker: { open: 121s }"), "breaker.open must be 100ms to 120s"},
        {PROVIDER("breaker: { open: off }"), "breaker.open must be a duration\n"},
        {BUILTIN("breaker: { faliures: 3 }"), "unknown key \"faliures\" in providers.a.breaker\n"},
        {BUILTIN("breaker: { faliures: 3 }"),
         "did you mean \"failures\"? keys here: failures, ratio, window, open, silence\n"},
    };

    (void)state;
    refuse_all(faults, ARRAY_LENGTH(faults));
}

/* ---- targets ---- */

static void failover__targets_are_read_and_numbered_over_all_routes(void **state)
{
    struct snapshot *snapshot =
        load_good(TOP("routes:\n"
                      "  m: { targets: [ { provider: a }, { provider: b, tier: 2, weight: 3, "
                      "share: 4%, context: 5, enabled: false } ] }\n"
                      "  n: { targets: [ { provider: b, context: 100000000 } ] }\n"));
    const struct route *routes = snapshot->routing.routes;
    const struct target *first = &routes[0].targets[0];
    const struct target *second = &routes[0].targets[1];

    (void)state;
    assert_int_equal(first->tier, 1);
    assert_int_equal(first->weight, 1);
    assert_int_equal(first->share_percent, 100);
    assert_int_equal(first->context, 0);
    assert_true(first->is_enabled);
    assert_int_equal(second->tier, 2);
    assert_int_equal(second->weight, 3);
    assert_int_equal(second->share_percent, 4);
    assert_int_equal(second->context, 5);
    assert_false(second->is_enabled);
    assert_int_equal(routes[1].targets[0].context, 100000000);
    assert_int_equal(first->number, 0);
    assert_int_equal(second->number, 1);
    assert_int_equal(routes[1].targets[0].number, 2);
    assert_int_equal(snapshot->routing.targets_count, 3);
    assert_int_equal(routes[0].index, 0);
    assert_int_equal(routes[1].index, 1);
    assert_int_equal(snapshot->routing.defaults.index, 2);
    snapshot_give(snapshot);
}

static void failover__targets_are_taken_and_refused_at_the_ends(void **state)
{
    static const char *const good[] = {
        TARGET("tier: 1, weight: 1, share: 1%, context: 1, enabled: true"),
        TARGET("tier: 100, weight: 1000, share: 100%, context: 100000000"),
        TOP("routes: { m: { strategy: fastest, targets: [ { provider: a, weight: 9 } ] } }\n"),
    };
    static const struct fault faults[] = {
        {TARGET("tier: 0"), "routes.m.targets[0].tier must be 1 to 100"},
        {TARGET("tier: 101"), "targets[0].tier must be 1 to 100"},
        {TARGET("weight: 0"), "targets[0].weight must be 1 to 1000"},
        {TARGET("weight: 1001"), "targets[0].weight must be 1 to 1000"},
        {TARGET("share: 0%"), "targets[0].share must be 1% to 100%"},
        {TARGET("share: 101%"), "targets[0].share must be 1% to 100%"},
        {TARGET("share: 10"), "targets[0].share must be a percentage"},
        {TARGET("context: 0"), "targets[0].context must be 1 to 100000000"},
        {TARGET("context: 100000001"), "targets[0].context must be 1 to 100000000"},
        {TARGET("context: 8k"), "targets[0].context must be a whole number"},
        {TARGET("enabled: on"), "targets[0].enabled must be true or false"},
        {TARGET("wieght: 1"), "did you mean \"weight\"?"},
    };

    (void)state;
    take_all(good, ARRAY_LENGTH(good));
    refuse_all(faults, ARRAY_LENGTH(faults));
}

static void failover__a_route_has_a_target_that_is_enabled(void **state)
{
    (void)state;
    REFUSE(TARGET("enabled: false"),
           "test.yaml:3:16: error: routes.m.targets has no target that is enabled\n",
           "help: enable one, or take the route out\n");
    REFUSE(TOP("routes: { m: { targets: [ { provider: a, enabled: false }, "
               "{ provider: b, enabled: false } ] } }\n"),
           "routes.m.targets has no target that is enabled");
    snapshot_give(load_good(TOP("routes: { m: { targets: [ { provider: a, enabled: false }, "
                                "{ provider: b } ] } }\n")));
    REFUSE(TOP("routes: { m: { targets: [ { provider: a }, { provider: a, tier: 2, weight: 2, "
               "enabled: false } ] } }\n"),
           "routes.m.targets[1] is the same target as targets[0]");
}

/* ---- routes ---- */

static void assert_defaults(const struct route *route)
{
    assert_ptr_equal(route->strategy, &strategy_priority);
    assert_int_equal(route->retry.attempts, 3);
    assert_int_equal(route->retry.attempts_per_target, 2);
    assert_int_equal(route->retry.base_ms, 250);
    assert_int_equal(route->retry.cap_ms, 8000);
    assert_int_equal(route->retry.jitter, JITTER_FULL);
    assert_int_equal(route->retry.ambiguous, AMBIGUOUS_ONCE);
    assert_int_equal(route->retry.wait_ms, 0);
    assert_true(route->is_sticky);
    assert_int_equal(route->hedge_after_ms, 0);
    assert_false(route->resumes);
    assert_true(route->panics);
    assert_int_equal(route->translate, TRANSLATE_LENIENT);
    assert_int_equal(route->slow_ms, 0);
}

static void failover__defaults_hold_with_and_without_a_route(void **state)
{
    struct snapshot *snapshot = load_good(
        TOP("routes: { m: { targets: [ { provider: a } ] }, n: { targets: [ { provider: a } ], "
            "retry: {} } }\n"));

    (void)state;
    assert_defaults(&snapshot->routing.routes[0]);
    assert_defaults(&snapshot->routing.routes[1]);
    assert_defaults(&snapshot->routing.defaults);
    assert_int_equal(snapshot->routing.defaults.targets_count, 0);
    snapshot_give(snapshot);
    snapshot = load_good(TOP(""));
    assert_defaults(&snapshot->routing.defaults);
    assert_int_equal(snapshot->routing.defaults.index, 0);
    assert_int_equal(snapshot->routing.targets_count, 0);
    snapshot_give(snapshot);
}

static void failover__what_is_written_comes_into_its_place(void **state)
{
    struct snapshot *snapshot = load_good(
        ROUTE("strategy: least_busy, sticky: off, resume: prefill, panic: off, "
              "slow: 7s, retry: { attempts: 5, attempts_per_target: 4, base: 3ms, cap: 9m, "
              "jitter: decorrelated, ambiguous: never, wait: 6s }, translate: strict"));
    const struct route *route = &snapshot->routing.routes[0];

    (void)state;
    assert_ptr_equal(route->strategy, &strategy_least_busy);
    assert_false(route->is_sticky);
    assert_true(route->resumes);
    assert_false(route->panics);
    assert_int_equal(route->translate, TRANSLATE_STRICT);
    assert_int_equal(route->slow_ms, 7000);
    assert_int_equal(route->retry.attempts, 5);
    assert_int_equal(route->retry.attempts_per_target, 4);
    assert_int_equal(route->retry.base_ms, 3);
    assert_int_equal(route->retry.cap_ms, 540000);
    assert_int_equal(route->retry.jitter, JITTER_DECORRELATED);
    assert_int_equal(route->retry.ambiguous, AMBIGUOUS_NEVER);
    assert_int_equal(route->retry.wait_ms, 6000);
    assert_defaults(&snapshot->routing.defaults);
    snapshot_give(snapshot);
}

static void failover__routes_are_taken_at_the_ends_of_their_ranges(void **state)
{
    static const char *const good[] = {
        ROUTE("strategy: priority"),
        ROUTE("strategy: round_robin"),
        ROUTE("strategy: weighted"),
        ROUTE("strategy: fastest"),
        ROUTE("strategy: cheapest"),
        ROUTE("retry: { attempts: 1, attempts_per_target: 1, base: 1ms, cap: 1ms, wait: 0s }"),
        ROUTE("retry: { attempts: 5, attempts_per_target: 5, base: 1m, cap: 10m, wait: 10m }"),
        ROUTE("retry: { base: 8s }"),
        ROUTE("retry: { cap: 250ms }"),
        ROUTE("retry: { jitter: full, ambiguous: always }"),
        ROUTE("retry: { jitter: decorrelated, ambiguous: once }"),
        ROUTE("sticky: session, panic: try_least_bad, slow: off"),
        ROUTE("resume: off"),
        ROUTE("slow: 1ms"),
        ROUTE("slow: 1d"),
    };

    (void)state;
    take_all(good, ARRAY_LENGTH(good));
}

static void failover__routes_are_refused_beyond_their_ranges(void **state)
{
    static const struct fault faults[] = {
        {ROUTE("strategy: random"), "routes.m.strategy must be one of priority, round_robin, "
                                    "weighted, least_busy, fastest, cheapest\n"},
        {ROUTE("strategy: wieghted"), "help: did you mean \"weighted\"?\n"},
        {ROUTE("strategy: [weighted]"), "routes.m.strategy must be text, not a list"},
        {ROUTE("retry: off"), "routes.m.retry must be a mapping, not text"},
        {ROUTE("retry: { attempts: 0 }"), "routes.m.retry.attempts must be 1 to 5"},
        {ROUTE("retry: { attempts: 6 }"), "retry.attempts must be 1 to 5"},
        {ROUTE("retry: { attempts_per_target: 0 }"), "attempts_per_target must be 1 to 5"},
        {ROUTE("retry: { attempts_per_target: 6 }"), "attempts_per_target must be 1 to 5"},
        {ROUTE("retry: { base: 0ms }"), "retry.base must be 1ms to 1m"},
        {ROUTE("retry: { base: 60001ms, cap: 2m }"), "retry.base must be 1ms to 1m"},
        {ROUTE("retry: { cap: 0ms }"), "retry.cap must be 1ms to 10m"},
        {ROUTE("retry: { cap: 601s }"), "retry.cap must be 1ms to 10m"},
        {ROUTE("retry: { wait: 601s }"), "retry.wait must be 0s to 10m"},
        {ROUTE("retry: { wait: off }"), "retry.wait must be a duration"},
        {ROUTE("retry: { jitter: none }"), "retry.jitter must be one of full, decorrelated"},
        {ROUTE("retry: { ambiguous: twice }"), "ambiguous must be one of never, once, always"},
        {ROUTE("retry: { ambiguous: alway }"), "did you mean \"always\"?"},
        {ROUTE("retry: { attempt: 1 }"),
         "did you mean \"attempts\"? keys here: attempts, attempts_per_target, base, cap, jitter, "
         "ambiguous, wait\n"},
        {ROUTE("sticky: on"), "routes.m.sticky must be one of off, session"},
        {ROUTE("sticky: sesion"), "did you mean \"session\"?"},
        {ROUTE("resume: on"), "routes.m.resume must be one of off, prefill"},
        {ROUTE("resume: prefil"), "did you mean \"prefill\"?"},
        {ROUTE("panic: true"), "routes.m.panic must be one of off, try_least_bad"},
        {ROUTE("slow: 0ms"), "routes.m.slow must be 1ms to 1d, or off"},
        {ROUTE("slow: 25h"), "routes.m.slow must be 1ms to 1d, or off"},
        {ROUTE("slow: 5"), "routes.m.slow must be a duration or off"},
    };

    (void)state;
    refuse_all(faults, ARRAY_LENGTH(faults));
}

static void failover__no_pause_is_capped_below_its_base(void **state)
{
    (void)state;
    REFUSE(ROUTE("retry: { base: 2s, cap: 1999ms }"),
           "test.yaml:3:70: error: routes.m.retry has a cap below its base\n");
    REFUSE(ROUTE("retry: { cap: 249ms }"), "test.yaml:3:60: error: routes.m.retry has a cap");
    REFUSE(ROUTE("retry: { base: 8001ms }"), "test.yaml:3:61: error: routes.m.retry has a cap",
           "help: cap bounds what grows from base; it is 8s when it is not written\n");
}

/* A default in the place of a refused value is nobody's wish. */
static void failover__a_refused_cap_is_complained_of_once(void **state)
{
    static const char text[] = ROUTE("retry: { base: 9s, cap: 5 }");
    struct conf_world world = world_of(&usual_world);
    struct complaints complaints;
    struct snapshot *snapshot = NULL;

    (void)state;
    assert_int_equal(conf_load(SPAN_OF("f"), span_of(text), &world, &complaints, &snapshot),
                     ERR_CONFIG);
    assert_int_equal(complaints.count, 1);
    assert_string_equal(complaints.list[0].text, "routes.m.retry.cap must be a duration");
}

/* ---- commit ---- */

static void assert_commit(const char *text, enum commit_mode mode, uint32_t value)
{
    struct snapshot *snapshot = load_good(text);

    assert_int_equal(snapshot->routing.routes[0].commit.mode, mode);
    assert_int_equal(snapshot->routing.routes[0].commit.value, value);
    assert_int_equal(snapshot->routing.defaults.commit.mode, COMMIT_FIRST_CONTENT);
    snapshot_give(snapshot);
}

static void failover__commit_is_a_word_or_one_measure(void **state)
{
    (void)state;
    assert_commit(ROUTE(""), COMMIT_FIRST_CONTENT, 0);
    assert_commit(ROUTE("commit: first_content"), COMMIT_FIRST_CONTENT, 0);
    assert_commit(ROUTE("commit: complete"), COMMIT_COMPLETE, 0);
    assert_commit(ROUTE("commit: { tokens: 1 }"), COMMIT_TOKENS, 1);
    assert_commit(ROUTE("commit: { tokens: 1000000 }"), COMMIT_TOKENS, 1000000);
    assert_commit(ROUTE("commit: { after: 1ms }"), COMMIT_AFTER, 1);
    assert_commit(ROUTE("commit: { after: 10m }"), COMMIT_AFTER, 600000);
}

static void failover__commit_is_refused_in_other_forms(void **state)
{
    static const struct fault faults[] = {
        {ROUTE("commit: last"), "routes.m.commit must be first_content, complete, { tokens: N } "
                                "or { after: 2s }\n"},
        {ROUTE("commit: compelte"), "help: did you mean \"complete\"?\n"},
        {ROUTE("commit: 50"), "routes.m.commit must be first_content, complete"},
        {ROUTE("commit: [complete]"), "routes.m.commit must be first_content, complete"},
        {ROUTE("commit: \"\""), "routes.m.commit is empty"},
        {ROUTE("commit: {}"), "routes.m.commit must have one of tokens and after\n"},
        {ROUTE("commit: { tokens: 5, after: 2s }"), "must have one of tokens and after\n"},
        {ROUTE("commit: { tokens: 0 }"), "routes.m.commit.tokens must be 1 to 1000000"},
        {ROUTE("commit: { tokens: 1000001 }"), "commit.tokens must be 1 to 1000000"},
        {ROUTE("commit: { tokens: 5s }"), "commit.tokens must be a whole number"},
        {ROUTE("commit: { after: 0ms }"), "routes.m.commit.after must be 1ms to 10m"},
        {ROUTE("commit: { after: 601s }"), "commit.after must be 1ms to 10m"},
        {ROUTE("commit: { after: 2 }"), "commit.after must be a duration"},
        {ROUTE("commit: { token: 5 }"), "did you mean \"tokens\"? keys here: tokens, after\n"},
    };

    (void)state;
    refuse_all(faults, ARRAY_LENGTH(faults));
}

/* ---- hedge ---- */

static void assert_hedge(const char *text, uint32_t after_ms)
{
    struct snapshot *snapshot = load_good(text);

    assert_int_equal(snapshot->routing.routes[0].hedge_after_ms, after_ms);
    assert_int_equal(snapshot->routing.defaults.hedge_after_ms, 0);
    snapshot_give(snapshot);
}

static void failover__hedge_is_off_or_says_after_when(void **state)
{
    static const struct fault faults[] = {
        {ROUTE("hedge: on"), "routes.m.hedge must be off or { after: 2s }\n"},
        {ROUTE("hedge: 2s"), "routes.m.hedge must be off or { after: 2s }\n"},
        {ROUTE("hedge: [off]"), "routes.m.hedge must be off or { after: 2s }\n"},
        {ROUTE("hedge: \"\""), "routes.m.hedge is empty"},
        {ROUTE("hedge: {}"), "\"after\" is missing in routes.m.hedge\n"},
        {ROUTE("hedge: { after: 99ms }"), "routes.m.hedge.after must be 100ms to 10m"},
        {ROUTE("hedge: { after: 601s }"), "routes.m.hedge.after must be 100ms to 10m"},
        {ROUTE("hedge: { after: off }"), "routes.m.hedge.after must be a duration\n"},
        {ROUTE("hedge: { after: 2s, at: x }"), "unknown key \"at\" in routes.m.hedge\n"},
    };

    (void)state;
    assert_hedge(ROUTE("hedge: off"), 0);
    assert_hedge(ROUTE("hedge: { after: 100ms }"), 100);
    assert_hedge(ROUTE("hedge: { after: 10m }"), 600000);
    refuse_all(faults, ARRAY_LENGTH(faults));
}

/* ---- tasks ---- */

#define ROUTES                                                                                     \
    "routes: { cheap: { targets: [ { provider: a } ] }, smart: { targets: [ { provider: b } ] } }" \
    "\n"

static void failover__tasks_lead_to_routes(void **state)
{
    struct snapshot *snapshot = load_good(
        TOP("tasks: { draft: cheap, \"re:pair/2\": smart, cheap: smart, x: cheap }\n" ROUTES));
    const struct routing *routing = &snapshot->routing;

    (void)state;
    assert_int_equal(routing->tasks_count, 4);
    assert_true(span_equal(routing->tasks[0].name, SPAN_OF("draft")));
    assert_ptr_equal(routing->tasks[0].route, &routing->routes[0]);
    assert_true(span_equal(routing->tasks[1].name, SPAN_OF("re:pair/2")));
    assert_ptr_equal(routing->tasks[1].route, &routing->routes[1]);
    assert_true(span_equal(routing->tasks[2].name, SPAN_OF("cheap")));
    assert_ptr_equal(routing->tasks[2].route, &routing->routes[1]);
    assert_ptr_equal(routing->tasks[3].route, &routing->routes[0]);
    snapshot_give(snapshot);
    snapshot = load_good(TOP("tasks: {}\n"));
    assert_int_equal(snapshot->routing.tasks_count, 0);
    snapshot_give(snapshot);
}

static void failover__tasks_that_lead_nowhere_are_refused(void **state)
{
    static const struct fault faults[] = {
        {TOP(ROUTES "tasks: [draft]\n"), "tasks must be a mapping, not a list"},
        {TOP(ROUTES "tasks: { draft: [cheap] }\n"), "tasks.draft must be text, not a list"},
        {TOP(ROUTES "tasks: { draft: \"\" }\n"), "tasks.draft is empty"},
        {TOP(ROUTES "tasks: { draft: cheep }\n"),
         "test.yaml:4:17: error: tasks.draft is no route of this file\n"},
        {TOP(ROUTES "tasks: { draft: cheep }\n"), "help: did you mean \"cheap\"?\n"},
        {TOP(ROUTES "tasks: { draft: cheap, repair: draft }\n"),
         "tasks.repair is no route of this file"},
        {TOP("tasks: { draft: a }\n"), "tasks.draft is no route of this file"},
        {TOP(ROUTES "tasks: { \"a b\": cheap }\n"),
         "tasks.a b must be 1 to 256 printable ASCII characters without blanks"},
        {TOP(ROUTES "tasks: { \"\": cheap }\n"), "must be 1 to 256 printable"},
        {TOP(ROUTES "tasks: { draft: cheap, draft: smart }\n"), "duplicate key \"draft\""},
    };

    (void)state;
    refuse_all(faults, ARRAY_LENGTH(faults));
    REFUSE(TOP(ROUTES "tasks: { draft: cheep, repair: smrat }\n"), "tasks.draft is no route",
           "tasks.repair is no route", "did you mean \"smart\"?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failover__breakers_are_read),
        cmocka_unit_test(failover__breakers_are_refused_beyond_their_ranges),
        cmocka_unit_test(failover__targets_are_read_and_numbered_over_all_routes),
        cmocka_unit_test(failover__targets_are_taken_and_refused_at_the_ends),
        cmocka_unit_test(failover__a_route_has_a_target_that_is_enabled),
        cmocka_unit_test(failover__defaults_hold_with_and_without_a_route),
        cmocka_unit_test(failover__what_is_written_comes_into_its_place),
        cmocka_unit_test(failover__routes_are_taken_at_the_ends_of_their_ranges),
        cmocka_unit_test(failover__routes_are_refused_beyond_their_ranges),
        cmocka_unit_test(failover__no_pause_is_capped_below_its_base),
        cmocka_unit_test(failover__a_refused_cap_is_complained_of_once),
        cmocka_unit_test(failover__commit_is_a_word_or_one_measure),
        cmocka_unit_test(failover__commit_is_refused_in_other_forms),
        cmocka_unit_test(failover__hedge_is_off_or_says_after_when),
        cmocka_unit_test(failover__tasks_lead_to_routes),
        cmocka_unit_test(failover__tasks_that_lead_nowhere_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
