/* SPDX-License-Identifier: Apache-2.0 */
/* router/storm.h: the two budgets that keep retries from burying an endpoint that is in trouble;
 * one struct per endpoint. First attempts never need them; a failover counts as a retry at the
 * endpoint it goes to. A value machine: no heap, no clock; time never goes back. */
#ifndef ROUTER_STORM_H
#define ROUTER_STORM_H

#include <stdint.h>

#include "base/tick.h"

enum {
    STORM_BUCKET_MS = 6000,
    STORM_BUCKETS = 11,        /* ten that are whole and the one that is being filled */
    STORM_RETRIES_LEAST = 10,  /* in a window, however few the calls */
    STORM_CALLS_PER_RETRY = 5, /* each call deposits a fifth of a retry */
    STORM_IN_FLIGHT_LEAST = 3,
    STORM_ATTEMPTS_PER_RETRY = 5 /* in flight */
};

enum storm_no {
    STORM_ALLOWS,
    STORM_CONCURRENCY, /* too many of the attempts in flight are retries */
    STORM_TOKENS       /* the retries that the calls of the last minute paid for are used up */
};

struct storm_bucket {
    uint64_t number; /* time / STORM_BUCKET_MS */
    uint32_t calls;
    uint32_t retries;
};

struct storm {
    struct storm_bucket buckets[STORM_BUCKETS];
};

void storm_init(struct storm *storm);
/* A call began that could come to this endpoint: deposits 0.2 of a retry for a minute. */
void storm_call(struct storm *storm, mono_ms now);
/* May a retry be sent now? Changes nothing. Both counts are of this endpoint, without the retry in
 * question; retries are attempts too.
 *   concurrency  retries in flight < max(3, a fifth of the attempts in flight, rounded down)
 *   tokens       in every 60 s that end with a retry that was allowed there are, this one included,
 *                at most 10 + 0.2 * calls retries. Calls count for 54..60 s and retries for
 *                60..66 s, by the bucket: the bound holds exactly, and errs on the side of no. */
enum storm_no storm_ask(const struct storm *storm, uint32_t retries_in_flight,
                        uint32_t attempts_in_flight, mono_ms now);
/* One is sent: withdraws 1. */
void storm_retry(struct storm *storm, mono_ms now);

#endif
