/* SPDX-License-Identifier: Apache-2.0 */
/* The times of a call: what can wake it (dispatch_wake_at), and whose time is up. A new timer is
 * one line in each of the two. */
#include "router/dispatch_parts.h"

#include "base/must.h"

enum {
    /* Quiet for so long towards the app, and a comment goes out: intermediaries and Node's fetch
     * give up on silent streams. */
    KEEP_ALIVE_MS = 15000
};

bool dispatch_may_send_early_head(const struct dispatch *d)
{
    return d->is_stream && !d->head_is_out && d->timeouts->early_head_ms != 0;
}

/* Once the gate is open, be it without content (a long prelude, an answer of none), silence is told
 * by the two below. */
static mono_ms gate_deadline(const struct dispatch *d, const struct flight *f)
{
    if (!f->is_written || f->has_content || d->state == DISPATCH_STREAMING ||
        (!d->is_stream && f->has_head)) {
        return MONO_NEVER;
    }
    return mono_add(f->written_at, f->gate_ms);
}

static mono_ms idle_deadline(const struct dispatch *d, const struct flight *f)
{
    return f->has_head && !d->is_paused ? mono_add(f->bytes_at, d->timeouts->idle_ms) : MONO_NEVER;
}

static mono_ms content_deadline(const struct dispatch *d, const struct flight *f)
{
    return d->is_stream && !d->is_paused && (f->has_content || d->state == DISPATCH_STREAMING)
               ? mono_add(f->content_at, d->timeouts->content_idle_ms)
               : MONO_NEVER;
}

mono_ms dispatch_keep_alive_at(const struct dispatch *d)
{
    return d->is_stream && d->head_is_out ? mono_add(d->sent_at, KEEP_ALIVE_MS) : MONO_NEVER;
}

/* When the app stops waiting, be it the call's deadline or its patience for a head. */
mono_ms dispatch_end(const struct dispatch *d)
{
    return d->head_is_out ? d->deadline : mono_min(d->deadline, d->head_deadline);
}

mono_ms dispatch_hedge_at(const struct dispatch *d)
{
    const struct flight *f = &d->flights[0];
    uint32_t after = d->plan->rules->hedge_after_ms;
    uint32_t p95 = 0;

    if (after == 0 || d->has_hedged || d->is_committed || d->state != DISPATCH_TRYING ||
        f->has_content || !f->is_written || d->rules.runs_once ||
        (!d->is_stream && !d->rules.is_short)) {
        return MONO_NEVER;
    }
    p95 = fleet_p95_ms(d->fleet, f->entry.member, d->is_stream);
    return mono_add(f->written_at, p95 > after ? p95 : after);
}

mono_ms dispatch_wake_at(const struct dispatch *d)
{
    mono_ms at = mono_min(dispatch_end(d), dispatch_keep_alive_at(d));

    if (d->state == DISPATCH_CLOSED) {
        return MONO_NEVER;
    }
    if (d->state == DISPATCH_DRAINING) {
        return mono_min(d->drain_until, idle_deadline(d, &d->flights[0]));
    }
    if (dispatch_may_send_early_head(d)) {
        at = mono_min(at, mono_add(d->begun_at, d->timeouts->early_head_ms));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(d->flights); i++) {
        const struct flight *f = &d->flights[i];

        if (f->number != 0) {
            at = mono_min(at, mono_min(gate_deadline(d, f), idle_deadline(d, f)));
            at = mono_min(at, content_deadline(d, f));
            if (d->state == DISPATCH_TRYING) {
                at = mono_min(at, mono_min(f->commit_at, f->overdue_at));
            }
        }
    }
    switch (d->state) {
    case DISPATCH_CLOSED:
    case DISPATCH_DRAINING:
    case DISPATCH_HOLDING: return at;
    case DISPATCH_TRYING: return mono_min(at, dispatch_hedge_at(d));
    case DISPATCH_PAUSING: return mono_min(at, d->resume_at);
    case DISPATCH_STREAMING: return mono_min(at, mono_add(d->terminal_at, TERMINAL_GRACE_MS));
    }
    UNREACHABLE();
}

/* The route's own limit, used up by a single attempt, is that provider's slowness; one that the app
 * set, or that several attempts shared, says nothing of it. */
enum outcome dispatch_deadline_outcome(const struct dispatch *d)
{
    return d->attempts == 1 && d->rules.deadline_ms == 0 && d->rules.patience_ms == 0
               ? OUTCOME_SLOW
               : OUTCOME_DEADLINE;
}

/* The reason to end this flight now, or OUTCOME_OK when its time is not up. */
enum outcome dispatch_time_is_up(const struct dispatch *d, const struct flight *f, mono_ms now)
{
    if (now >= gate_deadline(d, f)) {
        return f->has_head ? OUTCOME_FIRST_CONTENT_TIMEOUT : OUTCOME_HEAD_TIMEOUT;
    }
    if (now >= idle_deadline(d, f)) {
        /* A stream that has shown nothing yet did not stop, it never began. */
        return d->is_stream && !f->has_content && d->state != DISPATCH_STREAMING
                   ? OUTCOME_FIRST_CONTENT_TIMEOUT
                   : OUTCOME_IDLE;
    }
    return now >= content_deadline(d, f) ? OUTCOME_IDLE : OUTCOME_OK;
}

uint64_t dispatch_left_ms(const struct dispatch *d, mono_ms now)
{
    return mono_until(now, dispatch_end(d));
}

void dispatch_early_head(struct dispatch *d, mono_ms now, struct actions *actions)
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
