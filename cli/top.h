/* SPDX-License-Identifier: Apache-2.0 */
/* cli/top.h: the parts of `headgate top`: its table, filled from answers about usage, and how that is
 * drawn. Sums are told by the quarter of an hour; the last minute is what was added since a picture of
 * the sums that is a minute old. An answer may come from anybody who listens there: nothing in it is
 * believed but that it is JSON. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "base/buf.h"
#include "base/tick.h"
#include "usage/sums.h"

enum top_window {
    TOP_MINUTE,
    TOP_HOUR,
    TOP_START,
    TOP_WINDOWS,
    TOP_BEFORE = TOP_WINDOWS, /* what the start has more than the hour, or less; not drawn */
    TOP_KEPT
};
enum top_figure { TOP_CALLS, TOP_ERRORS, TOP_INPUT, TOP_OUTPUT, TOP_COST, TOP_FIGURES };

enum { TOP_ROWS_MAX = 256, TOP_NAME_MAX = 96, TOP_PICTURES = 64, TOP_MINUTE_S = 60, TOP_STALE_S = 10 };

struct top_sums {
    int64_t of[TOP_FIGURES]; /* TOP_COST: nanodollars */
};

struct top_row {
    char name[TOP_NAME_MAX]; /* the names of `by`, with slashes between */
    size_t name_len;
    struct top_sums windows[TOP_KEPT];
};

/* The sums since the start as they were. */
struct top_picture {
    int64_t at; /* seconds since 1970 */
    struct top_sums rows[TOP_ROWS_MAX];
};

struct top_table {
    enum dimension by[4];
    size_t by_count;
    struct top_row rows[TOP_ROWS_MAX]; /* the first one is the total */
    size_t rows_count;
    struct top_picture pictures[TOP_PICTURES];
    size_t pictures_count; /* so many were taken; the last ones are kept */
    int64_t start;         /* of that headgate, seconds since 1970 */
    int64_t hour;          /* from when on the hour is counted */
    int64_t before_at;     /* when TOP_BEFORE was taken; 0: it was not */
    int64_t now;
    int64_t calls_in_flight;
    char version[32];
    char state[16];
};

/* Each takes an answer of the operators' listener; false: it is none. Of /admin/v1/status, first. *is_new:
 * this headgate has started since the last time. */
bool top_take_status(struct top_table *table, struct span body, bool *is_new);
/* Of usage/summary, for TOP_HOUR or TOP_BEFORE: the row's sums times `sign`. */
bool top_take_sums(struct top_table *table, enum top_window window, int64_t sign, struct span body);
/* No row has any. */
void top_clear(struct top_table *table, enum top_window window);
/* With both sums taken: finds those since the start. */
void top_add_up(struct top_table *table);
/* Of usage/calls, those of the last minute: makes the pictures that were not taken. Wanted first, and
 * whenever none was taken for a while. */
bool top_wants_calls(const struct top_table *table);
bool top_take_calls(struct top_table *table, struct span body);
/* Takes a picture and finds the sums of the last minute. */
void top_turn(struct top_table *table);

/* The table as text, a line feed behind each line. At most `width` columns and `height` lines; 0: as
 * many as it takes. note: a line of its own, or empty. */
void top_draw(const struct top_table *table, size_t width, size_t height, struct span note,
              struct buf *out);
/* Puts of `text`, which is foreign, what a terminal may see: what is not printable ASCII is a question
 * mark. As much as there is room for. */
void top_put_shown(struct buf *out, struct span text);

#endif
