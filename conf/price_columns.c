/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of a row: classes of tokens, long prompts, tiers and regions. */
#include "conf/price_columns.h"

#include "base/money.h"
#include "conf/price_fields.h"

enum { OVER_MAX = 1000000000 };

/* ---- prices ---- */

static void read_price(struct reader *reader, const struct node *node, uint32_t *price)
{
    int64_t pico = 0;
    enum err err = ERR_NONE;

    if (!reader_expects(reader, node, NODE_TEXT)) {
        return;
    }
    err = money_read_per_million(node->text, &pico);
    if (err == ERR_NONE && pico <= PRICE_MAX) {
        *price = (uint32_t)pico;
        return;
    }
    if (err == ERR_NONE) {
        complaint_help(reader_complain(reader, node->place, "is over 4000 USD per million tokens"),
                       "prices are per million tokens");
        return;
    }
    complaint_help(reader_complain(reader, node->place,
                                   "must be USD per million tokens with at most six decimals"),
                   "prices are written like 2.50: no sign, no unit, no exponent");
}

/* The key says which class it is. */
void price_read_class(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;

    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        if (span_equal(node->key, span_of(price_class_name((enum token_class)i)))) {
            read_price(reader, node, &card->column.rates.token[i]);
            return;
        }
    }
    read_price(reader, node, &card->column.rates.reasoning);
}

void price_clear_rates(struct price_rates *rates)
{
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        rates->token[i] = PRICE_ABSENT;
    }
    rates->reasoning = PRICE_ABSENT;
}

size_t price_open(struct reader *reader, const struct node *node, struct price_draft *draft)
{
    if (draft->counts.cases == PRICE_CASES_MAX) {
        reader_complain(reader, node->key_place, "is one set of prices too many for one row");
        return PRICE_CASES_MAX;
    }
    return draft->counts.cases++;
}

void price_keep(struct reader *reader, const struct node *node, const struct price_card *card,
                size_t at)
{
    struct price_draft *draft = card->draft;

    if (node->kind == NODE_MAP && card->column.rates.token[TOKENS_INPUT] == PRICE_ABSENT &&
        node_child(node, SPAN_OF("input")) == NULL) {
        complaint_help(
            reader_complain(reader, node->key_place, "has no price for input"),
            "each tier, region and length names its own prices; a price of nothing is 0");
    }
    if (at < PRICE_CASES_MAX) {
        draft->places[at] = node->key_place;
        draft->cases[at] = card->column;
    }
}

/* ---- long prompts ---- */

static void read_over(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;
    int64_t over = PRICE_ANY_PROMPT;

    price_read_count(reader, node, &over);
    if (over > OVER_MAX) {
        reader_complain(reader, node->place, "must be at most 1000000000 tokens");
    } else if (over != PRICE_ANY_PROMPT) {
        card->column.over = (int32_t)over;
    }
}

#define TOKENS PRICE_CLASS

static const struct field long_rows[] = {
    {.name = "over",
     .type = FIELD_CUSTOM,
     .read = read_over,
     .is_required = true,
     .help = "prompts of more than so many tokens, cached and written ones included"},
#include "wire/tokens.def"
    PRICE_REASONING,
};
static const struct field_table long_fields = FIELD_TABLE(long_rows);

static void read_step(struct reader *reader, const struct node *node,
                      const struct price_card *outer)
{
    struct price_card card = *outer;
    size_t at = price_open(reader, node, card.draft);

    price_clear_rates(&card.column.rates);
    reader_map(reader, node, &long_fields, &card);
    price_keep(reader, node, &card, at);
}

void price_read_long(struct reader *reader, const struct node *node, void *object)
{
    size_t index = 0;

    if (node->kind != NODE_LIST) {
        read_step(reader, node, object);
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), index++);
        read_step(reader, child, object);
        reader_leave(reader);
    }
}

/* ---- tiers ---- */

static const struct field tier_rows[] = {
#include "wire/tokens.def"
    PRICE_REASONING,
    PRICE_LONG,
};
static const struct field_table tier_fields = FIELD_TABLE(tier_rows);

/* The word's place from 1; a new one is added. 0 after a complaint. */
static uint8_t place_of(struct reader *reader, const struct node *node, struct usage_word *words,
                        uint8_t *count)
{
    struct usage_word word;

    if (!price_read_word(reader, node->key_place, node->key, &word)) {
        return 0;
    }
    for (uint8_t i = 0; i < *count; i++) {
        if (span_equal(usage_word_span(&words[i]), node->key)) {
            return (uint8_t)(i + 1);
        }
    }
    if (*count == PRICE_WORDS_MAX) {
        reader_complain(reader, node->key_place, "is one name too many: a row takes 16");
        return 0;
    }
    words[(*count)++] = word;
    return *count;
}

static void read_tier(struct reader *reader, const struct node *node,
                      const struct price_card *outer)
{
    struct price_card card = *outer;
    size_t at = price_open(reader, node, card.draft);

    card.column.tier = place_of(reader, node, outer->draft->tiers, &outer->draft->counts.tiers);
    card.column.over = PRICE_ANY_PROMPT;
    price_clear_rates(&card.column.rates);
    reader_map(reader, node, &tier_fields, &card);
    price_keep(reader, node, &card, at);
}

void price_read_batch(struct reader *reader, const struct node *node, void *object)
{
    read_tier(reader, node, object);
}

static bool is_standard_word(struct span word)
{
    return span_equal(word, SPAN_OF("default")) || span_equal(word, SPAN_OF("standard")) ||
           span_equal(word, SPAN_OF("on_demand")) || span_equal(word, SPAN_OF("global")) ||
           span_equal(word, SPAN_OF("not_available"));
}

void price_read_tiers(struct reader *reader, const struct node *node, void *object)
{
    if (!reader_expects(reader, node, NODE_MAP)) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, child->key, 0);
        if (is_standard_word(child->key)) {
            reader_complain(reader, child->key_place, "has the standard prices: those of the row");
        } else if (span_equal(child->key, SPAN_OF("batch"))) {
            reader_complain(reader, child->key_place, "stands beside tiers, not in it");
        } else {
            read_tier(reader, child, object);
        }
        reader_leave(reader);
    }
}

/* ---- regions ---- */

static const struct field region_rows[] = {
#include "wire/tokens.def"
    PRICE_REASONING,
    PRICE_LONG,
    PRICE_TIERS,
};
static const struct field_table region_fields = FIELD_TABLE(region_rows);

static void read_region(struct reader *reader, const struct node *node,
                        const struct price_card *outer)
{
    struct price_card card = {.draft = outer->draft, .column = {.over = PRICE_ANY_PROMPT}};
    size_t at = price_open(reader, node, card.draft);

    card.column.region =
        place_of(reader, node, outer->draft->regions, &outer->draft->counts.regions);
    price_clear_rates(&card.column.rates);
    reader_map(reader, node, &region_fields, &card);
    price_keep(reader, node, &card, at);
}

void price_read_regions(struct reader *reader, const struct node *node, void *object)
{
    if (!reader_expects(reader, node, NODE_MAP)) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, child->key, 0);
        if (is_standard_word(child->key)) {
            reader_complain(reader, child->key_place, "has the standard prices: those of the row");
        } else {
            read_region(reader, child, object);
        }
        reader_leave(reader);
    }
}

#undef TOKENS
