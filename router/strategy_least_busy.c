/* SPDX-License-Identifier: Apache-2.0 */
/* least_busy: two are drawn by weight, the one with the lower load is first; the rest follow by
 * load. Two drawn instead of the least of all, since many proxies that see the same least one would
 * all fall upon it; and two are nearly as even as all (Mitzenmacher, 2001).
 *
 *   load = (in flight + 1) / (weight * ramp * score) */
#include "router/rank.h"
#include "router/strategy.h"

/* Beyond these the products would not fit; nobody has so many attempts or needs such a weight. */
enum { WEIGHT_MOST = 65535, IN_FLIGHT_MOST = 1 << 20 };

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t capacity_of(const struct figures *figures)
{
    return least(figures->weight, WEIGHT_MOST) * figures->ramp_permille * figures->score_permille;
}

/* Both loads multiplied by both capacities: below 2^57, and nothing is rounded. */
static bool is_less_busy(const void *context, uint8_t a, uint8_t b)
{
    const struct figures *one = (const struct figures *)context + a;
    const struct figures *other = (const struct figures *)context + b;

    return (least(one->in_flight, IN_FLIGHT_MOST) + 1) * capacity_of(other) <
           (least(other->in_flight, IN_FLIGHT_MOST) + 1) * capacity_of(one);
}

static uint64_t weight_of(const struct figures *figures)
{
    return (uint64_t)figures->weight * figures->ramp_permille;
}

/* Where in `order` the one drawn stands. */
static uint8_t draw(const struct figures *figures, const uint8_t *order, uint8_t count,
                    struct rng *rng)
{
    uint64_t total = 0;
    uint64_t point = 0;
    uint8_t i = 0;

    for (uint8_t n = 0; n < count; n++) {
        total += weight_of(&figures[order[n]]);
    }
    point = rng_below(rng, total);
    while (point >= weight_of(&figures[order[i]])) {
        point -= weight_of(&figures[order[i]]);
        i++;
    }
    return i;
}

static void order_by_load(const struct figures *figures, uint8_t count,
                          struct strategy_memory *memory, struct rng *rng, uint8_t *order)
{
    (void)memory;
    rank_shuffle(order, count, rng);
    rank_lead(order, draw(figures, order, count, rng));
    if (count == 1) {
        return;
    }
    rank_lead(order + 1, draw(figures, order + 1, (uint8_t)(count - 1), rng));
    rank_sort(order, 2, is_less_busy, figures);
    rank_sort(order + 1, (uint8_t)(count - 1), is_less_busy, figures);
}

const struct strategy strategy_least_busy = {
    .name = SPAN("least_busy"),
    .help = "of two drawn by weight the one with less in flight for its weight and score",
    .uses_weights = true,
    .order = order_by_load,
};
