/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: aligned, zeroed, bounded; its overflow sticks; all memory comes back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdalign.h>

#include "base/arena.h"
#include "base/mem.h"

static void arena__gives_zeroed_and_aligned_memory(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, (size_t)1024 * 1024);
    for (size_t size = 0; size < 300; size++) {
        unsigned char *at = arena_take(&arena, size);

        assert_non_null(at);
        assert_int_equal((uintptr_t)at % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(at[i], 0);
            at[i] = 0xff;
        }
    }
    assert_non_null(arena_take(&arena, 100000));
    assert_false(arena.failed);
    arena_fini(&arena);
    arena_fini(&arena);
    assert_int_equal(mem_held(), 0);
}

static void arena__copies_end_in_nul(void **state)
{
    struct arena arena;
    struct span copy = {0};
    struct span empty = {0};

    (void)state;
    arena_init(&arena, 100);
    copy = arena_copy(&arena, SPAN_OF("ab\0c"));
    empty = arena_copy(&arena, span_make(NULL, 0));
    assert_int_equal(copy.len, 4);
    assert_memory_equal(copy.at, "ab\0c", 5);
    assert_int_equal(empty.len, 0);
    assert_string_equal(empty.at, "");
    arena_fini(&arena);
}

static void arena__overflow_sticks(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 64);
    assert_non_null(arena_take(&arena, 32));
    assert_null(arena_take(&arena, 33));
    assert_true(arena.failed);
    assert_null(arena_take(&arena, 1));
    assert_null(arena_copy(&arena, SPAN_OF("a")).at);
    arena_fini(&arena);
    arena_init(&arena, 64);
    assert_non_null(arena_take(&arena, 64));
    assert_null(arena_take(&arena, SIZE_MAX));
    arena_fini(&arena);
    assert_int_equal(mem_held(), 0);
}

static void arena__want_of_memory_sticks(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 100000);
    mem_fail_at(1);
    assert_null(arena_take(&arena, 8));
    mem_fail_at(0);
    assert_true(arena.failed);
    assert_null(arena_take(&arena, 8));
    arena_fini(&arena);
    assert_int_equal(mem_held(), 0);
}

static void arena__wipes_every_byte_handed_out(void **state)
{
    struct arena arena;
    struct span secrets[40];

    (void)state;
    arena_init(&arena, 100000);
    for (unsigned i = 0; i < 40; i++) {
        secrets[i] =
            arena_copy(&arena, SPAN_OF("sk-test-0123456789abcdef0123456789abcdef-0123456789"));
    }
    arena_wipe(&arena);
    for (unsigned i = 0; i < 40; i++) {
        for (size_t n = 0; n < secrets[i].len; n++) {
            assert_int_equal(secrets[i].at[n], 0);
        }
    }
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena__gives_zeroed_and_aligned_memory),
        cmocka_unit_test(arena__copies_end_in_nul),
        cmocka_unit_test(arena__overflow_sticks),
        cmocka_unit_test(arena__want_of_memory_sticks),
        cmocka_unit_test(arena__wipes_every_byte_handed_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
