/* SPDX-License-Identifier: Apache-2.0 */
/* The app has left, and the provider is known to go on and to bill (`on_abort: drain`): its answer
 * is read to the end, or to the end of our patience, for the usage that it tells there (budgets.md,
 * 11, row 4). Nothing goes out any more, nothing is decided but when to stop. */
#include "router/dispatch_parts.h"

#include "base/must.h"

enum { DRAIN_MS = 120000 };

static bool is_worth_it(const struct dispatch *d, const struct flight *f)
{
    return f->number != 0 && f->is_written && plan_target(d->plan, f->place)->provider->drains;
}

bool dispatch_drain(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    struct flight *first = &d->flights[0];
    struct flight *other = &d->flights[1];

    if (!event->can_drain || !(is_worth_it(d, first) || is_worth_it(d, other))) {
        return false;
    }
    if (!is_worth_it(d, first)) {
        struct flight kept = *other;
        *other = *first;
        *first = kept;
    }
    if (other->number != 0) { /* a hedge: one answer is enough */
        dispatch_drop(d, other, event, OUTCOME_APP_GONE, actions);
    }
    d->is_hedging = false;
    d->is_paused = false;
    first->bytes_at = event->now; /* it may have been held back because the app was slow */
    d->drain_until = mono_add(event->now, DRAIN_MS);
    d->state = DISPATCH_DRAINING;
    dispatch_act(actions, ACTION_DRAIN, first->number, OUTCOME_OK);
    return true;
}

static void stop(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    dispatch_drop(d, &d->flights[0], event, OUTCOME_APP_GONE, actions);
    dispatch_close(d, actions, OUTCOME_APP_GONE);
}

void dispatch_step_draining(struct dispatch *d, const struct event_in *event,
                            struct actions *actions)
{
    switch (event->kind) {
    case EVENT_WAKE:
        if (event->now >= dispatch_wake_at(d)) {
            stop(d, event, actions);
        }
        return;
    case EVENT_SHUTDOWN: stop(d, event, actions); return;
    case EVENT_ENDED:
    case EVENT_TERMINAL:
        if (dispatch_flight_of(d, event->attempt) != NULL) {
            stop(d, event, actions);
        }
        return;
    case EVENT_HEAD: dispatch_heard_head(d, &d->flights[0], event->now); return;
    case EVENT_CONTENT: dispatch_heard_content(d, &d->flights[0], event->now); return;
    case EVENT_CONNECTED:
    case EVENT_WRITTEN:
    case EVENT_READY: return;
    case EVENT_START:
    case EVENT_HELD:
    case EVENT_DENIED:
    case EVENT_APP_GONE: UNREACHABLE();
    }
}
