/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/price.h: what one model costs from one day on, and what a usage costs at that price. Whole
 * numbers only: picodollars a token or a use, exact; rounded once, up, to nanodollars. A row of a
 * price file is a struct price; docs/prices.md says how the price that holds is chosen. */
#ifndef PRICING_PRICE_H
#define PRICING_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/tick.h"
#include "wire/usage.h"

/* Prices are kept in 32 bits, which carry 4,294 USD per million tokens. */
#define PRICE_ABSENT UINT32_MAX
#define PRICE_MAX UINT32_C(4000000000)

/* Picodollars a token. */
struct price_rates {
    uint32_t token[TOKEN_CLASSES];
    uint32_t reasoning; /* of the output tokens that are reasoning, where that has its own price */
};

/* One column of prices: those of a service tier, in a region, at certain hours, for prompts of more
 * than `over` tokens. Zero and PRICE_ANY_PROMPT stand for "no tier, region, hours or length named". */
struct price_case {
    uint8_t tier;   /* its place in price.tiers, from 1 */
    uint8_t region; /* its place in price.regions, from 1 */
    bool at_hours;
    int32_t over;
    struct price_rates rates;
};
enum { PRICE_ANY_PROMPT = -1, PRICE_CASES_MAX = 64, PRICE_WORDS_MAX = 16 };

/* Hours of the day, UTC. */
struct price_hours {
    struct {
        uint16_t from; /* minutes since midnight */
        uint16_t until;
    } range[4];
    uint8_t ranges;
    bool weekdays_only;      /* Monday to Friday, ... */
    int16_t weekdays_offset; /* ... as the calendar stands so many minutes east of UTC */
};

struct price {
    struct span list; /* whose price list it stands in: "openai" */
    struct span model;
    const struct span *aliases;
    size_t aliases_count;
    wall_ms from;  /* INT64_MIN: since ever */
    wall_ms until; /* not any more from here on; INT64_MAX: for good */
    int64_t context; /* tokens of prompt and answer; -1: not known */
    int64_t output_max;
    int64_t fees[FEE_KINDS]; /* picodollars a use; -1: no price */
    const struct usage_word *tiers;
    const struct usage_word *regions;
    const struct price_case *cases; /* the first one is the standard one */
    struct price_hours hours;
    struct span source;
    struct span as_of; /* "2026-09-23": when the source said so */
    struct price_counts {
        uint8_t tiers;
        uint8_t regions;
        uint8_t cases;
        bool is_unusual; /* a tier's price far from the standard one is meant */
    } counts;
};

/* What decides about the column beside the usage. */
struct price_terms {
    struct usage_word tier;   /* as answered, else as asked */
    struct usage_word region; /* as answered, else that of the address */
    wall_ms at;               /* when the request began */
};

struct cost {
    int64_t pico; /* exact, unless saturated */
    int64_t nano; /* rounded up */
    bool tier_unpriced;  /* the tier, region or long prompt has no price there: the standard one was taken */
    bool class_unpriced; /* a class of tokens or a fee has no price of its own */
    bool saturated;
};

/* The terms of a usage: its own tier and region; `region` where it tells none. */
struct price_terms price_terms_of(const struct usage *usage, struct span region, wall_ms at);
/* What the usage costs. Figures that were not told count as none. */
void price_cost(const struct price *price, const struct usage *usage,
                const struct price_terms *terms, struct cost *cost);
/* The column that holds for a prompt of so many tokens. `is_unpriced` is set when it is another than
 * the one asked for, and left alone otherwise. */
const struct price_case *price_choose(const struct price *price, const struct price_terms *terms,
                                      int64_t prompt, bool *is_unpriced);
/* Whether this moment lies in the hours; false without hours. */
bool price_is_at_hours(const struct price_hours *hours, wall_ms at);
bool price_is_valid(const struct price *price, wall_ms at);

/* Bounds of a request that was not sent yet. */
struct price_bounds {
    int64_t input;  /* at most so many tokens, */
    int64_t output; /* of all answers together */
    int64_t fees[FEE_KINDS]; /* at most so many uses; -1: none */
    bool may_write_cache;
    bool may_hear;     /* audio or image input, */
    bool may_speak;    /* audio output */
    bool may_be_faster; /* the provider may choose a dearer tier than the terms say ("auto") */
};

/* At least what a request within the bounds costs, whatever it turns out to be: the dearest column
 * and class that can apply. The flags are those of the price; pico and nano saturate. */
void price_upper(const struct price *price, const struct price_bounds *bounds,
                 const struct price_terms *terms, struct cost *cost);
/* What a request of so many tokens costs if nothing special happens: no cache, no audio, no fees. */
void price_likely(const struct price *price, int64_t input, int64_t output,
                  const struct price_terms *terms, struct cost *cost);

#endif
