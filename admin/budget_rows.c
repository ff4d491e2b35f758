/* SPDX-License-Identifier: Apache-2.0 */
/* A heap whose top is the emptiest of those that are kept: it gives way when there are too many, and taken
 * from the heap one after the other they stand in order. */
#include "admin/budget_rows.h"

#include "base/mem.h"

enum { PERMILLE_MAX = 1000000 };

void budget_rows_init(struct budget_rows *rows, const struct budgets *budgets,
                      const struct budget_filter *filter, size_t max)
{
    must(max > 0 && max <= BUDGET_ROWS_MAX);
    rows->budgets = budgets;
    rows->filter = *filter;
    rows->max = max;
    rows->count = 0;
    rows->total = 0;
    rows->failed = false;
}

static void give(struct budget_row *row)
{
    mem_give(row, sizeof *row + row->is.budget.len + row->is.value.len);
}

void budget_rows_fini(struct budget_rows *rows)
{
    while (rows->count > 0) {
        give(rows->list[--rows->count]);
    }
}

/* ---- one row ---- */

static int64_t add_up(int64_t a, int64_t b)
{
    return b > INT64_MAX - a ? INT64_MAX : a + b;
}

int64_t budget_row_used(const struct budget_row *row)
{
    return add_up(add_up(row->is.settled, row->is.held), row->is.presumed);
}

int64_t budget_row_left(const struct budget_row *row)
{
    int64_t used = budget_row_used(row);

    return used < row->is.limit ? row->is.limit - used : 0;
}

static uint32_t permille_of(int64_t used, int64_t limit)
{
    if (limit <= 0 || used <= 0) {
        return 0;
    }
    if (used / limit >= PERMILLE_MAX / 1000) {
        return PERMILLE_MAX;
    }
    /* A limit is below 2^53, so a thousand times what is less than it fits. */
    return (uint32_t)(used / limit * 1000 + used % limit * 1000 / limit);
}

static const struct budget *find(const struct budgets *budgets, struct span name)
{
    for (size_t i = 0; i < budgets->count; i++) {
        if (span_equal(budgets->list[i].name, name)) {
            return &budgets->list[i];
        }
    }
    return NULL;
}

static bool fits(const struct budget_filter *filter, const struct ledger_row *row,
                 const struct budget *budget)
{
    if (filter->is_for_app && (budget == NULL || budget->mode == BUDGET_SHADOW)) {
        return false;
    }
    return (!filter->has_budget || span_equal(filter->budget, row->budget)) &&
           (!filter->has_value || span_equal(filter->value, row->value));
}

static struct span keep(char *at, struct span text)
{
    if (text.len > 0) {
        memcpy(at, text.at, text.len);
    }
    return span_make(at, text.len);
}

static struct budget_row *make(const struct budget_rows *rows, const struct ledger_row *like,
                               const struct budget *budget)
{
    struct budget_row *row = mem_take(sizeof *row + like->budget.len + like->value.len);

    if (row == NULL) {
        return NULL;
    }
    row->is = *like;
    row->is.budget = keep(row->text, like->budget);
    row->is.value = keep(row->text + like->budget.len, like->value);
    row->budget = budget;
    row->is_idle = false;
    row->is_hidden = rows->filter.is_for_app && scope_is_shared(like->scope);
    if (row->is_hidden) {
        row->is.settled = row->is.held = row->is.presumed = row->is.overrun = 0;
    }
    row->permille = permille_of(budget_row_used(row), row->is.limit);
    return row;
}

/* ---- the heap ---- */

static int compare_spans(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.at, b.at, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Whether a stands behind b: it is emptier, or has the later name. */
static bool is_behind(const struct budget_row *a, const struct budget_row *b)
{
    int order = 0;

    if (a->permille != b->permille) {
        return a->permille < b->permille;
    }
    order = compare_spans(a->is.budget, b->is.budget);
    return order != 0 ? order > 0 : compare_spans(a->is.value, b->is.value) > 0;
}

static void swap(struct budget_row **a, struct budget_row **b)
{
    struct budget_row *kept = *a;

    *a = *b;
    *b = kept;
}

static void sink(struct budget_row **list, size_t count)
{
    size_t at = 0;

    for (;;) {
        size_t last = 2 * at + 1;

        if (last >= count) {
            return;
        }
        if (last + 1 < count && is_behind(list[last + 1], list[last])) {
            last++;
        }
        if (!is_behind(list[last], list[at])) {
            return;
        }
        swap(&list[last], &list[at]);
        at = last;
    }
}

static void rise(struct budget_row **list, size_t at)
{
    while (at > 0 && is_behind(list[at], list[(at - 1) / 2])) {
        swap(&list[at], &list[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void keep_row(struct budget_rows *rows, struct budget_row *row)
{
    if (rows->count < rows->max) {
        rows->list[rows->count] = row;
        rise(rows->list, rows->count++);
        return;
    }
    if (is_behind(row, rows->list[0])) {
        give(row);
        return;
    }
    give(rows->list[0]);
    rows->list[0] = row;
    sink(rows->list, rows->count);
}

static struct budget_row *add(struct budget_rows *rows, const struct ledger_row *like)
{
    const struct budget *budget = find(rows->budgets, like->budget);
    struct budget_row *row = NULL;

    if (!fits(&rows->filter, like, budget)) {
        return NULL;
    }
    rows->total++;
    row = make(rows, like, budget);
    rows->failed = rows->failed || row == NULL;
    return row;
}

void budget_rows_add(struct budget_rows *rows, const struct ledger_row *like)
{
    struct budget_row *row = add(rows, like);

    if (row != NULL) {
        keep_row(rows, row);
    }
}

/* ---- what has no counter ---- */

static bool is_there(const struct budget_rows *rows, const struct budget *budget, struct span value)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->list[i]->budget == budget && span_equal(rows->list[i]->is.value, value)) {
            return true;
        }
    }
    return false;
}

static void add_idle(struct budget_rows *rows, const struct budget *budget, struct span value,
                     wall_ms now)
{
    struct ledger_row like = {.budget = budget->name,
                              .value = value,
                              .scope = budget->scope.kind,
                              .unit = budget->unit,
                              .limit = budget->limit};
    struct budget_row *row = NULL;

    if (is_there(rows, budget, value)) {
        return;
    }
    window_at(&budget->window, now, &like.window);
    if (budget->window.kind == WINDOW_ROLLING) {
        like.window.begin = now - (wall_ms)budget->window.length_ms;
    }
    row = add(rows, &like);
    if (row != NULL) {
        row->is_idle = true;
        keep_row(rows, row);
    }
}

static void add_chain(struct budget_rows *rows, const struct subject *subject, wall_ms now)
{
    struct chain chain;

    chain_make(rows->budgets, subject, &chain);
    for (uint8_t i = 0; i < chain.count; i++) {
        add_idle(rows, chain.list[i].budget, chain.list[i].value, now);
    }
    for (uint8_t i = 0; i < chain.guards_count; i++) {
        add_idle(rows, chain.guards[i], span_make(NULL, 0), now);
    }
}

void budget_rows_close(struct budget_rows *rows, const struct subject *subject, wall_ms now)
{
    if (subject != NULL) {
        add_chain(rows, subject, now);
    }
    /* Among those that are full already one that is empty would be the first to go. */
    for (size_t i = 0; subject == NULL && rows->count < rows->max && i < rows->budgets->count; i++) {
        const struct budget *budget = &rows->budgets->list[i];

        if (budget->scope.kind == SCOPE_GLOBAL || budget->scope.value.len > 0) {
            add_idle(rows, budget, budget->scope.value, now);
        }
    }
    for (size_t count = rows->count; count > 1; count--) {
        swap(&rows->list[0], &rows->list[count - 1]);
        sink(rows->list, count - 1);
    }
}
