/* SPDX-License-Identifier: Apache-2.0 */
/* The table as lines of text. Where the terminal is narrow it has fewer windows of time, where it
 * is low fewer rows. */
#include <stdint.h>

#include "base/text.h"
#include "cli/top.h"

enum { LINE_MAX_BYTES = 512, NAME_WIDTH_MIN = 16, WINDOW_WIDTH = 39, FRAME_LINES = 5 };

/* Where lines go, and what they may take of it. */
struct paper {
    struct buf *out;
    size_t width; /* 0: any */
    size_t left;  /* lines */
};

/* A line that is being put together; in its own room, so that it can be cut. */
struct line {
    char bytes[LINE_MAX_BYTES];
    struct buf text;
};

static void line_begin(struct line *line)
{
    line->text = (struct buf){.at = line->bytes, .cap = LINE_MAX_BYTES, .max = LINE_MAX_BYTES};
}

static void line_end(struct line *line, struct paper *paper)
{
    struct span text = buf_span(&line->text);

    while (text.len > 0 && text.at[text.len - 1] == ' ') {
        text.len--;
    }
    text.len = paper->width > 0 && text.len > paper->width ? paper->width : text.len;
    if (paper->left > 0) {
        paper->left--;
        buf_put(paper->out, text);
        buf_put_char(paper->out, '\n');
    }
}

/* ---- figures ---- */

/* At most six letters: 99999, 123.4k, 12.3M. */
static void put_count(struct buf *out, int width, int64_t count)
{
    static const char letters[] = "kMGTP";
    char bytes[32];
    struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    size_t i = 0;
    int64_t tenths = 0;

    if (count >= 0 && count < 100000) {
        buf_put_format(out, "%*lld", width, (long long)count);
        return;
    }
    for (tenths = count / 100; tenths >= 10000 && i + 2 < sizeof letters; i++) {
        tenths /= 1000;
    }
    buf_put_format(&text, "%lld.%lld%c", (long long)(tenths / 10), (long long)(tenths % 10),
                   letters[i]);
    buf_put_format(out, "%*.*s", width, SPAN_ARGS(buf_span(&text)));
}

/* Micro-dollars, cents above a thousand. Rounded up: what cost something is no zero. */
static void put_cost(struct buf *out, int64_t nano)
{
    int64_t micro = nano / 1000 + (nano % 1000 > 0 ? 1 : 0);

    if (micro < INT64_C(1000000000)) {
        buf_put_format(out, "%4lld.%06lld", (long long)(micro / 1000000),
                       (long long)(micro % 1000000));
    } else {
        buf_put_format(out, "%8lld.%02lld", (long long)(micro / 1000000),
                       (long long)(micro / 10000 % 100));
    }
}

static void put_sums(struct buf *out, const struct top_sums *sums)
{
    put_count(out, 7, sums->of[TOP_CALLS]);
    put_count(out, 7, sums->of[TOP_ERRORS]);
    put_count(out, 7, sums->of[TOP_INPUT]);
    put_count(out, 7, sums->of[TOP_OUTPUT]);
    put_cost(out, sums->of[TOP_COST]);
}

/* ---- heads ---- */

static void put_clock(struct buf *out, int64_t at, int64_t now)
{
    char bytes[32];
    struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    text_put_rfc3339(&text, at * 1000);
    /* "2026-11-20T15:04:05.123Z": with its day where that is another one. */
    if (now - at >= 86400) {
        buf_put(out, span_make(bytes, 10));
        buf_put_char(out, ' ');
    }
    buf_put(out, span_make(bytes + 11, 5));
}

static void put_window_name(struct buf *out, const struct top_table *table, enum top_window window)
{
    char bytes[64];
    struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    int64_t quarter = QUARTER_MS / 1000;

    buf_put_text(&text, window == TOP_MINUTE ? "last minute" : "since ");
    if (window == TOP_HOUR) {
        put_clock(&text, table->hour, table->now);
    } else if (window == TOP_START) {
        put_clock(&text, (table->start - 1) / quarter * quarter, table->now);
        buf_put_text(&text, " (start)");
    }
    buf_put_format(out, "%*.*s", WINDOW_WIDTH, SPAN_ARGS(buf_span(&text)));
}

static void put_uptime(struct buf *out, int64_t seconds)
{
    buf_put_format(out, "%lldd%02lld:%02lld:%02lld", (long long)(seconds / 86400),
                   (long long)(seconds / 3600 % 24), (long long)(seconds / 60 % 60),
                   (long long)(seconds % 60));
}

static void draw_process(const struct top_table *table, struct paper *paper)
{
    struct line line;

    line_begin(&line);
    buf_put_format(&line.text, "headgate %s  %s  up ", table->version, table->state);
    put_uptime(&line.text, table->now - table->start);
    buf_put_format(&line.text, "  %lld in flight  ", (long long)table->calls_in_flight);
    put_clock(&line.text, table->now, table->now);
    buf_put_format(&line.text, ":%02lld UTC", (long long)(table->now % 60));
    line_end(&line, paper);
}

/* ---- the whole ---- */

struct layout {
    enum top_window windows[TOP_WINDOWS];
    size_t windows_count;
    size_t name_width;
};

static struct layout lay_out(const struct top_table *table, size_t width)
{
    struct layout layout = {.name_width = NAME_WIDTH_MIN};
    size_t fit = width == 0 ? TOP_WINDOWS : width / WINDOW_WIDTH;
    size_t most = TOP_NAME_MAX;

    while (width > 0 && fit > 1 && fit * WINDOW_WIDTH + NAME_WIDTH_MIN > width) {
        fit--;
    }
    layout.windows[layout.windows_count++] = TOP_MINUTE;
    if (fit >= TOP_WINDOWS) {
        layout.windows[layout.windows_count++] = TOP_HOUR;
    }
    if (fit > 1) {
        layout.windows[layout.windows_count++] = TOP_START;
    }
    if (width > 0) {
        size_t taken = layout.windows_count * WINDOW_WIDTH;

        most = width > taken + NAME_WIDTH_MIN ? width - taken : NAME_WIDTH_MIN;
    }
    for (size_t i = 0; i < table->rows_count; i++) {
        if (table->rows[i].name_len > layout.name_width) {
            layout.name_width = table->rows[i].name_len;
        }
    }
    layout.name_width = layout.name_width < most ? layout.name_width : most;
    return layout;
}

static void draw_heads(const struct top_table *table, const struct layout *layout,
                       struct paper *paper)
{
    struct line line;
    struct line names;

    line_begin(&line);
    line_begin(&names);
    for (size_t i = 0; i < table->by_count; i++) {
        buf_put_text(&names.text, i > 0 ? "/" : "");
        buf_put(&names.text, dimension_names[table->by[i]]);
    }
    buf_put_format(&line.text, "%*s", (int)layout->name_width, "");
    for (size_t i = 0; i < layout->windows_count; i++) {
        put_window_name(&line.text, table, layout->windows[i]);
    }
    line_end(&line, paper);
    names.text.len = names.text.len < layout->name_width ? names.text.len : layout->name_width;
    line_begin(&line);
    buf_put_format(&line.text, "%-*.*s", (int)layout->name_width, SPAN_ARGS(buf_span(&names.text)));
    for (size_t i = 0; i < layout->windows_count; i++) {
        buf_put_format(&line.text, "%7s%7s%7s%7s%11s", "calls", "errors", "in", "out", "USD");
    }
    line_end(&line, paper);
}

static void draw_row(const struct top_row *row, const struct layout *layout, struct paper *paper)
{
    struct line line;
    size_t len = row->name_len < layout->name_width ? row->name_len : layout->name_width;

    line_begin(&line);
    buf_put_format(&line.text, "%-*.*s", (int)layout->name_width, (int)len, row->name);
    for (size_t i = 0; i < layout->windows_count; i++) {
        put_sums(&line.text, &row->windows[layout->windows[i]]);
    }
    line_end(&line, paper);
}

/* Whether `a` stands above `b`: by what it cost and called in the last minute, then since the
 * start. */
static bool is_above(const struct top_row *a, const struct top_row *b)
{
    static const enum top_window windows[] = {TOP_MINUTE, TOP_START};
    static const enum top_figure figures[] = {TOP_COST, TOP_CALLS};

    for (size_t i = 0; i < 4; i++) {
        int64_t x = a->windows[windows[i / 2]].of[figures[i % 2]];
        int64_t y = b->windows[windows[i / 2]].of[figures[i % 2]];

        if (x != y) {
            return x > y;
        }
    }
    return false;
}

/* The rows' order, without the total. */
static size_t sort_rows(const struct top_table *table, const struct top_row *order[TOP_ROWS_MAX])
{
    size_t count = 0;

    for (size_t i = 1; i < table->rows_count; i++) {
        size_t k = count++;

        for (; k > 0 && is_above(&table->rows[i], order[k - 1]); k--) {
            order[k] = order[k - 1];
        }
        order[k] = &table->rows[i];
    }
    return count;
}

void top_draw(const struct top_table *table, size_t width, size_t height, struct span note,
              struct buf *out)
{
    const struct top_row *order[TOP_ROWS_MAX];
    struct layout layout = lay_out(table, width);
    struct paper paper = {.out = out, .width = width, .left = height > 0 ? height : SIZE_MAX};
    size_t count = sort_rows(table, order);
    size_t shown = count;
    struct line line;

    if (height > 0 && count + FRAME_LINES > height) {
        shown = height > FRAME_LINES + 1 ? height - FRAME_LINES - 1 : 0;
    }
    draw_process(table, &paper);
    line_begin(&line);
    top_put_shown(&line.text, note);
    line_end(&line, &paper);
    draw_heads(table, &layout, &paper);
    for (size_t i = 0; i < shown; i++) {
        draw_row(order[i], &layout, &paper);
    }
    if (shown < count) {
        line_begin(&line);
        buf_put_format(&line.text, "and %zu more", count - shown);
        line_end(&line, &paper);
    }
    draw_row(&table->rows[0], &layout, &paper);
}
