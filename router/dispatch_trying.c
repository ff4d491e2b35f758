/* SPDX-License-Identifier: Apache-2.0 */
/* While a provider is waited for, and nothing of its answer has gone out: times that are up,
 * hedges, silence, and the events of flights up to the commit. */
#include "router/dispatch_parts.h"

#include "base/must.h"
#include "wire/hint.h"

static void commit(struct dispatch *d, struct flight *f, const struct event_in *event,
                   struct actions *actions)
{
    struct flight *other = dispatch_other_flight(d, f);

    if (other != NULL) {
        dispatch_drop(d, other, event, OUTCOME_HEDGE_LOST, actions);
    }
    if (f != &d->flights[0]) {
        d->flights[0] = *f;
        f->number = 0;
        f = &d->flights[0];
    }
    dispatch_act(actions, ACTION_COMMIT, f->number, OUTCOME_OK);
    plan_served(d->plan, d->fleet, f->place, event->now);
    d->state = DISPATCH_STREAMING;
    d->is_committed = true;
    d->is_hedging = false; /* its money comes back when it is answered */
    d->head_is_out = true;
    f->content_at = event->now;
    d->sent_at = event->now;
}

/* resilience.md, 11: one more, elsewhere, when the first content is late. */
static void hedge_if_due(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    mono_ms now = event->now;
    struct plan_wish wish = {.tries_max = 1,
                             .but = d->flights[0].place,
                             .other_credential_than = d->flights[0].place,
                             .is_certain = true};
    uint8_t place = PLAN_NONE;

    if (now < dispatch_hedge_at(d)) {
        return;
    }
    d->has_hedged = true; /* asked once, whatever comes of it */
    place = plan_pick(d->plan, d->fleet, &wish, now);
    if (place == PLAN_NONE || event->is_money_out || d->attempts >= dispatch_attempts_allowed(d) ||
        dispatch_storm_at(d, place, now) != STORM_ALLOWS ||
        !fleet_may_hedge(d->fleet, d->plan->rules, now)) {
        return;
    }
    d->is_hedging = true;
    dispatch_hold(d, place, actions);
}

enum { OVERDUE_AGAIN_MS = 1000 }; /* how often it is looked whether there is an elsewhere by now */

/* Its silence, and that of many others, is a sign, and whoever waits where nothing is heard any
 * more goes elsewhere. Without an elsewhere it waits on, up to its own limit, and is no sign
 * either: a shut door would help nobody. */
static bool leaves_silence(struct dispatch *d, struct flight *f, const struct event_in *event,
                           struct actions *actions)
{
    bool can_leave = false;

    if (event->now < f->overdue_at) {
        return false;
    }
    f->overdue_at = mono_add(event->now, OVERDUE_AGAIN_MS);
    can_leave = !d->is_hedging && dispatch_other_flight(d, f) == NULL &&
                dispatch_could_leave(d, f, event, OUTCOME_SILENT);
    if (!fleet_overdue(d->fleet, &f->entry, can_leave, event->now)) {
        return false;
    }
    dispatch_act(actions, ACTION_ABANDON, f->number, OUTCOME_SILENT);
    dispatch_failed(d, f, event, OUTCOME_SILENT, actions);
    return true;
}

static void wake_trying(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    if (event->now >= dispatch_end(d)) {
        dispatch_leave(d, event, dispatch_deadline_outcome(d), actions);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(d->flights); i++) {
        struct flight *f = &d->flights[i];
        enum outcome outcome = f->number == 0 ? OUTCOME_OK : dispatch_time_is_up(d, f, event->now);

        if (outcome != OUTCOME_OK) {
            dispatch_act(actions, ACTION_ABANDON, f->number, outcome);
            dispatch_failed(d, f, event, outcome, actions);
            return; /* what else is due wakes again at once */
        }
        if (f->number != 0 && leaves_silence(d, f, event, actions)) {
            return;
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(d->flights); i++) {
        if (d->flights[i].number != 0 && event->now >= d->flights[i].commit_at) {
            commit(d, &d->flights[i], event, actions);
            return;
        }
    }
    dispatch_early_head(d, event->now, actions);
    hedge_if_due(d, event, actions);
}

void dispatch_heard_content(struct dispatch *d, struct flight *f, mono_ms now)
{
    uint32_t ttfc = (uint32_t)mono_until(f->is_written ? f->written_at : f->started_at, now);
    uint32_t slow = d->plan->rules->slow_ms;

    if (!f->has_content) {
        f->has_content = true;
        f->content_at = now;
        f->overdue_at = MONO_NEVER;
        fleet_content(d->fleet, &f->entry, ttfc, slow != 0 && ttfc > slow, now);
    }
}

static void saw_content(struct dispatch *d, struct flight *f, const struct event_in *event,
                        struct actions *actions)
{
    const struct commit_rule *rule = &d->plan->rules->commit;

    dispatch_heard_content(d, f, event->now);
    /* What is to be held back is out already when an answer is continued. */
    switch (d->is_committed ? COMMIT_FIRST_CONTENT : rule->mode) {
    case COMMIT_FIRST_CONTENT: commit(d, f, event, actions); return;
    case COMMIT_AFTER:
        if (f->commit_at == MONO_NEVER) {
            f->commit_at = mono_add(event->now, rule->value);
        }
        return;
    case COMMIT_TOKENS:
    case COMMIT_COMPLETE: return; /* EVENT_READY or the end */
    }
}

static void saw_written(struct dispatch *d, struct flight *f, const struct event_in *event)
{
    mono_ms overdue_at = fleet_sent(d->fleet, &f->entry, d->is_stream, event->now);

    f->is_written = true;
    f->written_at = event->now;
    if (!f->has_head && !f->has_content) { /* it may answer before it has read all */
        f->overdue_at = overdue_at;
    }
}

void dispatch_heard_head(struct dispatch *d, struct flight *f, mono_ms now)
{
    mono_ms since = f->is_written ? f->written_at : f->started_at;

    f->has_head = true;
    f->bytes_at = now;
    if (!d->is_stream) { /* of a stream its first content counts */
        f->overdue_at = MONO_NEVER;
        fleet_head(d->fleet, &f->entry, (uint32_t)mono_until(since, now), now);
    }
}

/* A hedge's hold is answered beside a flight. */
static void hedge_held(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    struct flight *free_one = d->flights[0].number == 0 ? &d->flights[0] : &d->flights[1];

    must(d->is_hedging && free_one->number == 0);
    d->is_hedging = false;
    if (event->kind == EVENT_DENIED) {
        if (event->outcome == OUTCOME_UNTRANSLATABLE) { /* as will be so later */
            d->plan->tries[d->next_place] = UINT8_MAX;
        }
        return;
    }
    if (dispatch_is_out(plan_standing(d->plan, d->fleet, d->next_place, event->now)) ||
        dispatch_left_ms(d, event->now) < RETRY_ATTEMPT_MIN_MS ||
        dispatch_storm_at(d, d->next_place, event->now) != STORM_ALLOWS) {
        dispatch_act(actions, ACTION_RELEASE, d->numbers, OUTCOME_NO_TARGET);
        return;
    }
    dispatch_begin_flight(d, free_one, event->now, actions);
}

/* A connection that had been idle and died under the request says nothing of the provider. */
static enum outcome seen_from_here(const struct flight *f, enum outcome outcome)
{
    bool is_cut = outcome == OUTCOME_RESET || outcome == OUTCOME_CLOSED;

    return f->is_reused && !f->has_head && is_cut ? OUTCOME_STALE : outcome;
}

static void step_flight(struct dispatch *d, struct flight *f, const struct event_in *event,
                        struct actions *actions)
{
    switch (event->kind) {
    case EVENT_CONNECTED: f->is_reused = event->is_reused; return;
    case EVENT_WRITTEN: saw_written(d, f, event); return;
    case EVENT_HEAD: dispatch_heard_head(d, f, event->now); return;
    case EVENT_CONTENT: saw_content(d, f, event, actions); return;
    case EVENT_READY: commit(d, f, event, actions); return;
    case EVENT_TERMINAL: /* an answer without content is still an answer */
        d->terminal_at = event->now;
        commit(d, f, event, actions);
        return;
    case EVENT_ENDED:
        if (event->outcome != OUTCOME_OK) {
            dispatch_failed(d, f, event, seen_from_here(f, event->outcome), actions);
            return;
        }
        commit(d, f, event, actions);
        dispatch_finish(d, event, actions);
        return;
    case EVENT_START:
    case EVENT_HELD:
    case EVENT_DENIED:
    case EVENT_WAKE:
    case EVENT_APP_GONE:
    case EVENT_SHUTDOWN: UNREACHABLE();
    }
}

void dispatch_step_trying(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    struct flight *f = NULL;

    switch (event->kind) {
    case EVENT_WAKE: wake_trying(d, event, actions); return;
    case EVENT_APP_GONE: dispatch_leave(d, event, OUTCOME_APP_GONE, actions); return;
    case EVENT_SHUTDOWN: dispatch_leave(d, event, OUTCOME_SHUTDOWN, actions); return;
    case EVENT_HELD:
    case EVENT_DENIED: hedge_held(d, event, actions); return;
    case EVENT_CONNECTED:
    case EVENT_WRITTEN:
    case EVENT_HEAD:
    case EVENT_CONTENT:
    case EVENT_READY:
    case EVENT_TERMINAL:
    case EVENT_ENDED:
        f = dispatch_flight_of(d, event->attempt);
        if (f != NULL) {
            step_flight(d, f, event, actions);
        }
        return;
    case EVENT_START: UNREACHABLE();
    }
}
