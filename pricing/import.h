/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/import.h: LiteLLM's model_prices_and_context_window.json -> rows of ours. The file is known
 * to hold placeholders, numbers in quotes, prices fifty times too high and keys that nobody has heard
 * of, so each entry is taken, taken in part or refused, and the caller is told why. Numbers stay text
 * until they are whole picodollars. Pure. */
#ifndef PRICING_IMPORT_H
#define PRICING_IMPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "pricing/price.h"

/* Why an entry, or a part of one, was not taken. */
enum import_note {
#define IMPORT_NOTE(NAME, is_refusal, text) IMPORT_##NAME,
#include "pricing/import_notes.def"
#undef IMPORT_NOTE
};
enum {
    IMPORT_NOTES = 0
#define IMPORT_NOTE(NAME, is_refusal, text) +1
#include "pricing/import_notes.def"
#undef IMPORT_NOTE
};
const char *import_note_text(enum import_note note);
/* Whether the whole entry was left out for it. */
bool import_note_is_refusal(enum import_note note);

struct import_hooks {
    /* A row that was taken; it lives until the call is over. */
    void (*row)(void *to, const struct price *price);
    /* entry: the key in the file. key: the member that it is about; empty: the entry as a whole. */
    void (*note)(void *to, enum import_note note, struct span entry, struct span key);
    void *to;
};

struct import_terms {
    struct span only; /* LiteLLM's provider or our list: nothing else is taken. Empty: all our lists */
    wall_ms from;     /* first day of the rows */
    struct span as_of;
    struct span source;
};

/* ERR_FORMAT: no JSON, or no object at the top; nothing was told then. ERR_MEMORY. */
MUST_CHECK enum err import_litellm(struct span text, const struct import_terms *terms,
                                   const struct import_hooks *hooks);

#endif
