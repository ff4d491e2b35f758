/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/script.h"

#include "base/must.h"
#include "wire/hint.h"

enum { HEALTHY_CONNECT_MS = 2, HEALTHY_HEAD_MS = 50, HEALTHY_CONTENT_MS = 50, HEALTHY_GAP_MS = 20 };

static const struct manner healthy = {
    .outcome = OUTCOME_OK,
    .stage = STAGE_STREAM,
    .pieces = 3,
    .connect_ms = HEALTHY_CONNECT_MS,
    .head_ms = HEALTHY_HEAD_MS,
    .content_ms = HEALTHY_CONTENT_MS,
    .gap_ms = HEALTHY_GAP_MS,
    .hint_ms = HINT_NONE,
    .should_retry = -1,
};

void script_init(struct script *script)
{
    *script = (struct script){.usual = healthy};
}

struct spell *script_add(struct script *script, mono_ms from, mono_ms until,
                         const struct manner *manner)
{
    struct spell *spell = NULL;

    must(script->spells_count < SPELLS_MAX);
    spell = &script->spells[script->spells_count++];
    *spell = (struct spell){.from = from, .until = until, .percent = 100, .manner = *manner};
    return spell;
}

enum stage stage_of(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_DNS:
    case OUTCOME_EGRESS_DENIED:
    case OUTCOME_CONNECT:
    case OUTCOME_CONNECT_TIMEOUT:
    case OUTCOME_TLS:
    case OUTCOME_TLS_TIMEOUT:
    case OUTCOME_TLS_VERIFY:
    case OUTCOME_EGRESS_PROXY:
    case OUTCOME_LOCAL: return STAGE_CONNECT;
    case OUTCOME_WRITE_TIMEOUT: return STAGE_WRITE;
    case OUTCOME_RESET:
    case OUTCOME_CLOSED:
    case OUTCOME_STALE:
    case OUTCOME_PROTOCOL:
    case OUTCOME_SWITCHED:
    case OUTCOME_HEADER: return STAGE_HEAD;
    default: return STAGE_BODY;
    }
}

struct manner manner_of(enum outcome outcome)
{
    struct manner manner = healthy;

    manner.outcome = outcome;
    manner.stage = outcome == OUTCOME_OK ? STAGE_STREAM : stage_of(outcome);
    if (outcome == OUTCOME_STALE) { /* what the shell sees of it */
        manner.outcome = OUTCOME_CLOSED;
        manner.if_reused = true;
    }
    if (outcome == OUTCOME_CONNECT_TIMEOUT || outcome == OUTCOME_TLS_TIMEOUT) {
        manner.connect_ms = 5000;
    }
    if (manner.stage == STAGE_BODY) {
        manner.content_ms = 5;
    }
    return manner;
}

static bool is_on(const struct spell *spell, mono_ms now, struct rng *rng)
{
    if (now < spell->from || now >= spell->until) {
        return false;
    }
    if (spell->period_ms != 0 && (now - spell->from) % spell->period_ms >= spell->on_ms) {
        return false;
    }
    return spell->percent >= 100 || rng_below(rng, 100) < spell->percent;
}

/* Windows follow each other without a gap; the first one ends at offset_ms. */
static uint64_t until_next_window(const struct quota *quota, mono_ms now, uint64_t *number)
{
    uint64_t shifted = now + quota->window_ms - quota->offset_ms % quota->window_ms;

    *number = shifted / quota->window_ms;
    return quota->window_ms - shifted % quota->window_ms;
}

/* False: this one is too much. */
static bool take_quota(const struct quota *quota, struct meter_of_quota *meter, mono_ms now,
                       uint64_t *left_ms)
{
    uint64_t number = 0;

    *left_ms = until_next_window(quota, now, &number);
    if (number != meter->window) {
        meter->window = number;
        meter->used = 0;
    }
    if (meter->used >= quota->count) {
        return false;
    }
    meter->used++;
    return true;
}

static const struct reported_limit untold = {.limit = -1, .remaining = -1, .reset_ms = -1};

struct manner script_play(const struct script *script, struct meter_of_quota *meter, bool is_reused,
                          mono_ms now, struct rng *rng, struct reported *reported)
{
    struct manner manner = script->usual;
    uint64_t left_ms = 0;

    *reported = (struct reported){untold, untold, untold, untold, false};
    for (uint8_t i = 0; i < script->spells_count; i++) {
        if (is_on(&script->spells[i], now, rng) &&
            (is_reused || !script->spells[i].manner.if_reused)) {
            manner = script->spells[i].manner;
            break;
        }
    }
    if (script->quota.count == 0 || manner.stage < STAGE_BODY) {
        return manner;
    }
    if (!take_quota(&script->quota, meter, now, &left_ms)) {
        manner = manner_of(OUTCOME_THROTTLED);
        manner.hint_ms = script->quota.tells_hint ? (int64_t)left_ms : HINT_NONE;
    }
    if (script->quota.tells_left) {
        reported->is_any = true;
        reported->requests = (struct reported_limit){
            .limit = script->quota.count,
            .remaining = script->quota.count - meter->used,
            .reset_ms = (int64_t)left_ms,
        };
    }
    return manner;
}
