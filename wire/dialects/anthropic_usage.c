/* SPDX-License-Identifier: Apache-2.0 */
/* Usage in the Anthropic dialect (anthropic.md 5, 6). Input figures exclude the cache. Servers that
 * call tools or compact on their own list what each round took (iterations): those rounds that the
 * figures beside the list do not hold are billed on top. */
#include "wire/dialects/anthropic.h"

#include "wire/json_walk.h"

enum place {
    PLACE_TIER,
    PLACE_SPEED,
    PLACE_REGION,
    PLACE_COST,
    PLACE_ITERATIONS,
    PLACE_FIGURES,
    PLACES = PLACE_FIGURES + 8
};
static const struct json_path paths[PLACES] = {
    JSON_PATH1("service_tier"),
    JSON_PATH1("speed"),
    JSON_PATH1("inference_geo"),
    JSON_PATH1("cost"), /* of those who resell it */
    JSON_PATH1("iterations"),
    JSON_PATH1("input_tokens"),
    JSON_PATH1("output_tokens"),
    JSON_PATH1("cache_read_input_tokens"),
    JSON_PATH1("cache_creation_input_tokens"),
    JSON_PATH2("cache_creation", "ephemeral_5m_input_tokens"),
    JSON_PATH2("cache_creation", "ephemeral_1h_input_tokens"),
    JSON_PATH2("output_tokens_details", "thinking_tokens"),
    JSON_PATH2("server_tool_use", "web_search_requests"),
};
static const uint8_t rows[] = {
    USAGE_INPUT,
    USAGE_OUTPUT,
    USAGE_CACHE_READ,
    USAGE_CACHE_WRITE,
    USAGE_CACHE_WRITE_SHORT,
    USAGE_CACHE_WRITE_LONG,
    USAGE_REASONING,
    USAGE_WEB_SEARCH,
};
_Static_assert(ARRAY_LENGTH(rows) + PLACE_FIGURES == PLACES, "a row per path");

static struct span word_at(const struct json_hit *hit, struct span document)
{
    return hit->kind == JSON_STRING ? answer_text(hit, document) : span_make(NULL, 0);
}

/* ---- iterations ---- */

enum round_place {
    ROUND_TYPE,
    ROUND_MODEL,
    ROUND_INPUT,
    ROUND_OUTPUT,
    ROUND_CACHE_READ,
    ROUND_CACHE_WRITE,
    ROUND_CACHE_BRIEF,
    ROUND_CACHE_LASTING,
    ROUND_PLACES
};
static const struct json_path round_paths[ROUND_PLACES] = {
    JSON_PATH1("type"),
    JSON_PATH1("model"),
    JSON_PATH1("input_tokens"),
    JSON_PATH1("output_tokens"),
    JSON_PATH1("cache_read_input_tokens"),
    JSON_PATH1("cache_creation_input_tokens"),
    JSON_PATH2("cache_creation", "ephemeral_5m_input_tokens"),
    JSON_PATH2("cache_creation", "ephemeral_1h_input_tokens"),
};

static void add_round(struct meter *meter, const struct json_hit *hits, struct span document)
{
    static const enum usage_figure sums[] = {USAGE_MORE_INPUT, USAGE_MORE_OUTPUT,
                                             USAGE_MORE_CACHE_READ};
    int64_t written = 0;
    int64_t brief = 0;
    int64_t lasting = 0;
    int64_t number = 0;
    bool has_written = meter_figure(meter, &hits[ROUND_CACHE_WRITE], document, &written);
    bool has_brief = meter_figure(meter, &hits[ROUND_CACHE_BRIEF], document, &brief);
    bool has_lasting = meter_figure(meter, &hits[ROUND_CACHE_LASTING], document, &lasting);

    for (size_t i = 0; i < ARRAY_LENGTH(sums); i++) {
        if (meter_figure(meter, &hits[ROUND_INPUT + i], document, &number)) {
            meter_add(meter, sums[i], number);
        }
    }
    if (has_written || has_brief || has_lasting) {
        meter_add(meter, USAGE_MORE_CACHE_WRITE, has_written ? written : brief + lasting);
    }
    if (has_lasting) {
        meter_add(meter, USAGE_MORE_CACHE_WRITE_LONG,
                  has_written && lasting > written ? written : lasting);
    }
}

static void take_round(struct meter *meter, struct json_scan *scan, struct span item,
                       struct span model)
{
    struct json_hit hits[ROUND_PLACES];
    struct span named = {0};

    if (!answer_scan(scan, round_paths, ROUND_PLACES, item, hits)) {
        meter->is_anomalous = true;
        return;
    }
    if (span_equal(word_at(&hits[ROUND_TYPE], item), SPAN_OF("message"))) {
        return; /* in the figures beside the list */
    }
    named = word_at(&hits[ROUND_MODEL], item);
    if (named.len > 0 && !span_equal(named, model)) {
        meter->has_other_models = true;
    } else {
        add_round(meter, hits, item);
    }
}

/* The list is told anew each time. One that is longer than any call's is not read to its end. */
static void take_iterations(struct meter *meter, struct json_scan *scan, struct span list,
                            struct span model)
{
    enum { ROUNDS_MAX = 256 };
    struct json_walk walk = json_walk_of(list);
    struct span item;

    for (size_t i = USAGE_MORE_INPUT; i < USAGE_FIGURES; i++) {
        meter->told[i] = -1;
    }
    for (size_t i = 0; json_walk_item(&walk, &item); i++) {
        if (i == ROUNDS_MAX) {
            meter->is_anomalous = true;
            return;
        }
        take_round(meter, scan, item, model);
    }
}

/* ---- the object ---- */

static void take_words(struct meter *meter, const struct json_hit *hits, struct span usage)
{
    struct span speed = word_at(&hits[PLACE_SPEED], usage);

    usage_word_set(&meter->tier, word_at(&hits[PLACE_TIER], usage));
    usage_word_set(&meter->region, word_at(&hits[PLACE_REGION], usage));
    if (speed.len > 0) {
        meter->is_fast = span_equal(speed, SPAN_OF("fast"));
    }
}

struct span anthropic_usage_take(struct meter *meter, struct json_scan *scan, struct span usage,
                                 struct span model)
{
    struct json_hit hits[PLACES];
    struct json_hit figures[USAGE_PLACES];

    if (usage.len == 0 || !answer_scan(scan, paths, PLACES, usage, hits)) {
        return span_make(NULL, 0);
    }
    take_words(meter, hits, usage);
    meter_cost(meter, &hits[PLACE_COST], usage, false);
    if (hits[PLACE_ITERATIONS].kind == JSON_ARRAY) {
        take_iterations(meter, scan, json_hit_span(&hits[PLACE_ITERATIONS], usage), model);
    }
    if (!answer_figures(rows, ARRAY_LENGTH(rows), hits + PLACE_FIGURES, figures)) {
        return span_make(NULL, 0);
    }
    meter_take(meter, figures, usage, false);
    return answer_has_number(figures, USAGE_PLACES) ? usage : span_make(NULL, 0);
}
