/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as price files write them: columns that belong together are one mapping, with the long ones
 * inside it; regions hold their tiers. */
#include "pricing/price_text.h"

#include "base/money.h"
#include "base/sip.h"
#include "base/text.h"

enum { ROW_TEXT_MAX = 256 * 1024 };

const char *price_class_name(enum token_class class)
{
    static const char *const names[] = {
#define TOKENS(NAME, name, help) #name,
#include "wire/tokens.def"
#undef TOKENS
    };

    must((size_t) class < ARRAY_LENGTH(names));
    return names[class];
}

const char *price_fee_name(enum fee_kind fee)
{
    static const char *const names[] = {
#define FEE(NAME, name, help) #name,
#include "wire/fees.def"
#undef FEE
    };

    must((size_t)fee < ARRAY_LENGTH(names));
    return names[fee];
}

void price_put_day(struct buf *out, wall_ms at)
{
    if (at != INT64_MIN && at != INT64_MAX) {
        text_put_day(out, at);
    }
}

void price_put_conditions(struct buf *out, const struct price *price,
                          const struct price_case *column)
{
    const char *comma = "";

    if (column->tier > 0) {
        buf_put(out, usage_word_span(&price->tiers[column->tier - 1]));
        comma = ", ";
    }
    if (column->region > 0) {
        buf_put_text(out, comma);
        buf_put(out, usage_word_span(&price->regions[column->region - 1]));
        comma = ", ";
    }
    if (column->at_hours) {
        buf_put_text(out, comma);
        buf_put_text(out, "hours");
        comma = ", ";
    }
    if (column->over != PRICE_ANY_PROMPT) {
        buf_put_text(out, comma);
        buf_put_text(out, "over ");
        buf_put_u64(out, (uint32_t)column->over);
    }
}

/* ---- rows ---- */

static void put_quoted(struct buf *out, struct span text)
{
    buf_put_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\') {
            buf_put_char(out, '\\');
        }
        buf_put_char(out, text.at[i]);
    }
    buf_put_char(out, '"');
}

/* `first` stands in front of the first one, `comma` between them. */
static void put_rates(struct buf *out, const struct price_rates *rates, const char *first,
                      const char *comma)
{
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        if (rates->token[i] != PRICE_ABSENT) {
            buf_put_text(out, first);
            buf_put_text(out, price_class_name((enum token_class)i));
            buf_put_text(out, ": ");
            money_put_per_million(out, rates->token[i]);
            first = comma;
        }
    }
    if (rates->reasoning != PRICE_ABSENT) {
        buf_put_text(out, first);
        buf_put_text(out, "reasoning: ");
        money_put_per_million(out, rates->reasoning);
    }
}

static bool belongs(const struct price_case *column, const struct price_case *group)
{
    return column->tier == group->tier && column->region == group->region &&
           column->at_hours == group->at_hours;
}

/* The long columns of a group, as a list, for one alone too. */
static void put_long(struct buf *out, const struct price *price, const struct price_case *group,
                     const char *before, const char *behind)
{
    bool has_any = false;

    for (size_t i = 0; i < price->counts.cases; i++) {
        const struct price_case *column = &price->cases[i];

        if (!belongs(column, group) || column->over == PRICE_ANY_PROMPT) {
            continue;
        }
        buf_put_text(out, has_any ? ", " : before);
        buf_put_text(out, has_any ? "{ over: " : "long_context: [{ over: ");
        buf_put_u64(out, (uint32_t)column->over);
        put_rates(out, &column->rates, ", ", ", ");
        buf_put_text(out, " }");
        has_any = true;
    }
    if (has_any) {
        buf_put_text(out, "]");
        buf_put_text(out, behind);
    }
}

static const struct price_case *head_of(const struct price *price, size_t tier, size_t region,
                                        bool at_hours)
{
    for (size_t i = 0; i < price->counts.cases; i++) {
        const struct price_case *column = &price->cases[i];

        if (column->tier == tier && column->region == region && column->at_hours == at_hours &&
            column->over == PRICE_ANY_PROMPT) {
            return column;
        }
    }
    return NULL;
}

static bool is_batch(const struct usage_word *tier)
{
    return span_equal(usage_word_span(tier), SPAN_OF("batch"));
}

/* "priority: { input: ..., long_context: [...] }" */
static void put_tier(struct buf *out, const struct price *price, const struct price_case *head)
{
    buf_put(out, usage_word_span(&price->tiers[head->tier - 1]));
    put_rates(out, &head->rates, ": { ", ", ");
    put_long(out, price, head, ", ", "");
    buf_put_text(out, " }");
}

/* The tiers of a region (0: of none), batch apart, each with `before` in front of the first. */
static void put_tiers(struct buf *out, const struct price *price, size_t region, const char *before,
                      const char *behind)
{
    const struct price_case *batch = NULL;
    bool has_any = false;

    for (size_t tier = 1; tier <= price->counts.tiers; tier++) {
        const struct price_case *head = head_of(price, tier, region, false);

        if (head == NULL) {
            continue;
        }
        if (is_batch(&price->tiers[tier - 1])) {
            batch = head;
            continue;
        }
        buf_put_text(out, has_any ? ", " : before);
        buf_put_text(out, has_any ? "" : "tiers: { ");
        put_tier(out, price, head);
        has_any = true;
    }
    if (has_any) {
        buf_put_text(out, " }");
        buf_put_text(out, behind);
    }
    if (batch != NULL) {
        buf_put_text(out, before);
        put_tier(out, price, batch);
        buf_put_text(out, behind);
    }
}

static void put_regions(struct buf *out, const struct price *price)
{
    for (size_t region = 1; region <= price->counts.regions; region++) {
        const struct price_case *head = head_of(price, 0, region, false);

        if (head != NULL) {
            buf_put_text(out, region == 1 ? "    regions:\n      " : "      ");
            buf_put(out, usage_word_span(&price->regions[region - 1]));
            put_rates(out, &head->rates, ": { ", ", ");
            put_long(out, price, head, ", ", "");
            put_tiers(out, price, region, ", ", "");
            buf_put_text(out, " }\n");
        }
    }
}

static void put_clock(struct buf *out, unsigned minutes)
{
    buf_put_char(out, (char)('0' + minutes / 600));
    buf_put_char(out, (char)('0' + minutes / 60 % 10));
    buf_put_char(out, ':');
    buf_put_char(out, (char)('0' + minutes / 10 % 6));
    buf_put_char(out, (char)('0' + minutes % 10));
}

static void put_hours(struct buf *out, const struct price *price)
{
    const struct price_case *head = head_of(price, 0, 0, true);
    const struct price_hours *hours = &price->hours;
    int offset = hours->weekdays_offset;

    if (head == NULL) {
        return;
    }
    for (size_t i = 0; i < hours->ranges; i++) {
        buf_put_text(out, i == 0 ? "    hours: { at: [\"" : ", \"");
        put_clock(out, hours->range[i].from);
        buf_put_char(out, '-');
        put_clock(out, hours->range[i].until);
        buf_put_char(out, '"');
    }
    buf_put_char(out, ']');
    if (hours->weekdays_only) {
        buf_put_text(out, offset < 0 ? ", weekdays: \"-" : ", weekdays: \"+");
        put_clock(out, (unsigned)(offset < 0 ? -offset : offset));
        buf_put_char(out, '"');
    }
    put_rates(out, &head->rates, ", ", ", ");
    put_long(out, price, head, ", ", "");
    buf_put_text(out, " }\n");
}

static void put_name(struct buf *out, const struct price *price)
{
    buf_put_text(out, "  - provider: ");
    put_quoted(out, price->list);
    buf_put_text(out, "\n    model: ");
    put_quoted(out, price->model);
    for (size_t i = 0; i < price->aliases_count; i++) {
        buf_put_text(out, i == 0 ? "\n    aliases: [" : ", ");
        put_quoted(out, price->aliases[i]);
    }
    buf_put_text(out, price->aliases_count > 0 ? "]\n" : "\n");
    if (price->from != INT64_MIN) {
        buf_put_text(out, "    valid_from: ");
        price_put_day(out, price->from);
        buf_put_char(out, '\n');
    }
    if (price->until != INT64_MAX) {
        buf_put_text(out, "    valid_until: ");
        price_put_day(out, price->until);
        buf_put_char(out, '\n');
    }
}

static void put_count(struct buf *out, const char *key, int64_t count)
{
    if (count >= 0) {
        buf_put_text(out, key);
        buf_put_u64(out, (uint64_t)count);
        buf_put_char(out, '\n');
    }
}

static void put_fees(struct buf *out, const struct price *price)
{
    bool has_any = false;

    for (size_t i = 0; i < FEE_KINDS; i++) {
        if (price->fees[i] >= 0) {
            buf_put_text(out, has_any ? ", " : "    tools: { ");
            buf_put_text(out, price_fee_name((enum fee_kind)i));
            buf_put_text(out, ": ");
            money_put_per_thousand(out, price->fees[i]);
            has_any = true;
        }
    }
    buf_put_text(out, has_any ? " }\n" : "");
}

static void put_source(struct buf *out, const struct price *price)
{
    if (price->source.len > 0) {
        buf_put_text(out, "    source: ");
        put_quoted(out, price->source);
        buf_put_char(out, '\n');
    }
    if (price->as_of.len > 0) {
        buf_put_text(out, "    as_of: ");
        buf_put(out, price->as_of);
        buf_put_char(out, '\n');
    }
}

void price_put_row(struct buf *out, const struct price *price)
{
    put_name(out, price);
    put_rates(out, &price->cases[0].rates, "    ", "\n    ");
    buf_put_char(out, '\n');
    put_long(out, price, &price->cases[0], "    ", "\n");
    put_tiers(out, price, 0, "    ", "\n");
    put_regions(out, price);
    put_hours(out, price);
    put_fees(out, price);
    put_count(out, "    context: ", price->context);
    put_count(out, "    max_output: ", price->output_max);
    buf_put_text(out, price->counts.is_unusual ? "    unusual: true\n" : "");
    put_source(out, price);
}

uint64_t price_hash(const struct price *price, uint64_t before)
{
    const uint64_t seed[2] = {before, UINT64_C(0x686561646761746)};
    struct buf text;
    uint64_t hash = 0;

    buf_init(&text, ROW_TEXT_MAX);
    price_put_row(&text, price);
    hash = sip_hash(seed, buf_span(&text));
    buf_fini(&text);
    return hash;
}
