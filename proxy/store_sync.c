/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the disk (journal.durability: power), on both sides. All who wait in one turn are a
 * group; the store thread appends what is finished, syncs once and says so; who comes meanwhile is
 * the next group. At most one is with the store thread. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "proxy/store_thread.h"

/* ---- the main loop's side ---- */

void store_wait_init(struct store_wait *wait, void (*done)(struct store_wait *wait, bool is_synced))
{
    list_init(&wait->link);
    wait->done = done;
}

void store_wait_cancel(struct store_wait *wait)
{
    list_remove(&wait->link);
}

static void depart(struct loop_task *task)
{
    struct store *store = LIST_OWNER(task, struct store, syncs.depart);
    struct store_syncs *syncs = &store->syncs;

    must(!syncs->is_running);
    if (list_is_empty(&syncs->gathering) && syncs->kept_count == 0) {
        return; /* whoever wanted it has gone */
    }
    while (!list_is_empty(&syncs->gathering)) {
        struct link *first = syncs->gathering.next;

        list_remove(first);
        list_push_back(&syncs->riding, first);
    }
    syncs->kept_riding = syncs->kept_count;
    syncs->is_running = true;
    if (syncs->has_opened) { /* lines alone do not need it */
        atomic_store(&syncs->has_table, true);
    }
    syncs->has_opened = false;
    atomic_store(&syncs->is_asked, true);
    bell_ring(store->wake);
}

void store_syncs_want(struct store *store)
{
    if (!store->syncs.is_running) {
        loop_task_queue(store->options.loop, &store->syncs.depart);
    }
}

void store_when_synced(struct store *store, struct store_wait *wait)
{
    must(store->options.is_power && list_is_empty(&wait->link));
    list_push_back(&store->syncs.gathering, &wait->link);
    store_syncs_want(store);
}

bool store_syncs_keep(struct store *store, uint32_t slot)
{
    if (store->table.free_count <= store->open + CHAIN_ROOM) {
        return false;
    }
    store->syncs.kept[store->syncs.kept_count++] = slot;
    return true;
}

static void free_kept(struct store *store, uint32_t count)
{
    struct store_syncs *syncs = &store->syncs;

    for (uint32_t i = 0; i < count; i++) {
        inflight_free(&store->table, syncs->kept[i]);
    }
    syncs->kept_count -= count;
    memmove(syncs->kept, syncs->kept + count, syncs->kept_count * sizeof *syncs->kept);
}

static void tell(struct link *group, bool is_synced)
{
    while (!list_is_empty(group)) {
        struct store_wait *wait = LIST_OWNER(group->next, struct store_wait, link);

        list_remove(&wait->link);
        wait->done(wait, is_synced);
    }
}

void store_syncs_heard(struct store *store)
{
    struct store_syncs *syncs = &store->syncs;
    uint32_t told = atomic_exchange(&syncs->told, SYNC_NOT_TOLD);

    if (told == SYNC_NOT_TOLD) {
        return;
    }
    syncs->is_running = false;
    syncs->was_good = told == SYNC_GOOD;
    if (syncs->was_good && syncs->kept_riding > 0) {
        free_kept(store, syncs->kept_riding);
    }
    syncs->kept_riding = 0;
    tell(&syncs->riding, syncs->was_good);
    /* Where the disk fails, slots that are kept come again with the nudge. */
    if (!list_is_empty(&syncs->gathering) || (syncs->was_good && syncs->kept_count > 0)) {
        store_syncs_want(store);
    }
}

bool store_syncs_init(struct store *store)
{
    struct store_syncs *syncs = &store->syncs;

    list_init(&syncs->gathering);
    list_init(&syncs->riding);
    loop_task_init(&syncs->depart, depart);
    if (store->options.is_power) {
        syncs->kept = mem_take(store->table.count * sizeof *syncs->kept);
    }
    return !store->options.is_power || syncs->kept != NULL;
}

void store_syncs_fini(struct store *store)
{
    loop_task_cancel(&store->syncs.depart);
    mem_give(store->syncs.kept, store->table.count * sizeof *store->syncs.kept);
}

void store_syncs_end(struct store *store)
{
    struct store_syncs *syncs = &store->syncs;

    loop_task_cancel(&syncs->depart);
    if (syncs->was_good && syncs->kept_count > 0) {
        free_kept(store, syncs->kept_count);
    }
    tell(&syncs->riding, syncs->was_good);
    tell(&syncs->gathering, syncs->was_good);
}

/* ---- the store thread's side ---- */

static int sync_really(void *memory, size_t size)
{
    return msync(memory, size, MS_SYNC);
}

static bool sync_table(struct store_thread *side, struct why *why)
{
    const struct store *store = side->store;
    const struct journal_disk *disk = store->options.disk;
    int (*sync)(void *memory, size_t size) =
        disk != NULL && disk->sync_table != NULL ? disk->sync_table : sync_really;

    if (sync(store->map.memory, store->map.size) == 0) {
        return true;
    }
    why_set(why, "%s/inflight: %s", store->folder, strerror(errno));
    return false;
}

bool store_thread_sync(struct store_thread *side)
{
    struct why why = {.text = ""};
    bool was_failing = side->is_sync_failing;
    bool has_table =
        atomic_exchange(&side->store->syncs.has_table, false) || side->is_table_failing;

    side->is_table_failing = has_table && !sync_table(side, &why);
    side->is_sync_failing = side->is_table_failing || !journal_sync(side->journal, &why);
    side->is_sync_due = side->is_sync_failing;
    if (side->is_sync_failing) {
        store_thread_failed(side, &why);
        loop_timer_set(&side->sync, mono_add(loop_now(side->loop), RETRY_MS));
        return false;
    }
    loop_timer_set(&side->sync, MONO_NEVER);
    if (was_failing && side->batch_count == 0 && !side->is_short) {
        store_thread_works(side); /* though nothing is appended while calls are refused */
    }
    return true;
}

void store_thread_sync_for_all(struct store_thread *side)
{
    bool is_appended = side->batch_count == 0 && !side->is_short;
    bool is_good = store_thread_sync(side) && is_appended;

    atomic_store(&side->store->syncs.told, is_good ? SYNC_GOOD : SYNC_FAILED);
    bell_ring(side->store->heard);
}

enum err store_thread_sync_table(struct store_thread *side, struct why *why)
{
    const char *path = side->store->folder;
    int folder = -1;
    int code = 0;

    if (!side->store->options.is_power) {
        return ERR_NONE;
    }
    if (!sync_table(side, why)) {
        return ERR_SYSTEM;
    }
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    code = folder < 0 || fsync(folder) != 0 ? errno : 0;
    if (folder >= 0) {
        (void)close(folder);
    }
    if (code != 0) {
        why_set(why, "%s: %s", path, strerror(code));
        return ERR_SYSTEM;
    }
    return ERR_NONE;
}
