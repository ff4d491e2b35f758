/* SPDX-License-Identifier: Apache-2.0 */
/* A connection is in one state:
 *
 *   HEAD    reads a request head          BODY    reads the body of a call
 *   BUSY    a call runs, bytes wait       DROP    reads a body that nobody wants
 *   LINGER  answered for the last time, reads what still comes so that the answer is not lost
 *   DEAD    closed, memory goes at the end of the turn
 *
 * One persistent event; the write side is watched only while bytes wait. One timer, moved lazily.
 */
#include "proxy/conn.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "proxy/call.h"
#include "proxy/send.h"

enum conn_state { CONN_HEAD, CONN_BODY, CONN_BUSY, CONN_DROP, CONN_LINGER, CONN_DEAD };

enum {
    HEAD_MS = 10000,      /* a whole head, from its first byte or from the connect */
    IDLE_MS = 75000,      /* between two requests */
    BODY_STEP_MS = 10000, /* a body must bring BODY_STEP_BYTES in each such step */
    BODY_STEP_BYTES = 4096 * 10,
    BODY_MS = 120000, /* and be there after this */
    STALL_MS = 60000, /* no byte accepted by the app */
    LINGER_MS = 2000,
    LINGER_BYTES =
        32 * 1024 * 1024, /* an upload under way must not turn its refusal into a reset */
    IN_MAX = 2 * LIMIT_RECV + LIMIT_PIPELINE + LIMIT_REQUEST_HEAD
};

struct conn {
    struct env *env;
    struct call *call;
    struct buf out; /* bytes not sent yet */
    struct {
        mono_ms own;       /* of the present state */
        mono_ms call;      /* wanted by the call */
        mono_ms body_from; /* when the body began */
        uint64_t payload;  /* of the body at the last step */
    } at;
    uint64_t sent;
    int fd;
    enum conn_state state;
    enum conn_side side;
    short watched; /* EV_READ, EV_WRITE */
    bool is_http10;
    bool has_costly_body; /* of the present request: not to be read only to be dropped */
    bool must_close;
    bool is_broken; /* the socket failed; the call is told by the task */
    /* From here on what only a request's begin or end touches. */
    uint64_t lingered;
    struct buf in;           /* bytes not understood yet */
    struct http1_head *head; /* of a request that came in parts; NULL otherwise */
    struct http1_body body;
    struct loop_timer timer;
    struct loop_task task; /* goes on with pipelined bytes, or frees the memory */
    struct link link;      /* in conns */
    struct event event;
};

struct conns {
    struct env *env;
    struct link all;
    unsigned count[2]; /* by side */
    bool is_draining;
    void (*told)(void *to);
    void *told_to;
};

/* ---- all of them ---- */

struct conns *conns_new(struct env *env)
{
    struct conns *conns = mem_take_zero(sizeof *conns);

    if (conns != NULL) {
        conns->env = env;
        list_init(&conns->all);
    }
    return conns;
}

static void destroy(struct conn *conn);
static void die(struct conn *conn);

void conns_free(struct conns *conns)
{
    if (conns == NULL) {
        return;
    }
    while (!list_is_empty(&conns->all)) {
        struct conn *conn = LIST_OWNER(conns->all.next, struct conn, link);
        die(conn);
        destroy(conn);
    }
    mem_give(conns, sizeof *conns);
}

unsigned conns_count(const struct conns *conns, enum conn_side side)
{
    return conns->count[side];
}

bool conns_is_draining(const struct conns *conns)
{
    return conns->is_draining;
}

void conns_on_end(struct conns *conns, void (*told)(void *to), void *to)
{
    conns->told = told;
    conns->told_to = to;
}

void conns_not_ready(struct conns *conns)
{
    conns->is_draining = true;
}

void conns_drain(struct conns *conns)
{
    struct link *next = NULL;

    conns->is_draining = true;
    for (struct link *at = conns->all.next; at != &conns->all; at = next) {
        struct conn *conn = LIST_OWNER(at, struct conn, link);
        next = at->next;
        conn->must_close = true;
        if (conn->side == CONN_DATA && conn->state == CONN_HEAD && conn->in.len == 0) {
            die(conn);
        }
    }
}

/* ---- small things ---- */

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

size_t conn_backlog(const struct conn *conn)
{
    return conn->out.len;
}

uint64_t conn_sent(const struct conn *conn)
{
    return conn->sent + conn->out.len;
}

enum conn_side conn_side(const struct conn *conn)
{
    return conn->side;
}

static mono_ms now_of(const struct conn *conn)
{
    return loop_now(conn->env->loop);
}

static void set_timer(struct conn *conn)
{
    loop_timer_set(&conn->timer, mono_min(conn->at.own, conn->at.call));
}

static void wait_until(struct conn *conn, mono_ms at)
{
    conn->at.own = at;
    set_timer(conn);
}

void conn_wake_call(struct conn *conn, mono_ms at)
{
    conn->at.call = at;
    set_timer(conn);
}

static void on_socket_cb(evutil_socket_t fd, short what, void *to);

/* Watches for exactly these; the event is touched only when something changes. */
static void watch(struct conn *conn, short what)
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

static void destroy(struct conn *conn)
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
    destroy(LIST_OWNER(task, struct conn, task));
}

/* Closes the socket now; the memory goes when no code of the connection is on the stack. */
static void die(struct conn *conn)
{
    struct call *call = conn->call;
    struct conns *conns = conn->env->conns;

    if (conn->state == CONN_DEAD) {
        return;
    }
    conn->state = CONN_DEAD;
    conn->call = NULL;
    watch(conn, 0);
    (void)close(conn->fd);
    loop_timer_set(&conn->timer, MONO_NEVER);
    list_remove(&conn->link);
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
    die(conn);
}

/* Everything is sent: say so and read on for a while, so that no reset eats the answer. */
static void linger(struct conn *conn)
{
    (void)shutdown(conn->fd, SHUT_WR);
    conn->state = CONN_LINGER;
    buf_clear(&conn->in);
    watch(conn, EV_READ);
    wait_until(conn, mono_add(now_of(conn), LINGER_MS));
}

/* ---- out ---- */

static size_t send_now(struct conn *conn, const struct span *pieces, size_t count)
{
    ssize_t sent = send_spans(conn->fd, pieces, count, SIZE_MAX);

    if (sent < 0) {
        conn->is_broken = errno != EAGAIN && errno != EWOULDBLOCK;
        return 0;
    }
    conn->sent += (uint64_t)sent;
    return (size_t)sent;
}

static void keep_rest(struct conn *conn, const struct span *pieces, size_t count, size_t sent)
{
    for (size_t i = 0; i < count; i++) {
        size_t skip = sent < pieces[i].len ? sent : pieces[i].len;
        sent -= skip;
        buf_put(&conn->out, span_from(pieces[i], skip));
    }
    if (conn->out.failed) {
        conn->is_broken = true;
    }
}

void conn_send(struct conn *conn, const struct span *pieces, size_t count)
{
    size_t sent = 0;
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += pieces[i].len;
    }
    if (conn->state == CONN_DEAD || conn->is_broken || total == 0) {
        return;
    }
    if (conn->out.len == 0) {
        sent = send_now(conn, pieces, count);
    }
    if (!conn->is_broken && sent < total) {
        bool was_waiting = conn->out.len > 0;
        keep_rest(conn, pieces, count, sent);
        if (!was_waiting) { /* else the app's time is running already */
            watch(conn, (short)(conn->watched | EV_WRITE));
            wait_until(conn, mono_add(now_of(conn), STALL_MS));
        }
    }
    if (conn->is_broken) {
        loop_task_queue(conn->env->loop, &conn->task);
    }
}

static void begin_next(struct conn *conn);

static void on_writable(struct conn *conn)
{
    struct span rest = buf_span(&conn->out);
    size_t sent = send_now(conn, &rest, 1);

    if (conn->is_broken) {
        die(conn);
        return;
    }
    buf_drop_front(&conn->out, sent);
    /* While a body comes in, its own time runs on: a reader's progress does not stop it. */
    if (sent > 0 && conn->state == CONN_BUSY) {
        wait_until(conn, conn->out.len > 0 ? mono_add(now_of(conn), STALL_MS) : MONO_NEVER);
    }
    if (conn->out.len == 0) {
        buf_fini(&conn->out);
        watch(conn, (short)(conn->watched & ~EV_WRITE));
        if (conn->call == NULL && conn->state == CONN_BUSY) {
            begin_next(conn);
            return;
        }
    }
    if (conn->call != NULL && conn->out.len <= LIMIT_APP_BACKLOG_LOW) {
        call_writable(conn->call);
    }
}

/* ---- in ---- */

static void refuse_head(struct conn *conn, const struct http1_head *head, const char *base)
{
    struct span target = http1_part_span(head->target, base);

    conn->must_close = true;
    conn->is_http10 = false;
    conn->state = CONN_BUSY;
    call_refuse_bytes(conn, target, refusal_of_http1(head->fault));
}

static bool has_no_body(const struct http1_head *head)
{
    return head->framing == HTTP1_BODY_NONE ||
           (head->framing == HTTP1_BODY_LENGTH && head->length == 0);
}

/* A body that nobody wants: read on when that is cheap, else end after the answer. */
static void begin_drop(struct conn *conn, const struct http1_head *head)
{
    if (conn->state == CONN_DEAD) {
        return;
    }
    if (has_no_body(head) || conn->must_close) {
        conn->state = CONN_BUSY;
        conn_answered(conn);
        return;
    }
    conn->state = CONN_DROP;
    wait_until(conn, mono_add(now_of(conn), BODY_STEP_MS));
}

static void begin_call(struct conn *conn, const struct http1_head *head, const char *base)
{
    mono_ms now = now_of(conn);

    conn->is_http10 = head->minor == 0;
    conn->must_close = conn->must_close || !head->keep_alive || conns_is_draining(conn->env->conns);
    /* One that waits for our word may never come: what follows a refusal could not be told apart.
     */
    conn->has_costly_body = head->expects_continue || (head->framing == HTTP1_BODY_LENGTH &&
                                                       head->length > LIMIT_DROPPED_BODY);
    conn->sent = 0;
    conn->state = CONN_BODY;
    http1_body_init(&conn->body, head->framing, head->length);
    conn->call = call_open(conn, head, base);
    if (conn->call == NULL) {
        begin_drop(conn, head);
        return;
    }
    if (has_no_body(head)) {
        conn->state = CONN_BUSY;
        wait_until(conn, MONO_NEVER);
        call_ready(conn->call);
        return;
    }
    conn->at.body_from = now;
    conn->at.payload = 0;
    conn->at.own = mono_add(now, BODY_STEP_MS); /* armed only if the body is not all here */
}

/* False: more bytes are needed, or the connection has ended. */
static bool read_head(struct conn *conn, struct span *rest)
{
    struct http1_head *head = conn->head;
    const char *base = rest->at;

    if (head == NULL) {
        head = &conn->env->scratch->head;
        http1_head_init(head, HTTP1_REQUEST);
    }
    switch (http1_head_feed(head, *rest)) {
    case HTTP1_MORE:
        if (conn->head == NULL) {
            conn->head = mem_take(sizeof *conn->head);
            if (conn->head == NULL) {
                die(conn);
                return false;
            }
            *conn->head = *head;
            wait_until(conn, mono_add(now_of(conn), HEAD_MS));
        }
        return false;
    case HTTP1_BAD: refuse_head(conn, head, base); return false;
    case HTTP1_DONE: break;
    }
    *rest = span_from(*rest, head->size);
    begin_call(conn, head, base);
    mem_give(conn->head, sizeof *conn->head);
    conn->head = NULL;
    return conn->state != CONN_DEAD;
}

static void body_is_bad(struct conn *conn)
{
    struct call *call = conn->call;

    conn->must_close = true;
    if (conn->state == CONN_DROP) {
        conn->state = CONN_BUSY;
        conn_answered(conn);
        return;
    }
    conn->state = CONN_BUSY;
    conn->call = NULL;
    call_refuse(call, refusal_of_http1(conn->body.fault));
}

static void body_is_done(struct conn *conn)
{
    bool is_dropped = conn->state == CONN_DROP;

    conn->state = CONN_BUSY;
    wait_until(conn, conn->out.len > 0 ? mono_add(now_of(conn), STALL_MS) : MONO_NEVER);
    if (is_dropped) {
        conn_answered(conn);
    } else {
        call_ready(conn->call);
    }
}

static void body_payload(struct conn *conn, struct span payload)
{
    if (conn->state == CONN_DROP) {
        if (conn->body.payload > LIMIT_DROPPED_BODY) {
            conn->must_close = true;
            conn->state = CONN_BUSY;
            conn_answered(conn);
        }
        return;
    }
    /* When it refuses, it has answered, and conn_answered has gone on from there. */
    (void)call_body(conn->call, payload);
}

/* False: more bytes are needed, or the connection has ended. */
static bool read_body(struct conn *conn, struct span *rest)
{
    struct span payload;

    switch (http1_body_feed(&conn->body, rest, &payload)) {
    case HTTP1_BAD: body_is_bad(conn); return false;
    case HTTP1_MORE:
        if (payload.len > 0) {
            body_payload(conn, payload);
        }
        break;
    case HTTP1_DONE:
        if (payload.len > 0) {
            body_payload(conn, payload);
        }
        if (conn->state == CONN_BODY || conn->state == CONN_DROP) {
            body_is_done(conn);
        }
        break;
    }
    return conn->state != CONN_DEAD;
}

/* Reads requests off `rest` until it is empty, a call runs, or the connection ends. */
static void understand(struct conn *conn, struct span *rest)
{
    bool goes_on = true;

    while (goes_on && rest->len > 0) {
        switch (conn->state) {
        case CONN_HEAD: goes_on = read_head(conn, rest); break;
        case CONN_BODY:
        case CONN_DROP: goes_on = read_body(conn, rest); break;
        case CONN_BUSY:
        case CONN_DEAD: goes_on = false; break;
        case CONN_LINGER: *rest = span_from(*rest, rest->len); break;
        }
    }
    if (conn->state == CONN_BODY) {
        set_timer(conn);
    }
}

/* What is left waits for the call that runs, and when that is much, nothing more is read. */
static void settle_in(struct conn *conn)
{
    if (conn->in.failed) {
        die(conn); /* bytes are missing: what follows them would be taken for something else */
    } else if (conn->in.len == 0) {
        buf_fini(&conn->in);
    } else if (conn->state == CONN_BUSY && conn->in.len > LIMIT_PIPELINE) {
        watch(conn, (short)(conn->watched & ~EV_READ));
    }
}

static void take(struct conn *conn, struct span bytes)
{
    bool was_empty = conn->in.len == 0;
    struct span rest = bytes;

    if (!was_empty) {
        buf_put(&conn->in, bytes);
        rest = buf_span(&conn->in);
    }
    understand(conn, &rest);
    if (conn->state == CONN_DEAD || conn->state == CONN_LINGER) {
        return;
    }
    if (was_empty) {
        buf_put(&conn->in, rest);
    } else {
        buf_drop_front(&conn->in, conn->in.len - rest.len);
    }
    settle_in(conn);
}

/* The next request: what is pipelined already is taken up in a task, so that a thousand requests in
 * one write neither nest nor starve the others. */
static void begin_next(struct conn *conn)
{
    conn->call = NULL;
    conn->at.call = MONO_NEVER;
    if (conn->must_close) {
        linger(conn);
        return;
    }
    conn->state = CONN_HEAD;
    watch(conn, EV_READ);
    wait_until(conn, mono_add(now_of(conn), IDLE_MS));
    if (conn->in.len > 0) {
        loop_task_queue(conn->env->loop, &conn->task);
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
    if (conn->out.len == 0 && !conn->is_broken) {
        begin_next(conn);
    }
}

static void task_run(struct loop_task *task)
{
    struct conn *conn = LIST_OWNER(task, struct conn, task);
    struct span rest;

    if (conn->is_broken) {
        die(conn);
        return;
    }
    if (conn->state != CONN_HEAD || conn->in.len == 0) {
        return;
    }
    rest = buf_span(&conn->in);
    understand(conn, &rest);
    if (conn->state != CONN_DEAD && conn->state != CONN_LINGER) {
        buf_drop_front(&conn->in, conn->in.len - rest.len);
        settle_in(conn);
    }
}

static void on_readable(struct conn *conn)
{
    char *buffer = loop_recv_buffer(conn->env->loop);
    ssize_t count = 0;

    do {
        count = recv(conn->fd, buffer, LIMIT_RECV, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return;
    }
    if (count <= 0) {
        /* An orderly end while an answer is still owed is a leaving app as well: SDKs abort so. */
        die(conn);
        return;
    }
    if (conn->state == CONN_LINGER) {
        conn->lingered += (uint64_t)count;
        if (conn->lingered > LINGER_BYTES) {
            die(conn);
        }
        return;
    }
    take(conn, span_make(buffer, (size_t)count));
}

static void on_socket_cb(evutil_socket_t fd, short what, void *to)
{
    struct conn *conn = to;

    (void)fd;
    if ((what & EV_WRITE) != 0) {
        on_writable(conn);
    }
    if ((what & EV_READ) != 0 && conn->state != CONN_DEAD) {
        on_readable(conn);
    }
}

/* ---- time ---- */

static void body_step(struct conn *conn, mono_ms now)
{
    uint64_t brought = conn->body.payload - conn->at.payload;
    struct call *call = conn->call;

    if (brought >= BODY_STEP_BYTES && now < mono_add(conn->at.body_from, BODY_MS)) {
        conn->at.payload = conn->body.payload;
        wait_until(conn, mono_add(now, BODY_STEP_MS));
        return;
    }
    conn->must_close = true;
    conn->state = CONN_BUSY;
    conn->call = NULL;
    call_refuse(call, REFUSAL_REQUEST_TIMEOUT);
}

static void head_time(struct conn *conn)
{
    if (conn->head == NULL && conn->in.len == 0) {
        die(conn); /* idle, or never said a word */
        return;
    }
    conn->must_close = true;
    conn->state = CONN_BUSY;
    call_refuse_bytes(conn, span_make(NULL, 0), REFUSAL_REQUEST_TIMEOUT);
}

static void own_time(struct conn *conn, mono_ms now)
{
    conn->at.own = MONO_NEVER;
    switch (conn->state) {
    case CONN_HEAD: head_time(conn); break;
    case CONN_BODY: body_step(conn, now); break;
    case CONN_BUSY: /* the app stopped reading */
    case CONN_DROP:
    case CONN_LINGER: die(conn); break;
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
        set_timer(conn);
    }
}

/* ---- begin ---- */

void conn_open(struct env *env, int fd, enum conn_side side)
{
    struct conn *conn = mem_take_zero(sizeof *conn);

    if (conn == NULL) {
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
    list_push_back(&env->conns->all, &conn->link);
    env->conns->count[side]++;
    watch(conn, EV_READ);
    wait_until(conn, mono_add(now_of(conn), HEAD_MS));
}
