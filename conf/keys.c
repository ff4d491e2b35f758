/* SPDX-License-Identifier: Apache-2.0 */
/* A file of keys as a whole: its version, the keys, and the teams that may not call. */
#include "conf/keys.h"

#include "conf/key_fields.h"
#include "conf/reader.h"
#include "conf/tree.h"

/* What the file is read into. */
struct reading {
    struct keyring *ring;
    struct teams teams;
};

static void read_version(struct reader *reader, const struct node *node, void *object)
{
    (void)object;
    if (node->kind != NODE_TEXT || !span_equal(node->text, SPAN_OF("1"))) {
        complaint_help(reader_complain(reader, node->place, "must be 1"),
                       "this headgate knows no other version of files of keys");
    }
}

static void read_keys(struct reader *reader, const struct node *node, void *object)
{
    struct reading *reading = object;

    keys_read_list(reader, node, reading->ring);
}

static void read_teams(struct reader *reader, const struct node *node, void *object)
{
    struct reading *reading = object;

    teams_read(reader, node, &reading->teams);
}

static const struct field rows[] = {
    {.name = "version",
     .type = FIELD_CUSTOM,
     .read = read_version,
     .is_required = true,
     .help = "of the form of files of keys: 1"},
    {.name = "keys",
     .type = FIELD_CUSTOM,
     .read = read_keys,
     .is_required = true,
     .help = "a list, as under keys in the settings"},
    {.name = "teams", .type = FIELD_CUSTOM, .read = read_teams, .help = "as in the settings"},
};
static const struct field_table fields = FIELD_TABLE(rows);

/* Nothing outside is asked: whoever may write this file need not be able to read others. */
static struct span no_variable(void *to, struct span name)
{
    (void)to;
    (void)name;
    return span_make(NULL, 0);
}

static enum err no_file(void *to, struct span path, struct buf *out, struct why *why)
{
    (void)to;
    (void)path;
    (void)out;
    why_set(why, "a file of keys names no other files");
    return ERR_MISSING;
}

enum err keys_read_into(struct span text, struct complaints *complaints, struct keyring *ring)
{
    static const struct conf_world nowhere = {.variable = no_variable, .file = no_file};
    struct reading reading = {.ring = ring};
    struct reader reader = {
        .complaints = complaints, .world = &nowhere, .arena = &ring->arena};
    struct arena nodes;
    struct tree tree;
    enum err err = ERR_NONE;

    complaints_init(complaints);
    arena_init(&nodes, TREE_PRICES_ARENA_MAX);
    err = tree_read_prices(text, &nodes, complaints, &tree);
    if (err == ERR_NONE) {
        reader_map(&reader, tree.root, &fields, &reading);
        keys_disable(ring, &reading.teams);
        err = reader.has_no_memory || ring->arena.failed ? ERR_MEMORY : ERR_NONE;
    }
    arena_fini(&nodes);
    return err == ERR_NONE && complaints->count > 0 ? ERR_CONFIG : err;
}

enum err keys_read(struct span text, const struct settings_keys *settings,
                   struct complaints *complaints, struct keyring **ring)
{
    struct keyring *own = keyring_new();
    const struct key_entry *twice = NULL;
    enum err err = own == NULL ? ERR_MEMORY : keys_read_into(text, complaints, own);

    *ring = NULL;
    if (err == ERR_NONE) {
        keys_disable(own, &settings->teams);
        err = keyring_close(own, settings->secret, &twice);
        must(err != ERR_RANGE); /* it was complained about */
    }
    if (err != ERR_NONE) {
        keyring_give(own);
        return err;
    }
    *ring = own;
    return ERR_NONE;
}
