/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/chat.h"

#include "wire/json_walk.h"

enum {
    NAME_SHOWN_MAX = 64, /* bytes of an app's own name that are told */
    SHOWN_MAX = 128      /* the same, with what stands in front of it */
};

void chat_init(struct chat *chat, struct arena *arena, struct json_scan *scan, bool is_strict)
{
    *chat = (struct chat){.arena = arena, .scan = scan, .parallel = -1, .is_strict = is_strict};
    chat->params.cap = -1;
    chat->params.answers = 1;
    chat->params.thinking_budget = -1;
    chat->params.format_strict = -1;
}

/* ---- what is lost ---- */

bool chat_is_refused(const struct chat *chat)
{
    return chat->refused.param != NULL;
}

void chat_refuse_one(struct chat *chat, const char *param, const char *why, struct span which)
{
    which = chat_inside(which);
    if (!chat_is_refused(chat)) {
        which.len = which.len < NAME_SHOWN_MAX ? which.len : NAME_SHOWN_MAX;
        chat->refused = (struct chat_refused){.param = param, .why = why, .which = which};
    }
}

void chat_refuse(struct chat *chat, const char *param, const char *why)
{
    chat_refuse_one(chat, param, why, span_make(NULL, 0));
}

/* `param` ends in NUL. */
static void lose(struct chat *chat, struct span param, bool is_changed)
{
    struct chat_dropped **at = &chat->dropped;
    size_t count = 0;

    if (chat->is_strict) {
        chat_refuse(chat, param.at, "The route's translate: strict allows no loss");
        return;
    }
    for (; *at != NULL; at = &(*at)->next) {
        if (span_equal((*at)->name, param)) {
            return;
        }
        if (++count == CHAT_DROPPED_MAX) {
            chat->dropped_more = true;
            return;
        }
    }
    *at = arena_take(chat->arena, sizeof **at);
    if (*at != NULL) {
        **at = (struct chat_dropped){.name = param, .is_changed = is_changed};
    }
}

void chat_drop(struct chat *chat, const char *param)
{
    lose(chat, span_of(param), false);
}

void chat_change(struct chat *chat, const char *param)
{
    lose(chat, span_of(param), true);
}

/* ---- members ---- */

static bool is_said(struct span value)
{
    return value.len > 0 && !span_equal(value, SPAN_OF("null"));
}

static bool is_harmless(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* An app's own name goes into a header of ours: only what is harmless there, and not much of it. */
static struct span shown(char room[SHOWN_MAX], const char *where, struct span name)
{
    struct span prefix = span_of(where);
    size_t len = name.len < NAME_SHOWN_MAX ? name.len : NAME_SHOWN_MAX;

    prefix.len = prefix.len < SHOWN_MAX - NAME_SHOWN_MAX ? prefix.len : SHOWN_MAX - NAME_SHOWN_MAX;
    memcpy(room, prefix.at, prefix.len);
    for (size_t i = 0; i < len; i++) {
        room[prefix.len + i] = is_harmless(name.at[i]) ? name.at[i] : '?';
    }
    return span_make(room, prefix.len + len);
}

/* Whether one more mention says nothing new. */
static bool is_told(const struct chat *chat, struct span param)
{
    const struct chat_dropped *one = chat->dropped;

    while (one != NULL && !span_equal(one->name, param)) {
        one = one->next;
    }
    return one != NULL || chat->dropped_more || chat_is_refused(chat);
}

/* A request may hold a million of them: only those that are told take memory. */
static void judge(struct chat *chat, const struct chat_fields *fields, struct span name, enum chat_mark mark)
{
    char room[SHOWN_MAX];
    struct span param;

    if (mark == CHAT_CARRIED || mark == CHAT_QUIET) {
        return;
    }
    param = shown(room, fields->where, name);
    if (is_told(chat, param) && (mark == CHAT_NAMED || chat_is_refused(chat))) {
        return;
    }
    param = arena_copy(chat->arena, param);
    if (param.at == NULL) {
        return;
    }
    if (mark == CHAT_NAMED) {
        lose(chat, param, false);
    } else {
        chat_refuse(chat, param.at, "No target of the other dialect has it");
    }
}

/* Names of members are short, but for hostile ones: those are none of ours. */
static struct span plain_name(struct chat *chat, struct span raw)
{
    struct span inside = chat_inside(raw);

    return memchr(inside.at, '\\', inside.len) == NULL ? inside : chat_plain(chat, raw);
}

static struct span field_name(const struct chat_field *field)
{
    return span_make(field->name, field->len);
}

static bool is_named(const struct chat_field *field, struct span name)
{
    return span_equal(field_name(field), name);
}

static void take_members(struct chat *chat, const struct chat_fields *fields, struct json_walk *walk,
                         struct span *values)
{
    struct span raw;
    struct span value;

    while (json_walk_member(walk, &raw, &value)) {
        struct span name = plain_name(chat, raw);
        size_t i = 0;

        if (!is_said(value)) {
            continue;
        }
        while (i < fields->count && !is_named(&fields->list[i], name)) {
            i++;
        }
        if (i < fields->count && fields->list[i].mark == CHAT_CARRIED) {
            values[i] = value;
        } else {
            judge(chat, fields, name, i < fields->count ? (enum chat_mark)fields->list[i].mark : CHAT_NAMED);
        }
    }
}

void chat_spare(struct chat *chat, const struct chat_fields *fields, const struct span *values, uint32_t used)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (values[i].len > 0 && (used >> i & 1) == 0) {
            judge(chat, fields, field_name(&fields->list[i]), CHAT_NAMED);
        }
    }
}

static unsigned type_of(struct span value)
{
    switch (*value.at) {
    case '"': return CHAT_IS_STRING;
    case '{': return CHAT_IS_OBJECT;
    case '[': return CHAT_IS_ARRAY;
    case 't':
    case 'f': return CHAT_IS_BOOL;
    default: return CHAT_IS_NUMBER;
    }
}

void chat_expect(struct chat *chat, const struct chat_fields *fields, struct span *values,
                 const struct chat_expected *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct span *value = &values[expected[i].row];

        if (value->len > 0 && (type_of(*value) & expected[i].types) == 0) {
            judge(chat, fields, field_name(&fields->list[expected[i].row]), CHAT_NAMED);
            *value = span_make(NULL, 0);
        }
    }
}

void chat_take(struct chat *chat, const struct chat_fields *fields, struct span object, struct span *values)
{
    struct json_walk walk = json_walk_of(object);

    memset(values, 0, fields->count * sizeof *values);
    if (json_is_object(object)) {
        take_members(chat, fields, &walk, values);
    }
}

bool chat_take_next(struct chat *chat, const struct chat_fields *fields, struct json_walk *walk, struct span *values)
{
    struct json_walk inner;

    memset(values, 0, fields->count * sizeof *values);
    if (!json_walk_enter(walk, &inner)) {
        return false;
    }
    take_members(chat, fields, &inner, values);
    json_walk_leave(walk, &inner);
    return true;
}

/* ---- turns and parts ---- */

struct chat_turn *chat_turn(struct chat *chat, enum chat_role role)
{
    struct chat_turn *turn = chat->last;

    if (turn != NULL && turn->role == role) {
        return turn;
    }
    if (turn != NULL && turn->parts == NULL) {
        /* Nothing was said in it: it may be somebody else's, or belong to the turn before it. */
        if (chat->before_last != NULL && chat->before_last->role == role) {
            chat->before_last->next = NULL;
            chat->last = chat->before_last;
            chat->before_last = NULL; /* not needed: this one has parts */
            return chat->last;
        }
        turn->role = role;
        return turn;
    }
    turn = arena_take(chat->arena, sizeof *turn);
    if (turn == NULL) {
        return NULL;
    }
    turn->role = role;
    if (chat->last == NULL) {
        chat->turns = turn;
    } else {
        chat->last->next = turn;
    }
    chat->before_last = chat->last;
    chat->last = turn;
    return turn;
}

static struct chat_part *add(struct chat *chat, struct chat_part **first, struct chat_part **last,
                             enum chat_part_kind kind)
{
    struct chat_part *part = arena_take(chat->arena, sizeof *part);

    if (part == NULL) {
        return NULL;
    }
    part->kind = kind;
    if (*last == NULL) {
        *first = part;
    } else {
        (*last)->next = part;
    }
    *last = part;
    return part;
}

struct chat_part *chat_add_part(struct chat *chat, struct chat_turn *turn, enum chat_part_kind kind)
{
    struct chat_part *part = NULL;

    if (turn == NULL) {
        return NULL;
    }
    part = add(chat, &turn->parts, &turn->last, kind);
    if (kind == CHAT_CALL && ++turn->calls <= CHAT_CALLS_MAX) {
        chat->calls[turn->calls - 1] = part;
        chat->calls_turn = turn;
    }
    return part;
}

struct chat_part *chat_add_inner(struct chat *chat, struct chat_part *result, enum chat_part_kind kind)
{
    return result == NULL ? NULL : add(chat, &result->inner, &result->inner_last, kind);
}

void chat_add_text(struct chat *chat, struct chat_turn *turn, struct span text)
{
    struct chat_part *part = NULL;

    if (chat_inside(text).len > 0) {
        part = chat_add_part(chat, turn, CHAT_TEXT);
        if (part != NULL) {
            part->text = text;
        }
    }
}

void chat_finish(struct chat *chat)
{
    if (chat->last != NULL && chat->last->parts == NULL) {
        if (chat->before_last == NULL) {
            chat->turns = NULL;
        } else {
            chat->before_last->next = NULL;
        }
        chat->last = chat->before_last;
        chat->before_last = NULL;
    }
}

struct chat_tool *chat_add_tool(struct chat *chat)
{
    struct chat_tool *tool = arena_take(chat->arena, sizeof *tool);

    if (tool == NULL) {
        return NULL;
    }
    tool->strict = -1;
    if (chat->tools_last == NULL) {
        chat->tools = tool;
    } else {
        chat->tools_last->next = tool;
    }
    chat->tools_last = tool;
    return tool;
}

void chat_add_word(struct chat *chat, struct chat_words *list, struct span text)
{
    struct chat_word *word = arena_take(chat->arena, sizeof *word);

    if (word == NULL) {
        return;
    }
    word->text = text;
    if (list->last == NULL) {
        list->first = word;
    } else {
        list->last->next = word;
    }
    list->last = word;
    list->count++;
}

bool chat_has(const struct chat *chat, enum chat_part_kind kind)
{
    for (const struct chat_turn *turn = chat->turns; turn != NULL; turn = turn->next) {
        for (const struct chat_part *part = turn->parts; part != NULL; part = part->next) {
            if (part->kind == kind) {
                return true;
            }
        }
    }
    return false;
}

static void put_results_first(struct chat_turn *turn)
{
    struct chat_part *results = NULL;
    struct chat_part *others = NULL;
    struct chat_part **result = &results;
    struct chat_part **other = &others;
    struct chat_part *last_other = NULL;

    for (struct chat_part *part = turn->parts; part != NULL; part = part->next) {
        if (part->kind == CHAT_RESULT) {
            *result = turn->last = part;
            result = &part->next;
        } else {
            *other = last_other = part;
            other = &part->next;
        }
    }
    *other = NULL;
    *result = others;
    turn->parts = results;
    turn->last = last_other != NULL ? last_other : turn->last;
}

void chat_put_results_first(struct chat *chat)
{
    for (struct chat_turn *turn = chat->turns; turn != NULL; turn = turn->next) {
        if (turn->role == CHAT_USER) {
            put_results_first(turn);
        }
    }
}

const struct chat_part *chat_call_of(const struct chat *chat, struct span id)
{
    const struct chat_turn *turn = chat->last;

    if (turn != NULL && turn->role != CHAT_MODEL) {
        turn = chat->before_last;
    }
    for (uint32_t i = 0; turn != NULL && turn == chat->calls_turn && i < turn->calls && i < CHAT_CALLS_MAX; i++) {
        if (chat->calls[i] != NULL && span_equal(chat->calls[i]->id, id)) {
            return chat->calls[i];
        }
    }
    return NULL;
}
