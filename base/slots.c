/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slots.h"

#include <stddef.h>

#include "base/mem.h"

enum { SLOTS_FIRST = 16 };

/* No index: the end of the chain of free slots. A table of this size is refused at birth. */
#define SLOT_NONE UINT32_MAX

struct slot {
    void *object; /* NULL: the slot is free */
    uint32_t generation;
    uint32_t next_free;
};

void slots_init(struct slots *slots, uint32_t max)
{
    must(max < SLOT_NONE);
    *slots = (struct slots){.max = max, .first_free = SLOT_NONE};
}

void slots_fini(struct slots *slots)
{
    mem_give(slots->all, slots->cap * sizeof *slots->all);
    slots_init(slots, slots->max);
}

/* Called when no slot is free. New ones are chained so that the lowest index is used first. */
static enum err grow(struct slots *slots)
{
    uint32_t first_free = SLOT_NONE;
    uint32_t cap = SLOTS_FIRST;
    struct slot *all = NULL;

    if (slots->cap == slots->max) {
        return ERR_CEILING;
    }
    if (slots->cap > 0) {
        cap = slots->cap > slots->max / 2 ? slots->max : slots->cap * 2;
    }
    cap = cap > slots->max ? slots->max : cap;
    all = mem_resize(slots->all, slots->cap * sizeof *all, cap * sizeof *all);
    if (all == NULL) {
        return ERR_MEMORY;
    }
    for (uint32_t i = cap; i > slots->cap; i--) {
        all[i - 1] = (struct slot){.next_free = first_free};
        first_free = i - 1;
    }
    slots->first_free = first_free;
    slots->all = all;
    slots->cap = cap;
    return ERR_NONE;
}

enum err slots_add(struct slots *slots, void *object, uint64_t *id)
{
    struct slot *slot = NULL;
    uint32_t index = 0;
    enum err err = ERR_NONE;

    must(object != NULL);
    if (slots->count == slots->cap) {
        err = grow(slots);
        if (err != ERR_NONE) {
            return err;
        }
    }
    index = slots->first_free;
    slot = &slots->all[index];
    slots->first_free = slot->next_free;
    slot->object = object;
    /* The generation begins at 1 and skips 0 when it wraps, so no id is 0. After four billion
     * tenants of one slot an id comes again; nobody holds one for so long. */
    slot->generation = slot->generation == UINT32_MAX ? 1 : slot->generation + 1;
    slots->count++;
    *id = (uint64_t)slot->generation << 32 | index;
    return ERR_NONE;
}

static struct slot *slot_of(const struct slots *slots, uint64_t id)
{
    uint32_t index = (uint32_t)(id & UINT32_MAX);
    struct slot *slot = index < slots->cap ? &slots->all[index] : NULL;

    return slot != NULL && slot->object != NULL && slot->generation == id >> 32 ? slot : NULL;
}

void *slots_find(const struct slots *slots, uint64_t id)
{
    const struct slot *slot = slot_of(slots, id);

    return slot == NULL ? NULL : slot->object;
}

struct span slots_place(const struct slots *slots, uint64_t id)
{
    uint32_t index = (uint32_t)(id & UINT32_MAX);

    return index < slots->cap ? span_make((const char *)&slots->all[index], sizeof(struct slot))
                              : span_make(NULL, 0);
}

void *slots_remove(struct slots *slots, uint64_t id)
{
    struct slot *slot = slot_of(slots, id);
    void *object = NULL;

    if (slot == NULL) {
        return NULL;
    }
    object = slot->object;
    slot->object = NULL;
    slot->next_free = slots->first_free;
    slots->first_free = (uint32_t)(id & UINT32_MAX);
    slots->count--;
    return object;
}
