/* SPDX-License-Identifier: Apache-2.0 */
/* pack_prices FILE: the price file as constant tables in C, on stdout. Run while headgate is built, so
 * that the program begins with its prices and reads nothing. Exit 1 with every fault of the file. */
#include <stdio.h>
#include <stdlib.h>

#include "conf/prices.h"
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

static void put_text(struct span text)
{
    (void)printf("SPAN(\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '?') {
            (void)printf("\\%03o", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)printf("\")");
}

static void put_words(const char *name, size_t row, const struct usage_word *words, size_t count)
{
    if (count == 0) {
        return;
    }
    (void)printf("static const struct usage_word %s%zu[] = {", name, row);
    for (size_t i = 0; i < count; i++) {
        (void)printf("{\"%.*s\", %u}, ", (int)words[i].len, words[i].text, words[i].len);
    }
    (void)printf("};\n");
}

static void put_case(const struct price_case *column)
{
    (void)printf("    {%u, %u, %d, %ld, {{", column->tier, column->region, column->at_hours,
                 (long)column->over);
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        (void)printf("%luU, ", (unsigned long)column->rates.token[i]);
    }
    (void)printf("}, %luU}},\n", (unsigned long)column->rates.reasoning);
}

static void put_parts(size_t row, const struct price *price)
{
    put_words("tiers", row, price->tiers, price->counts.tiers);
    put_words("regions", row, price->regions, price->counts.regions);
    if (price->aliases_count > 0) {
        (void)printf("static const struct span aliases%zu[] = {", row);
        for (size_t i = 0; i < price->aliases_count; i++) {
            put_text(price->aliases[i]);
            (void)printf(", ");
        }
        (void)printf("};\n");
    }
    (void)printf("static const struct price_case cases%zu[] = {\n", row);
    for (size_t i = 0; i < price->counts.cases; i++) {
        put_case(&price->cases[i]);
    }
    (void)printf("};\n");
}

static void put_time(wall_ms at)
{
    if (at == INT64_MIN) {
        (void)printf("INT64_MIN");
    } else if (at == INT64_MAX) {
        (void)printf("INT64_MAX");
    } else {
        (void)printf("INT64_C(%lld)", (long long)at);
    }
}

static void put_pointer(const char *name, size_t row, size_t count)
{
    if (count == 0) {
        (void)printf("NULL");
    } else {
        (void)printf("%s%zu", name, row);
    }
}

static void put_hours(const struct price_hours *hours)
{
    (void)printf(", {{");
    for (size_t i = 0; i < hours->ranges; i++) {
        (void)printf("{%u, %u}, ", hours->range[i].from, hours->range[i].until);
    }
    (void)printf("%s}, %u, %d, %d}, ", hours->ranges == 0 ? "{0, 0}" : "", hours->ranges,
                 hours->weekdays_only, hours->weekdays_offset);
}

static void put_row(size_t row, const struct price *price)
{
    (void)printf("    {");
    put_text(price->list);
    (void)printf(", ");
    put_text(price->model);
    (void)printf(", ");
    put_pointer("aliases", row, price->aliases_count);
    (void)printf(", %zu, ", price->aliases_count);
    put_time(price->from);
    (void)printf(", ");
    put_time(price->until);
    (void)printf(", %lld, %lld, {", (long long)price->context, (long long)price->output_max);
    for (size_t i = 0; i < FEE_KINDS; i++) {
        (void)printf("INT64_C(%lld), ", (long long)price->fees[i]);
    }
    (void)printf("}, ");
    put_pointer("tiers", row, price->counts.tiers);
    (void)printf(", ");
    put_pointer("regions", row, price->counts.regions);
    (void)printf(", cases%zu", row);
    put_hours(&price->hours);
    put_text(price->source);
    (void)printf(", ");
    put_text(price->as_of);
    (void)printf(", {%u, %u, %u, %d}},\n", price->counts.tiers, price->counts.regions,
                 price->counts.cases, price->counts.is_unusual);
}

static void put_table(const struct price_table *table)
{
    uint64_t hash = 0;

    (void)printf("/* Made from a price file by tools/pack: not to be edited. */\n"
                 "#include \"pricing/book.h\"\n");
    for (size_t i = 0; i < table->prices_count; i++) {
        hash = price_hash(&table->prices[i], hash);
        put_parts(i, &table->prices[i]);
    }
    (void)printf("static const struct price prices[] = {\n");
    for (size_t i = 0; i < table->prices_count; i++) {
        put_row(i, &table->prices[i]);
    }
    (void)printf("};\nstatic const struct price_host hosts[] = {\n");
    for (size_t i = 0; i < table->hosts_count; i++) {
        const struct price_host *host = &table->hosts[i];

        (void)printf("    {");
        put_text(host->host);
        (void)printf(", ");
        put_text(host->list);
        (void)printf(", {\"%.*s\", %u}},\n", (int)host->region.len, host->region.text,
                     host->region.len);
    }
    (void)printf("};\nconst struct price_table price_builtin = {");
    put_text(table->date);
    (void)printf(", prices, %zu, hosts, %zu, UINT64_C(0x%llx)};\n", table->prices_count,
                 table->hosts_count, (unsigned long long)hash);
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
        put_table(&table);
        failed = ferror(stdout) != 0;
    }
    arena_fini(&arena);
    buf_fini(&text);
    buf_fini(&out);
    return failed;
}
