/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/budget_out.h"

#include "base/money.h"
#include "base/text.h"

/* ---- for programs ---- */

enum { TEXT_MAX = 32 }; /* of a member's name, of an amount */

/* "limit_usd": "25", "limit_nusd": 25000000000; or "limit": 1000. Not known: null. */
static void put_amount(struct json_out *out, const char *name, enum budget_unit unit, int64_t amount,
                       bool is_known)
{
    char rooms[2][TEXT_MAX];
    struct buf text = {.at = rooms[0], .cap = TEXT_MAX, .max = TEXT_MAX};
    struct buf key = {.at = rooms[1], .cap = TEXT_MAX, .max = TEXT_MAX};
    size_t len = strlen(name);

    buf_put_text(&key, name);
    if (unit == UNIT_MONEY) {
        buf_put_text(&key, "_usd");
        json_key_plain(out, buf_span(&key));
        if (is_known) {
            money_put_nano(&text, amount);
            json_string(out, buf_span(&text));
        } else {
            json_null(out);
        }
        buf_truncate(&key, len);
        buf_put_text(&key, "_nusd");
    }
    json_key_plain(out, buf_span(&key));
    if (is_known) {
        json_i64(out, amount);
    } else {
        json_null(out);
    }
}

static void put_text(struct json_out *out, const char *name, struct span text)
{
    json_key(out, name);
    if (text.len > 0) {
        json_string(out, text);
    } else {
        json_null(out);
    }
}

/* null: it has no such edge. */
static void put_time(struct json_out *out, const char *name, wall_ms at)
{
    char room[TEXT_MAX];
    struct buf text = {.at = room, .cap = sizeof room, .max = sizeof room};

    if (at != INT64_MAX && at != INT64_MIN) {
        text_put_rfc3339(&text, at);
    }
    put_text(out, name, buf_span(&text));
}

static void put_head(struct json_out *out, const struct budget_row *row)
{
    put_text(out, "budget", row->is.budget);
    put_text(out, "scope", span_of(scope_word(row->is.scope)));
    put_text(out, "of", row->is.value);
    put_text(out, "mode",
             row->budget == NULL ? span_make("", 0) : span_of(budget_mode_word(row->budget->mode)));
    put_text(out, "unit", span_of(budget_unit_word(row->is.unit)));
    put_time(out, "window_begin",
             row->is.window.end == INT64_MAX ? INT64_MIN : row->is.window.begin);
    put_time(out, "window_end", row->is.window.end);
}

static void put_counter(struct json_out *out, const struct budget_row *row)
{
    enum budget_unit unit = row->is.unit;
    bool has_limit = row->is.limit >= 0;

    json_open_object(out);
    put_head(out, row);
    json_key(out, "generation");
    if (row->is_idle) {
        json_null(out);
    } else {
        json_i64(out, row->is.generation);
    }
    put_amount(out, "limit", unit, row->is.limit, has_limit);
    put_amount(out, "settled", unit, row->is.settled, true);
    put_amount(out, "held", unit, row->is.held, true);
    put_amount(out, "presumed", unit, row->is.presumed, true);
    put_amount(out, "overrun", unit, row->is.overrun, true);
    put_amount(out, "remaining", unit, has_limit ? budget_row_left(row) : 0, has_limit);
    json_key(out, "used_permille");
    if (has_limit) {
        json_i64(out, row->permille);
    } else {
        json_null(out);
    }
    json_close_object(out);
}

static void put_limit(struct json_out *out, const struct budget_row *row)
{
    bool is_told = !row->is_hidden;

    json_open_object(out);
    put_head(out, row);
    put_amount(out, "limit", row->is.unit, row->is.limit, is_told);
    put_amount(out, "used", row->is.unit, budget_row_used(row), is_told);
    put_amount(out, "remaining", row->is.unit, budget_row_left(row), is_told);
    json_close_object(out);
}

static void put_list(struct json_out *out, const struct budget_rows *rows,
                     void (*put)(struct json_out *out, const struct budget_row *row))
{
    json_key(out, "budgets");
    json_open_array(out);
    for (size_t i = 0; i < rows->count; i++) {
        put(out, rows->list[i]);
    }
    json_close_array(out);
}

void budget_put_counters(struct json_out *out, const struct budget_rows *rows)
{
    put_list(out, rows, put_counter);
    json_key(out, "counters");
    json_i64(out, (int64_t)rows->total);
    json_key(out, "truncated");
    json_bool(out, rows->total > rows->count);
}

void budget_put_limits(struct json_out *out, const struct budget_rows *rows)
{
    put_list(out, rows, put_limit);
}

static void put_count(struct json_out *out, const char *name, uint64_t count, bool is_known)
{
    put_amount(out, name, UNIT_REQUESTS, count < INT64_MAX ? (int64_t)count : INT64_MAX, is_known);
}

static void put_rate(struct json_out *out, const struct rate_sight *sight, bool is_told,
                     wall_ms now)
{
    const struct rate *rate = sight->rate;
    bool is_concurrent = rate->unit == RATE_CONCURRENT;
    uint64_t most = is_concurrent ? rate->limit : rate->rule.burst;
    uint64_t left = sight->figures.remaining;

    json_open_object(out);
    put_text(out, "rate", rate->name);
    put_text(out, "scope", span_of(scope_word(rate->scope.kind)));
    put_text(out, "of", sight->value);
    put_text(out, "unit", span_of(rate_unit_word(rate->unit)));
    put_text(out, "per", rate->per);
    put_count(out, "limit", rate->limit, is_told);
    put_count(out, "burst", most, is_told && !is_concurrent);
    put_count(out, "used", left < most ? most - left : 0, is_told);
    put_count(out, "remaining", left, is_told);
    put_time(out, "all_free_at",
             is_told && sight->figures.reset_ms > 0 ? now + (wall_ms)sight->figures.reset_ms
                                                    : INT64_MAX);
    json_close_object(out);
}

void rates_put_limits(struct json_out *out, const struct rate_sight *sights, size_t count, bool hides,
                      wall_ms now)
{
    json_key(out, "rates");
    json_open_array(out);
    for (size_t i = 0; i < count; i++) {
        put_rate(out, &sights[i], !hides || !scope_is_shared(sights[i].rate->scope.kind), now);
    }
    json_close_array(out);
}

/* ---- for people ---- */

enum column { BUDGET, OF, EDGE, LIMIT, SETTLED, HELD, PRESUMED, LEFT, USED, COLUMNS };
enum { LEFT_COLUMNS = LIMIT, WIDTH_MAX = 48, CELL_MAX = 512 };

static const char *const titles[COLUMNS] = {
    "BUDGET", "OF", "NEXT EDGE", "LIMIT", "SETTLED", "HELD", "PRESUMED", "REMAINING", "USED"};

static void put_number(struct buf *out, enum budget_unit unit, int64_t amount)
{
    if (unit == UNIT_MONEY) {
        money_put_nano(out, amount);
    } else {
        buf_put_u64(out, (uint64_t)amount);
    }
}

static void put_edge(struct buf *out, const struct budget_row *row)
{
    if (row->is.window.end == INT64_MAX) {
        buf_put_text(out, "never");
        return;
    }
    text_put_rfc3339(out, row->is.window.end);
    buf_truncate(out, out->len - (sizeof ".000Z" - 1)); /* edges are whole seconds */
    buf_put_char(out, 'Z');
}

static void put_of_limit(struct buf *out, const struct budget_row *row, enum column column)
{
    if (row->is.limit < 0) {
        buf_put_text(out, column == LIMIT ? "not in the settings" : "-");
    } else if (column == USED) {
        buf_put_format(out, "%u.%u%%", (unsigned)(row->permille / 10),
                       (unsigned)(row->permille % 10));
    } else if (column == LIMIT) {
        put_number(out, row->is.unit, row->is.limit);
        buf_put_char(out, ' ');
        buf_put_text(out, budget_unit_word(row->is.unit));
    } else {
        put_number(out, row->is.unit, budget_row_left(row));
    }
}

static void put_cell(struct buf *out, const struct budget_row *row, enum column column)
{
    switch (column) {
    case BUDGET: buf_put(out, row->is.budget); break;
    case OF:
        if (row->is.value.len > 0) {
            text_put_printable(out, row->is.value, row->is.value.len);
        } else {
            buf_put_char(out, '-');
        }
        break;
    case EDGE: put_edge(out, row); break;
    case SETTLED: put_number(out, row->is.unit, row->is.settled); break;
    case HELD: put_number(out, row->is.unit, row->is.held); break;
    case PRESUMED: put_number(out, row->is.unit, row->is.presumed); break;
    case LIMIT:
    case LEFT:
    case USED: put_of_limit(out, row, column); break;
    case COLUMNS: break;
    }
}

static void pad(struct buf *out, size_t taken, size_t width)
{
    for (; taken < width; taken++) {
        buf_put_char(out, ' ');
    }
}

/* Words begin below each other, numbers end so. `row` NULL: the titles. */
static void put_line(struct buf *out, const struct budget_row *row, const size_t widths[COLUMNS])
{
    char room[CELL_MAX];
    struct buf cell = {.at = room, .cap = sizeof room, .max = sizeof room};

    for (int i = 0; i < COLUMNS; i++) {
        buf_clear(&cell);
        if (row == NULL) {
            buf_put_text(&cell, titles[i]);
        } else {
            put_cell(&cell, row, (enum column)i);
        }
        if (i >= LEFT_COLUMNS) {
            pad(out, cell.len, widths[i]);
        }
        buf_put(out, buf_span(&cell));
        if (i < LEFT_COLUMNS) {
            pad(out, cell.len, widths[i]);
        }
        buf_put_text(out, i + 1 < COLUMNS ? "  " : "\n");
    }
}

static void widen(size_t widths[COLUMNS], const struct budget_row *row)
{
    char room[CELL_MAX];
    struct buf cell = {.at = room, .cap = sizeof room, .max = sizeof room};

    for (int i = 0; i < COLUMNS; i++) {
        size_t width = 0;

        buf_clear(&cell);
        put_cell(&cell, row, (enum column)i);
        width = cell.len < WIDTH_MAX ? cell.len : WIDTH_MAX; /* a longer one pushes its own line only */
        widths[i] = width > widths[i] ? width : widths[i];
    }
}

void budget_put_table(struct buf *out, const struct budget_rows *rows)
{
    size_t widths[COLUMNS];

    for (int i = 0; i < COLUMNS; i++) {
        widths[i] = strlen(titles[i]);
    }
    for (size_t i = 0; i < rows->count; i++) {
        widen(widths, rows->list[i]);
    }
    if (rows->count > 0) {
        put_line(out, NULL, widths);
    }
    for (size_t i = 0; i < rows->count; i++) {
        put_line(out, rows->list[i], widths);
    }
    if (rows->total > rows->count) {
        buf_put_format(out, "and %llu more, of which less is used\n",
                       (unsigned long long)(rows->total - rows->count));
    }
}
