/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/pack.h: a price table as few bytes, which is how the program carries its own (tools/pack writes
 * them, from pricing/prices.yaml). Pure. */
#ifndef PRICING_PACK_H
#define PRICING_PACK_H

#include "pricing/book.h"

/* Numbers are written as in LEB128: seven bits a byte, the low ones first, the eighth bit set where more
 * follow. First come all numbers of the table, each once, behind their count; then all texts, each once
 * with its length in front, behind their count. What follows are places in these two lists: the date and
 * the counts of rows and hosts, then the rows and the hosts, in the order in which price_unpack reads. */
struct price_pack {
    const unsigned char *bytes;
    size_t len;
    uint64_t hash; /* of the table: over its rows */
};
/* What the program brings along. */
extern const struct price_pack price_builtin;

/* The table, in memory of the arena; its texts stay where the bytes are. The bytes are ours: a wrong one
 * ends the process. False: no memory (the arena's ceiling). */
MUST_CHECK bool price_unpack(const struct price_pack *pack, struct arena *arena,
                             struct price_table *table);

#endif
