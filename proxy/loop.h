/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/loop.h: one turn of the loop, and the only reader of clocks and entropy. Wraps libevent for
 * those who watch sockets: a watch is embedded in its owner, added once and changed seldom. */
#ifndef PROXY_LOOP_H
#define PROXY_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/tick.h"

struct loop;

/* Time and entropy come from here, so that a test can bring its own. */
struct loop_world {
    mono_ms (*mono)(void *to);
    wall_ms (*wall)(void *to);
    void (*entropy)(void *to, void *bytes, size_t count);
    void *to;
};

/* NULL when it cannot be made. world NULL: the real one. */
struct loop *loop_new(const struct loop_world *world);
void loop_free(struct loop *loop);
/* Runs turns until loop_stop. */
void loop_run(struct loop *loop);
/* One turn that waits at most `ms`; false when asked to stop. For tests. */
bool loop_turn(struct loop *loop, uint32_t ms);
void loop_stop(struct loop *loop);
/* Turns can be made again: for those who have something in flight when it was stopped. */
void loop_resume(struct loop *loop);

/* Runs what is queued, looks at no socket; also after loop_stop, to let go of what waits there. */
void loop_run_tasks(struct loop *loop);

/* The time of this turn: read once after waiting (by the first who asks), then the same for all. */
mono_ms loop_now(const struct loop *loop);
/* Microseconds of the monotonic clock, read now: for durations in log lines. */
uint64_t loop_micros(const struct loop *loop);
wall_ms loop_wall(const struct loop *loop);
void loop_entropy(struct loop *loop, void *bytes, size_t count);
struct event_base *loop_base(struct loop *loop);

/* The loop's one receive buffer, LIMIT_RECV bytes: valid until the callback that filled it
 * returns. */
char *loop_recv_buffer(struct loop *loop);

/* A timer that is cheap to move later: it stays armed at its old time and, when it fires early,
 * sets itself again. Zero is a valid idle state. */
struct loop_timer {
    struct event event;
    struct link due; /* in the loop's list, from the time's coming until it fires */
    struct loop *loop;
    void (*fire)(struct loop_timer *timer, mono_ms now);
    mono_ms wanted;  /* MONO_NEVER: not wanted */
    mono_ms armed;   /* when libevent will call; MONO_NEVER: not armed */
};
void loop_timer_init(struct loop_timer *timer, struct loop *loop,
                     void (*fire)(struct loop_timer *timer, mono_ms now));
/* Fires once, at or after `at`; MONO_NEVER switches it off. In its turn what sockets brought goes first:
 * after a long turn nobody is late whose bytes are there. */
void loop_timer_set(struct loop_timer *timer, mono_ms at);
void loop_timer_fini(struct loop_timer *timer);

/* Something to do later in this turn, outside of any foreign callback: run in the order it was
 * queued. Embedded in its owner; queuing it twice does nothing; removal is allowed. A task may
 * queue tasks; after a few rounds of that the sockets are looked at first. */
struct loop_task {
    struct link link;
    void (*run)(struct loop_task *task);
};
void loop_task_init(struct loop_task *task, void (*run)(struct loop_task *task));
void loop_task_queue(struct loop *loop, struct loop_task *task);
/* The same in the next turn, after the sockets were looked at: for those who stopped halfway to be
 * fair to others and come back by themselves. */
void loop_task_queue_later(struct loop *loop, struct loop_task *task);
void loop_task_cancel(struct loop_task *task);

#endif
