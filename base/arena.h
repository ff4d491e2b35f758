/* SPDX-License-Identifier: Apache-2.0 */
/* base/arena.h: memory that dies all at once. A ceiling given at birth; overflow is sticky: later
 * takes give NULL as well and one check at the end tells. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used;  /* bytes handed out */
    size_t max;
    bool failed;
};

/* Takes no memory yet. */
void arena_init(struct arena *arena, size_t max);
/* Gives all back. Safe on a zeroed arena, and twice. */
void arena_fini(struct arena *arena);
/* Zeroed, aligned for any object; NULL after an overflow or without memory (failed is set). */
void *arena_take(struct arena *arena, size_t size);
/* A copy that also ends in NUL (not counted in len); empty span on failure. */
struct span arena_copy(struct arena *arena, struct span bytes);
/* Overwrites every byte handed out: before arena_fini, when secrets lie there. */
void arena_wipe(struct arena *arena);

#endif
