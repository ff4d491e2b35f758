/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/import_entry.h: the prices of one entry of a foreign map, column by column. */
#ifndef PRICING_IMPORT_ENTRY_H
#define PRICING_IMPORT_ENTRY_H

#include "pricing/import.h"

enum import_tier { IMPORT_STANDARD, IMPORT_FLEX, IMPORT_PRIORITY, IMPORT_FAST, IMPORT_BATCH };
enum { IMPORT_TIERS = 5 };

struct import_entry {
    struct span name; /* the key in the file */
    struct span body;
    struct span list;
    struct price_case columns[PRICE_CASES_MAX]; /* `tier` is an import_tier */
    size_t columns_count;
    int64_t fee;
    const struct import_hooks *hooks;
    bool is_refused;
};

/* Tells of it; a refusal is remembered. */
void import_tell(struct import_entry *entry, enum import_note note, struct span key);
/* Fills the columns from the members of the body; complains of what it cannot take. */
void import_read_columns(struct import_entry *entry);
/* Judges the columns: what is missing, free, or far from the standard one; then applies factors. */
void import_judge_columns(struct import_entry *entry);

#endif
