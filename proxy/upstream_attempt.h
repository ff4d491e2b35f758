/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/upstream_attempt.h: the inside of upstream_http1.c: one attempt, from its start to its one
 * end.
 *
 * state     waits for                              goes on with
 * QUEUED    its own task                           WAITING, or OPEN with an idle connection
 * WAITING   the pool                               OPEN, or its end
 * HEAD      a response head; meanwhile it writes   BODY, or its end
 * BODY      the end of the body                    its end
 *
 * Every call of an ear may cancel the attempt: it is dead then, but its memory lives until the ear
 * has returned. The functions here that return bool say with false that the attempt is gone. */
#ifndef PROXY_UPSTREAM_ATTEMPT_H
#define PROXY_UPSTREAM_ATTEMPT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/slots.h"
#include "proxy/pool.h"
#include "proxy/upstream.h"

struct sending;

struct upstream {
    struct loop *loop;
    struct pool *pool;
    struct ahead *ahead;         /* reads lines whose attempts have something to read */
    struct slots slots;
    struct link attempts;        /* all, to end them when this ends; never searched */
    struct sending *free;        /* kept for the next requests */
    unsigned free_count;
    struct link spare;           /* attempts that are over, kept for the next ones */
    unsigned spare_count;
    struct http1_head head;      /* scratch for heads that come whole */
};

/* What is needed only while a request is being written; most are, in one call. */
struct sending {
    struct sending *next_free;
    struct upstream *upstream;
    struct attempt *attempt;
    struct event writable;       /* added after the socket was full, once per wait */
    struct loop_timer stall;
    struct span pieces[UPSTREAM_PIECES_MAX]; /* what is left of them */
    uint8_t count;
    uint8_t next;
    bool has_event;              /* `writable` is assigned */
    bool has_sent;               /* a byte was accepted */
    char *slice;                 /* TLS: the same place and length again after AGAIN */
    size_t slice_len;
    size_t slice_at;
};

/* A head that did not come whole. */
struct partial {
    struct buf bytes;
    struct http1_head head;
};

enum attempt_state { ATTEMPT_QUEUED, ATTEMPT_WAITING, ATTEMPT_HEAD, ATTEMPT_BODY };

struct attempt {
    /* What every piece of a body touches stands together, up to ATTEMPT_HOT: thousands of streams
     * share a cache. */
    struct upstream *upstream;
    struct line *line;
    struct http1_body body;
    struct upstream_ears ears;
    uint64_t id;
    struct sending *sending;     /* NULL: written, or given up */
    enum attempt_state state;
    bool is_paused;
    bool in_ear;
    bool is_dead;
    bool can_keep;               /* the answer's head allows another request */
    /* From here on what only begin and end touch. */
    bool is_head_method;
    bool is_written;
    bool has_broken;             /* writing failed: what is left to read decides */
    uint8_t interims;            /* 1xx seen */
    uint32_t write_ms;
    struct span warm[UPSTREAM_WARM_MAX];
    struct link link;            /* in upstream->attempts, or among its spare ones */
    struct pool_user user;
    struct loop_task task;
    uint64_t handle;
    struct partial *partial;
};

enum { ATTEMPT_HOT = offsetof(struct attempt, is_head_method) };

/* upstream_http1.c */
bool attempt_leave_ear(struct attempt *attempt);
/* The one end: gives the connection up unless it was given back before, frees, tells. */
void attempt_end(struct attempt *attempt, enum outcome how);

/* upstream_write.c */
struct sending *sending_take(struct upstream *upstream, const struct upstream_request *request);
void sending_give(struct sending *sending);
/* Frees those that are kept. */
void sending_free_all(struct upstream *upstream);
/* Takes the memory that writing to TLS needs. ERR_MEMORY. */
MUST_CHECK enum err sending_prepare_tls(struct sending *sending);
enum write_step { WRITE_DONE, WRITE_BLOCKED, WRITE_BROKEN };
/* Writes what the connection takes now. */
enum write_step attempt_write(struct attempt *attempt);
/* The same, and acts on what came of it. */
bool attempt_write_on(struct attempt *attempt);

/* upstream_read.c */
/* Delivers what was read ahead, then reads and delivers until there is nothing more, or it was
 * enough for this turn. */
void attempt_read(struct attempt *attempt);
/* What reads the lines of attempts in rows. */
extern const struct ahead_ears attempt_ahead_ears;

#endif
