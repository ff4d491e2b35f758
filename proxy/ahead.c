/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/ahead.h"

#include "base/limits.h"
#include "base/mem.h"

enum {
    ROW = 16,               /* read before the first of them is passed on: the cache holds so many */
    READ_MAX = 16 * 1024,   /* of one socket; */
    ROOM_LEAST = 4 * 1024   /* with less room left, it is read when its turn comes */
};

struct ahead {
    struct loop *loop;
    struct ahead_ears ears;
    struct link queued;
    struct loop_task task;
    char bytes[LIMIT_RECV];
};

static struct ahead_place *first(struct link *list)
{
    return LIST_OWNER(list->next, struct ahead_place, link);
}

/* Moves the next few to `row` and reads them. */
static void read_row(struct ahead *ahead, struct link *row)
{
    size_t used = 0;

    for (unsigned i = 0; i < ROW && !list_is_empty(&ahead->queued); i++) {
        struct ahead_place *place = first(&ahead->queued);
        size_t room = sizeof ahead->bytes - used;

        list_remove(&place->link);
        list_push_back(row, &place->link);
        if (room >= ROOM_LEAST) {
            used += ahead->ears.read(place, ahead->bytes + used, room < READ_MAX ? room : READ_MAX);
        }
    }
}

static void run(struct loop_task *task)
{
    struct ahead *ahead = LIST_OWNER(task, struct ahead, task);

    while (!list_is_empty(&ahead->queued)) {
        struct link row;

        list_init(&row);
        read_row(ahead, &row);
        while (!list_is_empty(&row)) {
            struct ahead_place *place = first(&row);

            list_remove(&place->link);
            ahead->ears.pass(place);
        }
    }
}

struct ahead *ahead_new(struct loop *loop, const struct ahead_ears *ears)
{
    struct ahead *ahead = mem_take(sizeof *ahead);

    if (ahead != NULL) {
        ahead->loop = loop;
        ahead->ears = *ears;
        list_init(&ahead->queued);
        loop_task_init(&ahead->task, run);
    }
    return ahead;
}

void ahead_free(struct ahead *ahead)
{
    if (ahead != NULL) {
        loop_task_cancel(&ahead->task);
        mem_give(ahead, sizeof *ahead);
    }
}

void ahead_place_init(struct ahead_place *place)
{
    list_init(&place->link);
}

void ahead_queue(struct ahead *ahead, struct ahead_place *place)
{
    if (list_is_empty(&place->link)) {
        list_push_back(&ahead->queued, &place->link);
        loop_task_queue(ahead->loop, &ahead->task);
    }
}

bool ahead_is_queued(const struct ahead_place *place)
{
    return !list_is_empty(&place->link);
}

void ahead_take_out(struct ahead_place *place)
{
    list_remove(&place->link);
}
