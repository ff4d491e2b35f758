/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the tree into objects, by their field tables; complaints carry the path so far. */
#include "conf/reader.h"

#include <string.h>

#include "base/format.h"
#include "base/secret.h"
#include "base/suggest.h"
#include "conf/expand.h"

enum { PATH_MAX_PARTS = 16, EXPANDED_MAX = 4 * 1024 * 1024, LIST_TEXT = 1024, UNKNOWN_SHOWN = 10 };

/* ---- complaints ---- */

static void put_path(const struct path *path, struct buf *out)
{
    const struct path *parts[PATH_MAX_PARTS];
    size_t count = 0;
    char quoted[QUOTE_SIZE];

    for (; path != NULL && count < PATH_MAX_PARTS; path = path->up) {
        parts[count++] = path;
    }
    for (size_t i = count; i > 0; i--) {
        if (parts[i - 1]->name.at == NULL) {
            buf_put_char(out, '[');
            buf_put_u64(out, parts[i - 1]->index);
            buf_put_char(out, ']');
            continue;
        }
        buf_put_text(out, i == count ? "" : ".");
        buf_put_text(out, complaint_quote(parts[i - 1]->name, quoted));
    }
}

struct complaint *reader_complain(struct reader *reader, struct place place, const char *format,
                                  ...)
{
    char words[COMPLAINT_TEXT];
    struct complaint *complaint = NULL;
    struct buf path;
    va_list args;

    va_start(args, format);
    format_cut(words, sizeof words, format, args);
    va_end(args);
    buf_init(&path, COMPLAINT_TEXT);
    put_path(reader->path, &path);
    complaint =
        complaint_add(reader->complaints, place.line, place.column, place.width, "%.*s%s%s",
                      (int)path.len, path.len == 0 ? "" : path.at, path.len == 0 ? "" : " ", words);
    buf_fini(&path);
    return complaint;
}

void reader_hide(struct reader *reader, const struct node *node)
{
    complaint_hide(reader->complaints, node->extent);
}

void *reader_take(struct reader *reader, size_t size)
{
    void *at = arena_take(reader->arena, size);

    reader->has_no_memory = reader->has_no_memory || at == NULL;
    return at;
}

void reader_enter(struct reader *reader, struct path *path, struct span name, size_t index)
{
    *path = (struct path){.up = reader->path, .name = name, .index = index};
    reader->path = path;
}

void reader_leave(struct reader *reader)
{
    reader->path = reader->path->up;
}

/* ---- mappings ---- */

bool reader_expects(struct reader *reader, const struct node *node, enum node_kind kind)
{
    if (node->kind == kind) {
        return true;
    }
    if (node->kind == NODE_TEXT && node->text.len == 0) {
        reader_complain(reader, node->key_place, "is empty, but must be %s", node_kind_text(kind));
        return false;
    }
    reader_complain(reader, node->place, "must be %s, not %s", node_kind_text(kind),
                    node_kind_text(node->kind));
    return false;
}

static void complain_unknown(struct reader *reader, const struct node *child,
                             const struct field_table *table)
{
    const struct field *near = NULL;
    struct complaint *complaint = NULL;
    char quoted[QUOTE_SIZE];
    struct buf where;
    struct buf keys;

    buf_init(&where, COMPLAINT_TEXT);
    buf_init(&keys, LIST_TEXT);
    put_path(reader->path, &where);
    complaint = complaint_add(reader->complaints, child->key_place.line, child->key_place.column,
                              child->key_place.width, "unknown key \"%s\"%s%.*s",
                              complaint_quote(child->key, quoted), where.len == 0 ? "" : " in ",
                              (int)where.len, where.len == 0 ? "" : where.at);
    /* Nobody knows what it was meant to be: perhaps a key. */
    if (child->kind == NODE_TEXT && child->text.len >= UNKNOWN_SHOWN &&
        !expand_is_reference(child->text)) {
        reader_hide(reader, child);
    }
    if (complaint != NULL) {
        near = field_nearest(table, child->key);
        field_list(table, &keys);
    }
    complaint_help(complaint, "%s%s%skeys here: %.*s", near == NULL ? "" : "did you mean \"",
                   near == NULL ? "" : near->name, near == NULL ? "" : "\"? ", (int)keys.len,
                   keys.len == 0 ? "" : keys.at);
    buf_fini(&where);
    buf_fini(&keys);
}

static void complain_missing(struct reader *reader, const struct node *node,
                             const struct field *field)
{
    struct complaint *complaint = NULL;
    struct buf where;

    buf_init(&where, COMPLAINT_TEXT);
    put_path(reader->path, &where);
    complaint =
        complaint_add(reader->complaints, node->key_place.line, node->key_place.column,
                      node->key_place.width, "\"%s\" is missing%s%.*s", field->name,
                      where.len == 0 ? "" : " in ", (int)where.len, where.len == 0 ? "" : where.at);
    complaint_help(complaint, "%s: %s", field->name, field->help);
    buf_fini(&where);
}

static void complain_value(struct reader *reader, const struct node *node,
                           const struct field *field, struct span text, const struct why *why)
{
    struct complaint *complaint = reader_complain(reader, node->place, "%s", why->text);
    int near = field_has_words(field) ? suggest_nearest(text, field->words, field->words_count) : -1;

    if (near >= 0) {
        complaint_help(complaint, "did you mean \"%.*s\"?", SPAN_ARGS(field->words[near]));
    } else if (field_form(field) != NULL) {
        complaint_help(complaint, "%s", field_form(field));
    }
}

void reader_value(struct reader *reader, const struct node *node, const struct field *field,
                  void *object)
{
    struct span text = {NULL, 0};
    struct why why = {""};

    if (reader_text(reader, node, &text) && field_read(field, text, object, &why) != ERR_NONE) {
        complain_value(reader, node, field, text, &why);
    }
}

static void read_field(struct reader *reader, const struct node *node, const struct field *field,
                       void *object)
{
    if (field->type == FIELD_MAP) {
        reader_map(reader, node, field->inner, (char *)object + field->place);
    } else if (field->type == FIELD_CUSTOM) {
        field->read(reader, node, object);
    } else {
        reader_value(reader, node, field, object);
    }
}

void reader_map(struct reader *reader, const struct node *node, const struct field_table *table,
                void *object)
{
    if (!reader_expects(reader, node, NODE_MAP)) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        bool is_free = reader->path == NULL && span_starts(child->key, SPAN_OF("x-"));

        if (!is_free && field_find(table, child->key) == NULL) {
            complain_unknown(reader, child, table);
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        const struct node *child = node_child(node, span_of(field->name));
        struct path path;

        if (child != NULL) {
            reader_enter(reader, &path, child->key, 0);
            read_field(reader, child, field, object);
            reader_leave(reader);
        } else if (field->is_required) {
            complain_missing(reader, node, field);
        }
    }
}

/* ---- values ---- */

static bool expand_node(struct reader *reader, const struct node *node, struct span *text)
{
    struct why why = {""};
    struct why help = {""};
    struct buf value;
    bool is_good = false;
    enum err err = ERR_NONE;

    if (!reader_expects(reader, node, NODE_TEXT)) {
        return false;
    }
    buf_init(&value, EXPAND_MAX);
    err = expand_value(node->text, reader->world, &value, &why, &help);
    if (err == ERR_CONFIG) {
        struct complaint *complaint = reader_complain(reader, node->place, "%s", why.text);

        complaint_help(complaint, "%s", help.text);
    } else if (err != ERR_NONE) {
        reader->has_no_memory = true;
    } else if (reader->expanded + value.len > EXPANDED_MAX) {
        reader_complain(reader, node->place, "is too long: all values together exceed 4MiB");
    } else {
        reader->expanded += value.len;
        *text = arena_copy(reader->arena, buf_span(&value));
        is_good = !reader->arena->failed;
        reader->has_no_memory = reader->has_no_memory || !is_good;
    }
    secret_buf_fini(&value);
    return is_good;
}

bool reader_text(struct reader *reader, const struct node *node, struct span *text)
{
    if (!expand_node(reader, node, text)) {
        return false;
    }
    if (text->len == 0) {
        reader_complain(reader, node->text.len == 0 ? node->key_place : node->place, "is empty");
        return false;
    }
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->at[i];

        if (c < 0x20 || c == 0x7f) {
            reader_complain(reader, node->place, "holds a line break or another control character");
            return false;
        }
    }
    return true;
}

bool reader_secret(struct reader *reader, const struct node *node, struct span *secret)
{
    enum secret_fault fault = SECRET_GOOD;

    if (!expand_node(reader, node, secret)) {
        return false;
    }
    /* Its name is not shown: it may be the secret after all. */
    if (expand_lacks_braces(node->text)) {
        complaint_help(reader_complain(reader, node->place, "is a variable without braces"),
                       "write \"${NAME}\"");
        return false;
    }
    fault = secret_judge(*secret);
    if (fault == SECRET_GOOD || fault == SECRET_EMPTY) {
        return true;
    }
    complaint_help(reader_complain(reader, node->place, "%s", secret_fault_text(fault)),
                   "nothing is trimmed: take it out where the value comes from");
    return false;
}

void reader_items(struct reader *reader, const struct node *node, reader_item *read, size_t size,
                  void **items, size_t *count)
{
    char *array = NULL;
    size_t index = 0;
    struct path path;

    *items = NULL;
    *count = 0;
    if (!reader_expects(reader, node, NODE_LIST) || node->count == 0) {
        return;
    }
    array = reader_take(reader, node->count * size);
    if (array == NULL) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct span text = {NULL, 0};

        reader_enter(reader, &path, span_make(NULL, 0), index++);
        if (reader_text(reader, child, &text) && read(reader, child, text, array + *count * size)) {
            (*count)++;
        }
        reader_leave(reader);
    }
    *items = *count == 0 ? NULL : array;
}

/* ---- the environment ---- */

static bool copy_secret(struct reader *reader, struct place place, const char *name,
                        struct span value, struct span *secret)
{
    enum secret_fault fault = secret_judge(value);

    if (fault == SECRET_GOOD) {
        *secret = arena_copy(reader->arena, value);
        reader->has_no_memory = reader->has_no_memory || reader->arena->failed;
        return !reader->arena->failed;
    }
    complaint_help(
        reader_complain(reader, place, "takes %s, which %s", name, secret_fault_text(fault)),
        "nothing is trimmed: take it out where the value comes from");
    return false;
}

static bool file_secret(struct reader *reader, struct place place, const char *name,
                        struct span path, struct span *secret)
{
    struct why why = {""};
    struct buf content;
    bool is_good = false;
    enum err err = ERR_NONE;

    buf_init(&content, EXPAND_MAX);
    err = expand_file(path, reader->world, &content, &why);
    if (err == ERR_NONE) {
        is_good = copy_secret(reader, place, name, buf_span(&content), secret);
    } else if (err == ERR_CONFIG) {
        reader_complain(reader, place, "takes %s, but %s", name, why.text);
    } else {
        reader->has_no_memory = true;
    }
    secret_buf_fini(&content);
    return is_good;
}

bool reader_variable_secret(struct reader *reader, struct place place, const char *name,
                            struct span *secret)
{
    char file_name[96] = "";
    size_t length = strlen(name);
    struct span value = reader->world->variable(reader->world->to, span_of(name));

    *secret = span_make(NULL, 0);
    if (value.len > 0) {
        return copy_secret(reader, place, name, value, secret);
    }
    must(length + sizeof "_FILE" <= sizeof file_name);
    memcpy(file_name, name, length);
    memcpy(file_name + length, "_FILE", sizeof "_FILE");
    value = reader->world->variable(reader->world->to, span_of(file_name));
    return value.len == 0 || file_secret(reader, place, file_name, value, secret);
}
