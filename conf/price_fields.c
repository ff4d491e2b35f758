/* SPDX-License-Identifier: Apache-2.0 */
/* One row of a price file: what it says beside its columns, and what must hold of the whole. */
#include "conf/price_fields.h"

#include <string.h>

#include "base/money.h"
#include "base/text.h"
#include "conf/names.h"
#include "conf/price_columns.h"

enum { COUNT_BITS = 40, UNUSUAL = 4, CLOCK_TEXT = 5, RANGE_TEXT = 11, DAY_MINUTES = 24 * 60 };

/* ---- plain values ---- */

bool price_read_text(struct reader *reader, const struct node *node, struct span *text)
{
    if (!reader_expects(reader, node, NODE_TEXT)) {
        return false;
    }
    if (node->text.len == 0) {
        reader_complain(reader, node->key_place, "is empty");
        return false;
    }
    for (size_t i = 0; i < node->text.len; i++) {
        unsigned char c = (unsigned char)node->text.at[i];

        if (c < 0x20 || c == 0x7f) {
            reader_complain(reader, node->place, "holds a line break or another control character");
            return false;
        }
    }
    *text = arena_copy(reader->arena, node->text);
    reader->has_no_memory = reader->has_no_memory || reader->arena->failed;
    return !reader->arena->failed;
}

bool price_read_word(struct reader *reader, struct place place, struct span text,
                     struct usage_word *word)
{
    *word = (struct usage_word){.len = 0};
    usage_word_set(word, text);
    if (word->len == 0) {
        reader_complain(reader, place,
                        "must be a word of 1 to 15 of a-z, 0-9, \"_\", \"-\", \".\"");
    }
    return word->len > 0;
}

bool price_read_date(struct reader *reader, const struct node *node, wall_ms *at)
{
    if (!reader_expects(reader, node, NODE_TEXT)) {
        return false;
    }
    if (text_read_day(node->text, at) == ERR_NONE) {
        return true;
    }
    complaint_help(reader_complain(reader, node->place, "must be a day"),
                   "days are written like 2026-11-20 and begin at midnight UTC");
    return false;
}

void price_read_count(struct reader *reader, const struct node *node, int64_t *count)
{
    uint64_t number = 0;

    if (!reader_expects(reader, node, NODE_TEXT)) {
        return;
    }
    if (text_read_u64(node->text, &number) != ERR_NONE || number >> COUNT_BITS > 0) {
        reader_complain(reader, node->place, "must be a whole number of tokens");
        return;
    }
    *count = (int64_t)number;
}

/* ---- hours ---- */

/* "09:30", up to "24:00". */
static bool read_clock(struct span text, uint16_t *minutes)
{
    uint64_t hour = 0;
    uint64_t minute = 0;

    if (text.len != CLOCK_TEXT || text.at[2] != ':' ||
        text_read_u64(span_make(text.at, 2), &hour) != ERR_NONE ||
        text_read_u64(span_from(text, 3), &minute) != ERR_NONE || minute > 59) {
        return false;
    }
    *minutes = (uint16_t)(hour * 60 + minute);
    return *minutes <= DAY_MINUTES;
}

static void read_range(struct reader *reader, const struct node *node, struct price_hours *hours)
{
    struct span text = node->text;
    uint16_t from = 0;
    uint16_t until = 0;

    if (!reader_expects(reader, node, NODE_TEXT)) {
        return;
    }
    if (text.len != RANGE_TEXT || text.at[CLOCK_TEXT] != '-' ||
        !read_clock(span_make(text.at, CLOCK_TEXT), &from) ||
        !read_clock(span_from(text, CLOCK_TEXT + 1), &until) || from >= until) {
        complaint_help(reader_complain(reader, node->place, "must be hours of one day, UTC"),
                       "hours are written like \"01:00-04:00\"; past midnight they are two ranges");
        return;
    }
    hours->range[hours->ranges].from = from;
    hours->range[hours->ranges++].until = until;
}

static void read_at(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;
    struct price_hours *hours = &card->draft->price->hours;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_LIST)) {
        return;
    }
    if (node->count == 0 || node->count > ARRAY_LENGTH(hours->range)) {
        reader_complain(reader, node->place, "must be one to four ranges");
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), index++);
        read_range(reader, child, hours);
        reader_leave(reader);
    }
}

static void read_weekdays(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;
    struct price_hours *hours = &card->draft->price->hours;
    uint16_t minutes = 0;

    if (!reader_expects(reader, node, NODE_TEXT)) {
        return;
    }
    if (node->text.len != CLOCK_TEXT + 1 || (node->text.at[0] != '+' && node->text.at[0] != '-') ||
        !read_clock(span_from(node->text, 1), &minutes)) {
        complaint_help(reader_complain(reader, node->place, "must be a distance from UTC"),
                       "\"+08:00\": Monday to Friday as the calendar stands there");
        return;
    }
    hours->weekdays_only = true;
    hours->weekdays_offset = (int16_t)(node->text.at[0] == '-' ? -(int)minutes : (int)minutes);
}

#define TOKENS PRICE_CLASS

static const struct field hours_rows[] = {
    {.name = "at",
     .type = FIELD_CUSTOM,
     .read = read_at,
     .is_required = true,
     .help = "one to four ranges of the day, UTC: [\"01:00-04:00\"]"},
    {.name = "weekdays",
     .type = FIELD_CUSTOM,
     .read = read_weekdays,
     .help = "only from Monday to Friday, by the calendar at this distance from UTC"},
#include "wire/tokens.def"
    PRICE_REASONING,
    PRICE_LONG,
};
static const struct field_table hours_fields = FIELD_TABLE(hours_rows);

static void read_hours(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *outer = object;
    struct price_card card = {.draft = outer->draft,
                              .column = {.at_hours = true, .over = PRICE_ANY_PROMPT}};
    size_t at = price_open(reader, node, card.draft);

    price_clear_rates(&card.column.rates);
    reader_map(reader, node, &hours_fields, &card);
    price_keep(reader, node, &card, at);
}

/* ---- fees ---- */

static void read_fee(struct reader *reader, const struct node *node, void *object)
{
    struct price *price = object;
    int64_t pico = 0;

    if (!reader_expects(reader, node, NODE_TEXT)) {
        return;
    }
    if (money_read_per_thousand(node->text, &pico) != ERR_NONE) {
        reader_complain(reader, node->place,
                        "must be USD per thousand uses with at most nine decimals");
        return;
    }
    for (size_t i = 0; i < FEE_KINDS; i++) {
        if (span_equal(node->key, span_of(price_fee_name((enum fee_kind)i)))) {
            price->fees[i] = pico;
        }
    }
}

#define FEE(NAME, fee_name, words)                                                                 \
    {.name = #fee_name, .type = FIELD_CUSTOM, .read = read_fee, .help = words},
static const struct field fee_rows[] = {
#include "wire/fees.def"
};
#undef FEE
static const struct field_table fee_fields = FIELD_TABLE(fee_rows);

static void read_tools(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;

    reader_map(reader, node, &fee_fields, card->draft->price);
}

/* ---- the row ---- */

static void read_name(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;
    bool is_list = span_equal(node->key, SPAN_OF("provider"));
    struct span text = {NULL, 0};

    if (!price_read_text(reader, node, &text)) {
        return;
    }
    if (is_list && !name_is_plain(text)) {
        reader_complain(reader, node->place, "must be 1 to 64 of a-z, 0-9, \".\", \"_\", \"-\"");
    } else if (!is_list && !name_is_model(text)) {
        reader_complain(reader, node->place, "%s", name_model_rule);
    } else if (is_list) {
        card->draft->price->list = text;
    } else {
        card->draft->price->model = text;
    }
}

static void read_aliases(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;
    struct price *price = card->draft->price;
    struct span *aliases = NULL;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_LIST) || node->count == 0) {
        return;
    }
    aliases = arena_take(reader->arena, node->count * sizeof *aliases);
    reader->has_no_memory = reader->has_no_memory || aliases == NULL;
    if (aliases == NULL) {
        return;
    }
    price->aliases = aliases;
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct span *alias = &aliases[price->aliases_count];
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), index++);
        if (price_read_text(reader, child, alias) && name_is_model(*alias)) {
            price->aliases_count++;
        } else if (alias->len > 0) {
            reader_complain(reader, child->place, "%s", name_model_rule);
        }
        reader_leave(reader);
    }
}

static void read_day(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;
    struct price *price = card->draft->price;
    wall_ms at = 0;

    if (!price_read_date(reader, node, &at)) {
        return;
    }
    if (span_equal(node->key, SPAN_OF("valid_from"))) {
        price->from = at;
    } else if (span_equal(node->key, SPAN_OF("valid_until"))) {
        price->until = at;
    } else {
        (void)price_read_text(reader, node, &price->as_of);
    }
}

static void read_size(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;
    struct price *price = card->draft->price;

    price_read_count(reader, node,
                     span_equal(node->key, SPAN_OF("context")) ? &price->context
                                                               : &price->output_max);
}

static void read_source(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;

    (void)price_read_text(reader, node, &card->draft->price->source);
}

static void read_unusual(struct reader *reader, const struct node *node, void *object)
{
    struct price_card *card = object;

    if (!reader_expects(reader, node, NODE_TEXT)) {
        return;
    }
    card->draft->counts.is_unusual = span_equal(node->text, SPAN_OF("true"));
    if (!card->draft->counts.is_unusual && !span_equal(node->text, SPAN_OF("false"))) {
        reader_complain(reader, node->place, "must be true or false");
    }
}

#define CUSTOM(key, reads, ...)                                                                    \
    {                                                                                              \
        .name = key, .type = FIELD_CUSTOM, .read = reads, __VA_ARGS__                              \
    }

static const struct field row_rows[] = {
    CUSTOM("provider", read_name, .is_required = true, .help = "whose price list it stands in"),
    CUSTOM("model", read_name, .is_required = true, .help = "the model's name, whole"),
    CUSTOM("aliases", read_aliases, .help = "further names of the model"),
    CUSTOM("valid_from", read_day, .help = "the first day; without it: since ever"),
    CUSTOM("valid_until", read_day, .help = "the first day on which it does not hold any more"),
#include "wire/tokens.def"
    PRICE_REASONING,
    PRICE_LONG,
    PRICE_TIERS,
    CUSTOM("regions", price_read_regions, .help = "prices by region: { us: { input: 2.75 } }"),
    CUSTOM("hours", read_hours, .help = "prices at certain hours of the day"),
    CUSTOM("tools", read_tools, .help = "USD per 1,000 uses: { web_search: 10.00 }"),
    CUSTOM("context", read_size, .help = "tokens of prompt and answer together"),
    CUSTOM("max_output", read_size, .help = "tokens of the longest answer"),
    CUSTOM("unusual", read_unusual, .help = "a tier far from the standard price is meant"),
    CUSTOM("source", read_source, .help = "who says so"),
    CUSTOM("as_of", read_day, .help = "when the source said so"),
};
static const struct field_table row_fields = FIELD_TABLE(row_rows);

#undef CUSTOM
#undef TOKENS

/* The standard column of the same region and length that a tier is held against, or that of any. */
static const struct price_case *plain_of(const struct price_draft *draft,
                                         const struct price_case *column)
{
    const struct price_case *plain = &draft->cases[0];

    for (size_t i = 0; i < draft->counts.cases; i++) {
        const struct price_case *one = &draft->cases[i];

        if (one->tier == 0 && one->region == column->region && !one->at_hours &&
            (one->over == column->over ||
             (one->over == PRICE_ANY_PROMPT && plain->over != column->over))) {
            plain = one;
        }
    }
    return plain;
}

/* Whoever typed a zero too many meant no tier of fifty times the price. */
static void check_tier(struct reader *reader, const struct price_draft *draft, size_t at)
{
    const struct price_case *column = &draft->cases[at];
    const struct price_case *plain = plain_of(draft, column);

    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        uint64_t own = column->rates.token[i];
        uint64_t standard = plain->rates.token[i];

        if (own == PRICE_ABSENT || standard == PRICE_ABSENT ||
            (own * UNUSUAL >= standard && own <= standard * UNUSUAL)) {
            continue;
        }
        complaint_help(
            reader_complain(reader, draft->places[at],
                            "tier %.*s: %s is less than a quarter or more than four times the "
                            "standard price",
                            SPAN_ARGS(usage_word_span(&draft->tiers[column->tier - 1])),
                            price_class_name((enum token_class)i)),
            "if that is meant, write unusual: true into the row");
        return;
    }
}

static void check_row(struct reader *reader, const struct node *node,
                      const struct price_draft *draft)
{
    const struct price *price = draft->price;

    if (price->until <= price->from) {
        reader_complain(reader, node_child(node, SPAN_OF("valid_until"))->place,
                        "valid_until must lie behind valid_from");
    }
    for (size_t i = 1; i < draft->counts.cases && !draft->counts.is_unusual; i++) {
        if (draft->cases[i].tier > 0) {
            check_tier(reader, draft, i);
        }
    }
}

static void *copy(struct reader *reader, const void *from, size_t size)
{
    void *to = size == 0 ? NULL : arena_take(reader->arena, size);

    if (to != NULL) {
        memcpy(to, from, size);
    }
    reader->has_no_memory = reader->has_no_memory || (size > 0 && to == NULL);
    return to;
}

void price_read_row(struct reader *reader, const struct node *node, struct price *price)
{
    struct price_draft draft = {.price = price, .counts = {.cases = 1}};
    struct price_card card = {.draft = &draft, .column = {.over = PRICE_ANY_PROMPT}};

    *price = (struct price){.from = INT64_MIN, .until = INT64_MAX, .context = -1, .output_max = -1};
    for (size_t i = 0; i < FEE_KINDS; i++) {
        price->fees[i] = -1;
    }
    price_clear_rates(&card.column.rates);
    reader_map(reader, node, &row_fields, &card);
    if (node->kind != NODE_MAP) {
        return;
    }
    draft.cases[0] = card.column;
    if (card.column.rates.token[TOKENS_INPUT] == PRICE_ABSENT &&
        node_child(node, SPAN_OF("input")) == NULL) {
        complaint_help(reader_complain(reader, node->place, "has no price for input"),
                       "a model without a known price has no row; a price of nothing is 0");
    }
    check_row(reader, node, &draft);
    price->cases = copy(reader, draft.cases, draft.counts.cases * sizeof draft.cases[0]);
    price->tiers = copy(reader, draft.tiers, draft.counts.tiers * sizeof draft.tiers[0]);
    price->regions = copy(reader, draft.regions, draft.counts.regions * sizeof draft.regions[0]);
    price->counts = draft.counts;
}
