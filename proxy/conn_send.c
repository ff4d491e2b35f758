/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to the app: those of one turn leave at its end, in a row with what goes to others (outbox.h); what
 * the socket does not take is kept, and leaves as the app reads. */
#include "proxy/conn_parts.h"

#include <errno.h>

#include "base/limits.h"
#include "proxy/send.h"

enum {
    STALL_MS = 60000,    /* no byte accepted by the app */
    SOON_MAX = 16 * 1024 /* more is worth a send of its own, without a copy */
};

size_t conn_backlog(const struct conn *conn)
{
    return conn->out.len;
}

uint64_t conn_sent(const struct conn *conn)
{
    return conn->sent + conn->soon.len + conn->out.len;
}

void conn_wait_for_reader(struct conn *conn)
{
    conn_wait_until(conn, conn->out.len > 0 ? mono_add(conn_now(conn), STALL_MS) : MONO_NEVER);
}

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

static void send_or_keep(struct conn *conn, const struct span *pieces, size_t count, size_t total)
{
    size_t sent = 0;

    if (conn->out.len == 0 && !conn->is_stopped) {
        sent = send_now(conn, pieces, count);
    }
    if (!conn->is_broken && sent < total) {
        bool was_waiting = conn->out.len > 0 || conn->is_stopped;
        keep_rest(conn, pieces, count, sent);
        if (!was_waiting) { /* else the app's time is running already */
            conn_watch(conn, (short)(conn->watched | EV_WRITE));
            conn_wait_for_reader(conn);
        }
    }
    if (conn->is_broken) {
        loop_task_queue(conn->env->loop, &conn->task);
    }
}

void conn_flush(struct conn *conn)
{
    if (conn->soon.len > 0) {
        struct span bytes = outbox_take(conn->env->conns->outbox, &conn->soon);
        send_or_keep(conn, &bytes, 1, bytes.len);
    }
}

void conn_leave(struct outbox_place *place, struct span bytes)
{
    struct conn *conn = LIST_OWNER(place, struct conn, soon);

    send_or_keep(conn, &bytes, 1, bytes.len);
    conn_go_on(conn);
}

void conn_send(struct conn *conn, const struct span *pieces, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += pieces[i].len;
    }
    if (conn->state == CONN_DEAD || conn->is_broken || total == 0) {
        return;
    }
    if (total <= SOON_MAX && conn->out.len == 0 && !conn->is_stopped &&
        outbox_put(conn->env->conns->outbox, &conn->soon, pieces, count)) {
        return;
    }
    conn_flush(conn);
    if (!conn->is_broken) {
        send_or_keep(conn, pieces, count, total);
    }
}

void conn_writable(struct conn *conn)
{
    struct span rest = buf_span(&conn->out);
    size_t sent = 0;

    if (conn->is_stopped) {
        conn_watch(conn, (short)(conn->watched & ~EV_WRITE));
        return;
    }
    sent = send_now(conn, &rest, 1);
    if (conn->is_broken) {
        conn_die(conn);
        return;
    }
    buf_drop_front(&conn->out, sent);
    /* While a body comes in, its own time runs on: a reader's progress does not stop it. */
    if (sent > 0 && conn->state == CONN_BUSY) {
        conn_wait_for_reader(conn);
    }
    if (conn->out.len == 0) {
        buf_fini(&conn->out);
        conn_watch(conn, (short)(conn->watched & ~EV_WRITE));
        conn_go_on(conn);
    }
    if (conn->call != NULL && conn->out.len <= LIMIT_APP_BACKLOG_LOW) {
        call_writable(conn->call);
    }
}

/* ---- waiting for the disk ---- */

void conn_stop_sending(struct conn *conn)
{
    if (conn->state != CONN_DEAD && !conn->is_stopped) {
        conn->is_stopped = true;
        conn_flush(conn); /* to what is kept */
        conn_wait_until(conn, MONO_NEVER); /* it is not the app that is slow */
    }
}

void conn_send_when_synced(struct conn *conn)
{
    if (conn->state != CONN_DEAD) {
        store_when_synced(conn->env->ports->store, &conn->wait);
    }
}

/* Also when the disk failed: the answer is paid for, and its record waits in the table. */
void conn_synced(struct store_wait *wait, bool is_synced)
{
    struct conn *conn = LIST_OWNER(wait, struct conn, wait);

    (void)is_synced;
    conn->is_stopped = false;
    if (conn->out.len > 0) {
        conn_writable(conn);
    } else {
        conn_go_on(conn);
    }
    if (conn->state != CONN_DEAD && conn->out.len > 0) {
        conn_watch(conn, (short)(conn->watched | EV_WRITE));
        conn_wait_for_reader(conn);
    }
}
