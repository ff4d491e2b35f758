/* SPDX-License-Identifier: Apache-2.0 */
/* router/score.h: how well a deployment has done lately, as one figure: its share of successes, its
 * time to first content against the best of its tier, and what is left of its reported limits. Also
 * the times by themselves. A value machine: no heap, no clock, integers. Time never goes back. */
#ifndef ROUTER_SCORE_H
#define ROUTER_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/tick.h"

enum {
    SCORE_LEAST_PERMILLE = 50,    /* never quite nothing: else nobody would notice a recovery */
    SCORE_MOST_PERMILLE = 1000,
    SCORE_SUCCESS_STEP_MS = 1000, /* a thirtieth of the half-life of 30 s */
    SCORE_TTFC_STEP_MS = 2000,    /* a thirtieth of the half-life of 60 s */
    SCORE_TTFC_MS_MOST = 3600000, /* longer ones count as this */
    SCORE_BUCKETS = 24,
    SCORE_P95_SAMPLES = 20        /* fewer say nothing */
};

/* A mean whose samples lose half of their weight in each half-life. */
struct score_mean {
    uint64_t sum;    /* of weight times value */
    uint64_t weight; /* of all samples together; a new one weighs 65,536 */
    uint64_t step;   /* the time both are of, in steps */
};

/* How often an answer began within which time, by the root of two from 32 ms. */
struct score_times {
    uint16_t histogram[SCORE_BUCKETS];
    uint16_t samples; /* in all */
};

struct score {
    struct score_mean success; /* values 0 and 1 */
    struct score_mean ttfc;    /* ms; of streams */
    struct score_times contents; /* first contents of streams */
    struct score_times heads;    /* heads of whole answers */
};

void score_init(struct score *score);
/* An attempt ended, well or by the deployment's fault. Neutral ends are not told. */
void score_ended(struct score *score, bool is_success, mono_ms now);
/* A stream's first content came `ms` after the request was written. */
void score_first_content(struct score *score, uint32_t ms, mono_ms now);
/* The head of a whole answer did. */
void score_head(struct score *score, uint32_t ms);
/* The mean time to first content, half-life 60 s; 0: unknown. Less than 3% off the exact mean. It
 * stays as it is while nothing happens. */
uint32_t score_ttfc_ms(const struct score *score);
/* The time within which 95 of 100 came, of the last 2,000 to 4,000; 0: fewer than SCORE_P95_SAMPLES.
 * The upper edge of a bucket: up to 42% too much; 92,682 stands for all above 65,536. */
uint32_t score_p95_ms(const struct score_times *times);
/* How many successes there were of late: each counts half after 30 s. Less than 3% off, rounded
 * down. */
uint32_t score_answers(const struct score *score, mono_ms now);
/* Whether any attempt has ended. One that is not known is given its tier's median by the owner. */
bool score_is_known(const struct score *score);
/* clamp(s^2 * l * h, 50, 1000) permille:
 *   s  the share of successes, half-life 30 s, as if one more success were always among them: a
 *      single failure is no verdict, and silence heals. Less than 13 permille off the exact value.
 *   l  best_ttfc_ms / own, at most 1; 1 when either is unknown (0)
 *   h  headroom_permille, at most 1 */
uint32_t score_permille(const struct score *score, uint32_t best_ttfc_ms,
                        uint32_t headroom_permille, mono_ms now);

/* The score that was told without `l` (best_ttfc_ms 0) of one that takes own_ms beside one that takes
 * best_ms: within a permille of the one that is told with it. */
uint32_t score_beside(uint32_t permille, uint32_t own_ms, uint32_t best_ms);

#endif
