/* SPDX-License-Identifier: Apache-2.0 */
/* pack_prices FILE: the price file packed (pricing/pack.h), as an array in C, on stdout. Run while headgate is built, so
 * that the program begins with its prices and reads nothing. Exit 1 with every fault of the file. */
#include <stdio.h>
#include <stdlib.h>

#include "conf/prices.h"
#include "pricing/pack.h"
#include "pricing/price_text.h"

enum { TEXT_MAX = 4 * 1024 * 1024 };

static bool read_file(const char *path, struct buf *text)
{
    char step[4096];
    size_t count = 0;
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return false;
    }
    while ((count = fread(step, 1, sizeof step, file)) > 0) {
        buf_put(text, span_make(step, count));
    }
    return fclose(file) == 0 && !text->failed;
}

/* What is written so often is written once, and its place in the list instead. The first turn over the
 * table fills the lists, which are then sorted by how often, since small places take a byte; the second one
 * writes. */
enum { EACH_MAX = 4096 };

struct list {
    struct entry {
        uint64_t number;
        struct span text;
        size_t times;
        size_t seen; /* which one it was */
    } each[EACH_MAX];
    size_t count;
};

static struct list numbers;
static struct list texts;
static struct buf *packed; /* NULL in the first turn */

static void put_varint(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        buf_put_char(out, (char)((value & 0x7f) | 0x80));
    }
    buf_put_char(out, (char)value);
}

static void put_entry(struct list *list, uint64_t number, struct span text)
{
    size_t at = 0;

    while (at < list->count &&
           !(list->each[at].number == number && span_equal(list->each[at].text, text))) {
        at++;
    }
    if (packed != NULL) {
        put_varint(packed, at);
        return;
    }
    must(at < EACH_MAX);
    if (at == list->count) {
        list->count++;
        list->each[at] = (struct entry){number, text, 0, at};
    }
    list->each[at].times++;
}

static void put_number(int64_t number)
{
    put_entry(&numbers, (uint64_t)number, span_of(""));
}

static void put_text(struct span text)
{
    put_entry(&texts, 0, text);
}

/* Those that come equally often stay in the order of the table, so that each build gives the same bytes. */
static int by_times(const void *a, const void *b)
{
    const struct entry *first = a;
    const struct entry *second = b;

    if (first->times != second->times) {
        return first->times < second->times ? 1 : -1;
    }
    return first->seen < second->seen ? -1 : 1;
}

static void put_words(const struct usage_word *words, size_t count)
{
    put_number((int64_t)count);
    for (size_t i = 0; i < count; i++) {
        put_text(usage_word_span(&words[i]));
    }
}

static void put_rates(const struct price_rates *rates)
{
    int64_t priced = 0;

    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        priced |= rates->token[i] == PRICE_ABSENT ? 0 : INT64_C(1) << i;
    }
    priced |= rates->reasoning == PRICE_ABSENT ? 0 : INT64_C(1) << TOKEN_CLASSES;
    put_number(priced);
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        if (rates->token[i] != PRICE_ABSENT) {
            put_number(rates->token[i]);
        }
    }
    if (rates->reasoning != PRICE_ABSENT) {
        put_number(rates->reasoning);
    }
}

static void put_cases(const struct price *price)
{
    put_number(price->counts.cases);
    for (size_t i = 0; i < price->counts.cases; i++) {
        put_number(price->cases[i].tier);
        put_number(price->cases[i].region);
        put_number(price->cases[i].at_hours);
        put_number(price->cases[i].over);
        put_rates(&price->cases[i].rates);
    }
}

static void put_hours(const struct price_hours *hours)
{
    put_number(hours->ranges);
    for (size_t i = 0; i < hours->ranges; i++) {
        put_number(hours->range[i].from);
        put_number(hours->range[i].until);
    }
    put_number(hours->weekdays_only);
    put_number(hours->weekdays_offset);
}

static void put_row(const struct price *price)
{
    put_text(price->list);
    put_text(price->model);
    put_number((int64_t)price->aliases_count);
    for (size_t i = 0; i < price->aliases_count; i++) {
        put_text(price->aliases[i]);
    }
    put_number(price->from);
    put_number(price->until);
    put_number(price->context);
    put_number(price->output_max);
    for (size_t i = 0; i < FEE_KINDS; i++) {
        put_number(price->fees[i]);
    }
    put_words(price->tiers, price->counts.tiers);
    put_words(price->regions, price->counts.regions);
    put_cases(price);
    put_hours(&price->hours);
    put_text(price->source);
    put_text(price->as_of);
    put_number(price->counts.is_unusual);
}

static void put_table(const struct price_table *table)
{
    put_text(table->date);
    put_number((int64_t)table->prices_count);
    put_number((int64_t)table->hosts_count);
    for (size_t i = 0; i < table->prices_count; i++) {
        put_row(&table->prices[i]);
    }
    for (size_t i = 0; i < table->hosts_count; i++) {
        put_text(table->hosts[i].host);
        put_text(table->hosts[i].list);
        put_text(usage_word_span(&table->hosts[i].region));
    }
}

static void pack(const struct price_table *table, struct buf *out)
{
    put_table(table);
    qsort(numbers.each, numbers.count, sizeof *numbers.each, by_times);
    qsort(texts.each, texts.count, sizeof *texts.each, by_times);
    put_varint(out, numbers.count);
    for (size_t i = 0; i < numbers.count; i++) {
        put_varint(out, numbers.each[i].number);
    }
    put_varint(out, texts.count);
    for (size_t i = 0; i < texts.count; i++) {
        put_varint(out, texts.each[i].text.len);
        buf_put(out, texts.each[i].text);
    }
    packed = out;
    put_table(table);
}

static uint64_t hash_of(const struct price_table *table)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < table->prices_count; i++) {
        hash = price_hash(&table->prices[i], hash);
    }
    return hash;
}

/* Whether the bytes give the same table again. */
static bool is_whole(const struct price_table *table, struct buf *bytes, struct arena *arena)
{
    struct price_pack pack = {(const unsigned char *)bytes->at, bytes->len, hash_of(table)};
    struct price_table again;

    return price_unpack(&pack, arena, &again) && again.prices_count == table->prices_count &&
           again.hosts_count == table->hosts_count && hash_of(&again) == pack.hash;
}

static void print(const struct buf *bytes, uint64_t hash)
{
    (void)printf("/* Made from a price file by tools/pack: not to be edited. */\n"
                 "#include \"pricing/pack.h\"\n"
                 "static const unsigned char bytes[] = {");
    for (size_t i = 0; i < bytes->len; i++) {
        (void)printf("%s%u,", i % 32 == 0 ? "\n" : "", (unsigned char)bytes->at[i]);
    }
    (void)printf("\n};\nconst struct price_pack price_builtin = {bytes, sizeof bytes, UINT64_C(0x%llx)};\n",
                 (unsigned long long)hash);
}

int main(int count, char **values)
{
    static struct complaints complaints;
    struct price_table table;
    struct arena arena;
    struct buf text;
    struct buf out;
    int failed = 1;

    buf_init(&text, TEXT_MAX);
    buf_init(&out, TEXT_MAX);
    arena_init(&arena, PRICES_ARENA_MAX);
    if (count != 2 || !read_file(values[1], &text)) {
        (void)fprintf(stderr, "pack_prices: cannot read the price file\n");
    } else if (prices_read(buf_span(&text), &arena, &complaints, &table) != ERR_NONE) {
        complaints_print(&complaints, span_of(values[1]), buf_span(&text), &out);
        (void)fwrite(out.at, 1, out.len, stderr);
    } else {
        buf_clear(&out);
        pack(&table, &out);
        if (out.failed || !is_whole(&table, &out, &arena)) {
            (void)fprintf(stderr, "pack_prices: what is packed does not unpack to the same\n");
        } else {
            print(&out, hash_of(&table));
            failed = ferror(stdout) != 0;
        }
    }
    arena_fini(&arena);
    buf_fini(&text);
    buf_fini(&out);
    return failed;
}
