/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatch in virtual time: single stories first, then random worlds whose laws are derived from
 * what the actions did, not from the state under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "router/dispatch.h"

static const struct timeouts timeouts = {
    .connect_ms = 5000,
    .write_ms = 30000,
    .head_ms = 300000,
    .first_content_ms = 60000,
    .idle_ms = 90000,
    .content_idle_ms = 300000,
    .total_ms = 600000,
    .stream_total_ms = 3600000,
    .early_head_ms = 120000,
};

struct story {
    struct dispatch dispatch;
    struct actions actions;
};

static void begin(struct story *story, bool is_stream, const struct timeouts *limits)
{
    struct dispatch_rules rules = {.timeouts = limits, .is_stream = is_stream};

    dispatch_init(&story->dispatch, &rules, 0);
}

static void tell(struct story *story, mono_ms now, enum event_kind kind, enum outcome outcome)
{
    struct event_in event = {.kind = kind, .attempt = 1, .outcome = outcome, .now = now};

    dispatch_step(&story->dispatch, &event, &story->actions);
}

static void expect(const struct story *story, size_t count, const enum action_kind *kinds)
{
    assert_int_equal(story->actions.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(story->actions.list[i].kind, kinds[i]);
    }
}

#define EXPECT(story, ...) \
    expect(story, sizeof((enum action_kind[]){__VA_ARGS__}) / sizeof(enum action_kind), \
           (enum action_kind[]){__VA_ARGS__})

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
    to_trying(&story, false, &timeouts);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_ENDED, OUTCOME_OK);
    EXPECT(&story, ACTION_COMMIT, ACTION_FINISH, ACTION_SETTLE, ACTION_CLOSE);
    assert_true(story.actions.wake_at == MONO_NEVER);
}

static void dispatch__commits_a_stream_at_its_first_content(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, &timeouts);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    EXPECT(&story, ACTION_COMMIT);
    tell(&story, 40, EVENT_ENDED, OUTCOME_OK);
    EXPECT(&story, ACTION_FINISH, ACTION_SETTLE, ACTION_CLOSE);
}

static void dispatch__fails_before_and_cuts_after_the_commit(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, &timeouts);
    tell(&story, 20, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_FAIL, ACTION_SETTLE, ACTION_CLOSE);
    to_trying(&story, true, &timeouts);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    tell(&story, 40, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_CUT, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_RESET);
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
    to_trying(&story, false, &timeouts);
    assert_int_equal(sleep_until_action(&story), 10 + 300000);
    EXPECT(&story, ACTION_ABANDON, ACTION_FAIL, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_HEAD_TIMEOUT);
}

static void dispatch__does_not_count_the_wait_for_a_connection_as_the_providers(void **state)
{
    struct story story;

    (void)state;
    begin(&story, false, &timeouts);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 0, EVENT_HELD, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 600000);
    tell(&story, 4000, EVENT_WRITTEN, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 304000);
}

static void dispatch__gives_up_when_a_stream_brings_no_content(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, &timeouts);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    dispatch_saw_bytes(&story.dispatch, 50000, false);
    tell(&story, 59999, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    assert_int_equal(sleep_until_action(&story), 60010);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_FIRST_CONTENT_TIMEOUT);
    EXPECT(&story, ACTION_ABANDON, ACTION_FAIL, ACTION_SETTLE, ACTION_CLOSE);
}

static void dispatch__ends_an_idle_stream_but_not_one_that_pings(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, &timeouts);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    dispatch_saw_bytes(&story.dispatch, 80000, false);
    dispatch_saw_sent(&story.dispatch, 80000);
    tell(&story, 90030, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.count, 0);
    for (mono_ms now = 100000; now < 300000; now += 10000) {
        dispatch_saw_bytes(&story.dispatch, now, false);
        dispatch_saw_sent(&story.dispatch, now);
        tell(&story, now, EVENT_WAKE, OUTCOME_OK);
        assert_int_equal(story.actions.count, 0);
    }
    /* Pings for ever: the content's own limit ends it. */
    tell(&story, 300030, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_CUT, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_IDLE);
}

static void dispatch__does_not_blame_a_provider_that_is_held_back(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, &timeouts);
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
}

static void dispatch__keeps_a_silent_stream_alive(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, &timeouts);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 1000, EVENT_CONTENT, OUTCOME_OK);
    tell(&story, 2000, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 16000);
    tell(&story, 16000, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_KEEP_ALIVE);
    assert_int_equal(story.actions.wake_at, 31000);
}

static void dispatch__sends_an_early_head_and_then_cuts_instead_of_failing(void **state)
{
    struct timeouts slow = timeouts;
    struct story story;

    (void)state;
    slow.first_content_ms = 500000;
    to_trying(&story, true, &slow);
    assert_int_equal(sleep_until_action(&story), 120000);
    EXPECT(&story, ACTION_EARLY_HEAD);
    tell(&story, 121000, EVENT_ENDED, OUTCOME_RESET);
    EXPECT(&story, ACTION_CUT, ACTION_SETTLE, ACTION_CLOSE);
}

static void dispatch__has_no_early_head_when_off_or_not_a_stream(void **state)
{
    struct timeouts off = timeouts;
    struct story story;

    (void)state;
    off.early_head_ms = 0;
    off.first_content_ms = 500000;
    to_trying(&story, true, &off);
    assert_int_equal(sleep_until_action(&story), 500010);
    to_trying(&story, false, &timeouts);
    assert_int_equal(sleep_until_action(&story), 300010);
}

static void dispatch__obeys_the_apps_limits(void **state)
{
    struct dispatch_rules rules = {
        .timeouts = &timeouts, .is_stream = false, .patience_ms = 20000, .deadline_ms = 50000};
    struct story story;

    (void)state;
    dispatch_init(&story.dispatch, &rules, 0);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 0, EVENT_HELD, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 20000);
    tell(&story, 20000, EVENT_WAKE, OUTCOME_OK);
    assert_int_equal(story.actions.list[0].outcome, OUTCOME_DEADLINE);
    rules.patience_ms = 0;
    dispatch_init(&story.dispatch, &rules, 0);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 50000);
}

static void dispatch__does_not_wait_for_a_provider_that_never_ends_its_message(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, &timeouts);
    tell(&story, 20, EVENT_HEAD, OUTCOME_OK);
    tell(&story, 30, EVENT_CONTENT, OUTCOME_OK);
    tell(&story, 40, EVENT_TERMINAL, OUTCOME_OK);
    assert_int_equal(story.actions.wake_at, 290);
    tell(&story, 290, EVENT_WAKE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_FINISH, ACTION_SETTLE, ACTION_CLOSE);
    assert_int_equal(story.actions.list[2].outcome, OUTCOME_OK);
}

static void dispatch__settles_nothing_that_was_not_held(void **state)
{
    struct story story;

    (void)state;
    begin(&story, false, &timeouts);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 1, EVENT_DENIED, OUTCOME_OK);
    EXPECT(&story, ACTION_FAIL, ACTION_CLOSE);
    begin(&story, false, &timeouts);
    tell(&story, 0, EVENT_START, OUTCOME_OK);
    tell(&story, 1, EVENT_APP_GONE, OUTCOME_OK);
    EXPECT(&story, ACTION_CLOSE);
}

static void dispatch__cancels_the_upstream_when_the_app_leaves(void **state)
{
    struct story story;

    (void)state;
    to_trying(&story, true, &timeouts);
    tell(&story, 20, EVENT_APP_GONE, OUTCOME_OK);
    EXPECT(&story, ACTION_ABANDON, ACTION_SETTLE, ACTION_CLOSE);
}

/* ---- random worlds ---- */

/* What an onlooker saw of one call. */
struct seen {
    int holds, granted, attempts, settles, closes;
    int commits, ends, aborts; /* ends: FINISH, CUT or FAIL */
    bool head_out, app_left, upstream_alive;
};

static void look(struct seen *seen, const struct actions *actions)
{
    for (uint8_t i = 0; i < actions->count; i++) {
        assert_int_equal(seen->closes, 0); /* nothing after CLOSE */
        switch (actions->list[i].kind) {
        case ACTION_HOLD:
            seen->holds++;
            assert_int_equal(seen->commits, 0);
            break;
        case ACTION_ATTEMPT:
            seen->attempts++;
            seen->upstream_alive = true;
            assert_true(seen->granted > seen->settles);
            assert_int_equal(seen->commits, 0);
            break;
        case ACTION_ABANDON: seen->upstream_alive = false; break;
        case ACTION_COMMIT:
            seen->commits++;
            seen->head_out = true;
            assert_int_equal(seen->commits, 1);
            break;
        case ACTION_EARLY_HEAD:
            assert_false(seen->head_out);
            seen->head_out = true;
            break;
        case ACTION_KEEP_ALIVE: assert_true(seen->head_out); break;
        case ACTION_FINISH:
            assert_int_equal(seen->commits, 1);
            seen->ends++;
            break;
        case ACTION_CUT:
            assert_true(seen->head_out);
            seen->ends++;
            break;
        case ACTION_FAIL:
            assert_false(seen->head_out);
            seen->ends++;
            break;
        case ACTION_SETTLE: seen->settles++; break;
        case ACTION_CLOSE: seen->closes++; break;
        }
    }
}

static void deliver(struct story *story, struct seen *seen, mono_ms now, enum event_kind kind,
                    enum outcome outcome)
{
    if (kind == EVENT_HELD) {
        seen->granted++;
    }
    if (kind == EVENT_ENDED) {
        seen->upstream_alive = false;
    }
    if (kind == EVENT_APP_GONE) {
        seen->app_left = true;
    }
    tell(story, now, kind, outcome);
    look(seen, &story->actions);
}

/* One call with a random fate; the world keeps the promises of the ports and breaks all others. */
static void live(struct rng *rng)
{
    struct story story;
    struct seen seen = {0};
    mono_ms now = 0;
    bool has_head = false;
    bool is_stream = rng_below(rng, 2) == 1;
    struct dispatch_rules rules = {.timeouts = &timeouts,
                                   .is_stream = is_stream,
                                   .patience_ms = (uint32_t)rng_below(rng, 2) * 30000};

    dispatch_init(&story.dispatch, &rules, now);
    deliver(&story, &seen, now, EVENT_START, OUTCOME_OK);
    for (int i = 0; i < 5000 && seen.closes == 0; i++) {
        uint64_t pick = rng_below(rng, 100);
        mono_ms limit = story.actions.wake_at;

        now += rng_below(rng, 5) == 0 ? rng_below(rng, 100000) : rng_below(rng, 50);
        if (now >= limit) {
            now = limit;
            deliver(&story, &seen, now, EVENT_WAKE, OUTCOME_OK);
        } else if (pick < 2) {
            deliver(&story, &seen, now, EVENT_APP_GONE, OUTCOME_OK);
        } else if (pick < 3) {
            deliver(&story, &seen, now, EVENT_SHUTDOWN, OUTCOME_OK);
        } else if (seen.attempts == 0) {
            deliver(&story, &seen, now, pick < 90 ? EVENT_HELD : EVENT_DENIED, OUTCOME_OK);
        } else if (!seen.upstream_alive) {
            fail_msg("the call is open but nothing runs");
        } else if (pick < 15) {
            deliver(&story, &seen, now, EVENT_WRITTEN, OUTCOME_OK);
        } else if (pick < 30 && !has_head) {
            has_head = true;
            deliver(&story, &seen, now, EVENT_HEAD, OUTCOME_OK);
        } else if (has_head && pick < 50 && is_stream) {
            deliver(&story, &seen, now, EVENT_CONTENT, OUTCOME_OK);
        } else if (has_head && pick < 52 && is_stream) {
            deliver(&story, &seen, now, EVENT_TERMINAL, OUTCOME_OK);
        } else if (has_head && pick < 90) {
            dispatch_saw_bytes(&story.dispatch, now, pick < 70);
        } else if (pick >= 95) {
            deliver(&story, &seen, now, EVENT_ENDED,
                    has_head && pick < 98 ? OUTCOME_OK : OUTCOME_RESET);
        }
        assert_true(now <= 3600000);
    }
    assert_int_equal(seen.closes, 1);
    assert_int_equal(seen.settles, seen.granted);
    assert_true(seen.ends == 1 || (seen.ends == 0 && seen.app_left));
    assert_true(seen.attempts <= 1);
}

static void dispatch__keeps_its_laws_in_random_worlds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct rng rng;
        rng_init(&rng, seed, 7);
        live(&rng);
    }
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
        cmocka_unit_test(dispatch__cancels_the_upstream_when_the_app_leaves),
        cmocka_unit_test(dispatch__keeps_its_laws_in_random_worlds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
