/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of lines and their ids, and the pauses after failures. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"
#include "proxy/sink.h"
#include "usage/record.h"

static struct buf text;

static struct span line_of(const char *id)
{
    struct record record;

    buf_clear(&text);
    record_init(&record);
    record.texts[RECORD_ID] = span_of(id);
    record_put_line(&text, &record);
    assert_false(text.failed);
    return span_make(text.at, text.len - 1);
}

static void add(struct sink_batch *batch, const char *id)
{
    struct journal_place at = {1, batch->bytes.len};
    struct span line = line_of(id);

    assert_true(
        sink_batch_add(batch, line, at, (struct journal_place){1, at.offset + line.len + 1}));
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&text, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_fini(&text);
    return 0;
}

static void batch__holds_whole_lines(void **state)
{
    struct sink_batch batch;

    (void)state;
    assert_int_equal(sink_batch_init(&batch, 2), ERR_NONE);
    add(&batch, "a-1");
    add(&batch, "b-1");
    assert_false(sink_batch_add(&batch, line_of("c-1"), (struct journal_place){1, 0},
                                (struct journal_place){1, 9}));
    assert_int_equal(batch.count, 2);
    assert_true(span_ends(sink_batch_line(&batch, 0), SPAN_OF("}\n")));
    assert_true(span_equal(sink_line_id(sink_batch_line(&batch, 1)), SPAN_OF("b-1")));
    assert_int_equal(batch.lines[1].from, batch.lines[0].len);
    assert_int_equal(batch.bytes.len, batch.lines[0].len + batch.lines[1].len);
    sink_batch_clear(&batch);
    assert_int_equal(batch.count, 0);
    sink_batch_fini(&batch);
}

static void batch__ends_at_a_mebibyte(void **state)
{
    static char long_line[60000];
    struct sink_batch batch;
    size_t count = 0;

    (void)state;
    memset(long_line, 'x', sizeof long_line);
    assert_int_equal(sink_batch_init(&batch, 1000), ERR_NONE);
    while (sink_batch_add(&batch, span_make(long_line, sizeof long_line),
                          (struct journal_place){1, 0}, (struct journal_place){1, 1})) {
        count++;
    }
    assert_int_equal(count, SINK_BATCH_BYTES / (sizeof long_line + 1));
    assert_int_equal(batch.bytes.len, count * (sizeof long_line + 1));
    assert_false(batch.bytes.failed);
    sink_batch_fini(&batch);
}

static void id_of(const char *const *ids, size_t count, char id[SINK_BATCH_ID + 1])
{
    struct sink_batch batch;

    assert_int_equal(sink_batch_init(&batch, count), ERR_NONE);
    for (size_t i = 0; i < count; i++) {
        add(&batch, ids[i]);
    }
    sink_batch_id(&batch, count, id);
    sink_batch_fini(&batch);
}

static void batch_id__is_that_of_the_first_and_the_last(void **state)
{
    static const char *const lists[][2] = {
        {"a-1", "b-1"}, {"b-1", "a-1"}, {"a-1", "a-1"},
        {"b-1", "b-1"}, {"a-1b", "-1"}, {"a-1", "c-1"},
    };
    char ids[sizeof lists / sizeof lists[0]][SINK_BATCH_ID + 1];
    char again[SINK_BATCH_ID + 1];
    const char *const more[] = {"a-1", "x-1", "b-1"};

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        id_of(lists[i], 2, ids[i]);
        assert_int_equal(strlen(ids[i]), SINK_BATCH_ID);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(ids[i], ids[j]);
        }
    }
    id_of(lists[0], 2, again);
    assert_string_equal(again, ids[0]);
    id_of(more, 3, again);
    assert_string_equal(again, ids[0]);
}

static void batch_id__of_other_lines_without_an_id_is_another(void **state)
{
    static const struct span lines[] = {SPAN("one"), SPAN("two")};
    char ids[2][SINK_BATCH_ID + 1];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sink_batch batch;

        assert_int_equal(sink_batch_init(&batch, 1), ERR_NONE);
        assert_true(sink_batch_add(&batch, lines[i], (struct journal_place){1, 0},
                                   (struct journal_place){1, 4}));
        sink_batch_id(&batch, 1, ids[i]);
        sink_batch_fini(&batch);
    }
    assert_string_not_equal(ids[0], ids[1]);
}

static void pause__is_anywhere_between_a_second_and_a_doubling_most(void **state)
{
    static const uint32_t most[] = {0, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    struct rng rng;

    (void)state;
    rng_init(&rng, 1, 2);
    for (unsigned failures = 1; failures < sizeof most / sizeof most[0]; failures++) {
        uint32_t least_seen = UINT32_MAX;
        uint32_t most_seen = 0;

        for (unsigned i = 0; i < 2000; i++) {
            uint32_t pause = sink_pause_ms(&rng, failures);

            assert_in_range(pause, 1000, most[failures]);
            least_seen = pause < least_seen ? pause : least_seen;
            most_seen = pause > most_seen ? pause : most_seen;
        }
        /* The whole range is used. */
        assert_true(least_seen < 1000 + (most[failures] - 1000) / 50);
        assert_true(most_seen > most[failures] - (most[failures] - 1000) / 50);
    }
    assert_in_range(sink_pause_ms(&rng, 4000000000U), 1000, 60000);
}

static void pause__is_the_same_for_the_same_seed(void **state)
{
    struct rng one;
    struct rng other;

    (void)state;
    rng_init(&one, 7, 0);
    rng_init(&other, 7, 0);
    for (unsigned i = 1; i < 20; i++) {
        assert_int_equal(sink_pause_ms(&one, i), sink_pause_ms(&other, i));
    }
}

static void memory__that_fails_is_told(void **state)
{
    struct sink_batch batch;

    (void)state;
    mem_fail_at(1);
    assert_int_equal(sink_batch_init(&batch, 10), ERR_MEMORY);
    mem_fail_at(0);
    assert_int_equal(sink_batch_init(&batch, 10), ERR_NONE);
    mem_fail_at(1);
    assert_false(sink_batch_add(&batch, SPAN_OF("x"), (struct journal_place){1, 0},
                                (struct journal_place){1, 2}));
    mem_fail_at(0);
    assert_int_equal(batch.count, 0);
    assert_true(sink_batch_add(&batch, SPAN_OF("x"), (struct journal_place){1, 0},
                               (struct journal_place){1, 2}));
    sink_batch_fini(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch__holds_whole_lines),
        cmocka_unit_test(batch__ends_at_a_mebibyte),
        cmocka_unit_test(batch_id__is_that_of_the_first_and_the_last),
        cmocka_unit_test(batch_id__of_other_lines_without_an_id_is_another),
        cmocka_unit_test(pause__is_anywhere_between_a_second_and_a_doubling_most),
        cmocka_unit_test(pause__is_the_same_for_the_same_seed),
        cmocka_unit_test(memory__that_fails_is_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
