/* SPDX-License-Identifier: Apache-2.0 */
/* What attempts tell by saying nothing for too long, and whoever speaks by speaking
 * (breaker/silence.h). */
#include "router/fleet_parts.h"

/* A sign of life: whoever had been found silent may be tried again. */
void fleet_heard(struct fleet *fleet, const struct entry *entry, mono_ms now)
{
    struct live_deployment *live = fleet_deployment(fleet, entry->member);

    if (silence_heard(&live->silence, now)) {
        fleet_say_breaker(fleet, entry->member, false, breaker_invite(&live->breaker, now),
                          OUTCOME_OK, now);
    }
}

void fleet_head(struct fleet *fleet, struct entry *entry, uint32_t head_ms, mono_ms now)
{
    fleet_heard(fleet, entry, now);
    score_head(&fleet_deployment(fleet, entry->member)->score, head_ms);
}

static bool is_one(const struct entry *entry, enum admission how)
{
    return entry->endpoint_pass.how == how || entry->deployment_pass.how == how;
}

mono_ms fleet_sent(struct fleet *fleet, struct entry *entry, bool is_stream, mono_ms now)
{
    const struct live_deployment *live = fleet_deployment(fleet, entry->member);
    uint32_t ms = 0;

    entry->sent_at = now;
    if (!is_one(entry, ADMISSION_PANIC)) {
        ms = silence_after_ms(live->provider->breaker.silence_ms,
                              fleet_p95_ms(fleet, entry->member, is_stream), live->breaker.trips);
    }
    return ms == 0 ? MONO_NEVER : mono_add(now, ms);
}

bool fleet_overdue(struct fleet *fleet, struct entry *entry, bool can_leave, mono_ms now)
{
    struct live_deployment *live = fleet_deployment(fleet, entry->member);
    bool is_probe = is_one(entry, ADMISSION_PROBE);
    bool counts =
        can_leave && !is_probe && !entry->is_overdue && live->breaker.state == BREAKER_CLOSED;

    entry->is_overdue = true;
    if (counts &&
        silence_overdue(&live->silence, entry->sent_at, score_answers(&live->score, now))) {
        fleet_say_breaker(fleet, entry->member, false,
                          breaker_open(&live->breaker, &live->provider->breaker, now, &fleet->rng),
                          OUTCOME_SILENT, now);
    }
    return can_leave && (is_probe || live->silence.is_silent);
}
