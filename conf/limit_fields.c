/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/limit_fields.h"

#include <string.h>

#include "base/money.h"
#include "base/text.h"
#include "conf/names.h"

enum { NAMES_MAX = 256 };

void limit_read_name(struct reader *reader, const struct node *node, const char *what,
                     struct span *name)
{
    if (reader_text(reader, node, name) && !name_is_plain(*name)) {
        complaint_help(reader_complain(reader, node->place, "is no name of a %s", what),
                       "1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", beginning with a letter or "
                       "digit");
    }
}

/* ---- scope ---- */

/* How many names a kind of scope has that stand elsewhere in the file; 0: its names are free. */
static size_t names_count(const struct routing *routing, enum scope_kind kind)
{
    return kind == SCOPE_PROVIDER ? routing->providers_count
           : kind == SCOPE_ROUTE  ? routing->routes_count
           : kind == SCOPE_TASK   ? routing->tasks_count
                                  : 0;
}

static struct span name_at(const struct routing *routing, enum scope_kind kind, size_t i)
{
    return kind == SCOPE_PROVIDER ? routing->providers[i].name
           : kind == SCOPE_ROUTE  ? routing->routes[i].name
                                  : routing->tasks[i].name;
}

/* A misspelt one would count for nobody. */
static void check_value(struct reader *reader, const struct node *node, const struct scope *scope)
{
    const struct routing *routing = &reader->snapshot->routing;
    bool is_free =
        scope->kind != SCOPE_PROVIDER && scope->kind != SCOPE_ROUTE && scope->kind != SCOPE_TASK;
    size_t count = names_count(routing, scope->kind);
    struct span names[NAMES_MAX];

    if (is_free || scope->value.len == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct span name = name_at(routing, scope->kind, i);

        if (span_equal(name, scope->value)) {
            return;
        }
        names[i < NAMES_MAX ? i : NAMES_MAX - 1] = name;
    }
    (void)complaint_suggest(
        reader_complain(reader, node->place, "names no %s of this file", scope_word(scope->kind)),
        scope->value, names, count < NAMES_MAX ? count : NAMES_MAX);
}

static void complain_of_scope(struct reader *reader, const struct node *node,
                              const struct limit_scopes *scopes, struct span text)
{
    struct complaint *complaint = reader_complain(reader, node->place, "%s", scopes->no);
    struct span words[SCOPE_KINDS];
    size_t count = 0;
    bool is_word = false;
    struct buf list;

    buf_init(&list, COMPLAINT_TEXT);
    text = span_cut(&text, ':');
    for (size_t i = 0; i < SCOPE_KINDS; i++) {
        if (scopes->has((enum scope_kind)i)) {
            words[count] = span_of(scope_word((enum scope_kind)i));
            is_word = is_word || span_equal(words[count], text);
            buf_put_text(&list, count == 0 ? "" : ", ");
            buf_put(&list, words[count++]);
        }
    }
    if (is_word) {
        complaint_help(complaint,
                       "write team, for each one apart, or team:growth, for that one; "
                       "%s stand alone",
                       scopes->alone);
    } else if (!complaint_suggest(complaint, text, words, count)) {
        complaint_help(complaint, "scopes: %.*s", SPAN_ARGS(buf_span(&list)));
    }
    buf_fini(&list);
}

void limit_read_scope(struct reader *reader, const struct node *node,
                      const struct limit_scopes *scopes, struct scope *scope)
{
    struct span text = {NULL, 0};

    if (!reader_text(reader, node, &text)) {
        return;
    }
    if (scope_read(text, scope) != ERR_NONE || !scopes->has(scope->kind)) {
        complain_of_scope(reader, node, scopes, text);
        return;
    }
    check_value(reader, node, scope);
}

/* ---- amounts ---- */

static enum err read_number(struct span text, const struct limit_unit *unit, int64_t *number)
{
    uint64_t count = 0;
    enum err err = ERR_NONE;

    if (unit->is_money) {
        err = money_read_nano(text, number);
    } else {
        err = text_read_u64(text, &count);
        *number = count > INT64_MAX ? INT64_MAX : (int64_t)count;
    }
    return err == ERR_NONE && (*number < 1 || *number > unit->max) ? ERR_RANGE : err;
}

bool limit_read_amount(struct reader *reader, const struct node *node,
                       const struct limit_units *units, size_t *unit, int64_t *amount)
{
    struct span text = {NULL, 0};
    struct span number = {NULL, 0};
    enum err err = ERR_FORMAT;

    if (!reader_text(reader, node, &text)) {
        return false;
    }
    number = span_cut(&text, ' ');
    for (size_t i = 0; i < units->count; i++) {
        if (span_equal(text, units->list[i].word)) {
            *unit = i;
            err = read_number(number, &units->list[i], amount);
        }
    }
    if (err == ERR_RANGE) {
        complaint_help(
            reader_complain(reader, node->place, "must be %s", units->list[*unit].range), "%s",
            units->form);
    } else if (err != ERR_NONE) {
        complaint_help(reader_complain(reader, node->place, "must be an amount with its unit"),
                       "%s", units->form);
    }
    return err == ERR_NONE;
}

/* ---- lists ---- */

static struct span name_of(const void *list, size_t size, size_t i)
{
    struct span name;

    memcpy(&name, (const char *)list + i * size, sizeof name);
    return name;
}

static void check_twice(struct reader *reader, const struct node *node,
                        const struct limit_list *kind, const void *list, size_t index)
{
    struct span name = name_of(list, kind->size, index);

    for (size_t i = 0; name.len > 0 && i < index; i++) {
        if (span_equal(name_of(list, kind->size, i), name)) {
            reader_complain(reader, node->place, "has the name of %s[%zu]", kind->word, i);
            return;
        }
    }
}

size_t limit_read_list(struct reader *reader, const struct node *node,
                       const struct limit_list *kind, void *to, void **items)
{
    struct path path;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_LIST) || node->count == 0) {
        return 0;
    }
    if (node->count > kind->max) {
        reader_complain(reader, node->place, "must be at most %zu %s", kind->max, kind->word);
        return 0;
    }
    *items = reader_take(reader, node->count * kind->size);
    if (*items == NULL) {
        return 0;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next, index++) {
        reader_enter(reader, &path, span_make(NULL, 0), index);
        kind->read(reader, child, index, (char *)*items + index * kind->size, to);
        check_twice(reader, child, kind, *items, index);
        reader_leave(reader);
    }
    return index;
}

void limit_complain_at(struct reader *reader, const struct node *node, const char *key,
                       const char *words, const char *help)
{
    const struct node *child = node_child(node, span_of(key));
    struct path path;

    reader_enter(reader, &path, span_of(key), 0);
    complaint_help(
        reader_complain(reader, child == NULL ? node->place : child->place, "%s", words), "%s",
        help);
    reader_leave(reader);
}
