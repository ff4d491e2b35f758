/* SPDX-License-Identifier: Apache-2.0 */
/* What targets do with the attempts that come to them, event after event, as their script says. */
#include "tests/sim/world_parts.h"

#include "wire/hint.h"

struct transfer *transfer_find(struct world_call *call, uint32_t number)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        if (call->transfers[i].number == number && number != 0) {
            return &call->transfers[i];
        }
    }
    return NULL;
}

void transfer_appoint(struct world_call *call, struct transfer *transfer)
{
    const struct manner *manner = &transfer->manner;
    bool fails = manner->outcome != OUTCOME_OK || manner->hangs;
    bool is_stream = call->sight.ask.is_stream;
    uint64_t ms = 0;
    bool is_here = false;

    switch (transfer->next) {
    case NEXT_CONNECTED:
        ms = transfer->is_reused ? 0 : manner->connect_ms;
        is_here = manner->stage == STAGE_CONNECT;
        break;
    case NEXT_WRITTEN: is_here = manner->stage == STAGE_WRITE; break;
    case NEXT_HEAD:
        ms = manner->head_ms;
        is_here = manner->stage == STAGE_HEAD;
        break;
    case NEXT_CONTENT:
        ms = transfer->pieces == 0 ? manner->content_ms : manner->gap_ms;
        is_here = manner->stage == STAGE_BODY || !is_stream ||
                  (manner->stage == STAGE_STREAM && transfer->pieces >= manner->pieces);
        break;
    case NEXT_TERMINAL:
    case NEXT_END: break;
    }
    if (transfer->next == NEXT_CONTENT && !fails) {
        if (!is_stream) {
            transfer->next = NEXT_END;
        } else if (transfer->pieces >= manner->pieces) {
            transfer->next = NEXT_TERMINAL;
        }
    }
    if (fails && is_here) {
        transfer->next = NEXT_END;
        if (manner->hangs) {
            return;
        }
    }
    if (transfer->next == NEXT_END && !fails && is_stream && manner->never_ends) {
        return;
    }
    appoint(call, mono_add(call->world->now, ms), DUE_UPSTREAM, transfer->number);
}

static void transfer_head(struct world_call *call, struct transfer *transfer)
{
    struct world *world = call->world;
    struct reported *reported = &transfer->reported;

    if (reported->is_any) {
        reported->requests.reset_ms -=
            (int64_t)mono_until(transfer->began_at, world->now); /* it is told as of now */
        if (reported->requests.reset_ms <= 0) {
            reported->is_any = false;
        }
    }
    dispatch_reported(&call->dispatch, transfer->number, reported, world->now);
    if (reported->is_any) {
        laws_reported(&world->laws, &call->sight, transfer->number, reported, world->now);
    }
    call_event(call, event_of(EVENT_HEAD, transfer->number, OUTCOME_OK));
}

/* As relay.c: the dispatch hears of the first content, and of enough, while the gate is shut. */
static void transfer_content(struct world_call *call, struct transfer *transfer)
{
    const struct commit_rule *rule = &call->plan.rules->commit;
    uint8_t number = transfer->number;

    transfer->pieces++;
    if (!call->sight.has_committed && transfer->pieces == 1) {
        call_event(call, event_of(transfer->manner.floods ? EVENT_READY : EVENT_CONTENT, number,
                                  OUTCOME_OK));
    }
    if (transfer->number == number && !call->is_closed && !call->sight.has_committed &&
        rule->mode == COMMIT_TOKENS && transfer->pieces >= rule->value) {
        call_event(call, event_of(EVENT_READY, number, OUTCOME_OK));
    }
    if (transfer->number == number && !call->is_closed) {
        dispatch_saw_bytes(&call->dispatch, number, call->world->now, true);
        if (call->sight.has_committed) {
            dispatch_saw_sent(&call->dispatch, call->world->now);
        }
    }
}

void transfer_end(struct world_call *call, struct transfer *transfer)
{
    const struct manner *manner = &transfer->manner;
    struct event_in event = event_of(EVENT_ENDED, transfer->number, manner->outcome);

    event.is_reused = transfer->is_reused;
    if (manner->outcome != OUTCOME_OK) {
        event.should_retry = manner->should_retry;
        event.hint_ms = manner->hint_ms;
        event.quota_ms = manner->quota_ms;
    }
    transfer->number = 0;
    call_event(call, event);
}

void transfer_next(struct world_call *call, struct transfer *transfer)
{
    uint8_t number = transfer->number;
    struct event_in event = event_of(EVENT_CONNECTED, number, OUTCOME_OK);

    switch (transfer->next) {
    case NEXT_CONNECTED:
        event.is_reused = transfer->is_reused;
        transfer->next = NEXT_WRITTEN;
        call_event(call, event);
        break;
    case NEXT_WRITTEN:
        transfer->next = NEXT_HEAD;
        call_event(call, event_of(EVENT_WRITTEN, number, OUTCOME_OK));
        break;
    case NEXT_HEAD:
        transfer->next = NEXT_CONTENT;
        transfer_head(call, transfer);
        break;
    case NEXT_CONTENT: transfer_content(call, transfer); break;
    case NEXT_TERMINAL:
        transfer->next = NEXT_END;
        call_event(call, event_of(EVENT_TERMINAL, number, OUTCOME_OK));
        break;
    case NEXT_END: transfer_end(call, transfer); return;
    }
    if (!call->is_closed && transfer->number == number) {
        transfer_appoint(call, transfer);
    }
}
