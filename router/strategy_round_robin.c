/* SPDX-License-Identifier: Apache-2.0 */
/* round_robin: who was first longest ago is first, the others follow in the same sense. The memory
 * holds for each place when it was first. A counter taken modulo the number of candidates would be
 * shorter, and uneven whenever that number changes or a call orders more than one tier. */
#include "base/must.h"
#include "router/rank.h"
#include "router/strategy.h"

struct turns {
    const struct figures *figures;
    const int64_t *last; /* by place */
};

static bool was_first_earlier(const void *context, uint8_t a, uint8_t b)
{
    const struct turns *turns = context;

    return turns->last[turns->figures[a].place] < turns->last[turns->figures[b].place];
}

static void order_by_turn(const struct figures *figures, uint8_t count,
                          struct strategy_memory *memory, struct rng *rng, uint8_t *order)
{
    struct turns turns = {.figures = figures, .last = memory->current};
    int64_t latest = 0;

    for (uint8_t i = 0; i < count; i++) {
        must(figures[i].place < TARGETS_MAX);
        if (latest < memory->current[figures[i].place]) {
            latest = memory->current[figures[i].place];
        }
    }
    rank_shuffle(order, count, rng);
    rank_sort(order, count, was_first_earlier, &turns);
    memory->current[figures[order[0]].place] = latest + 1;
}

const struct strategy strategy_round_robin = {
    .name = SPAN("round_robin"),
    .help = "one after the other, each as often",
    .is_blind = true,
    .order = order_by_turn,
};
