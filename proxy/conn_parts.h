/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/conn_parts.h: what a connection of an app is made of; seen only by the files that are the
 * connection: conn.c (its life), conns.c (all of them), conn_read.c (requests in), conn_send.c
 * (answers out). It is in one state:
 *
 *   HEAD    reads a request head          BODY    reads the body of a call
 *   BUSY    a call runs, bytes wait       DROP    reads a body that nobody wants
 *   LINGER  answered for the last time, reads what still comes so that the answer is not lost
 *   DEAD    closed, memory goes at the end of the turn
 *
 * One persistent event; the write side is watched only while bytes wait for the app to read on. One timer,
 * moved lazily. What is sent leaves at the end of the turn, in one row with what goes to other apps.
 */
#ifndef PROXY_CONN_PARTS_H
#define PROXY_CONN_PARTS_H

#include "enforcement/silent.h"
#include "proxy/ahead.h"
#include "proxy/call.h"
#include "proxy/conn.h"
#include "proxy/outbox.h"
#include "proxy/store.h"

enum conn_state { CONN_HEAD, CONN_BODY, CONN_BUSY, CONN_DROP, CONN_LINGER, CONN_DEAD };

enum { CONN_HEAD_MS = 10000 }; /* a whole head, from its first byte or from the connect */

struct conn {
    struct env *env;
    struct call *call;
    uint64_t sent;
    int fd;
    enum conn_state state;
    struct buf out;           /* bytes that the socket did not take */
    struct outbox_place soon; /* what leaves at the end of this turn; nothing while bytes wait in `out` */
    short watched;            /* EV_READ, EV_WRITE */
    bool is_http10;
    bool has_costly_body; /* of the present request: not to be read only to be dropped */
    bool must_close;
    bool is_broken; /* the socket failed; the call is told by the task */
    bool is_stopped; /* what is sent waits for the disk */
    /* From here on (CONN_HOT, in conn.h) what only a request's begin or end touches. */
    enum conn_side side;
    struct {
        mono_ms own;       /* of the present state */
        mono_ms call;      /* wanted by the call */
        mono_ms body_from; /* when the body began */
        uint64_t payload;  /* of the body at the last step */
    } at;
    struct ahead_place place; /* in the row of those with something to read */
    bool has_ahead;
    struct span ahead;        /* has_ahead: what was read; empty: the other side is gone */
    uint64_t lingered;
    struct buf in;           /* bytes not understood yet */
    struct http1_head *head; /* of a request that came in parts; NULL otherwise */
    struct http1_body body;
    struct loop_timer timer;
    struct loop_task task; /* goes on with pipelined bytes, or frees the memory */
    struct link link;      /* in conns */
    struct store_wait wait;
    struct silent_place silent; /* in conns, until its first whole head */
    struct event event;
};

struct conns {
    struct env *env;
    struct ahead *ahead;   /* reads them */
    struct outbox *outbox; /* writes to them */
    struct link all;
    unsigned count[2]; /* by side */
    struct silent silent;
    uint64_t silenced;      /* how many silent ones had to give way */
    mono_ms silenced_at;    /* when that was last told; 0: never */
    bool is_draining;
    void (*told)(void *to);
    void *told_to;
};

/* conn.c */
/* Closes the socket now and tells the call; the memory goes when no code of the connection is on
 * the stack. */
void conn_die(struct conn *conn);
/* Gives the memory back: of a dead connection that nothing stands on. */
void conn_destroy(struct conn *conn);
/* The next request: what is pipelined already is taken up in a task, so that a thousand requests in
 * one write neither nest nor starve the others. */
void conn_next(struct conn *conn);
/* The same if the answer is complete and nothing of it waits any more. */
void conn_go_on(struct conn *conn);
mono_ms conn_now(const struct conn *conn);
/* The present state ends at this time. */
void conn_wait_until(struct conn *conn, mono_ms at);
/* Sets the timer to what conn->at says. */
void conn_arm(struct conn *conn);
/* Watches for exactly these; the event is touched only when something changes. */
void conn_watch(struct conn *conn, short what);

/* conns.c */
/* This one has come; when too many are silent now, the one that has to go for it goes. */
void conns_make_room(struct conns *conns, const struct conn *newest);

/* conn_read.c */
/* What reads connections in rows. */
extern const struct ahead_ears conn_ahead_ears;
/* The socket has bytes, or its end, to be taken up now. */
void conn_read(struct conn *conn);
/* Takes up the next request from the bytes that wait. */
void conn_read_kept(struct conn *conn);
/* The head's time is over, or that of an idle connection. */
void conn_head_late(struct conn *conn);
/* A step of the body's time is over: it goes on if the body kept pace. */
void conn_body_late(struct conn *conn, mono_ms now);

/* conn_send.c */
/* The ear of the outbox. */
void conn_leave(struct outbox_place *place, struct span bytes);
/* What waits for the end of the turn leaves now. */
void conn_flush(struct conn *conn);
/* The socket takes bytes again. */
void conn_writable(struct conn *conn);
/* What waited for the disk leaves. */
void conn_synced(struct store_wait *wait, bool is_synced);
/* The app has its time to read on when bytes wait for it; no end is set when none do. */
void conn_wait_for_reader(struct conn *conn);

#endif
