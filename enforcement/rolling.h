/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/rolling.h: what of a part counts in a rolling window. The window is the last `length_ms`;
 * sums are kept in parts of a 24th of that. Parts that lie wholly inside count wholly; of the one that
 * the window's begin cuts, the share that is still inside, rounded up. So what counts is never less
 * than what was spent in the window if spending was even within that part, and off by one part's sum at
 * most. Every ledger computes it in this way. */
#ifndef ENFORCEMENT_ROLLING_H
#define ENFORCEMENT_ROLLING_H

#include <stdint.h>

#include "base/tick.h"
#include "enforcement/window.h"

/* Of `sum` (>= 0), spent in the part [begin, begin + part_ms), what counts at `now`. part_ms is below
 * 2^31, as a 24th of 366 days is. */
static inline int64_t rolling_share(int64_t sum, wall_ms begin, int64_t part_ms, wall_ms now)
{
    int64_t inside = begin + part_ms - (now - part_ms * WINDOW_PARTS);

    if (inside >= part_ms) {
        return sum;
    }
    if (inside <= 0) {
        return 0;
    }
    /* Quotient and remainder apart, so that nothing overflows. */
    return sum / part_ms * inside + (sum % part_ms * inside + part_ms - 1) / part_ms;
}

#endif
