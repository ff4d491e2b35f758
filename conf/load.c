/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to a snapshot: parse, hide secrets from complaints, read the sections in their order,
 * put the environment on top, check across. Also the settings of a start without a file. */
#include "conf/load.h"

#include <string.h>

#include "base/mem.h"
#include "conf/cross.h"
#include "conf/expand.h"
#include "conf/override.h"
#include "conf/reader.h"
#include "conf/section.h"
#include "conf/tree.h"

/* All values of the largest file, expanded, with the arrays around them. */
enum { SNAPSHOT_ARENA_MAX = 32 * 1024 * 1024 };

static const struct listen_address default_listen = {
    .text = SPAN("127.0.0.1:8402"), .host = SPAN("127.0.0.1"), .port = 8402, .is_loopback = true};
static const struct listen_address default_admin = {
    .text = SPAN("127.0.0.1:8403"), .host = SPAN("127.0.0.1"), .port = 8403, .is_loopback = true};
static const struct place nowhere = {0, 0, 1};

/* ---- secrets in the file ---- */

/* An unknown key's line is shown, too. */
static bool is_misspelt(struct span key)
{
    static const struct field rows[] = {{.name = "credential"}, {.name = "token"}};
    static const struct field_table table = FIELD_TABLE(rows);

    return key.len <= 32 && field_nearest(&table, key) != NULL;
}

static bool may_be_shown(const struct node *node)
{
    return node->kind == NODE_TEXT && (node->text.len == 0 || expand_is_reference(node->text) ||
                                       span_equal(node->text, SPAN_OF("passthrough")) ||
                                       span_equal(node->text, SPAN_OF("none")));
}

/* "redis://:password@host", wherever it was written: nobody may come to read it as what it is. */
static bool may_have_password(struct span text)
{
    struct span rest = text;
    struct span scheme = span_cut(&rest, ':');

    return scheme.len < text.len && span_starts(rest, SPAN_OF("//")) &&
           memchr(rest.at, '@', rest.len) != NULL;
}

/* Before anything is complained about; an alias hides what it names, where that stands. */
static void hide_secrets(const struct tree *tree, struct complaints *complaints)
{
    for (const struct node *node = tree->latest; node != NULL; node = node->made_before) {
        bool is_secret =
            is_misspelt(node->key) ||
            (node->kind == NODE_TEXT &&
             (complaint_is_secret(node->key) || may_have_password(node->text)));
        struct hidden key = {node->key_place.line, node->key_place.column, node->key_place.line,
                             node->key_place.column + node->key_place.width};

        if (is_secret && !may_be_shown(node)) {
            complaint_hide(complaints, node->extent);
        }
        /* "{ token:value }" is one long key without a value. */
        if (complaint_is_secret(node->key) && memchr(node->key.at, ':', node->key.len) != NULL) {
            complaint_hide(complaints, key);
        }
    }
}

/* ---- the walk ---- */

/* Another version has other keys and other meanings, so nothing else is judged then. */
static bool check_version(struct reader *reader, const struct node *root)
{
    const struct node *version = node_child(root, SPAN_OF("version"));

    if (version == NULL) {
        return true;
    }
    if (version->kind != NODE_TEXT || !span_equal(version->text, SPAN_OF("1"))) {
        complaint_help(reader_complain(reader, version->place, "version must be 1"),
                       "this headgate knows no other version of the settings");
        return false;
    }
    if (version != root->first) {
        reader_complain(reader, version->key_place, "version must be the first key");
    }
    return true;
}

static void set_defaults(struct reader *reader, const struct field_table *keys)
{
    struct snapshot *snapshot = reader->snapshot;

    field_defaults(keys, snapshot);
    route_defaults(&snapshot->routing.defaults);
    snapshot->log_format = LOG_BY_TERMINAL;
    field_defaults(&ledger_fields, &snapshot->ledger);
    snapshot->budget_status = 402;
    prices_begin(snapshot);
    snapshot->listens = &default_listen;
    snapshot->admin = default_admin;
    reader->places.listens = &nowhere;
    reader->places.admin = nowhere;
}

static void read_all(struct reader *reader, const struct node *root)
{
    struct snapshot *snapshot = reader->snapshot;
    struct field rows[FIELDS_MAX];
    struct field_table keys = section_keys(rows);

    if (!reader_expects(reader, root, NODE_MAP) || !check_version(reader, root)) {
        return;
    }
    set_defaults(reader, &keys);
    reader_map(reader, root, &keys, snapshot);
    prices_end(reader);
    if (node_child(root, SPAN_OF("listen")) == NULL) {
        snapshot->listens_count = 1;
    }
    override_apply(reader);
    keys_end(reader);
    cross_check(reader);
}

/* What is read, and where it comes from. */
struct source {
    struct span name; /* of the file */
    struct span text;
    bool has_no_file;
};

static struct snapshot *new_snapshot(void)
{
    struct snapshot *snapshot = mem_take_zero(sizeof *snapshot);

    if (snapshot != NULL) {
        arena_init(&snapshot->arena, SNAPSHOT_ARENA_MAX);
        snapshot->references = 1;
    }
    return snapshot;
}

static enum err load(const struct source *source, const struct conf_world *world,
                     struct complaints *complaints, struct snapshot **out)
{
    struct snapshot *snapshot = new_snapshot();
    struct reader reader = {.complaints = complaints,
                            .world = world,
                            .snapshot = snapshot,
                            .file_name = source->name,
                            .has_no_file = source->has_no_file};
    struct arena arena;
    struct tree tree;
    enum err err = ERR_NONE;

    *out = NULL;
    if (snapshot == NULL) {
        return ERR_MEMORY;
    }
    reader.arena = &snapshot->arena;
    complaints_init(complaints);
    complaints->is_cautious = true;
    arena_init(&arena, TREE_ARENA_MAX);
    err = tree_read(source->text, &arena, complaints, &tree);
    if (err == ERR_NONE) {
        complaints->is_cautious = false;
        hide_secrets(&tree, complaints);
        read_all(&reader, tree.root);
        err = reader.has_no_memory || snapshot->arena.failed ? ERR_MEMORY : ERR_NONE;
    }
    if (err == ERR_NONE && complaints->count > 0) {
        err = ERR_CONFIG;
    }
    arena_wipe(&arena);
    arena_fini(&arena);
    snapshot->has_file = !source->has_no_file;
    if (err != ERR_NONE) {
        snapshot_give(snapshot);
        return err;
    }
    *out = snapshot;
    return ERR_NONE;
}

enum err conf_load(struct span name, struct span text, const struct conf_world *world,
                   struct complaints *complaints, struct snapshot **snapshot)
{
    const struct source source = {.name = name, .text = text};

    return load(&source, world, complaints, snapshot);
}

/* ---- without a file ---- */

/* Settings of our own: nobody has seen their text, so its lines mean nothing. */
static enum err load_unseen(struct span text, const struct conf_world *world,
                            struct complaints *complaints, struct snapshot **snapshot)
{
    const struct source source = {.name = {NULL, 0}, .text = text, .has_no_file = true};
    enum err err = load(&source, world, complaints, snapshot);

    for (size_t i = 0; i < complaints->count; i++) {
        complaints->list[i].line = 0;
        complaints->list[i].column = 0;
    }
    return err;
}

enum err conf_default(const struct conf_world *world, struct complaints *complaints,
                      struct snapshot **snapshot)
{
    static const struct span text = SPAN("version: 1\n"
                                         "providers:\n"
                                         "  openai:    { kind: openai }\n"
                                         "  anthropic: { kind: anthropic }\n"
                                         "  gemini:    { kind: gemini }\n");

    return load_unseen(text, world, complaints, snapshot);
}

/* Each primary provider fails three times in a row, in three ways, then answers. Behind it stands one of another
 * dialect, which the app does not notice either; and one of its own, for what is not translated. */
#define DEMO_PACE "latency: 200ms, tokens_per_second: 40"
#define DEMO_FAILURES                                                                              \
    "fail: [ { status: 503, every: 4, at: 1 }, { cut: 5, every: 4, at: 2 }, "                      \
    "{ hang: 30s, every: 4, at: 3 } ]"

#define DEMO_RULES                                                                                 \
    "    commit: { tokens: 16 }\n"                                                                 \
    "    sticky: off\n"                                                                            \
    "    timeouts: { head: 1s, first_content: 1s }\n"

enum err conf_demo(const struct conf_world *world, struct complaints *complaints,
                   struct snapshot **snapshot)
{
    /* The first provider of a dialect serves what has no model, so that is the healthy one. */
    static const struct span text = SPAN(
        "version: 1\n"
        "admin: { listen: off }\n"
        "log: { level: error }\n"
        "providers:\n"
        "  openai-backup:    { kind: fixtures, fixtures: { dialect: openai, " DEMO_PACE " } }\n"
        "  anthropic-backup: { kind: fixtures, fixtures: { dialect: anthropic, " DEMO_PACE " } }\n"
        "  gemini-backup:    { kind: fixtures, fixtures: { dialect: gemini, " DEMO_PACE " } }\n"
        "  openai:\n"
        "    kind: fixtures\n"
        "    fixtures: { dialect: openai, " DEMO_PACE ", " DEMO_FAILURES " }\n"
        "  anthropic:\n"
        "    kind: fixtures\n"
        "    fixtures: { dialect: anthropic, " DEMO_PACE ", " DEMO_FAILURES " }\n"
        "  gemini:\n"
        "    kind: fixtures\n"
        "    fixtures: { dialect: gemini, " DEMO_PACE ", " DEMO_FAILURES " }\n"
        "routes:\n"
        "  demo-claude:\n"
        "    match: { models: [\"*claude*\"] }\n"
        "    targets: [ { provider: anthropic }, { provider: openai-backup }, { provider: anthropic-backup } ]\n" DEMO_RULES
        "  demo-gemini:\n"
        "    match: { models: [\"*gemini*\"] }\n"
        "    targets: [ { provider: gemini }, { provider: anthropic-backup }, { provider: gemini-backup } ]\n" DEMO_RULES
        "  demo:\n"
        "    match: { models: [\"*\"] }\n"
        "    targets: [ { provider: openai }, { provider: anthropic-backup }, { provider: openai-backup } ]\n" DEMO_RULES);

    return load_unseen(text, world, complaints, snapshot);
}
