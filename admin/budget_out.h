/* SPDX-License-Identifier: Apache-2.0 */
/* admin/budget_out.h: budgets as they stand, for programs, for people, and for the app that asks of its
 * own. Money is told exactly: as decimal text of USD and as whole nanodollars. Pure. */
#ifndef ADMIN_BUDGET_OUT_H
#define ADMIN_BUDGET_OUT_H

#include "admin/budget_rows.h"
#include "base/buf.h"
#include "enforcement/roster.h"
#include "wire/json_out.h"

/* The members "budgets", "counters" and "truncated" of an object that is open. */
void budget_put_counters(struct json_out *out, const struct budget_rows *rows);
/* The member "budgets": of each what is allowed, used and left. */
void budget_put_limits(struct json_out *out, const struct budget_rows *rows);
/* The member "rates": of each what is allowed and left. With `hides` the figures of those that others share
 * are not told. `now`: the time to which the sights' waits are added. */
void rates_put_limits(struct json_out *out, const struct rate_sight *sights, size_t count, bool hides,
                      wall_ms now);
/* Nothing when there are none. */
void budget_put_table(struct buf *out, const struct budget_rows *rows);

#endif
