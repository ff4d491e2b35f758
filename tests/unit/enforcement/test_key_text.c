/* SPDX-License-Identifier: Apache-2.0 */
/* How keys are spelt: chance becomes letters fairly, and every single typo shows. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/must.h"
#include "base/rng.h"
#include "enforcement/key_text.h"

static void make(struct rng *rng, char text[KEY_TEXT_LENGTH])
{
    unsigned char chance[KEY_CHANCE_BYTES];

    for (size_t i = 0; i < sizeof chance; i++) {
        chance[i] = (unsigned char)rng_u64(rng);
    }
    assert_true(key_text_make(chance, text));
}

static void key_text__is_whole_as_it_was_made(void **state)
{
    struct rng rng;
    char text[KEY_TEXT_LENGTH];

    (void)state;
    rng_init(&rng, 1, 2);
    for (int i = 0; i < 1000; i++) {
        make(&rng, text);
        assert_int_equal(key_text_shape(span_make(text, sizeof text)), KEY_SHAPE_WHOLE);
        assert_int_equal(key_text_id(span_make(text, sizeof text)).len, KEY_ID_LENGTH);
        assert_memory_equal(text, "hg_", 3);
        assert_int_equal(text[11], '_');
    }
}

static void key_text__every_typo_shows(void **state)
{
    struct rng rng;
    char text[KEY_TEXT_LENGTH + 1] = "";
    struct span whole = span_make(text, KEY_TEXT_LENGTH);

    (void)state;
    rng_init(&rng, 3, 4);
    make(&rng, text);
    for (size_t i = 3; i < KEY_TEXT_LENGTH; i++) {
        for (int c = 0; c < 256; c++) {
            char kept = text[i];

            text[i] = (char)c;
            assert_int_equal(key_text_shape(whole),
                             (char)c == kept ? KEY_SHAPE_WHOLE : KEY_SHAPE_MISTYPED);
            text[i] = kept;
        }
    }
    for (size_t i = 12; i + 1 < KEY_TEXT_LENGTH; i++) {
        char a = text[i];
        char b = text[i + 1];

        text[i] = b;
        text[i + 1] = a;
        assert_int_equal(key_text_shape(whole), a == b ? KEY_SHAPE_WHOLE : KEY_SHAPE_MISTYPED);
        text[i] = a;
        text[i + 1] = b;
    }
    for (size_t length = 3; length < KEY_TEXT_LENGTH; length++) {
        assert_int_equal(key_text_shape(span_make(text, length)), KEY_SHAPE_MISTYPED);
    }
    text[KEY_TEXT_LENGTH] = 'x';
    assert_int_equal(key_text_shape(span_make(text, KEY_TEXT_LENGTH + 1)), KEY_SHAPE_MISTYPED);
    assert_int_equal(key_text_shape(SPAN_OF("")), KEY_SHAPE_FOREIGN);
    assert_int_equal(key_text_shape(SPAN_OF("hg")), KEY_SHAPE_FOREIGN);
}

/* Chance is used up where a byte would favour the first letters. */
static void key_text__chance_is_fair(void **state)
{
    unsigned char chance[KEY_CHANCE_BYTES];
    char text[KEY_TEXT_LENGTH];

    (void)state;
    memset(chance, 248, sizeof chance);
    assert_false(key_text_make(chance, text));
    memset(chance, 247, sizeof chance);
    assert_true(key_text_make(chance, text));
    assert_int_equal(text[3], 'z');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_text__is_whole_as_it_was_made),
        cmocka_unit_test(key_text__every_typo_shows),
        cmocka_unit_test(key_text__chance_is_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
