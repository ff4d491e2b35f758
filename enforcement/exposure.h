/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/exposure.h: the money budget against retry storms (resilience.md, 5.4): what is sent again
 * although the first attempt may have run, and hedges, may be paid for twice. Of that a team may have in
 * a minute a tenth of what it has spent in the last one, and 0.10 USD in any case. Bounded by team:
 * the one that did nothing for longest gives way. Pure; time never goes back. */
#ifndef ENFORCEMENT_EXPOSURE_H
#define ENFORCEMENT_EXPOSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/must.h"
#include "base/span.h"
#include "base/tick.h"

#define EXPOSURE_LEAST INT64_C(100000000) /* nanodollars a minute, however little was spent */
enum {
    EXPOSURE_SHARE = 10,      /* one part in so many of what was spent */
    EXPOSURE_BUCKET_MS = 10000,
    EXPOSURE_BUCKETS = 7,     /* six that are whole and the one that is being filled */
    EXPOSURE_TEAMS_MAX = 4096
};

struct exposures;
/* NULL: no memory. */
MUST_CHECK struct exposures *exposures_new(const uint64_t seed[2]);
void exposures_free(struct exposures *exposures);

/* Whether so much more (nanodollars) may be paid twice. Changes nothing. */
bool exposures_allow(struct exposures *exposures, struct span team, int64_t nano, mono_ms now);
/* It may be. */
void exposures_add(struct exposures *exposures, struct span team, int64_t nano, mono_ms now);
/* So much was spent. */
void exposures_settled(struct exposures *exposures, struct span team, int64_t nano, mono_ms now);

#endif
