/* SPDX-License-Identifier: Apache-2.0 */
/* sinks[] of kind file: path, rotate, keep, sync. */
#include "conf/sink_file.h"

#include "base/must.h"
#include "conf/reader.h"

enum { PATH_LENGTH_MAX = 4000 }; /* room for the numbers of rotated ones */

static void read_path(struct reader *reader, const struct node *node, void *object)
{
    struct sink_file_settings *settings = object;

    if (!reader_text(reader, node, &settings->path)) {
        return;
    }
    if (settings->path.len > PATH_LENGTH_MAX || span_ends(settings->path, SPAN_OF("/"))) {
        reader_complain(reader, node->place, "must be the path of a file");
    }
}

static const struct field rotate_size = {
    .name = "rotate",
    .type = FIELD_SIZE,
    .place = offsetof(struct sink_file_settings, rotate),
    .min = "1MiB",
    .max = "1024GiB",
};

static void read_rotate(struct reader *reader, const struct node *node, void *object)
{
    struct sink_file_settings *settings = object;

    if (node->kind == NODE_TEXT && span_equal(node->text, SPAN_OF("off"))) {
        settings->rotate = 0;
        return;
    }
    reader_value(reader, node, &rotate_size, object);
}

static const struct span sync_words[] = {SPAN("batch"), SPAN("off")};

static const struct field rows[] = {
    SINK_ROWS("500", "1s"),
    {.name = "path",
     .type = FIELD_CUSTOM,
     .read = read_path,
     .is_required = true,
     .help = "the file that lines are appended to"},
    {.name = "rotate",
     .type = FIELD_CUSTOM,
     .read = read_rotate,
     .initial = "off",
     .help = "a file of this size becomes path.1 and a new one is begun; off"},
    {.name = "keep",
     .type = FIELD_U32,
     .place = offsetof(struct sink_file_settings, keep),
     .initial = "16",
     .min = "1",
     .max = "1000",
     .help = "how many rotated files are kept; the oldest is removed"},
    {.name = "sync",
     .type = FIELD_WORD,
     .place = offsetof(struct sink_file_settings, sync),
     .initial = "batch",
     .words = sync_words,
     .words_count = ARRAY_LENGTH(sync_words),
     .help = "batch: on disk before the cursor moves on; off: when the system likes"},
};

static const struct field_table fields = FIELD_TABLE(rows);

static void check(struct reader *reader, const struct node *node, struct sink_settings *settings)
{
    (void)reader;
    (void)node;
    settings->destination = ((struct sink_file_settings *)settings)->path;
}

const struct sink_kind sink_kind_file = {
    .name = "file",
    .help = "whole lines appended to a file",
    .fields = &fields,
    .size = sizeof(struct sink_file_settings),
    .check = check,
};
