/* SPDX-License-Identifier: Apache-2.0 */
/* From answers to rows. Answers are documents of ours: the scanner accepts them, then members are
 * looked up one by one. */
#include "cli/top.h"

#include <string.h>

#include "base/text.h"
#include "usage/record.h"
#include "wire/json_scan.h"
#include "wire/json_walk.h"

enum { TEXT_MAX = 64 * 1024, SHOWN_MAX = 2048 };
#define FIGURE_MAX (INT64_C(1) << 60) /* two of them add up */

/* ---- JSON ---- */

static bool is_good(struct span body)
{
    struct json_scan_options options = {.allow_duplicates = true};
    struct json_scan *scan = json_scan_new();
    bool is = scan != NULL && json_scan_whole(scan, &options, body, NULL) && body.at[0] == '{';

    json_scan_free(scan);
    return is;
}

/* Empty: there is none, or `object` is none. */
static struct span member(struct span object, struct span name)
{
    struct json_walk walk = {NULL, NULL};
    struct span key;
    struct span value;

    if (!json_is_object(object)) {
        return span_make("", 0);
    }
    walk = json_walk_of(object);
    while (json_walk_member(&walk, &key, &value)) {
        if (span_equal(span_make(key.at + 1, key.len - 2), name)) {
            return value;
        }
    }
    return span_make("", 0);
}

/* To walk over the member that is an array; nothing: it is none. */
static struct json_walk items(struct span object, struct span name)
{
    struct span value = member(object, name);

    return json_walk_of(json_is_array(value) ? value : span_make("", 0));
}

static int64_t clamp(int64_t figure)
{
    return figure > FIGURE_MAX ? FIGURE_MAX : figure < -FIGURE_MAX ? -FIGURE_MAX : figure;
}

/* No less than 0. */
static int64_t number(struct span object, struct span name)
{
    int64_t value = 0;

    return json_integer(member(object, name), &value) == ERR_NONE && value > 0 ? clamp(value) : 0;
}

void top_put_shown(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len && out->len < out->max; i++) {
        unsigned char c = (unsigned char)text.at[i];

        /* A letter of UTF-8 is one mark: its further bytes are 10xxxxxx. */
        if (c < 0x80 || c >= 0xc0) {
            buf_put_char(out, c >= ' ' && c <= '~' ? (char)c : '?');
        }
    }
}

static void put_string(struct buf *out, struct span raw)
{
    char bytes[SHOWN_MAX];
    struct buf text = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    /* Nothing is longer decoded than written. */
    if (raw.len > 1 && raw.len <= sizeof bytes && raw.at[0] == '"') {
        json_string_decode(raw, &text);
    }
    top_put_shown(out, buf_span(&text));
}

/* ---- rows ---- */

/* NULL: there is no room for it; its figures are in the total. */
static struct top_row *find_row(struct top_table *table, struct span name)
{
    struct top_row *row = NULL;

    for (size_t i = 1; i < table->rows_count; i++) {
        row = &table->rows[i];
        if (span_equal(span_make(row->name, row->name_len), name)) {
            return row;
        }
    }
    if (table->rows_count == TOP_ROWS_MAX) {
        return NULL;
    }
    row = &table->rows[table->rows_count++];
    memcpy(row->name, name.at, name.len);
    row->name_len = name.len;
    return row;
}

static struct top_row *total_row(struct top_table *table)
{
    if (table->rows_count == 0) {
        table->rows_count = 1;
        table->rows[0].name_len = 5;
        memcpy(table->rows[0].name, "total", 5);
    }
    return &table->rows[0];
}

/* The names of a row, one after the other. */
static void next_part(struct buf *name, size_t i)
{
    if (i > 0 && name->len < name->max) {
        buf_put_char(name, '/');
    }
}

/* Behind the part that began at `from`: that it is empty is to be seen. */
static void end_part(struct buf *name, size_t from)
{
    if (name->len == from && name->len < name->max) {
        buf_put_char(name, '-');
    }
}

static void add(struct top_sums *to, const struct top_sums *sums, int64_t sign)
{
    for (size_t i = 0; i < TOP_FIGURES; i++) {
        to->of[i] = clamp(to->of[i] + sign * sums->of[i]);
    }
}

/* ---- sums ---- */

static struct top_sums sums_in(struct span group)
{
    struct span tokens = member(group, SPAN_OF("tokens"));
    struct top_sums sums = {.of = {[TOP_CALLS] = number(group, SPAN_OF("calls")),
                                   [TOP_ERRORS] = number(group, SPAN_OF("failed_attempts")),
                                   [TOP_COST] = number(group, SPAN_OF("charged_nusd"))}};

    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        int64_t *to = &sums.of[i < TOKENS_OUTPUT ? TOP_INPUT : TOP_OUTPUT];

        *to = clamp(*to + number(tokens, sum_names[SUM_TOKENS_INPUT + i]));
    }
    return sums;
}

static struct top_row *row_of_group(struct top_table *table, struct span group)
{
    char bytes[TOP_NAME_MAX];
    struct buf name = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    for (size_t i = 0; i < table->by_count; i++) {
        size_t from = 0;

        next_part(&name, i);
        from = name.len;
        put_string(&name, member(group, dimension_names[table->by[i]]));
        end_part(&name, from);
    }
    return find_row(table, buf_span(&name));
}

void top_clear(struct top_table *table, enum top_window window)
{
    for (size_t i = 0; i < TOP_ROWS_MAX; i++) {
        table->rows[i].windows[window] = (struct top_sums){.of = {0}};
    }
}

bool top_take_sums(struct top_table *table, enum top_window window, int64_t sign, struct span body)
{
    struct top_sums sums;
    struct json_walk walk;
    struct span group;

    if (!is_good(body)) {
        return false;
    }
    top_clear(table, window);
    sums = sums_in(member(body, SPAN_OF("total")));
    add(&total_row(table)->windows[window], &sums, sign);
    walk = items(body, SPAN_OF("groups"));
    while (json_walk_item(&walk, &group)) {
        struct top_row *row = row_of_group(table, group);

        /* Names that look the same, or are too long to differ, share a row. */
        if (row != NULL) {
            sums = sums_in(group);
            add(&row->windows[window], &sums, sign);
        }
    }
    return true;
}

void top_add_up(struct top_table *table)
{
    for (size_t i = 0; i < table->rows_count; i++) {
        struct top_row *row = &table->rows[i];
        struct top_sums *start = &row->windows[TOP_START];

        *start = row->windows[TOP_HOUR];
        add(start, &row->windows[TOP_BEFORE], 1);
        for (size_t k = 0; k < TOP_FIGURES; k++) { /* of a row that `limit` left out */
            start->of[k] *= start->of[k] > 0;
        }
    }
}

/* ---- the last minute ---- */

static struct top_picture *picture_at(struct top_table *table, size_t number)
{
    return &table->pictures[number % TOP_PICTURES];
}

static void take_picture(struct top_table *table, int64_t at)
{
    struct top_picture *picture = picture_at(table, table->pictures_count++);

    picture->at = at;
    for (size_t i = 0; i < TOP_ROWS_MAX; i++) {
        picture->rows[i] = table->rows[i].windows[TOP_START];
    }
}

/* The newest that is a minute old, else the oldest. */
static const struct top_picture *base_picture(struct top_table *table)
{
    size_t oldest = table->pictures_count > TOP_PICTURES ? table->pictures_count - TOP_PICTURES : 0;

    for (size_t i = table->pictures_count; i > oldest; i--) {
        if (picture_at(table, i - 1)->at <= table->now - TOP_MINUTE_S) {
            return picture_at(table, i - 1);
        }
    }
    return picture_at(table, oldest);
}

void top_turn(struct top_table *table)
{
    const struct top_picture *base = NULL;

    take_picture(table, table->now);
    base = base_picture(table);
    for (size_t i = 0; i < table->rows_count; i++) {
        struct top_row *row = &table->rows[i];

        row->windows[TOP_MINUTE] = row->windows[TOP_START];
        add(&row->windows[TOP_MINUTE], &base->rows[i], -1);
        for (size_t k = 0; k < TOP_FIGURES; k++) { /* what a kill or a clock has mixed up */
            row->windows[TOP_MINUTE].of[k] *= row->windows[TOP_MINUTE].of[k] > 0;
        }
    }
}

static struct top_row *row_of_record(struct top_table *table, const struct record *record,
                                     struct span tag)
{
    char bytes[TOP_NAME_MAX];
    struct buf name = {.at = bytes, .cap = sizeof bytes, .max = sizeof bytes};

    for (size_t i = 0; i < table->by_count; i++) {
        size_t from = 0;

        next_part(&name, i);
        from = name.len;
        top_put_shown(&name,
                      table->by[i] == DIMENSION_TAG ? tag : sums_dimension(record, table->by[i]));
        end_part(&name, from);
    }
    return find_row(table, buf_span(&name));
}

static bool is_by_tag(const struct top_table *table)
{
    bool is = false;

    for (size_t i = 0; i < table->by_count; i++) {
        is = is || table->by[i] == DIMENSION_TAG;
    }
    return is;
}

/* From the pictures of before the call. */
static void take_from(struct top_table *table, const struct top_row *row, wall_ms at,
                      const struct top_sums *sums)
{
    for (size_t i = 0; row != NULL && i < table->pictures_count; i++) {
        struct top_picture *picture = picture_at(table, i);

        if (picture->at * 1000 < at) {
            add(&picture->rows[row - table->rows], sums, -1);
        }
    }
}

static void take_out(struct top_table *table, const struct record *record)
{
    struct span tags = is_by_tag(table) ? record->texts[RECORD_TAGS] : span_make("", 0);
    wall_ms at = record->numbers[RECORD_AT];
    struct top_sums sums = {.of = {0}};
    struct sums all;

    sums_of(record, &all);
    sums.of[TOP_CALLS] = all.of[SUM_CALLS];
    sums.of[TOP_ERRORS] = all.of[SUM_FAILED_ATTEMPTS];
    sums.of[TOP_COST] = clamp(all.of[SUM_CHARGED]);
    for (size_t i = 0; i < TOKEN_CLASSES; i++) {
        sums.of[i < TOKENS_OUTPUT ? TOP_INPUT : TOP_OUTPUT] += all.of[SUM_TOKENS_INPUT + i];
    }
    take_from(table, total_row(table), at, &sums);
    do { /* once without a tag */
        struct span tag = span_cut(&tags, ',');

        take_from(table, row_of_record(table, record, tag), at, &sums);
    } while (tags.len > 0);
}

bool top_wants_calls(const struct top_table *table)
{
    int64_t newest = 0;

    if (table->pictures_count > 0) {
        newest = table->pictures[(table->pictures_count - 1) % TOP_PICTURES].at;
    }
    return newest > table->now || table->now - newest > TOP_STALE_S;
}

bool top_take_calls(struct top_table *table, struct span body)
{
    struct record record;
    struct json_walk walk;
    struct span call;
    struct buf text;

    if (!is_good(body)) {
        return false;
    }
    table->pictures_count = 0;
    for (int64_t age = TOP_MINUTE_S; age > 0; age--) {
        take_picture(table, table->now - age);
    }
    buf_init(&text, TEXT_MAX);
    walk = items(body, SPAN_OF("calls"));
    while (json_walk_item(&walk, &call)) {
        buf_clear(&text);
        if (call.at[0] == '{' && record_read_object(call, &text, &record) == ERR_NONE) {
            take_out(table, &record);
        }
    }
    buf_fini(&text);
    return true;
}

/* ---- the process ---- */

static void take_text(char *to, size_t size, struct span raw)
{
    struct buf text = {.at = to, .cap = size - 1, .max = size - 1};

    put_string(&text, raw);
    to[text.len] = '\0';
}

bool top_take_status(struct top_table *table, struct span body, bool *is_new)
{
    struct span process;
    int64_t uptime = 0;
    int64_t start = 0;

    if (!is_good(body)) {
        return false;
    }
    process = member(body, SPAN_OF("process"));
    uptime = number(process, SPAN_OF("uptime_s"));
    start = uptime < table->now ? table->now - uptime : 0;
    /* Both clocks are told in whole seconds. */
    *is_new = start > table->start + 2;
    if (*is_new) {
        table->start = start;
    }
    table->calls_in_flight = number(process, SPAN_OF("calls_in_flight"));
    take_text(table->version, sizeof table->version, member(process, SPAN_OF("version")));
    take_text(table->state, sizeof table->state, member(body, SPAN_OF("status")));
    return true;
}
