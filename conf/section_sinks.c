/* SPDX-License-Identifier: Apache-2.0 */
/* sinks: a list of where usage records are delivered; `kind` chooses the fields of each. The
 * section egress has been read before. */
#include "conf/section.h"

#include "base/suggest.h"
#include "conf/names.h"
#include "conf/sink.h"

enum { SINKS_MAX = 12, KINDS_MAX = 16, NAME_MAX = 5000 };

#define SINK(name) extern const struct sink_kind sink_kind_##name;
#include "conf/sinks.def"
#undef SINK

static const struct sink_kind *const kinds[] = {
#define SINK(name) &sink_kind_##name,
#include "conf/sinks.def"
#undef SINK
};

_Static_assert(ARRAY_LENGTH(kinds) <= KINDS_MAX, "their names stand on the stack");

const struct sink_kind *sink_kind_at(size_t i)
{
    return i < ARRAY_LENGTH(kinds) ? kinds[i] : NULL;
}

void sink_skip(struct reader *reader, const struct node *node, void *object)
{
    (void)reader;
    (void)node;
    (void)object;
}

void sink_read_name(struct reader *reader, const struct node *node, void *object)
{
    struct sink_settings *settings = object;

    if (reader_text(reader, node, &settings->name) && !name_is_plain(settings->name)) {
        complaint_help(reader_complain(reader, node->place, "is no name of a sink"),
                       "1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", beginning with a letter or "
                       "digit");
    }
}

/* ---- kind ---- */

static void complain_of_kind(struct reader *reader, const struct node *node, struct span text)
{
    struct complaint *complaint = reader_complain(reader, node->place, "is no known kind of sink");
    struct span names[KINDS_MAX];
    struct buf list;

    buf_init(&list, COMPLAINT_TEXT);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        names[i] = span_of(kinds[i]->name);
        buf_put_text(&list, i == 0 ? "" : ", ");
        buf_put_text(&list, kinds[i]->name);
    }
    if (!complaint_suggest(complaint, text, names, ARRAY_LENGTH(kinds))) {
        complaint_help(complaint, "kinds: %.*s", SPAN_ARGS(buf_span(&list)));
    }
    buf_fini(&list);
}

/* Past the last kind: it was complained about. */
static size_t read_kind(struct reader *reader, const struct node *node)
{
    size_t index = ARRAY_LENGTH(kinds);
    struct span text = {NULL, 0};
    struct path path;

    reader_enter(reader, &path, SPAN_OF("kind"), 0);
    if (reader_text(reader, node, &text)) {
        for (index = 0; index < ARRAY_LENGTH(kinds); index++) {
            if (span_equal(span_of(kinds[index]->name), text)) {
                break;
            }
        }
        if (index == ARRAY_LENGTH(kinds)) {
            complain_of_kind(reader, node, text);
        }
    }
    reader_leave(reader);
    return index;
}

/* ---- one sink ---- */

/* A sink without a name is called by what it does: "file ./usage.jsonl". */
static void finish_name(struct reader *reader, struct sink_settings *settings)
{
    struct buf text;

    if (settings->name.len > 0) {
        return;
    }
    buf_init(&text, NAME_MAX);
    buf_put_text(&text, settings->kind->name);
    buf_put_text(&text, settings->destination.len == 0 ? "" : " ");
    buf_put(&text, settings->destination);
    settings->name = arena_copy(&reader->snapshot->arena, buf_span(&text));
    reader->has_no_memory = reader->has_no_memory || text.failed;
    buf_fini(&text);
}

/* Two would share a cursor, and whatever they write to. */
static void check_twice(struct reader *reader, const struct node *node,
                        struct sink_settings *const *sinks, size_t count)
{
    const struct sink_settings *settings = sinks[count];

    for (size_t i = 0; i < count; i++) {
        if (sinks[i]->kind == settings->kind &&
            span_equal(sinks[i]->destination, settings->destination)) {
            reader_complain(reader, node->place, "delivers to the same place as sinks[%u]",
                            (unsigned)i);
            return;
        }
        if (span_equal(sinks[i]->name, settings->name)) {
            reader_complain(reader, node->place, "has the name of sinks[%u]", (unsigned)i);
            return;
        }
    }
}

/* NULL after a complaint. */
static struct sink_settings *read_sink(struct reader *reader, const struct node *node)
{
    static const struct field unknown_rows[] = {SINK_ROWS("1", "1s")};
    static const struct field_table unknown = FIELD_TABLE(unknown_rows);
    const struct node *kind = node->kind == NODE_MAP ? node_child(node, SPAN_OF("kind")) : NULL;
    size_t before = reader->complaints->count;
    struct sink_settings *settings = NULL;
    size_t index = 0;

    if (kind == NULL) {
        struct sink_settings nobody = {0};

        reader_map(reader, node, &unknown, &nobody);
        return NULL;
    }
    index = read_kind(reader, kind);
    if (index == ARRAY_LENGTH(kinds)) {
        return NULL;
    }
    settings = reader_take(reader, kinds[index]->size);
    if (settings == NULL) {
        return NULL;
    }
    settings->kind = kinds[index];
    settings->kind_index = index;
    field_defaults(kinds[index]->fields, settings);
    reader_map(reader, node, kinds[index]->fields, settings);
    if (reader->complaints->count > before || reader->complaints->more > 0) {
        return NULL;
    }
    if (settings->kind->check != NULL) {
        settings->kind->check(reader, node, settings);
    }
    finish_name(reader, settings);
    return settings;
}

static void read_sinks(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct sink_settings **sinks = NULL;
    size_t count = 0;
    size_t index = 0;

    if (!reader_expects(reader, node, NODE_LIST) || node->count == 0) {
        return;
    }
    if (node->count > SINKS_MAX) {
        reader_complain(reader, node->place, "must have at most 12 sinks");
        return;
    }
    sinks = reader_take(reader, node->count * sizeof(struct sink_settings *));
    if (sinks == NULL) {
        return;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), index++);
        sinks[count] = read_sink(reader, child);
        if (sinks[count] != NULL) {
            check_twice(reader, child, sinks, count);
            count++;
        }
        reader_leave(reader);
    }
    snapshot->sinks = (const struct sink_settings *const *)sinks;
    snapshot->sinks_count = count;
}

static const struct field fields[] = {
    {.name = "sinks",
     .type = FIELD_CUSTOM,
     .read = read_sinks,
     .help = "where usage records are delivered: [ { kind: file, path: ./usage.jsonl } ]"},
};

const struct field_table section_sinks = FIELD_TABLE(fields);
