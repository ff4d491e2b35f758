/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of strategies. */
#include "router/strategy.h"

#include <stddef.h>

#include "base/must.h"

static const struct strategy *const strategies[] = {
#define STRATEGY(name) &strategy_##name,
#include "router/strategies.def"
#undef STRATEGY
};

const struct strategy *strategy_at(size_t i)
{
    return i < ARRAY_LENGTH(strategies) ? strategies[i] : NULL;
}

const struct strategy *strategy_by_name(struct span name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(strategies); i++) {
        if (span_equal(name, strategies[i]->name)) {
            return strategies[i];
        }
    }
    return NULL;
}
