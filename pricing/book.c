/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by list and name: a table with open places, made once. All rows of a name hang together, the
 * latest first day in front, so that the first valid one is the right one. */
#include "pricing/book.h"

#include <string.h>

#include "base/sip.h"
#include "base/text.h"
#include "pricing/price_text.h"

enum { ROOM_FIRST = 256, SLOTS_FIRST = 64, ROW_TEXT_MAX = 64 * 1024, HASH_DIGITS = 12 };

/* A row under one of its names. */
struct book_link {
    const struct price *price;
    size_t row; /* its number */
    bool is_alias;
    struct book_link *next;
};

struct book_slot {
    struct span list;
    struct span name;
    struct book_link *first; /* NULL: the place is free */
};

/* ---- filling ---- */

void book_init(struct book *book, struct arena *arena)
{
    *book = (struct book){.arena = arena};
}

/* Room for one more pointer; false without memory (the arena remembers). */
static bool make_room(struct arena *arena, const void ***list, size_t count, size_t *room)
{
    size_t more = *room == 0 ? ROOM_FIRST : *room * 2;
    const void **grown = NULL;

    if (count < *room) {
        return true;
    }
    grown = arena_take(arena, more * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    if (count > 0) {
        memcpy(grown, *list, count * sizeof *grown);
    }
    *list = grown;
    *room = more;
    return true;
}

/* Nothing is compared here: rows that replace each other are found when the book is closed. */
static void push(struct book *book, const struct price *price)
{
    const void **rows = (const void **)book->rows;

    if (make_room(book->arena, &rows, book->rows_count, &book->rows_room)) {
        book->rows = (const struct price **)rows;
        book->rows[book->rows_count++] = price;
    }
}

void book_add_host(struct book *book, const struct price_host *host)
{
    const void **hosts = (const void **)book->hosts;

    if (make_room(book->arena, &hosts, book->hosts_count, &book->hosts_room)) {
        book->hosts = (const struct price_host **)hosts;
        book->hosts[book->hosts_count++] = host;
    }
}

void book_add_table(struct book *book, const struct price_table *table)
{
    for (size_t i = 0; i < table->prices_count; i++) {
        push(book, &table->prices[i]);
    }
    for (size_t i = 0; i < table->hosts_count; i++) {
        book_add_host(book, &table->hosts[i]);
    }
    book->table = *table;
    book->hash = table->hash;
}

bool book_began_with(const struct book *book, const struct price *price)
{
    uintptr_t at = (uintptr_t)price;
    uintptr_t first = (uintptr_t)book->table.prices;

    return at >= first && at < first + book->table.prices_count * sizeof *price;
}

void book_add(struct book *book, const struct price *price)
{
    book->hash = price_hash(price, book->hash);
    push(book, price);
}

/* ---- closing ---- */

static uint64_t hash_of(struct span list, struct span name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < list.len; i++) {
        hash = (hash ^ (unsigned char)list.at[i]) * UINT64_C(1099511628211);
    }
    hash = (hash ^ 0xff) * UINT64_C(1099511628211);
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.at[i]) * UINT64_C(1099511628211);
    }
    return hash ^ (hash >> 32);
}

/* The place of this name, or the free one where it would stand. At most half of them are taken. */
static struct book_slot *slot_of(const struct book *book, struct span list, struct span name)
{
    size_t at = (size_t)hash_of(list, name) & (book->slots_count - 1);

    while (book->slots[at].first != NULL &&
           !(span_equal(book->slots[at].name, name) && span_equal(book->slots[at].list, list))) {
        at = (at + 1) & (book->slots_count - 1);
    }
    return &book->slots[at];
}

/* Hangs a row below one of its names; the row that it replaces is gone. */
static void enter(struct book *book, size_t row, struct span name, bool is_alias)
{
    const struct price *price = book->rows[row];
    struct book_slot *slot = slot_of(book, price->list, name);
    struct book_link **at = &slot->first;
    struct book_link *link = NULL;

    while (*at != NULL && (*at)->price->from > price->from) {
        at = &(*at)->next;
    }
    for (link = *at; link != NULL && link->price->from == price->from; link = link->next) {
        if (!is_alias && !link->is_alias) {
            book->rows[link->row] = NULL;
            link->price = price;
            link->row = row;
            return;
        }
    }
    link = arena_take(book->arena, sizeof *link);
    if (link != NULL) {
        *link = (struct book_link){.price = price, .row = row, .is_alias = is_alias, .next = *at};
        *at = link;
        slot->list = price->list;
        slot->name = name;
    }
}

static void squeeze(struct book *book)
{
    size_t kept = 0;

    for (size_t i = 0; i < book->rows_count; i++) {
        if (book->rows[i] != NULL) {
            book->rows[kept++] = book->rows[i];
        }
    }
    book->rows_count = kept;
}

static void write_version(struct book *book)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = book->table.date.len < BOOK_VERSION_MAX - HASH_DIGITS - 2
                     ? book->table.date.len
                     : BOOK_VERSION_MAX - HASH_DIGITS - 2;

    if (len > 0) {
        memcpy(book->version, book->table.date.at, len);
        book->version[len++] = '+';
    }
    for (size_t i = 0; i < HASH_DIGITS; i++) {
        book->version[len++] = digits[(book->hash >> (60 - 4 * i)) & 15];
    }
    book->version[len] = '\0';
}

bool book_close(struct book *book)
{
    size_t names = 0;

    for (size_t i = 0; i < book->rows_count; i++) {
        names += 1 + book->rows[i]->aliases_count;
    }
    for (book->slots_count = SLOTS_FIRST; book->slots_count < names * 2;) {
        book->slots_count *= 2;
    }
    book->slots = arena_take(book->arena, book->slots_count * sizeof *book->slots);
    if (book->slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < book->rows_count; i++) {
        enter(book, i, book->rows[i]->model, false);
    }
    squeeze(book);
    /* Only of rows that are left: who replaces a row says which aliases it has. */
    for (size_t i = 0; i < book->rows_count; i++) {
        for (size_t j = 0; j < book->rows[i]->aliases_count; j++) {
            enter(book, i, book->rows[i]->aliases[j], true);
        }
    }
    write_version(book);
    return !book->arena->failed;
}

struct span book_version(const struct book *book)
{
    return span_of(book->version);
}

/* ---- whose list ---- */

/* Kinds whose provider has one price list wherever it is reached. */
static const struct {
    struct span kind;
    struct span list;
} kinds[] = {
    {SPAN("openai"), SPAN("openai")},
    {SPAN("azure_openai"), SPAN("openai")}, /* the same prices, where a deployment is of type Global Standard */
    {SPAN("anthropic"), SPAN("anthropic")},
    {SPAN("gemini"), SPAN("google")},
    {SPAN("bedrock"), SPAN("bedrock")}, /* none is built in: that of a price file */
};

bool book_has_list(const struct book *book, struct span list)
{
    for (size_t i = 0; i < book->rows_count; i++) {
        if (span_equal(book->rows[i]->list, list)) {
            return true;
        }
    }
    return false;
}

/* The latest word about an address counts. */
static const struct price_host *find_host(const struct book *book, struct span host)
{
    for (size_t i = book->hosts_count; i > 0; i--) {
        if (span_equal_nocase(book->hosts[i - 1]->host, host)) {
            return book->hosts[i - 1];
        }
    }
    return NULL;
}

struct price_place book_place(const struct book *book, struct span name, struct span kind,
                              struct span host)
{
    const struct price_host *known = find_host(book, host);
    struct price_place place = {.list = {NULL, 0}, .region = {NULL, 0}};

    if (known != NULL) {
        place.region = usage_word_span(&known->region);
    }
    if (book_has_list(book, name)) {
        place.list = name;
    } else if (known != NULL) {
        place.list = known->list;
    } else {
        for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
            place.list = span_equal(kinds[i].kind, kind) ? kinds[i].list : place.list;
        }
    }
    return place;
}

/* ---- looking up ---- */

static bool are_digits(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

/* "20YYMMDD" of a day that can be. */
static bool is_day(struct span digits)
{
    unsigned month = 0;
    unsigned day = 0;

    if (digits.len != 8 || !are_digits(digits) || !span_starts(digits, SPAN_OF("20"))) {
        return false;
    }
    month = (unsigned)(digits.at[4] - '0') * 10 + (unsigned)(digits.at[5] - '0');
    day = (unsigned)(digits.at[6] - '0') * 10 + (unsigned)(digits.at[7] - '0');
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

struct span book_undated(struct span model)
{
    enum { SHORT = 9, LONG = 11 };
    struct span tail = {NULL, 0};
    char day[8];

    if (model.len > SHORT) {
        tail = span_from(model, model.len - SHORT);
        if ((tail.at[0] == '-' || tail.at[0] == '@') && is_day(span_from(tail, 1))) {
            return span_make(model.at, model.len - SHORT);
        }
    }
    if (model.len > LONG) {
        tail = span_from(model, model.len - LONG);
        if (tail.at[0] == '-' && tail.at[5] == '-' && tail.at[8] == '-') {
            memcpy(day, tail.at + 1, 4);
            memcpy(day + 4, tail.at + 6, 2);
            memcpy(day + 6, tail.at + 9, 2);
            return is_day(span_make(day, sizeof day)) ? span_make(model.at, model.len - LONG)
                                                      : model;
        }
    }
    return model;
}

static const struct price *find_exact(const struct book *book, struct span list, struct span name,
                                      wall_ms at)
{
    const struct price *by_alias = NULL;

    for (const struct book_link *link = slot_of(book, list, name)->first; link != NULL;
         link = link->next) {
        if (!price_is_valid(link->price, at)) {
            continue;
        }
        if (!link->is_alias) {
            return link->price;
        }
        by_alias = by_alias == NULL ? link->price : by_alias;
    }
    return by_alias;
}

const struct price *book_find(const struct book *book, struct span list, struct span model,
                              wall_ms at)
{
    const struct price *found = NULL;
    struct span undated = {NULL, 0};

    if (list.len == 0 || model.len == 0 || book->slots == NULL) {
        return NULL;
    }
    found = find_exact(book, list, model, at);
    if (found != NULL) {
        return found;
    }
    undated = book_undated(model);
    return undated.len < model.len ? find_exact(book, list, undated, at) : NULL;
}

const struct price *book_find_either(const struct book *book, struct span list,
                                     struct span answered, struct span asked, wall_ms at)
{
    const struct price *found = book_find(book, list, answered, at);

    return found != NULL ? found : book_find(book, list, asked, at);
}

void book_put_row_name(struct buf *out, const struct price *price)
{
    buf_put(out, price->list);
    buf_put_char(out, '/');
    buf_put(out, price->model);
    buf_put_char(out, '@');
    price_put_day(out, price->from);
}
