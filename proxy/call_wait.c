/* SPDX-License-Identifier: Apache-2.0 */
/* journal.durability: power. An attempt is not sent before its slot is on the disk, and the
 * answer's last byte does not leave before the attempt's record is. The first wait is the call's,
 * between its attempt's begin and the request; the second one is the connection's alone: the call
 * is over by then. */
#include "proxy/call_parts.h"

#include "base/mem.h"

static void synced(struct store_wait *sync, bool is_synced)
{
    struct call_wait *wait = LIST_OWNER(sync, struct call_wait, sync);
    struct call *call = wait->call;

    call_look_at(call, wait->number);
    must(call->number == wait->number && call->upstream == 0);
    wait->number = 0;
    if (!is_synced && !call->snapshot->journal.degrades) {
        call_event(call, EVENT_ENDED, OUTCOME_JOURNAL_FULL);
        return;
    }
    call->facts.attempt_us =
        loop_micros(call->env->loop); /* the wait was ours, not the provider's */
    call_start(call, wait->is_fresh);
}

static bool take_waits(struct call *call)
{
    if (call->waits != NULL) {
        return true;
    }
    call->waits = mem_take_zero(LANES * sizeof *call->waits);
    for (size_t i = 0; call->waits != NULL && i < LANES; i++) {
        call->waits[i].call = call;
        store_wait_init(&call->waits[i].sync, synced);
    }
    return call->waits != NULL;
}

void call_wait_for_slot(struct call *call, bool is_fresh)
{
    struct call_wait *wait = NULL;

    if (!take_waits(call)) {
        call_event(call, EVENT_ENDED, OUTCOME_LOCAL);
        return;
    }
    wait = &call->waits[call->lane];
    must(wait->number == 0);
    wait->number = call->number;
    wait->is_fresh = is_fresh;
    store_when_synced(call->env->ports->store, &wait->sync);
}

static void cancel(struct call_wait *wait)
{
    wait->number = 0;
    store_wait_cancel(&wait->sync);
}

void call_wait_cancel(struct call *call)
{
    cancel(&call->waits[call->lane]);
}

void call_wait_forget(struct call *call)
{
    if (call->waits != NULL) {
        for (size_t i = 0; i < LANES; i++) {
            cancel(&call->waits[i]);
        }
        mem_give(call->waits, LANES * sizeof *call->waits);
        call->waits = NULL;
    }
}

/* ---- the last byte ---- */

/* What is recorded of it is something that its app may be answered for. */
static bool has_record(const struct call *call)
{
    return call->conn != NULL && (call->facts.has_attempt || call->facts.is_replayed) &&
           call->match.operation->kind != OPERATION_MODELS;
}

void call_wait_for_record(struct call *call, enum outcome outcome)
{
    if (has_record(call) && outcome != OUTCOME_JOURNAL_FULL) { /* that one has none */
        conn_stop_sending(call->conn);
        conn_send_when_synced(call->conn);
    }
}

void call_wait_for_end(struct call *call)
{
    if (has_record(call)) {
        conn_stop_sending(call->conn);
    }
}

void call_wait_at_length(struct call *call, size_t bytes)
{
    struct relay *relay = &call->relay;

    relay->length -= bytes < relay->length ? bytes : relay->length;
    if (has_record(call) && (relay->has_no_body || (relay->has_length && relay->length == 0))) {
        conn_stop_sending(call->conn);
    }
}
