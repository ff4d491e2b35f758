/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/state_dir.h: the folder in which usage records outlive the process: which one it is, that only
 * one process has it, and a temporary one for those who keep nothing. */
#ifndef PROXY_STATE_DIR_H
#define PROXY_STATE_DIR_H

#include <stdbool.h>

#include "base/err.h"
#include "base/must.h"
#include "conf/snapshot.h"

struct state_dir {
    char path[STATE_DIR_MAX + 64];
    bool is_temporary;
    int lock; /* descriptor; -1: not taken */
};

/* Where it is, by settings and environment (docs/configuration.md, state_dir). Touches nothing.
 * ERR_MISSING: nowhere, `why` tells what to set. */
MUST_CHECK enum err state_dir_find(const struct snapshot *snapshot, struct state_dir *dir,
                                   struct why *why);
/* Makes it where it is missing (a temporary one anew) and takes its lock. ERR_IN_USE: another process
 * has it; ERR_PERMISSION, ERR_SYSTEM. `why` names the path and the way out. */
MUST_CHECK enum err state_dir_open(struct state_dir *dir, struct why *why);
/* Gives the lock back; a temporary one is removed. */
void state_dir_close(struct state_dir *dir);
/* The process that has it, 0: none. */
long state_dir_holder(const struct state_dir *dir);

#endif
