/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of failover: taken at both ends of their ranges, refused beyond, with their defaults
 * and in their places. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

#define HEAD             "version: 1\n"
#define PROVIDER(inside) HEAD "providers: { a: { kind: openai, " inside " } }\n"
#define BUILTIN(inside)  HEAD "providers: { a: { kind: fixtures, " inside " } }\n"

struct fault {
    const char *text;
    const char *words;
};

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
    snapshot_give(snapshot);
}

static void failover__breakers_are_read(void **state)
{
    static const struct trip_rule usual = {5, 50, 30000, 5000};

    (void)state;
    assert_breaker(HEAD "providers: { a: { kind: openai } }\n", usual);
    assert_breaker(HEAD "providers: { a: { kind: fixtures } }\n", usual);
    assert_breaker(PROVIDER("breaker: {}"), usual);
    assert_breaker(PROVIDER("breaker: { failures: 1, ratio: 1%, window: 1s, open: 100ms }"),
                   (struct trip_rule){1, 1, 1000, 100});
    assert_breaker(BUILTIN("breaker: { failures: 1000, ratio: 100%, window: 10m, open: 120s }"),
                   (struct trip_rule){1000, 100, 600000, 120000});
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
        {PROVIDER("breaker: { open: 121s }"), "breaker.open must be 100ms to 120s"},
        {PROVIDER("breaker: { open: off }"), "breaker.open must be a duration\n"},
        {BUILTIN("breaker: { faliures: 3 }"), "unknown key \"faliures\" in providers.a.breaker\n"},
        {BUILTIN("breaker: { faliures: 3 }"),
         "did you mean \"failures\"? keys here: failures, ratio, window, open\n"},
    };

    (void)state;
    refuse_all(faults, ARRAY_LENGTH(faults));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failover__breakers_are_read),
        cmocka_unit_test(failover__breakers_are_refused_beyond_their_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
