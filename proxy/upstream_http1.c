/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/upstream_http1.c: our HTTP/1.1 engine towards providers. It writes a request at most once
 * per attempt: only a kept connection that is found dead before its first byte was taken is
 * replaced. Writing: upstream_write.c; reading: upstream_read.c; states: upstream_attempt.h. */
#include "proxy/upstream_attempt.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum { ATTEMPTS_MAX = 1 << 24, SPARE_MAX = 64 };

_Static_assert(UPSTREAM_WARM_MAX + 1 == LINE_WARM_MAX, "an attempt, and what its ears touch");

/* Zeroed: a spare one, or a new one. */
static struct attempt *attempt_take(struct upstream *upstream)
{
    struct attempt *attempt = NULL;

    if (upstream->spare_count == 0) {
        return mem_take_zero(sizeof *attempt);
    }
    attempt = LIST_OWNER(upstream->spare.next, struct attempt, link);
    list_remove(&attempt->link);
    upstream->spare_count--;
    memset(attempt, 0, sizeof *attempt);
    return attempt;
}

static void attempt_give(struct upstream *upstream, struct attempt *attempt)
{
    if (attempt->partial != NULL) {
        buf_fini(&attempt->partial->bytes);
        mem_give(attempt->partial, sizeof *attempt->partial);
    }
    if (upstream->spare_count == SPARE_MAX) {
        mem_give(attempt, sizeof *attempt);
        return;
    }
    list_init(&attempt->link);
    list_push_front(&upstream->spare, &attempt->link); /* the caches still have it */
    upstream->spare_count++;
}

/* Lets go of everything but the memory. */
static void attempt_release(struct attempt *attempt)
{
    struct upstream *upstream = attempt->upstream;
    loop_task_cancel(&attempt->task);
    if (attempt->sending != NULL) {
        sending_give(attempt->sending);
        attempt->sending = NULL;
    }
    pool_leave(upstream->pool, &attempt->user);
    if (attempt->line != NULL) {
        pool_drop(upstream->pool, attempt->line);
        attempt->line = NULL;
    }
    list_remove(&attempt->link);
    slots_remove(&upstream->slots, attempt->handle);
}

void attempt_end(struct attempt *attempt, enum outcome how)
{
    must(!attempt->in_ear);
    struct upstream_ears ears = attempt->ears;
    uint64_t id = attempt->id;
    struct upstream *upstream = attempt->upstream;

    attempt_release(attempt);
    attempt_give(upstream, attempt);
    ears.on_end(ears.to, id, how);
}

bool attempt_leave_ear(struct attempt *attempt)
{
    attempt->in_ear = false;
    if (attempt->is_dead) {
        attempt_give(attempt->upstream, attempt);
        return false;
    }
    return true;
}

static void line_readable(struct line *line)
{
    struct upstream *upstream = line->engine;
    line_warm(line);
    ahead_queue(upstream->ahead, &line->place);
}

/* Begins on this connection. False: it was dead already, nothing was written, take another. */
static bool attempt_open(struct attempt *attempt, struct line *line)
{
    struct upstream *upstream = attempt->upstream;
    attempt->line = line;
    attempt->state = ATTEMPT_HEAD;
    line->user = attempt;
    line->engine = upstream;
    line->is_paused = attempt->is_paused;
    line->warm[0] = span_make((const char *)attempt, ATTEMPT_HOT);
    memcpy(line->warm + 1, attempt->warm, sizeof attempt->warm);
    line->on_readable = line_readable;
    if (line->tls != NULL && sending_prepare_tls(attempt->sending) != ERR_NONE) {
        attempt_end(attempt, OUTCOME_LOCAL);
        return true;
    }
    enum write_step step = attempt_write(attempt);
    if (step == WRITE_BROKEN && line->is_kept && !attempt->sending->has_sent) {
        attempt->line = NULL;
        attempt->state = ATTEMPT_QUEUED;
        pool_drop(upstream->pool, line);
        return false;
    }
    line_watch(line, true);
    if (step != WRITE_BLOCKED) {
        attempt->has_broken = step == WRITE_BROKEN;
        attempt->is_written = step == WRITE_DONE;
        sending_give(attempt->sending);
        attempt->sending = NULL;
    }
    attempt->in_ear = true;
    attempt->ears.on_connected(attempt->ears.to, attempt->id, line->is_kept);
    if (!attempt->is_dead && step == WRITE_DONE) {
        attempt->ears.on_written(attempt->ears.to, attempt->id);
    }
    (void)attempt_leave_ear(attempt);
    return true;
}

static void attempt_begin(struct attempt *attempt)
{
    struct pool *pool = attempt->upstream->pool;
    struct line *line = attempt->user.line;
    attempt->user.line = NULL;
    if (line == NULL && !attempt->user.is_fresh) {
        line = pool_take(pool, attempt->user.provider);
    }
    while (line != NULL) {
        if (attempt_open(attempt, line)) {
            return;
        }
        line = pool_take(pool, attempt->user.provider);
    }
    attempt->state = ATTEMPT_WAITING;
    pool_wait(pool, &attempt->user);
}

static void attempt_run(struct loop_task *task)
{
    struct attempt *attempt = LIST_OWNER(task, struct attempt, task);
    switch (attempt->state) {
    case ATTEMPT_QUEUED: attempt_begin(attempt); return;
    case ATTEMPT_WAITING:
        if (attempt->user.has_failed) {
            attempt_end(attempt, attempt->user.failure);
        } else {
            attempt_begin(attempt);
        }
        return;
    case ATTEMPT_HEAD:
    case ATTEMPT_BODY: attempt_read(attempt); return;
    }
}

static uint64_t http1_start(struct upstream *upstream, const struct upstream_request *request,
                            const struct upstream_ears *ears, uint64_t id)
{
    struct attempt *attempt = attempt_take(upstream);
    if (attempt == NULL) {
        return 0;
    }
    attempt->sending = sending_take(upstream, request);
    if (attempt->sending == NULL ||
        slots_add(&upstream->slots, attempt, &attempt->handle) != ERR_NONE) {
        if (attempt->sending != NULL) {
            sending_give(attempt->sending);
        }
        attempt_give(upstream, attempt);
        return 0;
    }
    attempt->upstream = upstream;
    attempt->ears = *ears;
    attempt->id = id;
    attempt->write_ms = request->write_ms;
    memcpy(attempt->warm, request->warm, sizeof attempt->warm);
    attempt->is_head_method = request->is_head_method;
    attempt->user.provider = request->provider;
    attempt->user.connect_ms = request->connect_ms;
    attempt->user.is_fresh = request->is_fresh;
    attempt->user.task = &attempt->task;
    list_init(&attempt->user.link);
    list_init(&attempt->link);
    list_push_back(&upstream->attempts, &attempt->link);
    loop_task_init(&attempt->task, attempt_run);
    loop_task_queue(upstream->loop, &attempt->task);
    return attempt->handle;
}

static void set_paused(struct attempt *attempt, bool is_paused)
{
    attempt->is_paused = is_paused;
    if (attempt->line != NULL) {
        attempt->line->is_paused = is_paused;
    }
}

static void http1_pause(struct upstream *upstream, uint64_t handle)
{
    struct attempt *attempt = slots_find(&upstream->slots, handle);
    if (attempt != NULL) {
        set_paused(attempt, true);
    }
}

static void http1_resume(struct upstream *upstream, uint64_t handle)
{
    struct attempt *attempt = slots_find(&upstream->slots, handle);
    if (attempt == NULL || !attempt->is_paused) {
        return;
    }
    set_paused(attempt, false);
    if (attempt->line != NULL) {
        line_watch(attempt->line, true);
        if (attempt->line->tls != NULL) {
            loop_task_queue(upstream->loop, &attempt->task);
        }
    }
}

static void http1_cancel(struct upstream *upstream, uint64_t handle)
{
    struct attempt *attempt = slots_find(&upstream->slots, handle);
    if (attempt == NULL) {
        return;
    }
    attempt_release(attempt);
    if (attempt->in_ear) {
        attempt->is_dead = true;
    } else {
        attempt_give(upstream, attempt);
    }
}

const struct upstream_ops upstream_http1_ops = {
    .start = http1_start,
    .pause = http1_pause,
    .resume = http1_resume,
    .cancel = http1_cancel,
};

struct upstream *upstream_http1_new(struct loop *loop, const struct snapshot *snapshot)
{
    struct upstream *upstream = mem_take_zero(sizeof *upstream);
    if (upstream == NULL) {
        return NULL;
    }
    upstream->loop = loop;
    list_init(&upstream->attempts);
    list_init(&upstream->spare);
    slots_init(&upstream->slots, ATTEMPTS_MAX);
    upstream->pool = pool_new(loop, snapshot);
    upstream->ahead = ahead_new(loop, &attempt_ahead_ears);
    if (upstream->ahead == NULL || upstream->pool == NULL) {
        upstream_http1_free(upstream);
        return NULL;
    }
    return upstream;
}

void upstream_http1_free(struct upstream *upstream)
{
    if (upstream == NULL) {
        return;
    }
    while (!list_is_empty(&upstream->attempts)) {
        struct attempt *attempt = LIST_OWNER(upstream->attempts.next, struct attempt, link);
        must(!attempt->in_ear);
        attempt_release(attempt);
        attempt_give(upstream, attempt);
    }
    while (!list_is_empty(&upstream->spare)) {
        struct attempt *attempt = LIST_OWNER(upstream->spare.next, struct attempt, link);

        list_remove(&attempt->link);
        mem_give(attempt, sizeof *attempt);
    }
    pool_free(upstream->pool);
    ahead_free(upstream->ahead);
    sending_free_all(upstream);
    slots_fini(&upstream->slots);
    mem_give(upstream, sizeof *upstream);
}

unsigned upstream_http1_idle(const struct upstream *upstream)
{
    return pool_idle(upstream->pool);
}
