/* SPDX-License-Identifier: Apache-2.0 */
/* A bucket says itself whose time it holds, so nothing is cleared when time passes: what is too old
 * is passed over by the sum and written over by the next count. */
#include "router/storm.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"

void storm_init(struct storm *storm)
{
    *storm = (struct storm){.buckets = {{.number = 0}}};
}

static struct storm_bucket *bucket_of(struct storm *storm, mono_ms now)
{
    uint64_t number = now / STORM_BUCKET_MS;
    struct storm_bucket *bucket = &storm->buckets[number % STORM_BUCKETS];

    if (bucket->number != number) {
        *bucket = (struct storm_bucket){.number = number};
    }
    return bucket;
}

void storm_call(struct storm *storm, mono_ms now)
{
    bucket_of(storm, now)->calls++;
}

void storm_retry(struct storm *storm, mono_ms now)
{
    bucket_of(storm, now)->retries++;
}

static bool has_token(const struct storm *storm, mono_ms now)
{
    uint64_t newest = now / STORM_BUCKET_MS;
    uint64_t calls = 0;
    uint64_t retries = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(storm->buckets); i++) {
        const struct storm_bucket *bucket = &storm->buckets[i];
        uint64_t age = newest - bucket->number;
        if (age < STORM_BUCKETS) {
            retries += bucket->retries;
        }
        /* The oldest bucket may lie outside of the last minute in part: its retries count still,
         * its calls no longer. */
        if (age < STORM_BUCKETS - 1) {
            calls += bucket->calls;
        }
    }
    return (retries + 1) * STORM_CALLS_PER_RETRY <=
           calls + STORM_RETRIES_LEAST * STORM_CALLS_PER_RETRY;
}

enum storm_no storm_ask(const struct storm *storm, uint32_t retries_in_flight,
                        uint32_t attempts_in_flight, mono_ms now)
{
    if (!has_token(storm, now)) { /* before the crowd, which would pass by itself */
        return STORM_TOKENS;
    }
    return retries_in_flight >= STORM_IN_FLIGHT_LEAST &&
                   retries_in_flight >= attempts_in_flight / STORM_ATTEMPTS_PER_RETRY
               ? STORM_CONCURRENCY
               : STORM_ALLOWS;
}
