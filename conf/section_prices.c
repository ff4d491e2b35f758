/* SPDX-License-Identifier: Apache-2.0 */
/* prices: files, unpriced. The program's own rows first, then the files in their order. */
#include "conf/section.h"

#include "base/mem.h"
#include "conf/prices.h"

enum { FILES_MAX = 64, PATH_TEXT_MAX = 192 * 1024, SNIPPET = 160 };

void prices_begin(struct snapshot *snapshot)
{
    book_init(&snapshot->prices, &snapshot->arena);
    book_add_table(&snapshot->prices, &price_builtin);
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

/* What is wrong in another file is told at its name, the first fault alone: its lines are not ours.
 */
static void complain_of_file(struct reader *reader, const struct node *node, struct span path,
                             const struct complaints *complaints)
{
    const struct complaint *first = &complaints->list[0];
    size_t more = complaints->count + complaints->more - 1;
    struct complaint *complaint = NULL;

    if (more == 0) {
        complaint =
            reader_complain(reader, node->place, "line %u, column %u: %.*s", (unsigned)first->line,
                            (unsigned)first->column, SNIPPET, first->text);
    } else {
        complaint = reader_complain(reader, node->place, "line %u, column %u: %.*s (and %zu more)",
                                    (unsigned)first->line, (unsigned)first->column, SNIPPET,
                                    first->text, more);
    }
    complaint_help(complaint, "headgate prices check %.*s shows all of it", SPAN_ARGS(path));
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
        complain_of_file(reader, node, path, complaints);
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

/* Names are relative to the settings, not to where headgate was started. */
static void put_path(const struct reader *reader, struct span name, struct buf *path)
{
    size_t folder = reader->file_name.len;

    while (folder > 0 && reader->file_name.at[folder - 1] != '/') {
        folder--;
    }
    if (name.at[0] != '/') {
        buf_put(path, span_make(reader->file_name.at, folder));
    }
    buf_put(path, name);
}

static bool read_file(struct reader *reader, const struct node *node, struct span name, void *item)
{
    struct why why = {""};
    struct buf path;
    struct buf text;
    enum err err = ERR_NONE;

    (void)item;
    buf_init(&path, PATH_TEXT_MAX);
    buf_init(&text, TREE_PRICES_BYTES_MAX + 1);
    put_path(reader, name, &path);
    err = path.failed ? ERR_MEMORY
                      : reader->world->file(reader->world->to, buf_span(&path), &text, &why);
    if (err == ERR_MEMORY) {
        reader->has_no_memory = true;
    } else if (err != ERR_NONE) {
        reader_complain(reader, node->place, "cannot be read: %s", why.text);
    } else {
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
