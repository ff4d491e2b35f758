/* SPDX-License-Identifier: Apache-2.0 */
/* base/slots.h: a table of ids for objects. Across a callback one holds the id, never the pointer;
 * an id whose object has gone finds nothing, and that is a normal answer. An id is the slot's index
 * (low 32 bits) and how often the slot was used (high 32 bits), so a new tenant has a new id. */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <stdint.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"

struct slot;

struct slots {
    struct slot *all;
    uint32_t cap;
    uint32_t max;
    uint32_t count; /* objects in the table now */
    uint32_t first_free;
};

/* Takes no memory yet. max: the most objects it will ever hold at once. */
void slots_init(struct slots *slots, uint32_t max);
/* Gives the table back, not the objects. Safe on a zeroed one, and twice. */
void slots_fini(struct slots *slots);
/* Enters `object` (not NULL; still the caller's) and gives its id, never 0. ERR_CEILING when the
 * table is full, ERR_MEMORY when it cannot grow; then nothing has changed. */
MUST_CHECK enum err slots_add(struct slots *slots, void *object, uint64_t *id);
/* The object, or NULL for an id that is stale, foreign or 0. */
void *slots_find(const struct slots *slots, uint64_t id);
/* The bytes that slots_find looks at, to be warmed (mem_warm); empty for an id never given. They may
 * move when an object is entered. */
struct span slots_place(const struct slots *slots, uint64_t id);
/* Takes the object out and returns it; NULL as above. The id is stale from now on. */
void *slots_remove(struct slots *slots, uint64_t id);

#endif
