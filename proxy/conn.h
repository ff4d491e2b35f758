/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/conn.h: a connection of an app: requests in through wire/http1, answers out, gone. It knows
 * framing and time, nothing of calls' meaning. One call at a time; what is pipelined waits. */
#ifndef PROXY_CONN_H
#define PROXY_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/tick.h"
#include "proxy/env.h"
#include "wire/http1.h"

struct conn;
struct silent_name;

/* Which door it came through. */
enum conn_side { CONN_DATA, CONN_ADMIN };

/* All connections: counts, and the walk at shutdown. */
struct conns *conns_new(struct env *env);
/* Closes what is left. */
void conns_free(struct conns *conns);
unsigned conns_count(const struct conns *conns, enum conn_side side);
/* From now on new answers say Connection: close and readiness is refused. */
void conns_not_ready(struct conns *conns);
/* As above, and idle connections of apps are closed at once. */
void conns_drain(struct conns *conns);
bool conns_is_draining(const struct conns *conns);
/* Told when a connection ended (descriptors came back). NULL: nobody. */
void conns_on_end(struct conns *conns, void (*told)(void *to), void *to);

/* How many files the process may open: the silent connections get their share of it. */
void conns_fit(struct conns *conns, uint64_t descriptors);

/* Takes an accepted, non-blocking socket of this peer; closes it itself, also on failure. When too
 * many have not sent a request yet, the oldest of them makes room for it. */
void conn_open(struct env *env, int fd, enum conn_side side, const struct silent_name *peer);

struct env *conn_env(const struct conn *conn);
bool conn_is_http10(const struct conn *conn);
/* Whether the answer must say Connection: close (asked for by the app, HTTP/1.0, refused framing,
 * drain). */
bool conn_must_close(const struct conn *conn);
/* The present request is about to be refused: when its body is too long to be read for nothing, the
 * connection ends after the answer. */
void conn_refusing(struct conn *conn);
/* After this answer the connection ends. */
void conn_close_after(struct conn *conn);

/* Bytes of a connection's beginning: what each conn_send touches. */
enum { CONN_HOT = 128 };

/* Bytes to the app, in order; a small piece leaves at the end of the turn, with those of other connections. What
 * the socket does not take is kept. After a failure they go nowhere and the call hears call_app_gone soon. */
void conn_send(struct conn *conn, const struct span *pieces, size_t count);
/* What is sent in this turn, and from here on, is kept, and leaves when the records of attempts that end in
 * this turn, and before, are on the disk (conn_send_when_synced), or the disk has failed; never when neither is
 * asked for. */
void conn_stop_sending(struct conn *conn);
void conn_send_when_synced(struct conn *conn);
/* Bytes kept because the app reads slowly. */
size_t conn_backlog(const struct conn *conn);
/* The answer is complete: the next request may come, or the connection ends. */
void conn_answered(struct conn *conn);
/* Ends the connection now, without an orderly end of the message: the app must see it broke. */
void conn_abort(struct conn *conn);
/* The running call wants call_wake at this time (MONO_NEVER: not). */
void conn_wake_call(struct conn *conn, mono_ms at);
enum conn_side conn_side(const struct conn *conn);
/* Who is at the other end. True: a process of this machine, by loopback or a Unix socket. */
bool conn_peer(const struct conn *conn, struct silent_name *peer);
/* Bytes given to this connection since its present request began. */
uint64_t conn_sent(const struct conn *conn);

#endif
