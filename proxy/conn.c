/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a connection: its socket, its timer, its task, and the ends it can come to. The
 * states stand in proxy/conn_parts.h. */
#include "proxy/conn_parts.h"

#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "proxy/peer.h"

enum {
    IDLE_MS = 75000, /* between two requests */
    LINGER_MS = 2000,
    IN_MAX = 2 * LIMIT_RECV + LIMIT_PIPELINE + LIMIT_REQUEST_HEAD
};

_Static_assert(offsetof(struct conn, side) <= CONN_HOT, "the parts of a conn that sending touches");

/* ---- what others ask and tell ---- */

struct env *conn_env(const struct conn *conn)
{
    return conn->env;
}

bool conn_is_http10(const struct conn *conn)
{
    return conn->is_http10;
}

bool conn_must_close(const struct conn *conn)
{
    return conn->must_close;
}

void conn_refusing(struct conn *conn)
{
    conn->must_close = conn->must_close || (conn->state == CONN_BODY && conn->has_costly_body);
}

void conn_close_after(struct conn *conn)
{
    conn->must_close = true;
}

enum conn_side conn_side(const struct conn *conn)
{
    return conn->side;
}

bool conn_peer(const struct conn *conn, struct silent_name *peer)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    bool is_known = getpeername(conn->fd, (struct sockaddr *)&address, &length) == 0;

    *peer = peer_name(&address);
    return is_known && peer_is_local(&address);
}

/* ---- time and the socket ---- */

mono_ms conn_now(const struct conn *conn)
{
    return loop_now(conn->env->loop);
}

void conn_arm(struct conn *conn)
{
    loop_timer_set(&conn->timer, mono_min(conn->at.own, conn->at.call));
}

void conn_wait_until(struct conn *conn, mono_ms at)
{
    conn->at.own = at;
    conn_arm(conn);
}

void conn_wake_call(struct conn *conn, mono_ms at)
{
    conn->at.call = at;
    conn_arm(conn);
}

static void on_socket_cb(evutil_socket_t fd, short what, void *to)
{
    struct conn *conn = to;

    (void)fd;
    if ((what & EV_WRITE) != 0) {
        conn_writable(conn);
    }
    if ((what & EV_READ) != 0 && conn->state != CONN_DEAD) {
        ahead_queue(conn->env->conns->ahead, &conn->place);
    }
}

void conn_watch(struct conn *conn, short what)
{
    if (what == conn->watched) {
        return;
    }
    if (conn->watched != 0) {
        (void)event_del(&conn->event);
    }
    conn->watched = what;
    if (what != 0) {
        (void)event_assign(&conn->event, loop_base(conn->env->loop), conn->fd,
                           (short)(what | EV_PERSIST), on_socket_cb, conn);
        (void)event_add(&conn->event, NULL);
    }
}

/* ---- ends ---- */

void conn_destroy(struct conn *conn)
{
    loop_timer_fini(&conn->timer);
    loop_task_cancel(&conn->task);
    buf_fini(&conn->in);
    buf_fini(&conn->out);
    mem_give(conn->head, sizeof *conn->head);
    mem_give(conn, sizeof *conn);
}

static void destroy_task(struct loop_task *task)
{
    conn_destroy(LIST_OWNER(task, struct conn, task));
}

void conn_die(struct conn *conn)
{
    struct call *call = conn->call;
    struct conns *conns = conn->env->conns;

    if (conn->state == CONN_DEAD) {
        return;
    }
    if (!conn->is_broken) {
        conn_flush(conn); /* an app that is told something before it is left is told it */
    }
    conn->state = CONN_DEAD;
    conn->call = NULL;
    conn_watch(conn, 0);
    (void)close(conn->fd);
    loop_timer_set(&conn->timer, MONO_NEVER);
    store_wait_cancel(&conn->wait);
    (void)outbox_take(conns->outbox, &conn->soon);
    list_remove(&conn->link);
    ahead_take_out(&conn->place);
    silent_leave(&conns->silent, &conn->silent);
    conns->count[conn->side]--;
    loop_task_cancel(&conn->task);
    loop_task_init(&conn->task, destroy_task);
    loop_task_queue(conn->env->loop, &conn->task);
    if (call != NULL) {
        call_app_gone(call);
    }
    if (conns->told != NULL) {
        conns->told(conns->told_to);
    }
}

void conn_abort(struct conn *conn)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    if (conn->state == CONN_DEAD) {
        return;
    }
    conn->call = NULL;
    /* A reset cannot be taken for the end of the message. */
    (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    conn_die(conn);
}

/* Everything is sent: say so and read on for a while, so that no reset eats the answer. */
static void linger(struct conn *conn)
{
    (void)shutdown(conn->fd, SHUT_WR);
    conn->state = CONN_LINGER;
    buf_clear(&conn->in);
    conn_watch(conn, EV_READ);
    conn_wait_until(conn, mono_add(conn_now(conn), LINGER_MS));
}

/* ---- the next request ---- */

void conn_next(struct conn *conn)
{
    conn->call = NULL;
    conn->at.call = MONO_NEVER;
    if (conn->must_close) {
        linger(conn);
        return;
    }
    conn->state = CONN_HEAD;
    conn_watch(conn, EV_READ);
    conn_wait_until(conn, mono_add(conn_now(conn), IDLE_MS));
    if (conn->in.len > 0) {
        loop_task_queue(conn->env->loop, &conn->task);
    }
}

void conn_go_on(struct conn *conn)
{
    if (conn->call == NULL && conn->state == CONN_BUSY && conn->out.len == 0 &&
        conn->soon.len == 0 && !conn->is_broken && !conn->is_stopped) {
        conn_next(conn);
    }
}

void conn_answered(struct conn *conn)
{
    bool had_call = conn->call != NULL;

    conn->call = NULL;
    conn->at.call = MONO_NEVER;
    if (conn->state == CONN_DEAD) {
        return;
    }
    if (conn->state == CONN_DROP || (conn->state == CONN_BODY && !had_call)) {
        return; /* begin_drop or the body's end comes back here */
    }
    /* Answered while the body was coming in: nobody reads the rest of it. */
    conn->must_close = conn->must_close || conn->state == CONN_BODY;
    conn->state = CONN_BUSY;
    if (conn->out.len == 0) {
        conn_wait_until(conn, MONO_NEVER); /* the request's own time is over; nobody reads slowly */
    }
    conn_go_on(conn);
}

static void task_run(struct loop_task *task)
{
    struct conn *conn = LIST_OWNER(task, struct conn, task);

    if (conn->is_broken) {
        conn_die(conn);
    } else if (conn->state == CONN_HEAD && conn->in.len > 0) {
        conn_read_kept(conn);
    }
}

/* ---- the timer ---- */

static void own_time(struct conn *conn, mono_ms now)
{
    conn->at.own = MONO_NEVER;
    switch (conn->state) {
    case CONN_HEAD: conn_head_late(conn); break;
    case CONN_BODY: conn_body_late(conn, now); break;
    case CONN_BUSY: /* the app stopped reading */
    case CONN_DROP:
    case CONN_LINGER: conn_die(conn); break;
    case CONN_DEAD: break;
    }
}

static void timer_fire(struct loop_timer *timer, mono_ms now)
{
    struct conn *conn = LIST_OWNER(timer, struct conn, timer);

    if (now >= conn->at.own) {
        own_time(conn, now);
    }
    if (conn->state != CONN_DEAD && conn->call != NULL && now >= conn->at.call) {
        conn->at.call = MONO_NEVER;
        call_wake(conn->call);
    }
    if (conn->state != CONN_DEAD) {
        conn_arm(conn);
    }
}

/* ---- begin ---- */

void conn_open(struct env *env, int fd, enum conn_side side, const struct silent_name *peer)
{
    struct conn *conn = mem_take_zero(sizeof *conn);

    if (conn == NULL || silent_enter(&env->conns->silent, peer, &conn->silent) != ERR_NONE) {
        mem_give(conn, sizeof *conn);
        (void)close(fd);
        return;
    }
    conn->env = env;
    conn->fd = fd;
    conn->side = side;
    conn->state = CONN_HEAD;
    conn->at.own = MONO_NEVER;
    conn->at.call = MONO_NEVER;
    buf_init(&conn->in, IN_MAX);
    buf_init(&conn->out, (size_t)env->snapshot->limits.response + LIMIT_APP_BACKLOG);
    loop_timer_init(&conn->timer, env->loop, timer_fire);
    loop_task_init(&conn->task, task_run);
    ahead_place_init(&conn->place);
    outbox_place_init(&conn->soon);
    store_wait_init(&conn->wait, conn_synced);
    list_push_back(&env->conns->all, &conn->link);
    env->conns->count[side]++;
    conn_watch(conn, EV_READ);
    conn_wait_until(conn, mono_add(conn_now(conn), CONN_HEAD_MS));
    conns_make_room(env->conns, conn);
}
