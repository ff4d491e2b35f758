/* SPDX-License-Identifier: Apache-2.0 */
/* Playing a story that was read (scenario_read.c), and comparing what came of it. */
#include "tests/sim/scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

bool scenario_complain(struct scenario *scenario, const char *what, struct span word)
{
    if (scenario_is_fine(scenario)) {
        snprintf(scenario->complaint, sizeof scenario->complaint, "line %zu: %s '%.*s'",
                 scenario->line, what, (int)word.len, word.at);
    }
    return false;
}

bool scenario_is_fine(const struct scenario *scenario)
{
    return scenario->complaint[0] == '\0';
}

/* ---- playing ---- */

static void keep_result(void *to, const struct sight *sight)
{
    struct scenario *scenario = to;

    for (uint8_t i = 1; i <= sight->numbers && scenario->made_count < MADE_MAX; i++) {
        const struct seen_attempt *attempt = &sight->attempts[i];
        if (attempt->is_started) {
            scenario->made[scenario->made_count++] = (struct made){
                .place = attempt->place, .at = attempt->started_at, .outcome = attempt->outcome};
        }
    }
    scenario->results[scenario->results_count++] = (struct result){
        .group = sight->ask.tag,
        .asked_at = sight->ask.at,
        .ended_at = sight->ended_at,
        .ended = sight->ended,
        .outcome = sight->outcome,
        .attempts = sight->started,
        .committed =
            sight->has_committed ? sight->attempts[sight->committed].place : (uint8_t)PLACE_NONE,
    };
}

static bool is_in_state(const struct target_view *view, enum state_word state)
{
    switch (state) {
    case STATE_OPEN:
        return view->endpoint.state == BREAKER_OPEN || view->deployment.state == BREAKER_OPEN;
    case STATE_CLOSED:
        return view->endpoint.state == BREAKER_CLOSED && view->deployment.state == BREAKER_CLOSED;
    case STATE_COOLING: return view->cooldown.left_ms > 0;
    case STATE_PARKED: return view->credential.left_ms > 0 || view->target.left_ms > 0;
    case STATE_ELIGIBLE: return view->is_eligible;
    }
    UNREACHABLE();
}

/* The view knows targets by provider and model. */
static void look_at(struct scenario *scenario, const struct expect *expect)
{
    struct fleet *fleet = scenario->world.house.fleet;
    const struct target *target = &scenario->world.house.targets[expect->place];

    for (size_t i = 0; i < fleet_view_count(fleet); i++) {
        struct target_view view;

        fleet_view_at(fleet, i, expect->from, &view);
        if (span_equal(view.provider, target->provider->name) &&
            span_equal(view.model, target->model)) {
            if (!is_in_state(&view, expect->state)) {
                scenario->line = expect->line;
                scenario_complain(scenario, "it is not so with", SPAN_OF("the target"));
            }
            return;
        }
    }
    UNREACHABLE();
}

/* In the order of their times, which need not be that of the lines. */
static bool play_states(struct scenario *scenario)
{
    mono_ms after = 0;
    bool is_any = true;

    for (bool is_first = true; is_any; is_first = false) {
        mono_ms next = MONO_NEVER;

        for (size_t i = 0; i < scenario->expects_count; i++) {
            const struct expect *expect = &scenario->expects[i];
            if (expect->kind == EXPECT_STATE && (expect->from > after || is_first)) {
                next = mono_min(next, expect->from);
            }
        }
        is_any = next != MONO_NEVER;
        if (is_any && !world_run(&scenario->world, next)) {
            return false;
        }
        for (size_t i = 0; is_any && i < scenario->expects_count; i++) {
            if (scenario->expects[i].kind == EXPECT_STATE && scenario->expects[i].from == next) {
                look_at(scenario, &scenario->expects[i]);
            }
        }
        after = next;
    }
    return true;
}

static bool is_as_expected(const struct expect *expect, const struct result *result)
{
    return result->ended == expect->ended &&
           (!expect->has_outcome || result->outcome == expect->outcome) &&
           (expect->place == PLACE_NONE || result->committed == expect->place) &&
           result->attempts >= expect->attempts_least &&
           result->attempts <= expect->attempts_most &&
           result->ended_at - result->asked_at <= expect->within_ms;
}

static void tell_result(struct scenario *scenario, const struct result *result)
{
    static const char *const ends[] = {"not at all", "finish", "fail", "cut", "left"};

    snprintf(scenario->complaint, sizeof scenario->complaint,
             "line %zu: the call at %" PRIu64 " ms ended: %s (%s) after %" PRIu64
             " ms, %u attempts, answered by %s",
             scenario->line, result->asked_at, ends[result->ended], outcome_word(result->outcome),
             result->ended_at - result->asked_at, result->attempts,
             result->committed == PLACE_NONE ? "nobody" : scenario->names[result->committed]);
}

static void check_calls(struct scenario *scenario, const struct expect *expect)
{
    const struct result *other = NULL;
    uint64_t all = 0;
    uint64_t good = 0;

    for (size_t i = 0; i < scenario->results_count; i++) {
        const struct result *result = &scenario->results[i];

        if (result->group != expect->group || result->asked_at < expect->from ||
            result->asked_at >= expect->until) {
            continue;
        }
        all++;
        if (is_as_expected(expect, result)) {
            good++;
        } else if (other == NULL) {
            other = result;
        }
    }
    if (all == 0) {
        scenario_complain(scenario, "no such call was made", SPAN_OF(""));
    } else if (good * 100 < all * expect->percent) {
        tell_result(scenario, other);
    }
}

static void check_attempts(struct scenario *scenario, const struct expect *expect)
{
    uint64_t count = 0;

    for (size_t i = 0; i < scenario->made_count; i++) {
        const struct made *made = &scenario->made[i];
        count += made->place == expect->place && made->at >= expect->from &&
                         made->at < expect->until &&
                         (!expect->has_outcome || made->outcome == expect->outcome)
                     ? 1
                     : 0;
    }
    if (count < expect->attempts_least || count > expect->attempts_most) {
        snprintf(scenario->complaint, sizeof scenario->complaint,
                 "line %zu: there were %" PRIu64 " such attempts", scenario->line, count);
    }
}

bool scenario_play(struct scenario *scenario)
{
    struct world *world = &scenario->world;

    world->watch.to = scenario;
    world->watch.on_done = keep_result;
    world_open(world);
    for (size_t i = 0; i < scenario->asks_count; i++) {
        world_ask(world, &scenario->asks[i]);
    }
    if (scenario->shutdown_at != MONO_NEVER) {
        world_shut_down_at(world, scenario->shutdown_at);
    }
    if (!play_states(scenario) || !world_run_out(world)) {
        scenario->line = 0;
        return scenario_complain(scenario, "a law is broken:",
                                 span_make(world_broken(world), strlen(world_broken(world))));
    }
    for (size_t i = 0; i < scenario->expects_count && scenario_is_fine(scenario); i++) {
        scenario->line = scenario->expects[i].line;
        if (scenario->expects[i].kind == EXPECT_CALLS) {
            check_calls(scenario, &scenario->expects[i]);
        } else if (scenario->expects[i].kind == EXPECT_ATTEMPTS) {
            check_attempts(scenario, &scenario->expects[i]);
        }
    }
    return scenario_is_fine(scenario);
}

void scenario_fini(struct scenario *scenario)
{
    world_close(&scenario->world);
    mem_give(scenario->asks, RESULTS_MAX * sizeof *scenario->asks);
    mem_give(scenario->results, RESULTS_MAX * sizeof *scenario->results);
    mem_give(scenario->made, MADE_MAX * sizeof *scenario->made);
}
