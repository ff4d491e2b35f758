/* SPDX-License-Identifier: Apache-2.0 */
/* The compound faults of the reference (H01 to H05) in virtual time, with the figures that must
 * hold; all laws are watched as well. Each prints what it measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/sim/world.h"
#include "wire/hint.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, SECONDS_MAX = 1200 };

struct figures_seen {
    uint32_t asked; /* calls */
    uint32_t good;  /* of them: answered well */
    uint32_t attempts;
    uint32_t hit_bad; /* attempts while the target was in its bad phase */
    uint32_t by_place[HOUSE_TARGETS_MAX];
    uint32_t at_primary[SECONDS_MAX]; /* attempts by second */
    uint32_t elsewhere[SECONDS_MAX];
    uint32_t failed[SECONDS_MAX];
    uint64_t slowest_ms; /* error, by a call that began after `settled_at` */
    mono_ms settled_at;
    mono_ms heals_at;
    uint32_t trips_max;
    mono_ms opened_for_ms[64]; /* the primary's doors, each time they opened */
    uint32_t opened;
    mono_ms reopens_at; /* when they may be tried after that */
    uint32_t throttled; /* attempts that were one too many */
};

static void see_attempt(void *to, const struct sight *sight, const struct seen_attempt *attempt)
{
    struct figures_seen *seen = to;
    size_t second = attempt->started_at / SECOND;

    (void)sight;
    seen->attempts++;
    seen->by_place[attempt->place]++;
    if (second < SECONDS_MAX) {
        (attempt->place == 0 ? seen->at_primary : seen->elsewhere)[second]++;
    }
}

static void see_done(void *to, const struct sight *sight)
{
    struct figures_seen *seen = to;
    size_t second = sight->ask.at / SECOND;
    uint64_t took = sight->ended_at - sight->ask.at;

    seen->asked++;
    if (sight->ended == ENDED_FINISH) {
        seen->good++;
    } else {
        if (second < SECONDS_MAX) {
            seen->failed[second]++;
        }
        if (sight->ask.at >= seen->settled_at && took > seen->slowest_ms) {
            seen->slowest_ms = took;
        }
    }
    for (uint8_t i = 1; i <= sight->numbers; i++) {
        seen->throttled +=
            sight->attempts[i].is_started && sight->attempts[i].outcome == OUTCOME_THROTTLED ? 1
                                                                                             : 0;
    }
}

static void see_notice(void *to, const struct notice *notice, mono_ms now)
{
    struct figures_seen *seen = to;

    if (notice->kind == NOTICE_BREAKER_OPENED && notice->provider.at[1] == '0' &&
        seen->opened < ARRAY_LENGTH(seen->opened_for_ms)) {
        seen->opened_for_ms[seen->opened++] = notice->ms;
        seen->reopens_at = now + notice->ms;
    }
}

static void begin(struct world *world, struct figures_seen *seen, size_t targets, uint64_t seed)
{
    world_init(world, targets, seed);
    *seen = (struct figures_seen){.settled_at = MONO_NEVER};
    world->watch = (struct watch){
        .to = seen, .on_done = see_done, .on_attempt = see_attempt, .on_notice = see_notice};
}

/* One call each `gap_ms`, from `from` to `until`; every second one a stream. Asked a second ahead,
 * so that few slots are enough. */
static void offer(struct world *world, uint32_t gap_ms, mono_ms from, mono_ms until)
{
    uint32_t number = 0;

    for (mono_ms at = from; at < until;) {
        for (mono_ms stop = at + SECOND; at < stop && at < until; at += gap_ms) {
            struct ask ask = {.at = at, .is_stream = number++ % 2 == 0};
            world_ask(world, &ask);
        }
        if (!world_run(world, at)) {
            fail_msg("%s at %lu", world_broken(world), (unsigned long)world->laws.broken_at);
        }
    }
    if (!world_run_out(world)) {
        fail_msg("%s at %lu", world_broken(world), (unsigned long)world->laws.broken_at);
    }
}

static uint32_t sum(const uint32_t *seconds, size_t from, size_t until)
{
    uint32_t all = 0;

    for (size_t i = from; i < until; i++) {
        all += seconds[i];
    }
    return all;
}

static void say(const char *name, const struct figures_seen *seen)
{
    print_message("%s: %u calls, %.3f %% good, %.4f attempts per call\n", name, seen->asked,
                  100.0 * seen->good / seen->asked, (double)seen->attempts / seen->asked);
}

/* The share of a second's calls that must be there before the primary counts as back: 95 %. */
static size_t back_at(const struct figures_seen *seen, size_t from, uint32_t rate)
{
    for (size_t i = from; i < SECONDS_MAX; i++) {
        if (seen->at_primary[i] * 100 >= rate * 95) {
            return i;
        }
    }
    return SECONDS_MAX;
}

/* The second from which on the primary may be tried for good: it has healed, and its last stay is
 * over. A probe that was still out when it healed may bring on one more. */
static size_t reopens(const struct figures_seen *seen, size_t healed)
{
    size_t at = (size_t)((seen->reopens_at + SECOND - 1) / SECOND);

    return at > healed ? at : healed;
}

static void primary_down(enum outcome outcome, const char *name)
{
    enum { RATE = 200, DOWN = 60, UP = 360, END = 660 };
    static struct world world;
    static struct figures_seen seen;
    struct manner down = manner_of(outcome);
    uint32_t most = 0;
    size_t back = 0;

    down.hangs = outcome == OUTCOME_HEAD_TIMEOUT;
    if (down.hangs) {
        down.stage = STAGE_HEAD;
    }

    begin(&world, &seen, 2, 7);
    script_add(&world.scripts[0], DOWN * SECOND, UP * SECOND, &down);
    world_open(&world);
    offer(&world, SECOND / RATE, 0, END * SECOND);
    say(name, &seen);
    for (size_t i = UP; i < END; i++) {
        most = seen.at_primary[i] > most ? seen.at_primary[i] : most;
    }
    back = back_at(&seen, UP, RATE);
    print_message("  back at the primary %zu s after it healed, which its last stay outlasted by "
                  "%zu s; %u attempts at it while down, at most %u a second after\n",
                  back - UP, reopens(&seen, UP) - UP, sum(seen.at_primary, DOWN, UP), most);
    assert_true((double)seen.good / seen.asked >= 0.999);
    assert_true(seen.attempts * 10 <= seen.asked * 12);
    assert_true(back <= reopens(&seen, UP) + 35);
    assert_true(most <= RATE + RATE / 5 + 10);
    world_close(&world);
}

static void outage__of_the_primary_costs_next_to_nothing(void **state)
{
    (void)state;
    primary_down(OUTCOME_CONNECT, "H01 connect refused");
    primary_down(OUTCOME_OVERLOADED, "H01 overloaded");
    primary_down(OUTCOME_HEAD_TIMEOUT, "H01 silent");
}

static void outage__of_all_targets_fails_fast_and_ends_with_it(void **state)
{
    enum { RATE = 200, DOWN = 60, UP = 360, END = 540 };
    static struct world world;
    static struct figures_seen seen;
    struct manner down = manner_of(OUTCOME_CONNECT);
    size_t back = UP;

    (void)state;
    begin(&world, &seen, 2, 8);
    seen.settled_at = (DOWN + 10) * SECOND;
    script_add(&world.scripts[0], DOWN * SECOND, UP * SECOND, &down);
    script_add(&world.scripts[1], DOWN * SECOND, UP * SECOND, &down);
    world_open(&world);
    offer(&world, SECOND / RATE, 0, END * SECOND);
    say("H02", &seen);
    while (back < END && seen.failed[back] * 100 > RATE * 5) {
        back++;
    }
    print_message("  slowest no after the doors shut %lu ms, well again %zu s after healing, "
                  "attempts while down %u\n",
                  (unsigned long)seen.slowest_ms, back - UP,
                  sum(seen.at_primary, DOWN, UP) + sum(seen.elsewhere, DOWN, UP));
    assert_true(seen.attempts * 10 <= seen.asked * 12);
    assert_true(back - UP <= 35);
    assert_int_equal(sum(seen.failed, back + 1, END), 0);
    assert_true(seen.slowest_ms <= 2 * SECOND + 200);
    world_close(&world);
}

static void outage__that_comes_and_goes_is_met_less_and_less(void **state)
{
    enum { RATE = 50, END = 600 };
    static struct world world;
    static struct figures_seen seen;
    struct manner down = manner_of(OUTCOME_OVERLOADED);
    struct spell *spell = NULL;
    uint32_t bad = 0;

    (void)state;
    begin(&world, &seen, 2, 9);
    spell = script_add(&world.scripts[0], 10 * SECOND, MONO_NEVER, &down);
    spell->period_ms = 20 * SECOND;
    spell->on_ms = 10 * SECOND;
    world_open(&world);
    offer(&world, SECOND / RATE, 0, END * SECOND);
    for (size_t i = 10; i < END; i++) {
        bad += (i - 10) % 20 < 10 ? seen.at_primary[i] : 0;
    }
    say("H03", &seen);
    print_message("  %.2f %% of the calls met the bad phase; stays", 100.0 * bad / seen.asked);
    for (uint32_t i = 0; i < seen.opened; i++) {
        print_message(" %lu", (unsigned long)seen.opened_for_ms[i]);
    }
    print_message(" ms\n");
    assert_true(seen.good * 100 >= seen.asked * 99);
    assert_true(bad * 10 <= seen.asked);
    assert_true(seen.opened_for_ms[seen.opened - 1] > 2 * seen.opened_for_ms[0]);
    world_close(&world);
}

static void outage__in_part_is_mended_by_a_healthy_peer(void **state)
{
    enum { RATE = 50, END = 300 };
    static struct world world;
    static struct figures_seen seen;
    struct manner broken = manner_of(OUTCOME_PROVIDER_ERROR);
    struct manner slow = manner_of(OUTCOME_OK);

    (void)state;
    begin(&world, &seen, 2, 10);
    slow.head_ms *= 10;
    slow.content_ms *= 10;
    slow.gap_ms *= 10;
    script_add(&world.scripts[0], 30 * SECOND, MONO_NEVER, &broken)->percent = 30;
    script_add(&world.scripts[0], 30 * SECOND, MONO_NEVER, &slow)->percent = 43; /* of the rest */
    world_open(&world);
    offer(&world, SECOND / RATE, 0, END * SECOND);
    say("H04", &seen);
    assert_true(seen.good * 1000 >= seen.asked * 995);
    world_close(&world);
}

static void throttled(bool tells_left, const struct strategy *strategy, const char *name)
{
    enum { COUNT = 100, WINDOW = 60, END = 600, RATE = 6 };
    static struct world world;
    static struct figures_seen seen;
    uint32_t limit = 0;

    begin(&world, &seen, 3, 11);
    world.house.route.strategy = strategy;
    for (uint32_t i = 0; i < 3; i++) {
        world.house.providers[i].endpoint.index = 0; /* one provider, three accounts */
        world.scripts[i].quota = (struct quota){.count = COUNT,
                                                .window_ms = WINDOW * SECOND,
                                                .offset_ms = i * 20 * SECOND + 10 * SECOND,
                                                .tells_hint = true,
                                                .tells_left = tells_left};
        limit += COUNT * (END / WINDOW + 1); /* whole windows and two parts of one */
    }
    world_open(&world);
    offer(&world, SECOND / RATE, 0, END * SECOND); /* 20 % more than the limits let through */
    say(name, &seen);
    print_message("  %u good of %u that the limits allow (%.1f %%); %u attempts were throttled\n",
                  seen.good, limit, 100.0 * seen.good / limit, seen.throttled);
    assert_true(seen.good * 100 >= limit * 90); /* and none into a known cooldown: that is a law */
    world_close(&world);
}

static void outage__of_limits_is_walked_around(void **state)
{
    (void)state;
    throttled(false, &strategy_priority, "H05 hints alone");
    throttled(true, &strategy_priority, "H05 with what is left told");
    throttled(false, &strategy_least_busy, "H05 least busy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outage__of_the_primary_costs_next_to_nothing),
        cmocka_unit_test(outage__of_all_targets_fails_fast_and_ends_with_it),
        cmocka_unit_test(outage__that_comes_and_goes_is_met_less_and_less),
        cmocka_unit_test(outage__in_part_is_mended_by_a_healthy_peer),
        cmocka_unit_test(outage__of_limits_is_walked_around),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
