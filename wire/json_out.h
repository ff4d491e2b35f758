/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_out.h: append-only JSON writer onto a buf. Commas are its own business; nesting is the
 * caller's. Check buf.failed at the end. */
#ifndef WIRE_JSON_OUT_H
#define WIRE_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json_out {
    struct buf *buf;
    bool wants_comma;
};

void json_out_init(struct json_out *out, struct buf *buf);
void json_open_object(struct json_out *out);
void json_close_object(struct json_out *out);
void json_open_array(struct json_out *out);
void json_close_array(struct json_out *out);
void json_key(struct json_out *out, const char *key);
/* The same for a key that needs no escaping, as names of our own never do. */
void json_key_plain(struct json_out *out, struct span key);
/* Escaped; invalid UTF-8 becomes U+FFFD, so that the result is always valid JSON. */
void json_string(struct json_out *out, struct span text);
void json_text(struct json_out *out, const char *text);
void json_i64(struct json_out *out, int64_t number);
void json_bool(struct json_out *out, bool value);
void json_null(struct json_out *out);
/* Bytes that are JSON already. */
void json_raw(struct json_out *out, struct span json);
/* A whole member: JSON, or nothing at all where there is none; a text; and what stands without its quotes, as a
 * string. */
void json_member(struct json_out *out, const char *key, struct span json);
void json_member_text(struct json_out *out, const char *key, const char *text);
void json_member_inside(struct json_out *out, const char *key, struct span inside);
/* Only the escaping, without quotes and commas. */
void json_escape(struct buf *buf, struct span text);

#endif
