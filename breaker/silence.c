/* SPDX-License-Identifier: Apache-2.0 */
#include "breaker/silence.h"

uint32_t silence_after_ms(uint32_t least_ms, uint32_t p95_ms, uint32_t trips)
{
    uint64_t ms = (uint64_t)p95_ms * SILENCE_P95_TIMES;

    if (least_ms == 0 || p95_ms == 0) {
        return 0;
    }
    ms = ms > least_ms ? ms : least_ms;
    ms <<= trips < SILENCE_DOUBLINGS_MAX ? trips : (uint32_t)SILENCE_DOUBLINGS_MAX;
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

bool silence_overdue(struct silence *silence, mono_ms sent_at, uint32_t answers)
{
    if (silence->is_silent || sent_at < silence->heard_at) {
        return false;
    }
    silence->overdue++;
    silence->is_silent = silence->overdue >= SILENCE_OVERDUE && answers >= SILENCE_ANSWERS;
    return silence->is_silent;
}

bool silence_heard(struct silence *silence, mono_ms now)
{
    bool was_silent = silence->is_silent;

    *silence = (struct silence){.heard_at = now};
    return was_silent;
}
