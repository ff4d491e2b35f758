/* SPDX-License-Identifier: Apache-2.0 */
/* priority: the list of the settings is the order. */
#include "router/strategy.h"

static void order_as_listed(const struct figures *figures, uint8_t count,
                            struct strategy_memory *memory, struct rng *rng, uint8_t *order)
{
    (void)figures;
    (void)memory;
    (void)rng;
    for (uint8_t i = 0; i < count; i++) {
        order[i] = i;
    }
}

const struct strategy strategy_priority = {
    .name = SPAN("priority"),
    .help = "the order of the list decides",
    .is_blind = true,
    .order = order_as_listed,
};
