/* SPDX-License-Identifier: Apache-2.0 */
/* One function per state; the longest is in dispatch_trying.c. What wakes a call is in
 * dispatch_time.c, who is asked next in dispatch_next.c, how attempts and calls end in
 * dispatch_end.c, and how one is read on without its app in dispatch_drain.c. */
#include "router/dispatch_parts.h"

#include "base/must.h"
#include "wire/hint.h"

void dispatch_init(struct dispatch *dispatch, struct plan *plan, struct fleet *fleet,
                   const struct dispatch_rules *rules, mono_ms now)
{
    const struct timeouts *timeouts = &plan->rules->timeouts;
    uint32_t total = rules->is_stream ? timeouts->stream_total_ms : timeouts->total_ms;

    if (rules->deadline_ms != 0 && rules->deadline_ms < total) {
        total = rules->deadline_ms;
    }
    *dispatch = (struct dispatch){
        .state = DISPATCH_HOLDING,
        .is_stream = rules->is_stream,
        .plan = plan,
        .fleet = fleet,
        .rules = *rules,
        .deadline = mono_add(now, total),
        .head_deadline = rules->patience_ms == 0 ? MONO_NEVER : mono_add(now, rules->patience_ms),
        .terminal_at = MONO_NEVER,
        .stuck_at = MONO_NEVER,
        .timeouts = timeouts,
        .begun_at = now,
    };
}

struct action *dispatch_act(struct actions *actions, enum action_kind kind, uint8_t attempt,
                            enum outcome outcome)
{
    must(actions->count < ACTIONS_MAX);
    actions->list[actions->count] =
        (struct action){.kind = kind, .attempt = attempt, .outcome = outcome};
    return &actions->list[actions->count++];
}

struct flight *dispatch_flight_of(struct dispatch *d, uint8_t number)
{
    for (size_t i = 0; i < ARRAY_LENGTH(d->flights); i++) {
        if (d->flights[i].number == number && number != 0) {
            return &d->flights[i];
        }
    }
    return NULL;
}

struct flight *dispatch_other_flight(struct dispatch *d, const struct flight *flight)
{
    struct flight *other = flight == &d->flights[0] ? &d->flights[1] : &d->flights[0];

    return other->number != 0 ? other : NULL;
}

/* ---- after the commit ---- */

static void cut(struct dispatch *d, const struct event_in *event, enum outcome outcome,
                struct actions *actions)
{
    uint8_t number = d->flights[0].number;

    dispatch_act(actions, ACTION_CUT, number, outcome);
    dispatch_note(d, number)->why = RETRY_COMMITTED;
    dispatch_land(d, &d->flights[0], event, outcome, actions);
    dispatch_close(d, actions, outcome);
}

static void broke_off(struct dispatch *d, const struct event_in *event, enum outcome outcome,
                      struct actions *actions)
{
    if (d->plan->rules->resumes && event->can_resume && outcome != OUTCOME_BUDGET) {
        dispatch_resume(d, event, outcome, actions);
    } else {
        cut(d, event, outcome, actions);
    }
}

/* ---- states ---- */

/* Panic passes a shut door, but not the word of a provider. And what a hedge was to do may have
 * become moot by the end of the first attempt. */
static bool is_gone(const struct dispatch *d, mono_ms now)
{
    struct standing standing = plan_standing(d->plan, d->fleet, d->next_place, now);

    return d->plan->tries[d->next_place] == UINT8_MAX ||
           (dispatch_is_out(standing) && !(d->next_is_panic && standing.what == OUT_OPEN));
}

/* Time went by while money was set aside: it may be too late, the target gone, or a budget used up
 * by others who waited as well. */
static void held(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    d->denied = OUTCOME_OK;
    if (event->now >= dispatch_end(d)) {
        dispatch_act(actions, ACTION_RELEASE, d->numbers, OUTCOME_DEADLINE);
        dispatch_give_up(d, actions, 0, OUTCOME_DEADLINE, 0);
        return;
    }
    if (is_gone(d, event->now)) {
        dispatch_act(actions, ACTION_RELEASE, d->numbers, OUTCOME_NO_TARGET);
        d->next_place = PLAN_NONE;
        d->next_is_fresh = false;
        d->next_is_panic = false;
        dispatch_go_on(d, event, actions);
        return;
    }
    if (d->attempts > 0 && dispatch_is_too_late(d, event->now, actions)) {
        return;
    }
    d->state = DISPATCH_TRYING;
    dispatch_begin_flight(d, &d->flights[0], event->now, actions);
}

/* What does not fit here may fit where it costs less, or counts on another budget. */
static void denied(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    enum outcome outcome = event->outcome == OUTCOME_OK ? OUTCOME_LOCAL : event->outcome;

    if (!event->may_elsewhere) {
        dispatch_give_up(d, actions, 0, outcome, 0);
        return;
    }
    d->plan->tries[d->next_place] = UINT8_MAX;
    d->next_place = PLAN_NONE;
    d->next_is_fresh = false;
    d->next_is_panic = false;
    if (outcome != OUTCOME_UNTRANSLATABLE || d->denied == OUTCOME_OK) { /* money may be there again */
        d->denied = outcome;
    }
    dispatch_go_on(d, event, actions);
}

static void step_holding(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    switch (event->kind) {
    case EVENT_START:
        d->next_place = PLAN_NONE;
        dispatch_go_on(d, event, actions);
        return;
    case EVENT_HELD: held(d, event, actions); return;
    case EVENT_DENIED: denied(d, event, actions); return;
    case EVENT_APP_GONE: dispatch_leave(d, event, OUTCOME_APP_GONE, actions); return;
    case EVENT_SHUTDOWN: dispatch_leave(d, event, OUTCOME_SHUTDOWN, actions); return;
    case EVENT_WAKE:
        if (event->now >= dispatch_end(d)) {
            dispatch_give_up(d, actions, 0, OUTCOME_DEADLINE, 0);
            return;
        }
        dispatch_early_head(d, event->now, actions);
        return;
    case EVENT_CONNECTED:
    case EVENT_WRITTEN:
    case EVENT_HEAD:
    case EVENT_CONTENT:
    case EVENT_READY:
    case EVENT_TERMINAL:
    case EVENT_ENDED: UNREACHABLE();
    }
}

static void step_pausing(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    switch (event->kind) {
    case EVENT_WAKE:
        if (event->now >= dispatch_end(d)) {
            dispatch_give_up(d, actions, dispatch_latest(d),
                             d->attempts > 0 ? d->last : OUTCOME_DEADLINE, 0);
            return;
        }
        dispatch_early_head(d, event->now, actions);
        if (event->now >= d->resume_at) {
            dispatch_go_on(d, event, actions);
        }
        return;
    case EVENT_APP_GONE: dispatch_leave(d, event, OUTCOME_APP_GONE, actions); return;
    case EVENT_SHUTDOWN: dispatch_leave(d, event, OUTCOME_SHUTDOWN, actions); return;
    case EVENT_START:
    case EVENT_HELD:
    case EVENT_DENIED:
    case EVENT_CONNECTED:
    case EVENT_WRITTEN:
    case EVENT_HEAD:
    case EVENT_CONTENT:
    case EVENT_READY:
    case EVENT_TERMINAL:
    case EVENT_ENDED: UNREACHABLE();
    }
}

static void wake_streaming(struct dispatch *d, const struct event_in *event,
                           struct actions *actions)
{
    enum outcome outcome = dispatch_time_is_up(d, &d->flights[0], event->now);

    if (event->now >= dispatch_end(d)) {
        outcome = dispatch_deadline_outcome(d);
    }
    if (d->terminal_at != MONO_NEVER &&
        (outcome != OUTCOME_OK || event->now >= mono_add(d->terminal_at, TERMINAL_GRACE_MS))) {
        dispatch_act(actions, ACTION_ABANDON, d->flights[0].number, OUTCOME_OK);
        dispatch_finish(d, event, actions);
        return;
    }
    if (outcome != OUTCOME_OK) {
        dispatch_act(actions, ACTION_ABANDON, d->flights[0].number, outcome);
        broke_off(d, event, outcome, actions);
        return;
    }
    dispatch_early_head(d, event->now, actions);
}

static void step_streaming(struct dispatch *d, const struct event_in *event,
                           struct actions *actions)
{
    if (event->kind == EVENT_WAKE) {
        wake_streaming(d, event, actions);
        return;
    }
    if (event->kind == EVENT_APP_GONE || event->kind == EVENT_SHUTDOWN) {
        dispatch_leave(
            d, event, event->kind == EVENT_APP_GONE ? OUTCOME_APP_GONE : OUTCOME_SHUTDOWN, actions);
        return;
    }
    if (dispatch_flight_of(d, event->attempt) == NULL) {
        return; /* of a hedge that lost */
    }
    switch (event->kind) {
    case EVENT_TERMINAL: d->terminal_at = event->now; return;
    case EVENT_ENDED:
        if (event->outcome == OUTCOME_OK) {
            dispatch_finish(d, event, actions);
        } else {
            broke_off(d, event, event->outcome, actions);
        }
        return;
    case EVENT_WRITTEN: /* a provider may answer before it has read all */
        d->flights[0].is_written = true;
        d->flights[0].written_at = event->now;
        return;
    case EVENT_CONTENT:
        if (!d->flights[0].has_content) {
            d->flights[0].has_content = true;
        }
        return;
    case EVENT_CONNECTED:
    case EVENT_HEAD:
    case EVENT_READY: return;
    case EVENT_WAKE:
    case EVENT_APP_GONE:
    case EVENT_SHUTDOWN:
    case EVENT_START:
    case EVENT_HELD:
    case EVENT_DENIED: UNREACHABLE();
    }
}

/* The answer to a hold that nobody waits for any more: a hedge's, when the other attempt has
 * decided the matter meanwhile. */
static bool is_stale_answer(const struct dispatch *d, const struct event_in *event)
{
    bool is_waited_for =
        event->attempt == d->numbers && (d->state == DISPATCH_HOLDING || d->is_hedging);

    return (event->kind == EVENT_HELD || event->kind == EVENT_DENIED) && !is_waited_for;
}

static void give_back(const struct event_in *event, struct actions *actions)
{
    if (event->kind == EVENT_HELD) {
        dispatch_act(actions, ACTION_RELEASE, event->attempt, OUTCOME_HEDGE_LOST);
    }
}

void dispatch_step(struct dispatch *dispatch, const struct event_in *event, struct actions *actions)
{
    actions->count = 0;
    if (dispatch->state != DISPATCH_CLOSED && is_stale_answer(dispatch, event)) {
        give_back(event, actions);
        actions->wake_at = dispatch_wake_at(dispatch);
        return;
    }
    switch (dispatch->state) {
    case DISPATCH_HOLDING: step_holding(dispatch, event, actions); break;
    case DISPATCH_TRYING: dispatch_step_trying(dispatch, event, actions); break;
    case DISPATCH_PAUSING: step_pausing(dispatch, event, actions); break;
    case DISPATCH_STREAMING: step_streaming(dispatch, event, actions); break;
    case DISPATCH_DRAINING: dispatch_step_draining(dispatch, event, actions); break;
    case DISPATCH_CLOSED: UNREACHABLE();
    }
    actions->wake_at = dispatch_wake_at(dispatch);
}

bool dispatch_has_flight(const struct dispatch *dispatch, uint8_t attempt)
{
    return attempt != 0 &&
           (dispatch->flights[0].number == attempt || dispatch->flights[1].number == attempt);
}

void dispatch_saw_bytes(struct dispatch *dispatch, uint8_t attempt, mono_ms now, bool is_content)
{
    struct flight *f = &dispatch->flights[dispatch->flights[0].number == attempt ? 0 : 1];

    f->bytes_at = now;
    if (is_content) {
        f->content_at = now;
    }
}

void dispatch_paused(struct dispatch *dispatch, bool is_paused, mono_ms now)
{
    dispatch->is_paused = is_paused;
    dispatch->flights[0].bytes_at = now;
    dispatch->flights[0].content_at = now;
}

void dispatch_saw_sent(struct dispatch *dispatch, mono_ms now)
{
    dispatch->sent_at = now;
}

void dispatch_reported(struct dispatch *dispatch, uint8_t attempt, const struct reported *reported,
                       mono_ms now)
{
    struct flight *f = dispatch_flight_of(dispatch, attempt);

    if (f != NULL) {
        fleet_reported(dispatch->fleet, &f->entry, reported, now);
    }
}
