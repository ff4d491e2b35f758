/* SPDX-License-Identifier: Apache-2.0 */
/* conf/price_columns.h: a tier, a region, hours and long prompts are mappings of the same prices, so
 * one card stands for each of them while it is read; what has been read is gathered in a draft. */
#ifndef CONF_PRICE_COLUMNS_H
#define CONF_PRICE_COLUMNS_H

#include "conf/reader.h"
#include "pricing/price_text.h"

struct price_draft {
    struct price *price;
    struct price_case cases[PRICE_CASES_MAX];
    struct place places[PRICE_CASES_MAX]; /* of each column, for what is found out at the end */
    struct usage_word tiers[PRICE_WORDS_MAX];
    struct usage_word regions[PRICE_WORDS_MAX];
    struct price_counts counts;
};

/* One mapping of prices, under way: the object of the tables below. */
struct price_card {
    struct price_draft *draft;
    struct price_case column;
};

void price_clear_rates(struct price_rates *rates);
/* A place for a column among those of the row, in front of its long ones that are read with it.
 * PRICE_CASES_MAX after a complaint. */
size_t price_open(struct reader *reader, const struct node *node, struct price_draft *draft);
/* Puts the column that has been read from `node` there. */
void price_keep(struct reader *reader, const struct node *node, const struct price_card *card,
                size_t at);

field_reader price_read_class; /* the key says which one */
field_reader price_read_long;
field_reader price_read_tiers;
field_reader price_read_batch;
field_reader price_read_regions;

/* Rows for the tables of whatever has prices; PRICE_CLASS is a TOKENS for wire/tokens.def. */
#define PRICE_CLASS(NAME, class_name, words)                                                       \
    {.name = #class_name, .type = FIELD_CUSTOM, .read = price_read_class, .help = words},
#define PRICE_REASONING                                                                               \
    {.name = "reasoning",                                                                          \
     .type = FIELD_CUSTOM,                                                                         \
     .read = price_read_class,                                                                           \
     .help = "of the output that is reasoning, where it has a price of its own"}
#define PRICE_LONG                                                                                 \
    {.name = "long_context",                                                                       \
     .type = FIELD_CUSTOM,                                                                         \
     .read = price_read_long,                                                                            \
     .help = "prices of the whole request when its prompt is longer than `over` tokens"}

#define PRICE_TIERS                                                                                \
    {.name = "tiers",                                                                              \
     .type = FIELD_CUSTOM,                                                                         \
     .read = price_read_tiers,                                                                           \
     .help = "prices of service tiers, by the word of the answer: { flex: { input: 1.25 } }"},     \
    {                                                                                              \
        .name = "batch", .type = FIELD_CUSTOM, .read = price_read_batch, .help = "prices of batch calls" \
    }

#endif
