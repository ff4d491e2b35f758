/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/ramp.h: slow start: the share of its weight that a target gets after its breaker has
 * closed. */
#ifndef BREAKER_RAMP_H
#define BREAKER_RAMP_H

#include <stdint.h>

#include "base/tick.h"

enum { RAMP_MS = 30000, RAMP_FROM_PERMILLE = 100, RAMP_FULL_PERMILLE = 1000 };

/* RAMP_FROM_PERMILLE when it has just closed, rising linearly to RAMP_FULL_PERMILLE in RAMP_MS.
 * closed_at 0: it was never open. */
uint32_t ramp_permille(mono_ms closed_at, mono_ms now);

#endif
