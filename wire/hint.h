/* SPDX-License-Identifier: Apache-2.0 */
/* wire/hint.h: how long a provider asks us to wait, in all its spellings, and how much of that we
 * may tell an app. Integers only; what cannot be read, lies in the past or is longer than a day is
 * no hint at all, never zero. */
#ifndef WIRE_HINT_H
#define WIRE_HINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"
#include "wire/http1.h"

/* "The provider did not say." */
enum { HINT_NONE = -1 };

/* The wait in milliseconds (1 to a day), or HINT_NONE. The order of the spellings is that of
 * resilience.md, 5.3. `retry_delay` is RetryInfo.retryDelay of the body, without quotes, or empty.
 * `now` is for dates. */
int64_t hint_wait_ms(const struct http1_head *head, const char *base, struct span retry_delay,
                     wall_ms now);

/* What an app is told of a wait (conventions.md, 1.7): SDKs obey whole seconds from 1 to 60 and
 * fall back to their own sub-second waits for more. */
struct hint_told {
    uint32_t seconds; /* retry-after: 1..60 */
    uint32_t ms;      /* retry-after-ms: 1..60000 */
    bool is_capped;   /* the true wait is longer: x-should-retry: false goes along */
};

/* wait_ms > 0. */
struct hint_told hint_tell(int64_t wait_ms);

/* Single spellings, each HINT_NONE when it is not one: "1500.5" milliseconds, "2.5" seconds, a
 * duration of Go ("6m0s", "20ms", "1h2m3.5s"), a moment of RFC 3339 seen from now. */
int64_t hint_of_ms(struct span text);
int64_t hint_of_seconds(struct span text);
int64_t hint_of_duration(struct span text);
int64_t hint_of_moment(struct span text, wall_ms now);

#endif
