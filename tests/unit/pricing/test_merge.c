/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of any length merge as the plainest way of doing it says, with vocabularies made by
 * chance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/rng.h"
#include "pricing/merge.h"
#include "tests/lib/toy_ranks.h"

enum { PIECE_MAX = 400 };

/* Few letters, so that tokens meet often. */
static void make(struct toy *toy, struct ranks *ranks, struct rng *rng, uint32_t letters)
{
    struct buf file;

    toy_init(toy, (uint8_t)rng_below(rng, 256));
    for (int i = 0; i < 300; i++) {
        uint32_t grown = toy->count - 256;
        uint32_t left = (uint32_t)rng_below(rng, letters + grown);
        uint32_t right = (uint32_t)rng_below(rng, letters + grown);

        toy_join(toy, left < letters ? left : left - letters + 256,
                 right < letters ? right : right - letters + 256);
    }
    buf_init(&file, 1024 * 1024);
    toy_write(toy, &file);
    assert_int_equal(ranks_read(ranks, buf_span(&file), NULL), ERR_NONE);
    buf_fini(&file);
}

static void compare(const struct toy *toy, const struct ranks *ranks, struct merge_room *room,
                    struct span piece)
{
    uint32_t want[PIECE_MAX];
    uint64_t count = toy_encode(toy, piece, want);
    size_t from = 0;

    assert_int_equal(merge_piece(ranks, piece, room), count);
    for (uint64_t i = 0; i < count; i++) {
        size_t to = room->next[from];

        assert_int_equal(ranks_find(ranks, piece.at + from, to - from), want[i]);
        from = to;
    }
    assert_int_equal(from, piece.len);
}

static void merge__is_that_of_the_plainest_way(void **state)
{
    struct merge_room *room = malloc(sizeof *room);
    struct toy *toy = malloc(sizeof *toy);
    struct rng rng;

    (void)state;
    assert_non_null(room);
    assert_non_null(toy);
    rng_init(&rng, 5, 0);
    for (uint32_t turn = 0; turn < 24; turn++) {
        struct ranks ranks;
        uint32_t letters = 1 + turn % 4;

        make(toy, &ranks, &rng, letters);
        for (int i = 0; i < 8; i++) {
            size_t len = 1 + (size_t)rng_below(&rng, i < 4 ? MERGE_SHORT_MAX + 8 : PIECE_MAX);
            char *piece = malloc(len); /* of its size, so that a read past it is seen */

            assert_non_null(piece);
            for (size_t k = 0; k < len; k++) {
                piece[k] = toy->bytes[rng_below(&rng, letters)][0];
            }
            compare(toy, &ranks, room, span_make(piece, len));
            free(piece);
        }
        ranks_fini(&ranks);
    }
    free(toy);
    free(room);
}

/* The longest piece that is merged as a whole fills the room, no more. */
static void merge__takes_its_longest_piece(void **state)
{
    struct merge_room *room = malloc(sizeof *room);
    struct toy *toy = malloc(sizeof *toy);
    char *piece = malloc(MERGE_LONG_MAX);
    struct ranks ranks;
    struct buf file;

    (void)state;
    assert_non_null(room);
    assert_non_null(toy);
    assert_non_null(piece);
    toy_init(toy, 0);
    for (uint32_t i = 0; i < 4; i++) {
        toy_join(toy, i == 0 ? 1 : 255 + i, i == 0 ? 1 : 255 + i); /* 2, 4, 8, 16 of byte 7 */
    }
    buf_init(&file, 1024 * 1024);
    toy_write(toy, &file);
    assert_int_equal(ranks_read(&ranks, buf_span(&file), NULL), ERR_NONE);
    memset(piece, 7, MERGE_LONG_MAX);
    assert_int_equal(merge_piece(&ranks, span_make(piece, MERGE_LONG_MAX), room),
                     MERGE_LONG_MAX / 16);
    buf_fini(&file);
    ranks_fini(&ranks);
    free(piece);
    free(toy);
    free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge__is_that_of_the_plainest_way),
        cmocka_unit_test(merge__takes_its_longest_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
