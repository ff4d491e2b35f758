/* SPDX-License-Identifier: Apache-2.0 */
/* The main loop's side of the store. */
#include <string.h>

#include "base/mem.h"
#include "proxy/store_parts.h"

enum {
    FINISHED_MIN = 8192, /* slots for what waits for its line, beside those of open attempts */
    WAKE_AT = 512,       /* so many wait: the store thread is woken at once, seldom: each time its
                          * code takes the place of the loop's in the caches */
    NUDGE_MS = 40,       /* else after so long */
    NUDGE_FAILING_MS = 1000
};

/* ---- rings ---- */

bool ring_init(struct ring *ring, uint32_t most)
{
    uint32_t room = 2;

    while (room <= most) {
        room *= 2;
    }
    ring->list = mem_take_zero(room * sizeof *ring->list);
    ring->mask = room - 1;
    return ring->list != NULL;
}

void ring_fini(struct ring *ring)
{
    mem_give(ring->list, ((size_t)ring->mask + 1) * sizeof *ring->list);
    ring->list = NULL;
}

void ring_put(struct ring *ring, uint32_t number)
{
    uint32_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);

    must(put - atomic_load_explicit(&ring->taken, memory_order_acquire) <= ring->mask);
    ring->list[put & ring->mask] = number;
    atomic_store_explicit(&ring->put, put + 1, memory_order_release);
}

bool ring_take(struct ring *ring, uint32_t *number)
{
    uint32_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

    if (taken == atomic_load_explicit(&ring->put, memory_order_acquire)) {
        return false;
    }
    *number = ring->list[taken & ring->mask];
    atomic_store_explicit(&ring->taken, taken + 1, memory_order_release);
    return true;
}

uint32_t ring_next(const struct ring *ring)
{
    uint32_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

    return taken == atomic_load_explicit(&ring->put, memory_order_acquire)
               ? 0
               : ring->list[taken & ring->mask];
}

uint32_t ring_count(const struct ring *ring)
{
    return atomic_load_explicit(&ring->put, memory_order_relaxed) -
           atomic_load_explicit(&ring->taken, memory_order_relaxed);
}

/* ---- slots ---- */

static void take_freed(struct store *store)
{
    uint32_t slot = 0;

    while (ring_take(&store->freed, &slot)) {
        inflight_free(&store->table, slot);
        store->taken_back++;
    }
}

/* Every open attempt has a slot left to finish in, also behind a record that takes many. */
static bool has_room(struct store *store)
{
    take_freed(store); /* at once, so that few slots go round and stay in the caches */
    return store->table.free_count > store->open + CHAIN_ROOM;
}

bool store_open(struct store *store, const struct record *record, uint32_t *slot)
{
    bool is_failing = atomic_load_explicit(&store->is_failing, memory_order_relaxed);

    *slot = 0;
    if ((is_failing && !store->options.degrades) || !has_room(store)) {
        return store->options.degrades; /* then it is counted as lost at its end */
    }
    *slot = inflight_put(&store->table, record, INFLIGHT_OPEN);
    must(*slot != 0);
    store->open++;
    store->syncs.has_opened = true;
    return true;
}

void store_progress(struct store *store, uint32_t slot, const struct inflight_progress *progress)
{
    if (slot != 0) {
        inflight_progress(&store->table, slot, progress);
    }
}

struct span store_place(const struct store *store, uint32_t slot)
{
    return slot != 0 ? inflight_place(&store->table, slot) : span_make(NULL, 0);
}

static void hand_over(struct store *store, uint32_t slot)
{
    ring_put(&store->finished, slot);
    store->handed_over++;
    if (ring_count(&store->finished) == WAKE_AT) {
        bell_ring(store->wake);
    } else if (!store->is_nudging) {
        store->is_nudging = true;
        loop_timer_set(&store->nudge, mono_add(loop_now(store->options.loop), NUDGE_MS));
    }
}

/* Comes again until all slots are back: what stays FINISHED though its line is written would be
 * looked for in the journal at the next start, from then on. */
static void nudge_fire(struct loop_timer *timer, mono_ms now)
{
    struct store *store = LIST_OWNER(timer, struct store, nudge);
    bool is_failing = atomic_load_explicit(&store->is_failing, memory_order_relaxed);

    take_freed(store);
    if (ring_count(&store->finished) > 0) {
        bell_ring(store->wake);
    }
    if (store->syncs.kept_count > 0) {
        store_syncs_want(store);
    }
    store->is_nudging = store->taken_back < store->handed_over || store->syncs.kept_count > 0;
    if (store->is_nudging) {
        loop_timer_set(&store->nudge, mono_add(now, is_failing ? NUDGE_FAILING_MS : NUDGE_MS));
    }
}

void store_finish(struct store *store, uint32_t slot, const struct record *record)
{
    if (slot == 0) {
        store_put(store, record);
        return;
    }
    store->open--;
    if (store->options.is_power && store_syncs_keep(store, slot)) {
        hand_over(store, inflight_put(&store->table, record, INFLIGHT_FINISHED));
        store_syncs_want(store);
        return;
    }
    hand_over(store, inflight_finish(&store->table, slot, record));
}

void store_drop(struct store *store, uint32_t slot)
{
    if (slot != 0) {
        store->open--;
        inflight_free(&store->table, slot);
    }
}

void store_put(struct store *store, const struct record *record)
{
    if (!has_room(store)) {
        store->lost++;
        return;
    }
    hand_over(store, inflight_put(&store->table, record, INFLIGHT_FINISHED));
}

struct store_state store_state(const struct store *store)
{
    uint64_t written = atomic_load(&store->written);

    return (struct store_state){
        .is_failing = atomic_load(&store->is_failing),
        .waiting = (uint32_t)(store->handed_over - written),
        .lost = store->lost,
        .written = written,
    };
}

/* ---- questions ---- */

bool store_ask(struct store *store, struct store_question *question)
{
    if (store->questions_out == QUESTIONS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < QUESTIONS_MAX; i++) {
        if (store->questions[i] == NULL) {
            store->questions[i] = question;
            store->questions_out++;
            ring_put(&store->asked, i);
            bell_ring(store->wake);
            return true;
        }
    }
    UNREACHABLE();
}

static void on_heard(void *to)
{
    struct store *store = to;
    uint32_t i = 0;

    while (ring_take(&store->said, &i)) {
        log_news(store->options.log, &store->sayings[i].news);
    }
    while (ring_take(&store->answered, &i)) {
        struct store_question *question = store->questions[i];

        store->questions[i] = NULL;
        store->questions_out--;
        question->done(question);
    }
    store_syncs_heard(store);
}

/* ---- begin and end ---- */

static void give_parts(struct store *store)
{
    inflight_map_close(&store->map);
    mem_give(store->table.free, store->table.count * sizeof *store->table.free);
    loop_timer_fini(&store->nudge);
    store_syncs_fini(store);
    bell_free(store->heard);
    ring_fini(&store->finished);
    ring_fini(&store->freed);
    ring_fini(&store->said);
    ring_fini(&store->asked);
    ring_fini(&store->answered);
    (void)sem_destroy(&store->ready);
    mem_give(store, sizeof *store);
}

static bool take_parts(struct store *store, uint32_t slots)
{
    store->heard = bell_new(store->options.loop, on_heard, store);
    return store_syncs_init(store) && store->heard != NULL && ring_init(&store->finished, slots) &&
           ring_init(&store->freed, slots) && ring_init(&store->said, SAID_MAX) &&
           ring_init(&store->asked, QUESTIONS_MAX) && ring_init(&store->answered, QUESTIONS_MAX);
}

static bool start(struct store *store)
{
    if (pthread_create(&store->thread, NULL, store_thread_run, store) != 0) {
        why_set(&store->why, "the system gives no second thread");
        store->err = ERR_SYSTEM;
        return false;
    }
    while (sem_wait(&store->ready) != 0) {
    }
    if (store->err != ERR_NONE) {
        (void)pthread_join(store->thread, NULL);
        return false;
    }
    return true;
}

enum err store_new(const struct store_options *options, struct store **made, struct why *why)
{
    uint32_t slots = options->calls * 2 + FINISHED_MIN; /* see has_room */
    struct store *store = mem_take_zero(sizeof *store);
    uint32_t *free = mem_take(slots * sizeof *free);
    enum err err = ERR_NONE;

    if (store == NULL || free == NULL || options->state_dir.len >= sizeof store->folder ||
        sem_init(&store->ready, 0, 0) != 0) {
        mem_give(store, sizeof *store);
        mem_give(free, slots * sizeof *free);
        why_set(why, "out of memory");
        return ERR_MEMORY;
    }
    store->options = *options;
    memcpy(store->folder, options->state_dir.at, options->state_dir.len);
    store->options.state_dir = span_of(store->folder);
    store->table = (struct inflight){.count = slots, .free = free};
    loop_timer_init(&store->nudge, options->loop, nudge_fire);
    if (!take_parts(store, slots)) {
        why_set(&store->why, "out of memory");
        store->err = ERR_MEMORY;
    }
    if (store->err != ERR_NONE || !start(store)) {
        *why = store->why;
        err = store->err;
        give_parts(store);
        return err;
    }
    inflight_init(&store->table, store->map.memory, slots, free);
    on_heard(store); /* what the start had to say */
    *made = store;
    return ERR_NONE;
}

void store_free(struct store *store, uint32_t ms)
{
    if (store == NULL) {
        return;
    }
    atomic_store(&store->stop_ms, ms);
    atomic_store(&store->is_stopping, true);
    bell_ring(store->wake);
    (void)sem_post(&store->ready); /* the bell is not touched any more */
    (void)pthread_join(store->thread, NULL);
    take_freed(store);
    on_heard(store);
    store_syncs_end(store);
    if (store->table.free_count == store->table.count) {
        inflight_map_remove(store->folder);
    }
    give_parts(store);
}
