/* SPDX-License-Identifier: Apache-2.0 */
/* cheapest: what costs least for this call is first, by the prices in force and the tokens that it is
 * likely to take; equal ones as chance has it, those without a price last: nobody knows what they
 * cost. */
#include "router/rank.h"
#include "router/strategy.h"

static bool is_cheaper(const void *context, uint8_t a, uint8_t b)
{
    const struct figures *one = (const struct figures *)context + a;
    const struct figures *other = (const struct figures *)context + b;

    return one->cost_pico >= 0 && (other->cost_pico < 0 || one->cost_pico < other->cost_pico);
}

static void order_by_cost(const struct figures *figures, uint8_t count,
                          struct strategy_memory *memory, struct rng *rng, uint8_t *order)
{
    (void)memory;
    rank_shuffle(order, count, rng);
    rank_sort(order, count, is_cheaper, figures);
}

const struct strategy strategy_cheapest = {
    .name = SPAN("cheapest"),
    .help = "the lowest price for the tokens that this call is likely to take; unpriced ones last",
    .uses_costs = true,
    .order = order_by_cost,
};
