/* SPDX-License-Identifier: Apache-2.0 */
/* Rate-limit-aware routing: resilience.md 9. */
#include "router/headroom.h"

#include "base/must.h"

enum {
    /* For how long a report counts in the factor when no reset is told: the limits of chat models
     * are mostly per minute (openai.md 11). It never makes a target ineligible. */
    WINDOW_MS = 60000,
    PERMILLE_LEAST = 100,
    PERMILLE_FULL = 1000,
    SHARE = 5 /* the factor falls below a fifth of the limit */
};

static const struct headroom_line unknown = {.limit = -1, .told = -1};

void headroom_init(struct headroom *headroom)
{
    *headroom = (struct headroom){unknown, unknown, unknown, unknown};
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static bool is_live(const struct headroom_line *line, mono_ms now)
{
    return line->told >= 0 && now < line->full_at;
}

/* -1: unknown. */
static int64_t left_of(const struct headroom_line *line, mono_ms now)
{
    if (!is_live(line, now)) {
        return line->told < 0 ? -1 : line->limit;
    }
    return line->started >= (uint64_t)line->told ? 0 : line->told - (int64_t)line->started;
}

/* What may have come back since the last report, evenly from then until the line is full. Limits
 * are up to 2^53 and resets up to a day of 2^27 ms, so the product is taken in two parts. */
static int64_t refilled(const struct headroom_line *line, mono_ms now)
{
    uint64_t missing = line->limit > line->told ? (uint64_t)(line->limit - line->told) : 0;
    uint64_t window = line->full_at - line->told_at;
    uint64_t passed = mono_until(line->told_at, now);

    return (int64_t)(missing / window * passed + missing % window * passed / window);
}

/* Whether an answer tells of a time before the last report. Another limit is news in any case. */
static bool is_older(const struct headroom_line *line, const struct reported_limit *reported,
                     mono_ms now)
{
    return is_live(line, now) && (reported->limit < 0 || reported->limit == line->limit) &&
           reported->remaining > line->told + refilled(line, now);
}

/* Azure reports -1 or 0 where it does not count: 0 alone is no proof (azure-openai.md 2), it needs
 * its limit beside it. A limit of 0 says that there is none to tell of. */
static void take(struct headroom_line *line, const struct reported_limit *reported, mono_ms now)
{
    int64_t limit = reported->limit < 0 ? line->limit : reported->limit;

    if (reported->remaining < 0 || reported->limit == 0 ||
        (reported->remaining == 0 && reported->limit < 0) || is_older(line, reported, now)) {
        return;
    }
    line->told = limit >= 0 && reported->remaining > limit ? limit : reported->remaining;
    line->limit = limit;
    line->started = 0;
    line->told_at = now;
    line->has_reset = reported->reset_ms > 0;
    line->full_at = mono_add(now, line->has_reset ? (uint64_t)reported->reset_ms : WINDOW_MS);
}

void headroom_report(struct headroom *headroom, const struct reported *reported, mono_ms now)
{
    if (!reported->is_any) {
        return;
    }
    take(&headroom->requests, &reported->requests, now);
    take(&headroom->tokens, &reported->tokens, now);
    take(&headroom->input, &reported->input, now);
    take(&headroom->output, &reported->output, now);
}

static void start(struct headroom_line *line, uint64_t need, mono_ms now)
{
    if (is_live(line, now)) {
        line->started = sum(line->started, need);
    }
}

void headroom_start(struct headroom *headroom, uint64_t input_tokens, uint64_t output_tokens,
                    mono_ms now)
{
    start(&headroom->requests, 1, now);
    start(&headroom->tokens, sum(input_tokens, output_tokens), now);
    start(&headroom->input, input_tokens, now);
    start(&headroom->output, output_tokens, now);
}

/* Puts off `until` when the line says no. */
static void ask(const struct headroom_line *line, uint64_t need, mono_ms now, mono_ms *until)
{
    int64_t left = left_of(line, now);

    if (!line->has_reset || !is_live(line, now) || (uint64_t)left >= need) {
        return;
    }
    if (line->limit >= 0 && need > (uint64_t)line->limit && left >= line->limit) {
        return;
    }
    if (line->full_at > *until) {
        *until = line->full_at;
    }
}

bool headroom_covers(const struct headroom *headroom, uint64_t input_tokens, uint64_t output_tokens,
                     mono_ms now, mono_ms *until)
{
    mono_ms latest = now;

    ask(&headroom->requests, 1, now, &latest);
    ask(&headroom->tokens, sum(input_tokens, output_tokens), now, &latest);
    ask(&headroom->input, input_tokens, now, &latest);
    ask(&headroom->output, output_tokens, now, &latest);
    if (latest == now) {
        return true;
    }
    *until = latest;
    return false;
}

/* left / (limit / 5), between 0.1 and 1. Below a fifth of 2^53 the product fits. */
static uint32_t permille_of(const struct headroom_line *line, mono_ms now)
{
    int64_t left = left_of(line, now);
    int64_t permille = PERMILLE_FULL;

    if (left < 0 || line->limit <= 0 || left >= (line->limit + SHARE - 1) / SHARE) {
        return PERMILLE_FULL;
    }
    permille = left * (PERMILLE_FULL * SHARE) / line->limit;
    return permille < PERMILLE_LEAST ? PERMILLE_LEAST : (uint32_t)permille;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t headroom_permille(const struct headroom *headroom, mono_ms now)
{
    return least(least(permille_of(&headroom->requests, now), permille_of(&headroom->tokens, now)),
                 least(permille_of(&headroom->input, now), permille_of(&headroom->output, now)));
}

static struct limit_view view_of(const struct headroom_line *line, mono_ms now)
{
    bool is_waiting = line->has_reset && is_live(line, now);

    return (struct limit_view){.limit = line->limit,
                               .left = left_of(line, now),
                               .reset_ms =
                                   is_waiting ? (int64_t)mono_until(now, line->full_at) : -1};
}

void headroom_view(const struct headroom *headroom, mono_ms now, struct limit_view *requests,
                   struct limit_view *tokens)
{
    const struct headroom_line *line = &headroom->tokens;

    if (line->told < 0) {
        bool is_output = headroom->input.told < 0 ||
                         permille_of(&headroom->output, now) < permille_of(&headroom->input, now);
        line = is_output ? &headroom->output : &headroom->input;
    }
    *requests = view_of(&headroom->requests, now);
    *tokens = view_of(line, now);
}
