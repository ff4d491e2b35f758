/* SPDX-License-Identifier: Apache-2.0 */
/* Prices of targets, before there is an answer that could tell tier and region. */
#include "router/cost.h"

struct span cost_model(const struct provider *provider, struct span model)
{
    for (size_t i = 0; i < provider->deployments_count; i++) {
        if (span_equal(provider->deployments[i].deployment, model)) {
            return provider->deployments[i].model;
        }
    }
    return model;
}

const struct price *cost_price(const struct book *book, const struct target *target,
                               struct span model, wall_ms at)
{
    struct span list = target->provider->prices.list;

    if (book == NULL || list.len == 0) {
        return NULL;
    }
    model = cost_model(target->provider, target->model.len > 0 ? target->model : model);
    return book_find(book, list, model, at);
}

struct price_terms cost_terms(const struct target *target, wall_ms at)
{
    struct usage none;

    usage_init(&none);
    return price_terms_of(&none, target->provider->prices.region, at);
}

int64_t cost_likely(const struct book *book, const struct target *target, struct span model,
                    int64_t input, int64_t output, wall_ms at)
{
    const struct price *price = cost_price(book, target, model, at);
    struct price_terms terms;
    struct cost cost;

    if (price == NULL) {
        return -1;
    }
    terms = cost_terms(target, at);
    price_likely(price, input, output, &terms, &cost);
    return cost.pico;
}
