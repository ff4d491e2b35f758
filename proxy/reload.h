/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/reload.h: the settings are read once more while the program runs. With any complaint the old
 * ones stay. What changes is `sinks`, the keys of callers, and `budgets` with budget_status; all else
 * begins with the next start. */
#ifndef PROXY_RELOAD_H
#define PROXY_RELOAD_H

#include "base/err.h"
#include "proxy/env.h"

struct reload;

/* `load` gives a snapshot, which is then ours, or tells why not; NULL: there is no file. The ports' store
 * and sinks are looked at later. NULL: no memory. */
struct reload *reload_new(struct env *env,
                          enum err (*load)(void *to, struct snapshot **snapshot, struct why *why),
                          void *to);
/* While an earlier change goes on: after it. */
void reload_begin(struct reload *reload);
/* Nothing begins any more: before the store is freed. NULL is allowed, here and below. */
void reload_stop(struct reload *reload);
/* After the store was freed, whose sinks may have used it until then. */
void reload_free(struct reload *reload);

#endif
