/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/sinks.h: delivers the records of the journal to the sinks of the settings; together they are
 * one of its followers. Made, used and freed on the store thread, on whose loop they live; none waits
 * for another. A record is delivered at least once, in the journal's order; a sink's cursor moves on
 * only after delivery. */
#ifndef PROXY_SINKS_H
#define PROXY_SINKS_H

#include <stddef.h>

#include "conf/snapshot.h"
#include "proxy/follower.h"
#include "proxy/log.h"
#include "proxy/loop.h"

struct sinks_options {
    struct loop *loop;               /* the store thread's */
    const struct snapshot *snapshot; /* outlives them; its egress rules hold also after a change */
    struct span journal;             /* folder; outlives them */
    struct span state_dir;           /* cursors are kept in its folder `sinks`; outlives them */
    uint64_t seed;                   /* of the pauses */
    void (*tell)(void *to, const struct log_news *news);
    void *to;
};

struct sinks;
/* libcurl has been started. ERR_MEMORY, ERR_SYSTEM, ERR_PERMISSION: `why` tells, *sinks is NULL. */
MUST_CHECK enum err sinks_new(const struct sinks_options *options, struct sinks **sinks,
                              struct why *why);
/* Frees them with its own function. */
struct follower sinks_follower(struct sinks *sinks);

/* From now on the sinks are those of this snapshot, which outlives them. One that keeps its name keeps
 * its cursor; one that is delivering does so to the end first. False: some are, so this wants to be
 * asked again, and the snapshot before is still needed. Not from inside of a callback of theirs. `why`
 * tells what else failed (it is empty otherwise): asked again, that is tried again. */
bool sinks_change(struct sinks *sinks, const struct snapshot *snapshot, struct journal_place end,
                  struct why *why);

struct sink_state {
    struct span name;
    const char *kind;
    struct journal_place cursor;
    uint64_t delivered; /* records since the start, as are the others */
    uint64_t known;     /* of them those that turned out to be there already */
    uint64_t batches;
    uint64_t failures;
    uint64_t damaged;   /* lines of the journal that were left out */
    bool is_down;
    uint64_t down_ms;
    const char *reason; /* why it is down; empty when it is not */
};
size_t sinks_count(const struct sinks *sinks);
/* Valid until they are used again. */
struct sink_state sinks_state(const struct sinks *sinks, size_t i);
/* Bytes of the journal between the two. */
uint64_t sinks_waiting(const struct sinks *sinks, struct journal_place cursor,
                       struct journal_place end);

#endif
