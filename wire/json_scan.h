/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_scan.h: strict, incremental JSON validator (RFC 8259) and path finder. One pass, no
 * tree, no recursion: it says whether the document is good and where the watched values stand.
 * Checks UTF-8, depth, sizes, duplicate keys (by unescaped name) and trailing bytes. Heap is used
 * only for the duplicate table of large objects. */
#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "wire/json_value.h" /* what to do with a hit */

enum json_kind {
    JSON_ABSENT = 0,
    JSON_NULL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* A watched place: up to four steps from the root. A step "[]" is any item of an array (the last
 * item seen wins), any other step the unescaped name of a member. */
enum { JSON_PATH_STEPS = 4, JSON_PATHS_MAX = 32 };
struct json_path {
    uint8_t steps;
    uint8_t len[JSON_PATH_STEPS]; /* of each name: there are hundreds of paths, of 40 bytes so */
    const char *name[JSON_PATH_STEPS];
};
#define JSON_PATH1(a) {1, {sizeof(a) - 1, 0, 0, 0}, {a, 0, 0, 0}}
#define JSON_PATH2(a, b) {2, {sizeof(a) - 1, sizeof(b) - 1, 0, 0}, {a, b, 0, 0}}
#define JSON_PATH3(a, b, c)                                                                        \
    {                                                                                              \
        3, {sizeof(a) - 1, sizeof(b) - 1, sizeof(c) - 1, 0}, {a, b, c, 0}                          \
    }
#define JSON_PATH4(a, b, c, d)                                                                     \
    {                                                                                              \
        4, {sizeof(a) - 1, sizeof(b) - 1, sizeof(c) - 1, sizeof(d) - 1}, {a, b, c, d}              \
    }

static inline struct span json_path_step(const struct json_path *path, size_t step)
{
    return span_make(path->name[step], path->len[step]);
}

/* What was found at a path: `at`..`at+len` are the value's own bytes in the document, quotes and
 * brackets included; `count` the members or items of an array or object. Last one wins. */
struct json_hit {
    enum json_kind kind;
    uint32_t count;
    uint64_t at;
    uint64_t len;
};

enum json_fault {
    JSON_FAULT_NONE = 0,
    JSON_FAULT_SYNTAX,
    JSON_FAULT_UTF8,
    JSON_FAULT_DEEP,
    JSON_FAULT_LARGE,       /* members, or a key too long */
    JSON_FAULT_NUMBER_LONG,
    JSON_FAULT_DUPLICATE,
    JSON_FAULT_MEMORY
};
/* The stable code an app is told: "invalid_json", "invalid_utf8", "json_too_deep", ... */
const char *json_fault_code(enum json_fault fault);

struct json_scan_options {
    const struct json_path *paths; /* outlive the scan */
    size_t paths_count;            /* <= JSON_PATHS_MAX */
    bool paths_stay;               /* they are constants of the program: what they need is worked out once */
    uint64_t seed;                 /* for the duplicate table: not guessable by who sends the bytes */
    bool allow_duplicates;         /* answers of providers: no table is kept, last one wins */
};

struct json_scan; /* a scratch object of a few KiB: one per loop, used for one document at a time */

/* NULL when out of memory. */
MUST_CHECK struct json_scan *json_scan_new(void);
void json_scan_free(struct json_scan *scan);

/* Begins a document. `hits` has paths_count elements, is cleared here and filled as values end. */
void json_scan_begin(struct json_scan *scan, const struct json_scan_options *options,
                     struct json_hit *hits);
/* Reads the next piece; pieces may be split anywhere. False: bad, see json_scan_fault. */
MUST_CHECK bool json_scan_feed(struct json_scan *scan, struct span piece);
/* The document is over. False: bad or incomplete. */
MUST_CHECK bool json_scan_end(struct json_scan *scan);
enum json_fault json_scan_fault(const struct json_scan *scan);
/* Offset of the byte that proved the fault. */
uint64_t json_scan_offset(const struct json_scan *scan);
/* Whether the root value is already closed (only white space may still come). */
bool json_scan_is_complete(const struct json_scan *scan);

/* begin, feed, end in one: the usual way. */
MUST_CHECK bool json_scan_whole(struct json_scan *scan, const struct json_scan_options *options,
                                struct span document, struct json_hit *hits);

/* The bytes of a hit in its document. */
struct span json_hit_span(const struct json_hit *hit, struct span document);

#endif
