/* SPDX-License-Identifier: Apache-2.0 */
/* Usage in the OpenAI dialect, with the spellings of servers that differ (openai-compatible.md, 2).
 * An answer is scanned for the usage object, and that object again for its figures: there are more
 * spellings than one scan can watch. */
#include "wire/dialects/openai.h"

/* What a usage object may tell beside figures. */
enum extra_place {
    EXTRA_COST,       /* OpenRouter's */
    EXTRA_COST_TOTAL, /* Perplexity's */
    EXTRA_TICKS,
    EXTRA_TIER,      /* Mistral's */
    EXTRA_REASONING, /* Perplexity's */
    EXTRA_CITATIONS,
    EXTRA_PLACES
};
#define EXTRA_PATHS                                                                                \
    JSON_PATH1("cost"), JSON_PATH2("cost", "total_cost"), JSON_PATH1("cost_in_usd_ticks"),         \
        JSON_PATH1("service_tier"), JSON_PATH1("reasoning_tokens"), JSON_PATH1("citation_tokens")

static const struct json_path chat_paths[] = {
    EXTRA_PATHS,
    JSON_PATH1("prompt_tokens"),
    JSON_PATH1("completion_tokens"),
    JSON_PATH1("num_cached_tokens"),
    JSON_PATH2("prompt_tokens_details", "cached_tokens"),
    JSON_PATH2("prompt_token_details", "cached_tokens"), /* Mistral's, as it is */
    JSON_PATH1("prompt_cache_hit_tokens"),
    JSON_PATH1("cached_tokens"),
    JSON_PATH2("prompt_tokens_details", "cache_write_tokens"),
    JSON_PATH2("prompt_tokens_details", "audio_tokens"),
    JSON_PATH2("prompt_tokens_details", "image_tokens"),
    JSON_PATH2("completion_tokens_details", "reasoning_tokens"),
    JSON_PATH2("completion_tokens_details", "audio_tokens"),
    JSON_PATH1("total_tokens"),
    JSON_PATH1("num_search_queries"),
    JSON_PATH2("server_tool_use_details", "web_search_requests"),
};
static const uint8_t chat_rows[] = {
    USAGE_INPUT,      USAGE_OUTPUT,       USAGE_CACHE_READ,  USAGE_CACHE_READ,  USAGE_CACHE_READ,
    USAGE_CACHE_READ, USAGE_CACHE_READ,   USAGE_CACHE_WRITE, USAGE_AUDIO_INPUT, USAGE_IMAGE_INPUT,
    USAGE_REASONING,  USAGE_AUDIO_OUTPUT, USAGE_TOTAL,       USAGE_WEB_SEARCH,  USAGE_WEB_SEARCH,
};
_Static_assert(ARRAY_LENGTH(chat_rows) + EXTRA_PLACES == ARRAY_LENGTH(chat_paths),
               "a row per path");

static const struct json_path response_paths[] = {
    EXTRA_PATHS,
    JSON_PATH1("input_tokens"),
    JSON_PATH1("output_tokens"),
    JSON_PATH2("input_tokens_details", "cached_tokens"),
    JSON_PATH2("input_tokens_details", "cache_write_tokens"),
    JSON_PATH3("input_tokens_details", "cache_write_tokens_details", "ttl_30m_tokens"),
    JSON_PATH3("input_tokens_details", "cache_write_tokens_details", "ttl_12h_tokens"),
    JSON_PATH2("input_tokens_details", "audio_tokens"),
    JSON_PATH2("input_tokens_details", "image_tokens"),
    JSON_PATH2("output_tokens_details", "reasoning_tokens"),
    JSON_PATH2("output_tokens_details", "audio_tokens"),
    JSON_PATH1("total_tokens"),
};
static const uint8_t response_rows[] = {
    USAGE_INPUT,
    USAGE_OUTPUT,
    USAGE_CACHE_READ,
    USAGE_CACHE_WRITE,
    USAGE_CACHE_WRITE_SHORT,
    USAGE_CACHE_WRITE_LONG,
    USAGE_AUDIO_INPUT,
    USAGE_IMAGE_INPUT,
    USAGE_REASONING,
    USAGE_AUDIO_OUTPUT,
    USAGE_TOTAL,
};
_Static_assert(ARRAY_LENGTH(response_rows) + EXTRA_PLACES == ARRAY_LENGTH(response_paths),
               "a row per path");

/* A usage object on its way into a meter. */
struct taking {
    struct meter *meter;
    struct json_scan *scan;
    struct span usage;
    struct json_hit hits[EXTRA_PLACES + ARRAY_LENGTH(chat_rows)];
    struct json_hit figures[USAGE_PLACES];
};
_Static_assert(ARRAY_LENGTH(response_rows) <= ARRAY_LENGTH(chat_rows), "the hits of both fit");

static void note_tier(struct meter *meter, const struct json_hit *hit, struct span document)
{
    if (hit->kind == JSON_STRING) {
        usage_word_set(&meter->tier, answer_text(hit, document));
    }
}

/* Figures that only some servers tell: Perplexity bills reasoning and what it read of its sources
 * beside the completion, and is known by telling its sources or searches. */
static void take_extras(struct taking *taking)
{
    struct meter *meter = taking->meter;
    const struct json_hit *hits = taking->hits;
    int64_t reasoning = 0;
    int64_t citations = 0;
    bool has_reasoning = meter_figure(meter, &hits[EXTRA_REASONING], taking->usage, &reasoning);
    bool has_citations = meter_figure(meter, &hits[EXTRA_CITATIONS], taking->usage, &citations);

    meter_cost(meter, &hits[EXTRA_COST], taking->usage, false);
    meter_cost(meter, &hits[EXTRA_COST_TOTAL], taking->usage, false);
    meter_cost(meter, &hits[EXTRA_TICKS], taking->usage, true);
    note_tier(meter, &hits[EXTRA_TIER], taking->usage);
    if (has_reasoning && taking->figures[USAGE_REASONING].kind != JSON_NUMBER) {
        meter->told[USAGE_REASONING] = reasoning;
    }
    if (has_citations || (has_reasoning && taking->figures[USAGE_WEB_SEARCH].kind == JSON_NUMBER)) {
        meter->told[USAGE_MORE_OUTPUT] = -1;
        meter_add(meter, USAGE_MORE_OUTPUT, reasoning);
        meter_add(meter, USAGE_MORE_OUTPUT, citations);
    }
}

/* The figures of an object that has been scanned. False: it has none. */
static bool take_scanned(struct taking *taking, const uint8_t *rows, size_t count)
{
    if (!answer_figures(rows, count, taking->hits + EXTRA_PLACES, taking->figures)) {
        return false;
    }
    meter_take(taking->meter, taking->figures, taking->usage, true);
    take_extras(taking);
    return answer_has_number(taking->figures, USAGE_PLACES);
}

static bool take_chat(struct taking *taking)
{
    return answer_scan(taking->scan, chat_paths, ARRAY_LENGTH(chat_paths), taking->usage,
                       taking->hits) &&
           take_scanned(taking, chat_rows, ARRAY_LENGTH(chat_rows));
}

/* llama.cpp's own figures: what was evaluated, what was generated, and what the cache saved. Beside
 * a usage object they only tell the last. */
static bool take_timings(struct taking *taking, bool has_usage)
{
    static const struct json_path paths[] = {JSON_PATH1("prompt_n"), JSON_PATH1("predicted_n"),
                                             JSON_PATH1("cache_n")};
    static const uint8_t rows[] = {USAGE_INPUT, USAGE_OUTPUT, USAGE_CACHE_READ};
    struct meter *meter = taking->meter;
    struct json_hit *figures = taking->figures;
    int64_t cached = 0;

    if (!answer_scan(taking->scan, paths, ARRAY_LENGTH(paths), taking->usage, taking->hits) ||
        !answer_figures(rows, ARRAY_LENGTH(rows), taking->hits, figures)) {
        return false;
    }
    if (has_usage) {
        if (meter->told[USAGE_CACHE_READ] < 0) {
            (void)meter_figure(meter, &figures[USAGE_CACHE_READ], taking->usage,
                               &meter->told[USAGE_CACHE_READ]);
        }
        return false;
    }
    if (figures[USAGE_INPUT].kind == JSON_NUMBER) {
        meter->told[USAGE_INPUT] = -1; /* told without the cache: nothing shrinks by that */
    }
    meter_take(meter, figures, taking->usage, true);
    if (figures[USAGE_INPUT].kind == JSON_NUMBER && meter->told[USAGE_INPUT] >= 0 &&
        meter_figure(meter, &figures[USAGE_CACHE_READ], taking->usage, &cached)) {
        meter_add(meter, USAGE_INPUT, cached);
    }
    return answer_has_number(figures, USAGE_PLACES);
}

struct span openai_usage_take(struct meter *meter, struct json_scan *scan,
                              const struct json_hit *hits, struct span document)
{
    enum { PLACE_TIMINGS = 3, PLACE_TIER };
    _Static_assert(PLACE_TIER + 1 == OPENAI_USAGE_PLACES, "the places of OPENAI_USAGE_PATHS");
    struct taking taking = {.meter = meter, .scan = scan};
    struct span brought = {0};

    for (size_t i = 0; i < PLACE_TIMINGS && brought.len == 0; i++) {
        taking.usage = answer_object(&hits[i], document);
        if (taking.usage.len > 0 && take_chat(&taking)) {
            brought = taking.usage;
        }
    }
    taking.usage = answer_object(&hits[PLACE_TIMINGS], document);
    if (taking.usage.len > 0 && take_timings(&taking, brought.len > 0)) {
        brought = taking.usage;
    }
    note_tier(meter, &hits[PLACE_TIER], document);
    return brought;
}

/* Some tell the total alone, which is the input then. */
struct span openai_usage_take_input(struct meter *meter, struct json_scan *scan,
                                    const struct json_hit *hits, struct span document)
{
    struct span usage = openai_usage_take(meter, scan, hits, document);
    int64_t total = meter->told[USAGE_TOTAL];

    if (meter->told[USAGE_OUTPUT] > 0) {
        return usage;
    }
    if (meter->told[USAGE_INPUT] < 0) {
        meter->told[USAGE_INPUT] = total;
    } else if (total >= 0 && total != meter->told[USAGE_INPUT]) {
        meter->is_anomalous = true;
    }
    meter->told[USAGE_TOTAL] = -1;
    return usage;
}

/* xAI may tell cached tokens that are not in the input. When the total agrees, nothing is odd. */
static void put_cache_in(struct meter *meter)
{
    int64_t input = meter->told[USAGE_INPUT];
    int64_t cached = meter->told[USAGE_CACHE_READ];
    int64_t output = meter->told[USAGE_OUTPUT];

    if (input < 0 || cached <= input) {
        return;
    }
    if (output < 0 || meter->told[USAGE_TOTAL] != input + cached + output) {
        meter->is_anomalous = true;
    }
    meter_add(meter, USAGE_INPUT, cached);
}

struct span openai_response_take(struct meter *meter, struct json_scan *scan,
                                 const struct json_hit *hits, struct span document)
{
    struct taking taking = {.meter = meter,
                            .scan = scan,
                            .usage = answer_object(&hits[OPENAI_RESPONSE_USAGE], document)};
    bool is_brought = taking.usage.len > 0 &&
                      answer_scan(scan, response_paths, ARRAY_LENGTH(response_paths), taking.usage,
                                  taking.hits) &&
                      take_scanned(&taking, response_rows, ARRAY_LENGTH(response_rows));

    if (is_brought) {
        put_cache_in(meter);
    }
    note_tier(meter, &hits[OPENAI_RESPONSE_TIER], document);
    (void)meter_figure(meter, &hits[OPENAI_RESPONSE_SEARCHES], document,
                       &meter->told[USAGE_WEB_SEARCH]);
    if (hits[OPENAI_RESPONSE_IMAGES].kind == JSON_OBJECT) {
        meter->has_other_models = true; /* billed at the image model's prices, not part of usage */
    }
    return is_brought ? taking.usage : span_make(NULL, 0);
}

/* ---- out of the end of an event ---- */

struct span openai_response_take_end(struct meter *meter, struct json_scan *scan, struct span end)
{
    struct json_hit hits[OPENAI_RESPONSE_PLACES] = {{.kind = JSON_ABSENT}};

    hits[OPENAI_RESPONSE_USAGE] =
        answer_last_value(scan, end, SPAN_OF("\"usage\""), JSON_OBJECT);
    hits[OPENAI_RESPONSE_TIER] =
        answer_last_value(scan, end, SPAN_OF("\"service_tier\""), JSON_STRING);
    return openai_response_take(meter, scan, hits, end);
}
