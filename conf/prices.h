/* SPDX-License-Identifier: Apache-2.0 */
/* conf/prices.h: a price file (docs/prices.md) -> rows, or every complaint about it. Read like the
 * settings, but nothing in it is expanded: prices are facts. */
#ifndef CONF_PRICES_H
#define CONF_PRICES_H

#include "base/arena.h"
#include "base/err.h"
#include "conf/complaint.h"
#include "pricing/book.h"

/* Room for the rows of the largest price file. */
enum { PRICES_ARENA_MAX = 64 * 1024 * 1024 };

/* `complaints` is begun anew. ERR_CONFIG: it is not empty, and the table is. ERR_MEMORY. The rows and
 * their texts live in `arena`. */
MUST_CHECK enum err prices_read(struct span text, struct arena *arena,
                                struct complaints *complaints, struct price_table *table);

#endif
