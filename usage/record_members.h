/* SPDX-License-Identifier: Apache-2.0 */
/* usage/record_members.h: the members of a record's line, in their order. Shared by the writer and
 * the reader of lines alone. */
#ifndef USAGE_RECORD_MEMBERS_H
#define USAGE_RECORD_MEMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "usage/record.h"

/* Figures first. */
enum record_member_kind {
    MEMBER_NUMBER,
    MEMBER_DECIMAL,
    MEMBER_TIME,
    MEMBER_TRUTH,
    MEMBER_TOKENS,
    MEMBER_FEE,
    MEMBER_TEXT,
    MEMBER_LIST,
    MEMBER_FLAGS,
    MEMBER_RAW
};

enum {
    RECORD_KEY_SIZE = 32,
    RECORD_MEMBERS = RECORD_TEXTS + RECORD_NUMBERS + TOKEN_CLASSES + FEE_KINDS + 2,
    RECORD_TAIL = sizeof "\"crc\":\"00000000\"}" - 1 /* without the comma in front */
};

struct record_member {
    char key[RECORD_KEY_SIZE]; /* `,"name":`; copied whole because that is one move */
    uint8_t key_len;
    uint8_t kind;  /* enum record_member_kind */
    uint8_t index; /* in the record's array of that kind */
};

extern const struct record_member record_members[RECORD_MEMBERS];
extern const struct span record_flag_names[RECORD_FLAGS];
/* Of this name; 0: none has it. */
uint32_t record_flag_bit(struct span name);

#endif
