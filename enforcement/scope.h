/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/scope.h: whom a budget or a rate counts for, and whom a call counts for. A bare scope
 * ("team") counts for each team apart, "team:growth" for that one only. Plain data: everything
 * borrows. Pure. */
#ifndef ENFORCEMENT_SCOPE_H
#define ENFORCEMENT_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"

enum scope_kind {
#define SCOPE(NAME, word, help) SCOPE_##NAME,
#include "enforcement/scopes.def"
#undef SCOPE
    SCOPE_KINDS
};
const char *scope_word(enum scope_kind kind);
/* Whether callers that have nothing else to do with each other count for the same one. */
bool scope_is_shared(enum scope_kind kind);

struct scope {
    enum scope_kind kind;
    struct span value; /* that one only; empty: each one apart */
};

enum { SCOPE_VALUE_MAX = 256 }; /* bytes: the longest model name */

/* "team" or "team:growth"; the value borrows from the text. ERR_FORMAT: no such kind, or a colon with
 * nothing behind it, or a value after `global`, `trace` or `call`. ERR_RANGE: too long a value. */
MUST_CHECK enum err scope_read(struct span text, struct scope *scope);

/* Whom one attempt counts for: a value per kind, empty where it has none (a key without a user, a call
 * without a route). Of SCOPE_TAG a list with commas between, no blanks; of SCOPE_GLOBAL nothing. */
struct subject {
    struct span values[SCOPE_KINDS];
};

/* The next of the values under which the subject counts for the scope, one after the other: none, one,
 * or several (tags). *at begins with 0. False: no more. For SCOPE_GLOBAL there is one, and it is
 * empty. A tag that stands in the list twice counts once. */
bool scope_next(const struct scope *scope, const struct subject *subject, size_t *at,
                struct span *value);

/* Users and units of work are named by apps, and two teams may well use one name: with keys each team has
 * its own, "growth/alice". Room for those of one subject. */
struct scope_room {
    char user[SCOPE_VALUE_MAX];
    char trace[SCOPE_VALUE_MAX];
};
/* The value under which the subject is counted, of one that scope_next gave; may lie in the room. */
struct span scope_own(enum scope_kind kind, const struct subject *subject, struct span value,
                      struct scope_room *room);

#endif
