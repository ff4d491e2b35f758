/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_key.h: the name of a member, from behind its opening quote. A name that comes whole and
 * without escapes is a view of the bytes fed; any other is gathered and unescaped here. */
#ifndef WIRE_JSON_KEY_H
#define WIRE_JSON_KEY_H

#include <stddef.h>

#include "base/limits.h"
#include "base/span.h"
#include "wire/json_text.h"

struct json_key {
    struct json_text text;
    size_t len; /* gathered so far */
    char bytes[LIMIT_JSON_KEY];
};

enum json_key_end {
    JSON_KEY_MORE,   /* all bytes are taken, the key goes on */
    JSON_KEY_CLOSED, /* the place returned is that of the closing quote; `name` is set */
    JSON_KEY_BAD_SYNTAX,
    JSON_KEY_BAD_UTF8,
    JSON_KEY_LONG /* ... of the byte that makes it longer than LIMIT_JSON_KEY, as written */
};

void json_key_init(struct json_key *key);
/* Reads from `p` on, at most up to `end`. `name` is valid until the next call. */
const char *json_key_read(struct json_key *key, const char *p, const char *end,
                          enum json_key_end *how, struct span *name);

#endif
