/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/sinks.h: the followers of the journal that deliver its records: one for each sink of the
 * settings. Made, used and freed on the store thread, on whose loop they live; none waits for
 * another. A record is delivered at least once, in the journal's order; the cursor moves on only
 * after delivery. */
#ifndef PROXY_SINKS_H
#define PROXY_SINKS_H

#include <stddef.h>

#include "conf/snapshot.h"
#include "proxy/follower.h"
#include "proxy/log.h"
#include "proxy/loop.h"

struct sinks_options {
    struct loop *loop;               /* the store thread's */
    const struct snapshot *snapshot; /* outlives the sinks */
    struct log *log;                 /* on the same loop; outlives the sinks */
    struct span journal;             /* folder */
    struct span state_dir;           /* cursors are kept in its folder `sinks` */
    uint64_t seed;                   /* of the pauses */
};

/* Puts a follower for each sink into `followers` (room for snapshot->sinks_count) and their number
 * into *count. Each is freed by its own function; the last one takes along what they share. libcurl
 * has been started. On an error there is none. */
MUST_CHECK enum err sinks_new(const struct sinks_options *options, struct follower *followers,
                              size_t *count, struct why *why);

struct sink_counts {
    uint64_t delivered; /* records */
    uint64_t known;     /* of them those that turned out to be there already */
    uint64_t batches;
    uint64_t failures;
    uint64_t damaged;   /* lines of the journal that were left out */
    bool is_down;
};
/* Of a follower that sinks_new made. */
struct sink_counts sinks_count_of(const struct follower *follower);

#endif
