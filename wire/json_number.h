/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_number.h: the bytes of a JSON number, incremental. The number stays text: nothing here
 * knows its value, so nothing is rounded. */
#ifndef WIRE_JSON_NUMBER_H
#define WIRE_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* What has been read so far. */
enum json_number_place {
    JSON_NUMBER_START = 0,
    JSON_NUMBER_MINUS,
    JSON_NUMBER_ZERO,
    JSON_NUMBER_WHOLE,
    JSON_NUMBER_POINT,
    JSON_NUMBER_FRACTION,
    JSON_NUMBER_E,
    JSON_NUMBER_SIGN,
    JSON_NUMBER_EXPONENT
};

struct json_number {
    enum json_number_place place;
    size_t length;
};

enum json_number_end {
    JSON_NUMBER_MORE,   /* all bytes are taken, more may come */
    JSON_NUMBER_CLOSED, /* the place returned is that of the first byte behind the number */
    JSON_NUMBER_BAD,    /* ... of a byte that may not stand there */
    JSON_NUMBER_LONG    /* ... of the byte that makes it longer than LIMIT_JSON_NUMBER */
};

void json_number_init(struct json_number *number);
/* A short cut for the digits of a whole number at `p` whose end is there too: the first byte behind
 * them. `p` itself for every other number, to be read as below. */
const char *json_number_skip_whole(const char *p, const char *end);
/* Reads from `p` on, at most up to `end`; says in `how` why it stopped. */
const char *json_number_read(struct json_number *number, const char *p, const char *end,
                             enum json_number_end *how);
/* Whether what was read is a number if nothing follows. */
bool json_number_is_whole(const struct json_number *number);

#endif
