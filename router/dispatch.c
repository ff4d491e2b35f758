/* SPDX-License-Identifier: Apache-2.0 */
/* One function per state. What wakes a call is in dispatch_time.c, who is asked next in
 * dispatch_next.c, how attempts and calls end in dispatch_end.c. */
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

static struct flight *flight_of(struct dispatch *d, uint8_t number)
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
    if (d->plan->rules->resumes && event->can_resume) {
        dispatch_resume(d, event, outcome, actions);
    } else {
        cut(d, event, outcome, actions);
    }
}

static void finish(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    dispatch_act(actions, ACTION_FINISH, d->flights[0].number, OUTCOME_OK);
    dispatch_land(d, &d->flights[0], event, OUTCOME_OK, actions);
    dispatch_close(d, actions, OUTCOME_OK);
}

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

/* ---- states ---- */

static void leave(struct dispatch *d, const struct event_in *event, enum outcome outcome,
                  struct actions *actions)
{
    uint8_t number = d->flights[0].number;

    if (d->terminal_at != MONO_NEVER) { /* the app has all there is: what is left is framing */
        dispatch_act(actions, ACTION_ABANDON, number, OUTCOME_OK);
        if (outcome != OUTCOME_APP_GONE) {
            dispatch_act(actions, ACTION_FINISH, number, OUTCOME_OK);
        }
        dispatch_land(d, &d->flights[0], event, OUTCOME_OK, actions);
        dispatch_close(d, actions, OUTCOME_OK);
        return;
    }
    if (outcome != OUTCOME_APP_GONE) {
        dispatch_act(actions, d->head_is_out ? ACTION_CUT : ACTION_FAIL, number, outcome);
    }
    dispatch_drop_all(d, event, outcome, actions);
    dispatch_close(d, actions, outcome);
}

static bool is_out(struct standing standing)
{
    return standing.what != ELIGIBLE && standing.what != ELIGIBLE_PROBE;
}

static void early_head_if_due(struct dispatch *d, mono_ms now, struct actions *actions)
{
    if (dispatch_may_send_early_head(d) &&
        now >= mono_add(d->begun_at, d->timeouts->early_head_ms)) {
        dispatch_act(actions, ACTION_EARLY_HEAD, d->flights[0].number, OUTCOME_OK);
        d->head_is_out = true;
        d->sent_at = now;
    }
    if (now >= dispatch_keep_alive_at(d)) {
        dispatch_act(actions, ACTION_KEEP_ALIVE, d->flights[0].number, OUTCOME_OK);
        d->sent_at = now;
    }
}

/* Panic passes a shut door, but not the word of a provider. And what a hedge was to do may have
 * become moot by the end of the first attempt. */
static bool is_gone(const struct dispatch *d, mono_ms now)
{
    struct standing standing = plan_standing(d->plan, d->fleet, d->next_place, now);

    return d->plan->tries[d->next_place] == UINT8_MAX ||
           (is_out(standing) && !(d->next_is_panic && standing.what == OUT_OPEN));
}

/* Time went by while money was set aside: it may be too late, the target gone, or a budget used up
 * by others who waited as well. */
static void held(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
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

static void step_holding(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    switch (event->kind) {
    case EVENT_START:
        d->next_place = PLAN_NONE;
        dispatch_go_on(d, event, actions);
        return;
    case EVENT_HELD: held(d, event, actions); return;
    case EVENT_DENIED: dispatch_give_up(d, actions, 0, OUTCOME_LOCAL, 0); return;
    case EVENT_APP_GONE: leave(d, event, OUTCOME_APP_GONE, actions); return;
    case EVENT_SHUTDOWN: leave(d, event, OUTCOME_SHUTDOWN, actions); return;
    case EVENT_WAKE:
        if (event->now >= dispatch_end(d)) {
            dispatch_give_up(d, actions, 0, OUTCOME_DEADLINE, 0);
            return;
        }
        early_head_if_due(d, event->now, actions);
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
        early_head_if_due(d, event->now, actions);
        if (event->now >= d->resume_at) {
            dispatch_go_on(d, event, actions);
        }
        return;
    case EVENT_APP_GONE: leave(d, event, OUTCOME_APP_GONE, actions); return;
    case EVENT_SHUTDOWN: leave(d, event, OUTCOME_SHUTDOWN, actions); return;
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

/* resilience.md, 11: one more, elsewhere, when the first content is late. */
static void hedge_if_due(struct dispatch *d, mono_ms now, struct actions *actions)
{
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
    if (place == PLAN_NONE || d->attempts >= dispatch_attempts_allowed(d) ||
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
        leave(d, event, dispatch_deadline_outcome(d), actions);
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
    early_head_if_due(d, event->now, actions);
    hedge_if_due(d, event->now, actions);
}

static void saw_content(struct dispatch *d, struct flight *f, const struct event_in *event,
                        struct actions *actions)
{
    const struct commit_rule *rule = &d->plan->rules->commit;
    uint32_t ttfc = (uint32_t)mono_until(f->is_written ? f->written_at : f->started_at, event->now);
    uint32_t slow = d->plan->rules->slow_ms;

    if (!f->has_content) {
        f->has_content = true;
        f->content_at = event->now;
        f->overdue_at = MONO_NEVER;
        fleet_content(d->fleet, &f->entry, ttfc, slow != 0 && ttfc > slow, event->now);
    }
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

static void saw_head(struct dispatch *d, struct flight *f, const struct event_in *event)
{
    mono_ms since = f->is_written ? f->written_at : f->started_at;

    f->has_head = true;
    f->bytes_at = event->now;
    if (!d->is_stream) { /* of a stream its first content counts */
        f->overdue_at = MONO_NEVER;
        fleet_head(d->fleet, &f->entry, (uint32_t)mono_until(since, event->now), event->now);
    }
}

/* A hedge's hold is answered beside a flight. */
static void hedge_held(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    struct flight *free_one = d->flights[0].number == 0 ? &d->flights[0] : &d->flights[1];

    must(d->is_hedging && free_one->number == 0);
    d->is_hedging = false;
    if (event->kind == EVENT_DENIED) {
        return;
    }
    if (is_out(plan_standing(d->plan, d->fleet, d->next_place, event->now)) ||
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
    case EVENT_HEAD: saw_head(d, f, event); return;
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
        finish(d, event, actions);
        return;
    case EVENT_START:
    case EVENT_HELD:
    case EVENT_DENIED:
    case EVENT_WAKE:
    case EVENT_APP_GONE:
    case EVENT_SHUTDOWN: UNREACHABLE();
    }
}

static void step_trying(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    struct flight *f = NULL;

    switch (event->kind) {
    case EVENT_WAKE: wake_trying(d, event, actions); return;
    case EVENT_APP_GONE: leave(d, event, OUTCOME_APP_GONE, actions); return;
    case EVENT_SHUTDOWN: leave(d, event, OUTCOME_SHUTDOWN, actions); return;
    case EVENT_HELD:
    case EVENT_DENIED: hedge_held(d, event, actions); return;
    case EVENT_CONNECTED:
    case EVENT_WRITTEN:
    case EVENT_HEAD:
    case EVENT_CONTENT:
    case EVENT_READY:
    case EVENT_TERMINAL:
    case EVENT_ENDED:
        f = flight_of(d, event->attempt);
        if (f != NULL) {
            step_flight(d, f, event, actions);
        }
        return;
    case EVENT_START: UNREACHABLE();
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
        finish(d, event, actions);
        return;
    }
    if (outcome != OUTCOME_OK) {
        dispatch_act(actions, ACTION_ABANDON, d->flights[0].number, outcome);
        broke_off(d, event, outcome, actions);
        return;
    }
    early_head_if_due(d, event->now, actions);
}

static void step_streaming(struct dispatch *d, const struct event_in *event,
                           struct actions *actions)
{
    if (event->kind == EVENT_WAKE) {
        wake_streaming(d, event, actions);
        return;
    }
    if (event->kind == EVENT_APP_GONE || event->kind == EVENT_SHUTDOWN) {
        leave(d, event, event->kind == EVENT_APP_GONE ? OUTCOME_APP_GONE : OUTCOME_SHUTDOWN,
              actions);
        return;
    }
    if (flight_of(d, event->attempt) == NULL) {
        return; /* of a hedge that lost */
    }
    switch (event->kind) {
    case EVENT_TERMINAL: d->terminal_at = event->now; return;
    case EVENT_ENDED:
        if (event->outcome == OUTCOME_OK) {
            finish(d, event, actions);
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
    case DISPATCH_TRYING: step_trying(dispatch, event, actions); break;
    case DISPATCH_PAUSING: step_pausing(dispatch, event, actions); break;
    case DISPATCH_STREAMING: step_streaming(dispatch, event, actions); break;
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
    struct flight *f = flight_of(dispatch, attempt);

    if (f != NULL) {
        fleet_reported(dispatch->fleet, &f->entry, reported, now);
    }
}
