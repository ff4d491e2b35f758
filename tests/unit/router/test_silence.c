/* SPDX-License-Identifier: Apache-2.0 */
/* A target that falls silent: when many wait and nothing is heard of it any more, its breaker opens
 * long before anybody's time is up, and who waits goes elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/story.h"

enum { KNOWN = 20, CROWD = 10, OVERDUE_MS = 10000 };

/* A crowd of calls to the first of some targets that was quick so far. */
struct crowd {
    struct house house;
    struct plan plans[CROWD];
    struct dispatch dispatches[CROWD];
    struct actions actions;
};

static void step(struct crowd *crowd, size_t i, enum event_kind kind, mono_ms now)
{
    struct event_in event = {.kind = kind,
                             .attempt = crowd->dispatches[i].numbers,
                             .outcome = OUTCOME_OK,
                             .now = now,
                             .should_retry = -1,
                             .hint_ms = HINT_NONE};

    dispatch_step(&crowd->dispatches[i], &event, &crowd->actions);
}

static void call(struct crowd *crowd, size_t i, const struct dispatch_rules *rules, mono_ms now)
{
    house_plan(&crowd->house, &crowd->plans[i], now);
    dispatch_init(&crowd->dispatches[i], &crowd->plans[i], crowd->house.fleet, rules, now);
    step(crowd, i, EVENT_START, now);
    step(crowd, i, EVENT_HELD, now);
    step(crowd, i, EVENT_WRITTEN, now);
}

static void answer(struct crowd *crowd, const struct dispatch_rules *rules, mono_ms now)
{
    call(crowd, 0, rules, now);
    step(crowd, 0, EVENT_HEAD, now + 100);
    if (rules->is_stream) {
        step(crowd, 0, EVENT_CONTENT, now + 100);
    }
    step(crowd, 0, EVENT_ENDED, now + 200);
    assert_int_equal(crowd->dispatches[0].state, DISPATCH_CLOSED);
}

static const struct dispatch_rules stream = {.is_stream = true};

/* `known` good answers by the first target, then as many calls as there is room for, at 1000. */
static void fill(struct crowd *crowd, size_t known, const struct dispatch_rules *rules)
{
    for (size_t i = 0; i < known; i++) {
        answer(crowd, rules, 0);
    }
    for (size_t i = 0; i < CROWD; i++) {
        call(crowd, i, rules, 1000);
    }
}

static void begin(struct crowd *crowd, size_t targets, size_t known,
                  const struct dispatch_rules *rules)
{
    house_init(&crowd->house, targets);
    house_open(&crowd->house, 1);
    fill(crowd, known, rules);
}

static enum breaker_state door(const struct crowd *crowd)
{
    struct target_view view;
    size_t i = 0;

    do {
        fleet_view_at(crowd->house.fleet, i++, 0, &view);
    } while (!span_equal(view.provider, SPAN_OF("p0")) || view.model.len == 0);
    return view.deployment.state;
}

static void wake(struct crowd *crowd, size_t from, size_t to, mono_ms now)
{
    for (size_t i = from; i < to; i++) {
        step(crowd, i, EVENT_WAKE, now);
    }
}

/* Its door opens, and one that waits there has gone. */
static void fall_silent(struct crowd *crowd)
{
    begin(crowd, 2, KNOWN, &stream);
    wake(crowd, 0, CROWD, 1000 + OVERDUE_MS);
    assert_int_equal(door(crowd), BREAKER_OPEN);
}

/* The first probe after it. */
static mono_ms probe(struct crowd *crowd)
{
    mono_ms now = 1000 + OVERDUE_MS + 6001; /* the first stay is over */

    call(crowd, 0, &stream, now);
    assert_int_equal(door(crowd), BREAKER_HALF_OPEN);
    return now;
}

static void silence__opens_the_breaker_and_moves_who_waits(void **state)
{
    struct crowd crowd;

    (void)state;
    begin(&crowd, 2, KNOWN, &stream);
    assert_int_equal(crowd.actions.wake_at, 1000 + OVERDUE_MS);
    wake(&crowd, 0, CROWD - 1, 1000 + OVERDUE_MS);
    assert_int_equal(crowd.actions.count, 0);
    assert_int_equal(door(&crowd), BREAKER_CLOSED);
    wake(&crowd, CROWD - 1, CROWD, 1000 + OVERDUE_MS);
    assert_int_equal(door(&crowd), BREAKER_OPEN);
    EXPECT(&crowd, ACTION_ABANDON, ACTION_SETTLE, ACTION_HOLD);
    assert_int_equal(crowd.actions.list[0].outcome, OUTCOME_SILENT);
    assert_int_equal(crowd.actions.list[2].place, 1);
    /* Those that counted before it was found look again soon. */
    assert_int_equal(dispatch_switched(&crowd.dispatches[CROWD - 1]), OUTCOME_OK);
    wake(&crowd, 0, 1, 1000 + OVERDUE_MS + 1000);
    EXPECT(&crowd, ACTION_ABANDON, ACTION_SETTLE, ACTION_HOLD);
    house_close(&crowd.house);
}

static void silence__shuts_no_door_that_nobody_can_go_around(void **state)
{
    struct crowd crowd;

    (void)state;
    begin(&crowd, 1, KNOWN, &stream);
    wake(&crowd, 0, CROWD, 1000 + OVERDUE_MS);
    assert_int_equal(crowd.actions.count, 0);
    assert_int_equal(door(&crowd), BREAKER_CLOSED);
    house_close(&crowd.house);
}

static void silence__is_over_with_the_first_that_is_answered_after_all(void **state)
{
    struct crowd crowd;

    (void)state;
    fall_silent(&crowd);
    step(&crowd, 3, EVENT_CONTENT, 1000 + OVERDUE_MS + 100);
    EXPECT(&crowd, ACTION_COMMIT);
    assert_int_equal(door(&crowd), BREAKER_HALF_OPEN);
    house_close(&crowd.house);
}

static void silence__is_none_while_anything_is_heard(void **state)
{
    struct crowd crowd;

    (void)state;
    begin(&crowd, 2, KNOWN, &stream);
    wake(&crowd, 0, CROWD - 1, 1000 + OVERDUE_MS);
    step(&crowd, CROWD - 1, EVENT_CONTENT, 1000 + OVERDUE_MS);
    step(&crowd, CROWD - 1, EVENT_ENDED, 1000 + OVERDUE_MS);
    call(&crowd, CROWD - 1, &stream, 12000);
    wake(&crowd, 0, CROWD, 12000 + OVERDUE_MS);
    assert_int_equal(door(&crowd), BREAKER_CLOSED);
    house_close(&crowd.house);
}

static void silence__is_not_judged_where_nothing_is_known(void **state)
{
    static const struct dispatch_rules whole = {.is_stream = false};
    struct crowd crowd;

    (void)state;
    begin(&crowd, 2, KNOWN - 1, &stream);
    assert_int_equal(crowd.actions.wake_at, 61000); /* first_content */
    for (size_t i = 0; i < CROWD; i++) {            /* whole answers take their own time */
        step(&crowd, i, EVENT_CONTENT, 1100);
        step(&crowd, i, EVENT_ENDED, 1100);
    }
    call(&crowd, 0, &whole, 2000);
    assert_int_equal(crowd.actions.wake_at, 302000); /* head */
    house_close(&crowd.house);
}

static void silence__is_not_judged_where_the_operator_says_so(void **state)
{
    struct crowd crowd;

    (void)state;
    house_init(&crowd.house, 2);
    crowd.house.providers[0].breaker.silence_ms = 0;
    house_open(&crowd.house, 1);
    fill(&crowd, KNOWN, &stream);
    assert_int_equal(crowd.actions.wake_at, 61000);
    house_close(&crowd.house);
}

static void silence__of_whole_answers_is_told_by_their_heads(void **state)
{
    static const struct dispatch_rules whole = {.is_stream = false};
    struct crowd crowd;

    (void)state;
    begin(&crowd, 2, KNOWN, &whole);
    assert_int_equal(crowd.actions.wake_at, 1000 + OVERDUE_MS);
    wake(&crowd, 0, CROWD - 1, 1000 + OVERDUE_MS);
    step(&crowd, CROWD - 1, EVENT_HEAD, 1000 + OVERDUE_MS);
    wake(&crowd, CROWD - 1, CROWD, 1000 + OVERDUE_MS);
    assert_int_equal(door(&crowd), BREAKER_CLOSED);
    house_close(&crowd.house);
}

/* What must not run twice waits on. */
static void silence__moves_no_request_that_may_not_be_repeated(void **state)
{
    static const struct dispatch_rules once = {.is_stream = true, .runs_once = true};
    struct crowd crowd;

    (void)state;
    begin(&crowd, 2, KNOWN, &once);
    wake(&crowd, 0, CROWD, 1000 + OVERDUE_MS);
    assert_int_equal(door(&crowd), BREAKER_CLOSED);
    assert_int_equal(crowd.actions.count, 0);
    house_close(&crowd.house);
}

/* Whoever opened for silence may be silent for twice as long the next time. */
static void silence__leaves_a_slow_one_more_time_each_time(void **state)
{
    struct crowd crowd;
    mono_ms now = 0;

    (void)state;
    fall_silent(&crowd);
    now = probe(&crowd);
    assert_int_equal(crowd.actions.wake_at, now + 2 * OVERDUE_MS);
    step(&crowd, 0, EVENT_CONTENT, now + 100);
    call(&crowd, 1, &stream, now + 1000);
    step(&crowd, 1, EVENT_CONTENT, now + 1100);
    assert_int_equal(door(&crowd), BREAKER_CLOSED);
    call(&crowd, 2, &stream, now + 40000); /* after its slow start */
    assert_int_equal(crowd.actions.wake_at, now + 40000 + 2 * OVERDUE_MS);
    house_close(&crowd.house);
}

static void silence__holds_no_probe_for_longer_than_it_needs(void **state)
{
    struct crowd crowd;
    mono_ms now = 0;

    (void)state;
    fall_silent(&crowd);
    now = probe(&crowd);
    wake(&crowd, 0, 1, now + 2 * OVERDUE_MS);
    EXPECT(&crowd, ACTION_ABANDON, ACTION_SETTLE, ACTION_HOLD);
    assert_int_equal(crowd.actions.list[0].outcome, OUTCOME_SILENT);
    assert_int_equal(door(&crowd), BREAKER_OPEN);
    house_close(&crowd.house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence__opens_the_breaker_and_moves_who_waits),
        cmocka_unit_test(silence__shuts_no_door_that_nobody_can_go_around),
        cmocka_unit_test(silence__is_over_with_the_first_that_is_answered_after_all),
        cmocka_unit_test(silence__is_none_while_anything_is_heard),
        cmocka_unit_test(silence__is_not_judged_where_nothing_is_known),
        cmocka_unit_test(silence__is_not_judged_where_the_operator_says_so),
        cmocka_unit_test(silence__of_whole_answers_is_told_by_their_heads),
        cmocka_unit_test(silence__moves_no_request_that_may_not_be_repeated),
        cmocka_unit_test(silence__leaves_a_slow_one_more_time_each_time),
        cmocka_unit_test(silence__holds_no_probe_for_longer_than_it_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
