/* SPDX-License-Identifier: Apache-2.0 */
/* One function per state. The times that can wake a call are all in wake_of: a new timer is one
 * line there and one in time_is_up. */
#include "router/dispatch.h"

#include "base/must.h"

/* Quiet for so long towards the app, and a comment goes out: intermediaries and Node's fetch give
 * up on silent streams. */
enum { KEEP_ALIVE_MS = 15000 };
/* After the terminal event the provider's framing normally ends at once; one that does not is not
 * waited for any longer than this. */
enum { TERMINAL_GRACE_MS = 250 };

void dispatch_init(struct dispatch *dispatch, const struct dispatch_rules *rules, mono_ms now)
{
    const struct timeouts *timeouts = rules->timeouts;
    uint32_t total = rules->is_stream ? timeouts->stream_total_ms : timeouts->total_ms;

    if (rules->deadline_ms != 0 && rules->deadline_ms < total) {
        total = rules->deadline_ms;
    }
    *dispatch = (struct dispatch){
        .state = DISPATCH_HOLDING,
        .is_stream = rules->is_stream,
        .deadline = mono_add(now, total),
        .head_deadline = rules->patience_ms == 0 ? MONO_NEVER : mono_add(now, rules->patience_ms),
        .terminal_at = MONO_NEVER,
        .timeouts = timeouts,
        .begun_at = now,
    };
}

static void act(struct actions *actions, enum action_kind kind, uint8_t attempt,
                enum outcome outcome)
{
    must(actions->count < ACTIONS_MAX);
    actions->list[actions->count++] =
        (struct action){.kind = kind, .attempt = attempt, .outcome = outcome};
}

/* ---- time ---- */

static bool may_send_early_head(const struct dispatch *d)
{
    return d->is_stream && !d->head_is_out && d->timeouts->early_head_ms != 0;
}

static mono_ms gate_deadline(const struct dispatch *d)
{
    if (!d->is_written) {
        return MONO_NEVER;
    }
    if (d->is_stream) {
        return mono_add(d->written_at, d->timeouts->first_content_ms);
    }
    return d->has_head ? MONO_NEVER : mono_add(d->written_at, d->timeouts->head_ms);
}

static mono_ms idle_deadline(const struct dispatch *d)
{
    return d->has_head && !d->is_paused ? mono_add(d->bytes_at, d->timeouts->idle_ms) : MONO_NEVER;
}

static mono_ms content_deadline(const struct dispatch *d)
{
    return d->is_stream && !d->is_paused ? mono_add(d->content_at, d->timeouts->content_idle_ms)
                                         : MONO_NEVER;
}

static mono_ms keep_alive_at(const struct dispatch *d)
{
    return d->is_stream && d->head_is_out ? mono_add(d->sent_at, KEEP_ALIVE_MS) : MONO_NEVER;
}

static mono_ms wake_of(const struct dispatch *d)
{
    mono_ms at = d->deadline;

    switch (d->state) {
    case DISPATCH_CLOSED: return MONO_NEVER;
    case DISPATCH_HOLDING: break;
    case DISPATCH_TRYING:
        at = mono_min(at, mono_min(gate_deadline(d), idle_deadline(d)));
        if (may_send_early_head(d)) {
            at = mono_min(at, mono_add(d->begun_at, d->timeouts->early_head_ms));
        }
        break;
    case DISPATCH_STREAMING:
        at = mono_min(at, mono_min(idle_deadline(d), content_deadline(d)));
        at = mono_min(at, mono_add(d->terminal_at, TERMINAL_GRACE_MS));
        break;
    }
    if (!d->head_is_out) {
        at = mono_min(at, d->head_deadline);
    }
    return mono_min(at, keep_alive_at(d));
}

/* The reason to end the attempt now, or OUTCOME_OK when its time is not up. */
static enum outcome time_is_up(const struct dispatch *d, mono_ms now)
{
    if (now >= d->deadline || (!d->head_is_out && now >= d->head_deadline)) {
        return OUTCOME_DEADLINE;
    }
    if (d->state == DISPATCH_TRYING && now >= gate_deadline(d)) {
        return d->has_head ? OUTCOME_FIRST_CONTENT_TIMEOUT : OUTCOME_HEAD_TIMEOUT;
    }
    if (now >= idle_deadline(d)) {
        /* A stream that has shown nothing yet did not stop, it never began. */
        return d->state == DISPATCH_TRYING && d->is_stream ? OUTCOME_FIRST_CONTENT_TIMEOUT
                                                           : OUTCOME_IDLE;
    }
    if (d->state == DISPATCH_STREAMING && now >= content_deadline(d)) {
        return OUTCOME_IDLE;
    }
    return OUTCOME_OK;
}

/* ---- ends ---- */

/* Before the ledger has answered nothing is held, so nothing is settled. */
static void end_unheld(struct dispatch *d, struct actions *actions, enum outcome outcome)
{
    if (outcome != OUTCOME_APP_GONE) {
        act(actions, ACTION_FAIL, d->attempt, outcome);
    }
    act(actions, ACTION_CLOSE, d->attempt, outcome);
    d->state = DISPATCH_CLOSED;
}

static void close_call(struct dispatch *d, struct actions *actions, enum outcome outcome)
{
    act(actions, ACTION_SETTLE, d->attempt, outcome);
    act(actions, ACTION_CLOSE, d->attempt, outcome);
    d->state = DISPATCH_CLOSED;
}

/* The attempt is over and nothing better is left. */
static void give_up(struct dispatch *d, struct actions *actions, enum outcome outcome)
{
    act(actions, d->head_is_out ? ACTION_CUT : ACTION_FAIL, d->attempt, outcome);
    close_call(d, actions, outcome);
}

static void abandon(struct dispatch *d, struct actions *actions, enum outcome outcome)
{
    act(actions, ACTION_ABANDON, d->attempt, outcome);
    give_up(d, actions, outcome);
}

static void leave(struct dispatch *d, struct actions *actions)
{
    act(actions, ACTION_ABANDON, d->attempt, OUTCOME_APP_GONE);
    close_call(d, actions, OUTCOME_APP_GONE);
}

static void commit(struct dispatch *d, struct actions *actions, mono_ms now)
{
    act(actions, ACTION_COMMIT, d->attempt, OUTCOME_OK);
    d->state = DISPATCH_STREAMING;
    d->head_is_out = true;
    d->content_at = now;
    d->sent_at = now;
}

static void finish(struct dispatch *d, struct actions *actions)
{
    act(actions, ACTION_FINISH, d->attempt, OUTCOME_OK);
    close_call(d, actions, OUTCOME_OK);
}

/* ---- states ---- */

static void step_holding(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    switch (event->kind) {
    case EVENT_START:
        d->attempt = 1;
        act(actions, ACTION_HOLD, d->attempt, OUTCOME_OK);
        return;
    case EVENT_HELD:
        if (time_is_up(d, event->now) != OUTCOME_OK) {
            give_up(d, actions, OUTCOME_DEADLINE);
            return;
        }
        act(actions, ACTION_ATTEMPT, d->attempt, OUTCOME_OK);
        d->state = DISPATCH_TRYING;
        return;
    case EVENT_DENIED: end_unheld(d, actions, OUTCOME_LOCAL); return;
    case EVENT_APP_GONE: end_unheld(d, actions, OUTCOME_APP_GONE); return;
    case EVENT_SHUTDOWN: end_unheld(d, actions, OUTCOME_SHUTDOWN); return;
    case EVENT_WAKE:
        if (time_is_up(d, event->now) != OUTCOME_OK) {
            end_unheld(d, actions, OUTCOME_DEADLINE);
        }
        return;
    case EVENT_WRITTEN:
    case EVENT_HEAD:
    case EVENT_CONTENT:
    case EVENT_TERMINAL:
    case EVENT_ENDED: UNREACHABLE();
    }
}

static void wake_up(struct dispatch *d, mono_ms now, struct actions *actions)
{
    enum outcome outcome = time_is_up(d, now);

    if (d->state == DISPATCH_STREAMING && now >= mono_add(d->terminal_at, TERMINAL_GRACE_MS)) {
        act(actions, ACTION_ABANDON, d->attempt, OUTCOME_OK);
        finish(d, actions);
        return;
    }
    if (outcome != OUTCOME_OK) {
        abandon(d, actions, outcome);
        return;
    }
    if (may_send_early_head(d) && now >= mono_add(d->begun_at, d->timeouts->early_head_ms)) {
        act(actions, ACTION_EARLY_HEAD, d->attempt, OUTCOME_OK);
        d->head_is_out = true;
        d->sent_at = now;
    }
    if (now >= keep_alive_at(d)) {
        act(actions, ACTION_KEEP_ALIVE, d->attempt, OUTCOME_OK);
        d->sent_at = now;
    }
}

static void step_trying(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    switch (event->kind) {
    case EVENT_WRITTEN:
        d->is_written = true;
        d->written_at = event->now;
        return;
    case EVENT_HEAD:
        d->has_head = true;
        d->bytes_at = event->now;
        return;
    case EVENT_CONTENT: commit(d, actions, event->now); return;
    case EVENT_TERMINAL: /* an answer without content is still an answer */
        d->terminal_at = event->now;
        commit(d, actions, event->now);
        return;
    case EVENT_ENDED:
        if (event->outcome != OUTCOME_OK) {
            give_up(d, actions, event->outcome);
            return;
        }
        commit(d, actions, event->now);
        finish(d, actions);
        return;
    case EVENT_WAKE: wake_up(d, event->now, actions); return;
    case EVENT_APP_GONE: leave(d, actions); return;
    case EVENT_SHUTDOWN: abandon(d, actions, OUTCOME_SHUTDOWN); return;
    case EVENT_START:
    case EVENT_HELD:
    case EVENT_DENIED: UNREACHABLE();
    }
}

static void step_streaming(struct dispatch *d, const struct event_in *event,
                           struct actions *actions)
{
    switch (event->kind) {
    case EVENT_TERMINAL: d->terminal_at = event->now; return;
    case EVENT_ENDED:
        if (event->outcome == OUTCOME_OK) {
            finish(d, actions);
        } else {
            give_up(d, actions, event->outcome);
        }
        return;
    case EVENT_WAKE: wake_up(d, event->now, actions); return;
    case EVENT_APP_GONE: leave(d, actions); return;
    case EVENT_SHUTDOWN: abandon(d, actions, OUTCOME_SHUTDOWN); return;
    case EVENT_WRITTEN: /* a provider may answer before it has read all */
    case EVENT_HEAD:
    case EVENT_CONTENT: return;
    case EVENT_START:
    case EVENT_HELD:
    case EVENT_DENIED: UNREACHABLE();
    }
}

void dispatch_step(struct dispatch *dispatch, const struct event_in *event, struct actions *actions)
{
    actions->count = 0;
    switch (dispatch->state) {
    case DISPATCH_HOLDING: step_holding(dispatch, event, actions); break;
    case DISPATCH_TRYING: step_trying(dispatch, event, actions); break;
    case DISPATCH_STREAMING: step_streaming(dispatch, event, actions); break;
    case DISPATCH_CLOSED: UNREACHABLE();
    }
    actions->wake_at = wake_of(dispatch);
}

void dispatch_saw_bytes(struct dispatch *dispatch, mono_ms now, bool is_content)
{
    dispatch->bytes_at = now;
    if (is_content) {
        dispatch->content_at = now;
    }
}

void dispatch_paused(struct dispatch *dispatch, bool is_paused, mono_ms now)
{
    dispatch->is_paused = is_paused;
    dispatch->bytes_at = now;
    dispatch->content_at = now;
}

void dispatch_saw_sent(struct dispatch *dispatch, mono_ms now)
{
    dispatch->sent_at = now;
}
