/* SPDX-License-Identifier: Apache-2.0 */
/* A price file as a whole: its version, its date, addresses and rows. */
#include "conf/prices.h"

#include "conf/names.h"
#include "conf/price_fields.h"
#include "conf/reader.h"
#include "conf/tree.h"

/* ---- addresses ---- */

static void read_host_list(struct reader *reader, const struct node *node, void *object)
{
    struct price_host *host = object;

    if (price_read_text(reader, node, &host->list) && !name_is_plain(host->list)) {
        reader_complain(reader, node->place, "must be 1 to 64 of a-z, 0-9, \".\", \"_\", \"-\"");
    }
}

static void read_host_region(struct reader *reader, const struct node *node, void *object)
{
    struct price_host *host = object;

    if (reader_expects(reader, node, NODE_TEXT)) {
        (void)price_read_word(reader, node->place, node->text, &host->region);
    }
}

static const struct field host_rows[] = {
    {.name = "provider",
     .type = FIELD_CUSTOM,
     .read = read_host_list,
     .is_required = true,
     .help = "whose price list holds there"},
    {.name = "region",
     .type = FIELD_CUSTOM,
     .read = read_host_region,
     .help = "where it serves, as the regions of rows are named"},
};
static const struct field_table host_fields = FIELD_TABLE(host_rows);

static void read_host(struct reader *reader, const struct node *node, struct price_host *host)
{
    host->host = arena_copy(reader->arena, node->key);
    if (node->kind == NODE_TEXT) {
        read_host_list(reader, node, host);
    } else {
        reader_map(reader, node, &host_fields, host);
    }
}

static void read_hosts(struct reader *reader, const struct node *node, void *object)
{
    struct price_table *table = object;
    struct price_host *hosts = NULL;

    if (!reader_expects(reader, node, NODE_MAP) || node->count == 0) {
        return;
    }
    hosts = reader_take(reader, node->count * sizeof *hosts);
    table->hosts = hosts;
    for (const struct node *child = node->first; hosts != NULL && child != NULL;
         child = child->next) {
        struct path path;

        reader_enter(reader, &path, child->key, 0);
        read_host(reader, child, &hosts[table->hosts_count++]);
        reader_leave(reader);
    }
}

/* ---- rows ---- */

static void read_rows(struct reader *reader, const struct node *node, void *object)
{
    struct price_table *table = object;
    struct price *prices = NULL;

    if (!reader_expects(reader, node, NODE_LIST) || node->count == 0) {
        return;
    }
    prices = reader_take(reader, node->count * sizeof *prices);
    table->prices = prices;
    for (const struct node *child = node->first; prices != NULL && child != NULL;
         child = child->next) {
        struct path path;

        reader_enter(reader, &path, span_make(NULL, 0), table->prices_count);
        price_read_row(reader, child, &prices[table->prices_count++]);
        reader_leave(reader);
    }
}

/* ---- the whole ---- */

static void read_version(struct reader *reader, const struct node *node, void *object)
{
    (void)object;
    if (node->kind != NODE_TEXT || !span_equal(node->text, SPAN_OF("1"))) {
        complaint_help(reader_complain(reader, node->place, "must be 1"),
                       "this headgate knows no other version of price files");
    }
}

static void read_date(struct reader *reader, const struct node *node, void *object)
{
    struct price_table *table = object;
    wall_ms at = 0;

    if (price_read_date(reader, node, &at)) {
        (void)price_read_text(reader, node, &table->date);
    }
}

static const struct field rows[] = {
    {.name = "version",
     .type = FIELD_CUSTOM,
     .read = read_version,
     .is_required = true,
     .help = "of the form of price files: 1"},
    {.name = "date", .type = FIELD_CUSTOM, .read = read_date, .help = "of the list as a whole"},
    {.name = "hosts",
     .type = FIELD_CUSTOM,
     .read = read_hosts,
     .help = "whose prices hold at an address: { api.groq.com: groq }"},
    {.name = "prices", .type = FIELD_CUSTOM, .read = read_rows, .help = "the rows"},
};
static const struct field_table fields = FIELD_TABLE(rows);

enum err prices_read(struct span text, struct arena *arena, struct complaints *complaints,
                     struct price_table *table)
{
    struct reader reader = {.complaints = complaints, .arena = arena};
    struct arena nodes;
    struct tree tree;
    enum err err = ERR_NONE;

    *table = (struct price_table){.prices_count = 0};
    complaints_init(complaints);
    arena_init(&nodes, TREE_PRICES_ARENA_MAX);
    err = tree_read_prices(text, &nodes, complaints, &tree);
    if (err == ERR_NONE) {
        reader_map(&reader, tree.root, &fields, table);
        err = reader.has_no_memory || arena->failed ? ERR_MEMORY : ERR_NONE;
    }
    arena_fini(&nodes);
    if (err == ERR_NONE && complaints->count > 0) {
        err = ERR_CONFIG;
    }
    if (err != ERR_NONE) {
        *table = (struct price_table){.prices_count = 0};
    }
    return err;
}
