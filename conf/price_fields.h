/* SPDX-License-Identifier: Apache-2.0 */
/* conf/price_fields.h: one row of a price file. */
#ifndef CONF_PRICE_FIELDS_H
#define CONF_PRICE_FIELDS_H

#include "conf/reader.h"
#include "pricing/price.h"

/* A mapping into *price; after complaints it may be unfit. */
void price_read_row(struct reader *reader, const struct node *node, struct price *price);
/* A text as it stands, copied, not empty, without control characters. False after a complaint. */
bool price_read_text(struct reader *reader, const struct node *node, struct span *text);
/* A short word (struct usage_word). False after a complaint. */
bool price_read_word(struct reader *reader, struct place place, struct span text,
                     struct usage_word *word);
/* A number of tokens; as it was after a complaint. */
void price_read_count(struct reader *reader, const struct node *node, int64_t *count);
/* A day. False after a complaint. */
bool price_read_date(struct reader *reader, const struct node *node, wall_ms *at);

#endif
