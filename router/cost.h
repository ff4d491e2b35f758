/* SPDX-License-Identifier: Apache-2.0 */
/* router/cost.h: what a request would cost at a target, before it is sent: for the strategy `cheapest`
 * and for whoever asks beforehand. Pure. */
#ifndef ROUTER_COST_H
#define ROUTER_COST_H

#include "pricing/book.h"
#include "router/target.h"

/* The model behind a name that this provider is asked for: of a deployment the one that the settings
 * name (azure-openai.md 1), otherwise the name itself. */
struct span cost_model(const struct provider *provider, struct span model);
/* The price that holds for a target now; `model`: the name that the app sent, for targets without one
 * of their own. NULL: it has none. */
const struct price *cost_price(const struct book *book, const struct target *target,
                               struct span model, wall_ms at);
/* What decides about its column before an answer could tell: the place alone. */
struct price_terms cost_terms(const struct target *target, wall_ms at);
/* Picodollars for so many tokens when nothing special happens (no cache, no other tier); -1: no
 * price. */
int64_t cost_likely(const struct book *book, const struct target *target, struct span model,
                    int64_t input, int64_t output, wall_ms at);

#endif
