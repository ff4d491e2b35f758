/* SPDX-License-Identifier: Apache-2.0 */
/* Time goes in steps of a thirtieth of the half-life, and samples of one step weigh the same. So a
 * weight is off by at most a factor 2^(1/30) = 1.0234 either way: between samples that is one step
 * (the mean time is off by less than 2.4%), against the constant success it is two (a share is off
 * by less than 1.2%). Rounding, always down, adds less than 0.1%. Finer steps would not make
 * choices better, and single milliseconds would be lost in the rounding. */
#include "router/score.h"

#include <stddef.h>

#include "base/must.h"

enum { STEPS = 30, HALVINGS_MOST = 63, HISTOGRAM_FULL = 4096 };

static const uint64_t one = UINT64_C(1) << 16;
/* The most that samples may weigh together, a million of them: sum stays below 2^58. More come only
 * faster than 20,000 a second. */
static const uint64_t weight_most = UINT64_C(1) << 36;

/* 65536 * 2^(-i/30) */
static const uint32_t powers[STEPS] = {65536, 64039, 62576, 61147, 59751, 58386, 57052, 55749,
                                       54476, 53232, 52016, 50828, 49667, 48533, 47424, 46341,
                                       45283, 44248, 43238, 42250, 41285, 40342, 39421, 38520,
                                       37641, 36781, 35941, 35120, 34318, 33534};

/* Upper edges in ms: 32 * 2^(i/2). What is above the last falls into the last. */
static const uint32_t edges[SCORE_BUCKETS] = {
    32,   45,   64,   91,   128,  181,   256,   362,   512,   724,   1024,  1448,
    2048, 2896, 4096, 5793, 8192, 11585, 16384, 23170, 32768, 46341, 65536, 92682};

/* ---- means ---- */

static uint64_t decayed(uint64_t number, uint64_t steps)
{
    uint64_t halvings = steps / STEPS;
    uint64_t power = powers[steps % STEPS];

    if (halvings > HALVINGS_MOST) {
        return 0;
    }
    number >>= halvings;
    /* The halves apart, so that the product fits. */
    return (number >> 16) * power + ((number & (one - 1)) * power >> 16);
}

static struct score_mean mean_at(const struct score_mean *mean, uint64_t step)
{
    uint64_t steps = step - mean->step;

    return (struct score_mean){
        .sum = decayed(mean->sum, steps), .weight = decayed(mean->weight, steps), .step = step};
}

static void mean_add(struct score_mean *mean, uint32_t value, uint64_t step)
{
    *mean = mean_at(mean, step);
    if (mean->weight >= weight_most) {
        mean->weight /= 2;
        mean->sum /= 2;
    }
    mean->weight += one;
    mean->sum += one * value;
}

/* ---- the score ---- */

void score_init(struct score *score)
{
    *score = (struct score){.success = {.sum = 0}};
}

void score_ended(struct score *score, bool is_success, mono_ms now)
{
    mean_add(&score->success, is_success ? 1 : 0, now / SCORE_SUCCESS_STEP_MS);
}

bool score_is_known(const struct score *score)
{
    return score->success.weight != 0;
}

uint32_t score_ttfc_ms(const struct score *score)
{
    const struct score_mean *mean = &score->ttfc;

    return mean->weight == 0 ? 0 : (uint32_t)(mean->sum / mean->weight);
}

static uint64_t success_permille(const struct score *score, mono_ms now)
{
    struct score_mean mean = mean_at(&score->success, now / SCORE_SUCCESS_STEP_MS);

    return (mean.sum + one) * 1000 / (mean.weight + one);
}

static uint64_t speed_permille(uint32_t own_ms, uint32_t best_ms)
{
    if (own_ms == 0 || best_ms == 0 || best_ms >= own_ms) {
        return 1000;
    }
    return (uint64_t)best_ms * 1000 / own_ms;
}

static uint32_t bounded(uint64_t permille)
{
    if (permille < SCORE_LEAST_PERMILLE) {
        return SCORE_LEAST_PERMILLE;
    }
    return permille < SCORE_MOST_PERMILLE ? (uint32_t)permille : SCORE_MOST_PERMILLE;
}

uint32_t score_beside(uint32_t permille, uint32_t own_ms, uint32_t best_ms)
{
    return bounded((uint64_t)permille * speed_permille(own_ms, best_ms) / 1000);
}

uint32_t score_permille(const struct score *score, uint32_t best_ttfc_ms,
                        uint32_t headroom_permille, mono_ms now)
{
    uint64_t success = success_permille(score, now);
    uint64_t speed = speed_permille(score_ttfc_ms(score), best_ttfc_ms);
    uint64_t headroom = headroom_permille < 1000 ? headroom_permille : 1000;

    return bounded(success * success * speed * headroom / 1000000000);
}

uint32_t score_answers(const struct score *score, mono_ms now)
{
    return (uint32_t)(mean_at(&score->success, now / SCORE_SUCCESS_STEP_MS).sum / one);
}

/* ---- the histograms ---- */

static void halve(struct score_times *times)
{
    times->samples = 0;
    for (size_t i = 0; i < SCORE_BUCKETS; i++) {
        times->histogram[i] /= 2;
        times->samples = (uint16_t)(times->samples + times->histogram[i]);
    }
}

static void times_add(struct score_times *times, uint32_t ms)
{
    size_t i = 0;

    while (i < SCORE_BUCKETS - 1 && ms > edges[i]) {
        i++;
    }
    if (times->samples == HISTOGRAM_FULL) {
        halve(times);
    }
    times->histogram[i]++;
    times->samples++;
}

void score_first_content(struct score *score, uint32_t ms, mono_ms now)
{
    uint32_t most = ms < SCORE_TTFC_MS_MOST ? ms : SCORE_TTFC_MS_MOST;

    /* 0 would read as unknown. */
    mean_add(&score->ttfc, most > 0 ? most : 1, now / SCORE_TTFC_STEP_MS);
    times_add(&score->contents, ms);
}

void score_head(struct score *score, uint32_t ms)
{
    times_add(&score->heads, ms);
}

uint32_t score_p95_ms(const struct score_times *times)
{
    uint32_t sum = 0;

    if (times->samples < SCORE_P95_SAMPLES) {
        return 0;
    }
    for (size_t i = 0; i < SCORE_BUCKETS; i++) {
        sum += times->histogram[i];
        if (sum * 100 >= times->samples * UINT32_C(95)) {
            return edges[i];
        }
    }
    UNREACHABLE();
}
