/* SPDX-License-Identifier: Apache-2.0 */
/* admin/budget_rows.h: what a ledger reports, kept until it is written: the fullest counters, no more than
 * there is room for. Pure. */
#ifndef ADMIN_BUDGET_ROWS_H
#define ADMIN_BUDGET_ROWS_H

#include "enforcement/ledger.h"

enum { BUDGET_ROWS_MAX = 1000 };

struct budget_row {
    struct ledger_row is;        /* its texts are in the row's own memory */
    const struct budget *budget; /* of the settings; NULL: they do not name it any more */
    uint32_t permille;           /* of the limit that is used, rounded down */
    bool is_idle;                /* nothing was counted as yet; its generation is not known */
    bool is_hidden;              /* its figures are not for who asks; they are not kept either */
    char text[];
};

/* What makes a row. */
struct budget_filter {
    bool has_budget;
    bool has_value;
    struct span budget;
    struct span value;
    bool is_for_app; /* figures of others are hidden, what apps are not told of is left out */
};

struct budget_rows {
    const struct budgets *budgets;
    struct budget_filter filter;
    size_t max;     /* at most BUDGET_ROWS_MAX */
    size_t count;
    uint64_t total; /* that fit the filter */
    bool failed;    /* no memory */
    struct budget_row *list[BUDGET_ROWS_MAX];
};

/* `budgets` and the filter's texts outlive the rows. */
void budget_rows_init(struct budget_rows *rows, const struct budgets *budgets,
                      const struct budget_filter *filter, size_t max);
void budget_rows_fini(struct budget_rows *rows);
void budget_rows_add(struct budget_rows *rows, const struct ledger_row *row);
/* After the last one: adds what the ledger has no counter of. Of the subject all that counts for it, and
 * what one call may have; without one, the counters that the settings name. Then the fullest come first. */
void budget_rows_close(struct budget_rows *rows, const struct subject *subject, wall_ms now);

/* Settled, held and presumed. */
int64_t budget_row_used(const struct budget_row *row);
/* What is left of a limit that is known. */
int64_t budget_row_left(const struct budget_row *row);

#endif
