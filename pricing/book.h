/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/book.h: the prices of all models that are known, in lists (one per provider that has its own
 * prices). Filled row by row, then closed, then only looked at. Rows and texts belong to whoever adds
 * them; the book's own memory comes from an arena. Pure. */
#ifndef PRICING_BOOK_H
#define PRICING_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/must.h"
#include "pricing/price.h"

/* Addresses whose list is known, also when the provider has another name in the settings. */
struct price_host {
    struct span host;
    struct span list;
    struct usage_word region; /* where it serves; empty: nowhere special */
};

/* What one file of prices says, or what the program brings along (pricing/pack.h). */
struct price_table {
    struct span date; /* of the list as a whole */
    const struct price *prices;
    size_t prices_count;
    const struct price_host *hosts;
    size_t hosts_count;
    uint64_t hash; /* over its rows */
};

enum { BOOK_VERSION_MAX = 32, BOOK_ROWS_MAX = 100000 };

struct book_slot;

struct book {
    struct arena *arena;
    const struct price **rows; /* in the order they came; those replaced are gone */
    size_t rows_count;
    size_t rows_room;
    const struct price_host **hosts;
    size_t hosts_count;
    size_t hosts_room;
    struct book_slot *slots; /* by list and name, once it is closed */
    size_t slots_count;      /* a power of two */
    struct price_table table; /* the one that it began with */
    uint64_t hash;
    char version[BOOK_VERSION_MAX];
};

/* Takes no memory yet; the arena outlives the book. */
void book_init(struct book *book, struct arena *arena);
/* The rows of a table, without judging or reading them again; the one that the book begins with. */
void book_add_table(struct book *book, const struct price_table *table);
/* One more row, borrowed. It replaces an earlier one of the same list, model and first day. */
void book_add(struct book *book, const struct price *price);
/* The same for an address. */
void book_add_host(struct book *book, const struct price_host *host);
/* Whether it is a row of that table. */
bool book_began_with(const struct book *book, const struct price *price);
/* Makes it ready for looking up. False: no memory (the arena's ceiling). */
MUST_CHECK bool book_close(struct book *book);
/* "2026-11-20+0123456789ab": the date of the program's list and the first digits of a hash over all
 * rows. The same rows in the same order give the same text. */
struct span book_version(const struct book *book);

/* Whose prices hold for a provider: `list` is empty when nobody's are known. */
struct price_place {
    struct span list;
    struct span region; /* where its address serves; empty: nowhere special */
};
/* name: in the settings. kind: "openai", "compatible", ... host: of its endpoint, lower case. The list
 * of its name, else of its host, else of its kind. */
struct price_place book_place(const struct book *book, struct span name, struct span kind,
                              struct span host);
bool book_has_list(const struct book *book, struct span list);

/* The row that holds for a model at a time: by its exact name, else by an alias, else without the
 * date behind it. NULL: it is not priced. Never by the begin of a name: "gpt-4o" is no "gpt-4". */
const struct price *book_find(const struct book *book, struct span list, struct span model,
                              wall_ms at);
/* The same for a model that may go by two names: the one that the answer tells, else the one that was
 * asked for. */
const struct price *book_find_either(const struct book *book, struct span list,
                                     struct span answered, struct span asked, wall_ms at);
/* The name without the date behind it ("-2026-03-05", "-20260305", "@20260305"); the same when there
 * is none. */
struct span book_undated(struct span model);
/* "openai/gpt-5.6-sol@2026-08-21": which row it was, for records. Without a first day: "@". */
void book_put_row_name(struct buf *out, const struct price *price);

#endif
