/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen bytes at once: the first mark is found at every place. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/block.h"

static void block__without_marks_is_passed_whole(void **state)
{
    struct block_marks marks = {{0}};

    (void)state;
    assert_int_equal(block_first(&marks), BLOCK_BYTES);
}

static void block__finds_the_first_mark(void **state)
{
    (void)state;
    for (unsigned first = 0; first < BLOCK_BYTES; first++) {
        for (unsigned second = first; second < BLOCK_BYTES; second++) {
            struct block_marks marks = {{0}};

            marks.at[first] = block_mark(1);
            marks.at[second] = block_mark(1);
            assert_int_equal(block_first(&marks), first);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block__without_marks_is_passed_whole),
        cmocka_unit_test(block__finds_the_first_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
