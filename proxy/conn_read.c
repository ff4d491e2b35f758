/* SPDX-License-Identifier: Apache-2.0 */
/* Requests off the bytes of an app: heads, bodies, and what is read only to be dropped; and what
 * becomes of those that take too long. */
#include "proxy/conn_parts.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/mem.h"

enum {
    BODY_STEP_MS = 10000, /* a body must bring BODY_STEP_BYTES in each such step */
    BODY_STEP_BYTES = 4096 * 10,
    BODY_MS = 120000,               /* and be there after this */
    LINGER_BYTES = 32 * 1024 * 1024 /* an upload under way must not turn its refusal into a reset */
};

/* ---- heads ---- */

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
    conn_wait_until(conn, mono_add(conn_now(conn), BODY_STEP_MS));
}

static void begin_call(struct conn *conn, const struct http1_head *head, const char *base)
{
    mono_ms now = conn_now(conn);

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
        conn_wait_until(conn, MONO_NEVER);
        call_ready(conn->call);
        return;
    }
    conn->at.body_from = now;
    conn->at.payload = 0;
    conn->at.own = mono_add(now, BODY_STEP_MS); /* armed only if the body is not all here */
}

/* A head came, good or bad, or its time is over: an answer follows. */
static void is_not_silent(struct conn *conn)
{
    if (conn->silent.peer != NULL) {
        silent_leave(&conn->env->conns->silent, &conn->silent);
    }
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
                conn_die(conn);
                return false;
            }
            *conn->head = *head;
            conn_wait_until(conn, mono_add(conn_now(conn), CONN_HEAD_MS));
        }
        return false;
    case HTTP1_BAD:
        is_not_silent(conn);
        refuse_head(conn, head, base);
        return false;
    case HTTP1_DONE: break;
    }
    is_not_silent(conn);
    *rest = span_from(*rest, head->size);
    begin_call(conn, head, base);
    mem_give(conn->head, sizeof *conn->head);
    conn->head = NULL;
    return conn->state != CONN_DEAD;
}

void conn_head_late(struct conn *conn)
{
    if (conn->head == NULL && conn->in.len == 0) {
        conn_die(conn); /* idle, or never said a word */
        return;
    }
    is_not_silent(conn);
    conn->must_close = true;
    conn->state = CONN_BUSY;
    call_refuse_bytes(conn, span_make(NULL, 0), REFUSAL_REQUEST_TIMEOUT);
}

/* ---- bodies ---- */

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
    conn_wait_for_reader(conn);
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

void conn_body_late(struct conn *conn, mono_ms now)
{
    uint64_t brought = conn->body.payload - conn->at.payload;
    struct call *call = conn->call;

    if (brought >= BODY_STEP_BYTES && now < mono_add(conn->at.body_from, BODY_MS)) {
        conn->at.payload = conn->body.payload;
        conn_wait_until(conn, mono_add(now, BODY_STEP_MS));
        return;
    }
    conn->must_close = true;
    conn->state = CONN_BUSY;
    conn->call = NULL;
    call_refuse(call, REFUSAL_REQUEST_TIMEOUT);
}

/* ---- bytes ---- */

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
            if (conn->must_close && conn->call == NULL) { /* answered for the last time */
                *rest = span_from(*rest, rest->len);
            }
            goes_on = false;
            break;
        case CONN_DEAD: goes_on = false; break;
        case CONN_LINGER: *rest = span_from(*rest, rest->len); break;
        }
    }
    if (conn->state == CONN_BODY) {
        conn_arm(conn);
    }
}

/* What is left waits for the call that runs, and when that is much, nothing more is read. */
static void settle_in(struct conn *conn)
{
    if (conn->in.failed) {
        conn_die(conn); /* bytes are missing: what follows them would be taken for something else */
    } else if (conn->in.len == 0) {
        buf_fini(&conn->in);
    } else if (conn->state == CONN_BUSY && conn->in.len > LIMIT_PIPELINE) {
        conn_watch(conn, (short)(conn->watched & ~EV_READ));
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

void conn_read_kept(struct conn *conn)
{
    struct span rest = buf_span(&conn->in);

    understand(conn, &rest);
    if (conn->state != CONN_DEAD && conn->state != CONN_LINGER) {
        buf_drop_front(&conn->in, conn->in.len - rest.len);
        settle_in(conn);
    }
}

/* Reads into conn->ahead; false when there is nothing now. */
static bool hear(struct conn *conn, char *at, size_t room)
{
    ssize_t count = 0;

    do {
        count = recv(conn->fd, at, room, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return false;
    }
    conn->ahead = span_make(at, count > 0 ? (size_t)count : 0);
    return true;
}

static void pass_on(struct conn *conn, struct span bytes)
{
    if (bytes.len == 0) {
        /* An orderly end while an answer is still owed is a leaving app as well: SDKs abort so. */
        conn_die(conn);
        return;
    }
    if (conn->state == CONN_LINGER) {
        conn->lingered += bytes.len;
        if (conn->lingered > LINGER_BYTES) {
            conn_die(conn);
        }
        return;
    }
    take(conn, bytes);
}

void conn_read(struct conn *conn)
{
    ahead_take_out(&conn->place);
    if (conn->has_ahead || hear(conn, loop_recv_buffer(conn->env->loop), LIMIT_RECV)) {
        conn->has_ahead = false;
        pass_on(conn, conn->ahead);
    }
}

static size_t read_conn_ahead(struct ahead_place *place, char *at, size_t room)
{
    struct conn *conn = LIST_OWNER(place, struct conn, place);

    conn->has_ahead = hear(conn, at, room);
    return conn->has_ahead ? conn->ahead.len : 0;
}

static void pass_conn(struct ahead_place *place)
{
    conn_read(LIST_OWNER(place, struct conn, place));
}

const struct ahead_ears conn_ahead_ears = {.read = read_conn_ahead, .pass = pass_conn};
