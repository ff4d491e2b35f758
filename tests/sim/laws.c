/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/laws.h"

#include "base/mem.h"
#include "wire/hint.h"

enum { ATTEMPT_MIN_MS = 2000 };

void laws_break(struct laws *laws, const struct sight *sight, mono_ms now, const char *words)
{
    if (laws->broken == NULL) {
        laws->broken = words;
        laws->broken_at = now;
        laws->broken_call = sight == NULL ? 0 : sight->serial;
    }
}

/* ---- the world's scopes, by what the settings say ---- */

static bool is_same_deployment(const struct target *a, const struct target *b)
{
    return a->provider == b->provider && span_equal(a->model, b->model);
}

static void place_scopes(struct laws *laws)
{
    const struct route *route = &laws->house->route;

    for (uint16_t i = 0; i < route->targets_count; i++) {
        const struct target *target = &route->targets[i];

        laws->of[i] = (struct place_facts){.endpoint = target->provider->endpoint.index,
                                           .credential = target->provider->credential_index,
                                           .deployment = i};
        for (uint16_t k = 0; k < i; k++) {
            if (is_same_deployment(target, &route->targets[k])) {
                laws->of[i].deployment = laws->of[k].deployment;
                break;
            }
        }
    }
}

void laws_init(struct laws *laws, const struct house *house)
{
    *laws = (struct laws){.house = house};
    place_scopes(laws);
    for (size_t i = 0; i < house->route.targets_count; i++) {
        struct door *endpoint = &laws->endpoints[house->providers[i].endpoint.index];

        door_init(&laws->deployments[laws->of[i].deployment],
                  &house->route.targets[i].provider->breaker);
        if (endpoint->rule.window_ms == 0) {
            door_init(endpoint, &house->providers[i].breaker); /* the first one's figures */
        }
    }
}

void laws_fini(struct laws *laws)
{
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        door_fini(&laws->endpoints[i]);
        door_fini(&laws->deployments[i]);
        mem_give(laws->calls[i].list, laws->calls[i].room * sizeof(mono_ms));
        mem_give(laws->retries[i].list, laws->retries[i].room * sizeof(mono_ms));
    }
    *laws = (struct laws){.house = NULL};
}

/* ---- beginnings ---- */

static bool is_listed(const struct sight *sight, uint8_t place)
{
    for (uint8_t i = 0; i < sight->count; i++) {
        if (sight->order[i] == place) {
            return true;
        }
    }
    return false;
}

void laws_call(struct laws *laws, struct sight *sight, const struct ask *ask,
               const struct plan *plan, mono_ms now)
{
    const struct route *route = &laws->house->route;
    uint64_t total = ask->is_stream ? route->timeouts.stream_total_ms : route->timeouts.total_ms;

    total = ask->deadline_ms != 0 && ask->deadline_ms < total ? ask->deadline_ms : total;
    sight->deadline = now + total;
    sight->end =
        ask->patience_ms == 0 ? sight->deadline : mono_min(sight->deadline, now + ask->patience_ms);
    if (plan->count > route->targets_count) {
        laws_break(laws, sight, now, "a plan of more targets than there are");
        return;
    }
    for (uint8_t i = 0; i < plan->count; i++) {
        if (plan->order[i] >= route->targets_count || is_listed(sight, plan->order[i])) {
            laws_break(laws, sight, now, "a plan that names a target twice, or one too many");
            return;
        }
        sight->order[sight->count++] = plan->order[i];
    }
    for (uint8_t i = 0; i < route->targets_count; i++) {
        if (route->targets[i].is_enabled && route->targets[i].share_percent >= 100 &&
            !is_listed(sight, i)) {
            laws_break(laws, sight, now, "a plan that leaves a target out");
        }
    }
    laws_places_call(laws, sight, now);
}

/* ---- what goes in ---- */

static enum outcome outcome_from_here(const struct seen_attempt *attempt, enum outcome outcome)
{
    bool is_cut = outcome == OUTCOME_RESET || outcome == OUTCOME_CLOSED;

    return attempt->is_reused && !attempt->has_head && is_cut ? OUTCOME_STALE : outcome;
}

static void attempt_told(struct sight *sight, struct seen_attempt *attempt,
                         const struct event_in *event)
{
    attempt->is_told = true;
    attempt->outcome =
        sight->is_draining ? OUTCOME_APP_GONE : outcome_from_here(attempt, event->outcome);
    attempt->hint_ms = event->hint_ms;
    attempt->should_retry = event->should_retry;
    attempt->ended_at = event->now;
}

/* Its app leaves: what was sent whole to somebody who bills anyhow is not thrown away. */
static bool wants_drain(const struct laws *laws, const struct sight *sight)
{
    for (uint8_t i = 1; i <= sight->numbers; i++) {
        const struct seen_attempt *attempt = &sight->attempts[i];

        if (attempt->is_running && attempt->is_written && !attempt->is_told &&
            laws->house->route.targets[attempt->place].provider->drains) {
            return true;
        }
    }
    return false;
}

void laws_event(struct laws *laws, struct sight *sight, const struct event_in *event)
{
    struct seen_attempt *attempt = sight_attempt(sight, event->attempt);

    switch (event->kind) {
    case EVENT_START:
    case EVENT_READY: return;
    case EVENT_WAKE: laws_doors_wake(laws, sight, event->now); return;
    case EVENT_HELD:
    case EVENT_DENIED:
        attempt->is_answered = true;
        attempt->is_granted = event->kind == EVENT_HELD;
        if (event->kind == EVENT_DENIED && event->outcome == OUTCOME_UNTRANSLATABLE) {
            sight->untold[attempt->place] = true;
        }
        return;
    case EVENT_CONNECTED: attempt->is_reused = event->is_reused; return;
    case EVENT_WRITTEN:
        attempt->is_written = true;
        attempt->written_at = event->now;
        return;
    case EVENT_HEAD:
        attempt->has_head = true;
        if (!sight->ask.is_stream) {
            laws_doors_heard(laws, attempt, event->now);
        }
        return;
    case EVENT_CONTENT:
        attempt->has_content = true;
        attempt->content_at = event->now;
        laws_doors_content(laws, sight, attempt, event->now);
        return;
    case EVENT_TERMINAL:
        attempt->is_told = true;
        attempt->outcome = sight->is_draining ? OUTCOME_APP_GONE : OUTCOME_OK;
        attempt->ended_at = event->now;
        return;
    case EVENT_ENDED: attempt_told(sight, attempt, event); return;
    case EVENT_APP_GONE:
        sight->ended = ENDED_LEFT;
        sight->outcome = OUTCOME_APP_GONE;
        sight->ended_at = event->now;
        sight->wants_drain = event->can_drain && wants_drain(laws, sight);
        return;
    case EVENT_SHUTDOWN: sight->is_shut_down = true; return;
    }
}

/* ---- what comes out ---- */

/* After a failure: whether this place may be asked next. */
static void follows(struct laws *laws, const struct sight *sight, uint8_t place, mono_ms now)
{
    const struct seen_attempt *last = &sight->attempts[sight->last_number];
    struct meaning meaning = meaning_of(last->outcome);
    const struct route *route = &laws->house->route;
    bool is_same = place == last->place;

    if (sight->last_number == 0 || sight->in_flight > 0) {
        return;
    }
    if (meaning.follow == FOLLOW_NOTHING && !(last->should_retry == 1 && is_same)) {
        laws_break(laws, sight, now, "a call went on after an end that is final");
    }
    if (is_same && last->should_retry == 0) {
        laws_break(laws, sight, now, "asked again although the provider said no");
    }
    if (is_same && last->hint_ms != HINT_NONE && meaning.follow == FOLLOW_ANY &&
        now < mono_add(last->ended_at, (uint64_t)last->hint_ms)) {
        laws_break(laws, sight, now, "asked again before the time that the provider named");
    }
    if (last->is_ambiguous && route->hedge_after_ms == 0 &&
        (route->retry.ambiguous == AMBIGUOUS_NEVER ||
         (route->retry.ambiguous == AMBIGUOUS_ONCE && sight->ambiguous > 1))) {
        laws_break(laws, sight, now, "what may have run was sent again too often");
    }
}

static void on_hold(struct laws *laws, struct sight *sight, const struct action *action,
                    mono_ms now)
{
    struct seen_attempt *attempt = sight_attempt(sight, action->attempt);

    if (sight->has_committed || sight->ended != ENDED_NOT) {
        laws_break(laws, sight, now, "money asked for after the commit or the end");
    }
    if (action->attempt != sight->numbers + 1 || action->attempt >= SIGHT_ATTEMPTS_MAX) {
        laws_break(laws, sight, now, "money asked for out of turn, or without end");
        return;
    }
    if (!is_listed(sight, action->place)) {
        laws_break(laws, sight, now, "money asked for a target that is not in the plan");
        return;
    }
    if (sight->in_flight > (laws->house->route.hedge_after_ms != 0 ? 1 : 0)) {
        laws_break(laws, sight, now, "money asked for while an attempt runs");
    }
    if (sight->untold[action->place]) {
        laws_break(laws, sight, now, "one turned to again that cannot be told what is asked");
    }
    sight->numbers++;
    *attempt = (struct seen_attempt){.place = action->place,
                                     .is_asked = true,
                                     .asked_at = now,
                                     .hint_ms = HINT_NONE,
                                     .should_retry = -1};
}

static void attempt_limits(struct laws *laws, struct sight *sight, uint8_t place, mono_ms now)
{
    const struct route *route = &laws->house->route;
    uint32_t limit = sight->ask.no_failover ? 1 : route->retry.attempts;

    if (sight->started > limit) {
        laws_break(laws, sight, now, "more attempts than the route allows");
    }
    if (sight->tries[place] > route->retry.attempts_per_target) {
        laws_break(laws, sight, now, "more attempts at one target than the route allows");
    }
    if (sight->in_flight > (route->hedge_after_ms != 0 ? 2 : 1)) {
        laws_break(laws, sight, now, "more attempts at once than allowed");
    }
    if (now >= sight->end) {
        laws_break(laws, sight, now, "an attempt after the deadline");
    }
    if (sight->started > 1 && mono_until(now, sight->end) < ATTEMPT_MIN_MS) {
        laws_break(laws, sight, now, "one more attempt with less than 2 s left");
    }
    for (uint8_t i = 1; i < sight->numbers && sight->ask.runs_once; i++) {
        if (sight->attempts[i].is_written) {
            laws_break(laws, sight, now, "what must not run twice was sent again");
        }
    }
    if (sight->spent[place]) {
        laws_break(laws, sight, now, "a target asked again that was not to be");
    }
}

static void on_attempt(struct laws *laws, struct sight *sight, const struct action *action,
                       mono_ms now)
{
    struct seen_attempt *attempt = sight_attempt(sight, action->attempt);

    if (sight->has_committed || sight->ended != ENDED_NOT) {
        laws_break(laws, sight, now, "an attempt after the commit or the end");
    }
    if (!attempt->is_granted || attempt->is_given_back || attempt->is_started ||
        attempt->place != action->place) {
        laws_break(laws, sight, now, "an attempt without money of its own");
        return;
    }
    follows(laws, sight, action->place, now);
    attempt->is_started = true;
    attempt->is_running = true;
    attempt->is_retry = sight->started > 0;
    attempt->started_at = now;
    sight->started++;
    sight->in_flight++;
    sight->tries[action->place]++;
    attempt_limits(laws, sight, action->place, now);
    laws_doors_enter(laws, sight, attempt, now);
    laws_places_start(laws, sight, attempt, now);
}

static void on_abandon(struct laws *laws, struct sight *sight, const struct action *action,
                       mono_ms now)
{
    struct seen_attempt *attempt = sight_attempt(sight, action->attempt);

    if (!attempt->is_running) {
        laws_break(laws, sight, now, "an attempt given up that does not run");
        return;
    }
    if (!attempt->is_told) {
        bool is_gate = action->outcome == OUTCOME_HEAD_TIMEOUT ||
                       action->outcome == OUTCOME_FIRST_CONTENT_TIMEOUT;

        if (is_gate && (sight->has_committed || !attempt->is_written || attempt->has_content)) {
            laws_break(laws, sight, now, "given up for want of what had come");
        }
        attempt->outcome = action->outcome;
        attempt->ended_at = now;
        attempt->is_told = true;
    }
}

/* Whom the call may not ask any more. */
static void spend(const struct laws *laws, struct sight *sight, const struct seen_attempt *attempt)
{
    const struct target *targets = laws->house->route.targets;
    enum follow follow = meaning_of(attempt->outcome).follow;
    uint64_t context = targets[attempt->place].context;

    if (follow == FOLLOW_OTHER) {
        sight->spent[attempt->place] = 1;
    }
    for (uint8_t i = 0; i < sight->count; i++) {
        uint8_t other = sight->order[i];

        if ((follow == FOLLOW_LARGER && targets[other].context <= (context == 0 ? 1 : context)) ||
            (follow == FOLLOW_NOTHING && other != attempt->place)) {
            sight->spent[other] = 1;
        }
    }
}

static enum attempt_phase phase_of(const struct seen_attempt *attempt)
{
    return attempt->has_head && attempt->has_content ? ATTEMPT_CONTENT
           : attempt->has_head                       ? ATTEMPT_HEADED
           : attempt->is_written                     ? ATTEMPT_SENT
                                                     : ATTEMPT_UNSENT;
}

static void on_settle(struct laws *laws, struct sight *sight, const struct event_in *event,
                      const struct action *action)
{
    struct seen_attempt *attempt = sight_attempt(sight, action->attempt);

    if (!attempt->is_running || attempt->is_given_back) {
        laws_break(laws, sight, event->now, "money settled that was not held, or twice");
        return;
    }
    if (!attempt->is_told) {
        laws_break(laws, sight, event->now, "money settled while the attempt runs");
        return;
    }
    if (attempt->outcome != action->outcome) {
        laws_break(laws, sight, event->now, "an attempt settled as something that it was not");
    }
    if (action->phase != phase_of(attempt)) {
        laws_break(laws, sight, event->now, "an attempt settled as further than it came, or less");
    }
    attempt->is_given_back = true;
    attempt->is_running = false;
    attempt->is_ambiguous = attempt->is_written && !attempt->has_head &&
                            attempt->outcome != OUTCOME_APP_GONE &&
                            attempt->outcome != OUTCOME_SHUTDOWN;
    sight->ambiguous = (uint8_t)(sight->ambiguous + (attempt->is_ambiguous ? 1 : 0));
    sight->in_flight--;
    if (attempt->outcome != OUTCOME_HEDGE_LOST) {
        sight->last_number = action->attempt;
    }
    if (attempt->outcome != OUTCOME_HEDGE_LOST) {
        spend(laws, sight, attempt);
    }
    laws_doors_ended(laws, sight, attempt, event->now);
    laws_places_ended(
        laws, sight, attempt,
        event->kind == EVENT_ENDED && event->attempt == action->attempt ? event->quota_ms : 0,
        event->now);
}

static void on_drain(struct laws *laws, struct sight *sight, const struct action *action,
                     mono_ms now)
{
    const struct seen_attempt *attempt = sight_attempt(sight, action->attempt);

    if (!sight->wants_drain || sight->is_draining || !attempt->is_running ||
        !attempt->is_written ||
        !laws->house->route.targets[attempt->place].provider->drains) {
        laws_break(laws, sight, now, "read on what is not to be");
    }
    sight->is_draining = true;
}

static void on_release(struct laws *laws, struct sight *sight, const struct action *action,
                       mono_ms now)
{
    struct seen_attempt *attempt = sight_attempt(sight, action->attempt);

    if (!attempt->is_granted || attempt->is_started || attempt->is_given_back) {
        laws_break(laws, sight, now, "money released that was not held, or used");
    }
    attempt->is_given_back = true;
}

void laws_action(struct laws *laws, struct sight *sight, const struct event_in *event,
                 const struct action *action)
{
    mono_ms now = event->now;

    if (sight->is_done) {
        laws_break(laws, sight, now, "something came after the close");
    }
    switch (action->kind) {
    case ACTION_HOLD: on_hold(laws, sight, action, now); return;
    case ACTION_RELEASE: on_release(laws, sight, action, now); return;
    case ACTION_ATTEMPT: on_attempt(laws, sight, action, now); return;
    case ACTION_ABANDON: on_abandon(laws, sight, action, now); return;
    case ACTION_DRAIN: on_drain(laws, sight, action, now); return;
    case ACTION_SETTLE: on_settle(laws, sight, event, action); return;
    case ACTION_CLOSE: laws_app_close(laws, sight, now); return;
    case ACTION_COMMIT:
    case ACTION_EARLY_HEAD:
    case ACTION_KEEP_ALIVE:
    case ACTION_FINISH:
    case ACTION_CUT:
    case ACTION_FAIL: laws_app_action(laws, sight, action, now); return;
    }
}

void laws_end(struct laws *laws, struct fleet *fleet, mono_ms now)
{
    for (size_t i = 0; i < fleet_view_count(fleet); i++) {
        struct target_view view;

        fleet_view_at(fleet, i, now, &view);
        if (view.in_flight != 0) {
            laws_break(laws, NULL, now, "an attempt is counted for ever");
        }
        if (view.endpoint.reopen_ms > 300000 || view.deployment.reopen_ms > 300000) {
            laws_break(laws, NULL, now, "a door that stays shut for more than 5 min");
        }
    }
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        if (laws->in_flight[i] != 0 || laws->attempts[i] != 0) {
            laws_break(laws, NULL, now, "an attempt was never settled");
        }
    }
}
