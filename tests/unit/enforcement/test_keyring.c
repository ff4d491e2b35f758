/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring: whose a credential is and whether it holds, without and with the cache before it; and
 * what a known one costs, printed by `unit_enforcement_keyring --cost`. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/rng.h"
#include "enforcement/key_text.h"
#include "enforcement/keyring.h"

enum { NOW = 1000000 };
#define SECRET SPAN_OF("a secret of this test")

static struct digest digest_of(struct span text)
{
    struct digest_key key;
    struct digest digest;

    digest_key_init(&key, SECRET);
    digest_hmac(&key, text, &digest);
    return digest;
}

/* What each of the entries is, by its name. */
static struct keyring *ring_of(void)
{
    struct keyring *ring = keyring_new();
    const struct key_entry *twice = NULL;
    const struct key_entry entries[] = {
        {.caller = {.name = SPAN("good")}, .digest = digest_of(SPAN_OF("good key"))},
        {.caller = {.name = SPAN("revoked")},
         .digest = digest_of(SPAN_OF("revoked key")),
         .is_revoked = true},
        {.caller = {.name = SPAN("early")},
         .digest = digest_of(SPAN_OF("early key")),
         .not_before = NOW + 1},
        {.caller = {.name = SPAN("expired")},
         .digest = digest_of(SPAN_OF("expired key")),
         .expires = NOW},
        {.caller = {.name = SPAN("rotated")},
         .digest = digest_of(SPAN_OF("new key")),
         .previous = digest_of(SPAN_OF("old key")),
         .previous_until = NOW + 1},
    };

    assert_non_null(ring);
    ring->keys = arena_take(&ring->arena, sizeof entries);
    assert_non_null(ring->keys);
    memcpy(ring->keys, entries, sizeof entries);
    ring->count = ARRAY_LENGTH(entries);
    assert_int_equal(keyring_close(ring, SECRET, &twice), ERR_NONE);
    return ring;
}

static const struct {
    const char *text;
    wall_ms at;
    enum key_verdict verdict;
    const char *name; /* NULL: nobody's */
} table[] = {
    {"good key", NOW, KEY_GOOD, "good"},
    {"good key ", NOW, KEY_UNKNOWN, NULL},
    {"good ke", NOW, KEY_UNKNOWN, NULL},
    {"", NOW, KEY_UNKNOWN, NULL},
    {"hg_12345678_nothing of ours", NOW, KEY_MISTYPED, NULL},
    {"revoked key", NOW, KEY_REVOKED, "revoked"},
    {"early key", NOW, KEY_EARLY, "early"},
    {"early key", NOW + 1, KEY_GOOD, "early"},
    {"expired key", NOW, KEY_EXPIRED, "expired"},
    {"expired key", NOW - 1, KEY_GOOD, "expired"},
    {"new key", NOW, KEY_GOOD, "rotated"},
    {"old key", NOW, KEY_GOOD, "rotated"},
    {"old key", NOW + 1, KEY_EXPIRED, "rotated"},
};

static void expect(size_t row, enum key_verdict verdict, const struct key_entry *entry)
{
    if (verdict != table[row].verdict || (entry == NULL) != (table[row].name == NULL) ||
        (entry != NULL && !span_equal(entry->caller.name, span_of(table[row].name)))) {
        fail_msg("row %zu, \"%s\": %s", row, table[row].text, key_verdict_word(verdict));
    }
}

static void keyring__judges_each(void **state)
{
    size_t before = mem_held();
    struct keyring *ring = ring_of();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
        const struct key_entry *entry = NULL;
        enum key_verdict verdict =
            keyring_find(ring, span_of(table[i].text), table[i].at, &entry);

        expect(i, verdict, entry);
    }
    assert_ptr_equal(keyring_take(ring), ring);
    keyring_give(ring);
    keyring_give(ring);
    assert_int_equal(mem_held(), before);
}

/* In any order, so that what was good a moment ago is asked again when it is not. */
static void keyring__a_cache_changes_no_verdict(void **state)
{
    struct key_cache cache = {.seed = {1, 2}};
    struct rng rng;

    (void)state;
    rng_init(&rng, 5, 6);
    key_cache_use(&cache, ring_of());
    for (int n = 0; n < 5000; n++) {
        size_t i = rng_u64(&rng) % ARRAY_LENGTH(table);
        const struct key_entry *entry = NULL;
        enum key_verdict verdict =
            key_cache_find(&cache, span_of(table[i].text), table[i].at, &entry);

        expect(i, verdict, entry);
    }
    key_cache_use(&cache, NULL);
}

static void keyring__the_cache_forgets_with_its_ring(void **state)
{
    struct key_cache cache = {.seed = {1, 2}};
    struct keyring *empty = keyring_new();
    const struct key_entry *entry = NULL;

    (void)state;
    assert_non_null(empty);
    assert_int_equal(keyring_close(empty, SECRET, &entry), ERR_NONE);
    key_cache_use(&cache, ring_of());
    assert_int_equal(key_cache_find(&cache, SPAN_OF("good key"), NOW, &entry), KEY_GOOD);
    key_cache_use(&cache, empty);
    assert_int_equal(key_cache_find(&cache, SPAN_OF("good key"), NOW, &entry), KEY_UNKNOWN);
    assert_null(entry);
    key_cache_use(&cache, NULL);
}

/* Only what begins a key counts, but all of it: nothing longer is the same. */
static void keyring__no_long_credential_is_another_one(void **state)
{
    char text[8192];
    struct keyring *ring = ring_of();
    const struct key_entry *entry = NULL;
    const struct key_entry *twice = NULL;
    struct keyring *own = keyring_new();

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(keyring_find(ring, span_make(text, sizeof text), NOW, &entry), KEY_UNKNOWN);
    assert_non_null(own);
    own->keys = arena_take(&own->arena, sizeof *own->keys);
    own->keys[0] = (struct key_entry){.digest = digest_of(span_make(text, 1024))};
    own->count = 1;
    assert_int_equal(keyring_close(own, SECRET, &twice), ERR_NONE);
    assert_int_equal(keyring_find(own, span_make(text, 1024), NOW, &entry), KEY_GOOD);
    assert_int_equal(keyring_find(own, span_make(text, 1025), NOW, &entry), KEY_UNKNOWN);
    keyring_give(own);
    keyring_give(ring);
}

static void keyring__tells_of_a_digest_that_stands_there_twice(void **state)
{
    struct keyring *ring = keyring_new();
    const struct key_entry *twice = NULL;

    (void)state;
    assert_non_null(ring);
    ring->keys = arena_take(&ring->arena, 2 * sizeof *ring->keys);
    ring->keys[0] = (struct key_entry){.digest = digest_of(SPAN_OF("one"))};
    ring->keys[1] = (struct key_entry){.digest = digest_of(SPAN_OF("two")),
                                       .previous = digest_of(SPAN_OF("one")),
                                       .previous_until = 1};
    ring->count = 2;
    assert_int_equal(keyring_close(ring, SECRET, &twice), ERR_RANGE);
    assert_ptr_equal(twice, &ring->keys[1]);
    keyring_give(ring);
}

/* ---- what it costs ---- */

static uint64_t nanos(void)
{
    struct timespec at;

    (void)timespec_get(&at, TIME_UTC);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static void print_costs(void)
{
    enum { TIMES = 2000000 };
    unsigned char chance[KEY_CHANCE_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    char text[KEY_TEXT_LENGTH];
    static struct key_cache cache = {.seed = {1, 2}};
    struct keyring *ring = keyring_new();
    const struct key_entry *entry = NULL;
    unsigned good = 0;
    uint64_t began = 0;

    must(key_text_make(chance, text) && ring != NULL);
    ring->keys = arena_take(&ring->arena, sizeof *ring->keys);
    ring->keys[0] = (struct key_entry){.digest = digest_of(span_make(text, sizeof text))};
    ring->count = 1;
    must(keyring_close(ring, SECRET, &entry) == ERR_NONE);
    key_cache_use(&cache, ring);
    began = nanos();
    for (int i = 0; i < TIMES; i++) {
        good += key_cache_find(&cache, span_make(text, sizeof text), NOW + i, &entry) == KEY_GOOD;
    }
    (void)printf("known: %llu ns\n", (unsigned long long)((nanos() - began) / TIMES));
    began = nanos();
    for (int i = 0; i < TIMES / 10; i++) {
        good += keyring_find(ring, span_make(text, sizeof text), NOW + i, &entry) == KEY_GOOD;
    }
    (void)printf("by its digest: %llu ns\n",
                 (unsigned long long)((nanos() - began) / (TIMES / 10)));
    must(good == TIMES + TIMES / 10);
    key_cache_use(&cache, NULL);
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyring__judges_each),
        cmocka_unit_test(keyring__a_cache_changes_no_verdict),
        cmocka_unit_test(keyring__the_cache_forgets_with_its_ring),
        cmocka_unit_test(keyring__no_long_credential_is_another_one),
        cmocka_unit_test(keyring__tells_of_a_digest_that_stands_there_twice),
    };

    if (count > 1 && strcmp(words[1], "--cost") == 0) {
        print_costs();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
