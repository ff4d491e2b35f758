/* SPDX-License-Identifier: Apache-2.0 */
/* headgate prices list, show and check: the book of the settings, as tables. */
#include <stdio.h>

#include "base/money.h"
#include "cli/prices.h"
#include "conf/prices.h"
#include "conf/tree.h"
#include "pricing/price_text.h"
#include "proxy/files.h"
#include "wire/json_out.h"

enum { OUT_MAX = 16 * 1024 * 1024, NAME_MAX = 512, NUMBER_WIDTH = 9 };

/* ---- the book ---- */

static int load(const struct prices_line *line, struct snapshot **snapshot)
{
    struct buf path;
    int code = settings_load(line->line, snapshot, &path);

    buf_fini(&path);
    return code;
}

static void pad(struct buf *out, size_t from, size_t width)
{
    for (size_t len = out->len - from; len < width; len++) {
        buf_put_char(out, ' ');
    }
}

/* A price, right-justified; a dash for none. */
static void put_price(struct buf *out, uint32_t price)
{
    struct buf text;

    buf_init(&text, 64);
    if (price == PRICE_ABSENT) {
        buf_put_char(&text, '-');
    } else {
        money_put_per_million(&text, price);
    }
    for (size_t len = text.len; len < NUMBER_WIDTH; len++) {
        buf_put_char(out, ' ');
    }
    buf_put_char(out, ' ');
    buf_put(out, buf_span(&text));
    buf_fini(&text);
}

/* ---- list ---- */

static bool is_in_force(const struct book *book, const struct price *price, wall_ms at)
{
    return book_find(book, price->list, price->model, at) == price;
}

static bool has_long(const struct price *price)
{
    for (size_t i = 0; i < price->counts.cases; i++) {
        if (price->cases[i].over != PRICE_ANY_PROMPT) {
            return true;
        }
    }
    return false;
}

static void put_extras(struct buf *out, const struct price *price)
{
    buf_put_text(out, has_long(price) ? " long" : "");
    for (size_t i = 0; i < price->counts.tiers; i++) {
        buf_put_char(out, ' ');
        buf_put(out, usage_word_span(&price->tiers[i]));
    }
    for (size_t i = 0; i < price->counts.regions; i++) {
        buf_put_char(out, ' ');
        buf_put(out, usage_word_span(&price->regions[i]));
    }
    buf_put_text(out, price->hours.ranges > 0 ? " hours" : "");
}

static void put_line(struct buf *out, const struct price *price)
{
    const struct price_rates *rates = &price->cases[0].rates;
    size_t start = out->len;

    buf_put(out, price->list);
    buf_put_char(out, '/');
    buf_put(out, price->model);
    pad(out, start, 44);
    put_price(out, rates->token[TOKENS_INPUT]);
    put_price(out, rates->token[TOKENS_CACHE_READ]);
    put_price(out, rates->token[TOKENS_OUTPUT]);
    buf_put_char(out, ' ');
    put_extras(out, price);
    buf_put_char(out, '\n');
}

static void put_json_price(struct json_out *json, const char *key, uint32_t price)
{
    struct buf text;

    if (price == PRICE_ABSENT) {
        return;
    }
    buf_init(&text, 64);
    money_put_per_million(&text, price);
    json_key(json, key);
    json_string(json, buf_span(&text));
    buf_fini(&text);
}

static void put_json_day(struct json_out *json, const char *key, wall_ms at)
{
    struct buf text;

    buf_init(&text, 64);
    price_put_day(&text, at);
    if (text.len > 0) {
        json_key(json, key);
        json_string(json, buf_span(&text));
    }
    buf_fini(&text);
}

static void put_json_column(struct json_out *json, const struct price *price,
                            const struct price_case *column)
{
    if (column->tier > 0) {
        json_key(json, "tier");
        json_string(json, usage_word_span(&price->tiers[column->tier - 1]));
    }
    if (column->region > 0) {
        json_key(json, "region");
        json_string(json, usage_word_span(&price->regions[column->region - 1]));
    }
    if (column->at_hours) {
        json_key(json, "hours");
        json_bool(json, true);
    }
    if (column->over != PRICE_ANY_PROMPT) {
        json_key(json, "over");
        json_i64(json, column->over);
    }
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        put_json_price(json, price_class_name((enum token_class)i), column->rates.token[i]);
    }
    put_json_price(json, "reasoning", column->rates.reasoning);
}

static void put_json_row(struct json_out *json, const struct price *price)
{
    json_open_object(json);
    json_key(json, "provider");
    json_string(json, price->list);
    json_key(json, "model");
    json_string(json, price->model);
    put_json_day(json, "valid_from", price->from);
    put_json_day(json, "valid_until", price->until);
    json_key(json, "prices");
    json_open_array(json);
    for (size_t i = 0; i < price->counts.cases; i++) {
        json_open_object(json);
        put_json_column(json, price, &price->cases[i]);
        json_close_object(json);
    }
    json_close_array(json);
    if (price->context >= 0) {
        json_key(json, "context");
        json_i64(json, price->context);
    }
    if (price->output_max >= 0) {
        json_key(json, "max_output");
        json_i64(json, price->output_max);
    }
    json_key(json, "source");
    json_string(json, price->source);
    json_key(json, "as_of");
    json_string(json, price->as_of);
    json_close_object(json);
}

static size_t put_list(struct buf *out, const struct prices_line *line, const struct book *book)
{
    struct span only = span_of(line->words_count > 0 ? line->words[0] : "");
    struct json_out json;
    size_t count = 0;

    json_out_init(&json, out);
    if (line->wants_json) {
        json_open_array(&json);
    } else {
        buf_put_format(out, "%-44s %9s %9s %9s   also\n", "USD per million tokens", "input",
                       "cached", "output");
    }
    for (size_t i = 0; i < book->rows_count; i++) {
        const struct price *price = book->rows[i];

        if ((only.len > 0 && !span_equal(only, price->list)) ||
            !is_in_force(book, price, line->at)) {
            continue;
        }
        count++;
        if (line->wants_json) {
            put_json_row(&json, price);
        } else {
            put_line(out, price);
        }
    }
    if (line->wants_json) {
        json_close_array(&json);
        buf_put_char(out, '\n');
    }
    return count;
}

int prices_list(const struct prices_line *line)
{
    struct snapshot *snapshot = NULL;
    struct buf out;
    size_t count = 0;
    int code = load(line, &snapshot);

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    buf_init(&out, OUT_MAX);
    count = put_list(&out, line, &snapshot->prices);
    snapshot_give(snapshot);
    if (count == 0 && line->words_count > 0) {
        (void)fprintf(stderr, "headgate: no prices of a provider %s\n", line->words[0]);
        buf_fini(&out);
        return EXIT_CODE_FOUND;
    }
    return prices_write(&out);
}

/* ---- show ---- */

static bool goes_by(const struct price *price, struct span model)
{
    bool is_it = span_equal(price->model, model);

    for (size_t i = 0; i < price->aliases_count; i++) {
        is_it = is_it || span_equal(price->aliases[i], model);
    }
    return is_it;
}

static void put_columns(struct buf *out, const struct price *price)
{
    for (size_t i = 0; i < price->counts.cases; i++) {
        const struct price_case *column = &price->cases[i];
        size_t start = out->len;

        buf_put_text(out, "    ");
        if (i == 0) {
            buf_put_text(out, "standard");
        }
        price_put_conditions(out, price, column);
        pad(out, start, 34);
        for (size_t j = 0; j < TOKEN_CLASSES; j++) {
            if (column->rates.token[j] != PRICE_ABSENT) {
                buf_put_format(out, " %s ", price_class_name((enum token_class)j));
                money_put_per_million(out, column->rates.token[j]);
            }
        }
        if (column->rates.reasoning != PRICE_ABSENT) {
            buf_put_text(out, " reasoning ");
            money_put_per_million(out, column->rates.reasoning);
        }
        buf_put_char(out, '\n');
    }
}

static void put_row(struct buf *out, const struct price *price, bool is_in_force_now)
{
    buf_put_text(out, is_in_force_now ? "* " : "  ");
    buf_put(out, price->list);
    buf_put_char(out, '/');
    buf_put(out, price->model);
    if (price->from != INT64_MIN) {
        buf_put_text(out, " from ");
        price_put_day(out, price->from);
    }
    if (price->until != INT64_MAX) {
        buf_put_text(out, " until ");
        price_put_day(out, price->until);
    }
    buf_put_text(out, is_in_force_now ? " (in force)\n" : "\n");
    put_columns(out, price);
    for (size_t i = 0; i < FEE_KINDS; i++) {
        if (price->fees[i] >= 0) {
            buf_put_format(out, "    %s ", price_fee_name((enum fee_kind)i));
            money_put_per_thousand(out, price->fees[i]);
            buf_put_text(out, " per thousand uses\n");
        }
    }
    if (price->context >= 0) {
        buf_put_format(out, "    context %lld tokens\n", (long long)price->context);
    }
    buf_put_format(out, "    source: %.*s, %.*s\n", SPAN_ARGS(price->source),
                   SPAN_ARGS(price->as_of));
}

/* "groq/openai/gpt-oss-20b" is a list and a model, "openai/gpt-oss-20b" may be a model alone. */
static void split(const struct book *book, struct span words, struct span *list, struct span *model)
{
    struct span rest = words;
    struct span first = span_cut(&rest, '/');

    *list = span_make("", 0);
    *model = words;
    if (rest.at != NULL && rest.len > 0 && book_has_list(book, first)) {
        *list = first;
        *model = rest;
    }
}

static size_t put_rows(struct buf *out, const struct prices_line *line, const struct book *book,
                       struct span list, struct span model)
{
    size_t count = 0;

    for (size_t i = 0; i < book->rows_count; i++) {
        const struct price *price = book->rows[i];

        if ((list.len == 0 || span_equal(list, price->list)) && goes_by(price, model)) {
            put_row(out, price, book_find(book, price->list, model, line->at) == price);
            count++;
        }
    }
    return count;
}

int prices_show(const struct prices_line *line)
{
    struct snapshot *snapshot = NULL;
    struct span list = {NULL, 0};
    struct span model = {NULL, 0};
    struct span words = span_of(line->words[0]);
    struct buf out;
    size_t count = 0;
    int code = load(line, &snapshot);

    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    buf_init(&out, OUT_MAX);
    split(&snapshot->prices, words, &list, &model);
    count = put_rows(&out, line, &snapshot->prices, list, model);
    if (count == 0 && list.len > 0) { /* then it is all a name */
        count = put_rows(&out, line, &snapshot->prices, span_make("", 0), words);
    }
    if (count == 0) {
        count = put_rows(&out, line, &snapshot->prices, list, book_undated(model));
    }
    snapshot_give(snapshot);
    if (count == 0) {
        (void)fprintf(stderr, "headgate: no price of %s: it is unpriced\n", line->words[0]);
        buf_fini(&out);
        return EXIT_CODE_FOUND;
    }
    return prices_write(&out);
}

/* ---- check ---- */

static int check_file(const char *path)
{
    static struct complaints complaints;
    struct price_table table;
    struct why why = {.text = ""};
    struct arena arena;
    struct buf text;
    int code = EXIT_CODE_GOOD;
    enum err err = ERR_NONE;

    buf_init(&text, TREE_PRICES_BYTES_MAX + 1);
    arena_init(&arena, PRICES_ARENA_MAX);
    if (files_read(span_of(path), &text, &why) != ERR_NONE) {
        (void)fprintf(stderr, "headgate: error: cannot read the price file: %s\n", why.text);
        code = EXIT_CODE_CONFIG;
    } else {
        err = prices_read(buf_span(&text), &arena, &complaints, &table);
    }
    if (err == ERR_CONFIG) {
        settings_show(&complaints, span_of(path), buf_span(&text));
        code = EXIT_CODE_CONFIG;
    } else if (err != ERR_NONE) {
        (void)fprintf(stderr, "headgate: out of memory\n");
        code = EXIT_CODE_RUNTIME;
    } else if (code == EXIT_CODE_GOOD) {
        (void)printf("price file OK: %s, %zu rows\n", path, table.prices_count);
    }
    arena_fini(&arena);
    buf_fini(&text);
    return code;
}

/* A row of one's own that says no first day stands behind ours that have one: mostly a mistake. */
static void warn_of_hidden(const struct book *book, wall_ms at)
{
    for (size_t i = 0; i < book->rows_count; i++) {
        const struct price *own = book->rows[i];
        const struct price *ours = book_find(book, own->list, own->model, at);
        struct buf day;

        if (book_began_with(book, own) || !price_is_valid(own, at) || ours == NULL ||
            !book_began_with(book, ours)) {
            continue;
        }
        buf_init(&day, 64);
        price_put_day(&day, ours->from);
        (void)printf(
            "note: the row of %.*s/%.*s in your files is not in force: ours begins later, on "
            "%.*s; give yours a valid_from of that day\n",
            SPAN_ARGS(own->list), SPAN_ARGS(own->model), SPAN_ARGS(buf_span(&day)));
        buf_fini(&day);
    }
}

int prices_check(const struct prices_line *line)
{
    struct snapshot *snapshot = NULL;
    int code = EXIT_CODE_GOOD;

    for (int i = 0; i < line->words_count; i++) {
        int own = check_file(line->words[i]);

        code = own == EXIT_CODE_GOOD ? code : own;
    }
    if (line->words_count > 0) {
        return code;
    }
    code = load(line, &snapshot);
    if (code == EXIT_CODE_GOOD) {
        (void)printf("prices OK: version %.*s, %zu rows\n",
                     SPAN_ARGS(book_version(&snapshot->prices)), snapshot->prices.rows_count);
        warn_of_hidden(&snapshot->prices, line->at);
        snapshot_give(snapshot);
    }
    return code;
}
