/* SPDX-License-Identifier: Apache-2.0 */
/* Usage as Converse tells it (bedrock.md 4). The input excludes what was read from a cache and written to one;
 * cacheDetails splits what was written by its lifetime. There is no count of thoughts. */
#include "wire/dialects/bedrock.h"

#include "wire/json_value.h"
#include "wire/json_walk.h"

enum place { PLACE_DETAILS, PLACE_FIGURES, PLACES = PLACE_FIGURES + 4 };
static const struct json_path paths[PLACES] = {
    JSON_PATH1("cacheDetails"),         JSON_PATH1("inputTokens"),           JSON_PATH1("outputTokens"),
    JSON_PATH1("cacheReadInputTokens"), JSON_PATH1("cacheWriteInputTokens"),
};
static const uint8_t rows[] = {USAGE_INPUT, USAGE_OUTPUT, USAGE_CACHE_READ, USAGE_CACHE_WRITE};
_Static_assert(ARRAY_LENGTH(rows) + PLACE_FIGURES == PLACES, "a row per path");

/* What is to stay longer than five minutes. The list is told anew each time. */
static void take_details(struct meter *meter, struct span list)
{
    enum { ROWS_MAX = 32 };
    struct json_walk walk = json_walk_of(list);
    struct span item;

    meter->told[USAGE_CACHE_WRITE_LONG] = -1;
    for (size_t i = 0; i < ROWS_MAX && json_walk_item(&walk, &item); i++) {
        int64_t number = 0;

        if (json_is_text(json_walk_find(item, "ttl"), "1h") &&
            json_integer(json_walk_find(item, "inputTokens"), &number) == ERR_NONE && number >= 0 &&
            number <= UINT32_MAX) {
            meter_add(meter, USAGE_CACHE_WRITE_LONG, number);
        }
    }
}

struct span bedrock_usage_take(struct meter *meter, struct json_scan *scan, struct span usage)
{
    struct json_hit hits[PLACES];
    struct json_hit figures[USAGE_PLACES];

    if (usage.len == 0 || !answer_scan(scan, paths, PLACES, usage, hits) ||
        !answer_figures(rows, ARRAY_LENGTH(rows), hits + PLACE_FIGURES, figures)) {
        return span_make(NULL, 0);
    }
    meter_take(meter, figures, usage, false);
    if (hits[PLACE_DETAILS].kind == JSON_ARRAY) {
        take_details(meter, json_hit_span(&hits[PLACE_DETAILS], usage));
    }
    return answer_has_number(figures, USAGE_PLACES) ? usage : span_make(NULL, 0);
}
