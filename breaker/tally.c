/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/tally.c: bucket n covers the times n * bucket_ms to (n + 1) * bucket_ms - 1 and stands at
 * place n modulo TALLY_BUCKETS. The window is the running bucket and the nine before it, so an
 * event is forgotten when the window has passed, at most one bucket early. */
#include "breaker/tally.h"

#include <stddef.h>

#include "base/must.h"

void tally_init(struct tally *tally, uint32_t window_ms)
{
    must(window_ms >= TALLY_BUCKETS);
    *tally = (struct tally){.bucket_ms = window_ms / TALLY_BUCKETS};
}

void tally_fit(struct tally *tally, uint32_t window_ms)
{
    if (tally->bucket_ms != window_ms / TALLY_BUCKETS) {
        tally_init(tally, window_ms);
    }
}

static uint64_t number_at(const struct tally *tally, mono_ms now)
{
    uint64_t number = now / tally->bucket_ms;

    return number > tally->newest ? number : tally->newest;
}

/* The running bucket; those whose place it and its predecessors took over are emptied, so that the
 * ring never shows a count of an earlier round. */
static struct tally_counts *bucket_at(struct tally *tally, mono_ms now)
{
    uint64_t number = number_at(tally, now);
    uint64_t passed = number - tally->newest;

    for (uint64_t i = 0; i < passed && i < TALLY_BUCKETS; i++) {
        tally->buckets[(number - i) % TALLY_BUCKETS] = (struct tally_counts){0};
    }
    tally->newest = number;
    return &tally->buckets[number % TALLY_BUCKETS];
}

void tally_success(struct tally *tally, mono_ms now, bool is_slow)
{
    struct tally_counts *bucket = bucket_at(tally, now);

    bucket->successes++;
    bucket->slow += is_slow;
}

void tally_failure(struct tally *tally, mono_ms now)
{
    bucket_at(tally, now)->failures++;
}

struct tally_counts tally_sum(const struct tally *tally, mono_ms now)
{
    uint64_t passed = number_at(tally, now) - tally->newest;
    size_t newest = tally->newest % TALLY_BUCKETS;
    struct tally_counts sum = {0};

    /* Nothing is emptied here: what has become too old since the last event is passed over. */
    for (uint64_t age = passed; age < TALLY_BUCKETS; age++) {
        size_t back = (size_t)(age - passed);
        const struct tally_counts *bucket =
            &tally->buckets[(newest + TALLY_BUCKETS - back) % TALLY_BUCKETS];
        sum.successes += bucket->successes;
        sum.failures += bucket->failures;
        sum.slow += bucket->slow;
    }
    return sum;
}
