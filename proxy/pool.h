/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/pool.h: connections kept warm, per endpoint. The last one given back is the first one
 * taken; those who find none wait in a queue and get whichever is ready first, one given back or
 * one dialed for them. Users are told from a task of their own, so nothing here calls back at
 * once. */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H

#include "proxy/line.h"

struct pool;

/* One who wants a connection; embedded in its owner. */
struct pool_user {
    struct link link;                /* in the queue */
    const struct provider *provider;
    struct loop_task *task;          /* queued when line or failure has come */
    struct line *line;               /* what came */
    mono_ms since;
    uint32_t connect_ms;
    bool is_fresh;                   /* takes no kept one */
    bool has_failed;
    enum outcome failure;
};

/* NULL when it cannot be made. The snapshot outlives it. */
struct pool *pool_new(struct loop *loop, const struct snapshot *snapshot);
/* Closes what is idle and drops the dials. Nobody waits and nothing is in use by then. */
void pool_free(struct pool *pool);
/* An idle connection, or NULL. */
struct line *pool_take(struct pool *pool, const struct provider *provider);
/* Queues the user: provider, connect_ms and task are filled. */
void pool_wait(struct pool *pool, struct pool_user *user);
/* Leaves the queue; allowed when not in it. A connection that has come already goes back. */
void pool_leave(struct pool *pool, struct pool_user *user);
/* The answer is complete and the connection may serve again. */
void pool_give(struct pool *pool, struct line *line, const struct provider *provider);
/* The connection is of no more use. */
void pool_drop(struct pool *pool, struct line *line);
/* Idle connections now. */
unsigned pool_idle(const struct pool *pool);

#endif
