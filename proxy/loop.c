/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/loop.c: one turn is: wait, let libevent call those whose sockets have something, run the queued
 * tasks, fire the timers that are due, run what these queued. The clock is read by the first one who
 * asks after the waiting, so it is fresh in every callback and read at most once a turn. No locks: a
 * loop belongs to one thread. */
#include "proxy/loop.h"

#include <sys/random.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/must.h"

/* How often tasks may queue further tasks before sockets are looked at again. */
enum { TASK_ROUNDS_MAX = 8 };

/* What getentropy gives at most in one call. */
enum { ENTROPY_PIECE = 256 };

/* What was read from the clocks in this turn. */
struct moment {
    mono_ms mono;
    wall_ms wall;
    bool has_mono;
    bool has_wall;
};

struct loop {
    struct event_base *base;
    struct loop_world world;
    struct moment *moment; /* apart, because asking the time is no change of the loop */
    struct link tasks;     /* for this turn */
    struct link later;     /* for the next one */
    struct link due;       /* timers that fire behind the tasks of this turn */
    struct event limit;    /* ends the waiting of loop_turn */
    bool is_real;
    bool is_stopped;
    char recv[LIMIT_RECV];
};

static uint64_t clock_read(clockid_t clock, uint64_t per_second)
{
    struct timespec at;
    must(clock_gettime(clock, &at) == 0);
    return (uint64_t)at.tv_sec * per_second + (uint64_t)at.tv_nsec / (1000000000U / per_second);
}

static mono_ms world_mono(void *to)
{
    (void)to;
    return clock_read(CLOCK_MONOTONIC, 1000);
}

static wall_ms world_wall(void *to)
{
    (void)to;
    return (wall_ms)clock_read(CLOCK_REALTIME, 1000);
}

static void world_entropy(void *to, void *bytes, size_t count)
{
    (void)to;
    char *at = bytes;
    while (count > 0) {
        size_t piece = count < ENTROPY_PIECE ? count : ENTROPY_PIECE;
        must(getentropy(at, piece) == 0);
        at += piece;
        count -= piece;
    }
}

/* The waiting is over when this fires; there is nothing else to do. */
static void limit_cb(evutil_socket_t fd, short what, void *to)
{
    (void)fd;
    (void)what;
    (void)to;
}

static struct event_base *base_make(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return NULL;
    }
    struct event_base *base = NULL;
    int flags = EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV;
    if (event_config_set_flag(config, flags) == 0) {
        base = event_base_new_with_config(config);
    }
    event_config_free(config);
    return base;
}

struct loop *loop_new(const struct loop_world *world)
{
    struct loop *loop = mem_take(sizeof *loop);
    if (loop == NULL) {
        return NULL;
    }
    loop->moment = mem_take_zero(sizeof *loop->moment);
    loop->base = loop->moment == NULL ? NULL : base_make();
    if (loop->base == NULL) {
        mem_give(loop->moment, sizeof *loop->moment);
        mem_give(loop, sizeof *loop);
        return NULL;
    }
    loop->is_real = world == NULL;
    loop->world = world != NULL ? *world
                                : (struct loop_world){.mono = world_mono,
                                                      .wall = world_wall,
                                                      .entropy = world_entropy};
    loop->is_stopped = false;
    list_init(&loop->tasks);
    list_init(&loop->later);
    list_init(&loop->due);
    must(event_assign(&loop->limit, loop->base, -1, 0, limit_cb, NULL) == 0);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    event_del(&loop->limit);
    event_base_free(loop->base);
    mem_give(loop->moment, sizeof *loop->moment);
    mem_give(loop, sizeof *loop);
}

/* Moves all of `from` behind what stands in `to`. */
static void list_move(struct link *to, struct link *from)
{
    if (list_is_empty(from)) {
        return;
    }
    struct link *first = from->next;
    struct link *last = from->prev;
    first->prev = to->prev;
    to->prev->next = first;
    last->next = to;
    to->prev = last;
    list_init(from);
}

/* One round takes what is queued now; what these tasks queue belongs to the next round. */
static void tasks_run(struct loop *loop)
{
    for (unsigned round = 0; round < TASK_ROUNDS_MAX && !list_is_empty(&loop->tasks); round++) {
        struct link batch;
        list_init(&batch);
        list_move(&batch, &loop->tasks);
        while (!list_is_empty(&batch)) {
            struct loop_task *task = LIST_OWNER(batch.next, struct loop_task, link);
            list_remove(&task->link);
            task->run(task);
        }
    }
}

void loop_run_tasks(struct loop *loop)
{
    tasks_run(loop);
}

static void timers_fire(struct loop *loop);

static void turn(struct loop *loop, int flags)
{
    loop->moment->has_mono = false;
    loop->moment->has_wall = false;
    bool is_awake = !list_is_empty(&loop->tasks) || !list_is_empty(&loop->later);
    list_move(&loop->tasks, &loop->later);
    /* ONCE also when it does not wait: else libevent looks again and again for as long as any socket has
     * something to say, and those that are read in a task never come to it. */
    flags |= EVLOOP_ONCE | (is_awake ? EVLOOP_NONBLOCK : 0);
    must(event_base_loop(loop->base, flags) >= 0);
    tasks_run(loop);
    if (!list_is_empty(&loop->due)) {
        timers_fire(loop);
        tasks_run(loop);
    }
}

void loop_run(struct loop *loop)
{
    while (!loop->is_stopped) {
        turn(loop, EVLOOP_NO_EXIT_ON_EMPTY);
    }
}

bool loop_turn(struct loop *loop, uint32_t ms)
{
    if (loop->is_stopped) {
        return false;
    }
    if (ms == 0) {
        turn(loop, EVLOOP_NONBLOCK);
        return !loop->is_stopped;
    }
    struct timeval limit = {.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    must(event_add(&loop->limit, &limit) == 0);
    turn(loop, 0);
    event_del(&loop->limit);
    return !loop->is_stopped;
}

void loop_stop(struct loop *loop)
{
    loop->is_stopped = true;
    event_base_loopbreak(loop->base);
}

void loop_resume(struct loop *loop)
{
    loop->is_stopped = false;
}

mono_ms loop_now(const struct loop *loop)
{
    struct moment *moment = loop->moment;
    if (!moment->has_mono) {
        moment->mono = loop->world.mono(loop->world.to);
        moment->has_mono = true;
    }
    return moment->mono;
}

uint64_t loop_micros(const struct loop *loop)
{
    return loop->is_real ? clock_read(CLOCK_MONOTONIC, 1000000)
                         : loop->world.mono(loop->world.to) * 1000;
}

wall_ms loop_wall(const struct loop *loop)
{
    struct moment *moment = loop->moment;
    if (!moment->has_wall) {
        moment->wall = loop->world.wall(loop->world.to);
        moment->has_wall = true;
    }
    return moment->wall;
}

void loop_entropy(struct loop *loop, void *bytes, size_t count)
{
    loop->world.entropy(loop->world.to, bytes, count);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

char *loop_recv_buffer(struct loop *loop)
{
    return loop->recv;
}

static void timer_arm(struct loop_timer *timer)
{
    uint64_t ms = mono_until(loop_now(timer->loop), timer->wanted);
    struct timeval delay = {.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    must(event_add(&timer->event, &delay) == 0);
    timer->armed = timer->wanted;
}

static void timer_cb(evutil_socket_t fd, short what, void *to)
{
    (void)fd;
    (void)what;
    struct loop_timer *timer = to;
    mono_ms now = loop_now(timer->loop);
    timer->armed = MONO_NEVER;
    if (timer->wanted == MONO_NEVER) {
        return;
    }
    if (timer->wanted > now) {
        timer_arm(timer);
    } else if (list_is_empty(&timer->due)) {
        list_push_back(&timer->loop->due, &timer->due);
    }
}

/* Those that were moved meanwhile wait on. One that is set again while this runs comes in a later turn. */
static void timers_fire(struct loop *loop)
{
    struct link batch;
    mono_ms now = loop_now(loop);

    list_init(&batch);
    list_move(&batch, &loop->due);
    while (!list_is_empty(&batch)) {
        struct loop_timer *timer = LIST_OWNER(batch.next, struct loop_timer, due);
        list_remove(&timer->due);
        if (timer->wanted <= now) {
            timer->wanted = MONO_NEVER;
            timer->fire(timer, now);
        } else if (timer->wanted < timer->armed) {
            timer_arm(timer);
        }
    }
}

void loop_timer_init(struct loop_timer *timer, struct loop *loop,
                     void (*fire)(struct loop_timer *timer, mono_ms now))
{
    *timer = (struct loop_timer){
        .loop = loop, .fire = fire, .wanted = MONO_NEVER, .armed = MONO_NEVER};
    list_init(&timer->due);
    must(event_assign(&timer->event, loop->base, -1, 0, timer_cb, timer) == 0);
}

void loop_timer_set(struct loop_timer *timer, mono_ms at)
{
    timer->wanted = at;
    if (at < timer->armed) {
        timer_arm(timer);
    }
}

void loop_timer_fini(struct loop_timer *timer)
{
    if (timer->loop != NULL) {
        list_remove(&timer->due);
        event_del(&timer->event);
        timer->loop = NULL;
    }
}

void loop_task_init(struct loop_task *task, void (*run)(struct loop_task *task))
{
    list_init(&task->link);
    task->run = run;
}

void loop_task_queue(struct loop *loop, struct loop_task *task)
{
    if (list_is_empty(&task->link)) {
        list_push_back(&loop->tasks, &task->link);
    }
}

void loop_task_queue_later(struct loop *loop, struct loop_task *task)
{
    if (list_is_empty(&task->link)) {
        list_push_back(&loop->later, &task->link);
    }
}

void loop_task_cancel(struct loop_task *task)
{
    list_remove(&task->link);
}
