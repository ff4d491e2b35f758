/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/tally.h: counts over the last seconds, in a ring of ten buckets that is advanced when it
 * is touched. A value; constant memory. */
#ifndef BREAKER_TALLY_H
#define BREAKER_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"

enum { TALLY_BUCKETS = 10 };

struct tally_counts {
    uint32_t successes; /* slow ones included */
    uint32_t failures;
    uint32_t slow;
};

struct tally {
    struct tally_counts buckets[TALLY_BUCKETS];
    uint64_t newest;    /* number of the newest bucket: time / bucket_ms */
    uint32_t bucket_ms;
};

/* window_ms: what all buckets together span; at least TALLY_BUCKETS. */
void tally_init(struct tally *tally, uint32_t window_ms);
/* Begins anew if the window is another one than before: settings may have been read again. */
void tally_fit(struct tally *tally, uint32_t window_ms);
void tally_success(struct tally *tally, mono_ms now, bool is_slow);
void tally_failure(struct tally *tally, mono_ms now);
/* The sum over the buckets that are not older than the window. A time before that of an earlier
 * event is taken as that event's. */
struct tally_counts tally_sum(const struct tally *tally, mono_ms now);

#endif
