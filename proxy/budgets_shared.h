/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/budgets_shared.h: the ledger on Redis over the life of this process: its name and its starts, kept
 * in the file `ledger` of the state folder; what an earlier start left in the journal and Redis may not
 * have; what operators are told; the end. */
#ifndef PROXY_BUDGETS_SHARED_H
#define PROXY_BUDGETS_SHARED_H

#include "base/err.h"
#include "base/must.h"
#include "proxy/env.h"
#include "usage/record.h"

struct budgets_shared;

/* Before the store is opened: this start has its number, and the ledger begins to connect. `folder` is the
 * state folder's path, which outlives it. ERR_FORMAT: the file is none of ours. */
MUST_CHECK enum err budgets_shared_begin(struct env *env, struct span folder, struct why *why);
/* An attempt that was open when an earlier start died: the number under which it will be settled goes into
 * its record. On the store thread, while the main loop waits for it. */
void budgets_shared_crash(struct budgets_shared *shared, struct record *record);
/* After the store was opened, before the first call: what the journal has is told to the ledger. */
MUST_CHECK enum err budgets_shared_tell(struct budgets_shared *shared, struct span journal,
                                        struct why *why);
/* Whether the ledger has been heard of since the start. */
bool budgets_shared_was_up(const struct budgets_shared *shared);
/* All calls are closed: what is settled is told to Redis, for at most so long. NULL is allowed. */
void budgets_shared_end(struct budgets_shared *shared, uint32_t ms);

#endif
