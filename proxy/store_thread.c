/* SPDX-License-Identifier: Apache-2.0 */
/* The store thread: makes lines of finished records, appends them many at a time, tells the main
 * loop which slots are free again, steps the followers and syncs. Everything on the heap that it
 * uses it takes and gives itself. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/journal_parts.h"
#include "proxy/store_thread.h"

enum {
    SYNC_MS = 60,     /* what comes in between is handed over within 40 ms (store.c) */
    SETTLE_MS = 1000, /* after the start: what opened a little later has something to say by then */
    TIDY_MS = 60000
};

/* ---- saying ---- */

static struct span keep(char *room, size_t size, struct span text)
{
    (void)snprintf(room, size, "%.*s", (int)text.len, text.len == 0 ? "" : text.at);
    return span_of(room);
}

void store_tell(struct store *store, const struct log_news *news)
{
    uint32_t place = atomic_load_explicit(&store->said.put, memory_order_relaxed) % SAID_MAX;
    struct store_said *said = &store->sayings[place];

    if (ring_count(&store->said) >= SAID_MAX - 1) {
        return; /* nobody listens; what matters is said again */
    }
    said->news = *news;
    said->news.text = keep(said->text, sizeof said->text, span_of(news->text)).at;
    said->news.sink = keep(said->sink, sizeof said->sink, news->sink);
    said->news.reason = keep(said->reason, sizeof said->reason, news->reason);
    ring_put(&store->said, place);
    bell_ring(store->heard);
}

void store_thread_say(struct store_thread *side, enum log_level level, const char *event,
                      const char *text)
{
    struct log_news news = {.level = level, .event = event, .text = text};

    store_tell(side->store, &news);
}

void store_thread_failed(struct store_thread *side, const struct why *why)
{
    struct why text;

    side->failure = *why;
    if (!atomic_exchange(&side->store->is_failing, true)) {
        why_set(&text, "usage records cannot be written: %s; %s", why->text,
                side->store->options.degrades ? "calls are served as long as memory lasts"
                                              : "calls are refused until they can");
        store_thread_say(side, LOG_ERROR, "journal_failing", text.text);
    }
    loop_timer_set(&side->retry, mono_add(loop_now(side->loop), RETRY_MS));
}

void store_thread_works(struct store_thread *side)
{
    if (atomic_exchange(&side->store->is_failing, false)) {
        store_thread_say(side, LOG_WARN, "journal_works", "usage records are written again");
    }
}

/* ---- writing ---- */

bool store_thread_append(struct store_thread *side, struct span lines, struct journal_place *at)
{
    struct why why = {.text = ""};

    if (!journal_append(side->journal, lines, loop_wall(side->loop), at, &why)) {
        store_thread_failed(side, &why);
        return false;
    }
    if (!side->is_sync_failing) {
        store_thread_works(side);
    }
    if (!side->is_sync_due) {
        side->is_sync_due = true;
        loop_timer_set(&side->sync, mono_add(loop_now(side->loop), SYNC_MS));
    }
    return true;
}

static bool has_room(struct store_thread *side)
{
    const struct why why = {.text = "out of memory"};

    side->is_short = buf_reserve(&side->lines, RECORD_LINE_MAX) != ERR_NONE;
    if (!side->is_short) {
        return true;
    }
    side->lines.failed = false; /* the lines that stand there are good */
    store_thread_failed(side, &why);
    return false;
}

static void read_slot(struct store_thread *side, uint32_t slot, struct record *record)
{
    struct inflight_progress progress;
    enum inflight_state state = INFLIGHT_FREE;

    must(inflight_read(&side->view, slot, &side->text, record, &progress, &state) &&
         state == INFLIGHT_FINISHED);
}

static void fill_batch(struct store_thread *side)
{
    uint32_t slot = 0;

    if (side->batch_count == 0) {
        buf_clear(&side->text);
    }
    /* Room first: a record without its line would be lost for good, and texts must not move. */
    while (side->batch_count < BATCH_MAX && has_room(side) &&
           side->text.cap - side->text.len >= INFLIGHT_RECORD_MAX &&
           ring_take(&side->store->finished, &slot)) {
        struct record *record = &side->records[side->batch_count];

        inflight_warm(&side->view, ring_next(&side->store->finished));
        read_slot(side, slot, record);
        side->is_plain[side->batch_count] = record_put_line(&side->lines, record);
        side->ends[side->batch_count] = (uint32_t)side->lines.len;
        side->batch[side->batch_count++] = slot;
    }
}

/* Whoever has read all that was there before is told of the batch without having to read it. */
static void tell_followers(struct store_thread *side, struct journal_place before,
                           struct journal_place at)
{
    uint32_t from = 0;

    for (uint32_t i = 0; i < side->batch_count; i++) {
        uint32_t end = side->ends[i];
        struct follower_news news = {
            .record = &side->records[i],
            .line = span_make(side->lines.at + from, end - from - 1),
            .before = before,
            .at = at,
            .next = {.segment = at.segment, .offset = at.offset + end - from}};

        for (size_t j = 0; side->is_plain[i] && j < side->followers_count; j++) {
            if (side->followers[j].ops->take != NULL) {
                side->followers[j].ops->take(side->followers[j].to, &news);
            }
        }
        before = at = news.next;
        from = end;
    }
}

/* True: something was written. */
static bool write_batch(struct store_thread *side)
{
    struct journal_place before = journal_end(side->journal);
    struct journal_place at;

    fill_batch(side);
    if (side->batch_count == 0 || !store_thread_append(side, buf_span(&side->lines), &at)) {
        return false;
    }
    tell_followers(side, before, at);
    for (uint32_t i = 0; i < side->batch_count; i++) {
        ring_put(&side->store->freed, side->batch[i]);
    }
    atomic_fetch_add(&side->store->written, side->batch_count);
    side->batch_count = 0;
    buf_clear(&side->lines);
    return true;
}

bool store_append(struct store *store, struct span lines, struct journal_place *end)
{
    struct store_thread *side = store->side;
    struct journal_place at;
    bool is_good = store_thread_append(side, lines, &at);

    if (is_good) {
        loop_task_queue_later(side->loop, &side->again);
    }
    *end = journal_end(side->journal);
    return is_good;
}

/* ---- followers ---- */

static void tell_troubles(struct store_thread *side)
{
    for (size_t i = 0; i < side->followers_count; i++) {
        const struct follower *follower = &side->followers[i];
        struct why why;

        if (follower->ops->trouble(follower->to, &why)) {
            why_prefix(&why, "%s", follower->name);
            store_thread_say(side, LOG_WARN, "follower_trouble", why.text);
        }
    }
}

static void step_followers(struct store_thread *side)
{
    struct journal_place end = journal_end(side->journal);
    bool has_more = false;

    for (size_t i = 0; i < side->followers_count; i++) {
        has_more |= side->followers[i].ops->step(side->followers[i].to, end);
    }
    tell_troubles(side);
    if (has_more) {
        loop_task_queue_later(side->loop, &side->again);
    }
}

static void again_run(struct loop_task *task)
{
    step_followers(LIST_OWNER(task, struct store_thread, again));
}

static struct journal_place needed_by_followers(const struct store_thread *side)
{
    struct journal_place needed = journal_end(side->journal);

    for (size_t i = 0; i < side->followers_count; i++) {
        struct journal_place cursor = side->followers[i].ops->cursor(side->followers[i].to);

        if (journal_place_compare(cursor, needed) < 0) {
            needed = cursor;
        }
    }
    return needed;
}

/* ---- timers and bells ---- */

static void sync_fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    (void)store_thread_sync(LIST_OWNER(timer, struct store_thread, sync));
}

static void alarm_if_large(struct store_thread *side, uint64_t bytes)
{
    uint64_t half = journal_room(side->journal) / 2;
    struct why text;

    if (bytes <= half || half == 0) {
        side->has_alarmed = false;
        return;
    }
    if (!side->has_alarmed) {
        side->has_alarmed = true;
        why_set(&text,
                "the journal in %s has %llu MiB of the %llu it may have (journal.max, and a fifth "
                "of the disk): shorten journal.retention, make room, or see which sink is behind",
                side->store->folder, (unsigned long long)(bytes >> 20),
                (unsigned long long)(half >> 19));
        store_thread_say(side, LOG_WARN, "journal_large", text.text);
    }
}

static void tidy(struct store_thread *side)
{
    alarm_if_large(side,
                   journal_tidy(side->journal, needed_by_followers(side), loop_wall(side->loop)));
    tell_troubles(side); /* also of those who work by a timer of their own */
    loop_timer_set(&side->tidy,
                   mono_add(loop_now(side->loop), side->has_settled ? TIDY_MS : SETTLE_MS));
}

static void tidy_fire(struct loop_timer *timer, mono_ms now)
{
    struct store_thread *side = LIST_OWNER(timer, struct store_thread, tidy);

    (void)now;
    side->has_settled = true;
    tidy(side);
}

static void answer_questions(struct store_thread *side)
{
    struct store *store = side->store;
    uint32_t i = 0;
    bool has_answered = false;

    while (ring_take(&store->asked, &i)) {
        store->questions[i]->run(store->questions[i], journal_end(side->journal));
        ring_put(&store->answered, i);
        has_answered = true;
    }
    if (has_answered) {
        bell_ring(store->heard);
    }
}

static void work(struct store_thread *side)
{
    /* Asked first: what was handed over before is in the ring then. */
    bool is_asked = atomic_exchange(&side->store->syncs.is_asked, false);
    bool has_written = false;

    while (write_batch(side)) {
        has_written = true;
    }
    if (is_asked) {
        store_thread_sync_for_all(side);
    }
    if (has_written) {
        step_followers(side);
    }
    answer_questions(side);
    if (atomic_load(&side->store->is_stopping)) {
        side->is_stopped = true;
        loop_stop(side->loop);
    }
}

static void on_wake(void *to)
{
    work(to);
}

static void retry_fire(struct loop_timer *timer, mono_ms now)
{
    (void)now;
    work(LIST_OWNER(timer, struct store_thread, retry));
}

/* ---- begin ---- */

static enum err begin(struct store_thread *side, struct why *why)
{
    char folder[JOURNAL_PATH_MAX];
    const struct store_options *options = &side->store->options;
    enum err err = ERR_NONE;

    side->loop = loop_new(NULL);
    side->store->wake = side->loop == NULL ? NULL : bell_new(side->loop, on_wake, side);
    if (side->store->wake == NULL || !store_thread_path(folder, side->store, "journal") ||
        buf_reserve(&side->text, TEXT_ROOM) != ERR_NONE) {
        why_set(why, "out of memory");
        return ERR_MEMORY;
    }
    loop_timer_init(&side->sync, side->loop, sync_fire);
    loop_timer_init(&side->retry, side->loop, retry_fire);
    loop_timer_init(&side->tidy, side->loop, tidy_fire);
    loop_task_init(&side->again, again_run);
    err = journal_open(span_of(folder), &options->journal, options->disk, &side->journal, why);
    if (err == ERR_NONE) {
        err = store_thread_open_table(side, why);
    }
    if (err != ERR_NONE) {
        return err;
    }
    side->view = (struct inflight){
        .memory = side->store->map.memory, .count = side->store->map.count, .is_own = true};
    if (options->make_followers != NULL) {
        side->followers_count =
            options->make_followers(options->to, side->store, side->loop, side->followers);
    }
    tidy(side);
    step_followers(side);
    return ERR_NONE;
}

/* ---- end ---- */

static uint32_t left_ms(const struct store_thread *side)
{
    return (uint32_t)mono_until(loop_now(side->loop), side->stop_at);
}

/* The last records, then whoever follows them. */
static void finish(struct store_thread *side)
{
    side->stop_at = mono_add(loop_now(side->loop), atomic_load(&side->store->stop_ms));
    while (write_batch(side)) {
    }
    store_thread_sync_for_all(side);
    tell_troubles(side);
    for (size_t i = 0; i < side->followers_count; i++) {
        side->followers[i].ops->finish(side->followers[i].to, left_ms(side));
    }
}

static void end(struct store_thread *side)
{
    for (size_t i = 0; i < side->followers_count; i++) {
        side->followers[i].ops->free(side->followers[i].to);
    }
    if (side->loop != NULL && side->journal != NULL) {
        loop_task_cancel(&side->again);
    }
    journal_close(side->journal);
    bell_free(side->store->wake);
    if (side->loop != NULL) {
        loop_timer_fini(&side->sync);
        loop_timer_fini(&side->retry);
        loop_timer_fini(&side->tidy);
    }
    loop_free(side->loop);
    buf_fini(&side->lines);
    buf_fini(&side->text);
    buf_fini(&side->names);
    mem_give(side, sizeof *side);
}

void *store_thread_run(void *to)
{
    struct store *store = to;
    struct store_thread *side = mem_take_zero(sizeof *side);

    if (side == NULL) {
        why_set(&store->why, "out of memory");
        store->err = ERR_MEMORY;
        (void)sem_post(&store->ready);
        return NULL;
    }
    side->store = store;
    store->side = side;
    buf_init(&side->lines, LINES_MAX);
    buf_init(&side->text, 2 * TEXT_ROOM);
    buf_init(&side->names, TEXT_ROOM);
    store->err = begin(side, &store->why);
    if (store->err != ERR_NONE) {
        end(side);
        (void)sem_post(&store->ready);
        return NULL;
    }
    (void)sem_post(&store->ready);
    loop_run(side->loop);
    finish(side);
    while (sem_wait(&store->ready) != 0) {
    }
    end(side);
    return NULL;
}
