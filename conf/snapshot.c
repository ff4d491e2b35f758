/* SPDX-License-Identifier: Apache-2.0 */
/* References and the end of the settings: secrets are wiped with the arena they lie in. */
#include "conf/snapshot.h"

#include "base/mem.h"
#include "base/must.h"

struct snapshot *snapshot_take(struct snapshot *snapshot)
{
    must(snapshot->references > 0 && snapshot->references < UINT32_MAX);
    snapshot->references++;
    return snapshot;
}

void snapshot_give(struct snapshot *snapshot)
{
    if (snapshot == NULL) {
        return;
    }
    must(snapshot->references > 0);
    snapshot->references--;
    if (snapshot->references > 0) {
        return;
    }
    keyring_give(snapshot->keys.ring);
    arena_wipe(&snapshot->arena);
    arena_fini(&snapshot->arena);
    mem_give(snapshot, sizeof *snapshot);
}
