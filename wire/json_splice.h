/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_splice.h: replace or insert a few spans of a document without touching the rest. */
#ifndef WIRE_JSON_SPLICE_H
#define WIRE_JSON_SPLICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Replace `cut` bytes at `at` by `put` (cut 0: insert). Owns nothing. */
struct json_edit {
    uint64_t at;
    uint64_t cut;
    struct span put;
};

enum { JSON_EDITS_MAX = 8, JSON_PIECES_MAX = 2 * JSON_EDITS_MAX + 1 };

/* The edited document as pieces in order, for one gathered write: edits sorted by `at`, not
 * overlapping, count <= JSON_EDITS_MAX. Returns the number of pieces; empty ones are left out. */
size_t json_splice(struct span document, const struct json_edit *edits, size_t count,
                   struct span pieces[JSON_PIECES_MAX]);

#endif
