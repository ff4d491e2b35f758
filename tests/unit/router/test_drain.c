/* SPDX-License-Identifier: Apache-2.0 */
/* The app has left: who is read on for the usage, until when, and what is dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/story.h"

static void begin(struct story *story, bool drains)
{
    struct dispatch_rules rules = {.is_stream = true};

    house_init(&story->house, 2);
    story->house.providers[0].drains = drains;
    story_begin(story, &rules);
    tell(story, 0, EVENT_START, OUTCOME_OK);
    tell(story, 0, EVENT_HELD, OUTCOME_OK);
    tell(story, 0, EVENT_CONNECTED, OUTCOME_OK);
}

static void app_leaves(struct story *story, mono_ms now, bool can_drain)
{
    struct event_in event = {.kind = EVENT_APP_GONE,
                             .outcome = OUTCOME_APP_GONE,
                             .now = now,
                             .should_retry = -1,
                             .hint_ms = HINT_NONE,
                             .can_drain = can_drain};

    dispatch_step(&story->dispatch, &event, &story->actions);
}

/* To the middle of its stream, and then without its app. */
static void to_draining(struct story *story)
{
    begin(story, true);
    tell(story, 0, EVENT_WRITTEN, OUTCOME_OK);
    tell(story, 100, EVENT_HEAD, OUTCOME_OK);
    tell(story, 200, EVENT_CONTENT, OUTCOME_OK);
    app_leaves(story, 300, true);
    EXPECT(story, ACTION_DRAIN);
}

static void drain__reads_on_to_the_end_of_the_answer(void **state)
{
    static const enum event_kind ends[] = {EVENT_TERMINAL, EVENT_ENDED};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct story story;

        to_draining(&story);
        tell(&story, 5000, EVENT_CONTENT, OUTCOME_OK);
        assert_int_equal(story.actions.count, 0);
        tell(&story, 6000, ends[i], OUTCOME_OK);
        EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
        assert_int_equal(story.actions.list[1].outcome, OUTCOME_APP_GONE);
        end(&story);
    }
}

static void drain__has_an_end_of_its_own(void **state)
{
    struct story story;

    (void)state;
    to_draining(&story);
    assert_int_equal(story.actions.wake_at, 90300); /* idle */
    dispatch_saw_bytes(&story.dispatch, 1, 80000, true);
    tell(&story, 90300, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    assert_int_equal(story.actions.wake_at, 120300); /* the drain */
    tell(&story, 120300, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
    to_draining(&story);
    tell(&story, 400, EVENT_SHUTDOWN, OUTCOME_SHUTDOWN);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
}

static void drain__is_for_what_was_sent_to_those_who_bill_it_and_where_there_is_room(void **state)
{
    struct story story;

    (void)state;
    begin(&story, true); /* not sent yet */
    app_leaves(&story, 10, true);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
    begin(&story, false); /* a provider that stops when it is closed */
    tell(&story, 0, EVENT_WRITTEN, OUTCOME_OK);
    app_leaves(&story, 10, true);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
    begin(&story, true); /* no room */
    tell(&story, 0, EVENT_WRITTEN, OUTCOME_OK);
    app_leaves(&story, 10, false);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    end(&story);
    begin(&story, true); /* whose answer has not begun */
    tell(&story, 0, EVENT_WRITTEN, OUTCOME_OK);
    app_leaves(&story, 10, true);
    EXPECT(&story, ACTION_DRAIN);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_READY, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    tell(&story, 40, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[1].outcome, OUTCOME_APP_GONE);
    end(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drain__reads_on_to_the_end_of_the_answer),
        cmocka_unit_test(drain__has_an_end_of_its_own),
        cmocka_unit_test(
            drain__is_for_what_was_sent_to_those_who_bill_it_and_where_there_is_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
