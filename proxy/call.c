/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a call between its first event and its last (call_open.c begins it). Events go into
 * its queue, the dispatch decides, call_act obeys:
 *
 *   conn.c --head, body--> call_open, call_body, call_take_up -START-+
 *   upstream --ears------> relay_on_head, relay_on_bytes -----------+--> call_event
 *   conn.c --wake, gone--> call_wake, call_app_gone ----------------+        |
 *                                                                    dispatch_step (pure)
 *   ledger, upstream, relay, reply <-------------- call_act <----------------+
 *
 * Ends in one place: ACTION_CLOSE; at the end of that turn the call is logged and its memory given back. */
#include "proxy/call_hold.h"
#include "proxy/call_translate.h"

#include "base/mem.h"

/* ---- small things ---- */

const struct target *call_target(const struct call *call)
{
    return plan_target(&call->plan, call->place);
}

const struct upstream_ops *call_upstream(const struct call *call, struct upstream **upstream)
{
    const struct ports *ports = call->env->ports;

    if (call_target(call)->provider->kind->is_builtin) {
        *upstream = ports->fixtures;
        return &upstream_fixtures_ops;
    }
    *upstream = ports->network;
    return &upstream_http1_ops;
}

void call_leave(struct call *call)
{
    struct conn *conn = call->conn;

    call->conn = NULL;
    call->facts.bytes_out = conn_sent(conn);
    conn_wake_call(conn, MONO_NEVER);
    conn_answered(conn);
}
/* ---- the ears of the attempt ---- */

static struct call *call_of(void *to, uint64_t id)
{
    const struct lane *lane = to;
    struct call *call = slots_find(&lane->calls->slots, id);

    if (call == NULL || call->is_closed) {
        return NULL;
    }
    return call->lane == lane->number || call_look_at_lane(call, lane->number) ? call : NULL;
}

static void on_connected(void *to, uint64_t id, bool is_reused)
{
    struct call *call = call_of(to, id);

    if (call != NULL) {
        call->facts.is_reused = is_reused;
        call_event(call, EVENT_CONNECTED, OUTCOME_OK);
    }
}

static void on_written(void *to, uint64_t id)
{
    struct call *call = call_of(to, id);

    if (call != NULL) {
        call_record_sent(call);
        call_event(call, EVENT_WRITTEN, OUTCOME_OK);
    }
}

static void on_head(void *to, uint64_t id, const struct http1_head *head, const char *base)
{
    struct call *call = call_of(to, id);
    enum outcome outcome = OUTCOME_OK;

    if (call == NULL) {
        return;
    }
    call->facts.head_us = loop_micros(call->env->loop);
    outcome = relay_on_head(call, head, base);
    call_event(call, EVENT_HEAD, OUTCOME_OK); /* also of a bad one: it has answered */
    if (outcome != OUTCOME_OK) {
        call_event(call, EVENT_ENDED, outcome);
        return;
    }
    if (call->relay.mode == RELAY_PASS) {
        call_event(call, EVENT_READY, OUTCOME_OK);
    }
}

static void on_bytes(void *to, uint64_t id, struct span bytes)
{
    struct call *call = call_of(to, id);

    if (call != NULL) {
        relay_on_bytes(call, bytes);
    }
}

static void on_end(void *to, uint64_t id, enum outcome how)
{
    struct call *call = call_of(to, id);
    uint8_t number = 0;
    enum outcome outcome = OUTCOME_OK;

    if (call == NULL) {
        return;
    }
    number = call->number;
    call->upstream = 0;
    outcome = relay_on_end(call, how);
    /* An error in the last bytes was told: the call may be with another attempt by now. */
    if (dispatch_has_flight(&call->dispatch, number)) {
        call_event_of(call, number, EVENT_ENDED, outcome);
    }
}

/* ---- obeying ---- */

void call_start(struct call *call, bool is_fresh)
{
    const struct target *target = call_target(call);
    struct upstream_request request = {
        .is_fresh = is_fresh,
        .provider = target->provider,
        .connect_ms = call->plan.rules->timeouts.connect_ms,
        .write_ms = call->plan.rules->timeouts.write_ms,
        .warm = {slots_place(&call->env->calls->slots, call->id),
                 span_make((const char *)call, CALL_HOT),
                 span_make((const char *)call->conn, CONN_HOT),
                 store_place(call->env->ports->store, call->slot)},
    };
    struct upstream_ears ears = {.to = &call->env->calls->lanes[call->lane],
                                 .on_connected = on_connected,
                                 .on_written = on_written,
                                 .on_head = on_head,
                                 .on_bytes = on_bytes,
                                 .on_end = on_end};
    struct upstream *upstream = NULL;
    const struct upstream_ops *ops = NULL;

    if (call_head_dress(call, target, &request)) {
        ops = call_upstream(call, &upstream); /* that of this target */
        call->upstream = ops->start(upstream, &request, &ears, call->id);
    }
    if (call->upstream == 0) {
        call_event(call, EVENT_ENDED, OUTCOME_LOCAL);
    }
}

static void act_attempt(struct call *call, const struct action *action)
{
    if (call->upstream != 0 && !call_set_aside(call)) {
        call_event_of(call, action->attempt, EVENT_ENDED, OUTCOME_LOCAL);
        return;
    }
    call->number = action->attempt;
    call->place = action->place;
    if (action->is_resume) {
        call_resume_next(call);
    }
    if (call->facts.has_attempt) {
        relay_again(call);
    }
    call->relay.is_followed = action->is_resume;
    call->facts.has_attempt = true;
    call->facts.attempt_us = loop_micros(call->env->loop);
    if (!call_record_open(call)) {
        call_event(call, EVENT_ENDED, OUTCOME_JOURNAL_FULL);
    } else if (call->translations != NULL && !call_translate_begin(call)) {
        call_event(call, EVENT_ENDED, OUTCOME_LOCAL);
    } else if (call->env->ports->is_power && call->slot != 0) {
        call_wait_for_slot(call, action->is_fresh);
    } else {
        call_start(call, action->is_fresh);
    }
}

/* The attempt's connection is let go, whether or not the dispatch still thought it alive: an answer
 * that was judged bad half-way is not read on. */
static void act_abandon(struct call *call, const struct action *action)
{
    struct upstream *upstream = NULL;
    const struct upstream_ops *ops = NULL;

    if (call->upstream != 0 && call->number == action->attempt) {
        ops = call_upstream(call, &upstream);
        ops->cancel(upstream, call->upstream);
        call->upstream = 0;
    } else if (call->waits != NULL && call->number == action->attempt) {
        call_wait_cancel(call);
    }
}

static void act_settle(struct call *call, const struct action *action)
{
    struct amounts booked;

    call->facts.outcome = action->outcome;
    act_abandon(call, action);
    if (call->relay.is_followed) { /* of this attempt alone */
        meter_usage(&call->relay.stream.meter,
                    call->relay.stream.operation->input_holds_cache, &call->relay.usage);
    }
    call_record_settle(call, action);
    booked = call_record_booked(call, action);
    call_exposure_settled(call, booked.of[UNIT_MONEY]);
    call_hold_settle(call, action->attempt, &booked);
    call_rates_used(call, &booked);
    if (call->repeats != NULL) {
        call_replay_keep(call, action->outcome);
    }
    call_log_attempt(call, action->outcome);
    call_tell_attempt(call, action->attempt);
}

/* The winner's answer is the call's; the loser was settled before. */
static void act_commit(struct call *call)
{
    call_drop_aside(call);
    if (call->budget != NULL) {
        call_hold_watch(call);
    }
    relay_commit(call);
}

/* Ends the app's message. */
static void act_end(struct call *call, const struct action *action)
{
    if (call->env->ports->is_power) {
        call_wait_for_record(call, action->outcome);
    }
    switch (action->kind) {
    case ACTION_FINISH: relay_finish(call); break;
    case ACTION_CUT: relay_cut(call, action->outcome); break;
    default: reply_failure(call, action); break;
    }
}

static void call_act(struct call *call, const struct action *action)
{
    static const struct amounts nothing;

    call_look_at(call, action->attempt);
    switch (action->kind) {
    case ACTION_HOLD: call_hold_ask(call, action->attempt, action->place); break;
    case ACTION_RELEASE: call_hold_settle(call, action->attempt, &nothing); break;
    case ACTION_ATTEMPT: act_attempt(call, action); break;
    case ACTION_ABANDON: act_abandon(call, action); break;
    case ACTION_COMMIT: act_commit(call); break;
    case ACTION_DRAIN: call_drain_begin(call); break;
    case ACTION_EARLY_HEAD: relay_early_head(call); break;
    case ACTION_KEEP_ALIVE: relay_keep_alive(call); break;
    case ACTION_FINISH:
    case ACTION_CUT:
    case ACTION_FAIL: act_end(call, action); break;
    case ACTION_SETTLE: act_settle(call, action); break;
    case ACTION_CLOSE: call_close(call, true); break;
    }
}

static void step(struct call *call, const struct event_in *event)
{
    struct exposed_before before = {.ambiguous = call->dispatch.ambiguous,
                                    .is_hedging = call->dispatch.is_hedging};
    struct actions actions;

    dispatch_step(&call->dispatch, event, &actions);
    call_exposure_note(call, &before);
    for (uint8_t i = 0; i < actions.count; i++) {
        call_act(call, &actions.list[i]);
    }
    call_record_flush(call);
    if (call->conn != NULL) {
        conn_wake_call(call->conn, actions.wake_at);
    } else if (call->drain != NULL && !call->is_closed) {
        loop_timer_set(&call->drain->timer, actions.wake_at);
    }
    call_log_notices(call->env);
}

/* With what the attempt's answer has told. */
static struct event_in event_of(struct call *call, const struct call_queued *queued)
{
    call_look_at(call, queued->attempt);
    return (struct event_in){
        .kind = (enum event_kind)queued->kind,
        .attempt = queued->attempt,
        .outcome = (enum outcome)queued->outcome,
        .now = loop_now(call->env->loop),
        .is_reused = call->facts.is_reused,
        .should_retry = call->relay.should_retry,
        .hint_ms = call->relay.hint_ms,
        .quota_ms = call->relay.quota_ms,
        .can_resume = call_can_resume(call),
        .is_money_out = call_exposure_is_out(call, (enum event_kind)queued->kind,
                                             (enum outcome)queued->outcome),
        .may_elsewhere = queued->outcome != OUTCOME_LOCAL && queued->outcome != OUTCOME_LEDGER,
        .can_drain = queued->kind == EVENT_APP_GONE && call_can_drain(call),
    };
}

/* When the provider last told us something that decided; the clock is read once for what came in
 * one millisecond. */
static void note_time(struct call *call, enum event_kind kind)
{
    mono_ms now = loop_now(call->env->loop);

    if (kind == EVENT_HEAD) {
        call->facts.told_us = call->facts.head_us;
        call->facts.told_at = now;
    } else if ((kind == EVENT_CONTENT || kind == EVENT_ENDED) && now != call->facts.told_at) {
        call->facts.told_us = loop_micros(call->env->loop);
        call->facts.told_at = now;
    }
}

void call_event(struct call *call, enum event_kind kind, enum outcome outcome)
{
    call_event_of(call, call->number, kind, outcome);
}

static void drop_stepped(struct call *call)
{
    uint8_t left = (uint8_t)(call->events.count - call->events.next);

    memmove(call->events.list, call->events.list + call->events.next, left * sizeof *call->events.list);
    call->events.count = left;
    call->events.next = 0;
}

void call_event_of(struct call *call, uint8_t attempt, enum event_kind kind, enum outcome outcome)
{
    if (call->is_closed) {
        return;
    }
    note_time(call, kind);
    if (call->events.count == CALL_EVENTS_MAX) { /* one step may lead to another as often as there are targets */
        drop_stepped(call);
    }
    must(call->events.count < CALL_EVENTS_MAX);
    call->events.list[call->events.count++] = (struct call_queued){
        .kind = (uint8_t)kind, .attempt = attempt, .outcome = (uint8_t)outcome};
    if (call->events.is_stepping) {
        return;
    }
    call->events.is_stepping = true;
    while (call->events.next < call->events.count && call->dispatch.state != DISPATCH_CLOSED) {
        struct event_in event = event_of(call, &call->events.list[call->events.next++]);

        step(call, &event);
    }
    call->events.count = 0;
    call->events.next = 0;
    call->events.is_stepping = false;
}

void call_app_gone(struct call *call)
{
    call->conn = NULL;
    if (call->is_closed) {
        return;
    }
    if (call->dispatch.timeouts == NULL) { /* not begun: the request was still coming in */
        call->facts.outcome = OUTCOME_APP_GONE;
        call_close(call, true);
        return;
    }
    call_event(call, EVENT_APP_GONE, OUTCOME_APP_GONE);
}

void call_writable(struct call *call)
{
    struct upstream *upstream = NULL;
    const struct upstream_ops *ops = NULL;

    if (call->relay.is_paused && call->upstream != 0) {
        call->relay.is_paused = false;
        dispatch_paused(&call->dispatch, false, loop_now(call->env->loop));
        ops = call_upstream(call, &upstream);
        ops->resume(upstream, call->upstream);
        call_event(call, EVENT_WAKE,
                   OUTCOME_OK); /* its idle time runs again: asks for the wake-up */
    }
}

void call_wake(struct call *call)
{
    call_event(call, EVENT_WAKE, OUTCOME_OK);
}

void calls_shut_down(struct calls *calls)
{
    struct link *next = NULL;

    for (struct link *at = calls->open.next; at != &calls->open; at = next) {
        struct call *call = LIST_OWNER(at, struct call, link);
        next = at->next;
        if (call->dispatch.timeouts == NULL) { /* its body is still coming in */
            conn_close_after(call->conn);
            call_refuse(call, REFUSAL_SHUTDOWN);
        } else {
            call_event(call, EVENT_SHUTDOWN, OUTCOME_SHUTDOWN);
        }
    }
}
