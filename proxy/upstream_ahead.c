/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/upstream_ahead.c: what is readable in one turn is read first, line after line, and only then
 * passed on, attempt after attempt. Apps are so woken less often, and while the kernel is busy with
 * the reading the memory that each attempt will need comes into the cache: with thousands of streams
 * it has gone cold since their last bytes (docs/decisions/0007-calls-used-again.md). */
#include "proxy/upstream_attempt.h"

#include "base/mem.h"

enum {
    AHEAD_LINES = 16,       /* read before the first of them is passed on: the cache holds so many */
    AHEAD_READ = 16 * 1024, /* of one line; */
    AHEAD_LEAST = 4 * 1024  /* with less room left, it is read when its turn comes */
};

/* Moves the next few lines to `batch` and reads them. */
static void read_some(struct upstream *upstream, struct link *batch)
{
    size_t used = 0;

    for (unsigned i = 0; i < AHEAD_LINES && !list_is_empty(&upstream->ready); i++) {
        struct line *line = LIST_OWNER(upstream->ready.next, struct line, ready);
        size_t room = LIMIT_RECV - used;

        list_remove(&line->ready);
        list_push_back(batch, &line->ready);
        if (!line->is_paused && room >= AHEAD_LEAST) {
            line_read_ahead(line, upstream->ahead + used, room < AHEAD_READ ? room : AHEAD_READ);
            used += line->ahead.bytes.len;
        }
    }
}

static void read_task_run(struct loop_task *task)
{
    struct upstream *upstream = LIST_OWNER(task, struct upstream, read_task);

    while (!list_is_empty(&upstream->ready)) {
        struct link batch;
        list_init(&batch);
        read_some(upstream, &batch);
        while (!list_is_empty(&batch)) {
            struct line *line = LIST_OWNER(batch.next, struct line, ready);
            list_remove(&line->ready);
            attempt_read(line->user);
        }
    }
}

bool ahead_init(struct upstream *upstream)
{
    list_init(&upstream->ready);
    loop_task_init(&upstream->read_task, read_task_run);
    upstream->ahead = mem_take(LIMIT_RECV);
    return upstream->ahead != NULL;
}

void ahead_fini(struct upstream *upstream)
{
    if (upstream->ahead != NULL) {
        loop_task_cancel(&upstream->read_task);
        mem_give(upstream->ahead, LIMIT_RECV);
        upstream->ahead = NULL;
    }
}

void ahead_queue(struct upstream *upstream, struct line *line)
{
    line_warm(line);
    if (list_is_empty(&line->ready)) {
        list_push_back(&upstream->ready, &line->ready);
        loop_task_queue(upstream->loop, &upstream->read_task);
    }
}
