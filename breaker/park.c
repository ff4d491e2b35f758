/* SPDX-License-Identifier: Apache-2.0 */
/* breaker/park.c: one row per reason, and the rule that a longer stay wins. The figures are those
 * of resilience.md, 3 and 5.2. */
#include "breaker/park.h"

#include <stddef.h>

#include "base/must.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };
#define STAY_MAX_MS ((uint64_t)31 * 24 * HOUR_MS)

struct park_row {
    const char *word;
    uint32_t first_ms;
    uint32_t most_ms;
    bool is_cooldown;
};

static const struct park_row rows[] = {
    [PARK_NONE] = {"", 0, 0, false},
    [PARK_AUTH] = {"auth", 5 * MINUTE_MS, HOUR_MS, false},
    [PARK_PERMISSION] = {"permission", 5 * MINUTE_MS, HOUR_MS, false},
    [PARK_BILLING] = {"billing", 15 * MINUTE_MS, 6 * HOUR_MS, false},
    [PARK_QUOTA] = {"quota", 15 * MINUTE_MS, 6 * HOUR_MS, false},
    [PARK_MODEL] = {"model", 10 * MINUTE_MS, 10 * MINUTE_MS, false},
    [PARK_EGRESS] = {"egress", 10 * MINUTE_MS, 10 * MINUTE_MS, false},
    [PARK_THROTTLED] = {"throttled", SECOND_MS, 20 * SECOND_MS, true},
    [PARK_OVERLOADED] = {"overloaded", SECOND_MS, 20 * SECOND_MS, true},
};

static const struct park_row *row_of(enum park_reason reason)
{
    must((size_t)reason < ARRAY_LENGTH(rows));
    return &rows[reason];
}

void park_for(struct park *park, enum park_reason reason, uint64_t ms, mono_ms now)
{
    mono_ms until = mono_add(now, ms < STAY_MAX_MS ? ms : STAY_MAX_MS);

    must(reason != PARK_NONE);
    if (park->until >= until) {
        return;
    }
    if (park->reason != reason) {
        park->times = 0;
    }
    park->until = until;
    park->reason = reason;
}

static uint64_t stay_ms(const struct park_row *row, uint8_t times)
{
    uint64_t ms = row->first_ms;

    for (uint8_t i = 1; i < times && ms < row->most_ms; i++) {
        ms *= 2;
    }
    return ms < row->most_ms ? ms : row->most_ms;
}

/* Which stay in a row for this reason one that begins now would be, counted from 1. An answer that
 * comes while the stay runs was to an attempt that began before it: a hundred calls under way with
 * one dead credential are one refusal, not a hundred in a row. */
static uint8_t times_now(const struct park *park, enum park_reason reason, mono_ms now)
{
    if (park->reason != reason || park->times == 0) {
        return 1;
    }
    if (park_is_out(park, now) || park->times == UINT8_MAX) {
        return park->times;
    }
    return (uint8_t)(park->times + 1);
}

uint64_t park_back_off(struct park *park, enum park_reason reason, mono_ms now)
{
    uint8_t times = times_now(park, reason, now);
    uint64_t ms = stay_ms(row_of(reason), times);

    park_for(park, reason, ms, now);
    /* A longer stay for another reason was kept, and with it that reason's times. */
    if (park->reason == reason) {
        park->times = times;
    }
    return ms;
}

bool park_is_out(const struct park *park, mono_ms now)
{
    return now < park->until;
}

void park_forgive(struct park *park)
{
    park->times = 0;
}

void park_clear(struct park *park)
{
    *park = (struct park){.reason = PARK_NONE};
}

const char *park_word(enum park_reason reason)
{
    return row_of(reason)->word;
}

bool park_is_cooldown(enum park_reason reason)
{
    return row_of(reason)->is_cooldown;
}
