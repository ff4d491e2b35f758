/* SPDX-License-Identifier: Apache-2.0 */
/* The in-flight table: records into slots and back, chains, hostile memory, and what is left of it
 * after a crash at any store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "usage/replay.h"

enum { SLOTS = 64 };

struct rig {
    char *memory;
    uint32_t free[SLOTS];
    struct inflight table;
    struct buf text;
};

static void begin(struct rig *rig)
{
    rig->memory = aligned_alloc(INFLIGHT_SLOT, inflight_size(SLOTS));
    assert_non_null(rig->memory);
    memset(rig->memory, 0, inflight_size(SLOTS));
    inflight_format(rig->memory, SLOTS);
    inflight_init(&rig->table, rig->memory, SLOTS, rig->free);
    buf_init(&rig->text, 1 << 16);
}

static void end(struct rig *rig)
{
    free(rig->memory);
    buf_fini(&rig->text);
}

static char long_text[4096];

static struct record record_of(const char *id, size_t texts, size_t raw)
{
    struct record record;

    memset(long_text, 'x', sizeof long_text);
    record_init(&record);
    record.texts[RECORD_ID] = span_of(id);
    record.numbers[RECORD_AT] = 1795000000000;
    record.tokens[TOKENS_INPUT] = 70;
    for (size_t i = 1; i <= texts; i++) {
        record.texts[i] = span_make(long_text, 200);
    }
    record.raw = span_make(long_text, raw);
    return record;
}

static void inflight__gives_records_back_as_they_were(void **state)
{
    static const size_t sizes[][2] = {{0, 0}, {3, 0}, {10, 0}, {5, 2048}, {20, 2048}};
    struct rig rig;

    (void)state;
    begin(&rig);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct record record = record_of("a-1", sizes[i][0], sizes[i][1]);
        struct record read;
        struct inflight_progress progress = {.output_seen = 5, .bytes = 9, .phase = 2};
        enum inflight_state was = INFLIGHT_FREE;
        uint32_t slot = inflight_put(&rig.table, &record, INFLIGHT_OPEN);

        assert_int_not_equal(slot, 0);
        inflight_progress(&rig.table, slot, &progress);
        progress = (struct inflight_progress){0};
        buf_clear(&rig.text);
        assert_true(inflight_read(&rig.table, slot, &rig.text, &read, &progress, &was));
        assert_int_equal(was, INFLIGHT_OPEN);
        assert_int_equal(progress.output_seen, 5);
        for (size_t t = 0; t < RECORD_TEXTS; t++) {
            assert_true(span_equal(read.texts[t], record.texts[t]));
        }
        assert_memory_equal(read.numbers, record.numbers, sizeof read.numbers);
        assert_memory_equal(read.tokens, record.tokens, sizeof read.tokens);
        assert_true(span_equal(read.raw, record.raw));
        record_flag(&record, RECORD_FLAG_CUT);
        slot = inflight_finish(&rig.table, slot, &record);
        buf_clear(&rig.text);
        assert_true(inflight_read(&rig.table, slot, &rig.text, &read, &progress, &was));
        assert_int_equal(was, INFLIGHT_FINISHED);
        assert_true(record_has(&read, RECORD_FLAG_CUT));
        inflight_free(&rig.table, slot);
        assert_int_equal(rig.table.free_count, SLOTS);
    }
    end(&rig);
}

static void inflight__progress_writes_nothing_but_its_place(void **state)
{
    const struct inflight_progress progress = {
        .output_seen = UINT64_MAX, .bytes = UINT64_MAX, .phase = UINT32_MAX};
    struct record record = record_of("a-1", 3, 0);
    char before[INFLIGHT_SLOT];
    struct span place;
    struct rig rig;
    size_t at = 0;
    uint32_t slot = 0;

    (void)state;
    begin(&rig);
    slot = inflight_put(&rig.table, &record, INFLIGHT_OPEN);
    memcpy(before, rig.memory + INFLIGHT_HEAD, sizeof before);
    inflight_progress(&rig.table, slot, &progress);
    place = inflight_place(&rig.table, slot);
    at = (size_t)(place.at - (rig.memory + INFLIGHT_HEAD));
    assert_true(at + place.len <= sizeof before);
    assert_memory_not_equal(before + at, place.at, place.len);
    memcpy(before + at, place.at, place.len);
    assert_memory_equal(before, rig.memory + INFLIGHT_HEAD, sizeof before);
    inflight_free(&rig.table, slot);
    end(&rig);
}

static void inflight__leaves_out_what_has_no_room_and_refuses_only_without_a_slot(void **state)
{
    struct record large = record_of("a-1", 20, 2048);
    struct record read;
    struct inflight_progress progress;
    enum inflight_state was = INFLIGHT_FREE;
    struct rig rig;
    uint32_t slots[SLOTS];
    uint32_t count = 0;

    (void)state;
    begin(&rig);
    while ((slots[count] = inflight_put(&rig.table, &large, INFLIGHT_FINISHED)) != 0) {
        count++;
    }
    assert_int_equal(rig.table.free_count, 0);
    buf_clear(&rig.text);
    assert_true(inflight_read(&rig.table, slots[count - 1], &rig.text, &read, &progress, &was));
    assert_true(span_equal(read.texts[RECORD_ID], SPAN_OF("a-1"))); /* what matters comes first */
    assert_int_equal(read.tokens[TOKENS_INPUT], 70);
    for (uint32_t i = 0; i < count; i++) {
        inflight_free(&rig.table, slots[i]);
    }
    assert_int_equal(rig.table.free_count, SLOTS);
    end(&rig);
}

/* The store thread keeps the records of a batch until their lines are written. */
static void inflight__keeps_what_was_read_before(void **state)
{
    struct record small = record_of("a-1", 3, 0);
    struct record large = record_of("a-2", 20, 2048);
    struct inflight_progress progress;
    enum inflight_state was = INFLIGHT_FREE;
    struct record read[3];
    struct rig rig;
    uint32_t first = 0;
    uint32_t second = 0;

    (void)state;
    begin(&rig);
    first = inflight_put(&rig.table, &small, INFLIGHT_FINISHED);
    second = inflight_put(&rig.table, &large, INFLIGHT_FINISHED);
    assert_int_equal(buf_reserve(&rig.text, 2 * INFLIGHT_RECORD_MAX), ERR_NONE);
    assert_true(inflight_read(&rig.table, first, &rig.text, &read[0], &progress, &was));
    assert_int_equal(rig.text.len, 0); /* it stands in its slot */
    assert_true(inflight_read(&rig.table, second, &rig.text, &read[1], &progress, &was));
    assert_true(inflight_read(&rig.table, second, &rig.text, &read[2], &progress, &was));
    assert_true(span_equal(read[0].texts[RECORD_ID], SPAN_OF("a-1")));
    for (size_t i = 1; i < 3; i++) {
        assert_true(span_equal(read[i].texts[RECORD_ID], SPAN_OF("a-2")));
        assert_true(span_equal(read[i].raw, large.raw));
    }
    assert_ptr_not_equal(read[1].raw.at, read[2].raw.at);
    end(&rig);
}

/* A power cut may keep any part of a slot: no byte of a record may be another one. */
static void inflight__finds_each_damaged_byte(void **state)
{
    static const size_t raws[] = {0, 2000}; /* in one slot, and in several */
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof raws / sizeof *raws; i++) {
        struct record record = record_of("a-1", 3, raws[i]);
        struct record read;
        struct inflight_progress progress;
        enum inflight_state was = INFLIGHT_FREE;
        size_t payload = INFLIGHT_HEAD + 40;
        unsigned found = 0;
        uint32_t slot = 0;

        begin(&rig);
        slot = inflight_put(&rig.table, &record, INFLIGHT_FINISHED);
        assert_int_equal(slot, 1);
        assert_int_equal(SLOTS - rig.table.free_count > 1, raws[i] > 0);
        for (size_t at = payload; at < payload + 150; at++) {
            rig.memory[at] ^= 0x10;
            buf_clear(&rig.text);
            found += !inflight_read(&rig.table, slot, &rig.text, &read, &progress, &was);
            rig.memory[at] ^= 0x10;
        }
        assert_int_equal(found, 150);
        buf_clear(&rig.text);
        assert_true(inflight_read(&rig.table, slot, &rig.text, &read, &progress, &was));
        end(&rig);
    }
}

/* Whatever the file holds, reading it ends, and damaged records are not told. */
static void inflight__reads_any_memory(void **state)
{
    struct record record = record_of("a-1", 12, 2000);
    struct record read;
    struct inflight_progress progress;
    enum inflight_state was = INFLIGHT_FREE;
    struct rig rig;
    struct rng rng;
    unsigned refused = 0;

    (void)state;
    rng_init(&rng, 3, 0);
    begin(&rig);
    (void)inflight_put(&rig.table, &record, INFLIGHT_OPEN);
    for (size_t round = 0; round < 20000; round++) {
        size_t at = INFLIGHT_HEAD + rng_below(&rng, 5 * INFLIGHT_SLOT);
        char kept = rig.memory[at];

        rig.memory[at] = (char)rng_u64(&rng);
        for (uint32_t slot = 1; slot <= 5; slot++) {
            buf_clear(&rig.text);
            if (!inflight_read(&rig.table, slot, &rig.text, &read, &progress, &was)) {
                refused++;
            } else if (was == INFLIGHT_OPEN) {
                assert_true(span_equal(read.texts[RECORD_ID], SPAN_OF("a-1")));
            }
        }
        if (round % 50 != 0) { /* most damages are alone, some add up */
            rig.memory[at] = kept;
        } else if (round % 500 == 0) {
            end(&rig);
            begin(&rig);
            (void)inflight_put(&rig.table, &record, INFLIGHT_OPEN);
        }
    }
    assert_true(refused > 1000);
    end(&rig);
}

static void inflight__knows_its_own_layout(void **state)
{
    struct rig rig;
    uint32_t count = 0;

    (void)state;
    begin(&rig);
    assert_true(inflight_is_ours(rig.memory, inflight_size(SLOTS), &count));
    assert_int_equal(count, SLOTS);
    assert_false(inflight_is_ours(rig.memory, inflight_size(SLOTS) - 1, &count));
    assert_false(inflight_is_ours(rig.memory, 100, &count));
    rig.memory[9] ^= 1;
    assert_false(inflight_is_ours(rig.memory, inflight_size(SLOTS), &count));
    end(&rig);
}

/* ---- after a crash ---- */

struct told {
    char text[1024];
};

static bool on_record(void *to, struct record *record, bool is_crash)
{
    struct told *told = to;
    size_t len = strlen(told->text);

    (void)snprintf(told->text + len, sizeof told->text - len, "%.*s%s ",
                   SPAN_ARGS(record->texts[RECORD_ID]), is_crash ? "!" : "");
    if (is_crash) {
        assert_true(record_has(record, RECORD_FLAG_PROXY_CRASH));
        assert_true(span_equal(record->texts[RECORD_OUTCOME], SPAN_OF("proxy_crash")));
    }
    return true;
}

static void told_after(struct rig *rig, const char *in_journal, const char *expected)
{
    struct told told = {.text = ""};
    struct replay_ears ears = {.to = &told, .on_record = on_record};
    struct replay_sum sum;
    struct replay *replay = replay_new(7);

    if (in_journal != NULL) {
        assert_true(replay_saw(replay, span_of(in_journal)));
    }
    assert_true(replay_tell(replay, &rig->table, &rig->text, &ears, &sum));
    assert_string_equal(told.text, expected);
    assert_int_equal(sum.damaged, 0);
    replay_free(replay);
}

static void replay__tells_what_the_journal_lacks(void **state)
{
    struct record one = record_of("one-1", 8, 0), two = record_of("two-1", 0, 0);
    struct inflight_progress progress = {.output_seen = 30, .phase = 3};
    struct rig rig;
    uint32_t slot = 0;

    (void)state;
    begin(&rig);
    told_after(&rig, NULL, "");
    assert_int_equal(replay_oldest(&rig.table, &rig.text), -1);
    slot = inflight_put(&rig.table, &one, INFLIGHT_OPEN);
    inflight_progress(&rig.table, slot, &progress);
    told_after(&rig, NULL, "one-1! ");
    assert_int_equal(replay_oldest(&rig.table, &rig.text), 1795000000000);
    struct record timeless = one;
    timeless.numbers[RECORD_AT] = -1;
    uint32_t other = inflight_put(&rig.table, &timeless, INFLIGHT_OPEN);
    assert_int_equal(replay_oldest(&rig.table, &rig.text), 0); /* it may be anywhere */
    inflight_free(&rig.table, other);
    told_after(&rig, "one-1", "");
    (void)inflight_put(&rig.table, &two, INFLIGHT_OPEN);
    told_after(&rig, NULL, "one-1! two-1! ");
    (void)inflight_put(&rig.table, &one,
                       INFLIGHT_FINISHED); /* died before the open one was given back */
    told_after(&rig, NULL, "one-1 two-1! ");
    told_after(&rig, "one-1", "two-1! ");
    end(&rig);
}

/* The process dies while a record is finished: at each byte that it writes, in order, either the
 * old state or the new one is found. */
static void replay__finds_one_of_both_at_every_moment(void **state)
{
    struct record record = record_of("one-1", 12, 2000);
    struct rig rig;
    char *before = NULL, *after = NULL;
    uint32_t slot = 0;

    (void)state;
    begin(&rig);
    slot = inflight_put(&rig.table, &record, INFLIGHT_OPEN);
    before = malloc(inflight_size(SLOTS));
    after = malloc(inflight_size(SLOTS));
    memcpy(before, rig.memory, inflight_size(SLOTS));
    (void)inflight_put(&rig.table, &record, INFLIGHT_FINISHED);
    memcpy(after, rig.memory, inflight_size(SLOTS));
    /* All bytes but the state words in any order first; the state word of the first slot last. */
    for (size_t upto = 0; upto <= inflight_size(SLOTS); upto += 97) {
        memcpy(rig.memory, after, upto);
        memcpy(rig.memory + upto, before + upto, inflight_size(SLOTS) - upto);
        for (uint32_t i = 0; i < SLOTS; i++) {
            size_t at = INFLIGHT_HEAD + (size_t)i * INFLIGHT_SLOT;
            if (after[at] == INFLIGHT_FINISHED) {
                rig.memory[at] = before[at];
            }
        }
        told_after(&rig, NULL, "one-1! ");
    }
    memcpy(rig.memory, after, inflight_size(SLOTS));
    told_after(&rig, NULL, "one-1 ");
    inflight_free(&rig.table, slot);
    told_after(&rig, NULL, "one-1 ");
    free(before);
    free(after);
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inflight__gives_records_back_as_they_were),
        cmocka_unit_test(inflight__progress_writes_nothing_but_its_place),
        cmocka_unit_test(inflight__leaves_out_what_has_no_room_and_refuses_only_without_a_slot),
        cmocka_unit_test(inflight__keeps_what_was_read_before),
        cmocka_unit_test(inflight__finds_each_damaged_byte),
        cmocka_unit_test(inflight__reads_any_memory),
        cmocka_unit_test(inflight__knows_its_own_layout),
        cmocka_unit_test(replay__tells_what_the_journal_lacks),
        cmocka_unit_test(replay__finds_one_of_both_at_every_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
