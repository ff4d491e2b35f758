/* SPDX-License-Identifier: Apache-2.0 */
/* weighted: smooth weights as in nginx. Each call gives every candidate its weight; who has the
 * most is first and pays the sum of all. So the shares are exact over each round, and the turns of
 * a heavy one are spread over it: weights 3 and 1 make a a b a, not a a a b. */
#include "base/must.h"
#include "router/rank.h"
#include "router/strategy.h"

struct purses {
    const struct figures *figures;
    const int64_t *current; /* by place */
};

static bool has_more(const void *context, uint8_t a, uint8_t b)
{
    const struct purses *purses = context;

    return purses->current[purses->figures[a].place] > purses->current[purses->figures[b].place];
}

static int64_t weight_of(const struct figures *figures)
{
    return (int64_t)figures->weight * figures->ramp_permille;
}

/* A purse always holds more than minus one round, and hardly ever more than one while candidates
 * and weights stay the same. One that comes back after a change may hold many rounds, and would
 * take a burst of calls at once. */
static int64_t clamped(int64_t current, int64_t most)
{
    if (current > most) {
        return most;
    }
    return current < -most ? -most : current;
}

static void order_by_smooth_weight(const struct figures *figures, uint8_t count,
                                   struct strategy_memory *memory, struct rng *rng, uint8_t *order)
{
    struct purses purses = {.figures = figures, .current = memory->current};
    int64_t total = 0;

    for (uint8_t i = 0; i < count; i++) {
        must(figures[i].place < TARGETS_MAX);
        total += weight_of(&figures[i]);
    }
    for (uint8_t i = 0; i < count; i++) {
        int64_t *current = &memory->current[figures[i].place];
        *current = clamped(*current, 2 * total) + weight_of(&figures[i]);
    }
    rank_shuffle(order, count, rng);
    rank_sort(order, count, has_more, &purses);
    memory->current[figures[order[0]].place] -= total;
}

const struct strategy strategy_weighted = {
    .name = SPAN("weighted"),
    .help = "each as often as its weight says, well mixed",
    .uses_weights = true,
    .order = order_by_smooth_weight,
};
