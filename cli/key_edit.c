/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key_edit.h"

#include "base/mem.h"
#include "conf/tree.h"

enum { EDITS_MAX = 8, PUT_MAX = 64 * 1024 };

/* At `at` so many bytes make way for others. */
struct edit {
    size_t at;
    size_t cut;
    struct buf put;
};

struct editor {
    struct span text;
    struct arena arena;
    struct complaints *complaints;
    const struct node *keys;
    struct edit edits[EDITS_MAX];
    size_t count;
};

void key_edit_quote(struct buf *out, struct span text)
{
    buf_put_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c < 0x20) {
            buf_put_format(out, "\\x%02x", c); /* a line end of its own would become a blank */
            continue;
        }
        if (c == '"' || c == '\\') {
            buf_put_char(out, '\\');
        }
        buf_put_char(out, text.at[i]);
    }
    buf_put_char(out, '"');
}

/* ---- places ---- */

/* Lines and columns count from 1, columns in characters. */
static size_t offset_of(struct span text, uint32_t line, uint32_t column)
{
    size_t at = 0;

    for (uint32_t i = 1; i < line; i++) {
        const char *end = at < text.len ? memchr(text.at + at, '\n', text.len - at) : NULL;

        at = end == NULL ? text.len : (size_t)(end - text.at) + 1;
    }
    for (uint32_t i = 1; i < column && at < text.len; i++) {
        at++;
        while (at < text.len && ((unsigned char)text.at[at] & 0xc0U) == 0x80U) {
            at++;
        }
    }
    return at;
}

static size_t begin_of(const struct editor *editor, const struct node *node)
{
    return offset_of(editor->text, node->extent.line, node->extent.column);
}

static struct buf *edit_at(struct editor *editor, size_t at, size_t cut)
{
    struct edit *edit = &editor->edits[editor->count++];

    must(editor->count <= EDITS_MAX);
    edit->at = at;
    edit->cut = cut;
    buf_init(&edit->put, PUT_MAX);
    return &edit->put;
}

static struct buf *edit_in_place_of(struct editor *editor, const struct node *node)
{
    size_t at = begin_of(editor, node);
    size_t end = offset_of(editor->text, node->extent.end_line, node->extent.end_column);

    return edit_at(editor, at, end > at ? end - at : 0);
}

static void put_indent(struct buf *out, uint32_t column)
{
    buf_put_char(out, '\n');
    for (uint32_t i = 1; i < column; i++) {
        buf_put_char(out, ' ');
    }
}

/* ---- begin and end ---- */

/* ERR_FORMAT: there are no keys in it. */
static enum err begin(struct editor *editor, struct span text)
{
    struct tree tree = {NULL, NULL};
    enum err err = ERR_MEMORY;

    *editor = (struct editor){.text = text, .complaints = mem_take(sizeof *editor->complaints)};
    arena_init(&editor->arena, TREE_PRICES_ARENA_MAX);
    if (editor->complaints != NULL) {
        complaints_init(editor->complaints);
        err = tree_read_prices(text, &editor->arena, editor->complaints, &tree);
    }
    if (err == ERR_NONE) {
        editor->keys = node_child(tree.root, SPAN_OF("keys"));
    }
    if (err == ERR_MEMORY) {
        return err;
    }
    return editor->keys == NULL || editor->keys->kind != NODE_LIST ? ERR_FORMAT : ERR_NONE;
}

/* The text with its edits, the first one first; those at one place in the order they were made. */
static void apply(const struct editor *editor, struct buf *out)
{
    size_t done = 0;
    bool is_used[EDITS_MAX] = {false};

    for (size_t n = 0; n < editor->count; n++) {
        size_t next = EDITS_MAX;

        for (size_t i = 0; i < editor->count; i++) {
            if (!is_used[i] && (next == EDITS_MAX || editor->edits[i].at < editor->edits[next].at)) {
                next = i;
            }
        }
        is_used[next] = true;
        if (editor->edits[next].at < done || editor->edits[next].put.failed) {
            out->failed = true; /* they overlap */
            return;
        }
        buf_put(out, span_make(editor->text.at + done, editor->edits[next].at - done));
        buf_put(out, buf_span(&editor->edits[next].put));
        done = editor->edits[next].at + editor->edits[next].cut;
    }
    buf_put(out, span_from(editor->text, done));
}

static enum err end(struct editor *editor, enum err err, struct buf *out)
{
    if (err == ERR_NONE) {
        apply(editor, out);
        err = out->failed ? ERR_MEMORY : ERR_NONE;
    }
    for (size_t i = 0; i < editor->count; i++) {
        buf_fini(&editor->edits[i].put);
    }
    arena_fini(&editor->arena);
    mem_give(editor->complaints, sizeof *editor->complaints);
    return err;
}

/* ---- the changes ---- */

static void add(struct editor *editor, struct span entry)
{
    const struct node *keys = editor->keys;
    size_t at = begin_of(editor, keys);
    bool is_flow = at < editor->text.len && editor->text.at[at] == '[';
    struct buf *put = NULL;

    if (keys->count == 0) {
        put = edit_in_place_of(editor, keys);
        put_indent(put, 3);
        buf_put_text(put, "- ");
        buf_put(put, entry);
    } else if (is_flow) {
        put = edit_at(editor, at + 1, 0);
        buf_put_char(put, ' ');
        buf_put(put, entry);
        buf_put_char(put, ',');
    } else {
        put = edit_at(editor, at, 0);
        buf_put_text(put, "- ");
        buf_put(put, entry);
        put_indent(put, keys->extent.column);
    }
}

enum err key_edit_add(struct span text, struct span entry, struct buf *out)
{
    struct editor editor;
    enum err err = ERR_NONE;

    if (text.len == 0) {
        buf_put_text(out, "# Callers' keys: headgate key --help\nversion: 1\nkeys:\n  - ");
        buf_put(out, entry);
        buf_put_char(out, '\n');
        return out->failed ? ERR_MEMORY : ERR_NONE;
    }
    err = begin(&editor, text);
    if (err == ERR_NONE) {
        add(&editor, entry);
    }
    return end(&editor, err, out);
}

static void put_member(struct editor *editor, const struct node *key, size_t at, bool is_flow,
                       const struct key_member *member)
{
    struct buf *put = edit_at(editor, is_flow ? at + 1 : at, 0);

    buf_put_text(put, is_flow ? " " : "");
    buf_put_text(put, member->name);
    buf_put_text(put, ": ");
    buf_put(put, member->value);
    if (is_flow) {
        buf_put_char(put, ',');
    } else {
        put_indent(put, key->extent.column);
    }
}

static void set(struct editor *editor, const struct node *map, const struct key_member *member)
{
    const struct node *old = node_child(map, span_of(member->name));
    size_t at = begin_of(editor, map);

    if (old == NULL) {
        put_member(editor, map, at, at < editor->text.len && editor->text.at[at] == '{', member);
    } else {
        buf_put(edit_in_place_of(editor, old), member->value);
    }
}

/* One that is there is changed member by member: where a mapping of several lines ends cannot be said. */
static void set_previous(struct editor *editor, const struct node *key,
                         const struct key_member previous[2])
{
    const struct node *old = node_child(key, SPAN_OF("previous"));
    struct key_member whole = {.name = "previous"};
    struct buf value;

    if (old != NULL) {
        set(editor, old, &previous[0]);
        set(editor, old, &previous[1]);
        return;
    }
    buf_init(&value, PUT_MAX);
    buf_put_format(&value, "{ %s: %.*s, %s: %.*s }", previous[0].name,
                   SPAN_ARGS(previous[0].value), previous[1].name, SPAN_ARGS(previous[1].value));
    whole.value = buf_span(&value);
    set(editor, key, &whole);
    buf_fini(&value);
}

static const struct node *key_named(const struct node *keys, struct span name)
{
    for (const struct node *key = keys->first; key != NULL; key = key->next) {
        const struct node *own = node_child(key, SPAN_OF("name"));

        if (own != NULL && own->kind == NODE_TEXT && span_equal(own->text, name)) {
            return key;
        }
    }
    return NULL;
}

enum err key_edit_set(struct span text, struct span name, const struct key_member *members,
                      size_t count, const struct key_member *previous, struct buf *out)
{
    struct editor editor;
    const struct node *key = NULL;
    enum err err = begin(&editor, text);

    if (err == ERR_NONE) {
        key = key_named(editor.keys, name);
        err = key == NULL ? ERR_MISSING : ERR_NONE;
    }
    for (size_t i = 0; err == ERR_NONE && i < count; i++) {
        set(&editor, key, &members[i]);
    }
    if (err == ERR_NONE && previous != NULL) {
        set_previous(&editor, key, previous);
    }
    return end(&editor, err, out);
}
