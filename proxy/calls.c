/* SPDX-License-Identifier: Apache-2.0 */
/* All calls of a loop: their ids, their memory, and the one door out. Closed calls are used again,
 * with the small buffers they have. */
#include "proxy/call_hold.h"
#include "proxy/call_translate.h"

#include "proxy/admin_ask.h"

#include "base/limits.h"
#include "base/mem.h"

enum {
    CALLS_SLOTS_MAX = 1 << 20,
    SPARES_MAX = 128,       /* closed calls kept for the next ones */
    SPARE_BUFFER_MAX = 4096 /* and the largest of their buffers that stays */
};

struct calls *calls_new(struct env *env)
{
    struct calls *calls = mem_take_zero(sizeof *calls);

    if (calls != NULL) {
        calls->env = env;
        for (uint8_t i = 0; i < LANES; i++) {
            calls->lanes[i] = (struct lane){.calls = calls, .number = i};
        }
        calls->admin.began = loop_now(env->loop);
        slots_init(&calls->slots, CALLS_SLOTS_MAX);
        list_init(&calls->open);
        list_init(&calls->spare);
        loop_entropy(env->loop, &calls->id_high, sizeof calls->id_high);
        loop_entropy(env->loop, &calls->id_low, sizeof calls->id_low);
    }
    return calls;
}

unsigned calls_count(const struct calls *calls)
{
    return calls->slots.count;
}

/* 48 bits of time and 80 of chance in 26 letters that sort by time. */
void calls_put_id(struct calls *calls, char text[CALL_ID_LENGTH])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint64_t time = (uint64_t)loop_wall(calls->env->loop);
    uint64_t low = calls->id_low;
    uint64_t high = calls->id_high;

    /* Odd steps walk through all values before one comes again. */
    calls->id_low += UINT64_C(0x9e3779b97f4a7c15);
    calls->id_high += UINT64_C(0xda942042e4dd58b5);
    for (int i = 9; i >= 0; i--) {
        text[i] = letters[time % 32];
        time /= 32;
    }
    for (int i = 17; i >= 10; i--) {
        text[i] = letters[low % 32];
        low /= 32;
    }
    for (int i = 25; i >= 18; i--) {
        text[i] = letters[high % 32];
        high /= 32;
    }
}
/* ---- memory ---- */

static void keep_small(struct buf *buf)
{
    if (buf->cap > SPARE_BUFFER_MAX) {
        buf_fini(buf);
    } else {
        buf_clear(buf);
    }
}

static void destroy(struct call *call)
{
    buf_fini(&call->head.text);
    buf_fini(&call->body);
    buf_fini(&call->model);
    buf_fini(&call->wire_head);
    relay_fini(&call->relay);
    mem_give(call, sizeof *call);
}

static void reap(struct call *call)
{
    struct calls *calls = call->env->calls;

    if (call->is_told) {
        call_record_none(call);
        call_log(call);
        call_tell(call);
    }
    call_budget_give(call);
    snapshot_give(call->snapshot);
    keyring_give(call->keyring);
    call_drop_aside(call);
    admin_ask_forget(call);
    call_forget_kept(call);
    call_drain_end(call);
    call_resume_end(call);
    call_translate_free(call);
    call_wait_forget(call);
    relay_end(&call->relay);
    if (calls->spare_count == SPARES_MAX) {
        destroy(call);
        return;
    }
    keep_small(&call->head.text);
    keep_small(&call->body);
    keep_small(&call->model);
    keep_small(&call->wire_head);
    keep_small(&call->relay.head);
    keep_small(&call->relay.held);
    calls->spare_count++;
    list_push_front(&calls->spare, &call->link);
}

static void run(struct loop_task *task)
{
    struct call *call = LIST_OWNER(task, struct call, task);

    if (call->is_closed) {
        reap(call);
    } else {
        call_take_up(call);
    }
}

/* A call with nothing in it but, perhaps, room. NULL without memory. */
static struct call *take_blank(struct calls *calls)
{
    struct call *call = NULL;

    if (calls->spare_count == 0) {
        return mem_take_zero(sizeof *call);
    }
    call = LIST_OWNER(calls->spare.next, struct call, link);
    list_remove(&call->link);
    calls->spare_count--;
    struct buf kept[] = {call->head.text, call->body, call->model, call->wire_head,
                         call->relay.head, call->relay.held};
    memset(call, 0, sizeof *call);
    call->head.text = kept[0];
    call->body = kept[1];
    call->model = kept[2];
    call->wire_head = kept[3];
    call->relay.head = kept[4];
    call->relay.held = kept[5];
    return call;
}

static void give_blank(struct calls *calls, struct call *call)
{
    if (call != NULL) {
        calls->spare_count++;
        list_push_front(&calls->spare, &call->link);
    }
}

void calls_free(struct calls *calls)
{
    if (calls != NULL) {
        must(calls->slots.count == 0);
        while (!list_is_empty(&calls->spare)) {
            struct call *call = LIST_OWNER(calls->spare.next, struct call, link);
            list_remove(&call->link);
            destroy(call);
        }
        call_budgets_free(calls);
        slots_fini(&calls->slots);
        mem_give(calls, sizeof *calls);
    }
}

/* The one door out. */
void call_close(struct call *call, bool is_told)
{
    if (call->is_closed) {
        return;
    }
    call->is_closed = true;
    call_hold_end(call);
    if (call->repeats != NULL) {
        call_replay_end(call);
    }
    call_rates_leave(call);
    call->env->calls->drains -= call->drain != NULL;
    (void)slots_remove(&call->env->calls->slots, call->id);
    list_remove(&call->link);
    call->is_told = is_told;
    loop_task_queue(call->env->loop, &call->task);
}

struct call *call_make(struct conn *conn)
{
    struct env *env = conn_env(conn);
    struct call *call = take_blank(env->calls);

    if (call == NULL || slots_add(&env->calls->slots, call, &call->id) != ERR_NONE) {
        give_blank(env->calls, call);
        return NULL;
    }
    call->env = env;
    call->conn = conn;
    call->snapshot = snapshot_take(env->snapshot);
    call->caller = &caller_anyone;
    call->facts.began_us = loop_micros(env->loop);
    call->facts.began_at = loop_wall(env->loop);
    call->body.max = (size_t)env->snapshot->limits.body;
    call->model.max = (size_t)LIMIT_MODEL_NAME * 4;
    call->wire_head.max = LIMIT_WIRE_HEAD;
    relay_begin(&call->relay);
    loop_task_init(&call->task, run);
    list_push_back(&env->calls->open, &call->link);
    calls_put_id(env->calls, call->call_id);
    return call;
}
