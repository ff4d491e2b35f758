/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a failed attempt: every remedy against every combination of facts, told a second
 * time as a list of ways (resilience.md, 3 and 5); then the pauses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "router/retry.h"
#include "wire/hint.h"

static struct retry_rule rule_of(enum jitter jitter)
{
    return (struct retry_rule){.attempts = 3,
                               .attempts_per_target = 2,
                               .base_ms = 250,
                               .cap_ms = 8000,
                               .jitter = jitter,
                               .ambiguous = AMBIGUOUS_ONCE};
}

/* A first failure with all ways open. */
static struct retry_facts facts_of(const struct retry_rule *rule, enum outcome outcome)
{
    return (struct retry_facts){.outcome = outcome,
                                .rule = rule,
                                .attempts = 1,
                                .attempts_max = 3,
                                .attempts_here = 1,
                                .has_next = true,
                                .may_same = true,
                                .hint_ms = HINT_NONE,
                                .should_retry = -1,
                                .left_ms = 600000};
}

/* ---- by hand ---- */

static void expect_decision(const struct retry_facts *facts, enum retry_choice choice,
                            enum retry_why why)
{
    struct rng rng;

    for (uint64_t seed = 0; seed < 20; seed++) {
        struct retry_decision decision;

        rng_init(&rng, seed, 0);
        decision = retry_decide(facts, &rng);
        assert_int_equal(decision.choice, choice);
        assert_int_equal(decision.why, why);
        assert_true(decision.choice != RETRY_STOP || decision.wait_ms == 0);
    }
}

static void retry__does_what_the_table_says(void **state)
{
    static const struct {
        enum outcome outcome;
        enum retry_choice first;  /* with another target */
        enum retry_choice second; /* the same failure once more at this target */
        enum retry_choice alone;  /* without another one */
    } rows[] = {
        {OUTCOME_DNS, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_CONNECT, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_EGRESS_DENIED, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_TLS, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_TLS_VERIFY, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_RESET, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_STALE, RETRY_SAME, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_HEAD_TIMEOUT, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_REQUEST, RETRY_STOP, RETRY_STOP, RETRY_STOP},
        {OUTCOME_CONTEXT, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_MODEL, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_AUTH, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_PERMISSION, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_BILLING, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_QUOTA, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_CONFLICT, RETRY_SAME, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_TIMED_OUT, RETRY_SAME, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_THROTTLED, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_PROVIDER_ERROR, RETRY_SAME, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_GATEWAY_ERROR, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_OVERLOADED, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_EDGE_ERROR, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_EDGE_VERIFY, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_REDIRECT, RETRY_NEXT, RETRY_NEXT, RETRY_STOP},
        {OUTCOME_BAD_BODY, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_TRUNCATED, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_EMPTY_STREAM, RETRY_NEXT, RETRY_NEXT, RETRY_SAME},
        {OUTCOME_LOCAL, RETRY_STOP, RETRY_STOP, RETRY_STOP},
        {OUTCOME_DEADLINE, RETRY_STOP, RETRY_STOP, RETRY_STOP},
    };
    struct retry_rule rule = rule_of(JITTER_FULL);
    struct rng rng;

    (void)state;
    rng_init(&rng, 1, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct retry_facts facts = facts_of(&rule, rows[i].outcome);

        assert_int_equal(retry_decide(&facts, &rng).choice, rows[i].first);
        facts.attempts_here = 2;
        facts.attempts = 2;
        facts.fresh = 1;
        assert_int_equal(retry_decide(&facts, &rng).choice, rows[i].second);
        facts = facts_of(&rule, rows[i].outcome);
        facts.has_next = false;
        assert_int_equal(retry_decide(&facts, &rng).choice, rows[i].alone);
        facts.may_same = false;
        assert_int_equal(retry_decide(&facts, &rng).choice, RETRY_STOP);
    }
}

static void retry__says_why(void **state)
{
    struct retry_rule rule = rule_of(JITTER_FULL);
    struct retry_facts facts = facts_of(&rule, OUTCOME_CONNECT);

    (void)state;
    expect_decision(&facts, RETRY_NEXT, RETRY_OTHER_TARGET);
    facts.is_money_out = true; /* nothing was sent that could be paid for */
    expect_decision(&facts, RETRY_NEXT, RETRY_OTHER_TARGET);
    facts.is_ambiguous = true;
    expect_decision(&facts, RETRY_STOP, RETRY_STORM_MONEY);
    facts.is_ambiguous = false;
    facts.next_storm = STORM_TOKENS; /* a way that is closed leaves the other one */
    expect_decision(&facts, RETRY_SAME, RETRY_SAME_TARGET);
    facts.same_storm = STORM_CONCURRENCY;
    expect_decision(&facts, RETRY_STOP, RETRY_STORM_TOKENS); /* told is why the first is closed */
    facts.has_next = false;
    expect_decision(&facts, RETRY_STOP, RETRY_STORM_CONCURRENCY);
    facts.should_retry = 0;
    expect_decision(&facts, RETRY_STOP, RETRY_PROVIDER_SAYS_NO);
    facts.may_same = false;
    expect_decision(&facts, RETRY_STOP, RETRY_NO_TARGET);
    facts.attempts_here = 2;
    expect_decision(&facts, RETRY_STOP, RETRY_ATTEMPTS);
    facts = facts_of(&rule, OUTCOME_STALE);
    facts.same_storm = STORM_TOKENS; /* nothing was sent that a budget could be spent on */
    expect_decision(&facts, RETRY_SAME, RETRY_FRESH_CONNECTION);
    facts = facts_of(&rule, OUTCOME_CONTEXT);
    expect_decision(&facts, RETRY_NEXT, RETRY_LARGER_TARGET);
    facts = facts_of(&rule, OUTCOME_REQUEST);
    expect_decision(&facts, RETRY_STOP, RETRY_FINAL);
    facts.should_retry = 1; /* the provider itself asks for it */
    expect_decision(&facts, RETRY_SAME, RETRY_SAME_TARGET);
    facts.attempts = 3;
    expect_decision(&facts, RETRY_STOP, RETRY_ATTEMPTS);
    facts = facts_of(&rule, OUTCOME_PROVIDER_ERROR);
    facts.should_retry = 0; /* binds only the same target */
    expect_decision(&facts, RETRY_NEXT, RETRY_OTHER_TARGET);
    facts.left_ms = 1999;
    expect_decision(&facts, RETRY_STOP, RETRY_NO_TIME);
}

static void retry__heeds_the_rule_about_what_may_have_run(void **state)
{
    static const struct {
        enum ambiguous_rule rule;
        uint8_t earlier;
        bool may;
    } rows[] = {{AMBIGUOUS_NEVER, 0, false},
                {AMBIGUOUS_ONCE, 0, true},
                {AMBIGUOUS_ONCE, 1, false},
                {AMBIGUOUS_ALWAYS, 0, true},
                {AMBIGUOUS_ALWAYS, 4, true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct retry_rule rule = rule_of(JITTER_FULL);
        struct retry_facts facts = facts_of(&rule, OUTCOME_HEAD_TIMEOUT);

        rule.ambiguous = rows[i].rule;
        facts.ambiguous = rows[i].earlier;
        expect_decision(&facts, RETRY_NEXT, RETRY_OTHER_TARGET); /* this one cannot have run */
        facts.is_ambiguous = true;
        expect_decision(&facts, rows[i].may ? RETRY_NEXT : RETRY_STOP,
                        rows[i].may ? RETRY_OTHER_TARGET : RETRY_AMBIGUOUS);
    }
}

static void retry__waits_for_a_throttled_target_when_that_is_short(void **state)
{
    static const struct {
        int64_t hint_ms;
        uint32_t wait_ms; /* of the route */
        bool has_next;
        enum retry_choice choice;
        enum retry_why why;
    } rows[] = {
        {HINT_NONE, 5000, true, RETRY_NEXT, RETRY_OTHER_TARGET},
        {3000, 0, true, RETRY_NEXT, RETRY_OTHER_TARGET},
        {3000, 2999, true, RETRY_NEXT, RETRY_OTHER_TARGET},
        {3000, 3000, true, RETRY_SAME, RETRY_WAITED_HINT},
        {3000, 0, false, RETRY_SAME, RETRY_WAITED_HINT},
        {10000, 0, false, RETRY_SAME, RETRY_WAITED_HINT},
        {10001, 0, false, RETRY_STOP, RETRY_HINT_LONG},
        {10001, 0, true, RETRY_NEXT, RETRY_OTHER_TARGET},
        {20000, 30000, true, RETRY_SAME, RETRY_WAITED_HINT}, /* the route's own patience */
        {20000, 30000, false, RETRY_SAME, RETRY_WAITED_HINT},
        {30001, 30000, false, RETRY_STOP, RETRY_HINT_LONG},
        {HINT_NONE, 0, false, RETRY_SAME, RETRY_SAME_TARGET},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct retry_rule rule = rule_of(JITTER_FULL);
        struct retry_facts facts = facts_of(&rule, OUTCOME_THROTTLED);

        rule.wait_ms = rows[i].wait_ms;
        facts.hint_ms = rows[i].hint_ms;
        facts.has_next = rows[i].has_next;
        expect_decision(&facts, rows[i].choice, rows[i].why);
    }
}

static void retry__pauses_before_it_comes_again_and_never_before_a_fresh_target(void **state)
{
    struct retry_rule rule = rule_of(JITTER_FULL);
    struct retry_facts facts = facts_of(&rule, OUTCOME_CONNECT);
    uint32_t most = 0;
    struct rng rng;

    (void)state;
    rng_init(&rng, 3, 0);
    for (int i = 0; i < 1000; i++) {
        struct retry_decision decision = retry_decide(&facts, &rng);
        assert_int_equal(decision.wait_ms, 0);
    }
    facts.is_next_again = true;
    facts.waits = 2;
    for (int i = 0; i < 1000; i++) {
        struct retry_decision decision = retry_decide(&facts, &rng);
        assert_in_range(decision.wait_ms, 0, 1000);
        most = decision.wait_ms > most ? decision.wait_ms : most;
    }
    assert_true(most > 950);
    facts.is_next_again = false;
    facts.next_storm = STORM_CONCURRENCY; /* passes by itself */
    for (int i = 0; i < 1000; i++) {
        struct retry_decision decision = retry_decide(&facts, &rng);
        assert_int_equal(decision.choice, RETRY_NEXT);
        assert_in_range(decision.wait_ms, 1, 200);
    }
    facts = facts_of(&rule, OUTCOME_OVERLOADED);
    facts.has_next = false;
    facts.same_ready_ms = 4000;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(retry_decide(&facts, &rng).wait_ms, 4000);
    }
}

/* ---- every combination ---- */

enum way { WAY_NEXT, WAY_SAME, WAY_END };

/* What would be tried, in order. */
static void ways_of(const struct retry_facts *f, enum way ways[3])
{
    enum way next_same[] = {WAY_NEXT, WAY_SAME, WAY_END};
    enum way same_next[] = {WAY_SAME, WAY_NEXT, WAY_END};
    enum way next[] = {WAY_NEXT, WAY_END, WAY_END};
    enum way same[] = {WAY_SAME, WAY_END, WAY_END};
    enum way none[] = {WAY_END, WAY_END, WAY_END};
    enum way *way = none;

    switch (f->outcome) {
    case OUTCOME_REQUEST: way = f->should_retry == 1 ? same : none; break;
    case OUTCOME_HEAD_TIMEOUT:
    case OUTCOME_CONTEXT: way = next; break;
    case OUTCOME_CONNECT:
    case OUTCOME_OVERLOADED: way = next_same; break;
    case OUTCOME_PROVIDER_ERROR: way = f->attempts_here == 1 ? same_next : next_same; break;
    case OUTCOME_STALE: way = f->fresh == 0 ? same_next : next_same; break;
    case OUTCOME_THROTTLED:
        way = f->hint_ms != HINT_NONE && f->hint_ms <= (int64_t)f->rule->wait_ms ? same_next
                                                                                 : next_same;
        break;
    default: break;
    }
    memcpy(ways, way, 3 * sizeof *ways);
}

static int64_t longest_hint(const struct retry_facts *f)
{
    return f->outcome == OUTCOME_THROTTLED && f->rule->wait_ms > 10000 ? f->rule->wait_ms : 10000;
}

/* The shortest and the longest wait of a way; false: it is closed whatever the time. */
static bool waits_of(const struct retry_facts *f, enum way way, uint64_t *least, uint64_t *most)
{
    bool is_slow = f->outcome == OUTCOME_THROTTLED || f->outcome == OUTCOME_OVERLOADED;
    uint64_t pause = (is_slow ? UINT64_C(1000) : 250) << f->waits;

    *least = 0;
    *most = 0;
    if (way == WAY_NEXT) {
        *most = f->is_next_again ? pause : 0;
        *least += f->next_storm == STORM_CONCURRENCY ? 1 : 0;
        *most += f->next_storm == STORM_CONCURRENCY ? 200 : 0;
        return f->has_next && f->next_storm != STORM_TOKENS;
    }
    if (f->attempts_here >= 2 || !f->may_same || f->should_retry == 0) {
        return false;
    }
    if (f->outcome == OUTCOME_STALE) {
        return true;
    }
    *most = pause;
    if (f->hint_ms != HINT_NONE) {
        uint64_t hint = (uint64_t)f->hint_ms;
        *least = hint;
        *most = hint + (hint / 10 < 1000 ? hint / 10 : 1000);
    }
    *least = *least > f->same_ready_ms ? *least : f->same_ready_ms;
    *most = *most > f->same_ready_ms ? *most : f->same_ready_ms;
    return f->same_storm == STORM_ALLOWS && f->hint_ms <= longest_hint(f);
}

static bool is_forbidden(const struct retry_facts *f)
{
    return f->attempts >= f->attempts_max || f->left_ms < 2000 ||
           (f->is_ambiguous && (f->rule->ambiguous == AMBIGUOUS_NEVER ||
                                (f->rule->ambiguous == AMBIGUOUS_ONCE && f->ambiguous > 0)));
}

static void check(const struct retry_facts *f, struct rng *rng)
{
    struct retry_decision decision = retry_decide(f, rng);
    bool is_open_at_the_most = true;
    enum way ways[3];
    uint64_t least = 0;
    uint64_t most = 0;

    assert_true(retry_why_word(decision.why)[0] != '\0');
    assert_true(decision.choice == RETRY_STOP || decision.wait_ms + UINT64_C(2000) <= f->left_ms);
    ways_of(f, ways);
    for (int i = 0; ways[i] != WAY_END && !is_forbidden(f); i++) {
        enum retry_choice choice = ways[i] == WAY_NEXT ? RETRY_NEXT : RETRY_SAME;

        if (!waits_of(f, ways[i], &least, &most) || f->left_ms < least + 2000) {
            continue;
        }
        is_open_at_the_most = f->left_ms >= most + 2000;
        if (decision.choice == choice) {
            assert_in_range(decision.wait_ms, least, most);
            return;
        }
        if (is_open_at_the_most) { /* chance could not have closed it */
            fail_msg("%s: took %d instead of %d", outcome_word(f->outcome), decision.choice,
                     choice);
        }
    }
    assert_int_equal(decision.choice, RETRY_STOP);
}

/* One digit of a number in mixed bases. */
static unsigned digit(uint64_t *number, unsigned base)
{
    unsigned value = (unsigned)(*number % base);

    *number /= base;
    return value;
}

static uint64_t set_facts(uint64_t number, struct retry_rule *rule, struct retry_facts *f)
{
    static const enum outcome outcomes[] = {
        OUTCOME_OK,      OUTCOME_REQUEST,        OUTCOME_HEAD_TIMEOUT,
        OUTCOME_CONNECT, OUTCOME_PROVIDER_ERROR, OUTCOME_STALE,
        OUTCOME_CONTEXT, OUTCOME_THROTTLED,      OUTCOME_OVERLOADED};
    static const int64_t hints[] = {HINT_NONE, 1, 4000, 20000};
    static const uint64_t lefts[] = {1999, 2100, 6050, 600000};
    static const uint32_t waits[] = {0, 4000, 60000};

    f->outcome = outcomes[digit(&number, ARRAY_LENGTH(outcomes))];
    f->attempts = (uint8_t)(2 + digit(&number, 2));
    f->left_ms = lefts[digit(&number, ARRAY_LENGTH(lefts))];
    rule->ambiguous = (enum ambiguous_rule)digit(&number, 3);
    f->is_ambiguous = digit(&number, 2) == 1;
    f->ambiguous = (uint8_t)digit(&number, 2);
    f->should_retry = (int8_t)((int)digit(&number, 3) - 1);
    f->hint_ms = hints[digit(&number, ARRAY_LENGTH(hints))];
    rule->wait_ms = waits[digit(&number, ARRAY_LENGTH(waits))];
    f->same_storm = (enum storm_no)digit(&number, 3);
    f->next_storm = (enum storm_no)digit(&number, 3);
    f->may_same = digit(&number, 2) == 1;
    f->has_next = digit(&number, 2) == 1;
    f->is_next_again = digit(&number, 2) == 1;
    f->attempts_here = (uint8_t)(1 + digit(&number, 2));
    f->fresh = (uint8_t)digit(&number, 2);
    f->waits = (uint8_t)digit(&number, 2);
    f->same_ready_ms = digit(&number, 2) * 3000;
    return number;
}

static void retry__keeps_the_order_of_ways_under_all_facts(void **state)
{
    struct retry_rule rule = rule_of(JITTER_FULL);
    struct retry_facts facts = facts_of(&rule, OUTCOME_OK);
    struct rng rng;
    uint64_t number = 0;

    (void)state;
    rng_init(&rng, 9, 0);
    /* 36 million; each thirteenth, which goes through all values of any few facts. */
    for (; set_facts(number, &rule, &facts) == 0; number += 13) {
        check(&facts, &rng);
    }
    assert_true(number >= UINT64_C(9) * 2 * 4 * 3 * 2 * 2 * 3 * 4 * 3 * 3 * 3 * 128);
}

/* ---- pauses ---- */

static void retry__jitters_fully_below_a_doubling_cap(void **state)
{
    struct retry_rule rule = rule_of(JITTER_FULL);
    struct rng rng;

    (void)state;
    rng_init(&rng, 1, 0);
    for (uint32_t k = 1; k <= 60; k++) {
        for (int is_throttled = 0; is_throttled < 2; is_throttled++) {
            uint64_t cap = is_throttled ? 20000 : 8000;
            uint64_t bound = k > 20 ? cap : (is_throttled ? UINT64_C(1000) : 250) << (k - 1);
            uint64_t sum = 0;

            bound = bound < cap ? bound : cap;
            for (int i = 0; i < 400; i++) {
                uint32_t ms = retry_pause_ms(&rule, k, 0, is_throttled, &rng);
                assert_in_range(ms, 0, bound);
                sum += ms;
            }
            assert_in_range(sum / 400, bound * 42 / 100, bound * 58 / 100); /* evenly spread */
        }
    }
}

static void retry__decorrelates_from_the_last_pause(void **state)
{
    struct retry_rule rule = rule_of(JITTER_DECORRELATED);
    uint32_t longest = 0;
    uint32_t last = 0;
    struct rng rng;

    (void)state;
    rng_init(&rng, 1, 0);
    for (int i = 0; i < 10000; i++) {
        uint32_t from = last < 250 ? 250 : last;
        uint64_t most = 3 * (uint64_t)from < 8000 ? 3 * (uint64_t)from : 8000;

        last = retry_pause_ms(&rule, (uint32_t)i + 1, last, false, &rng);
        assert_in_range(last, 250, most);
        longest = last > longest ? last : longest;
    }
    assert_int_equal(longest, 8000);
    rule.base_ms = 60000; /* the largest settings do not wrap */
    rule.cap_ms = 600000;
    last = UINT32_MAX;
    assert_in_range(retry_pause_ms(&rule, 1, last, false, &rng), 60000, 600000);
}

static void retry__never_comes_before_the_hint(void **state)
{
    static const int64_t hints[] = {0, 1, 9, 10, 999, 5000, 10000, 86400000};
    struct rng rng;

    (void)state;
    rng_init(&rng, 1, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(hints); i++) {
        uint64_t hint = (uint64_t)hints[i];
        uint64_t extra = hint / 10 < 1000 ? hint / 10 : 1000;

        for (int k = 0; k < 1000; k++) {
            assert_in_range(retry_hint_ms(hints[i], &rng), hint, hint + extra);
        }
    }
}

static void retry__has_a_word_of_its_own_for_each_reason(void **state)
{
    static const enum retry_why all[] = {
#define RETRY_WHY(name, word) RETRY_##name,
#include "router/retry_whys.def"
#undef RETRY_WHY
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        assert_int_equal(all[i], i);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(retry_why_word(all[i]), retry_why_word(all[k]));
        }
    }
    assert_string_equal(retry_why_word(RETRY_STORM_TOKENS), "retry_budget");
    assert_string_equal(retry_why_word(RETRY_AMBIGUOUS), "may_have_run");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry__does_what_the_table_says),
        cmocka_unit_test(retry__says_why),
        cmocka_unit_test(retry__heeds_the_rule_about_what_may_have_run),
        cmocka_unit_test(retry__waits_for_a_throttled_target_when_that_is_short),
        cmocka_unit_test(retry__pauses_before_it_comes_again_and_never_before_a_fresh_target),
        cmocka_unit_test(retry__keeps_the_order_of_ways_under_all_facts),
        cmocka_unit_test(retry__jitters_fully_below_a_doubling_cap),
        cmocka_unit_test(retry__decorrelates_from_the_last_pause),
        cmocka_unit_test(retry__never_comes_before_the_hint),
        cmocka_unit_test(retry__has_a_word_of_its_own_for_each_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
