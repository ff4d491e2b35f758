/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered operations: lost answers, gaps, a ledger that forgets its newest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "enforcement/sequence.h"

static unsigned dropped;

static void drop(void *to, void *what)
{
    (void)to;
    (void)what;
    dropped++;
}

static void push(struct sequence *sequence, uint64_t numbers)
{
    assert_int_equal(sequence_reserve(sequence, 1), ERR_NONE);
    sequence_push(sequence, numbers, &dropped);
}

static void begin(struct sequence *sequence)
{
    dropped = 0;
    sequence_init(sequence, drop, NULL);
}

static void sequence__numbers_follow_one_another(void **state)
{
    struct sequence sequence;

    (void)state;
    begin(&sequence);
    push(&sequence, 1);
    push(&sequence, 3);
    push(&sequence, 1);
    assert_int_equal(sequence_unsaid(&sequence, 0)->last, 1);
    assert_int_equal(sequence_unsaid(&sequence, 1)->first, 2);
    assert_int_equal(sequence_unsaid(&sequence, 1)->last, 4);
    assert_int_equal(sequence_unsaid(&sequence, 2)->first, 5);
    assert_null(sequence_unsaid(&sequence, 3));
    sequence_fini(&sequence);
    assert_int_equal(dropped, 3);
}

static void sequence__the_newest_takes_more_numbers_until_it_is_said(void **state)
{
    struct sequence sequence;

    (void)state;
    begin(&sequence);
    assert_null(sequence_tail(&sequence, 0));
    push(&sequence, 1);
    assert_non_null(sequence_tail(&sequence, 0));
    sequence_join(&sequence);
    assert_int_equal(sequence_unsaid(&sequence, 0)->last, 2);
    assert_null(sequence_tail(&sequence, 1));
    push(&sequence, 1);
    assert_int_equal(sequence_unsaid(&sequence, 1)->first, 3);
    sequence_fini(&sequence);
}

static void sequence__a_ledger_that_forgot_is_told_again(void **state)
{
    struct sequence sequence;

    (void)state;
    begin(&sequence);
    for (int i = 0; i < 10; i++) {
        push(&sequence, 1);
    }
    sequence_hear(&sequence, 8, 1000);
    assert_int_equal(sequence_unsaid(&sequence, 0)->first, 9);
    sequence_hear(&sequence, 5, 2000);
    assert_int_equal(sequence_unsaid(&sequence, 0)->first, 6);
    assert_false(sequence_has_gap(&sequence));
    assert_int_equal(sequence_unsaid_count(&sequence), 5);
    sequence_fini(&sequence);
}

static void sequence__what_was_acknowledged_is_kept_for_a_minute(void **state)
{
    struct sequence sequence;

    (void)state;
    begin(&sequence);
    for (int i = 0; i < 10; i++) {
        push(&sequence, 1);
    }
    sequence_hear(&sequence, 4, 1000);
    sequence_hear(&sequence, 9, 2000);
    sequence_trim(&sequence, 60999);
    assert_int_equal(dropped, 0);
    sequence_trim(&sequence, 61000);
    assert_int_equal(dropped, 4);
    /* Now it cannot be told all again, and knows it. */
    sequence_hear(&sequence, 2, 61000);
    assert_true(sequence_has_gap(&sequence));
    assert_int_equal(sequence_unsaid(&sequence, 0)->first, 5);
    sequence_trim(&sequence, 1000000);
    assert_int_equal(dropped, 4); /* what is not acknowledged stays */
    sequence_fini(&sequence);
}

static void sequence__ten_thousand_are_kept_and_memory_ends_there(void **state)
{
    struct sequence sequence;

    (void)state;
    begin(&sequence);
    for (int i = 0; i < 30000; i++) {
        push(&sequence, 1);
        sequence_hear(&sequence, (uint64_t)i + 1, 5);
        sequence_trim(&sequence, 5);
    }
    assert_in_range(sequence.count, 10000, SEQUENCE_KEPT_MAX);
    assert_true(sequence.cap <= 16384);
    sequence_fini(&sequence);
    assert_int_equal(mem_held(), 0);
}

static void sequence__begins_where_an_earlier_one_ended(void **state)
{
    struct sequence sequence;

    (void)state;
    begin(&sequence);
    sequence_begin_after(&sequence, 41);
    push(&sequence, 1);
    assert_int_equal(sequence_unsaid(&sequence, 0)->first, 42);
    assert_false(sequence_has_gap(&sequence));
    sequence_hear(&sequence, 100, 1); /* of numbers that were never given */
    assert_null(sequence_unsaid(&sequence, 0));
    push(&sequence, 1);
    assert_int_equal(sequence_unsaid(&sequence, 0)->first, 43);
    sequence_fini(&sequence);
}

/* A ledger that applies in order, loses answers and forgets: at the end it has applied each number once. */
static void sequence__everything_arrives_once(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct sequence sequence;
        struct rng rng;
        uint64_t last = 0;

        begin(&sequence);
        rng_init(&rng, 7, seed);
        for (int step = 0; step < 400 || last + 1 < sequence.next; step++) {
            uint64_t what = rng_below(&rng, 10);
            size_t count = sequence_unsaid_count(&sequence);

            if (what < 4 && step < 400) {
                push(&sequence, 1 + rng_below(&rng, 3));
            } else if (what == 9 && step < 400) {
                last -= rng_below(&rng, last < 20 ? last + 1 : 20); /* whole operations */
                sequence_hear(&sequence, last, (mono_ms)step);
                last = sequence.acked_count > 0 ? sequence_unsaid(&sequence, 0) != NULL
                                                      ? sequence_unsaid(&sequence, 0)->first - 1
                                                      : sequence.next - 1
                                                : 0;
            } else {
                for (size_t i = 0; i < count; i++) {
                    const struct sequence_entry *entry = sequence_unsaid(&sequence, i);

                    if (entry->last > last) {
                        assert_int_equal(entry->first, last + 1);
                        last = entry->last;
                    }
                }
                if (what != 8) { /* else the answer is lost */
                    sequence_hear(&sequence, last, (mono_ms)step);
                }
            }
            sequence_trim(&sequence, (mono_ms)step);
        }
        assert_int_equal(last + 1, sequence.next);
        sequence_fini(&sequence);
    }
    assert_int_equal(mem_held(), 0);
}

static void sequence__without_memory_nothing_changes(void **state)
{
    struct sequence sequence;

    (void)state;
    begin(&sequence);
    mem_fail_at(1);
    assert_int_equal(sequence_reserve(&sequence, 1), ERR_MEMORY);
    mem_fail_at(0);
    assert_int_equal(sequence_reserve(&sequence, (size_t)SEQUENCE_MAX + 1), ERR_CEILING);
    push(&sequence, 1);
    sequence_fini(&sequence);
    sequence_fini(&sequence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence__numbers_follow_one_another),
        cmocka_unit_test(sequence__the_newest_takes_more_numbers_until_it_is_said),
        cmocka_unit_test(sequence__a_ledger_that_forgot_is_told_again),
        cmocka_unit_test(sequence__what_was_acknowledged_is_kept_for_a_minute),
        cmocka_unit_test(sequence__ten_thousand_are_kept_and_memory_ends_there),
        cmocka_unit_test(sequence__begins_where_an_earlier_one_ended),
        cmocka_unit_test(sequence__everything_arrives_once),
        cmocka_unit_test(sequence__without_memory_nothing_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
