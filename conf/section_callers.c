/* SPDX-License-Identifier: Apache-2.0 */
/* key_secret, keys, teams: who may call, and whose calls they are. Routes have been read before. */
#include "conf/section.h"

#include "base/mem.h"
#include "conf/beside.h"
#include "conf/key_fields.h"
#include "conf/keys.h"

enum { SECRET_LEAST = 16 };

static void read_secret(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;

    reader->places.key_secret = node->place;
    (void)reader_secret(reader, node, &snapshot->keys.secret);
}

/* ---- a file of their own ---- */

static void take_file(struct reader *reader, const struct node *node, struct snapshot *snapshot,
                      struct span text)
{
    struct complaints *complaints = mem_take(sizeof *complaints);
    enum err err = complaints == NULL ? ERR_MEMORY
                                      : keys_read_into(text, complaints, snapshot->keys.ring);

    if (err == ERR_CONFIG) {
        beside_complain(reader, node, complaints, "headgate key list", span_make("", 0));
    }
    reader->has_no_memory = reader->has_no_memory || err == ERR_MEMORY;
    mem_give(complaints, sizeof *complaints);
}

static void read_file(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct span name = {NULL, 0};
    struct buf path;
    struct buf text;

    if (!reader_text(reader, node, &name)) {
        return;
    }
    buf_init(&path, BESIDE_PATH_MAX);
    buf_init(&text, KEYS_FILE_MAX);
    beside_path(reader, name, &path);
    snapshot->keys.file = arena_copy(&snapshot->arena, buf_span(&path));
    if (!reader->world->edits_keys &&
        beside_read(reader, node, &path, "headgate key create NAME makes it", &text)) {
        take_file(reader, node, snapshot, buf_span(&text));
    }
    buf_fini(&text);
    buf_fini(&path);
}

static const struct field file_rows[] = {
    {.name = "file",
     .type = FIELD_CUSTOM,
     .read = read_file,
     .is_required = true,
     .help = "a file of keys, beside the settings"},
};
static const struct field_table file_fields = FIELD_TABLE(file_rows);

/* ---- keys, teams ---- */

static void read_keys(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;
    struct arena *arena = reader->arena;

    if (node->kind == NODE_TEXT) {
        (void)reader_expects(reader, node, NODE_LIST);
        return;
    }
    reader->places.keys = node->key_place;
    snapshot->keys.ring = keyring_new();
    if (snapshot->keys.ring == NULL) {
        reader->has_no_memory = true;
    } else if (node->kind == NODE_MAP) {
        reader_map(reader, node, &file_fields, snapshot);
    } else {
        reader->arena = &snapshot->keys.ring->arena;
        keys_read_list(reader, node, snapshot->keys.ring);
        reader->has_no_memory = reader->has_no_memory || reader->arena->failed;
        reader->arena = arena;
    }
}

static void read_teams(struct reader *reader, const struct node *node, void *object)
{
    struct snapshot *snapshot = object;

    teams_read(reader, node, &snapshot->keys.teams);
}

void keys_end(struct reader *reader)
{
    struct settings_keys *keys = &reader->snapshot->keys;
    const struct key_entry *twice = NULL;

    if (keys->secret.len > 0 && keys->secret.len < SECRET_LEAST) {
        complaint_help(reader_complain(reader, reader->places.key_secret,
                                       "key_secret is shorter than 16 characters"),
                       "openssl rand -hex 32 makes a good one; it must stay the same as long as the "
                       "keys do");
    }
    if (keys->ring == NULL) {
        return;
    }
    if (keys->secret.len == 0) {
        complaint_help(reader_complain(reader, reader->places.keys,
                                       "keys need key_secret, which their digests are keyed with"),
                       "write key_secret: \"${HEADGATE_KEY_SECRET}\" and set that to what openssl "
                       "rand -hex 32 prints");
    }
    keys_disable(keys->ring, &keys->teams);
    if (reader->complaints->count == 0 && !reader->has_no_memory &&
        keyring_close(keys->ring, keys->secret, &twice) != ERR_NONE) {
        reader->has_no_memory = true; /* digests said twice were complained about */
    }
}

static const struct field fields[] = {
    {.name = "key_secret",
     .type = FIELD_CUSTOM,
     .read = read_secret,
     .is_secret = true,
     .help = "keys the digests of callers' keys; the same on every instance"},
    {.name = "keys",
     .type = FIELD_CUSTOM,
     .read = read_keys,
     .help = "who may call: a list, or { file: ./keys.yaml }; without it whoever can connect"},
    {.name = "teams",
     .type = FIELD_CUSTOM,
     .read = read_teams,
     .help = "teams that are known for more than their keys: { growth: { disabled: true } }"},
};

const struct field_table section_callers = FIELD_TABLE(fields);
