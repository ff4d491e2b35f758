/* SPDX-License-Identifier: Apache-2.0 */
/* A call whose app has left and whose provider is read on: its wake-ups have no connection to come
 * from, and what it brings is only looked at for its usage. */
#include "proxy/call_parts.h"

#include "base/limits.h"
#include "base/mem.h"

bool call_can_drain(const struct call *call)
{
    return call->match.operation->kind == OPERATION_CALL && call->env->calls->drains < LIMIT_DRAINS;
}

static void fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    call_wake(LIST_OWNER(timer, struct call_drain, timer)->call);
}

void call_drain_begin(struct call *call)
{
    struct upstream *upstream = NULL;
    const struct upstream_ops *ops = NULL;

    call->drain = mem_take_zero(sizeof *call->drain);
    if (call->drain == NULL) { /* nobody would ever wake it */
        call_event(call, EVENT_SHUTDOWN, OUTCOME_SHUTDOWN);
        return;
    }
    call->drain->call = call;
    loop_timer_init(&call->drain->timer, call->env->loop, fire);
    call->env->calls->drains++;
    if (call->relay.is_paused && call->upstream != 0) {
        call->relay.is_paused = false;
        ops = call_upstream(call, &upstream);
        ops->resume(upstream, call->upstream);
    }
}

void call_drain_end(struct call *call)
{
    if (call->drain != NULL) {
        loop_timer_fini(&call->drain->timer);
        mem_give(call->drain, sizeof *call->drain);
        call->drain = NULL;
    }
}

bool call_drain_takes(struct call *call, size_t bytes)
{
    call->drain->bytes += bytes;
    return call->drain->bytes <= (uint64_t)LIMIT_DRAIN_BYTES;
}
