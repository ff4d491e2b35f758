/* SPDX-License-Identifier: Apache-2.0 */
/* base/mem.h: the only door to the heap. Sized both ways, so that the bytes held are known exactly
 * without a header per block. Tests can make the n-th allocation fail. One loop thread uses it;
 * the counters are per thread. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

enum { MEM_CACHE_LINE = 64 };

/* `size` bytes, not cleared; NULL when there are none left (or a test says so). size > 0. */
MUST_CHECK void *mem_take(size_t size);
/* The same, all zero. */
MUST_CHECK void *mem_take_zero(size_t size);
/* Like realloc with both sizes; on NULL the old block is still there. at may be NULL with old 0. */
MUST_CHECK void *mem_resize(void *at, size_t old_size, size_t new_size);
/* Gives a block of exactly `size` bytes back. NULL is allowed. */
void mem_give(void *at, size_t size);

/* Asks the processor to fetch these bytes into its cache, and waits for nothing. Reads nothing, so any
 * address will do, also NULL. For what has gone cold and will be needed after something slow. is_written:
 * what another core has in its cache is this one's by then. */
static inline void mem_fetch(const void *at, size_t size, bool is_written)
{
    uintptr_t end = (uintptr_t)at + size;
    for (uintptr_t line = (uintptr_t)at & ~(uintptr_t)(MEM_CACHE_LINE - 1); line < end;
         line += MEM_CACHE_LINE) {
        if (is_written) {
            PREFETCH_TO_WRITE((const void *)line);
        } else {
            PREFETCH((const void *)line);
        }
    }
}

static inline void mem_warm(const void *at, size_t size)
{
    mem_fetch(at, size, false);
}

static inline void mem_warm_to_write(const void *at, size_t size)
{
    mem_fetch(at, size, true);
}

/* A block goes to another thread: this one no longer holds it, and that one says that it does. */
void mem_hand_over(size_t size);
void mem_take_over(size_t size);
/* Bytes that this thread holds now. */
size_t mem_held(void);
/* Test seam: the n-th allocation from now fails (1 = the next); 0 switches it off. */
void mem_fail_at(uint64_t nth);
/* How many allocations were made since the last mem_fail_at. */
uint64_t mem_taken(void);

#endif
