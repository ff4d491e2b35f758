/* SPDX-License-Identifier: Apache-2.0 */
/* Two attempts of one call in flight. Everything that handles an answer knows one attempt, the one
 * in view; the other one is set aside, and whatever is about it brings it into view first. */
#include "proxy/call_parts.h"

#include "base/mem.h"

#define SWAP(type, a, b)                                                                           \
    do {                                                                                           \
        type swapped = (a);                                                                        \
        (a) = (b);                                                                                 \
        (b) = swapped;                                                                             \
    } while (0)

static void swap(struct call *call)
{
    struct call_aside *aside = call->aside;

    SWAP(uint64_t, call->upstream, aside->upstream);
    SWAP(uint8_t, call->number, aside->number);
    SWAP(uint8_t, call->place, aside->place);
    SWAP(uint8_t, call->lane, aside->lane);
    SWAP(struct relay, call->relay, aside->relay);
    SWAP(struct http1_part, call->head.upstream_id, aside->upstream_id);
    SWAP(uint64_t, call->facts.attempt_us, aside->attempt_us);
    SWAP(uint64_t, call->facts.head_us, aside->head_us);
    SWAP(uint64_t, call->facts.content_us, aside->content_us);
    SWAP(uint32_t, call->slot, aside->slot);
    SWAP(uint64_t, call->guess_key, aside->guess_key);
    SWAP(struct guess, call->input_guess, aside->input_guess);
    SWAP(unsigned, call->facts.upstream_status, aside->upstream_status);
    SWAP(bool, call->facts.is_reused, aside->is_reused);
}

bool call_look_at_lane(struct call *call, uint8_t lane)
{
    if (call->lane != lane) {
        if (call->aside == NULL || call->aside->lane != lane) {
            return false;
        }
        swap(call);
    }
    return call->upstream != 0;
}

void call_look_at(struct call *call, uint8_t number)
{
    if (call->number != number && call->aside != NULL && call->aside->number == number) {
        swap(call);
    }
}

bool call_set_aside(struct call *call)
{
    must(call->aside == NULL);
    call->aside = mem_take_zero(sizeof *call->aside);
    if (call->aside == NULL) {
        return false;
    }
    relay_begin(&call->aside->relay);
    call->aside->lane = (uint8_t)(1 - call->lane);
    swap(call);
    return true;
}

void call_drop_aside(struct call *call)
{
    if (call->aside != NULL) {
        must(call->aside->upstream == 0);
        relay_fini(&call->aside->relay);
        mem_give(call->aside, sizeof *call->aside);
        call->aside = NULL;
    }
}
