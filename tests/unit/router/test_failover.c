/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulator found in the dispatch, each told as a story of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/story.h"

static void call(struct house *house, struct story *story, bool is_stream, uint32_t deadline_ms,
                 mono_ms now)
{
    struct dispatch_rules rules = {.is_stream = is_stream, .deadline_ms = deadline_ms};

    house_plan(house, &story->plan, now);
    dispatch_init(&story->dispatch, &story->plan, house->fleet, &rules, now);
}

static void begin(struct story *story, size_t targets, bool is_stream, uint32_t deadline_ms)
{
    house_init(&story->house, targets);
    house_open(&story->house, 1);
    call(&story->house, story, is_stream, deadline_ms, 0);
}

/* From the question to a request that is on its way. */
static void to_written(struct story *story, mono_ms now)
{
    tell(story, now, EVENT_START, OUTCOME_OK);
    EXPECT(story, ACTION_HOLD);
    tell(story, now, EVENT_HELD, OUTCOME_OK);
    EXPECT(story, ACTION_ATTEMPT);
    tell(story, now, EVENT_WRITTEN, OUTCOME_OK);
}

static void to_terminal(struct story *story)
{
    begin(story, 1, true, 0);
    to_written(story, 0);
    tell(story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(story, 30, EVENT_CONTENT, OUTCOME_OK);
    tell(story, 40, EVENT_TERMINAL, OUTCOME_OK);
}

static void failover__ends_well_whatever_comes_after_the_terminal_event(void **state)
{
    struct story story;

    (void)state;
    to_terminal(&story);
    tell(&story, 50, EVENT_SHUTDOWN, OUTCOME_SHUTDOWN);
    EXPECT(&story, ACTION_ABANDON, ACTION_FINISH, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[2].outcome, OUTCOME_OK);
    end(&story);
    to_terminal(&story);
    tell(&story, 50, EVENT_APP_GONE, OUTCOME_APP_GONE);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[1].outcome, OUTCOME_OK);
    end(&story);
}

static void failover__waits_for_no_first_content_once_the_gate_is_open(void **state)
{
    struct story story;

    (void)state;
    begin(&story, 1, true, 0);
    to_written(&story, 0);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_READY, OUTCOME_OK); /* a prelude too long to be held */
    EXPECT(&story, ACTION_COMMIT);
    dispatch_saw_bytes(&story.dispatch, 1, 59000, true);
    dispatch_saw_sent(&story.dispatch, 59000);
    tell(&story, 60000, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    end(&story);
}

static void failover__makes_no_attempt_for_which_money_came_too_late(void **state)
{
    struct story story;

    (void)state;
    begin(&story, 2, false, 5000);
    to_written(&story, 0);
    tell(&story, 1000, EVENT_ENDED, OUTCOME_CONNECT);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    tell(&story, 3500, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_RELEASE, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.actions.list[1].outcome, OUTCOME_CONNECT);
    end(&story);
}

static void failover__does_not_panic_into_a_cooldown(void **state)
{
    struct story story;
    struct story early;

    (void)state;
    begin(&story, 1, false, 0);
    call(&story.house, &early, false, 0, 0);
    to_written(&early, 0);
    for (mono_ms now = 0; now < 3; now++) {
        call(&story.house, &story, false, 0, now);
        to_written(&story, now);
        tell(&story, now, EVENT_ENDED, OUTCOME_CONNECT);
        if (story.dispatch.state != DISPATCH_CLOSED) { /* it pauses; the app has had enough */
            tell(&story, now, EVENT_APP_GONE, OUTCOME_APP_GONE);
        }
    }
    call(&story.house, &story, false, 0, 10);
    tell(&story, 10, EVENT_START, OUTCOME_OK);
    EXPECT(&story, ACTION_HOLD); /* in panic: the door is shut */
    tell(&early, 20, EVENT_HEAD, OUTCOME_OK);
    tell_hint(&early, 20, EVENT_ENDED, OUTCOME_THROTTLED, 60000);
    tell(&story, 30, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_RELEASE, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.actions.list[1].outcome, OUTCOME_ALL_THROTTLED);
    end(&story);
}

/* The first target is asked what it cannot be told, or what there is no money for. */
static void deny(struct story *story, mono_ms now, enum outcome outcome)
{
    struct event_in event = {.kind = EVENT_DENIED,
                             .attempt = story->dispatch.numbers,
                             .outcome = outcome,
                             .now = now,
                             .should_retry = -1,
                             .hint_ms = HINT_NONE,
                             .may_elsewhere = true};

    dispatch_step(&story->dispatch, &event, &story->actions);
}

static void failover__says_that_nobody_can_be_told_where_that_goes_for_all(void **state)
{
    static const enum outcome denials[][3] = {
        {OUTCOME_UNTRANSLATABLE, OUTCOME_UNTRANSLATABLE, OUTCOME_UNTRANSLATABLE},
        {OUTCOME_BUDGET, OUTCOME_UNTRANSLATABLE, OUTCOME_BUDGET},
        {OUTCOME_UNTRANSLATABLE, OUTCOME_BUDGET, OUTCOME_BUDGET},
    };
    struct story story;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin(&story, 2, false, 0);
        tell(&story, 0, EVENT_START, OUTCOME_OK);
        deny(&story, 1, denials[i][0]);
        EXPECT(&story, ACTION_HOLD);
        deny(&story, 2, denials[i][1]);
        EXPECT(&story, ACTION_FAIL, ACTION_CLOSE);
        assert_int_equal(story.actions.list[0].outcome, denials[i][2]);
        end(&story);
    }
    /* Somebody was asked: what came of it is the answer. */
    begin(&story, 2, false, 0);
    to_written(&story, 0);
    tell(&story, 10, EVENT_ENDED, OUTCOME_AUTH);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    deny(&story, 11, OUTCOME_UNTRANSLATABLE);
    EXPECT(&story, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_AUTH);
    /* And where the one that could be told is out, that is what is wrong. */
    call(&story.house, &story, false, 0, 20);
    tell(&story, 20, EVENT_START, OUTCOME_OK);
    deny(&story, 21, OUTCOME_UNTRANSLATABLE);
    EXPECT(&story, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_ALL_AUTH);
    end(&story);
}

/* The certificate is as wrong as before when the other target has failed too. */
static void failover__never_comes_back_to_a_target_that_is_ruled_out(void **state)
{
    struct story story;

    (void)state;
    house_init(&story.house, 2);
    story.house.route.retry.attempts = 5;
    house_open(&story.house, 1);
    call(&story.house, &story, false, 0, 0);
    to_written(&story, 0);
    tell(&story, 10, EVENT_ENDED, OUTCOME_TLS_VERIFY);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    assert_int_equal(story.actions.list[1].place, 1);
    tell(&story, 10, EVENT_HELD, OUTCOME_OK);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 20, EVENT_ENDED, OUTCOME_PROVIDER_ERROR);
    EXPECT(&story, ACTION_SETTLE);
    tell(&story, story.actions.wake_at, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_HOLD);
    assert_int_equal(story.actions.list[0].place, 1);
    tell(&story, 400, EVENT_HELD, OUTCOME_OK);
    tell(&story, 410, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 410, EVENT_ENDED, OUTCOME_PROVIDER_ERROR);
    EXPECT(&story, ACTION_SETTLE, ACTION_FAIL, ACTION_CLOSE);
    end(&story);
}

/* Nor does another pick, made later because the first one went away, forget what was ruled out. */
static void failover__keeps_a_long_request_from_targets_that_read_no_more(void **state)
{
    struct story story;

    (void)state;
    house_init(&story.house, 3);
    story.house.targets[0].context = 8000;
    story.house.targets[1].context = 4000;
    story.house.targets[2].context = 16000;
    house_open(&story.house, 1);
    call(&story.house, &story, false, 0, 0);
    to_written(&story, 0);
    tell(&story, 10, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 10, EVENT_ENDED, OUTCOME_CONTEXT);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    assert_int_equal(story.actions.list[1].place, 2);
    assert_int_equal(fleet_obey(story.house.fleet, SPAN_OF("p2/m"), FLEET_PARK, 20), 1);
    tell(&story, 30, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_RELEASE, ACTION_FAIL, ACTION_CLOSE);
    end(&story);
}

static void failover__does_not_hedge_what_must_not_run_twice(void **state)
{
    struct story story;

    (void)state;
    house_init(&story.house, 2);
    story.house.route.hedge_after_ms = 100;
    house_open(&story.house, 1);
    call(&story.house, &story, true, 0, 0);
    to_written(&story, 0);
    assert_int_equal(story.actions.wake_at, 100);
    end(&story);
    house_init(&story.house, 2);
    story.house.route.hedge_after_ms = 100;
    house_open(&story.house, 1);
    call(&story.house, &story, true, 0, 0);
    story.dispatch.rules.runs_once = true;
    to_written(&story, 0);
    assert_int_equal(story.actions.wake_at, 60000);
    end(&story);
}

/* A hedge's money that comes when the first attempt has ended the matter is given back. */
static void failover__gives_back_money_that_nobody_waits_for(void **state)
{
    struct story story;
    struct event_in no = {.kind = EVENT_ENDED,
                          .attempt = 1,
                          .outcome = OUTCOME_REQUEST,
                          .now = 200,
                          .should_retry = 1,
                          .hint_ms = HINT_NONE};

    (void)state;
    house_init(&story.house, 2);
    story.house.route.hedge_after_ms = 100;
    house_open(&story.house, 1);
    for (int i = 0; i < 40; i++) {
        fleet_route_called(story.house.fleet, &story.house.route, 0);
    }
    call(&story.house, &story, true, 0, 0);
    to_written(&story, 0);
    tell(&story, 100, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_HOLD);
    dispatch_step(&story.dispatch, &no, &story.actions);
    EXPECT(&story, ACTION_SETTLE); /* and a pause, since the provider asks for a repetition */
    tell(&story, 201, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_RELEASE);
    end(&story);
}

/* The hedge's content came second; when the first attempt fails, its own time goes on. */
static void failover__keeps_the_time_of_the_content_that_is_left(void **state)
{
    struct story story;

    (void)state;
    house_init(&story.house, 2);
    story.house.route.hedge_after_ms = 100;
    story.house.route.commit = (struct commit_rule){.mode = COMMIT_AFTER, .value = 1000};
    house_open(&story.house, 1);
    for (int i = 0; i < 25; i++) { /* one call in twenty may be hedged */
        fleet_route_called(story.house.fleet, &story.house.route, 0);
    }
    call(&story.house, &story, true, 0, 0);
    to_written(&story, 0);
    tell(&story, 100, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_HOLD);
    tell(&story, 100, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_ATTEMPT);
    tell(&story, 110, EVENT_WRITTEN, OUTCOME_OK);
    tell(&story, 120, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 130, EVENT_CONTENT, OUTCOME_OK);
    struct event_in first = {.kind = EVENT_ENDED,
                             .attempt = 1,
                             .outcome = OUTCOME_RESET,
                             .now = 200,
                             .should_retry = -1,
                             .hint_ms = HINT_NONE};
    dispatch_step(&story.dispatch, &first, &story.actions);
    EXPECT(&story, ACTION_SETTLE);
    assert_int_equal(story.actions.wake_at, 1130);
    tell(&story, 1130, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_COMMIT);
    end(&story);
}

/* ---- targets of another dialect ---- */

static void ends_as(struct story *story, enum outcome outcome)
{
    EXPECT(story, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story->actions.list[0].outcome, outcome);
    end(story);
}

static void failover__passes_over_a_target_that_cannot_be_told_what_is_asked(void **state)
{
    struct story story;

    (void)state;
    begin(&story, 2, false, 0);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    deny(&story, 0, OUTCOME_UNTRANSLATABLE);
    EXPECT(&story, ACTION_HOLD);
    assert_int_equal(story.actions.list[0].place, 1);
    tell(&story, 0, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_ATTEMPT);
    tell(&story, 10, EVENT_WRITTEN, OUTCOME_OK);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_ENDED, OUTCOME_OK);
    assert_int_equal(story.dispatch.state, DISPATCH_CLOSED);
    assert_int_equal(story.dispatch.attempts, 1); /* nor does it count as one */
    end(&story);
}

static void failover__says_that_nobody_can_be_told_only_if_nobody_was_asked(void **state)
{
    struct story story;

    (void)state;
    begin(&story, 2, false, 0);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    deny(&story, 0, OUTCOME_UNTRANSLATABLE);
    deny(&story, 0, OUTCOME_UNTRANSLATABLE);
    ends_as(&story, OUTCOME_UNTRANSLATABLE);
    begin(&story, 2, false, 0); /* the first one was asked ... */
    to_written(&story, 0);
    tell(&story, 10, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 10, EVENT_ENDED, OUTCOME_AUTH);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    deny(&story, 10, OUTCOME_UNTRANSLATABLE);
    ends_as(&story, OUTCOME_AUTH);
    begin(&story, 2, false, 0); /* ... or the second */
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    deny(&story, 0, OUTCOME_UNTRANSLATABLE);
    tell(&story, 0, EVENT_HELD, OUTCOME_OK);
    tell(&story, 10, EVENT_WRITTEN, OUTCOME_OK);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 20, EVENT_ENDED, OUTCOME_AUTH);
    EXPECT(&story, ACTION_SETTLE, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.actions.list[1].outcome, OUTCOME_AUTH);
    end(&story);
}

/* Who could be told is out for now: the app is to come again, and not to change its request. */
static void failover__waits_for_who_can_be_told(void **state)
{
    struct story story;

    (void)state;
    begin(&story, 2, false, 0);
    assert_int_equal(fleet_obey(story.house.fleet, SPAN_OF("p0/m"), FLEET_PARK, 0), 1);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    EXPECT(&story, ACTION_HOLD);
    assert_int_equal(story.actions.list[0].place, 1);
    deny(&story, 0, OUTCOME_UNTRANSLATABLE);
    ends_as(&story, OUTCOME_NO_TARGET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failover__ends_well_whatever_comes_after_the_terminal_event),
        cmocka_unit_test(failover__waits_for_no_first_content_once_the_gate_is_open),
        cmocka_unit_test(failover__makes_no_attempt_for_which_money_came_too_late),
        cmocka_unit_test(failover__does_not_panic_into_a_cooldown),
        cmocka_unit_test(failover__never_comes_back_to_a_target_that_is_ruled_out),
        cmocka_unit_test(failover__keeps_a_long_request_from_targets_that_read_no_more),
        cmocka_unit_test(failover__says_that_nobody_can_be_told_where_that_goes_for_all),
        cmocka_unit_test(failover__does_not_hedge_what_must_not_run_twice),
        cmocka_unit_test(failover__gives_back_money_that_nobody_waits_for),
        cmocka_unit_test(failover__keeps_the_time_of_the_content_that_is_left),
        cmocka_unit_test(failover__passes_over_a_target_that_cannot_be_told_what_is_asked),
        cmocka_unit_test(failover__says_that_nobody_can_be_told_only_if_nobody_was_asked),
        cmocka_unit_test(failover__waits_for_who_can_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
