/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatch in virtual time, story by story; random worlds and their laws are in tests/sim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/story.h"

static void begin(struct story *story, bool is_stream, const struct timeouts *limits)
{
    struct dispatch_rules rules = {.is_stream = is_stream};

    house_init(&story->house, 1);
    story->house.route.retry.attempts = 1;
    if (limits != NULL) {
        story->house.route.timeouts = *limits;
    }
    story_begin(story, &rules);
}

static struct timeouts default_timeouts(void)
{
    struct house house;

    house_init(&house, 1);
    return house.route.timeouts;
}

static void to_trying(struct story *story, bool is_stream, const struct timeouts *limits)
{
    begin(story, is_stream, limits);
    tell(story, 0, EVENT_START, OUTCOME_OK);
    EXPECT(story, ACTION_HOLD);
    tell(story, 1, EVENT_HELD, OUTCOME_OK);
    EXPECT(story, ACTION_ATTEMPT);
    tell(story, 10, EVENT_WRITTEN, OUTCOME_OK);
}

static void dispatch__commits_a_whole_answer_at_its_end(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, false, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_ENDED, OUTCOME_OK);
    EXPECT(&story, ACTION_COMMIT, ACTION_FINISH, ACTION_SETTLE, ACTION_CLOSE);
    assert_true(story.actions.wake_at == MONO_NEVER);
    end(&story);
}

static void dispatch__commits_a_stream_at_its_first_content(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    EXPECT(&story, ACTION_COMMIT);
    tell(&story, 40, EVENT_ENDED, OUTCOME_OK);
    EXPECT(&story, ACTION_FINISH, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
}

static void dispatch__fails_before_and_cuts_after_the_commit(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_SETTLE, ACTION_FAIL, ACTION_CLOSE);
    end(&story);
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    tell(&story, 40, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_CUT, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_RESET);
    end(&story);
}

/* Wakes as asked until something happens; returns when. */
static mono_ms sleep_until_action(struct story *story)
{
    mono_ms now = 0;

    for (int i = 0; i < 1000 && story->actions.count == 0; i++) {
        now = story->actions.wake_at;
        assert_true(now != MONO_NEVER);
        tell(story, now, EVENT_WAKE, OUTCOME_OK);
    }
    return now;
}

static void dispatch__gives_up_when_no_head_comes(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, false, NULL);
    assert_int_equal(sleep_until_action(&story), 10 + 300000);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_HEAD_TIMEOUT);
    end(&story);
}

static void dispatch__does_not_count_the_wait_for_a_connection_as_the_providers(void **state)
{
    struct story story;

    (void)state;
    begin(&story, false, NULL);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 0, EVENT_HELD, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 600000);
    tell(&story, 4000, EVENT_WRITTEN, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 304000);
    end(&story);
}

static void dispatch__gives_up_when_a_stream_brings_no_content(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    dispatch_saw_bytes(&story.dispatch, 1, 50000, false);
    tell(&story, 59999, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    assert_int_equal(sleep_until_action(&story), 60010);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_FIRST_CONTENT_TIMEOUT);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_FAIL, ACTION_CLOSE);
    end(&story);
}

static void dispatch__ends_an_idle_stream_but_not_one_that_pings(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    dispatch_saw_bytes(&story.dispatch, 1, 80000, false);
    dispatch_saw_sent(&story.dispatch, 80000);
    tell(&story, 90030, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    for (mono_ms now = 100000; now < 300000; now += 10000) {
        dispatch_saw_bytes(&story.dispatch, 1, now, false);
        dispatch_saw_sent(&story.dispatch, now);
        tell(&story, now, EVENT_WAKE, OUTCOME_OK);
        assert_int_equal(story.actions.count, 0);
    }
    /* Pings for ever: the content's own limit ends it. */
    tell(&story, 300030, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_CUT, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_IDLE);
    end(&story);
}

static void dispatch__does_not_blame_a_provider_that_is_held_back(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    dispatch_paused(&story.dispatch, true, 1000);
    for (mono_ms now = 1000; now <= 1000000; now += 10000) {
        dispatch_saw_sent(&story.dispatch, now);
        tell(&story, now, EVENT_WAKE, OUTCOME_OK);
        assert_int_equal(story.actions.count, 0);
    }
    dispatch_paused(&story.dispatch, false, 1000000);
    dispatch_saw_sent(&story.dispatch, 1089000);
    tell(&story, 1089000, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    tell(&story, 1090000, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_CUT, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
}

static void dispatch__keeps_a_silent_stream_alive(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 1000, EVENT_CONTENT, OUTCOME_OK);
    tell(&story, 2000, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 16000);
    tell(&story, 16000, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_KEEP_ALIVE);
    assert_int_equal(story.actions.wake_at, 31000);
    end(&story);
}

static void dispatch__sends_an_early_head_and_then_cuts_instead_of_failing(void **state)
{
    struct timeouts slow = default_timeouts();
    struct story story;

    (void)state;
    slow.first_content_ms = 500000;
    to_trying(&story, true, &slow);
    assert_int_equal(sleep_until_action(&story), 120000);
    EXPECT(&story, ACTION_EARLY_HEAD);
    tell(&story, 121000, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_SETTLE, ACTION_CUT, ACTION_CLOSE);
    end(&story);
}

static void dispatch__has_no_early_head_when_off_or_not_a_stream(void **state)
{
    struct timeouts off = default_timeouts();
    struct story story;

    (void)state;
    off.early_head_ms = 0;
    off.first_content_ms = 500000;
    to_trying(&story, true, &off);
    assert_int_equal(sleep_until_action(&story), 500010);
    end(&story);
    to_trying(&story, false, NULL);
    assert_int_equal(sleep_until_action(&story), 300010);
    end(&story);
}

static void dispatch__obeys_the_apps_limits(void **state)
{
    struct dispatch_rules rules = {
        .is_stream = false, .patience_ms = 20000, .deadline_ms = 50000};
    struct story story;

    (void)state;
    house_init(&story.house, 1);
    story_begin(&story, &rules);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 0, EVENT_HELD, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 20000);
    tell(&story, 20000, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_DEADLINE);
    end(&story);
    rules.patience_ms = 0;
    house_init(&story.house, 1);
    story_begin(&story, &rules);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 50000);
    end(&story);
}

static void dispatch__does_not_wait_for_a_provider_that_never_ends_its_message(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    tell(&story, 40, EVENT_TERMINAL, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 290);
    tell(&story, 290, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_FINISH, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[2].outcome, OUTCOME_OK);
    end(&story);
}

static void dispatch__settles_nothing_that_was_not_held(void **state)
{
    struct story story;

    (void)state;
    begin(&story, false, NULL);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 1, EVENT_DENIED, OUTCOME_OK);
    EXPECT(&story, ACTION_FAIL, ACTION_CLOSE);
    end(&story);
    begin(&story, false, NULL);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 1, EVENT_APP_GONE, OUTCOME_OK);
    EXPECT(&story, ACTION_CLOSE);
    end(&story);
}

/* Every target was asked once and said no; the last one as given. */
static uint64_t told_after(struct story *story, size_t targets, const int64_t *hints,
                           enum outcome last)
{
    struct dispatch_rules rules = {.is_stream = false};
    mono_ms now = 0;

    house_init(&story->house, targets);
    story->house.route.retry.attempts = (uint8_t)targets;
    story_begin(story, &rules);
    tell(story, now, EVENT_START, OUTCOME_OK);
    for (size_t i = 0; i < targets; i++) {
        struct event_in event = {.kind = EVENT_ENDED,
                                 .attempt = story->dispatch.numbers,
                                 .outcome = i + 1 < targets ? OUTCOME_THROTTLED : last,
                                 .should_retry = -1,
                                 .hint_ms = hints[i]};
        tell(story, now, EVENT_HELD, OUTCOME_OK);
        now += 1000;
        event.now = now;
        dispatch_step(&story->dispatch, &event, &story->actions);
    }
    EXPECT(story, ACTION_SETTLE, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story->actions.list[1].outcome, last);
    return story->actions.list[1].wait_ms;
}

static void dispatch__tells_when_the_first_target_comes_back(void **state)
{
    static const int64_t hints[] = {20000, 40000};
    static const int64_t none[] = {HINT_NONE};
    static const int64_t soon[] = {1000};
    struct story story;

    (void)state;
    assert_int_equal(told_after(&story, 2, hints, OUTCOME_THROTTLED), 19000);
    end(&story);
    assert_int_equal(told_after(&story, 2, hints, OUTCOME_QUOTA), 19000);
    end(&story);
    assert_int_equal(told_after(&story, 1, soon, OUTCOME_QUOTA), 15 * 60000);
    end(&story);
    assert_int_equal(told_after(&story, 1, hints, OUTCOME_OVERLOADED), 20000);
    end(&story);
    assert_int_equal(told_after(&story, 1, none, OUTCOME_OVERLOADED), 0);
    end(&story);
    assert_int_equal(told_after(&story, 1, hints, OUTCOME_PROVIDER_ERROR), 0);
    end(&story);
    assert_in_range(told_after(&story, 1, none, OUTCOME_THROTTLED), 1, 1000);
    end(&story);
}

static void dispatch__cancels_the_upstream_when_the_app_leaves(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, NULL);
    tell(&story, 20, EVENT_APP_GONE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
}

/* The next target is gone when its money comes, and the first one, though it stands, was asked as
 * often as it may be: the call ends, it does not wake itself for ever. */
static void dispatch__ends_when_whoever_stands_was_asked_often_enough(void **state)
{
    struct dispatch_rules rules = {.is_stream = false};
    struct story story;

    (void)state;
    house_init(&story.house, 2);
    story.house.route.retry.attempts_per_target = 1;
    story_begin(&story, &rules);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 1, EVENT_HELD, OUTCOME_OK);
    tell(&story, 2, EVENT_ENDED, OUTCOME_EDGE_ERROR);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    assert_int_equal(fleet_obey(story.house.fleet, SPAN_OF("p1"), FLEET_PARK, 2), 1);
    tell(&story, 3, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_RELEASE, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.actions.list[1].outcome, OUTCOME_EDGE_ERROR);
    end(&story);
}

static void dispatch__sends_what_may_run_once_only_again_when_it_was_not_sent(void **state)
{
    struct dispatch_rules rules = {.runs_once = true};
    struct story story;

    (void)state;
    house_init(&story.house, 2);
    story_begin(&story, &rules);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 1, EVENT_HELD, OUTCOME_OK);
    tell(&story, 2, EVENT_ENDED, OUTCOME_CONNECT);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    tell(&story, 3, EVENT_HELD, OUTCOME_OK);
    tell(&story, 4, EVENT_WRITTEN, OUTCOME_OK);
    tell(&story, 5, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 6, EVENT_ENDED, OUTCOME_PROVIDER_ERROR);
    EXPECT(&story, ACTION_SETTLE, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.dispatch.notes[1].why, RETRY_AMBIGUOUS);
    end(&story);
}

static void dispatch__waits_for_a_throttled_target_as_long_as_the_route_says(void **state)
{
    struct dispatch_rules rules = {.is_stream = false};
    struct event_in event = {.kind = EVENT_ENDED,
                             .attempt = 1,
                             .now = 2,
                             .outcome = OUTCOME_THROTTLED,
                             .hint_ms = 20000,
                             .should_retry = -1};
    struct story story;

    (void)state;
    house_init(&story.house, 2);
    story.house.route.retry.wait_ms = 30000;
    story_begin(&story, &rules);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 1, EVENT_HELD, OUTCOME_OK);
    dispatch_step(&story.dispatch, &event, &story.actions);
    EXPECT(&story, ACTION_SETTLE);
    assert_in_range(story.actions.wake_at, 20002, 21002);
    tell(&story, story.actions.wake_at, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_HOLD);
    assert_int_equal(story.actions.list[0].place, 0);
    end(&story);
}

/* The account is parked for a quarter of an hour: the app is not told to come back in a minute. */
static void dispatch__tells_how_long_an_account_without_credit_is_out(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, false, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_ENDED, OUTCOME_QUOTA);
    EXPECT(&story, ACTION_SETTLE, ACTION_FAIL, ACTION_CLOSE);
    assert_int_equal(story.actions.list[1].wait_ms, 15 * 60 * 1000);
    end(&story);
    to_trying(&story, false, NULL);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_ENDED, OUTCOME_AUTH); /* has no wait to tell */
    assert_int_equal(story.actions.list[1].wait_ms, 0);
    end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatch__commits_a_whole_answer_at_its_end),
        cmocka_unit_test(dispatch__commits_a_stream_at_its_first_content),
        cmocka_unit_test(dispatch__fails_before_and_cuts_after_the_commit),
        cmocka_unit_test(dispatch__gives_up_when_no_head_comes),
        cmocka_unit_test(dispatch__does_not_count_the_wait_for_a_connection_as_the_providers),
        cmocka_unit_test(dispatch__gives_up_when_a_stream_brings_no_content),
        cmocka_unit_test(dispatch__ends_an_idle_stream_but_not_one_that_pings),
        cmocka_unit_test(dispatch__does_not_blame_a_provider_that_is_held_back),
        cmocka_unit_test(dispatch__keeps_a_silent_stream_alive),
        cmocka_unit_test(dispatch__sends_an_early_head_and_then_cuts_instead_of_failing),
        cmocka_unit_test(dispatch__has_no_early_head_when_off_or_not_a_stream),
        cmocka_unit_test(dispatch__obeys_the_apps_limits),
        cmocka_unit_test(dispatch__does_not_wait_for_a_provider_that_never_ends_its_message),
        cmocka_unit_test(dispatch__settles_nothing_that_was_not_held),
        cmocka_unit_test(dispatch__tells_when_the_first_target_comes_back),
        cmocka_unit_test(dispatch__cancels_the_upstream_when_the_app_leaves),
        cmocka_unit_test(dispatch__ends_when_whoever_stands_was_asked_often_enough),
        cmocka_unit_test(dispatch__sends_what_may_run_once_only_again_when_it_was_not_sent),
        cmocka_unit_test(dispatch__waits_for_a_throttled_target_as_long_as_the_route_says),
        cmocka_unit_test(dispatch__tells_how_long_an_account_without_credit_is_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
