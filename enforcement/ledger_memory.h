/* SPDX-License-Identifier: Apache-2.0 */
/* enforcement/ledger_memory.h: the embedded ledger: default in production, reference in tests. Pure.
 * It counts the holds that are open, so that a call which ends without settling is seen. */
#ifndef ENFORCEMENT_LEDGER_MEMORY_H
#define ENFORCEMENT_LEDGER_MEMORY_H

#include "base/must.h"
#include "enforcement/ledger.h"

MUST_CHECK struct ledger *ledger_memory_new(void);
void ledger_memory_free(struct ledger *ledger);
extern const struct ledger_ops ledger_memory_ops;
/* Holds granted and not yet settled. */
uint64_t ledger_memory_open(const struct ledger *ledger);

#endif
