/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/policy.h: the settings by which budgets are asked; those of the latest reload, while all else of a
 * call stays as it began. Counted. A call keeps the one it began with, and by it all later ones: they may
 * become its own with its next hold. */
#ifndef PROXY_POLICY_H
#define PROXY_POLICY_H

#include "conf/snapshot.h"

struct policy {
    uint32_t references;
    struct snapshot *snapshot; /* one of its references is ours */
    struct policy *newer;      /* the same; NULL: this is the newest one */
};

/* Takes a reference to the snapshot. NULL: no memory. */
MUST_CHECK struct policy *policy_new(struct snapshot *snapshot);
struct policy *policy_take(struct policy *policy);
/* NULL is allowed. */
void policy_give(struct policy *policy);
/* From now on `newer` holds; the reference to *current goes, the one to `newer` becomes *current's. */
void policy_replace(struct policy **current, struct policy *newer);

#endif
