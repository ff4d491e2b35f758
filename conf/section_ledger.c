/* SPDX-License-Identifier: Apache-2.0 */
/* ledger: kind, url, sentinel, accept_volatile, replicas, on_failure. */
#include "conf/section.h"

enum { URLS_MAX = 16 };

/* One address, or a list: of the nodes of a cluster, or of sentinels. */
static void read_url(struct reader *reader, const struct node *node, void *object)
{
    struct settings_ledger *ledger = object;
    bool is_list = node->kind == NODE_LIST;
    size_t room = is_list ? node->count : 1;
    const struct node *child = is_list ? node->first : node;
    struct redis_url *urls = NULL;
    struct path path;

    if (room == 0 || room > URLS_MAX) {
        reader_complain(reader, node->place, "must have 1 to 16 addresses");
        return;
    }
    urls = reader_take(reader, room * sizeof *urls);
    for (size_t i = 0; urls != NULL && i < room; i++) {
        reader_enter(reader, &path, span_make(NULL, 0), i);
        reader->path = is_list ? &path : path.up;
        (void)redis_url_take(reader, child, &urls[i]);
        reader->path = path.up;
        child = child->next;
    }
    ledger->urls = urls;
    ledger->urls_count = urls == NULL ? 0 : room;
    ledger->is_cluster = is_list;
}

static void read_sentinel(struct reader *reader, const struct node *node, void *object)
{
    struct settings_ledger *ledger = object;

    (void)reader_text(reader, node, &ledger->sentinel);
}

static const struct span kind_words[] = {SPAN("memory"), SPAN("redis")};
static const struct span failure_words[] = {SPAN("closed"), SPAN("allowance"), SPAN("open")};

static const struct field inner[] = {
    {.name = "kind",
     .type = FIELD_WORD,
     .place = offsetof(struct settings_ledger, kind),
     .words = kind_words,
     .words_count = ARRAY_LENGTH(kind_words),
     .initial = "memory",
     .help = "memory, of this process alone; redis, shared by all that name it"},
    {.name = "url",
     .type = FIELD_CUSTOM,
     .read = read_url,
     .is_secret = true,
     .help = "redis://[[user]:password@]host[:port][/database]; a list: of nodes of a cluster, or "
             "of sentinels"},
    {.name = "sentinel",
     .type = FIELD_CUSTOM,
     .read = read_sentinel,
     .help = "the name by which the sentinels at url know the primary"},
    {.name = "accept_volatile",
     .type = FIELD_BOOL,
     .place = offsetof(struct settings_ledger, accepts_volatile),
     .initial = "false",
     .help = "also a Redis that forgets when it restarts"},
    {.name = "replicas",
     .type = FIELD_U32,
     .place = offsetof(struct settings_ledger, replicas),
     .initial = "1",
     .min = "1",
     .max = "10000",
     .help = "how many headgates run with these budgets"},
    {.name = "on_failure",
     .type = FIELD_WORD,
     .place = offsetof(struct settings_ledger, on_failure),
     .words = failure_words,
     .words_count = ARRAY_LENGTH(failure_words),
     .initial = "closed",
     .help = "what budgets that enforce do while the ledger cannot be asked"},
};

const struct field_table ledger_fields = FIELD_TABLE(inner);

/* Settings of a Redis that nobody would ask: the budgets would not be shared, and nobody would know.
 */
static void check_memory(struct reader *reader, const struct node *node)
{
    static const char *const keys[] = {"url", "sentinel", "accept_volatile"};

    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        const struct node *child = node_child(node, span_of(keys[i]));

        if (child != NULL) {
            complaint_help(reader_complain(reader, child->place,
                                           "is of kind memory, which asks no Redis"),
                           "write kind: redis, or take %s out", keys[i]);
        }
    }
}

static void check_redis(struct reader *reader, const struct node *node,
                        struct settings_ledger *ledger)
{
    ledger->is_cluster = ledger->is_cluster && ledger->sentinel.len == 0;
    if (ledger->urls_count == 0) {
        complaint_help(reader_complain(reader, node->place, "is of kind redis and has no url"),
                       "url: \"redis://127.0.0.1:6379/0\"");
    }
    for (size_t i = 0; ledger->is_cluster && i < ledger->urls_count; i++) {
        if (ledger->urls[i].database != 0) {
            complaint_help(reader_complain(reader, node_child(node, SPAN_OF("url"))->place,
                                           "names a database, but a cluster has only 0"),
                           "a list is one of cluster nodes; for sentinels write sentinel: NAME");
            return;
        }
    }
}

static void read_ledger(struct reader *reader, const struct node *node, void *object)
{
    struct settings_ledger *ledger = &((struct snapshot *)object)->ledger;
    size_t before = reader->complaints->count;

    reader_map(reader, node, &ledger_fields, ledger);
    if (node->kind != NODE_MAP || reader->complaints->count > before) {
        return;
    }
    if (ledger->kind == LEDGER_MEMORY) {
        check_memory(reader, node);
    } else {
        check_redis(reader, node, ledger);
    }
}

static const struct field fields[] = {
    {.name = "ledger",
     .type = FIELD_CUSTOM,
     .read = read_ledger,
     .help = "the book of what budgets have set aside and spent"},
};

const struct field_table section_ledger = FIELD_TABLE(fields);
