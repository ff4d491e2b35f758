/* SPDX-License-Identifier: Apache-2.0 */
/* prices: files, unpriced. The program's own rows first, then the files in their order. */
#include "conf/section.h"

#include "base/mem.h"
#include "conf/beside.h"
#include "conf/prices.h"
#include "pricing/pack.h"

enum { FILES_MAX = 64 };

void prices_begin(struct snapshot *snapshot)
{
    struct price_table table;

    book_init(&snapshot->prices, &snapshot->arena);
    /* Without memory the book cannot be closed either, and that is told. */
    if (price_unpack(&price_builtin, &snapshot->arena, &table)) {
        book_add_table(&snapshot->prices, &table);
    }
}

void prices_end(struct reader *reader)
{
    struct book *book = &reader->snapshot->prices;

    if (!book_close(book)) {
        reader->has_no_memory = true;
        return;
    }
    for (size_t i = 0; i < reader->snapshot->routing.providers_count; i++) {
        struct provider *provider = &reader->providers[i];

        if (provider->kind != NULL) {
            provider->prices = book_place(book, provider->name, span_of(provider->kind->name),
                                          provider->endpoint.host);
        }
    }
}

static void take_file(struct reader *reader, const struct node *node, struct span path,
                      struct span text)
{
    struct book *book = &reader->snapshot->prices;
    struct complaints *complaints = mem_take(sizeof *complaints);
    struct price_table table;
    enum err err = ERR_MEMORY;

    if (complaints != NULL) {
        err = prices_read(text, reader->arena, complaints, &table);
    }
    if (err == ERR_CONFIG) {
        beside_complain(reader, node, complaints, "headgate prices check ", path);
    } else if (err != ERR_NONE) {
        reader->has_no_memory = true;
    }
    for (size_t i = 0; err == ERR_NONE && i < table.prices_count; i++) {
        book_add(book, &table.prices[i]);
    }
    for (size_t i = 0; err == ERR_NONE && i < table.hosts_count; i++) {
        book_add_host(book, &table.hosts[i]);
    }
    mem_give(complaints, sizeof *complaints);
}

static bool read_file(struct reader *reader, const struct node *node, struct span name, void *item)
{
    struct buf path;
    struct buf text;

    (void)item;
    buf_init(&path, BESIDE_PATH_MAX);
    buf_init(&text, TREE_PRICES_BYTES_MAX + 1);
    beside_path(reader, name, &path);
    if (beside_read(reader, node, &path, "", &text)) {
        take_file(reader, node, buf_span(&path), buf_span(&text));
    }
    buf_fini(&text);
    buf_fini(&path);
    return false; /* there is nothing to keep in the list */
}

static void read_files(struct reader *reader, const struct node *node, void *object)
{
    void *items = NULL;
    size_t count = 0;

    (void)object;
    if (node->kind == NODE_LIST && node->count > FILES_MAX) {
        reader_complain(reader, node->place, "must be at most 64 files");
        return;
    }
    reader_items(reader, node, read_file, 1, &items, &count);
}

static const struct span unpriced_words[] = {SPAN("refuse"), SPAN("allow")};

static const struct field inner[] = {
    {.name = "files",
     .type = FIELD_CUSTOM,
     .read = read_files,
     .help = "price files of your own, beside the settings; later ones stand above earlier ones"},
    {.name = "unpriced",
     .type = FIELD_WORD,
     .place = offsetof(struct snapshot, unpriced),
     .words = unpriced_words,
     .words_count = ARRAY_LENGTH(unpriced_words),
     .initial = "refuse",
     .help = "calls of models without a price, where a budget of money is enforced"},
};

static const struct field_table prices_fields = FIELD_TABLE(inner);

static const struct field fields[] = {
    {.name = "prices", .type = FIELD_MAP, .inner = &prices_fields, .help = "what models cost"},
};

const struct field_table section_prices = FIELD_TABLE(fields);
