/* SPDX-License-Identifier: Apache-2.0 */
/* wire/json_walk.h: members and items of a document that json_scan has accepted, one after the
 * other, without a tree. Values are views of the document. Other bytes than those of an accepted
 * document may break a claim (must.h). */
#ifndef WIRE_JSON_WALK_H
#define WIRE_JSON_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

enum { JSON_NAME_MAX = 64 }; /* bytes of an escaped name that can be one of ours */

struct json_walk {
    const char *at;
    const char *end;
};

/* The value of a whole document, without the blanks around it; those are in no other value. */
struct span json_walk_document(struct span text);
/* Over an object or an array (its bytes, brackets included); anything else has nothing in it. */
struct json_walk json_walk_of(struct span container);
/* The next member: its name with the quotes, and its value. False: there is none. */
bool json_walk_member(struct json_walk *walk, struct span *name, struct span *value);
/* The next item. False: there is none. */
bool json_walk_item(struct json_walk *walk, struct span *value);
/* The same for whoever goes down into values without skipping them first, which on each level anew would cost the depth
 * times the size. The next member's name, or item (`name` NULL): the walk stands at the first byte of its value, which
 * is `first`. Then comes json_walk_skip, or json_walk_into and, when the inner walk has found its end, json_walk_leave. */
bool json_walk_stop(struct json_walk *walk, struct span *name, char *first);
struct span json_walk_skip(struct json_walk *walk);
struct json_walk json_walk_into(const struct json_walk *walk);
void json_walk_leave(struct json_walk *walk, const struct json_walk *inner);
/* Goes into the next item if it is an object; anything else is skipped and has no members: there is nothing to leave
 * then, and json_walk_leave does nothing. False: there is no item. */
bool json_walk_enter(struct json_walk *walk, struct json_walk *inner);
/* A member's name (with the quotes) without its escapes, in `room` where it has any; empty if that is too small. */
struct span json_walk_name(struct span raw, char room[JSON_NAME_MAX]);
/* The values of these members, in one pass; an absent one is empty. */
void json_walk_pick(struct span object, const char *const *names, size_t count,
                    struct span *values);
/* The same of the next item, without a pass of its own to its end; of one that is no object nothing. False: there is no
 * item. */
bool json_walk_pick_next(struct json_walk *walk, const char *const *names, size_t count, struct span *values);
/* The first member of that name in the next item, which is still the next one afterwards. For what mostly stands
 * first: the type, by which one knows what else to look for. */
struct span json_walk_ahead(const struct json_walk *walk, const char *name);
/* The value of one member, or nothing. */
struct span json_walk_find(struct span object, const char *name);

/* Whether a value is a whole string, an object, an array, the string `text`. */
bool json_is_string(struct span value);
bool json_is_object(struct span value);
bool json_is_array(struct span value);
bool json_is_text(struct span value, const char *text);
/* Whether a member is called `name`, however its name is spelled. */
bool json_is_name(struct span raw, const char *name);

#endif
