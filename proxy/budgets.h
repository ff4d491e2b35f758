/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/budgets.h: the ledger of this process: which one, what it tells, and its end. Made by
 * serve.c. */
#ifndef PROXY_BUDGETS_H
#define PROXY_BUDGETS_H

#include "base/must.h"
#include "proxy/env.h"

/* Opens the ledger of the settings into env->ports; the calls are there already. False: no memory. */
MUST_CHECK bool budgets_begin(struct env *env);
/* Orders this of the ledger, and sees to it that it still holds after a restart; then order->done is
 * called from the loop, perhaps from inside. The order, and what it borrows, stay its owner's until then. */
void budgets_order(struct env *env, struct ledger_order *order);
/* What a ledger tells, and whom. */
struct ledger_ears budgets_ears(struct env *env);
/* A call does not fit into a guard that only looks: it comes to so much. */
void budgets_tell_shadow(struct env *env, const struct budget *budget, struct span call_id,
                         int64_t asked);
/* The next ones tell at most once a minute. */
/* An attempt goes out though the ledger could not be asked. */
void budgets_tell_unasked(struct env *env);
/* An attempt was booked with more than this enforcing budget had set aside for it. */
void budgets_tell_overrun(struct env *env, const struct budget *budget, int64_t held,
                          int64_t booked);
/* A provider told a usage that nobody believes. */
void budgets_tell_disbelieved(struct env *env, struct span provider, struct span model);
/* When all calls are closed. */
void budgets_end(struct env *env);

#endif
