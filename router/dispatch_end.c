/* SPDX-License-Identifier: Apache-2.0 */
/* How attempts and calls end, and what is noted of each attempt for the call's line. */
#include "router/dispatch_parts.h"

#include "base/must.h"
#include "wire/hint.h"

/* ---- notes ---- */

struct attempt_note *dispatch_note(struct dispatch *d, uint8_t number)
{
    for (uint8_t i = 0; i < d->notes_count; i++) {
        if (d->notes[i].number == number) {
            return &d->notes[i];
        }
    }
    UNREACHABLE();
}

void dispatch_note_start(struct dispatch *d, const struct flight *f)
{
    must(d->notes_count < ATTEMPT_NOTES_MAX);
    d->notes[d->notes_count++] = (struct attempt_note){.place = f->place, .number = f->number};
}

static void note_end(struct dispatch *d, const struct flight *f, enum outcome outcome, mono_ms now)
{
    struct attempt_note *note = dispatch_note(d, f->number);

    note->is_over = true;
    note->outcome = (uint8_t)outcome;
    note->took_ms = (uint32_t)mono_until(f->started_at, now);
}

/* The number of the latest attempt; 0: there was none. */
uint8_t dispatch_latest(const struct dispatch *d)
{
    return d->notes_count == 0 ? 0 : d->notes[d->notes_count - 1].number;
}

enum outcome dispatch_switched(const struct dispatch *d)
{
    for (int i = d->notes_count - 1; i > 0; i--) {
        if (d->notes[i].place != d->notes[i - 1].place && d->notes[i - 1].is_over) {
            return (enum outcome)d->notes[i - 1].outcome;
        }
    }
    return OUTCOME_OK;
}

/* ---- ends ---- */

bool dispatch_is_ambiguous(const struct flight *f, enum outcome outcome)
{
    return f->is_written && !f->has_head && outcome != OUTCOME_APP_GONE &&
           outcome != OUTCOME_SHUTDOWN;
}

static enum attempt_phase phase_of(const struct flight *f)
{
    if (f->has_head) { /* it may answer before all is written */
        return f->has_content ? ATTEMPT_CONTENT : ATTEMPT_HEADED;
    }
    return f->is_written ? ATTEMPT_SENT : ATTEMPT_UNSENT;
}

/* The flight is over: books, breakers and notes hear of it. */
void dispatch_land(struct dispatch *d, struct flight *f, const struct event_in *event,
                   enum outcome outcome, struct actions *actions)
{
    struct ending ending = {
        .outcome = outcome,
        .had_head = f->has_head,
        .had_content = f->has_content,
        .hint_ms = event->kind == EVENT_ENDED ? event->hint_ms : HINT_NONE,
        .quota_ms = event->kind == EVENT_ENDED ? event->quota_ms : 0,
    };
    bool may_have_run = dispatch_is_ambiguous(f, outcome);

    fleet_report(d->fleet, &f->entry, &ending, event->now);
    note_end(d, f, outcome, event->now);
    dispatch_note(d, f->number)->is_ambiguous = may_have_run;
    dispatch_act(actions, ACTION_SETTLE, f->number, outcome)->phase = phase_of(f);
    if (outcome != OUTCOME_OK) {
        d->last = outcome;
    }
    f->number = 0;
}

void dispatch_close(struct dispatch *d, struct actions *actions, enum outcome outcome)
{
    dispatch_act(actions, ACTION_CLOSE, 0, outcome);
    d->state = DISPATCH_CLOSED;
}

/* Nothing is in flight and nothing better is left. */
void dispatch_give_up(struct dispatch *d, struct actions *actions, uint8_t number,
                      enum outcome outcome, uint64_t wait_ms)
{
    if (outcome != OUTCOME_APP_GONE) {
        dispatch_act(actions, d->head_is_out ? ACTION_CUT : ACTION_FAIL, number, outcome)->wait_ms =
            wait_ms;
    }
    dispatch_close(d, actions, outcome);
}

void dispatch_drop(struct dispatch *d, struct flight *f, const struct event_in *event,
                   enum outcome outcome, struct actions *actions)
{
    dispatch_act(actions, ACTION_ABANDON, f->number, outcome);
    dispatch_land(d, f, event, outcome, actions);
}

/* Whatever is in flight, for a reason that is not the providers'. */
void dispatch_drop_all(struct dispatch *d, const struct event_in *event, enum outcome outcome,
                       struct actions *actions)
{
    for (size_t i = 0; i < ARRAY_LENGTH(d->flights); i++) {
        if (d->flights[i].number != 0) {
            dispatch_drop(d, &d->flights[i], event, outcome, actions);
        }
    }
    d->is_hedging = false;
}

void dispatch_finish(struct dispatch *d, const struct event_in *event, struct actions *actions)
{
    dispatch_act(actions, ACTION_FINISH, d->flights[0].number, OUTCOME_OK);
    dispatch_land(d, &d->flights[0], event, OUTCOME_OK, actions);
    dispatch_close(d, actions, OUTCOME_OK);
}

void dispatch_leave(struct dispatch *d, const struct event_in *event, enum outcome outcome,
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
    } else if (dispatch_drain(d, event, actions)) {
        return;
    }
    dispatch_drop_all(d, event, outcome, actions);
    dispatch_close(d, actions, outcome);
}
