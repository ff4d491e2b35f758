/* SPDX-License-Identifier: Apache-2.0 */
/* wire/schema.h: JSON Schemas said by the rules of another grammar. One walk with a stack of its own: what a member
 * means depends on where it stands, since `properties` may have one that is called `type`. Each byte is passed over
 * once. As deep as documents may be; what is deeper stays as it is. Pure. */
#ifndef WIRE_SCHEMA_H
#define WIRE_SCHEMA_H

#include "base/arena.h"
#include "wire/json_out.h"
#include "wire/json_walk.h"

/* What is known of a schema before its members are written. */
enum schema_trait {
    SCHEMA_NULLABLE = 1, /* `nullable`: true */
    SCHEMA_TYPED = 2,
    SCHEMA_CONSTANT = 4, /* has `const` */
    SCHEMA_OBJECT = 8    /* may be an object: by its type, or by its properties */
};

struct schema_level {
    unsigned traits;
    bool *is_changed; /* of the whole schema */
};

/* How a member is said that holds no schemas: writes key and value, or leaves both out. */
typedef void schema_member_fn(struct json_out *out, const struct schema_level *level, struct span name,
                              struct span value);

struct schema_rules {
    schema_member_fn *member;             /* NULL: all as they stand */
    struct span (*key)(struct span name); /* its spelling there; NULL: the same */
    const struct span *left_out;          /* members that the other grammar does not have, with all that is in them */
    size_t left_out_count;
    bool closes_objects;                  /* "additionalProperties":false is put into each object */
    bool adds_null;                       /* null is one more alternative of what is nullable */
};

/* `schema` is an object. `is_changed` is set where something was left out or said otherwise; NULL: not asked for. */
void schema_rewrite(struct json_out *out, struct span schema, const struct schema_rules *rules, bool *is_changed);
/* The same into the arena; nothing without memory (the arena tells). */
struct span schema_respelled(struct arena *arena, struct span schema, const struct schema_rules *rules,
                             bool *is_changed);
/* Whether the schema, or an object in it, has the trait; true without memory, as schema_rewrite tells of that. */
bool schema_has(struct span schema, enum schema_trait trait);

#endif
