/* SPDX-License-Identifier: Apache-2.0 */
/* Keys are a base name with endings: "_above_1hr", "_above_200k_tokens", "_priority". */
#include "pricing/import_entry.h"

#include "base/money.h"
#include "base/text.h"
#include "pricing/import_walk.h"

enum { REASONING = TOKEN_CLASSES, UNUSUAL = 4, FACTOR_ONE = 10000, PICO_PER_FACTOR = 100000000 };

void import_tell(struct import_entry *entry, enum import_note note, struct span key)
{
    entry->is_refused = entry->is_refused || import_note_is_refusal(note);
    entry->hooks->note(entry->hooks->to, note, entry->name, key);
}

/* ---- keys ---- */

/* The second name of cached input is older: the first one stands above it. */
static const struct {
    struct span key;
    size_t class;
} classes[] = {
    {SPAN("input_cost_per_token_cache_hit"), TOKENS_CACHE_READ},
    {SPAN("input_cost_per_token"), TOKENS_INPUT},
    {SPAN("output_cost_per_token"), TOKENS_OUTPUT},
    {SPAN("cache_read_input_token_cost"), TOKENS_CACHE_READ},
    {SPAN("cache_creation_input_token_cost"), TOKENS_CACHE_WRITE_5M},
    {SPAN("cache_creation_input_token_cost_above_1hr"), TOKENS_CACHE_WRITE_1H},
    {SPAN("input_cost_per_audio_token"), TOKENS_AUDIO_INPUT},
    {SPAN("output_cost_per_audio_token"), TOKENS_AUDIO_OUTPUT},
    {SPAN("input_cost_per_image_token"), TOKENS_IMAGE_INPUT},
    {SPAN("output_cost_per_reasoning_token"), REASONING},
};

/* Begins of keys whose unit is no token of ours. */
static const struct span other_units[] = {
    SPAN("input_cost_per_character"),
    SPAN("output_cost_per_character"),
    SPAN("input_cost_per_second"),
    SPAN("output_cost_per_second"),
    SPAN("input_cost_per_audio_per"),
    SPAN("input_cost_per_video"),
    SPAN("output_cost_per_video"),
    SPAN("input_cost_per_image"),
    SPAN("output_cost_per_image"),
    SPAN("input_cost_per_pixel"),
    SPAN("output_cost_per_pixel"),
    SPAN("input_cost_per_query"),
    SPAN("input_cost_per_request"),
    SPAN("ocr_cost"),
    SPAN("annotation_cost"),
    SPAN("code_interpreter_cost"),
    SPAN("file_search_cost"),
    SPAN("vector_store_cost"),
    SPAN("computer_use_"),
    SPAN("citation_cost"),
    SPAN("input_dbu_cost"),
    SPAN("output_dbu_cost"),
    SPAN("cache_read_input_audio_token_cost"),
    SPAN("cache_creation_input_audio_token_cost"),
    SPAN("cache_read_input_image_token_cost"),
};

struct meaning {
    size_t class;
    enum import_tier tier;
    int32_t over;
};

static bool take_ending(struct span *key, struct span ending)
{
    if (!span_ends(*key, ending)) {
        return false;
    }
    key->len -= ending.len;
    return true;
}

/* "_above_200k_tokens" off the end of the key. */
static void take_length(struct span *key, int32_t *over)
{
    static const struct span above = SPAN("_above_");
    struct span rest = *key;
    uint64_t thousands = 0;
    size_t digits = 0;

    if (!take_ending(&rest, SPAN_OF("k_tokens"))) {
        return;
    }
    while (digits < rest.len && digits < 6 && rest.at[rest.len - 1 - digits] >= '0' &&
           rest.at[rest.len - 1 - digits] <= '9') {
        digits++;
    }
    if (digits == 0 ||
        text_read_u64(span_make(rest.at + rest.len - digits, digits), &thousands) != ERR_NONE) {
        return;
    }
    rest.len -= digits;
    if (take_ending(&rest, above)) {
        *over = (int32_t)(thousands * 1000);
        *key = rest;
    }
}

/* What a key is the price of; false: of nothing we know. */
static bool understand(struct span key, struct meaning *meaning)
{
    *meaning = (struct meaning){.tier = IMPORT_STANDARD, .over = PRICE_ANY_PROMPT};
    if (take_ending(&key, SPAN_OF("_batches"))) {
        meaning->tier = IMPORT_BATCH;
    } else if (take_ending(&key, SPAN_OF("_flex"))) {
        meaning->tier = IMPORT_FLEX;
    } else if (take_ending(&key, SPAN_OF("_priority"))) {
        meaning->tier = IMPORT_PRIORITY;
    }
    take_length(&key, &meaning->over);
    for (size_t i = 0; i < ARRAY_LENGTH(classes); i++) {
        if (span_equal(classes[i].key, key)) {
            meaning->class = classes[i].class;
            return true;
        }
    }
    return false;
}

/* ---- columns ---- */

static struct price_case *find(struct import_entry *entry, enum import_tier tier, int32_t over)
{
    for (size_t i = 0; i < entry->columns_count; i++) {
        if (entry->columns[i].tier == tier && entry->columns[i].region == 0 &&
            entry->columns[i].over == over) {
            return &entry->columns[i];
        }
    }
    return NULL;
}

static struct price_case *find_or_add(struct import_entry *entry, enum import_tier tier,
                                      int32_t over)
{
    struct price_case *column = find(entry, tier, over);

    if (column != NULL) {
        return column;
    }
    if (entry->columns_count == PRICE_CASES_MAX) {
        import_tell(entry, IMPORT_TOO_MUCH, span_make("", 0));
        return NULL;
    }
    column = &entry->columns[entry->columns_count++];
    *column = (struct price_case){.tier = (uint8_t)tier, .over = over};
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        column->rates.token[i] = PRICE_ABSENT;
    }
    column->rates.reasoning = PRICE_ABSENT;
    return column;
}

/* A number to picodollars; false after telling why not, or for null, which is absent. */
static bool read_number(struct import_entry *entry, const struct import_member *member,
                        int64_t most, int64_t *pico)
{
    enum err err = ERR_NONE;

    if (span_equal(member->value, SPAN_OF("null"))) {
        return false;
    }
    err = money_read_each(member->value, pico);
    if (err == ERR_FORMAT) {
        import_tell(entry, IMPORT_NO_NUMBER, member->key);
    } else if (err != ERR_NONE) {
        import_tell(entry, member->value.at[0] == '-' ? IMPORT_NEGATIVE : IMPORT_NOT_WHOLE,
                    member->key);
    } else if (*pico > most) {
        import_tell(entry, IMPORT_TOO_HIGH, member->key);
        return false;
    }
    return err == ERR_NONE;
}

static void read_price(struct import_entry *entry, const struct import_member *member,
                       const struct meaning *meaning)
{
    struct price_case *column = NULL;
    size_t class = meaning->class;
    int64_t pico = 0;

    if (!read_number(entry, member, PRICE_MAX, &pico)) {
        return;
    }
    column = find_or_add(entry, meaning->tier, meaning->over);
    if (column == NULL) {
        return;
    }
    if (class == REASONING) {
        column->rates.reasoning = (uint32_t)pico;
        return;
    }
    /* What OpenAI writes stays for 30 minutes. */
    if (class == TOKENS_CACHE_WRITE_5M && span_equal(entry->list, SPAN_OF("openai"))) {
        class = TOKENS_CACHE_WRITE_30M;
    }
    if (column->rates.token[class] != PRICE_ABSENT &&
        span_ends(member->key, SPAN_OF("_cache_hit"))) {
        return;
    }
    column->rates.token[class] = (uint32_t)pico;
}

/* USD per search, by size. */
static void read_searches(struct import_entry *entry, struct span sizes)
{
    struct import_member member;
    bool differ = false;
    int64_t pico = 0;

    while (sizes.len > 0 && import_next(&sizes, &member)) {
        if (read_number(entry, &member, INT64_MAX, &pico)) {
            differ = differ || (entry->fee >= 0 && entry->fee != pico);
            entry->fee = pico > entry->fee ? pico : entry->fee;
        }
    }
    if (differ) {
        import_tell(entry, IMPORT_SEARCH_SIZES, SPAN_OF("search_context_cost_per_query"));
    }
}

static bool is_other_unit(struct span key)
{
    for (size_t i = 0; i < ARRAY_LENGTH(other_units); i++) {
        if (span_starts(key, other_units[i])) {
            return true;
        }
    }
    return false;
}

void import_read_columns(struct import_entry *entry)
{
    struct span rest = entry->body;
    struct import_member member;
    struct meaning meaning;

    (void)find_or_add(entry, IMPORT_STANDARD, PRICE_ANY_PROMPT);
    while (import_next(&rest, &member)) {
        if (understand(member.key, &meaning)) {
            read_price(entry, &member, &meaning);
        } else if (span_equal(member.key, SPAN_OF("search_context_cost_per_query"))) {
            read_searches(entry, member.value);
        } else if (is_other_unit(member.key)) {
            import_tell(entry, IMPORT_OTHER_UNIT, member.key);
        } else if (span_find(member.key, SPAN_OF("cost")) != NULL) {
            import_tell(entry, IMPORT_UNKNOWN_KEY, member.key);
        }
    }
}

/* ---- judging ---- */

static void drop(struct import_entry *entry, size_t at, enum import_note note)
{
    static const struct span words[IMPORT_TIERS] = {SPAN("standard"), SPAN("flex"),
                                                    SPAN("priority"), SPAN("fast"), SPAN("batch")};

    import_tell(entry, note, words[entry->columns[at].tier]);
    entry->columns[at] = entry->columns[--entry->columns_count];
}

/* Missing prices of a long column are those of the short one beside it. */
static void fill_long(struct import_entry *entry)
{
    for (size_t i = 0; i < entry->columns_count; i++) {
        struct price_case *column = &entry->columns[i];
        const struct price_case *head =
            find(entry, (enum import_tier)column->tier, PRICE_ANY_PROMPT);

        for (size_t j = 0; column->over != PRICE_ANY_PROMPT && head != NULL && j < TOKEN_CLASSES;
             j++) {
            if (column->rates.token[j] == PRICE_ABSENT) {
                column->rates.token[j] = head->rates.token[j];
            }
        }
    }
}

static bool is_half(struct import_entry *entry, const struct price_case *column)
{
    const struct price_case *head = find(entry, (enum import_tier)column->tier, PRICE_ANY_PROMPT);
    uint32_t output = entry->columns[0].rates.token[TOKENS_OUTPUT];

    return head == NULL || head->rates.token[TOKENS_INPUT] == PRICE_ABSENT ||
           column->rates.token[TOKENS_INPUT] == PRICE_ABSENT ||
           (output != PRICE_ABSENT && column->rates.token[TOKENS_OUTPUT] == PRICE_ABSENT);
}

/* Every class of a tier is held against the standard price of the same length. */
static bool is_unusual(struct import_entry *entry, const struct price_case *column)
{
    const struct price_case *plain = find(entry, IMPORT_STANDARD, column->over);

    plain = plain == NULL ? &entry->columns[0] : plain;
    for (size_t i = 0; column->tier != IMPORT_STANDARD && i < TOKEN_CLASSES; i++) {
        uint64_t own = column->rates.token[i];
        uint64_t standard = plain->rates.token[i];

        if (own != PRICE_ABSENT && standard != PRICE_ABSENT &&
            (own * UNUSUAL < standard || own > standard * UNUSUAL)) {
            return true;
        }
    }
    return false;
}

/* A tier that is left out takes its long columns with it, so this is done until nothing changes. */
static void drop_bad(struct import_entry *entry)
{
    bool has_changed = true;

    while (has_changed) {
        has_changed = false;
        for (size_t i = 1; i < entry->columns_count; i++) {
            bool half = is_half(entry, &entry->columns[i]);

            if (half || is_unusual(entry, &entry->columns[i])) {
                drop(entry, i, half ? IMPORT_HALF_TIER : IMPORT_UNUSUAL_TIER);
                has_changed = true;
                break;
            }
        }
    }
}

static void judge_standard(struct import_entry *entry)
{
    struct price_rates *rates = &entry->columns[0].rates;
    struct span mode = {NULL, 0};
    bool has_output = true;

    (void)import_text(import_member_of(entry->body, SPAN_OF("mode")), &mode);
    has_output = !span_equal(mode, SPAN_OF("embedding")) && !span_equal(mode, SPAN_OF("rerank")) &&
                 !span_equal(mode, SPAN_OF("moderation"));
    if (rates->token[TOKENS_INPUT] == PRICE_ABSENT) {
        import_tell(entry, IMPORT_NO_INPUT, span_make("", 0));
        return;
    }
    if (!has_output && rates->token[TOKENS_OUTPUT] == 0) {
        rates->token[TOKENS_OUTPUT] = PRICE_ABSENT;
    }
    if (has_output && rates->token[TOKENS_OUTPUT] == PRICE_ABSENT) {
        import_tell(entry, IMPORT_NO_OUTPUT, span_make("", 0));
    }
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        if (rates->token[i] == 0) {
            import_tell(entry, IMPORT_FREE, span_make("", 0));
            return;
        }
    }
}

/* ---- factors ---- */

/* In ten-thousandths; false when there is none. */
static bool read_factor(struct span value, int64_t *factor)
{
    int64_t pico = 0;

    if (value.len == 0 || money_read_each(value, &pico) != ERR_NONE ||
        pico % PICO_PER_FACTOR != 0) {
        return false;
    }
    *factor = pico / PICO_PER_FACTOR;
    return *factor > 0 && *factor <= 100 * FACTOR_ONE;
}

static bool multiply(uint32_t *price, int64_t factor)
{
    int64_t product = 0;

    if (*price == PRICE_ABSENT) {
        return true;
    }
    product = (int64_t)*price * factor;
    *price = (uint32_t)(product / FACTOR_ONE);
    return product % FACTOR_ONE == 0 && product / FACTOR_ONE <= PRICE_MAX;
}

/* Copies of the columns for which `tier` is the standard one (or of all, for a region), times the
 * factor. All or none. */
static void add_copies(struct import_entry *entry, struct span key, int64_t factor,
                       const struct price_case *mark)
{
    size_t before = entry->columns_count;

    for (size_t i = 0; i < before; i++) {
        struct price_case copy = entry->columns[i];
        bool is_whole = multiply(&copy.rates.reasoning, factor);

        if (copy.region > 0 || (mark->tier > 0 && copy.tier > 0)) {
            continue;
        }
        for (size_t j = 0; j < TOKEN_CLASSES; j++) {
            is_whole = multiply(&copy.rates.token[j], factor) && is_whole;
        }
        if (!is_whole || entry->columns_count == PRICE_CASES_MAX) {
            import_tell(entry, is_whole ? IMPORT_TOO_MUCH : IMPORT_ODD_FACTOR, key);
            entry->columns_count = before;
            return;
        }
        copy.tier = mark->tier > 0 ? mark->tier : copy.tier;
        copy.region = mark->region;
        entry->columns[entry->columns_count++] = copy;
    }
}

static void apply_factors(struct import_entry *entry)
{
    static const struct price_case fast = {.tier = IMPORT_FAST};
    static const struct price_case regions[] = {{.region = 1}, {.region = 2}};
    struct span own = import_member_of(entry->body, SPAN_OF("provider_specific_entry"));
    struct span us =
        import_member_of(entry->body, SPAN_OF("regional_processing_uplift_multiplier_us"));
    struct span eu =
        import_member_of(entry->body, SPAN_OF("regional_processing_uplift_multiplier_eu"));
    int64_t factor = 0;

    if (read_factor(import_member_of(own, SPAN_OF("fast")), &factor)) {
        add_copies(entry, SPAN_OF("fast"), factor, &fast);
        drop_bad(entry);
    }
    if (read_factor(us.len > 0 ? us : import_member_of(own, SPAN_OF("us")), &factor)) {
        add_copies(entry, SPAN_OF("us"), factor, &regions[0]);
    }
    if (read_factor(eu.len > 0 ? eu : import_member_of(own, SPAN_OF("eu")), &factor)) {
        add_copies(entry, SPAN_OF("eu"), factor, &regions[1]);
    }
}

void import_judge_columns(struct import_entry *entry)
{
    judge_standard(entry);
    if (entry->is_refused) {
        return;
    }
    fill_long(entry);
    drop_bad(entry);
    apply_factors(entry);
}
