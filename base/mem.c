/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdlib.h>

/* Per thread, because the heap itself is the process's: tools/check/allow.txt names the exception. */
static _Thread_local struct {
    size_t held;
    uint64_t taken;
    uint64_t fail_at;
} counters;

static int may_take(void)
{
    counters.taken++;
    return counters.fail_at == 0 || counters.taken != counters.fail_at;
}

void *mem_take(size_t size)
{
    void *at = NULL;

    must(size > 0);
    if (may_take()) {
        at = malloc(size);
    }
    if (at != NULL) {
        counters.held += size;
    }
    return at;
}

void *mem_take_zero(size_t size)
{
    void *at = NULL;

    must(size > 0);
    if (may_take()) {
        at = calloc(1, size);
    }
    if (at != NULL) {
        counters.held += size;
    }
    return at;
}

void *mem_resize(void *at, size_t old_size, size_t new_size)
{
    void *moved = NULL;

    must(new_size > 0);
    must(at != NULL || old_size == 0);
    if (may_take()) {
        moved = realloc(at, new_size);
    }
    if (moved != NULL) {
        counters.held = counters.held - old_size + new_size;
    }
    return moved;
}

void mem_give(void *at, size_t size)
{
    if (at == NULL) {
        return;
    }
    must(counters.held >= size);
    counters.held -= size;
    free(at);
}

void mem_hand_over(size_t size)
{
    must(counters.held >= size);
    counters.held -= size;
}

void mem_take_over(size_t size)
{
    counters.held += size;
}

size_t mem_held(void)
{
    return counters.held;
}

void mem_fail_at(uint64_t nth)
{
    counters.taken = 0;
    counters.fail_at = nth;
}

uint64_t mem_taken(void)
{
    return counters.taken;
}
