/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/key_text.h: how a caller's key is spelt: "hg_", 8 letters that may be shown, "_", 28 letters of
 * chance (166 bits), 6 letters of a checksum over all before them. The checksum tells a typo from a
 * wrong key, and keeps nobody out. Pure: chance comes in. */
#ifndef ENFORCEMENT_KEY_TEXT_H
#define ENFORCEMENT_KEY_TEXT_H

#include <stdbool.h>

#include "base/span.h"

enum {
    KEY_ID_AT = 3,
    KEY_ID_LENGTH = 8,
    KEY_CHANCE_LETTERS = 28,
    KEY_SUM_LENGTH = 6,
    KEY_TEXT_LENGTH = KEY_ID_AT + KEY_ID_LENGTH + 1 + KEY_CHANCE_LETTERS + KEY_SUM_LENGTH,
    KEY_CHANCE_BYTES = 96 /* as good as always enough for key_text_make */
};

enum key_shape {
    KEY_SHAPE_FOREIGN,  /* does not begin like one of ours */
    KEY_SHAPE_MISTYPED, /* begins so, but is no whole one */
    KEY_SHAPE_WHOLE
};

/* Each letter is as likely as any other. False: too many of the bytes had to be thrown away. */
bool key_text_make(const unsigned char chance[KEY_CHANCE_BYTES], char text[KEY_TEXT_LENGTH]);
enum key_shape key_text_shape(struct span text);
/* The letters that may be shown, of a whole key. */
struct span key_text_id(struct span text);

#endif
