/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/outbox.h"

#include "base/limits.h"
#include "base/mem.h"

struct outbox {
    struct loop *loop;
    struct loop_task task;
    void (*leave)(struct outbox_place *place, struct span bytes);
    struct link waiting; /* places with something in them */
    size_t used;
    char bytes[LIMIT_OUTBOX];
};

void outbox_place_init(struct outbox_place *place)
{
    *place = (struct outbox_place){0};
    list_init(&place->link);
}

/* `leave` may put more into the same or another place: that leaves with them. */
static void leave_all(struct loop_task *task)
{
    struct outbox *outbox = LIST_OWNER(task, struct outbox, task);

    while (!list_is_empty(&outbox->waiting)) {
        struct outbox_place *place = LIST_OWNER(outbox->waiting.next, struct outbox_place, link);

        outbox->leave(place, outbox_take(outbox, place));
    }
}

struct outbox *outbox_new(struct loop *loop,
                          void (*leave)(struct outbox_place *place, struct span bytes))
{
    struct outbox *outbox = mem_take(sizeof *outbox);

    if (outbox != NULL) {
        outbox->loop = loop;
        outbox->leave = leave;
        outbox->used = 0;
        list_init(&outbox->waiting);
        loop_task_init(&outbox->task, leave_all);
    }
    return outbox;
}

void outbox_free(struct outbox *outbox)
{
    if (outbox != NULL) {
        loop_task_cancel(&outbox->task);
        mem_give(outbox, sizeof *outbox);
    }
}

bool outbox_put(struct outbox *outbox, struct outbox_place *place, const struct span *pieces,
                size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += pieces[i].len;
    }
    if (total == 0) {
        return true;
    }
    if (list_is_empty(&outbox->waiting)) {
        outbox->used = 0;
    }
    /* Something of another place may lie behind what this one has: then it is not one run of bytes. */
    if (total > sizeof outbox->bytes - outbox->used ||
        (place->len > 0 && place->at + place->len != outbox->used)) {
        return false;
    }
    if (place->len == 0) {
        place->at = outbox->used;
        list_push_back(&outbox->waiting, &place->link);
        loop_task_queue(outbox->loop, &outbox->task);
    }
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].len > 0) { /* an empty one may lie nowhere */
            memcpy(outbox->bytes + outbox->used, pieces[i].at, pieces[i].len);
            outbox->used += pieces[i].len;
        }
    }
    place->len += total;
    return true;
}

struct span outbox_take(struct outbox *outbox, struct outbox_place *place)
{
    struct span bytes = span_make(outbox->bytes + place->at, place->len);

    list_remove(&place->link);
    place->len = 0;
    return bytes;
}
