/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/policy.h"

#include "base/mem.h"

struct policy *policy_new(struct snapshot *snapshot)
{
    struct policy *policy = mem_take(sizeof *policy);

    if (policy != NULL) {
        *policy = (struct policy){.references = 1, .snapshot = snapshot_take(snapshot)};
    }
    return policy;
}

struct policy *policy_take(struct policy *policy)
{
    policy->references++;
    return policy;
}

void policy_give(struct policy *policy)
{
    while (policy != NULL && --policy->references == 0) {
        struct policy *newer = policy->newer;

        snapshot_give(policy->snapshot);
        mem_give(policy, sizeof *policy);
        policy = newer;
    }
}

void policy_replace(struct policy **current, struct policy *newer)
{
    (*current)->newer = policy_take(newer);
    policy_give(*current);
    *current = newer;
}
