/* SPDX-License-Identifier: Apache-2.0 */
/* Three scopes, never merged: what each ending of an attempt does to the endpoint, the deployment
 * and the credential; what comes and goes with the names that apps use; and a heap that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "tests/lib/house.h"
#include "wire/hint.h"

/* ---- what a test does and sees ---- */

static struct target_view see(const struct house *house, const char *provider, const char *model,
                              mono_ms now)
{
    struct target_view view;

    for (size_t i = 0; i < fleet_view_count(house->fleet); i++) {
        fleet_view_at(house->fleet, i, now, &view);
        if (span_equal(view.provider, span_of(provider)) &&
            span_equal(view.model, span_of(model))) {
            return view;
        }
    }
    fail_msg("no %s/%s", provider, model);
    return view;
}

static const struct estimate estimate = {100, 100};

/* An attempt begins, whatever the breakers say. */
static void enter_as(struct house *house, struct entry *entry, const struct target *target,
                     const char *model, bool is_retry, mono_ms now)
{
    struct member member = fleet_member(house->fleet, target, span_of(model));
    struct standing standing = fleet_standing(house->fleet, member, &estimate, now);
    bool is_panic = standing.what != ELIGIBLE && standing.what != ELIGIBLE_PROBE;

    fleet_enter(house->fleet, entry, target, member, &estimate, is_retry, is_panic, 5000, now);
}

static void enter(struct house *house, struct entry *entry, size_t place, mono_ms now)
{
    enter_as(house, entry, &house->targets[place], "m", false, now);
}

static void report_all(struct house *house, struct entry *entry, const struct ending *ending,
                       mono_ms now)
{
    fleet_report(house->fleet, entry, ending, now);
    assert_false(entry->is_entered);
}

static void report(struct house *house, struct entry *entry, enum outcome outcome, mono_ms now)
{
    struct ending ending = {.outcome = outcome, .hint_ms = HINT_NONE};

    report_all(house, entry, &ending, now);
}

static void attempt(struct house *house, size_t place, enum outcome outcome, mono_ms now)
{
    struct entry entry;

    enter(house, &entry, place, now);
    report(house, &entry, outcome, now);
}

static void attempts(struct house *house, size_t count, size_t place, enum outcome outcome,
                     mono_ms now)
{
    for (size_t i = 0; i < count; i++) {
        attempt(house, place, outcome, now);
    }
}

static void attempt_hinted(struct house *house, size_t place, enum outcome outcome, int64_t hint_ms,
                           mono_ms now)
{
    struct ending ending = {.outcome = outcome, .hint_ms = hint_ms};
    struct entry entry;

    enter(house, &entry, place, now);
    report_all(house, &entry, &ending, now);
}

static void begin(struct house *house, size_t targets)
{
    house_init(house, targets);
    house_open(house, 1);
}

static size_t count_notices(struct house *house, enum notice_kind kind)
{
    struct notice notice;
    size_t count = 0;

    while (fleet_next_notice(house->fleet, &notice)) {
        count += notice.kind == kind ? 1 : 0;
    }
    return count;
}

/* ---- the table of resilience.md, 3, written from its text ---- */

enum told { N, S, F, C }; /* neutral, success, failure, failure to connect */

/* What is out afterwards: credential, target, the cooldown without a hint and with one. */
static const struct {
    enum outcome outcome;
    enum told endpoint;
    enum told deployment;
    enum park_reason credential;
    enum park_reason target;
    enum park_reason cools;
    enum park_reason cools_by_hint;
} table[] = {
    {OUTCOME_OK, S, S, 0, 0, 0, 0},
    {OUTCOME_DNS, C, N, 0, 0, 0, 0},
    {OUTCOME_EGRESS_DENIED, N, N, 0, PARK_EGRESS, 0, 0},
    {OUTCOME_CONNECT, C, N, 0, 0, 0, 0},
    {OUTCOME_CONNECT_TIMEOUT, C, N, 0, 0, 0, 0},
    {OUTCOME_TLS, C, N, 0, 0, 0, 0},
    {OUTCOME_TLS_TIMEOUT, C, N, 0, 0, 0, 0},
    {OUTCOME_TLS_VERIFY, C, N, 0, 0, 0, 0},
    {OUTCOME_TLS_VERSION, C, N, 0, 0, 0, 0},
    {OUTCOME_TLS_UNFIT, C, N, 0, 0, 0, 0},
    {OUTCOME_EGRESS_PROXY, F, N, 0, 0, 0, 0},
    {OUTCOME_LOCAL, N, N, 0, 0, 0, 0},
    {OUTCOME_JOURNAL_FULL, N, N, 0, 0, 0, 0},
    {OUTCOME_PORTS, N, N, 0, 0, 0, 0},
    {OUTCOME_WRITE_TIMEOUT, F, N, 0, 0, 0, 0},
    {OUTCOME_RESET, F, N, 0, 0, 0, 0},
    {OUTCOME_CLOSED, F, N, 0, 0, 0, 0},
    {OUTCOME_STALE, N, N, 0, 0, 0, 0},
    {OUTCOME_HEAD_TIMEOUT, N, F, 0, 0, 0, 0},
    {OUTCOME_SILENT, N, F, 0, 0, 0, 0},
    {OUTCOME_PROTOCOL, F, N, 0, 0, 0, 0},
    {OUTCOME_SWITCHED, N, F, 0, 0, 0, 0},
    {OUTCOME_HEADER, F, N, 0, 0, 0, 0},
    {OUTCOME_FRAMING, F, N, 0, 0, 0, 0},
    {OUTCOME_REQUEST, S, S, 0, 0, 0, 0},
    {OUTCOME_CONTEXT, S, S, 0, 0, 0, 0},
    {OUTCOME_MODEL, S, N, 0, PARK_MODEL, 0, 0},
    {OUTCOME_CONFLICT, N, N, 0, 0, 0, 0},
    {OUTCOME_TIMED_OUT, N, N, 0, 0, 0, 0},
    {OUTCOME_THROTTLED, S, N, 0, 0, PARK_THROTTLED, PARK_THROTTLED},
    {OUTCOME_AUTH, S, N, PARK_AUTH, 0, 0, 0},
    {OUTCOME_PERMISSION, S, N, 0, PARK_PERMISSION, 0, 0},
    {OUTCOME_BILLING, S, N, PARK_BILLING, 0, 0, 0},
    {OUTCOME_QUOTA, S, N, PARK_QUOTA, 0, 0, 0},
    {OUTCOME_PROVIDER_ERROR, S, F, 0, 0, 0, 0},
    {OUTCOME_GATEWAY_ERROR, S, F, 0, 0, 0, PARK_OVERLOADED},
    {OUTCOME_OVERLOADED, S, F, 0, 0, 0, PARK_OVERLOADED},
    {OUTCOME_EDGE_ERROR, F, N, 0, 0, 0, 0},
    {OUTCOME_EDGE_VERIFY, F, N, 0, 0, 0, 0},
    {OUTCOME_REDIRECT, S, F, 0, 0, 0, 0},
    {OUTCOME_BAD_BODY, S, F, 0, 0, 0, 0},
    {OUTCOME_TRUNCATED, S, F, 0, 0, 0, 0},
    {OUTCOME_TOO_LARGE, S, F, 0, 0, 0, 0},
    {OUTCOME_EMPTY_STREAM, S, F, 0, 0, 0, 0},
    {OUTCOME_FIRST_CONTENT_TIMEOUT, N, F, 0, 0, 0, 0},
    {OUTCOME_IDLE, N, F, 0, 0, 0, 0},
    {OUTCOME_STREAM_ERROR, N, F, 0, 0, 0, 0},
    {OUTCOME_DEADLINE, N, N, 0, 0, 0, 0},
    {OUTCOME_SLOW, N, F, 0, 0, 0, 0},
    {OUTCOME_APP_GONE, N, N, 0, 0, 0, 0},
    {OUTCOME_SHUTDOWN, N, N, 0, 0, 0, 0},
    {OUTCOME_HEDGE_LOST, N, N, 0, 0, 0, 0},
    {OUTCOME_BUDGET, N, N, 0, 0, 0, 0},
    {OUTCOME_LEDGER, N, N, 0, 0, 0, 0},
    {OUTCOME_UNPRICED, N, N, 0, 0, 0, 0},
    {OUTCOME_UNBOUNDED, N, N, 0, 0, 0, 0},
    {OUTCOME_UNMETERED, N, N, 0, 0, 0, 0},
    {OUTCOME_UNTRANSLATABLE, N, N, 0, 0, 0, 0},
    {OUTCOME_NO_TARGET, N, N, 0, 0, 0, 0},
    {OUTCOME_ALL_THROTTLED, N, N, 0, 0, 0, 0},
    {OUTCOME_ALL_AUTH, N, N, 0, 0, 0, 0},
    {OUTCOME_ALL_QUOTA, N, N, 0, 0, 0, 0},
    {OUTCOME_ALL_MODEL, N, N, 0, 0, 0, 0},
    {OUTCOME_ALL_EGRESS, N, N, 0, 0, 0, 0},
};

/* Four failures in a row stand before; a failure opens, a success lets the next one not open. */
static enum told what_was_told(enum outcome outcome, bool is_endpoint)
{
    enum outcome failure = is_endpoint ? OUTCOME_EDGE_ERROR : OUTCOME_PROVIDER_ERROR;
    enum told told = N;
    struct target_view view;
    struct house house;

    begin(&house, 1);
    attempts(&house, 4, 0, failure, 1);
    attempt(&house, 0, outcome, 1);
    view = see(&house, "p0", "m", 1);
    if ((is_endpoint ? view.endpoint.state : view.deployment.state) == BREAKER_OPEN) {
        told = F;
    } else {
        (void)fleet_obey(house.fleet, SPAN_OF("*"), FLEET_UNPARK, 1);
        attempt(&house, 0, failure, 1);
        view = see(&house, "p0", "m", 1);
        told = (is_endpoint ? view.endpoint.state : view.deployment.state) == BREAKER_OPEN ? N : S;
    }
    house_close(&house);
    return told;
}

static bool is_connect(enum outcome outcome)
{
    struct house house;
    bool is_open = false;

    begin(&house, 1);
    attempts(&house, 3, 0, outcome, 1);
    is_open = see(&house, "p0", "m", 1).endpoint.state == BREAKER_OPEN;
    house_close(&house);
    return is_open;
}

static void fleet__tells_each_breaker_what_the_table_says(void **state)
{
    enum {
        OUTCOMES = 0
#define OUTCOME(name, word, refusal, endpoint, deployment, mark, remedy) +1
#include "router/outcomes.def"
#undef OUTCOME
    };

    (void)state;
    assert_int_equal(ARRAY_LENGTH(table), OUTCOMES);
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        enum told of_endpoint = what_was_told(table[i].outcome, true);

        assert_int_equal(table[i].outcome, i);
        assert_int_equal(of_endpoint == F && is_connect(table[i].outcome) ? C : of_endpoint,
                         table[i].endpoint);
        assert_int_equal(what_was_told(table[i].outcome, false), table[i].deployment);
    }
}

static void check_marks(size_t i, bool is_passthrough, bool is_hinted)
{
    struct target_view view;
    struct house house;
    bool is_marked = !is_passthrough || table[i].target == PARK_EGRESS;

    house_init(&house, 1);
    house.providers[0].credential_mode =
        is_passthrough ? CREDENTIAL_PASSTHROUGH : CREDENTIAL_SECRET;
    house_open(&house, 1);
    attempt_hinted(&house, 0, table[i].outcome, is_hinted ? 7000 : HINT_NONE, 1000);
    view = see(&house, "p0", "m", 1000);
    assert_int_equal(view.credential.reason, is_marked ? table[i].credential : PARK_NONE);
    assert_int_equal(view.target.reason, is_marked ? table[i].target : PARK_NONE);
    assert_int_equal(view.cooldown.reason, !is_marked  ? PARK_NONE
                                           : is_hinted ? table[i].cools_by_hint
                                                       : table[i].cools);
    if (is_hinted && view.cooldown.reason != PARK_NONE) {
        assert_int_equal(view.cooldown.left_ms, 7000);
    }
    assert_int_equal(view.in_flight, 0);
    house_close(&house);
}

static void fleet__puts_out_what_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        for (int k = 0; k < 4; k++) {
            check_marks(i, k % 2 == 1, k >= 2);
        }
    }
}

static void fleet__knows_how_long(void **state)
{
    static const struct {
        enum outcome outcome;
        uint64_t first_ms, second_ms, most_ms;
    } rows[] = {
        {OUTCOME_AUTH, 300000, 600000, 3600000},    {OUTCOME_BILLING, 900000, 1800000, 21600000},
        {OUTCOME_QUOTA, 900000, 1800000, 21600000}, {OUTCOME_PERMISSION, 300000, 600000, 3600000},
        {OUTCOME_MODEL, 600000, 600000, 600000},    {OUTCOME_EGRESS_DENIED, 600000, 600000, 600000},
        {OUTCOME_THROTTLED, 1000, 2000, 20000}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct house house;
        mono_ms now = 1000;
        uint64_t stay = 0;

        begin(&house, 1);
        for (int k = 0; k < 12; k++) {
            struct target_view view;

            attempt(&house, 0, rows[i].outcome, now);
            view = see(&house, "p0", "m", now);
            stay = view.credential.left_ms + view.target.left_ms + view.cooldown.left_ms;
            assert_false(view.is_eligible);
            if (k < 2) {
                assert_int_equal(stay, k == 0 ? rows[i].first_ms : rows[i].second_ms);
            }
            assert_false(see(&house, "p0", "m", now + stay - 1).is_eligible);
            now += stay;
            assert_true(see(&house, "p0", "m", now).is_eligible);
        }
        assert_int_equal(stay, rows[i].most_ms);
        attempt(&house, 0, OUTCOME_OK, now); /* a success: from the beginning */
        attempt(&house, 0, rows[i].outcome, now);
        assert_false(see(&house, "p0", "m", now + rows[i].first_ms - 1).is_eligible);
        assert_true(see(&house, "p0", "m", now + rows[i].first_ms).is_eligible);
        house_close(&house);
    }
}

static void fleet__heeds_hints_up_to_five_minutes_and_known_resets(void **state)
{
    struct ending quota = {.outcome = OUTCOME_QUOTA, .hint_ms = HINT_NONE, .quota_ms = 7200000};
    struct house house;
    struct entry entry;

    (void)state;
    begin(&house, 3);
    attempt_hinted(&house, 0, OUTCOME_THROTTLED, 3600000, 0);
    assert_int_equal(see(&house, "p0", "m", 0).cooldown.left_ms, 300000);
    enter(&house, &entry, 1, 0);
    report_all(&house, &entry, &quota, 0);
    assert_int_equal(see(&house, "p1", "m", 0).credential.left_ms, 7200000);
    /* A hint raises the stay behind a breaker that opens by it, also at an edge. */
    for (int i = 0; i < 5; i++) {
        attempt_hinted(&house, 2, OUTCOME_EDGE_ERROR, 200000, 0);
    }
    assert_int_equal(see(&house, "p2", "m", 0).endpoint.reopen_ms, 200000);
    house_close(&house);
}

static void fleet__blames_the_deployment_alone_for_what_breaks_after_the_head(void **state)
{
    static const enum outcome cuts[] = {OUTCOME_RESET, OUTCOME_CLOSED, OUTCOME_PROTOCOL,
                                        OUTCOME_WRITE_TIMEOUT, OUTCOME_FRAMING};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cuts); i++) {
        struct house house;

        begin(&house, 1);
        for (int k = 0; k < 12; k++) {
            struct ending ending = {
                .outcome = cuts[i], .had_head = true, .had_content = true, .hint_ms = HINT_NONE};
            struct entry entry;

            enter(&house, &entry, 0, 1);
            fleet_content(house.fleet, &entry, 100, false, 1);
            report_all(&house, &entry, &ending, 1);
        }
        /* Broken framing alone is the fault of both. */
        assert_int_equal(see(&house, "p0", "m", 1).endpoint.state,
                         cuts[i] == OUTCOME_FRAMING ? BREAKER_OPEN : BREAKER_CLOSED);
        /* A success and a failure each: half of them fail. */
        assert_int_equal(see(&house, "p0", "m", 1).deployment.state, BREAKER_OPEN);
        house_close(&house);
    }
}

static void fleet__counts_a_streams_success_once_and_slowness_as_one(void **state)
{
    struct ending ok = {
        .outcome = OUTCOME_OK, .had_head = true, .had_content = true, .hint_ms = HINT_NONE};
    struct house house;
    struct entry entry;

    (void)state;
    begin(&house, 1);
    for (int i = 0; i < 9; i++) {
        enter(&house, &entry, 0, 1);
        fleet_content(house.fleet, &entry, 100, true, 1);
        report_all(&house, &entry, &ok, 1);
    }
    assert_int_equal(see(&house, "p0", "m", 1).deployment.state, BREAKER_CLOSED);
    enter(&house, &entry, 0, 1);
    fleet_content(house.fleet, &entry, 100, true, 1);
    assert_int_equal(see(&house, "p0", "m", 1).deployment.state, BREAKER_OPEN); /* the tenth */
    assert_int_equal(see(&house, "p0", "m", 1).endpoint.state, BREAKER_CLOSED);
    report_all(&house, &entry, &ok, 1);
    house_close(&house);
}

/* ---- the scopes ---- */

/* p0 with the models m and n, p1 with p0's credential at p0's endpoint, p2 apart. */
static void begin_with_siblings(struct house *house)
{
    house_init(house, 4);
    house->targets[3].provider = &house->providers[0];
    house->targets[3].model = SPAN_OF("n");
    house->providers[1].credential_index = 0;
    house->providers[1].endpoint.index = 0;
    house->routing.providers_count = 3;
    house_open(house, 1);
}

static void expect_eligible(const struct house *house, bool m, bool n, bool sibling, bool apart)
{
    assert_int_equal(see(house, "p0", "m", 10).is_eligible, m);
    assert_int_equal(see(house, "p0", "n", 10).is_eligible, n);
    assert_int_equal(see(house, "p1", "m", 10).is_eligible, sibling);
    assert_int_equal(see(house, "p2", "m", 10).is_eligible, apart);
}

static void fleet__never_merges_the_scopes(void **state)
{
    static const struct {
        enum outcome outcome;
        size_t count;
        bool m, n, sibling;
    } rows[] = {
        {OUTCOME_THROTTLED, 1, false, true, true}, /* one model's limit */
        {OUTCOME_MODEL, 1, false, true, true},          {OUTCOME_PERMISSION, 1, false, true, true},
        {OUTCOME_PROVIDER_ERROR, 5, false, true, true}, /* one model's trouble */
        {OUTCOME_AUTH, 1, false, false, false},         /* the credential's */
        {OUTCOME_BILLING, 1, false, false, false},      {OUTCOME_QUOTA, 1, false, false, false},
        {OUTCOME_CONNECT, 3, false, false, false}, /* the endpoint's */
        {OUTCOME_EDGE_ERROR, 5, false, false, false},   {OUTCOME_REQUEST, 50, true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct house house;

        begin_with_siblings(&house);
        attempts(&house, rows[i].count, 0, rows[i].outcome, 10);
        expect_eligible(&house, rows[i].m, rows[i].n, rows[i].sibling, true);
        house_close(&house);
    }
}

static void fleet__keeps_one_credential_at_two_endpoints_apart_from_their_breakers(void **state)
{
    struct house house;

    (void)state;
    house_init(&house, 2);
    house.providers[1].credential_index = 0;
    house_open(&house, 1);
    attempts(&house, 3, 0, OUTCOME_CONNECT, 1);
    assert_false(see(&house, "p0", "m", 1).is_eligible);
    assert_true(see(&house, "p1", "m", 1).is_eligible);
    attempt(&house, 1, OUTCOME_AUTH, 1);
    assert_false(see(&house, "p1", "m", 1).is_eligible);
    assert_int_equal(see(&house, "p0", "m", 1).credential.reason, PARK_AUTH);
    house_close(&house);
}

/* ---- notices ---- */

static void fleet__tells_each_thing_once(void **state)
{
    struct entry entries[20];
    struct house house;

    (void)state;
    begin(&house, 3);
    for (size_t i = 0; i < 20; i++) {
        enter(&house, &entries[i], 0, 1);
    }
    for (size_t i = 0; i < 20; i++) {
        report(&house, &entries[i], OUTCOME_AUTH, 1);
    }
    assert_int_equal(count_notices(&house, NOTICE_CREDENTIAL_PARKED), 1);
    assert_int_equal(see(&house, "p0", "m", 1).credential.left_ms, 300000); /* not doubled */
    for (size_t i = 0; i < 20; i++) {
        enter(&house, &entries[i], 1, 1);
    }
    for (size_t i = 0; i < 20; i++) {
        report(&house, &entries[i], i % 2 == 0 ? OUTCOME_THROTTLED : OUTCOME_MODEL, 1);
    }
    assert_int_equal(count_notices(&house, NOTICE_TARGET_COOLING), 1);
    for (size_t i = 0; i < 20; i++) {
        enter(&house, &entries[i], 2, 1);
    }
    for (size_t i = 0; i < 20; i++) {
        report(&house, &entries[i], OUTCOME_CONNECT, 1);
    }
    assert_int_equal(count_notices(&house, NOTICE_BREAKER_OPENED), 1);
    house_close(&house);
}

static void fleet__names_scope_reason_and_stay(void **state)
{
    struct notice notice;
    struct house house;

    (void)state;
    begin(&house, 2);
    attempt(&house, 0, OUTCOME_BILLING, 1);
    assert_true(fleet_next_notice(house.fleet, &notice));
    assert_string_equal(notice.scope, "credential");
    assert_int_equal(notice.model.len, 0);
    assert_int_equal(notice.reason, PARK_BILLING);
    assert_int_equal(notice.ms, 900000);
    attempts(&house, 5, 1, OUTCOME_PROVIDER_ERROR, 1);
    assert_true(fleet_next_notice(house.fleet, &notice));
    assert_string_equal(notice.scope, "deployment");
    assert_true(span_equal(notice.provider, SPAN_OF("p1")));
    assert_true(span_equal(notice.model, SPAN_OF("m")));
    assert_string_equal(notice.old_state, "closed");
    assert_string_equal(notice.new_state, "open");
    assert_int_equal(notice.outcome, OUTCOME_PROVIDER_ERROR);
    assert_in_range(notice.ms, 4000, 6000);
    attempt(&house, 1, OUTCOME_OK, 7000);
    assert_true(fleet_next_notice(house.fleet, &notice));
    assert_int_equal(notice.kind, NOTICE_BREAKER_HALF_OPENED);
    attempt(&house, 1, OUTCOME_OK, 8000);
    assert_true(fleet_next_notice(house.fleet, &notice));
    assert_int_equal(notice.kind, NOTICE_BREAKER_CLOSED);
    assert_string_equal(notice.old_state, "half_open");
    attempt(&house, 1, OUTCOME_TLS_VERIFY, 8000);
    assert_true(fleet_next_notice(house.fleet, &notice));
    assert_int_equal(notice.kind, NOTICE_CERTIFICATE);
    attempt(&house, 1, OUTCOME_EGRESS_PROXY, 8000);
    assert_true(fleet_next_notice(house.fleet, &notice));
    assert_int_equal(notice.kind, NOTICE_ALARM);
    assert_false(fleet_next_notice(house.fleet, &notice));
    house_close(&house);
}

static void fleet__drops_notices_that_nobody_fetches_and_counts_them(void **state)
{
    struct house house;
    size_t count = 0;
    struct notice notice;

    (void)state;
    begin(&house, 1);
    attempts(&house, 100, 0, OUTCOME_EGRESS_PROXY, 1);
    while (fleet_next_notice(house.fleet, &notice)) {
        count++;
    }
    assert_int_equal(count, 64);
    assert_int_equal(fleet_dropped_notices(house.fleet), 100 + 1 - 64); /* a breaker opened, too */
    house_close(&house);
}

/* ---- counters and budgets ---- */

static void fleet__counts_in_flight_back_to_zero(void **state)
{
    struct entry entries[40];
    struct house house;
    struct rng rng;

    (void)state;
    begin(&house, 4);
    rng_init(&rng, 7, 0);
    for (int round = 0; round < 50; round++) {
        mono_ms now = (mono_ms)round * 1000;

        for (size_t i = 0; i < 40; i++) {
            enter_as(&house, &entries[i], &house.targets[i % 4], "m", i % 3 == 0, now);
        }
        assert_int_equal(see(&house, "p0", "m", now).in_flight, 10);
        for (size_t i = 0; i < 40; i++) {
            struct ending ending = {.outcome = (enum outcome)rng_below(&rng, ARRAY_LENGTH(table)),
                                    .hint_ms = HINT_NONE};

            if (rng_below(&rng, 2) == 0) {
                fleet_content(house.fleet, &entries[i], 10, false, now);
                ending.had_content = true;
            }
            report_all(&house, &entries[i], &ending, now);
        }
        for (size_t i = 0; i < 4; i++) {
            struct member member = fleet_member(house.fleet, &house.targets[i], SPAN_OF("m"));
            struct figures figures;

            fleet_figures(house.fleet, member, 0, now, &figures);
            assert_int_equal(figures.in_flight, 0);
        }
        while (count_notices(&house, NOTICE_PANIC) > 0) {
        }
    }
    house_close(&house);
}

static void fleet__frees_a_retrys_place_at_its_first_content(void **state)
{
    struct entry entries[3];
    struct house house;
    struct member member;

    (void)state;
    begin(&house, 1);
    member = fleet_member(house.fleet, &house.targets[0], SPAN_OF("m"));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fleet_storm(house.fleet, member, 1), STORM_ALLOWS);
        enter_as(&house, &entries[i], &house.targets[0], "m", true, 1);
    }
    assert_int_equal(fleet_storm(house.fleet, member, 1), STORM_CONCURRENCY);
    fleet_content(house.fleet, &entries[0], 10, false, 1);
    assert_int_equal(fleet_storm(house.fleet, member, 1), STORM_ALLOWS);
    for (size_t i = 0; i < 3; i++) {
        report(&house, &entries[i], OUTCOME_APP_GONE, 1);
    }
    for (int i = 0; i < 7; i++) {
        assert_int_equal(fleet_storm(house.fleet, member, 1), STORM_ALLOWS);
        enter_as(&house, &entries[0], &house.targets[0], "m", true, 1);
        report(&house, &entries[0], OUTCOME_APP_GONE, 1);
    }
    assert_int_equal(fleet_storm(house.fleet, member, 1), STORM_TOKENS);
    for (int i = 0; i < 5; i++) {
        fleet_call_began(house.fleet, member, 1);
    }
    assert_int_equal(fleet_storm(house.fleet, member, 1), STORM_ALLOWS);
    house_close(&house);
}

static void fleet__panics_once_a_second_and_hedges_one_call_in_twenty(void **state)
{
    struct house house;
    size_t hedges = 0;

    (void)state;
    begin(&house, 2);
    assert_true(fleet_may_panic(house.fleet, &house.route, 0));
    assert_false(fleet_may_panic(house.fleet, &house.route, 999));
    assert_true(fleet_may_panic(house.fleet, &house.route, 1000));
    assert_false(fleet_may_panic(house.fleet, &house.routing.defaults, 1000)); /* it does not */
    house.route.panics = false;
    assert_false(fleet_may_panic(house.fleet, &house.route, 9000));
    for (mono_ms now = 0; now < 50000; now += 50) {
        fleet_route_called(house.fleet, &house.route, now);
        hedges += fleet_may_hedge(house.fleet, &house.route, now) ? 1 : 0;
        assert_true(hedges * 20 <= now / 50 + 1);
    }
    assert_int_equal(hedges, 50);
    assert_false(fleet_may_hedge(house.fleet, &house.routing.defaults, 50000));
    house_close(&house);
}

/* ---- free probes ---- */

static void fleet__probes_an_open_endpoint_after_its_open_time(void **state)
{
    struct house house;

    (void)state;
    house_init(&house, 2);
    house.providers[1].kind = &provider_fixtures;
    house_open(&house, 1);
    assert_null(fleet_wants_probe(house.fleet, 0));
    attempts(&house, 3, 0, OUTCOME_CONNECT, 1000);
    attempts(&house, 3, 1, OUTCOME_CONNECT, 1000); /* built in: nobody to ask */
    assert_false(see(&house, "p1", "m", 1000).is_eligible);
    assert_null(fleet_wants_probe(house.fleet, 5999));
    assert_ptr_equal(fleet_wants_probe(house.fleet, 6000), &house.providers[0]);
    assert_null(fleet_wants_probe(house.fleet, 6000)); /* one at a time */
    assert_null(fleet_wants_probe(house.fleet, 60000));
    fleet_probed(house.fleet, &house.providers[0], false, 7000);
    assert_int_equal(see(&house, "p0", "m", 7000).endpoint.state, BREAKER_OPEN);
    assert_null(fleet_wants_probe(house.fleet, 11999));
    assert_ptr_equal(fleet_wants_probe(house.fleet, 12000), &house.providers[0]);
    (void)count_notices(&house, NOTICE_PANIC);
    fleet_probed(house.fleet, &house.providers[0], true, 12100);
    assert_int_equal(see(&house, "p0", "m", 12100).endpoint.state, BREAKER_HALF_OPEN);
    assert_int_equal(count_notices(&house, NOTICE_BREAKER_HALF_OPENED), 1);
    assert_null(fleet_wants_probe(house.fleet, 60000));
    house_close(&house);
}

static void fleet__does_not_probe_for_a_deployment(void **state)
{
    struct house house;

    (void)state;
    begin(&house, 1);
    attempts(&house, 5, 0, OUTCOME_PROVIDER_ERROR, 1000);
    assert_int_equal(see(&house, "p0", "m", 1000).deployment.state, BREAKER_OPEN);
    assert_null(fleet_wants_probe(house.fleet, 100000));
    house_close(&house);
}

/* ---- names that apps use ---- */

static struct target unlisted(const struct house *house, size_t provider)
{
    return (struct target){.provider = &house->providers[provider], .number = TARGET_UNLISTED};
}

static const char *numbered(char name[16], size_t number)
{
    (void)snprintf(name, 16, "x%zu", number);
    return name;
}

static struct member named(struct house *house, size_t provider, size_t number)
{
    struct target target = unlisted(house, provider);
    char name[16];

    return fleet_member(house->fleet, &target, span_of(numbered(name, number)));
}

/* p0/m and p1/m of the settings, the two providers themselves. */
enum { OURS = 4, THEIRS = FLEET_DEPLOYMENTS_MAX - OURS };

static void begin_full(struct house *house)
{
    begin(house, 2);
    for (size_t i = 0; i < THEIRS; i++) {
        assert_true(named(house, 0, i).deployment >= OURS);
    }
    assert_int_equal(fleet_view_count(house->fleet), 2 + THEIRS);
}

static void end_full(struct house *house)
{
    assert_true(fleet_view_count(house->fleet) <= 2 + THEIRS);
    house_close(house);
}

static void fleet__lets_idle_names_make_room(void **state)
{
    struct house house;

    (void)state;
    begin_full(&house);
    for (size_t i = 0; i < 10000; i++) {
        struct member one = named(&house, i % 2, 100000 + i);

        assert_true(one.deployment >= OURS);
        assert_int_equal(named(&house, i % 2, 100000 + i).deployment, one.deployment);
    }
    assert_true(see(&house, "p0", "m", 0).is_eligible); /* those of the settings stay */
    assert_true(see(&house, "p1", "m", 0).is_eligible);
    end_full(&house);
}

static void fleet__keeps_names_in_flight_and_behind_breakers(void **state)
{
    static struct entry entries[300];
    struct house house;
    struct target target;

    (void)state;
    begin_full(&house);
    target = unlisted(&house, 0);
    for (size_t i = 0; i < 300; i++) { /* in flight, open, parked, cooling, held by an order */
        char name[16];

        enter_as(&house, &entries[i], &target, numbered(name, i), false, 1);
        if (i % 5 == 1) {
            report(&house, &entries[i], OUTCOME_MODEL, 1);
        } else if (i % 5 == 2) {
            report(&house, &entries[i], OUTCOME_THROTTLED, 1);
        } else if (i % 5 == 3) {
            for (int k = 0; k < 5; k++) {
                report(&house, &entries[i], OUTCOME_PROVIDER_ERROR, 1);
                enter_as(&house, &entries[i], &target, name, false, 1);
            }
            report(&house, &entries[i], OUTCOME_APP_GONE, 1);
        } else if (i % 5 == 4) {
            char order[24];

            report(&house, &entries[i], OUTCOME_OK, 1);
            (void)snprintf(order, sizeof order, "p0/%s", name);
            assert_int_equal(fleet_obey(house.fleet, span_of(order), FLEET_PARK, 1), 1);
        }
    }
    for (size_t i = 0; i < 3 * THEIRS; i++) {
        (void)named(&house, 1, i);
    }
    for (size_t i = 0; i < 300; i++) {
        char name[16];
        struct target_view view = see(&house, "p0", numbered(name, i), 2);

        assert_int_equal(view.in_flight, i % 5 == 0 ? 1 : 0);
        assert_int_equal(view.target.reason, i % 5 == 1 ? PARK_MODEL : PARK_NONE);
        assert_int_equal(view.cooldown.reason, i % 5 == 2 ? PARK_THROTTLED : PARK_NONE);
        assert_int_equal(view.deployment.state, i % 5 == 3 ? BREAKER_OPEN : BREAKER_CLOSED);
        assert_int_equal(view.is_held, i % 5 == 4);
        if (i % 5 == 0) {
            report(&house, &entries[i], OUTCOME_OK, 2);
        }
    }
    end_full(&house);
}

/* Unknown models are parked one by one; when their time is over they are nobody again. */
static void fleet__lets_names_go_whose_park_is_over(void **state)
{
    struct house house;
    struct target target;
    mono_ms later = 700000;

    (void)state;
    begin_full(&house);
    target = unlisted(&house, 0);
    for (size_t i = 0; i < THEIRS; i++) {
        struct entry entry;
        char name[16];

        enter_as(&house, &entry, &target, numbered(name, i), false, 1);
        report(&house, &entry, i % 2 == 0 ? OUTCOME_MODEL : OUTCOME_THROTTLED, 1);
    }
    assert_int_equal(named(&house, 0, 999999).deployment, 0); /* no room: its provider's place */
    fleet_route_called(house.fleet, &house.route, later);
    assert_true(named(&house, 0, 999999).deployment >= OURS);
    end_full(&house);
}

static void fleet__does_not_park_all_names_for_one_that_found_no_room(void **state)
{
    struct target target;
    struct house house;
    struct entry entry;

    (void)state;
    begin(&house, 2);
    target = unlisted(&house, 0);
    enter_as(&house, &entry, &target, "", false, 1);
    report(&house, &entry, OUTCOME_MODEL, 1);
    assert_int_equal(
        fleet_standing(house.fleet, fleet_member(house.fleet, &target, SPAN_OF("")), &estimate, 1)
            .what,
        ELIGIBLE);
    house_close(&house);
}

static void fleet__tells_no_name_that_is_gone(void **state)
{
    struct house house;
    struct target target;
    struct notice notice;
    struct entry entry;
    size_t seen = 0;

    (void)state;
    begin_full(&house);
    target = unlisted(&house, 0);
    for (int i = 0; i < 5; i++) {
        enter_as(&house, &entry, &target, "x3", false, 1);
        report(&house, &entry, OUTCOME_PROVIDER_ERROR, 1);
    }
    for (mono_ms now = 10000; now < 13000; now += 1000) {
        enter_as(&house, &entry, &target, "x3", false, now);
        report(&house, &entry, OUTCOME_OK, now);
    }
    for (size_t i = 0; i < 3 * THEIRS; i++) { /* closed and idle: it makes room */
        (void)named(&house, 1, i);
    }
    while (fleet_next_notice(house.fleet, &notice)) {
        assert_true(span_equal(notice.provider, SPAN_OF("p0")));
        assert_int_equal(notice.model.len, 0);
        seen++;
    }
    assert_int_equal(seen, 3);
    end_full(&house);
}

/* ---- memory ---- */

/* A house whose providers all have a model of the settings, and a few that apps name. */
static void live_a_little(struct fleet *fleet, const struct house *house)
{
    for (size_t i = 0; i < 70; i++) {
        char name[16];
        struct target target = {.provider = &house->providers[i % 3], .number = TARGET_UNLISTED};
        struct span model = span_make(name, (size_t)snprintf(name, sizeof name, "m%zu", i));
        struct member member = fleet_member(fleet, &target, model);
        struct figures figures;

        fleet_figures(fleet, member, 0, 1, &figures);
        assert_int_equal(figures.in_flight, 0);
    }
}

static void fleet__survives_a_heap_that_fails(void **state)
{
    struct house house;
    bool was_born = false;
    size_t held = mem_held();

    (void)state;
    house_init(&house, 3);
    for (uint64_t nth = 1; nth < 1000; nth++) {
        struct fleet *fleet = NULL;
        bool has_failed = false;

        mem_fail_at(nth);
        fleet = fleet_new(&house.routing, 1);
        has_failed = mem_taken() >= nth;
        assert_true((fleet == NULL) == has_failed); /* half a fleet is none */
        was_born = was_born || fleet != NULL;
        if (fleet != NULL) {
            live_a_little(fleet, &house);
            has_failed = mem_taken() >= nth;
            fleet_free(fleet);
        }
        mem_fail_at(0);
        assert_int_equal(mem_held(), held);
        if (!has_failed) {
            assert_true(was_born && nth > 70);
            return;
        }
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fleet__tells_each_breaker_what_the_table_says),
        cmocka_unit_test(fleet__puts_out_what_the_table_says),
        cmocka_unit_test(fleet__knows_how_long),
        cmocka_unit_test(fleet__heeds_hints_up_to_five_minutes_and_known_resets),
        cmocka_unit_test(fleet__blames_the_deployment_alone_for_what_breaks_after_the_head),
        cmocka_unit_test(fleet__counts_a_streams_success_once_and_slowness_as_one),
        cmocka_unit_test(fleet__never_merges_the_scopes),
        cmocka_unit_test(fleet__keeps_one_credential_at_two_endpoints_apart_from_their_breakers),
        cmocka_unit_test(fleet__tells_each_thing_once),
        cmocka_unit_test(fleet__names_scope_reason_and_stay),
        cmocka_unit_test(fleet__drops_notices_that_nobody_fetches_and_counts_them),
        cmocka_unit_test(fleet__counts_in_flight_back_to_zero),
        cmocka_unit_test(fleet__frees_a_retrys_place_at_its_first_content),
        cmocka_unit_test(fleet__panics_once_a_second_and_hedges_one_call_in_twenty),
        cmocka_unit_test(fleet__probes_an_open_endpoint_after_its_open_time),
        cmocka_unit_test(fleet__does_not_probe_for_a_deployment),
        cmocka_unit_test(fleet__lets_idle_names_make_room),
        cmocka_unit_test(fleet__keeps_names_in_flight_and_behind_breakers),
        cmocka_unit_test(fleet__lets_names_go_whose_park_is_over),
        cmocka_unit_test(fleet__does_not_park_all_names_for_one_that_found_no_room),
        cmocka_unit_test(fleet__tells_no_name_that_is_gone),
        cmocka_unit_test(fleet__survives_a_heap_that_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
