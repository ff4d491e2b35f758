/* SPDX-License-Identifier: Apache-2.0 */
/* base/tick.h: the two kinds of time. Intervals use the monotonic one; the wall clock is for
 * records, log lines and dates from outside. Both come in as arguments; nobody here reads a clock. */
#ifndef BASE_TICK_H
#define BASE_TICK_H

#include <stdint.h>

typedef uint64_t mono_ms;  /* milliseconds since an arbitrary start */
typedef int64_t wall_ms;   /* milliseconds since 1970-01-01T00:00:00Z */

/* "Never": later than every real time. */
#define MONO_NEVER UINT64_MAX

/* Saturating: never wraps past MONO_NEVER. */
static inline mono_ms mono_add(mono_ms at, uint64_t ms)
{
    return ms > MONO_NEVER - at ? MONO_NEVER : at + ms;
}

/* How long until `at`; 0 when it has come. */
static inline uint64_t mono_until(mono_ms now, mono_ms at)
{
    return at > now ? at - now : 0;
}

static inline mono_ms mono_min(mono_ms a, mono_ms b)
{
    return a < b ? a : b;
}

#endif
