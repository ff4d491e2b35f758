/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/story.h: one call told event by event to the dispatch, in virtual time, and what it wants
 * done. For tests of cmocka: include that first. */
#ifndef TESTS_LIB_STORY_H
#define TESTS_LIB_STORY_H

#include "router/dispatch.h"
#include "tests/lib/house.h"
#include "wire/hint.h"

struct story {
    struct house house;
    struct plan plan;
    struct dispatch dispatch;
    struct actions actions;
};

/* The call begins; the story's house is ready to be opened. */
static inline void story_begin(struct story *story, const struct dispatch_rules *rules)
{
    house_open(&story->house, 1);
    house_plan(&story->house, &story->plan, 0);
    dispatch_init(&story->dispatch, &story->plan, story->house.fleet, rules, 0);
}

/* An event of the latest attempt. */
static inline void tell_hint(struct story *story, mono_ms now, enum event_kind kind,
                             enum outcome outcome, int64_t hint_ms)
{
    struct event_in event = {.kind = kind,
                             .attempt = story->dispatch.numbers,
                             .outcome = outcome,
                             .now = now,
                             .should_retry = -1,
                             .hint_ms = hint_ms};

    dispatch_step(&story->dispatch, &event, &story->actions);
}

static inline void tell(struct story *story, mono_ms now, enum event_kind kind,
                        enum outcome outcome)
{
    tell_hint(story, now, kind, outcome, HINT_NONE);
}

static inline void expect(const struct actions *actions, size_t count,
                          const enum action_kind *kinds)
{
    assert_int_equal(actions->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(actions->list[i].kind, kinds[i]);
    }
}

/* Of anything that has `actions`. */
#define EXPECT(story, ...)                                                                         \
    expect(&(story)->actions, sizeof((enum action_kind[]){__VA_ARGS__}) / sizeof(enum action_kind),            \
           (enum action_kind[]){__VA_ARGS__})

static inline void end(struct story *story)
{
    house_close(&story->house);
}

#endif
