/* SPDX-License-Identifier: Apache-2.0 */
/* pricing/bpe.h: how many tokens a text has, exactly, for the encodings whose vocabulary is public.
 * The ranks come in as the bytes of a file; nothing here knows where they were. A `struct bpe` is
 * immutable, so several threads may count with one; a `struct bpe_room` is what one of them needs
 * meanwhile. Text is text: what is spelled like a special token is counted as its letters.
 * Pure. Counting takes no memory. */
#ifndef PRICING_BPE_H
#define PRICING_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"

enum bpe_family {
    BPE_CL100K, /* gpt-4, gpt-3.5, embeddings */
    BPE_O200K   /* gpt-4o and later */
};

struct bpe;
struct bpe_room;

/* Reads the bytes of a `.tiktoken` file, which are not needed afterwards: 2 MB (cl100k_base) or 4.4 MB
 * (o200k_base) remain. NULL when they are not one whole table or memory is short; `why` (may be NULL)
 * says which. A table that is whole may still be another one: see bpe_is_published. */
MUST_CHECK struct bpe *bpe_new(struct span ranks, enum bpe_family family, struct why *why);
void bpe_free(struct bpe *bpe);
/* "cl100k_base", the name of the family's file without ".tiktoken". */
const char *bpe_family_name(enum bpe_family family);
/* Whether the table has as many tokens as the published one of its family. */
bool bpe_is_published(const struct bpe *bpe);

/* Scratch memory, 1 MB, for one thread; any table may use it. NULL when memory is short. */
MUST_CHECK struct bpe_room *bpe_room_new(void);
void bpe_room_free(struct bpe_room *room);
/* How many pieces were so long (32 KiB without a space, a sign or a change between letters, digits and
 * others) that they had to be cut, since the room was made: each cut may change a count by a token or
 * two, all else is exact. */
uint64_t bpe_room_cuts(const struct bpe_room *room);

/* The tokens of `text`. */
uint64_t bpe_count(const struct bpe *bpe, struct bpe_room *room, struct span text);
/* The same, and puts the ids of the first `max` of them to `ids`. */
uint64_t bpe_encode(const struct bpe *bpe, struct bpe_room *room, struct span text, uint32_t *ids,
                    size_t max);

#endif
