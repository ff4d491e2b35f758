/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/call.h: one call: opened by a connection when a head is complete, fed with the body, then
 * dispatched. Called by conn.c only. */
#ifndef PROXY_CALL_H
#define PROXY_CALL_H

#include "proxy/conn.h"

struct call;

struct calls *calls_new(struct env *env);
void calls_free(struct calls *calls);
unsigned calls_count(const struct calls *calls);
/* Ends every running call: the drain's time is over. */
void calls_shut_down(struct calls *calls);

/* A head is complete. NULL: it was answered (or the connection aborted) already, the body if any is
 * to be dropped. Else the body goes to call_body and the end to call_ready. */
struct call *call_open(struct conn *conn, const struct http1_head *head, const char *base);
/* A head or body that cannot be read: answered and logged; the connection closes after it. */
void call_refuse_bytes(struct conn *conn, struct span target, enum refusal_kind kind);

/* Payload of the body. False: refused and answered, drop the rest. */
bool call_body(struct call *call, struct span bytes);
/* The request is whole: it is taken up later in this turn. */
void call_ready(struct call *call);
/* The body broke (framing, time): answered and logged; the call is gone. */
void call_refuse(struct call *call, enum refusal_kind kind);
/* The app left, or cannot be written to. */
void call_app_gone(struct call *call);
/* The backlog fell below its low mark. */
void call_writable(struct call *call);
void call_wake(struct call *call);

/* What the fleet has to tell operators, in lines of their own. */
void call_log_notices(struct env *env);

#endif
