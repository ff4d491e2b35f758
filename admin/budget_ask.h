/* SPDX-License-Identifier: Apache-2.0 */
/* admin/budget_ask.h: what an operator asks of budgets, or orders, out of a request line:
 *
 *   GET  /admin/v1/budgets, /admin/v1/budgets.txt           ?budget= &of= &limit=
 *   GET  /admin/v1/limits/{key}, /admin/v1/usage/{key}/current
 *   POST /admin/v1/budgets/{name}/reset                     ?of=
 *   POST /admin/v1/budgets/{name}/rebuild, /admin/v1/budgets/rebuild
 *   POST /admin/v1/budgets/void                             ?proxy=
 *
 * Pure; whether there is such a budget or key is others' to say. A value that borrows. */
#ifndef ADMIN_BUDGET_ASK_H
#define ADMIN_BUDGET_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"
#include "base/span.h"
#include "enforcement/ledger.h"

enum budget_ask_kind {
    BUDGET_ASK_NONE, /* the path is something else's */
    BUDGET_ASK_LIST,
    BUDGET_ASK_TABLE,
    BUDGET_ASK_LIMITS,
    BUDGET_ASK_ORDER
};

struct budget_ask {
    enum budget_ask_kind kind;
    enum ledger_order_kind order;
    bool has_name;      /* the path has one; a rebuild of all has none */
    struct span name;   /* of a budget, or of a key */
    bool has_budget;
    struct span budget; /* ?budget= */
    bool has_value;
    struct span value;  /* ?of=, ?proxy= */
    size_t limit;
};

/* What the path alone says; a name is as it stands there. */
enum budget_ask_kind budget_ask_path(struct span path, struct budget_ask *ask);
/* The rest: undoes the codes of the name and reads the query. `texts` holds what the ask borrows then; it has
 * room for as much as path and query are long. ERR_FORMAT, ERR_MEMORY with `why`. */
MUST_CHECK enum err budget_ask_read(struct budget_ask *ask, struct span query, struct buf *texts,
                                    struct why *why);

/* "reset", "void", "rebuild". */
const char *budget_order_word(enum ledger_order_kind order);
/* The answer to an order that was obeyed. */
void budget_put_done(struct buf *out, const struct budget_ask *ask, uint64_t count);

#endif
