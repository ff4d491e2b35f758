/* SPDX-License-Identifier: Apache-2.0 */
/* base/arena.c: blocks in a chain, the newest first. Each block is twice the one before, up to
 * BLOCK_MAX; what does not fit the newest block gets a new one, the rest of the old is given up. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK_FIRST = 1024, BLOCK_MAX = 16 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){.max = max};
}

void arena_fini(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block != NULL) {
        struct arena_block *next = block->next;

        mem_give(block, sizeof *block + block->size);
        block = next;
    }
    arena_init(arena, arena->max);
}

static struct arena_block *add_block(struct arena *arena, size_t need)
{
    size_t size = BLOCK_FIRST;
    struct arena_block *block = NULL;

    if (arena->blocks != NULL) {
        size = arena->blocks->size >= BLOCK_MAX / 2 ? BLOCK_MAX : arena->blocks->size * 2;
    }
    size = need > size ? need : size;
    block = size > SIZE_MAX - sizeof *block ? NULL : mem_take_zero(sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

static void *take(struct arena *arena, size_t size, size_t alignment)
{
    struct arena_block *block = arena->blocks;
    size_t from = block == NULL ? 0 : (block->used + alignment - 1) / alignment * alignment;

    if (arena->failed || size > arena->max - arena->used) {
        arena->failed = true;
        return NULL;
    }
    if (block == NULL || from > block->size || size > block->size - from) {
        block = add_block(arena, size);
        from = 0;
    }
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    block->used = from + size;
    arena->used += size;
    return block->data + from;
}

void *arena_take(struct arena *arena, size_t size)
{
    return take(arena, size == 0 ? 1 : size, alignof(max_align_t));
}

struct span arena_copy(struct arena *arena, struct span bytes)
{
    char *copy = bytes.len == SIZE_MAX ? NULL : take(arena, bytes.len + 1, 1);

    if (copy == NULL) {
        arena->failed = true;
        return span_make(NULL, 0);
    }
    if (bytes.len > 0) {
        memcpy(copy, bytes.at, bytes.len);
    }
    copy[bytes.len] = '\0';
    return span_make(copy, bytes.len);
}

void arena_wipe(struct arena *arena)
{
    /* Called through a volatile pointer, so that no compiler may see that the bytes are given back
     * unread and leave the writing out. */
    void *(*const volatile fill)(void *, int, size_t) = memset;

    for (struct arena_block *block = arena->blocks; block != NULL; block = block->next) {
        (void)fill(block->data, 0, block->used);
    }
}
