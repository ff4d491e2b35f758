/* SPDX-License-Identifier: Apache-2.0 */
/* headgate prices import: a price file on stdout, and on stderr what became of the rest. */
#include <stdio.h>

#include "base/money.h"
#include "cli/prices.h"
#include "pricing/import.h"
#include "pricing/price_text.h"
#include "proxy/files.h"

enum {
    FILE_MAX = 64 * 1024 * 1024,
    OUT_MAX = 64 * 1024 * 1024,
    SHOWN_NAMES = 5,
    NAMES_TEXT = 512,
    DIFFERENCES_SHOWN = 100
};

/* What was said of entries, note by note: how often, and the first names. */
struct report {
    size_t counts[IMPORT_NOTES];
    struct buf names[IMPORT_NOTES];
    size_t entries_refused;
    size_t rows;
    size_t rows_new;
    size_t differences;
    struct buf out;     /* the price file */
    struct buf differs; /* lines */
    const struct book *book;
    wall_ms at;
};

/* ---- differences ---- */

static void put_difference(struct report *report, const struct price *price,
                           const struct price_case *column, size_t class, uint32_t ours)
{
    struct buf *out = &report->differs;

    report->differences++;
    if (report->differences > DIFFERENCES_SHOWN) {
        return;
    }
    buf_put_format(out, "  %.*s/%.*s ", SPAN_ARGS(price->list), SPAN_ARGS(price->model));
    price_put_conditions(out, price, column);
    buf_put_format(out, "%s%s ", column->tier + column->region > 0 || column->over >= 0 ? ": " : "",
                   price_class_name((enum token_class) class));
    money_put_per_million(out, column->rates.token[class]);
    buf_put_text(out, ", ours ");
    money_put_per_million(out, ours);
    buf_put_char(out, '\n');
}

/* Their column against ours for the same tier, region and length, where both have one. */
static void compare_column(struct report *report, const struct price *price,
                           const struct price_case *column, const struct price *ours)
{
    struct price_terms terms = {.at = report->at};
    const struct price_case *own = NULL;
    bool is_unpriced = false;

    if (column->tier > 0) {
        terms.tier = price->tiers[column->tier - 1];
    }
    if (column->region > 0) {
        terms.region = price->regions[column->region - 1];
    }
    own = price_choose(ours, &terms, (int64_t)column->over + 1, &is_unpriced);
    for (size_t i = 0; !is_unpriced && i < TOKEN_CLASSES; i++) {
        uint32_t theirs = column->rates.token[i];

        if (theirs != PRICE_ABSENT && own->rates.token[i] != PRICE_ABSENT &&
            theirs != own->rates.token[i]) {
            put_difference(report, price, column, i, own->rates.token[i]);
        }
    }
}

/* ---- what is told ---- */

static void take_row(void *to, const struct price *price)
{
    struct report *report = to;
    const struct price *ours = book_find(report->book, price->list, price->model, report->at);

    report->rows++;
    price_put_row(&report->out, price);
    if (ours == NULL) {
        report->rows_new++;
        return;
    }
    for (size_t i = 0; i < price->counts.cases; i++) {
        compare_column(report, price, &price->cases[i], ours);
    }
}

/* Foreign bytes: nothing of them may move a terminal. */
static void put_name(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len && i < 80; i++) {
        buf_put_char(out, text.at[i] < ' ' || text.at[i] > '~' ? '?' : text.at[i]);
    }
}

static void take_note(void *to, enum import_note note, struct span entry, struct span key)
{
    struct report *report = to;
    struct buf *names = &report->names[note];

    report->counts[note]++;
    if (report->counts[note] > SHOWN_NAMES) {
        return;
    }
    buf_put_text(names, names->len > 0 ? ", " : "");
    put_name(names, entry);
    if (key.len > 0) {
        buf_put_text(names, " (");
        put_name(names, key);
        buf_put_char(names, ')');
    }
}

static void say_notes(const struct report *report, bool refusals)
{
    for (size_t i = 0; i < IMPORT_NOTES; i++) {
        const struct buf *names = &report->names[i];

        if (report->counts[i] > 0 && import_note_is_refusal((enum import_note)i) == refusals) {
            (void)fprintf(stderr, "%6zu  %s: %.*s%s\n", report->counts[i],
                          import_note_text((enum import_note)i), (int)names->len,
                          names->len == 0 ? "" : names->at,
                          report->counts[i] > SHOWN_NAMES ? ", ..." : "");
        }
    }
}

static void say(const struct report *report)
{
    (void)fprintf(stderr, "taken: %zu rows, %zu of them of models that we have no price of\n",
                  report->rows, report->rows_new);
    (void)fprintf(stderr, "not taken:\n");
    say_notes(report, true);
    (void)fprintf(stderr, "parts not taken:\n");
    say_notes(report, false);
    (void)fprintf(stderr, "differs from ours: %zu prices\n%.*s", report->differences,
                  (int)report->differs.len, report->differs.len == 0 ? "" : report->differs.at);
    if (report->differences > DIFFERENCES_SHOWN) {
        (void)fprintf(stderr, "  and %zu more\n", report->differences - DIFFERENCES_SHOWN);
    }
}

/* ---- the command ---- */

static int import(const struct prices_line *line, struct span text, struct report *report)
{
    struct import_hooks hooks = {.row = take_row, .note = take_note, .to = report};
    struct import_terms terms = {.only = span_of(line->provider == NULL ? "" : line->provider),
                                 .source = SPAN_OF("LiteLLM's price map")};
    struct buf day;
    enum err err = ERR_NONE;

    buf_init(&day, 64);
    price_put_day(&day, line->at);
    terms.from = line->at - line->at % 86400000;
    terms.as_of = buf_span(&day);
    buf_put_text(&report->out, "# Made by headgate prices import.\nversion: 1\nprices:\n");
    err = import_litellm(text, &terms, &hooks);
    buf_fini(&day);
    if (err == ERR_FORMAT) {
        (void)fprintf(stderr, "headgate: %s is no JSON object\n", line->words[0]);
        return EXIT_CODE_FOUND;
    }
    if (err != ERR_NONE || report->differs.failed) {
        (void)fprintf(stderr, "headgate: out of memory\n");
        return EXIT_CODE_RUNTIME;
    }
    if (report->rows == 0) {
        buf_clear(&report->out);
    }
    say(report);
    return report->rows == 0 ? EXIT_CODE_FOUND : EXIT_CODE_GOOD;
}

int prices_import(const struct prices_line *line)
{
    struct report report = {.rows = 0};
    struct snapshot *snapshot = NULL;
    struct why why = {.text = ""};
    struct buf path;
    struct buf text;
    int code = settings_load(line->line, &snapshot, &path);

    buf_fini(&path);
    if (code != EXIT_CODE_GOOD) {
        return code;
    }
    report.book = &snapshot->prices;
    report.at = line->at;
    buf_init(&text, FILE_MAX);
    buf_init(&report.out, OUT_MAX);
    buf_init(&report.differs, OUT_MAX);
    for (size_t i = 0; i < IMPORT_NOTES; i++) {
        buf_init(&report.names[i], NAMES_TEXT * 2);
    }
    if (files_read(span_of(line->words[0]), &text, &why) != ERR_NONE) {
        (void)fprintf(stderr, "headgate: cannot read %s\n", why.text);
        code = EXIT_CODE_RUNTIME;
    } else {
        code = import(line, buf_span(&text), &report);
    }
    for (size_t i = 0; i < IMPORT_NOTES; i++) {
        buf_fini(&report.names[i]);
    }
    buf_fini(&report.differs);
    buf_fini(&text);
    snapshot_give(snapshot);
    if (code != EXIT_CODE_GOOD) {
        buf_fini(&report.out);
        return code;
    }
    return prices_write(&report.out);
}
