/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the column and multiplying. The rules and their order are those of docs/prices.md. */
#include "pricing/price.h"

#include <string.h>

#include "base/money.h"

enum { MINUTE_MS = 60 * 1000, DAY_MINUTES = 24 * 60 };

/* ---- words ---- */

static bool is_one_of(const struct usage_word *word, const struct span *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(usage_word_span(word), list[i])) {
            return true;
        }
    }
    return false;
}

/* What providers answer when nothing special was asked for: OpenAI "default", Anthropic and Gemini
 * "standard", Groq "on_demand". */
static bool is_standard_tier(const struct usage_word *tier)
{
    static const struct span words[] = {SPAN("default"), SPAN("standard"), SPAN("on_demand")};

    return tier->len == 0 || is_one_of(tier, words, ARRAY_LENGTH(words));
}

/* Anthropic's inference_geo says "global", and "not_available" for models that do not tell. */
static bool is_standard_region(const struct usage_word *region)
{
    static const struct span words[] = {SPAN("global"), SPAN("not_available")};

    return region->len == 0 || is_one_of(region, words, ARRAY_LENGTH(words));
}

static uint8_t place_of(const struct usage_word *words, size_t count, struct span word)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(usage_word_span(&words[i]), word)) {
            return (uint8_t)(i + 1);
        }
    }
    return 0;
}

/* OpenAI sells one thing under two names: "fast" and "priority". */
static uint8_t tier_place(const struct price *price, const struct usage_word *tier)
{
    struct span word = usage_word_span(tier);
    uint8_t place = place_of(price->tiers, price->counts.tiers, word);

    if (place == 0 && span_equal(word, SPAN_OF("fast"))) {
        place = place_of(price->tiers, price->counts.tiers, SPAN_OF("priority"));
    }
    return place;
}

/* ---- hours ---- */

/* Of a wall clock that stands `offset` minutes east; 0 is Monday. Floors also before 1970. */
static int weekday_of(wall_ms at, int offset)
{
    wall_ms minutes = at / MINUTE_MS - (at % MINUTE_MS < 0 ? 1 : 0) + offset;
    wall_ms days = minutes / DAY_MINUTES - (minutes % DAY_MINUTES < 0 ? 1 : 0);
    int day = (int)((days + 3) % 7); /* 1970 began on a Thursday */

    return day < 0 ? day + 7 : day;
}

bool price_is_at_hours(const struct price_hours *hours, wall_ms at)
{
    wall_ms minutes = at / MINUTE_MS - (at % MINUTE_MS < 0 ? 1 : 0);
    int minute = (int)(minutes % DAY_MINUTES);

    minute += minute < 0 ? DAY_MINUTES : 0;
    if (hours->ranges == 0 ||
        (hours->weekdays_only && weekday_of(at, hours->weekdays_offset) >= 5)) {
        return false;
    }
    for (size_t i = 0; i < hours->ranges; i++) {
        if (minute >= hours->range[i].from && minute < hours->range[i].until) {
            return true;
        }
    }
    return false;
}

bool price_is_valid(const struct price *price, wall_ms at)
{
    return price->from <= at && at < price->until;
}

/* ---- the column ---- */

/* What is looked for; zero and false: nothing special. */
struct want {
    uint8_t tier;
    uint8_t region;
    bool at_hours;
    int64_t prompt;
};

/* The one with the largest threshold that the prompt exceeds, or NULL. */
static const struct price_case *find_case(const struct price *price, const struct want *want)
{
    const struct price_case *best = NULL;

    for (size_t i = 0; i < price->counts.cases; i++) {
        const struct price_case *one = &price->cases[i];

        if (one->tier == want->tier && one->region == want->region &&
            one->at_hours == want->at_hours && want->prompt > one->over &&
            (best == NULL || one->over > best->over)) {
            best = one;
        }
    }
    return best;
}

/* Gives up what has no price together: the region first, then the tier, then the hours. */
static const struct price_case *nearest_case(const struct price *price, struct want want,
                                             bool *is_unpriced)
{
    const struct want less[] = {
        {want.tier, 0, want.at_hours, want.prompt},
        {0, 0, want.at_hours, want.prompt},
        {0, 0, false, want.prompt},
    };

    *is_unpriced = true;
    for (size_t i = 0; i < ARRAY_LENGTH(less); i++) {
        const struct price_case *one = find_case(price, &less[i]);

        if (one != NULL) {
            return one;
        }
    }
    UNREACHABLE(); /* the standard column has no conditions */
}

/* Whether any column is for these hours, so that the standard one is not meant for them. */
static bool has_hours(const struct price *price)
{
    return price->hours.ranges > 0;
}

/* A row without regions costs the same everywhere. */
static struct want want_of(const struct price *price, const struct price_terms *terms,
                           int64_t prompt, bool *is_unpriced)
{
    struct want want = {.prompt = prompt < 0 ? 0 : prompt};

    if (!is_standard_tier(&terms->tier)) {
        want.tier = tier_place(price, &terms->tier);
        *is_unpriced = *is_unpriced || want.tier == 0;
    }
    if (price->counts.regions > 0 && !is_standard_region(&terms->region)) {
        want.region =
            place_of(price->regions, price->counts.regions, usage_word_span(&terms->region));
        *is_unpriced = *is_unpriced || want.region == 0;
    }
    want.at_hours = has_hours(price) && price_is_at_hours(&price->hours, terms->at);
    return want;
}

const struct price_case *price_choose(const struct price *price, const struct price_terms *terms,
                                      int64_t prompt, bool *is_unpriced)
{
    struct want want = want_of(price, terms, prompt, is_unpriced);
    const struct want standard = {.prompt = want.prompt};
    const struct price_case *best = find_case(price, &want);
    const struct price_case *plain = NULL;

    if (best == NULL) {
        best = nearest_case(price, want, is_unpriced);
    }
    if (best->over != PRICE_ANY_PROMPT || best == &price->cases[0]) {
        return best;
    }
    /* A tier without long prices of its own is not cheaper than the standard for that. */
    plain = find_case(price, &standard);
    if (plain->over == PRICE_ANY_PROMPT) {
        return best;
    }
    *is_unpriced = true;
    return plain;
}

/* ---- the price of a class ---- */

static uint32_t dearest_write(const struct price_rates *rates)
{
    uint32_t dearest = PRICE_ABSENT;

    for (size_t i = TOKENS_CACHE_WRITE_5M; i <= TOKENS_CACHE_WRITE_12H; i++) {
        if (rates->token[i] != PRICE_ABSENT &&
            (dearest == PRICE_ABSENT || rates->token[i] > dearest)) {
            dearest = rates->token[i];
        }
    }
    return dearest;
}

/* The class's own price, else the nearest there is. `is_unpriced` is set when that is a guess:
 * where caches are not priced at all, cached and written tokens are plain input. */
static uint32_t rate_of(const struct price_rates *rates, enum token_class class, bool *is_unpriced)
{
    uint32_t own = rates->token[class];
    uint32_t write = PRICE_ABSENT;

    if (own != PRICE_ABSENT) {
        return own;
    }
    switch (class) {
    case TOKENS_INPUT:
    case TOKENS_CACHE_READ: return rates->token[TOKENS_INPUT];
    case TOKENS_CACHE_WRITE_5M:
    case TOKENS_CACHE_WRITE_30M:
    case TOKENS_CACHE_WRITE_1H:
    case TOKENS_CACHE_WRITE_12H:
        write = dearest_write(rates);
        *is_unpriced = *is_unpriced || write != PRICE_ABSENT;
        return write != PRICE_ABSENT ? write : rates->token[TOKENS_INPUT];
    case TOKENS_AUDIO_OUTPUT:
        if (rates->token[TOKENS_OUTPUT] != PRICE_ABSENT) {
            *is_unpriced = true;
            return rates->token[TOKENS_OUTPUT];
        }
        break;
    case TOKENS_AUDIO_INPUT:
    case TOKENS_IMAGE_INPUT:
    case TOKENS_OUTPUT: break;
    }
    *is_unpriced = true;
    return rates->token[TOKENS_INPUT];
}

static void add(struct cost *cost, int64_t count, int64_t price)
{
    if (!money_add(&cost->pico, count, price)) {
        cost->saturated = true;
    }
}

/* ---- costs ---- */

struct price_terms price_terms_of(const struct usage *usage, struct span region, wall_ms at)
{
    struct price_terms terms = {.tier = usage->tier, .region = usage->region, .at = at};

    if (terms.region.len == 0) {
        usage_word_set(&terms.region, region);
    }
    return terms;
}

/* Reasoning is a part of the output; what is told beyond its whole is not believed. */
static void add_output(struct cost *cost, const struct price_rates *rates,
                       const struct usage *usage)
{
    int64_t count = usage->tokens[TOKENS_OUTPUT];
    int64_t reasoning = usage->reasoning < count ? usage->reasoning : count;

    if (count <= 0) {
        return;
    }
    if (rates->reasoning != PRICE_ABSENT && reasoning > 0) {
        add(cost, reasoning, rates->reasoning);
        count -= reasoning;
    }
    if (count > 0) {
        add(cost, count, rate_of(rates, TOKENS_OUTPUT, &cost->class_unpriced));
    }
}

static void add_fees(struct cost *cost, const struct price *price, const int64_t fees[FEE_KINDS])
{
    for (size_t i = 0; i < FEE_KINDS; i++) {
        if (fees[i] > 0 && price->fees[i] < 0) {
            cost->class_unpriced = true;
        } else if (fees[i] > 0) {
            add(cost, fees[i], price->fees[i]);
        }
    }
}

void price_cost(const struct price *price, const struct usage *usage,
                const struct price_terms *terms, struct cost *cost)
{
    const struct price_case *column = NULL;

    *cost = (struct cost){.pico = 0};
    column = price_choose(price, terms, usage_input_all(usage), &cost->tier_unpriced);
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        if (i != TOKENS_OUTPUT && usage->tokens[i] > 0) {
            add(cost, usage->tokens[i],
                rate_of(&column->rates, (enum token_class)i, &cost->class_unpriced));
        }
    }
    add_output(cost, &column->rates, usage);
    add_fees(cost, price, usage->fees);
    cost->nano = money_nano_up(cost->pico);
}

/* ---- bounds ---- */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t dearest_input(const struct price_rates *rates, const struct price_bounds *bounds)
{
    bool ignored = false;
    uint32_t most =
        larger(rate_of(rates, TOKENS_INPUT, &ignored), rate_of(rates, TOKENS_CACHE_READ, &ignored));

    if (bounds->may_write_cache && dearest_write(rates) != PRICE_ABSENT) {
        most = larger(most, dearest_write(rates));
    }
    if (bounds->may_hear) {
        most = larger(most, rate_of(rates, TOKENS_AUDIO_INPUT, &ignored));
        most = larger(most, rate_of(rates, TOKENS_IMAGE_INPUT, &ignored));
    }
    return most;
}

static uint32_t dearest_output(const struct price_rates *rates, const struct price_bounds *bounds)
{
    bool ignored = false;
    uint32_t most = rate_of(rates, TOKENS_OUTPUT, &ignored);

    if (rates->reasoning != PRICE_ABSENT) {
        most = larger(most, rates->reasoning);
    }
    return bounds->may_speak ? larger(most, rate_of(rates, TOKENS_AUDIO_OUTPUT, &ignored)) : most;
}

/* A tier that was asked for may turn out to be busy, and a region not to be told: the standard ones
 * are always possible. */
static bool can_apply(const struct price_case *column, const struct want *want, bool any_tier)
{
    return (any_tier || column->tier == 0 || column->tier == want->tier) &&
           (column->region == 0 || column->region == want->region) &&
           (!column->at_hours || want->at_hours) && want->prompt > column->over;
}

void price_upper(const struct price *price, const struct price_bounds *bounds,
                 const struct price_terms *terms, struct cost *cost)
{
    uint32_t input = 0;
    uint32_t output = 0;
    struct want want;

    *cost = (struct cost){.pico = 0};
    want = want_of(price, terms, bounds->input, &cost->tier_unpriced);
    for (size_t i = 0; i < price->counts.cases; i++) {
        const struct price_case *column = &price->cases[i];

        if (can_apply(column, &want, bounds->may_be_faster || cost->tier_unpriced)) {
            input = larger(input, dearest_input(&column->rates, bounds));
            output = larger(output, dearest_output(&column->rates, bounds));
        }
    }
    add(cost, bounds->input < 0 ? 0 : bounds->input, input);
    add(cost, bounds->output < 0 ? 0 : bounds->output, output);
    add_fees(cost, price, bounds->fees);
    cost->nano = money_nano_up(cost->pico);
}

void price_likely(const struct price *price, int64_t input, int64_t output,
                  const struct price_terms *terms, struct cost *cost)
{
    struct usage usage;

    usage_init(&usage);
    usage.tokens[TOKENS_INPUT] = input;
    usage.tokens[TOKENS_OUTPUT] = output;
    price_cost(price, &usage, terms, cost);
}
