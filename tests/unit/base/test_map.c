/* SPDX-License-Identifier: Apache-2.0 */
/* The table keyed by span: against a plain array, through growth and failure; its hash against the
 * published vectors of SipHash-2-4. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"

enum { ITEMS = 500, STEPS = 20000 };

struct item {
    struct map_entry entry;
    char key[12];
    size_t key_len;
    int is_in;
};

static const uint64_t seed[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static struct span key_of(const struct item *item)
{
    return span_make(item->key, item->key_len);
}

/* Keys of several lengths, also ones that begin alike. */
static void name(struct item *item, unsigned number)
{
    item->key_len = 0;
    do {
        item->key[item->key_len++] = (char)('a' + number % 3);
        number /= 3;
    } while (number > 0);
}

static void map__hashes_as_siphash_is_published(void **state)
{
    static const uint64_t wanted[] = {0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
                                      0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
                                      0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462};
    char text[15];
    struct map map;

    (void)state;
    map_init(&map, 1, seed);
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)i;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++) {
        assert_true(map_hash(&map, span_make(text, i)) == wanted[i]);
    }
    assert_true(map_hash(&map, span_make(text, 15)) == UINT64_C(0xa129ca6149be45e5));
}

static void map__agrees_with_a_plain_array(void **state)
{
    static struct item items[ITEMS];
    struct map map;
    struct rng rng;
    size_t count = 0;

    (void)state;
    map_init(&map, ITEMS, seed);
    rng_init(&rng, 1, 2);
    memset(items, 0, sizeof items);
    for (unsigned i = 0; i < ITEMS; i++) {
        name(&items[i], i);
    }
    for (int step = 0; step < STEPS; step++) {
        struct item *item = &items[rng_below(&rng, ITEMS)];
        struct map_entry *found = map_find(&map, key_of(item));
        assert_ptr_equal(found, item->is_in ? &item->entry : NULL);
        if (item->is_in) {
            map_remove(&map, &item->entry);
            count--;
        } else {
            assert_int_equal(map_add(&map, &item->entry, key_of(item)), ERR_NONE);
            count++;
        }
        item->is_in = !item->is_in;
        assert_int_equal(map.count, count);
    }
    map_fini(&map);
    map_fini(&map);
    assert_int_equal(mem_held(), 0);
}

static void map__has_a_ceiling(void **state)
{
    struct item items[3];
    struct map map;

    (void)state;
    map_init(&map, 2, seed);
    for (unsigned i = 0; i < 3; i++) {
        name(&items[i], i);
    }
    assert_int_equal(map_add(&map, &items[0].entry, key_of(&items[0])), ERR_NONE);
    assert_int_equal(map_add(&map, &items[1].entry, key_of(&items[1])), ERR_NONE);
    assert_int_equal(map_add(&map, &items[2].entry, key_of(&items[2])), ERR_CEILING);
    assert_null(map_find(&map, key_of(&items[2])));
    map_remove(&map, &items[0].entry);
    assert_int_equal(map_add(&map, &items[2].entry, key_of(&items[2])), ERR_NONE);
    map_fini(&map);
}

static void map__a_failed_growth_changes_nothing(void **state)
{
    static struct item items[ITEMS];
    struct map map;
    size_t entered = 0;

    (void)state;
    map_init(&map, ITEMS, seed);
    for (unsigned i = 0; i < ITEMS; i++) {
        name(&items[i], i);
        mem_fail_at(1);
        enum err err = map_add(&map, &items[i].entry, key_of(&items[i]));
        mem_fail_at(0);
        if (err != ERR_NONE) {
            assert_int_equal(err, ERR_MEMORY);
            assert_int_equal(map.count, entered);
            assert_null(map_find(&map, key_of(&items[i])));
            assert_int_equal(map_add(&map, &items[i].entry, key_of(&items[i])), ERR_NONE);
        }
        entered++;
        for (unsigned j = 0; j <= i; j += 7) {
            assert_ptr_equal(map_find(&map, key_of(&items[j])), &items[j].entry);
        }
    }
    map_fini(&map);
    assert_int_equal(mem_held(), 0);
}

static void map__chains_stay_short_whatever_the_seed(void **state)
{
    static struct item items[ITEMS];

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        struct map map;
        size_t longest = 0;
        map_init(&map, ITEMS, (uint64_t[2]){i, ~i});
        for (unsigned j = 0; j < ITEMS; j++) {
            name(&items[j], j);
            assert_int_equal(map_add(&map, &items[j].entry, key_of(&items[j])), ERR_NONE);
        }
        for (size_t j = 0; j < map.buckets_count; j++) {
            size_t length = 0;
            for (const struct map_entry *at = map.buckets[j]; at != NULL; at = at->next) {
                length++;
            }
            longest = length > longest ? length : longest;
        }
        assert_in_range(longest, 1, 10);
        map_fini(&map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map__hashes_as_siphash_is_published),
        cmocka_unit_test(map__agrees_with_a_plain_array),
        cmocka_unit_test(map__has_a_ceiling),
        cmocka_unit_test(map__a_failed_growth_changes_nothing),
        cmocka_unit_test(map__chains_stay_short_whatever_the_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
