/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/key_text.h"

#include "base/crc32c.h"

enum { LETTERS = 62, FAIR = 256 / LETTERS * LETTERS };

static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void put_sum(char text[KEY_TEXT_LENGTH])
{
    size_t at = KEY_TEXT_LENGTH - KEY_SUM_LENGTH;
    uint32_t sum = crc32c(span_make(text, at));

    for (; at < KEY_TEXT_LENGTH; at++) {
        text[at] = letters[sum % LETTERS];
        sum /= LETTERS;
    }
}

bool key_text_make(const unsigned char chance[KEY_CHANCE_BYTES], char text[KEY_TEXT_LENGTH])
{
    size_t at = KEY_ID_AT;

    memcpy(text, "hg_", KEY_ID_AT);
    for (size_t i = 0; i < KEY_CHANCE_BYTES && at < KEY_TEXT_LENGTH - KEY_SUM_LENGTH; i++) {
        if (at == KEY_ID_AT + KEY_ID_LENGTH) {
            text[at++] = '_';
        }
        if (chance[i] < FAIR) {
            text[at++] = letters[chance[i] % LETTERS];
        }
    }
    put_sum(text);
    return at == KEY_TEXT_LENGTH - KEY_SUM_LENGTH;
}

enum key_shape key_text_shape(struct span text)
{
    char whole[KEY_TEXT_LENGTH];

    if (!span_starts(text, SPAN_OF("hg_"))) {
        return KEY_SHAPE_FOREIGN;
    }
    if (text.len != KEY_TEXT_LENGTH || text.at[KEY_ID_AT + KEY_ID_LENGTH] != '_') {
        return KEY_SHAPE_MISTYPED;
    }
    memcpy(whole, text.at, sizeof whole);
    put_sum(whole);
    return span_equal(text, span_make(whole, sizeof whole)) ? KEY_SHAPE_WHOLE : KEY_SHAPE_MISTYPED;
}

struct span key_text_id(struct span text)
{
    return span_make(text.at + KEY_ID_AT, KEY_ID_LENGTH);
}
