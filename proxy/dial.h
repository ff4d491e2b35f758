/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/dial.h: the port that opens a connection to a provider: name, addresses, egress rule,
 * egress proxy, TCP, TLS and its checks. The ears are never called from inside start or cancel. */
#ifndef PROXY_DIAL_H
#define PROXY_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/snapshot.h"
#include "proxy/loop.h"
#include "router/outcome.h"

struct dialer;
struct dial_tls; /* an open TLS connection */

/* What a dial brought. Plain: `tls` is NULL and the descriptor is the taker's. TLS: the descriptor
 * is for watching only, all else goes through dial_tls_*. */
struct dial_line {
    int fd;
    struct dial_tls *tls;
};

struct dial_ears {
    void *to;
    void (*on_open)(void *to, uint64_t id, struct dial_line line);
    /* `began`: when this dial was started. */
    void (*on_failed)(void *to, uint64_t id, enum outcome how, mono_ms began);
};

/* NULL when it cannot be made. The snapshot outlives it. */
struct dialer *dialer_new(struct loop *loop, const struct snapshot *snapshot);
/* Drops the dials in flight and tells nobody. TLS connections were closed before. */
void dialer_free(struct dialer *dialer);

/* How many dials to this provider's endpoint may be in flight now: one while its name has never
 * been resolved, because each lookup holds a thread. */
unsigned dialer_limit(const struct dialer *dialer, const struct provider *provider);
/* Name lookup has 3 s, TCP connect_ms, then TLS (or the egress proxy) connect_ms again. Returns a
 * handle, or 0 when out of memory. */
uint64_t dial_start(struct dialer *dialer, const struct provider *provider, uint32_t connect_ms,
                    const struct dial_ears *ears, uint64_t id);
/* A stale handle is ignored. */
void dial_cancel(struct dialer *dialer, uint64_t handle);

/* CLOSED: the other side ended it. RESET: broken. AGAIN: nothing moved, wait for the socket. */
enum dial_step { DIAL_MOVED, DIAL_AGAIN, DIAL_CLOSED, DIAL_RESET };

/* Read until AGAIN before waiting for the socket: bytes may lie inside TLS. */
enum dial_step dial_tls_recv(struct dial_tls *tls, char *at, size_t size, size_t *count);
/* After AGAIN the next call repeats the same place and length. */
enum dial_step dial_tls_send(struct dial_tls *tls, const char *at, size_t size, size_t *count);
/* The owner's own events on the descriptor are gone by now. */
void dial_tls_close(struct dial_tls *tls);

#endif
