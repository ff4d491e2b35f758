/* SPDX-License-Identifier: Apache-2.0 */
/* Usage in the Gemini dialect (gemini.md 5). Totals of the request so far, so that the last ones count.
 *   promptTokenCount         the cached part is inside, what server tools fed back is not
 *   candidatesTokenCount     what thinking took is not inside, and is billed as output
 * The total is not needed, as nothing is hidden in it; one that says otherwise is noted. */
#include "wire/dialects/gemini.h"

#include "wire/json_walk.h"

enum place {
    PLACE_PROMPT,
    PLACE_CACHED,
    PLACE_TOOL_USE,
    PLACE_CANDIDATES,
    PLACE_THOUGHTS,
    PLACE_TOTAL,
    PLACE_PROMPT_DETAILS,
    PLACE_CACHE_DETAILS,
    PLACE_CANDIDATES_DETAILS,
    PLACE_TIER,
    PLACES
};
static const struct json_path paths[PLACES] = {
    JSON_PATH1("promptTokenCount"),     JSON_PATH1("cachedContentTokenCount"),
    JSON_PATH1("toolUsePromptTokenCount"), JSON_PATH1("candidatesTokenCount"),
    JSON_PATH1("thoughtsTokenCount"),   JSON_PATH1("totalTokenCount"),
    JSON_PATH1("promptTokensDetails"),  JSON_PATH1("cacheTokensDetails"),
    JSON_PATH1("candidatesTokensDetails"), JSON_PATH1("serviceTier"),
};

/* A usage object on its way into a meter. */
struct taking {
    struct meter *meter;
    struct span usage;
    struct json_hit hits[PLACES];
};

static int64_t figure_of(struct taking *taking, enum place place)
{
    int64_t number = -1;

    return meter_figure(taking->meter, &taking->hits[place], taking->usage, &number) ? number : -1;
}

static int64_t or_zero(int64_t figure)
{
    return figure < 0 ? 0 : figure;
}

/* The tokens of one modality, of a list [{"modality","tokenCount"}]; -1: none are told. */
static int64_t modality_of(struct taking *taking, enum place place, const char *modality)
{
    enum { ROWS_MAX = 32 };
    const struct json_hit *hit = &taking->hits[place];
    struct json_walk walk;
    struct span item;
    int64_t sum = -1;

    if (hit->kind != JSON_ARRAY) {
        return -1;
    }
    walk = json_walk_of(json_hit_span(hit, taking->usage));
    for (size_t i = 0; i < ROWS_MAX && json_walk_item(&walk, &item); i++) {
        int64_t number = 0;

        if (json_is_object(item) && json_is_text(json_walk_find(item, "modality"), modality) &&
            json_integer(json_walk_find(item, "tokenCount"), &number) == ERR_NONE && number >= 0 &&
            number <= UINT32_MAX) {
            sum = or_zero(sum) + number;
        }
    }
    return sum;
}

/* A modality of the prompt without what of it was read from a cache, which has one price. */
static int64_t fresh_of(struct taking *taking, const char *modality)
{
    int64_t all = modality_of(taking, PLACE_PROMPT_DETAILS, modality);
    int64_t cached = or_zero(modality_of(taking, PLACE_CACHE_DETAILS, modality));

    return all < 0 || cached > all ? all : all - cached;
}

static void put(struct meter *meter, enum usage_figure figure, int64_t number)
{
    if (number >= 0) {
        meter->told[figure] = -1;
        meter_add(meter, figure, number);
    }
}

static void take_input(struct taking *taking)
{
    struct meter *meter = taking->meter;

    put(meter, USAGE_INPUT, figure_of(taking, PLACE_PROMPT));
    put(meter, USAGE_CACHE_READ, figure_of(taking, PLACE_CACHED));
    put(meter, USAGE_MORE_INPUT, figure_of(taking, PLACE_TOOL_USE));
    put(meter, USAGE_AUDIO_INPUT, fresh_of(taking, "AUDIO"));
    put(meter, USAGE_IMAGE_INPUT, fresh_of(taking, "IMAGE"));
}

static void take_output(struct taking *taking)
{
    struct meter *meter = taking->meter;
    int64_t candidates = figure_of(taking, PLACE_CANDIDATES);
    int64_t thoughts = figure_of(taking, PLACE_THOUGHTS);
    int64_t total = figure_of(taking, PLACE_TOTAL);

    meter->took_output = candidates >= 0 || thoughts >= 0;
    if (!meter->took_output) {
        return;
    }
    put(meter, USAGE_OUTPUT, or_zero(candidates) + or_zero(thoughts));
    put(meter, USAGE_REASONING, thoughts);
    put(meter, USAGE_AUDIO_OUTPUT, modality_of(taking, PLACE_CANDIDATES_DETAILS, "AUDIO"));
    if (total >= 0 &&
        total != or_zero(meter->told[USAGE_INPUT]) + or_zero(meter->told[USAGE_MORE_INPUT]) +
                     or_zero(meter->told[USAGE_OUTPUT])) {
        meter->is_anomalous = true;
    }
}

struct span gemini_usage_take(struct meter *meter, struct json_scan *scan, struct span usage)
{
    struct taking taking = {.meter = meter, .usage = usage};
    int64_t input_before = meter->told[USAGE_INPUT];
    int64_t output_before = meter->told[USAGE_OUTPUT];

    if (usage.len == 0 || !answer_scan(scan, paths, PLACES, usage, taking.hits)) {
        return span_make(NULL, 0);
    }
    take_input(&taking);
    take_output(&taking);
    if (taking.hits[PLACE_TIER].kind == JSON_STRING) {
        usage_word_set(&meter->tier, answer_text(&taking.hits[PLACE_TIER], usage));
    }
    if (meter->told[USAGE_INPUT] < input_before || meter->told[USAGE_OUTPUT] < output_before) {
        meter->is_anomalous = true;
    }
    return answer_has_number(taking.hits, PLACE_PROMPT_DETAILS) ? usage : span_make(NULL, 0);
}
