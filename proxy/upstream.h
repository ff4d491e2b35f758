/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/upstream.h: the port towards providers. One started attempt writes one request at most once
 * and answers with head, bytes, one end, in that order; after the end or a cancel there is
 * silence. Implementations: upstream_http1.c (the network), upstream_fixtures.c (built in). The
 * ears are never called from inside start, pause, resume or cancel. */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/snapshot.h"
#include "router/outcome.h"
#include "wire/http1.h"

enum { UPSTREAM_PIECES_MAX = 14, UPSTREAM_WARM_MAX = 4 };

/* One request. The pieces (head first) are borrowed until on_written or on_end, whichever comes
 * first; provider settings until on_end. */
struct upstream_request {
    const struct provider *provider;
    struct span pieces[UPSTREAM_PIECES_MAX];
    uint8_t pieces_count;
    uint8_t head_pieces;   /* how many of them are the head; the rest is body */
    bool is_head_method;   /* HEAD: the answer has no body */
    bool is_fresh;         /* not on a kept connection: the last one of those was dead */
    uint32_t connect_ms;   /* TCP, and again TLS; name lookup has 3 s of its own */
    uint32_t write_ms;     /* no byte accepted for so long: WRITE_TIMEOUT */
    /* Memory that on_bytes will touch. With thousands of streams it has gone cold since the last
     * bytes; it may be fetched into the cache meanwhile. Never read or written; may be empty. */
    struct span warm[UPSTREAM_WARM_MAX];
};

/* `id` is what start was given. Every callback may call pause, resume and cancel of this port. */
struct upstream_ears {
    void *to;
    /* A connection stands (dialed or from the pool) and writing begins. */
    void (*on_connected)(void *to, uint64_t id, bool is_reused);
    /* The request is fully written. Does not come when an error (status 400 and up) was answered
     * before that: the rest is not sent then. */
    void (*on_written)(void *to, uint64_t id);
    /* The final response head (1xx are swallowed). `base` is valid during the callback only. */
    void (*on_head)(void *to, uint64_t id, const struct http1_head *head, const char *base);
    /* Payload without framing, valid during the callback only. */
    void (*on_bytes)(void *to, uint64_t id, struct span bytes);
    /* OUTCOME_OK: the body was complete by its framing; one that ends with the connection counts
     * as complete when that was closed and not reset, which proves nothing. Else why not. After
     * this, silence. */
    void (*on_end)(void *to, uint64_t id, enum outcome how);
};

struct upstream; /* an implementation's own state */

struct upstream_ops {
    /* Returns a handle (never 0), or 0 when out of memory. */
    uint64_t (*start)(struct upstream *upstream, const struct upstream_request *request,
                      const struct upstream_ears *ears, uint64_t id);
    /* Stop and go on delivering bytes: back-pressure. What was read already, at most LIMIT_RECV
     * bytes, still comes after pause, and so may the end. */
    void (*pause)(struct upstream *upstream, uint64_t handle);
    void (*resume)(struct upstream *upstream, uint64_t handle);
    /* No callback comes any more; the connection is closed unless the answer was complete. A stale
     * handle is ignored. */
    void (*cancel)(struct upstream *upstream, uint64_t handle);
};

/* The network: our HTTP/1.1 engine over the pool and the dialer. Lives on one loop. */
struct loop;
struct upstream *upstream_http1_new(struct loop *loop, const struct snapshot *snapshot);
/* Closes everything, calls no ear. */
void upstream_http1_free(struct upstream *upstream);
extern const struct upstream_ops upstream_http1_ops;
/* Idle connections kept now, all endpoints (for the status page and tests). */
unsigned upstream_http1_idle(const struct upstream *upstream);

/* The built-in provider. */
struct upstream *upstream_fixtures_new(struct loop *loop);
void upstream_fixtures_free(struct upstream *upstream);
extern const struct upstream_ops upstream_fixtures_ops;

#endif
