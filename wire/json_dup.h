/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_dup.h: has an object of the document under way this name already? Names are kept as
 * seeded 64-bit hashes on one stack, since the names of an inner object come between two of an
 * outer one and are gone when it closes. Objects of up to JSON_DUP_LINEAR names are searched from
 * end to end; larger ones also stand in one open-addressing table. The stack begins inside the
 * struct; past JSON_DUP_FIXED names the heap is used, for LIMIT_JSON_MEMBERS names 24 MiB (8 for
 * the stack, 16 for the table) and up to 8 more while growing. The struct must not be moved. */
#ifndef WIRE_JSON_DUP_H
#define WIRE_JSON_DUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum { JSON_DUP_FIXED = 256, JSON_DUP_LINEAR = 16 };

struct json_dup {
    uint64_t key[3]; /* from the seed */
    uint64_t *names; /* the stack; the lowest bit tells who also stands in the table */
    size_t names_count;
    size_t names_cap;
    uint64_t *slots;  /* the table; 0 is free */
    size_t slots_cap; /* a power of two, or 0 */
    size_t slots_used;
    uint64_t fixed[JSON_DUP_FIXED];
};

/* One open object: kept by the caller. */
struct json_dup_object {
    uint32_t first; /* of its names, on the stack */
    bool is_tabled;
};

enum json_dup_answer { JSON_DUP_NEW, JSON_DUP_SEEN, JSON_DUP_NO_MEMORY };

/* For a document; what an earlier one took is given back first. */
void json_dup_begin(struct json_dup *dup, uint64_t seed);
/* Gives the heap back. Safe on a zeroed one, and twice. */
void json_dup_fini(struct json_dup *dup);

static inline struct json_dup_object json_dup_open(const struct json_dup *dup)
{
    return (struct json_dup_object){.first = (uint32_t)dup->names_count};
}
/* `depth` tells the open objects apart; `name` is unescaped. */
enum json_dup_answer json_dup_add(struct json_dup *dup, struct json_dup_object *object,
                                  size_t depth, struct span name);
/* Objects close in the reverse order of their opening. */
void json_dup_close(struct json_dup *dup, const struct json_dup_object *object);

#endif
