/* SPDX-License-Identifier: Apache-2.0 */
/* Built from libyaml's events and not from its documents: the document functions took over 20 s for
 * 100,000 opening brackets, the events stop at our depth. Aliases become nodes that share the
 * children of what they name; their size is counted each time, so a bomb of aliases ends at the
 * limit without being unfolded. */
#include "conf/tree.h"

#include <yaml.h>

#include "conf/tree_bytes.h"
#include "conf/tree_trouble.h"

/* A list or mapping that is still open. */
struct frame {
    struct node *node;
    struct node *last;     /* its latest child */
    struct anchor *anchor; /* its own, if it has one */
    size_t size_before;    /* nodes in the tree before it */
    bool is_key_next;
    bool drops_value; /* the key was a duplicate or no key at all: its value goes nowhere */
    struct span key;
    struct place key_place;
};

/* A name that an alias may use; newer ones stand in front. */
struct anchor {
    struct span name;
    struct node *node;
    bool is_open; /* the node is not whole yet */
    struct anchor *older;
};

struct builder {
    struct arena *arena;
    struct complaints *complaints;
    struct tree *tree;
    struct anchor *anchors;
    struct frame frames[TREE_DEPTH_MAX];
    size_t depth;
    size_t size; /* nodes so far, aliases written out */
    size_t size_max;
    bool has_stopped;
};

const char *node_kind_text(enum node_kind kind)
{
    switch (kind) {
    case NODE_TEXT: return "text";
    case NODE_MAP: return "a mapping";
    case NODE_LIST: return "a list";
    }
    UNREACHABLE();
}

static uint32_t hash_of(struct span key)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ (unsigned char)key.at[i]) * 16777619U;
    }
    return hash;
}

static const struct node *child_by_hash(const struct node *node, struct span key, uint32_t hash)
{
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        if (child->key_hash == hash && span_equal(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

const struct node *node_child(const struct node *node, struct span key)
{
    return node == NULL || node->kind != NODE_MAP ? NULL : child_by_hash(node, key, hash_of(key));
}

/* ---- places ---- */

static uint32_t narrow(size_t number)
{
    return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static struct place place_between(yaml_mark_t from, yaml_mark_t to)
{
    struct place place = {narrow(from.line + 1), narrow(from.column + 1), 1};

    if (to.line == from.line && to.column > from.column) {
        place.width = narrow(to.column - from.column);
    }
    return place;
}

static struct hidden extent_between(yaml_mark_t from, yaml_mark_t to)
{
    return (struct hidden){narrow(from.line + 1), narrow(from.column + 1), narrow(to.line + 1),
                           narrow(to.column + 1)};
}

static struct complaint *complain_at(struct builder *builder, const yaml_event_t *event,
                                     const char *text)
{
    struct place place = place_between(event->start_mark, event->end_mark);

    return complaint_add(builder->complaints, place.line, place.column, place.width, "%s", text);
}

/* ---- building ---- */

/* One more node, or `size` of them through an alias; stops at the limit. */
static void count_nodes(struct builder *builder, const yaml_event_t *event, size_t size)
{
    builder->size += size;
    if (builder->size > builder->size_max && !builder->has_stopped) {
        bool is_small = builder->size_max == TREE_NODES_MAX;

        complaint_help(complain_at(builder, event,
                                   is_small ? "more than 10000 values" : "more than 200000 values"),
                       "what an alias stands for counts each time it is used");
        builder->has_stopped = true;
    }
}

/* Hangs a node below the innermost open one; a node without a parent is the root. */
static void attach(struct builder *builder, struct node *node)
{
    struct frame *frame = NULL;

    if (builder->depth == 0) {
        builder->tree->root = node;
        return;
    }
    frame = &builder->frames[builder->depth - 1];
    if (frame->node->kind == NODE_MAP) {
        frame->is_key_next = true;
        node->key = frame->key;
        node->key_hash = hash_of(frame->key);
        node->key_place = frame->key_place;
        if (frame->drops_value) {
            return;
        }
    }
    if (frame->last == NULL) {
        frame->node->first = node;
    } else {
        frame->last->next = node;
    }
    frame->last = node;
    frame->node->count++;
}

static struct node *make_node(struct builder *builder, const yaml_event_t *event,
                              enum node_kind kind)
{
    struct node *node = arena_take(builder->arena, sizeof *node);

    if (node == NULL) {
        builder->has_stopped = true;
        return NULL;
    }
    node->kind = kind;
    node->place = place_between(event->start_mark, event->end_mark);
    node->key_place = node->place;
    node->extent = extent_between(event->start_mark, event->end_mark);
    node->size = 1;
    node->made_before = builder->tree->latest;
    builder->tree->latest = node;
    count_nodes(builder, event, 1);
    return node;
}

/* NULL when the node has no anchor (or there is no memory). */
static struct anchor *add_anchor(struct builder *builder, const yaml_char_t *name,
                                 struct node *node)
{
    struct anchor *anchor = NULL;

    if (name == NULL) {
        return NULL;
    }
    anchor = arena_take(builder->arena, sizeof *anchor);
    if (anchor == NULL) {
        builder->has_stopped = true;
        return NULL;
    }
    anchor->name = arena_copy(builder->arena, span_of((const char *)name));
    anchor->node = node;
    anchor->older = builder->anchors;
    builder->anchors = anchor;
    return anchor;
}

static struct anchor *find_anchor(struct builder *builder, struct span name)
{
    struct anchor *anchor = builder->anchors;

    while (anchor != NULL && !span_equal(anchor->name, name)) {
        anchor = anchor->older;
    }
    return anchor;
}

static void refuse_tag(struct builder *builder, const yaml_event_t *event, const yaml_char_t *tag)
{
    if (tag != NULL) {
        complaint_help(complain_at(builder, event, "tags like !!str are not accepted"),
                       "the key says which type its value has");
    }
}

static bool expects_key(const struct builder *builder)
{
    return builder->depth > 0 && builder->frames[builder->depth - 1].node->kind == NODE_MAP &&
           builder->frames[builder->depth - 1].is_key_next;
}

static void take_key(struct builder *builder, const yaml_event_t *event)
{
    struct frame *frame = &builder->frames[builder->depth - 1];
    struct span text = span_make((const char *)event->data.scalar.value, event->data.scalar.length);
    const struct node *twin = NULL;
    char quoted[QUOTE_SIZE];

    count_nodes(builder, event, 1);
    refuse_tag(builder, event, event->data.scalar.tag);
    frame->is_key_next = false;
    frame->drops_value = false;
    frame->key = arena_copy(builder->arena, text);
    frame->key_place = place_between(event->start_mark, event->end_mark);
    if (event->data.scalar.anchor != NULL) {
        complain_at(builder, event, "a key cannot have an anchor");
    }
    if (span_equal(text, SPAN_OF("<<"))) {
        complaint_help(complain_at(builder, event, "merge keys are not accepted"),
                       "write the keys out, or use an alias for the whole value");
        frame->drops_value = true;
        return;
    }
    twin = child_by_hash(frame->node, text, hash_of(text));
    if (twin != NULL) {
        struct complaint *complaint = complaint_add(
            builder->complaints, frame->key_place.line, frame->key_place.column,
            frame->key_place.width, "duplicate key \"%s\"", complaint_quote(text, quoted));

        complaint_help(complaint, "it is first given in line %u, column %u",
                       (unsigned)twin->key_place.line, (unsigned)twin->key_place.column);
        frame->drops_value = true;
    }
}

static void take_text(struct builder *builder, const yaml_event_t *event)
{
    struct node *node = NULL;

    if (expects_key(builder)) {
        take_key(builder, event);
        return;
    }
    refuse_tag(builder, event, event->data.scalar.tag);
    node = make_node(builder, event, NODE_TEXT);
    if (node == NULL) {
        return;
    }
    node->text = arena_copy(builder->arena, span_make((const char *)event->data.scalar.value,
                                                      event->data.scalar.length));
    (void)add_anchor(builder, event->data.scalar.anchor, node);
    attach(builder, node);
}

/* A key must be text; anything else has been complained about and its value is passed over. */
static void refuse_key(struct builder *builder, const yaml_event_t *event)
{
    complain_at(builder, event, "a key must be plain text");
    builder->has_stopped = true;
}

static void open_node(struct builder *builder, const yaml_event_t *event, enum node_kind kind,
                      const yaml_char_t *name)
{
    size_t size_before = builder->size;
    struct anchor *anchor = NULL;
    struct node *node = NULL;

    if (expects_key(builder)) {
        refuse_key(builder, event);
        return;
    }
    if (builder->depth == TREE_DEPTH_MAX) {
        complain_at(builder, event, "nested deeper than 32 levels");
        builder->has_stopped = true;
        return;
    }
    node = make_node(builder, event, kind);
    if (node == NULL) {
        return;
    }
    anchor = add_anchor(builder, name, node);
    if (anchor != NULL) {
        anchor->is_open = true;
    }
    attach(builder, node);
    builder->frames[builder->depth++] = (struct frame){
        .node = node, .anchor = anchor, .size_before = size_before, .is_key_next = true};
}

static void close_node(struct builder *builder, const yaml_event_t *event)
{
    struct frame *frame = &builder->frames[--builder->depth];
    struct node *node = frame->node;

    node->size = builder->size - frame->size_before;
    node->extent.end_line = narrow(event->end_mark.line + 1);
    node->extent.end_column = narrow(event->end_mark.column + 1);
    if (frame->anchor != NULL) {
        frame->anchor->is_open = false;
    }
}

static void take_alias(struct builder *builder, const yaml_event_t *event)
{
    struct span name = span_of((const char *)event->data.alias.anchor);
    struct anchor *anchor = find_anchor(builder, name);
    char quoted[QUOTE_SIZE];
    struct node *node = NULL;
    const struct node *made_before = NULL;
    struct place place;

    if (expects_key(builder)) {
        refuse_key(builder, event);
        return;
    }
    if (anchor == NULL || anchor->is_open) {
        place = place_between(event->start_mark, event->end_mark);
        complaint_add(builder->complaints, place.line, place.column, place.width,
                      anchor == NULL ? "no anchor \"%s\" stands before this alias"
                                     : "the alias \"%s\" stands inside what it names",
                      complaint_quote(name, quoted));
        builder->has_stopped = true;
        return;
    }
    node = make_node(builder, event, anchor->node->kind);
    if (node == NULL) {
        return;
    }
    count_nodes(builder, event, anchor->node->size - 1);
    made_before = node->made_before;
    place = node->place;
    *node = *anchor->node;
    node->place = place;
    node->key_place = place;
    node->made_before = made_before;
    node->next = NULL;
    attach(builder, node);
}

static void start_document(struct builder *builder, const yaml_event_t *event)
{
    if (builder->tree->root != NULL) {
        complain_at(builder, event, "a second document begins here");
        builder->has_stopped = true;
    }
}

static void take_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: start_document(builder, event); return;
    case YAML_ALIAS_EVENT: take_alias(builder, event); return;
    case YAML_SCALAR_EVENT: take_text(builder, event); return;
    case YAML_SEQUENCE_START_EVENT:
        refuse_tag(builder, event, event->data.sequence_start.tag);
        open_node(builder, event, NODE_LIST, event->data.sequence_start.anchor);
        return;
    case YAML_MAPPING_START_EVENT:
        refuse_tag(builder, event, event->data.mapping_start.tag);
        open_node(builder, event, NODE_MAP, event->data.mapping_start.anchor);
        return;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: close_node(builder, event); return;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return;
    }
}

/* ---- the whole ---- */

static void complain_of_parser(struct complaints *complaints, const yaml_parser_t *parser)
{
    struct place noticed = place_between(parser->problem_mark, parser->problem_mark);
    struct place began = noticed;

    if (parser->context != NULL) {
        began = place_between(parser->context_mark, parser->context_mark);
    }
    tree_trouble(complaints, parser->problem == NULL ? "not readable" : parser->problem, noticed,
                 began);
}

static enum err read_events(yaml_parser_t *parser, struct builder *builder)
{
    for (bool is_over = false; !is_over && !builder->has_stopped;) {
        yaml_event_t event;

        if (yaml_parser_parse(parser, &event) == 0) {
            if (parser->error == YAML_MEMORY_ERROR) {
                return ERR_MEMORY;
            }
            complain_of_parser(builder->complaints, parser);
            return ERR_CONFIG;
        }
        is_over = event.type == YAML_STREAM_END_EVENT;
        take_event(builder, &event);
        yaml_event_delete(&event);
    }
    if (builder->arena->failed) {
        return ERR_MEMORY;
    }
    return builder->has_stopped ? ERR_CONFIG : ERR_NONE;
}

static enum err read_text(struct span text, struct builder *builder)
{
    struct complaints *complaints = builder->complaints;
    struct tree *tree = builder->tree;
    yaml_parser_t parser;
    enum err err = ERR_NONE;

    *tree = (struct tree){NULL, NULL};
    if (span_starts(text, SPAN_OF("\xef\xbb\xbf"))) {
        text = span_from(text, 3);
    }
    if (tree_bytes_check(text, complaints) != ERR_NONE) {
        return ERR_CONFIG;
    }
    if (yaml_parser_initialize(&parser) == 0) {
        return ERR_MEMORY;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len == 0 ? "" : text.at),
                                 text.len);
    err = read_events(&parser, builder);
    yaml_parser_delete(&parser);
    if (err == ERR_NONE && tree->root == NULL) {
        complaint_add(complaints, 0, 0, 1, "the file is empty");
        return ERR_CONFIG;
    }
    return err;
}

enum err tree_read(struct span text, struct arena *arena, struct complaints *complaints,
                   struct tree *tree)
{
    struct builder builder = {
        .arena = arena, .complaints = complaints, .tree = tree, .size_max = TREE_NODES_MAX};

    if (text.len > TREE_BYTES_MAX) {
        complaint_add(complaints, 0, 0, 1, "the file is larger than 1MiB");
        return ERR_CONFIG;
    }
    return read_text(text, &builder);
}

enum err tree_read_prices(struct span text, struct arena *arena, struct complaints *complaints,
                          struct tree *tree)
{
    struct builder builder = {
        .arena = arena, .complaints = complaints, .tree = tree, .size_max = TREE_PRICES_NODES_MAX};

    if (text.len > TREE_PRICES_BYTES_MAX) {
        complaint_add(complaints, 0, 0, 1, "the file is larger than 4MiB");
        return ERR_CONFIG;
    }
    return read_text(text, &builder);
}
