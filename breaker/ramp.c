/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/ramp.c: a straight line, so that a healed target is not hit by the whole load at once. */
#include "breaker/ramp.h"

uint32_t ramp_permille(mono_ms closed_at, mono_ms now)
{
    uint64_t passed = mono_until(closed_at, now);

    if (closed_at == 0 || passed >= RAMP_MS) {
        return RAMP_FULL_PERMILLE;
    }
    return RAMP_FROM_PERMILLE +
           (uint32_t)(passed * (RAMP_FULL_PERMILLE - RAMP_FROM_PERMILLE) / RAMP_MS);
}
