/* SPDX-License-Identifier: Apache-2.0 */
/* Entry by entry: whose it is, what it costs, one row. */
#include "pricing/import.h"

#include "pricing/import_entry.h"
#include "pricing/import_walk.h"
#include "wire/json_scan.h"

enum { ROW_ARENA_MAX = 64 * 1024, SEEN_BUCKETS = 4096, SEEN_ARENA_MAX = 16 * 1024 * 1024 };

static const struct {
    const char *text;
    bool is_refusal;
} notes[] = {
#define IMPORT_NOTE(NAME, is_refusal, text) {text, is_refusal},
#include "pricing/import_notes.def"
#undef IMPORT_NOTE
};

const char *import_note_text(enum import_note note)
{
    must((size_t)note < ARRAY_LENGTH(notes));
    return notes[note].text;
}

bool import_note_is_refusal(enum import_note note)
{
    must((size_t)note < ARRAY_LENGTH(notes));
    return notes[note].is_refusal;
}

/* ---- whose ---- */

/* LiteLLM's providers, the lists that they are, and what their names begin with. */
static const struct {
    struct span provider;
    struct span list;
    struct span prefix;
} providers[] = {
    {SPAN("openai"), SPAN("openai"), SPAN("openai/")},
    {SPAN("text-completion-openai"), SPAN("openai"), SPAN("text-completion-openai/")},
    {SPAN("anthropic"), SPAN("anthropic"), SPAN("anthropic/")},
    {SPAN("gemini"), SPAN("google"), SPAN("gemini/")},
    {SPAN("mistral"), SPAN("mistral"), SPAN("mistral/")},
    {SPAN("deepseek"), SPAN("deepseek"), SPAN("deepseek/")},
    {SPAN("groq"), SPAN("groq"), SPAN("groq/")},
    {SPAN("xai"), SPAN("xai"), SPAN("xai/")},
    {SPAN("cohere"), SPAN("cohere"), SPAN("cohere/")},
    {SPAN("cohere_chat"), SPAN("cohere"), SPAN("cohere_chat/")},
};

/* Fits the name of a provider in the settings. */
static bool is_plain(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!is_letter && (i == 0 || (c != '.' && c != '_' && c != '-'))) {
            return false;
        }
    }
    return name.len > 0 && name.len <= 64;
}

static bool is_model(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] <= ' ' || name.at[i] > '~' || name.at[i] == '\\') {
            return false;
        }
    }
    return name.len > 0 && name.len <= LIMIT_MODEL_NAME;
}

/* The list of an entry's provider; false after telling why it is not taken. */
static bool find_list(struct import_entry *entry, struct span only, struct span *prefix)
{
    struct span provider = {NULL, 0};

    if (!import_text(import_member_of(entry->body, SPAN_OF("litellm_provider")), &provider)) {
        import_tell(entry, IMPORT_NO_PROVIDER, span_make("", 0));
        return false;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(providers); i++) {
        if (span_equal(providers[i].provider, provider) &&
            (only.len == 0 || span_equal(only, provider) || span_equal(only, providers[i].list))) {
            entry->list = providers[i].list;
            *prefix = providers[i].prefix;
            return true;
        }
    }
    if (only.len > 0 && span_equal(only, provider) && is_plain(provider)) {
        entry->list = provider;
        *prefix = provider; /* with a slash behind it */
        return true;
    }
    import_tell(entry, IMPORT_OTHER_PROVIDER, provider);
    return false;
}

static struct span model_of(struct span name, struct span prefix)
{
    if (prefix.len > 0 && prefix.at[prefix.len - 1] == '/' && span_starts(name, prefix)) {
        return span_from(name, prefix.len);
    }
    if (span_starts(name, prefix) && name.len > prefix.len && name.at[prefix.len] == '/') {
        return span_from(name, prefix.len + 1);
    }
    return name;
}

/* ---- the row ---- */

static int64_t count_of(struct span body, struct span key)
{
    struct span value = import_member_of(body, key);
    int64_t count = -1;

    return value.len > 0 && json_integer(value, &count) == ERR_NONE && count >= 0 &&
                   count < INT64_C(1) << 40
               ? count
               : -1;
}

/* Words of tiers and regions that are used, numbered anew in the order of the tables. */
static void number_words(struct import_entry *entry, struct price *price, struct usage_word *tiers,
                         struct usage_word *regions)
{
    static const struct usage_word tier_words[] = {
        {"", 0}, {"flex", 4}, {"priority", 8}, {"fast", 4}, {"batch", 5}};
    static const struct usage_word region_words[] = {{"", 0}, {"us", 2}, {"eu", 2}};
    uint8_t tier_numbers[IMPORT_TIERS] = {0};
    uint8_t region_numbers[3] = {0};

    for (size_t i = 0; i < entry->columns_count; i++) {
        tier_numbers[entry->columns[i].tier] = 1;
        region_numbers[entry->columns[i].region] = 1;
    }
    for (size_t i = 1; i < IMPORT_TIERS; i++) {
        if (tier_numbers[i] > 0) {
            tiers[price->counts.tiers++] = tier_words[i];
            tier_numbers[i] = price->counts.tiers;
        }
    }
    for (size_t i = 1; i < 3; i++) {
        if (region_numbers[i] > 0) {
            regions[price->counts.regions++] = region_words[i];
            region_numbers[i] = price->counts.regions;
        }
    }
    for (size_t i = 0; i < entry->columns_count; i++) {
        uint8_t tier = entry->columns[i].tier;
        uint8_t region = entry->columns[i].region;

        entry->columns[i].tier = tier == 0 ? 0 : tier_numbers[tier];
        entry->columns[i].region = region == 0 ? 0 : region_numbers[region];
    }
}

static void give_row(struct import_entry *entry, struct span model,
                     const struct import_terms *terms)
{
    struct usage_word tiers[IMPORT_TIERS];
    struct usage_word regions[2];
    struct price price = {.list = entry->list,
                          .model = model,
                          .from = terms->from,
                          .until = INT64_MAX,
                          .context = count_of(entry->body, SPAN_OF("max_input_tokens")),
                          .output_max = count_of(entry->body, SPAN_OF("max_output_tokens")),
                          .source = terms->source,
                          .as_of = terms->as_of,
                          .tiers = tiers,
                          .regions = regions,
                          .cases = entry->columns};

    for (size_t i = 0; i < FEE_KINDS; i++) {
        price.fees[i] = -1;
    }
    price.fees[FEE_WEB_SEARCH] = entry->fee;
    number_words(entry, &price, tiers, regions);
    price.counts.cases = (uint8_t)entry->columns_count;
    entry->hooks->row(entry->hooks->to, &price);
}

/* ---- names that came before ---- */

struct seen {
    struct span list;
    struct span model;
    struct seen *next;
};

struct names {
    struct arena arena;
    struct seen **buckets;
};

/* Whether it is new; without memory nothing is. */
static bool remember(struct names *names, struct span list, struct span model)
{
    uint32_t hash = 2166136261U;
    struct seen **bucket = NULL;
    struct seen *seen = NULL;

    for (size_t i = 0; i < model.len; i++) {
        hash = (hash ^ (unsigned char)model.at[i]) * 16777619U;
    }
    bucket = &names->buckets[hash % SEEN_BUCKETS];
    for (seen = *bucket; seen != NULL; seen = seen->next) {
        if (span_equal(seen->list, list) && span_equal(seen->model, model)) {
            return false;
        }
    }
    seen = arena_take(&names->arena, sizeof *seen);
    if (seen == NULL) {
        return false;
    }
    *seen = (struct seen){.list = list, .model = model, .next = *bucket};
    *bucket = seen;
    return true;
}

/* ---- the document ---- */

static void take_entry(const struct import_member *member, const struct import_terms *terms,
                       const struct import_hooks *hooks, struct names *names)
{
    struct import_entry entry = {
        .name = member->key, .body = member->value, .fee = -1, .hooks = hooks};
    struct span prefix = {NULL, 0};
    struct span model = {NULL, 0};

    if (span_equal(member->key, SPAN_OF("sample_spec")) ||
        span_equal(member->key, SPAN_OF("fallback_generalizations"))) {
        import_tell(&entry, IMPORT_RESERVED, span_make("", 0));
        return;
    }
    if (member->value.len == 0 || member->value.at[0] != '{') {
        import_tell(&entry, IMPORT_NO_OBJECT, span_make("", 0));
        return;
    }
    if (!find_list(&entry, terms->only, &prefix)) {
        return;
    }
    model = model_of(member->key, prefix);
    if (!is_model(model)) {
        import_tell(&entry, IMPORT_BAD_NAME, span_make("", 0));
        return;
    }
    if (import_member_of(entry.body, SPAN_OF("tiered_pricing")).len > 0) {
        import_tell(&entry, IMPORT_RANGES, span_make("", 0));
        return;
    }
    import_read_columns(&entry);
    if (!entry.is_refused) {
        import_judge_columns(&entry);
    }
    if (!entry.is_refused && !remember(names, entry.list, model)) {
        import_tell(&entry, IMPORT_TWICE, span_make("", 0));
    }
    if (!entry.is_refused) {
        give_row(&entry, model, terms);
    }
}

static enum err check(struct span text)
{
    const struct json_scan_options options = {.allow_duplicates = true};
    struct json_scan *scan = json_scan_new();
    enum err err = ERR_MEMORY;

    if (scan != NULL) {
        err = json_scan_whole(scan, &options, text, NULL) ? ERR_NONE : ERR_FORMAT;
        if (json_scan_fault(scan) == JSON_FAULT_MEMORY) {
            err = ERR_MEMORY;
        }
    }
    json_scan_free(scan);
    return err;
}

enum err import_litellm(struct span text, const struct import_terms *terms,
                        const struct import_hooks *hooks)
{
    struct names names;
    struct import_member member;
    enum err err = check(text);

    if (err != ERR_NONE) {
        return err;
    }
    text = span_trim(text);
    while (text.len > 0 && (text.at[0] == '\n' || text.at[0] == '\r')) {
        text = span_trim(span_from(text, 1));
    }
    if (text.len == 0 || text.at[0] != '{') {
        return ERR_FORMAT;
    }
    arena_init(&names.arena, SEEN_ARENA_MAX);
    names.buckets = arena_take(&names.arena, SEEN_BUCKETS * sizeof(struct seen *));
    while (names.buckets != NULL && import_next(&text, &member)) {
        take_entry(&member, terms, hooks, &names);
    }
    err = names.arena.failed ? ERR_MEMORY : ERR_NONE;
    arena_fini(&names.arena);
    return err;
}
