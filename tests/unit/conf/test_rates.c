/* SPDX-License-Identifier: Apache-2.0 */
/* rates: good and bad ones, at the ends of their ranges. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

#define TOP(inside)                                                                                \
    "version: 1\nproviders: { a: { kind: fixtures } }\n"                                           \
    "routes: { smart: { targets: [ { provider: a, model: m } ] } }\ntasks: { draft: smart }\n" inside
#define RATES(inside) TOP("rates:\n  - " inside "\n")
/* All but the key that the test is about. */
#define WITH(inside)  RATES("{ scope: team, limit: 60 requests, " inside " }")
#define LIMIT(text)   RATES("{ scope: team, per: minute, limit: " text " }")
#define SCOPED(text)  RATES("{ limit: 8 concurrent, scope: " text " }")

static void nothing__is_no_rate(void **state)
{
    struct snapshot *snapshot = load_good(TOP(""));

    (void)state;
    assert_int_equal(snapshot->rates.count, 0);
    snapshot_give(snapshot);
    snapshot = load_good(TOP("rates: []\n"));
    assert_int_equal(snapshot->rates.count, 0);
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

static void values__are_taken(void **state)
{
    struct snapshot *snapshot = load_good(
        TOP("rates:\n"
            "  - { scope: key, limit: 60 requests, per: minute, burst: 10 }\n"
            "  - { name: many, scope: key, limit: 8 concurrent }\n"
            "  - { scope: \"team:growth\", limit: 100000 tokens, per: hour }\n"));
    const struct rate *list = snapshot->rates.list;

    (void)state;
    assert_int_equal(snapshot->rates.count, 3);
    for (uint16_t i = 0; i < 3; i++) {
        assert_int_equal(list[i].index, i);
    }
    assert_span(list[0].name, "rates[0]");
    assert_int_equal(list[0].scope.kind, SCOPE_KEY);
    assert_int_equal(list[0].unit, RATE_REQUESTS);
    assert_int_equal(list[0].limit, 60);
    assert_int_equal(list[0].rule.burst, 10);
    assert_int_equal(list[0].rule.step, 1000 * list[0].rule.scale);
    assert_span(list[1].name, "many");
    assert_int_equal(list[1].unit, RATE_CONCURRENT);
    assert_int_equal(list[1].limit, 8);
    assert_span(list[2].name, "rates[2]");
    assert_span(list[2].scope.value, "growth");
    assert_int_equal(list[2].unit, RATE_TOKENS);
    assert_int_equal(list[2].rule.burst, 100000);
    assert_int_equal(list[2].rule.step, 36 * list[2].rule.scale);
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

static void periods__are_those_four(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {{WITH("per: second"), 1000},
                {WITH("per: minute"), 60000},
                {WITH("per: hour"), 3600000},
                {WITH("per: day"), 86400000}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct snapshot *snapshot = load_good(rows[i].text);
        const struct gcra_rule *rule = &snapshot->rates.list->rule;

        assert_int_equal(rule->step * 60, rows[i].ms * rule->scale);
        assert_int_equal(rule->burst, 60);
        snapshot_give(snapshot);
    }
    REFUSE(WITH("per: week"), "rates[0].per", "second, minute, hour");
    REFUSE(WITH("per: 90s"), "rates[0].per");
    REFUSE(WITH("burst: 1"), "test.yaml:6:", "rates[0].per is missing", "help: per: minute");
}

static void limits__are_judged(void **state)
{
    static const char *const good[] = {
        LIMIT("1 requests"), RATES("{ scope: team, per: hour, limit: 1000000000000 tokens }"),
        RATES("{ scope: team, per: second, limit: 1000000000 tokens }"),
        SCOPED("team"), RATES("{ scope: team, limit: 1000000 concurrent }"),
        WITH("per: day, burst: 60"), WITH("per: day, burst: 1")};
    static const char *const shape[] = {
        LIMIT("60"), LIMIT("60 USD"), LIMIT("60requests"), LIMIT("\"60  requests\""),
        LIMIT("-1 tokens"), LIMIT("1.5 tokens"), LIMIT("60 request"), LIMIT("1e3 tokens")};
    static const char *const range[] = {
        LIMIT("0 requests"), LIMIT("1000000000001 tokens"),
        LIMIT("99999999999999999999 tokens"), LIMIT("18446744073709551615 tokens")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        snapshot_give(load_good(good[i]));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(shape); i++) {
        REFUSE(shape[i], "rates[0].limit must be an amount with its unit",
               "help: write it like 60 requests");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(range); i++) {
        REFUSE(range[i], "rates[0].limit must be at least 1 and at most 1000000000000");
    }
    REFUSE(WITH("per: day, burst: 0"), "rates[0].burst must be a whole number, at least 1");
    REFUSE(WITH("per: day, burst: ten"), "rates[0].burst must be a whole number, at least 1");
    REFUSE(WITH("per: day, burst: 61"), "rates[0].burst must not be above the limit");
    REFUSE(RATES("{ scope: team, limit: 0 concurrent }"), "at least 1 and at most 1000000");
    REFUSE(RATES("{ scope: team, limit: 1000001 concurrent }"), "at least 1 and at most 1000000");
    REFUSE(RATES("{ scope: team, per: second, limit: 1000001000 tokens }"),
           "rates[0].limit must be at most 1000000000 a second");
}

static void what__does_nothing_is_refused(void **state)
{
    (void)state;
    REFUSE(RATES("{ scope: team, limit: 8 concurrent, per: minute, burst: 2 }"),
           "rates[0].per does nothing here", "rates[0].burst does nothing here");
    REFUSE(RATES("{ scope: team, limit: 8 concurrent, window: day }"), "rates[0]", "window");
}

static void scopes__are_judged(void **state)
{
    static const char *const good[] = {
        SCOPED("global"), SCOPED("\"team:any one\""), SCOPED("user"), SCOPED("\"key:ci\""),
        SCOPED("\"tag:x\""), SCOPED("\"route:smart\""), SCOPED("\"task:draft\""), SCOPED("trace")};
    static const char *const bad[] = {SCOPED("model"), SCOPED("\"model:gpt-5.4\""),
                                      SCOPED("\"provider:a\""), SCOPED("call")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        snapshot_give(load_good(good[i]));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        REFUSE(bad[i], "rates[0].scope is no scope of a rate", "before a provider is chosen",
               "scopes: global, team, user, key, tag, route, task, trace");
    }
    REFUSE(SCOPED("teams"), "rates[0].scope is no scope", "did you mean \"team\"?");
    REFUSE(SCOPED("\"global:x\""), "global and trace stand alone");
    REFUSE(SCOPED("\"route:smrt\""), "names no route of this file", "did you mean \"smart\"?");
}

static void lists__are_judged(void **state)
{
    char text[4096] = TOP("rates:\n");

    (void)state;
    REFUSE(TOP("rates: { scope: team }\n"), "rates must be a list");
    REFUSE(RATES("team"), "rates[0] must be");
    REFUSE(RATES("{ limit: 8 concurrent }"), "\"scope\" is missing in rates[0]");
    REFUSE(RATES("{ scope: team }"), "\"limit\" is missing in rates[0]");
    REFUSE(RATES("{ name: \"rates[0]\", scope: team, limit: 8 concurrent }"),
           "rates[0].name is no name of a rate");
    REFUSE(RATES("{ name: a, scope: team, limit: 8 concurrent }\n"
                 "  - { name: a, scope: key, limit: 8 concurrent }"),
           "rates[1] has the name of rates[0]");
    for (size_t i = 0; i < RATES_MAX; i++) {
        strcat(text, "  - { scope: team, limit: 8 concurrent }\n");
    }
    snapshot_give(load_good(text));
    strcat(text, "  - { scope: team, limit: 8 concurrent }\n");
    REFUSE(text, "rates must be at most 32 rates");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing__is_no_rate),       cmocka_unit_test(values__are_taken),
        cmocka_unit_test(periods__are_those_four),   cmocka_unit_test(limits__are_judged),
        cmocka_unit_test(what__does_nothing_is_refused), cmocka_unit_test(scopes__are_judged),
        cmocka_unit_test(lists__are_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
