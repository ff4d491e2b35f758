/* SPDX-License-Identifier: Apache-2.0 */
#include "router/bound.h"

enum {
    PERMILLE = 1000,
    /* A ratio that was learned says where 19 of 20 requests lie; three times as far lie nearly all. */
    ERRORS = 3,
    MARGIN_PERMILLE = 1100,
    RATIO_LEAST_PERMILLE = 350, /* tokens for a thousand bytes, whatever was learned */
    OUTPUT_UNKNOWN = 4096       /* of a model whose maximum nobody knows */
};

static int64_t times(int64_t a, int64_t b)
{
    return a > 0 && b > INT64_MAX / a ? INT64_MAX : a * b;
}

static int64_t learned_input(const struct bound_ask *ask, const struct quote *quote)
{
    int64_t bytes = (int64_t)quote_bytes(ask->quote.request->bytes, &ask->counts.count);
    int64_t least = bytes * RATIO_LEAST_PERMILLE / PERMILLE + 1;
    int64_t far = PERMILLE + ERRORS * (int64_t)quote->input.error_permille;
    int64_t most = times(quote->input.likely, far) / PERMILLE;

    most = times(most, MARGIN_PERMILLE) / PERMILLE;
    if (!ask->counts.ratio.is_learned) {
        most = most > bytes ? most : bytes;
    }
    most = (most > least ? most : least) + quote->pictures;
    /* No more than what holds in any case: of a file in base64 that is the model's context. */
    return quote->input.most >= 0 && quote->input.most < most ? quote->input.most : most;
}

/* What one answer may have, as the request will say it. */
static int64_t cap_of(const struct bound_ask *ask, const struct quote *quote)
{
    int64_t cap = ask->quote.request->output_cap;
    int64_t most = quote->price != NULL ? quote->price->output_max : -1;

    if (cap < 0) {
        cap = ask->default_output > 0 ? ask->default_output : most;
    }
    return most >= 0 && cap > most ? most : cap;
}

static void price_it(const struct bound_ask *ask, const struct quote *quote, struct bound *bound)
{
    const struct quote_request *request = ask->quote.request;
    struct price_terms terms = cost_terms(ask->target, ask->quote.at);
    struct price_bounds bounds = {.input = bound->input,
                                  .output = bound->output,
                                  .may_write_cache = request->may_write_cache,
                                  .may_hear = ask->counts.count.media > 0,
                                  .may_speak = request->may_speak,
                                  .may_be_faster = request->may_be_faster};
    struct cost cost;

    for (size_t i = 0; i < FEE_KINDS; i++) {
        bounds.fees[i] = -1;
    }
    terms.tier = request->tier;
    price_upper(quote->price, &bounds, &terms, &cost);
    bound->nano = cost.saturated ? INT64_MAX : cost.nano;
}

static void make(const struct bound_ask *ask, const struct quote *quote, int64_t cap,
                 struct bound *bound)
{
    const struct quote_request *request = ask->quote.request;

    bound->cap = cap;
    bound->output = cap < 0 ? 0 : times(cap, request->answers);
    bound->writes_cap = cap >= 0 && cap != request->output_cap;
    bound->nano = 0;
    if (quote->price != NULL) {
        price_it(ask, quote, bound);
    }
}

void bound_make(const struct bound_ask *ask, struct bound *bound)
{
    const struct quote_request *request = ask->quote.request;
    struct quote quote;
    int64_t cap = -1;
    bool is_known = true;

    quote_make(&ask->quote, ask->target, &ask->counts, &quote);
    *bound = (struct bound){.is_priced = quote.price != NULL};
    bound->open = quote.open;
    if (request->has_output) {
        cap = cap_of(ask, &quote);
        if (bound->open == QUOTE_OPEN_OUTPUT && cap >= 0) {
            bound->open = QUOTE_BOUNDED;
        }
        is_known = cap >= 0;
        if (!is_known && !ask->is_strict) {
            cap = OUTPUT_UNKNOWN;
        }
    } else if (bound->open == QUOTE_OPEN_OUTPUT) {
        bound->open = QUOTE_BOUNDED;
    }
    bound->input = ask->is_strict && quote.input.most >= 0 ? quote.input.most
                                                           : learned_input(ask, &quote);
    make(ask, &quote, cap, bound);
    bound->writes_cap = bound->writes_cap && is_known; /* a guess is no reason to shorten an answer */
}

static bool fits(const struct bound *bound, int64_t left_nano, int64_t left_tokens)
{
    return bound->nano <= left_nano && bound->input <= left_tokens &&
           bound->output <= left_tokens - bound->input;
}

bool bound_fit(const struct bound_ask *ask, struct bound *bound, int64_t left_nano,
               int64_t left_tokens)
{
    struct bound least = *bound;
    struct bound most = *bound;
    struct quote quote;

    if (bound->cap < BOUND_OUTPUT_LEAST) {
        return false;
    }
    quote_make(&ask->quote, ask->target, &ask->counts, &quote);
    make(ask, &quote, BOUND_OUTPUT_LEAST, &least);
    if (!fits(&least, left_nano, left_tokens)) {
        return false;
    }
    while (most.cap - least.cap > 1) { /* at most 63 times: a cost never falls as the cap rises */
        struct bound middle = least;

        make(ask, &quote, least.cap + (most.cap - least.cap) / 2, &middle);
        if (fits(&middle, left_nano, left_tokens)) {
            least = middle;
        } else {
            most = middle;
        }
    }
    *bound = least;
    return true;
}
