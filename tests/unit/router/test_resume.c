/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that break off after their beginning is out and are continued elsewhere, in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/story.h"

/* Two targets or more, of which all but the first continue answers, and a stream of the first one
 * that is out. */
static void to_streaming(struct story *story, size_t targets)
{
    struct dispatch_rules rules = {.is_stream = true};

    house_init(&story->house, targets);
    for (size_t i = 1; i < targets; i++) {
        story->house.providers[i].kind = &provider_compatible;
        story->house.providers[i].endpoint.authority = SPAN_OF("vllm:8000");
    }
    story->house.route.resumes = true;
    story_begin(story, &rules);
    tell(story, 0, EVENT_START, OUTCOME_OK);
    tell(story, 1, EVENT_HELD, OUTCOME_OK);
    assert_false(story->actions.list[0].is_resume);
    tell(story, 2, EVENT_WRITTEN, OUTCOME_OK);
    tell(story, 3, EVENT_HEAD, OUTCOME_OK);
    tell(story, 4, EVENT_CONTENT, OUTCOME_OK);
    EXPECT(story, ACTION_COMMIT);
}

/* The stream that is out ends; what is out of it is text alone. */
static void break_off(struct story *story, mono_ms now, enum event_kind kind, enum outcome outcome)
{
    struct event_in event = {.kind = kind,
                             .attempt = story->dispatch.numbers,
                             .outcome = outcome,
                             .now = now,
                             .should_retry = -1,
                             .hint_ms = HINT_NONE,
                             .can_resume = true};

    dispatch_step(&story->dispatch, &event, &story->actions);
}

static void resume__goes_on_where_a_stream_broke_off(void **state)
{
    struct story story;

    (void)state;
    to_streaming(&story, 2);
    break_off(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    assert_int_equal(story.dispatch.notes[0].why, RETRY_RESUMED);
    tell(&story, 11, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_ATTEMPT);
    assert_true(story.actions.list[0].is_resume);
    assert_int_equal(story.actions.list[0].place, 1);
    tell(&story, 12, EVENT_WRITTEN, OUTCOME_OK);
    tell(&story, 15012, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_KEEP_ALIVE);
    tell(&story, 15013, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 15014, EVENT_CONTENT, OUTCOME_OK);
    EXPECT(&story, ACTION_COMMIT);
    tell(&story, 15015, EVENT_ENDED, OUTCOME_OK);
    EXPECT(&story, ACTION_FINISH, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
}

static void resume__goes_on_after_a_stream_that_fell_silent(void **state)
{
    struct story story;

    (void)state;
    to_streaming(&story, 2);
    dispatch_paused(&story.dispatch, true, 5);
    dispatch_paused(&story.dispatch, false, 5);
    break_off(&story, 90006, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_HOLD);
    end(&story);
}

/* Route, stream, time and whoever is left must all allow it; else the honest error. */
static void resume__cuts_what_cannot_go_on(void **state)
{
    struct story story;

    (void)state;
    to_streaming(&story, 2); /* something but text */
    tell(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_CUT, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.dispatch.notes[0].why, RETRY_COMMITTED);
    end(&story);

    to_streaming(&story, 2); /* the route does not ask for it */
    story.house.route.resumes = false;
    break_off(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_CUT, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);

    to_streaming(&story, 2); /* nobody else continues answers, and the first one does not */
    story.house.providers[1].endpoint.authority = SPAN_OF("llm:8000");
    break_off(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_SETTLE, ACTION_CUT, ACTION_CLOSE);
    assert_int_equal(story.actions.list[1].outcome, OUTCOME_RESET);
    assert_int_equal(story.dispatch.notes[0].why, RETRY_NO_TARGET);
    end(&story);

    to_streaming(&story, 2); /* who does is out */
    assert_int_equal(fleet_obey(story.house.fleet, SPAN_OF("p1"), FLEET_PARK, 5), 1);
    break_off(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_SETTLE, ACTION_CUT, ACTION_CLOSE);
    end(&story);

    to_streaming(&story, 2); /* the time is up */
    break_off(&story, 3600000, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CUT, ACTION_CLOSE);
    end(&story);

    to_streaming(&story, 2); /* one attempt was allowed */
    story.dispatch.rules.no_failover = true;
    break_off(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_SETTLE, ACTION_CUT, ACTION_CLOSE);
    assert_int_equal(story.dispatch.notes[0].why, RETRY_APP_SAYS_NO);
    end(&story);
}

/* Whoever refuses the begun answer (a 400) is passed by; the app's request was good before. */
static void resume__asks_a_third_one_when_the_second_does_not_begin(void **state)
{
    static const enum outcome outcomes[] = {OUTCOME_REQUEST, OUTCOME_CONNECT, OUTCOME_OVERLOADED};
    struct story story;

    (void)state;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        to_streaming(&story, 3);
        break_off(&story, 10, EVENT_ENDED, OUTCOME_TRUNCATED);
        tell(&story, 11, EVENT_HELD, OUTCOME_OK);
        tell(&story, 12, EVENT_ENDED, outcomes[i]);
        EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
        assert_int_equal(story.dispatch.notes[1].why, RETRY_OTHER_TARGET);
        tell(&story, 13, EVENT_HELD, OUTCOME_OK);
        EXPECT(&story, ACTION_ATTEMPT);
        assert_true(story.actions.list[0].is_resume);
        assert_int_equal(story.actions.list[0].place, 2);
        tell(&story, 14, EVENT_ENDED, OUTCOME_RESET);
        EXPECT(&story, ACTION_SETTLE, ACTION_CUT, ACTION_CLOSE); /* three attempts */
        end(&story);
    }
}

/* Its money came late and the target is gone meanwhile: never to one that would begin anew. */
static void resume__does_not_go_on_with_whoever_begins_anew(void **state)
{
    struct story story;

    (void)state;
    to_streaming(&story, 3);
    story.house.providers[2].endpoint.authority = SPAN_OF("llm:8000");
    break_off(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_SETTLE, ACTION_HOLD);
    assert_int_equal(fleet_obey(story.house.fleet, SPAN_OF("p1"), FLEET_PARK, 10), 1);
    tell(&story, 11, EVENT_HELD, OUTCOME_OK);
    EXPECT(&story, ACTION_RELEASE, ACTION_CUT, ACTION_CLOSE);
    end(&story);
}

static void resume__goes_on_at_the_first_content_whatever_the_commit(void **state)
{
    struct story story;

    (void)state;
    to_streaming(&story, 2);
    story.house.route.commit = (struct commit_rule){.mode = COMMIT_TOKENS, .value = 1000};
    story.house.route.hedge_after_ms = 100;
    break_off(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    tell(&story, 11, EVENT_HELD, OUTCOME_OK);
    tell(&story, 12, EVENT_WRITTEN, OUTCOME_OK);
    assert_true(story.actions.wake_at > 1000); /* nor is there a hedge */
    tell(&story, 1001, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 1002, EVENT_CONTENT, OUTCOME_OK);
    EXPECT(&story, ACTION_COMMIT);
    tell(&story, 1003, EVENT_APP_GONE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
}

/* A provider that was held back does not make the next one wait for ever. */
static void resume__watches_whoever_goes_on(void **state)
{
    struct story story;

    (void)state;
    to_streaming(&story, 2);
    dispatch_paused(&story.dispatch, true, 5);
    break_off(&story, 10, EVENT_ENDED, OUTCOME_RESET);
    tell(&story, 11, EVENT_HELD, OUTCOME_OK);
    tell(&story, 12, EVENT_WRITTEN, OUTCOME_OK);
    tell(&story, 13, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 14, EVENT_CONTENT, OUTCOME_OK);
    break_off(&story, 14 + 90000, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.list[0].kind, ACTION_ABANDON);
    end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resume__goes_on_where_a_stream_broke_off),
        cmocka_unit_test(resume__goes_on_after_a_stream_that_fell_silent),
        cmocka_unit_test(resume__cuts_what_cannot_go_on),
        cmocka_unit_test(resume__asks_a_third_one_when_the_second_does_not_begin),
        cmocka_unit_test(resume__does_not_go_on_with_whoever_begins_anew),
        cmocka_unit_test(resume__goes_on_at_the_first_content_whatever_the_commit),
        cmocka_unit_test(resume__watches_whoever_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
