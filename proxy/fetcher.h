/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/fetcher.h: whole HTTP transfers that are no calls, and plain connections by name, on a loop
 * and without waiting: by libcurl, which looks names up on threads of its own. Follows no redirect,
 * verifies certificates, obeys egress.proxy; no address where clouds answer with credentials is ever
 * opened, and http:// only to loopback and egress.allow. */
#ifndef PROXY_FETCHER_H
#define PROXY_FETCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "conf/snapshot.h"
#include "proxy/loop.h"

struct fetcher;
/* libcurl has been started. The snapshot outlives it. NULL: it cannot be made. */
struct fetcher *fetcher_new(struct loop *loop, const struct snapshot *snapshot);
/* Drops what is in flight and tells nobody. */
void fetcher_free(struct fetcher *fetcher);

/* Something in flight. Told of once, never from inside of the function that began it; gone when it is
 * told of or cancelled. */
struct fetching;

struct fetch_post {
    struct span url;
    struct span body; /* stays where it is until the end */
    const struct span *fields; /* whole header lines, "name: value"; copied */
    size_t fields_count;
    struct span ca_file; /* empty: the system's */
    uint32_t connect_ms;
    uint32_t total_ms;
};

struct fetch_answer {
    unsigned status;        /* 0: there is no answer, and `why` tells */
    uint32_t retry_after_s; /* 0: not told */
    struct why why;
};

/* The answer's body is read to its end, at most 64 KiB of it, and forgotten. NULL: no memory. */
struct fetching *fetcher_post(struct fetcher *fetcher, const struct fetch_post *post,
                              void (*done)(void *to, const struct fetch_answer *answer), void *to);
/* A connection over TCP, past every proxy. The descriptor is the taker's; -1: `why` tells. */
struct fetching *fetcher_dial(struct fetcher *fetcher, struct span host, uint16_t port,
                              uint32_t connect_ms,
                              void (*done)(void *to, int fd, const struct why *why), void *to);
/* NULL is allowed. */
void fetcher_cancel(struct fetching *fetching);

#endif
