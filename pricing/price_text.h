/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/price_text.h: a row of prices as text, in the form of price files, and days as people write
 * them. What is printed here reads back as the same row. */
#ifndef PRICING_PRICE_TEXT_H
#define PRICING_PRICE_TEXT_H

#include "base/buf.h"
#include "base/must.h"
#include "pricing/price.h"

/* One item of `prices`, with its line ends, indented by two. */
void price_put_row(struct buf *out, const struct price *price);
/* A number that changes with each figure and word of the row, and with `before`. */
uint64_t price_hash(const struct price *price, uint64_t before);

/* "2026-11-20"; nothing for "since ever" and "for good". */
void price_put_day(struct buf *out, wall_ms at);
/* The name of a class of tokens, as in price files: "cache_read". */
const char *price_class_name(enum token_class class);
const char *price_fee_name(enum fee_kind fee);
/* "priority, us, > 272000, hours": what a column is for; nothing for the standard one. */
void price_put_conditions(struct buf *out, const struct price *price,
                          const struct price_case *column);

#endif
