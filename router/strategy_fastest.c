/* SPDX-License-Identifier: Apache-2.0 */
/* fastest: the lowest usual time to first content is first; those with an unknown time stand last,
 * equal ones as chance has it. So that times become known and stay true, one other goes first now
 * and then:
 *   one call in 10   an unknown one, unless it is being measured already
 *   one call in 50   any other: a target that was slow once may have become the fastest
 * Together they take less than 12 calls of 100 from the fastest, and 2 when all are known. By
 * chance, not by count, since a call may order several tiers with one memory. While none is known,
 * chance alone decides. */
#include "router/rank.h"
#include "router/strategy.h"

enum { CALLS_PER_UNKNOWN = 10, CALLS_PER_OTHER = 50 };

static bool is_unknown(const struct figures *figures)
{
    return figures->ttfc_ms == 0;
}

static bool is_faster(const void *context, uint8_t a, uint8_t b)
{
    const struct figures *one = (const struct figures *)context + a;
    const struct figures *other = (const struct figures *)context + b;

    return !is_unknown(one) && (is_unknown(other) || one->ttfc_ms < other->ttfc_ms);
}

/* Where in `order` the one stands that goes first this time. */
static uint8_t leader_of(const struct figures *figures, const uint8_t *order, uint8_t count,
                         struct rng *rng)
{
    if (count == 1 || is_unknown(&figures[order[0]])) {
        return 0;
    }
    if (rng_below(rng, CALLS_PER_UNKNOWN) == 0) {
        for (uint8_t i = 1; i < count; i++) {
            if (is_unknown(&figures[order[i]]) && figures[order[i]].in_flight == 0) {
                return i;
            }
        }
    }
    if (rng_below(rng, CALLS_PER_OTHER) == 0) {
        return (uint8_t)(1 + rng_below(rng, (uint64_t)count - 1));
    }
    return 0;
}

static void order_by_time(const struct figures *figures, uint8_t count,
                          struct strategy_memory *memory, struct rng *rng, uint8_t *order)
{
    (void)memory;
    rank_shuffle(order, count, rng);
    rank_sort(order, count, is_faster, figures);
    rank_lead(order, leader_of(figures, order, count, rng));
}

const struct strategy strategy_fastest = {
    .name = SPAN("fastest"),
    .help = "the shortest usual time to first content; unknown ones get a turn",
    .order = order_by_time,
};
