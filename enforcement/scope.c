/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/scope.h"

#include "base/must.h"

static const char *const words[] = {
#define SCOPE(NAME, word, help) word,
#include "enforcement/scopes.def"
#undef SCOPE
};
_Static_assert(ARRAY_LENGTH(words) == SCOPE_KINDS, "a word per kind");

const char *scope_word(enum scope_kind kind)
{
    return words[kind];
}

bool scope_is_shared(enum scope_kind kind)
{
    switch (kind) {
    case SCOPE_TEAM:
    case SCOPE_USER:
    case SCOPE_KEY:
    case SCOPE_TRACE:
    case SCOPE_CALL: return false;
    case SCOPE_GLOBAL:
    case SCOPE_TAG:
    case SCOPE_MODEL:
    case SCOPE_PROVIDER:
    case SCOPE_ROUTE:
    case SCOPE_TASK:
    case SCOPE_KINDS: break;
    }
    return true;
}

/* What lives only as long as its calls cannot be named beforehand. */
static bool takes_value(enum scope_kind kind)
{
    return kind != SCOPE_GLOBAL && kind != SCOPE_TRACE && kind != SCOPE_CALL;
}

enum err scope_read(struct span text, struct scope *scope)
{
    struct span rest = text;
    struct span word = span_cut(&rest, ':');
    bool has_value = word.len < text.len;

    if (has_value && rest.len > SCOPE_VALUE_MAX) {
        return ERR_RANGE;
    }
    for (size_t i = 0; i < SCOPE_KINDS; i++) {
        enum scope_kind kind = (enum scope_kind)i;

        if (span_equal(word, span_of(words[i]))) {
            if (has_value && (rest.len == 0 || !takes_value(kind))) {
                return ERR_FORMAT;
            }
            *scope = (struct scope){.kind = kind, .value = has_value ? rest : span_make(NULL, 0)};
            return ERR_NONE;
        }
    }
    return ERR_FORMAT;
}

/* Whether the tag at this place stood earlier in the list. */
static bool is_again(struct span list, size_t before, struct span tag)
{
    struct span head = span_make(list.at, before);

    while (head.len > 0) {
        if (span_equal(span_cut(&head, ','), tag)) {
            return true;
        }
    }
    return false;
}

/* *at: how many bytes of the list were looked at, plus one. */
static bool next_tag(const struct scope *scope, struct span list, size_t *at, struct span *value)
{
    size_t done = *at == 0 ? 0 : *at - 1;

    while (done < list.len) {
        struct span rest = span_make(list.at + done, list.len - done);
        struct span tag = span_cut(&rest, ',');
        size_t begin = done;

        done = list.len - rest.len;
        if (tag.len > 0 && (scope->value.len == 0 || span_equal(scope->value, tag)) &&
            !is_again(list, begin, tag)) {
            *at = done + 1;
            *value = tag;
            return true;
        }
    }
    *at = list.len + 1;
    return false;
}

bool scope_next(const struct scope *scope, const struct subject *subject, size_t *at,
                struct span *value)
{
    struct span own = subject->values[scope->kind];

    if (scope->kind == SCOPE_TAG) {
        return next_tag(scope, own, at, value);
    }
    if (*at > 0) {
        return false;
    }
    *at = 1;
    *value = own;
    if (scope->kind == SCOPE_GLOBAL) {
        *value = span_make(NULL, 0);
        return true;
    }
    return own.len > 0 && (scope->value.len == 0 || span_equal(scope->value, own));
}

struct span scope_own(enum scope_kind kind, const struct subject *subject, struct span value,
                      struct scope_room *room)
{
    struct span team = subject->values[SCOPE_TEAM];
    char *at = kind == SCOPE_USER ? room->user : room->trace;
    size_t len = 0;

    if ((kind != SCOPE_USER && kind != SCOPE_TRACE) || subject->values[SCOPE_KEY].len == 0) {
        return value;
    }
    /* What is too long shares a counter with what begins alike, in its own team. */
    for (size_t i = 0; i < team.len && len < SCOPE_VALUE_MAX - 1; i++) {
        at[len++] = team.at[i];
    }
    at[len++] = '/';
    for (size_t i = 0; i < value.len && len < SCOPE_VALUE_MAX; i++) {
        at[len++] = value.at[i];
    }
    return span_make(at, len);
}
