/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the sinks of the settings, changes them, and frees them. What they do stands in sink_run.c.
 */
#include "proxy/sinks.h"

#include <string.h>

#include "base/mem.h"
#include "proxy/journal_parts.h"
#include "proxy/sinks_parts.h"

enum { FOLDER_MAX = 4096, TURN_MS = 50 };

static const struct sink_ops *const rows[] = {
#define SINK(name) &sink_ops_##name,
#include "conf/sinks.def"
#undef SINK
};

static struct sink *sink_of(struct link *link)
{
    return LIST_OWNER(link, struct sink, link);
}

/* ---- one sink ---- */

static void free_sink(struct sink *sink)
{
    sink_run_fini(sink);
    journal_reader_free(sink->reader);
    cursor_close(&sink->cursor);
    sink_batch_fini(&sink->batch);
    if (sink->name != NULL) {
        mem_give(sink->name, strlen(sink->name) + 1);
    }
    list_remove(&sink->link);
    mem_give(sink, sizeof *sink);
}

static bool set_name(struct sink *sink, struct span name)
{
    sink->name = mem_take(name.len + 1);
    if (sink->name != NULL) {
        memcpy(sink->name, name.at, name.len);
        sink->name[name.len] = '\0';
    }
    return sink->name != NULL;
}

/* False, and nothing has changed: no memory. */
static bool set_settings(struct sink *sink, const struct sink_settings *settings,
                         const struct snapshot *snapshot)
{
    struct sink_batch batch;

    if (sink_batch_init(&batch, settings->batch) != ERR_NONE) {
        return false;
    }
    if (sink->to != NULL) {
        sink->ops->free(sink->to);
        sink->to = NULL;
    }
    sink_batch_fini(&sink->batch);
    sink->batch = batch;
    sink->snapshot = snapshot;
    sink->ops = rows[settings->kind_index];
    sink->frame.settings = settings;
    sink_run_renew(sink);
    return true;
}

static bool has_fetcher(struct sinks *sinks)
{
    if (sinks->fetcher == NULL) {
        sinks->fetcher = fetcher_new(sinks->options.loop, sinks->options.snapshot);
    }
    return sinks->fetcher != NULL;
}

static enum err open_cursor(struct sink *sink, struct why *why)
{
    const struct sinks_options *options = &sink->sinks->options;
    struct buf folder;
    enum err err = ERR_MEMORY;

    buf_init(&folder, FOLDER_MAX);
    buf_put(&folder, options->state_dir);
    buf_put_text(&folder, "/sinks");
    if (!folder.failed) {
        err =
            cursor_open(&sink->cursor, buf_span(&folder), span_of(sink->name), options->loop, why);
    }
    buf_fini(&folder);
    if (err == ERR_NONE && why->text[0] != '\0') {
        sink_tell(sink, LOG_ERROR, "sink_cursor",
                  "all that the journal holds is delivered once more", why->text);
        why_set(why, "%s", "");
    }
    return err;
}

static enum err make(struct sinks *sinks, const struct sink_settings *settings,
                     const struct snapshot *snapshot, struct journal_place end, struct why *why)
{
    struct sink *sink = mem_take_zero(sizeof *sink);
    enum err err = ERR_MEMORY;

    if (sink == NULL) {
        return ERR_MEMORY;
    }
    sink->sinks = sinks;
    sink->now.end = end;
    list_init(&sink->link);
    list_push_back(&sinks->all, &sink->link);
    rng_init(&sink->rng, sinks->options.seed, sinks->made++);
    sink_run_init(sink);
    sink->reader = journal_reader_new(sinks->options.journal);
    if (sink->reader != NULL && has_fetcher(sinks) && set_name(sink, settings->name)) {
        sink->frame.loop = sinks->options.loop;
        sink->frame.fetcher = sinks->fetcher;
        sink->frame.id = sink->cursor.id;
        sink->frame.to = sink;
        err = open_cursor(sink, why);
    }
    if (err == ERR_NONE && !set_settings(sink, settings, snapshot)) {
        err = ERR_MEMORY;
    }
    if (err != ERR_NONE) {
        free_sink(sink);
    }
    return err;
}

/* ---- all of them ---- */

static bool step(void *to, struct journal_place end)
{
    struct sinks *sinks = to;
    bool has_more = false;

    for (struct link *at = sinks->all.next; at != &sinks->all; at = at->next) {
        has_more |= sink_run_step(sink_of(at), end);
    }
    return has_more;
}

/* The one that is farthest behind. */
static struct journal_place cursor_of(const void *to)
{
    const struct sinks *sinks = to;
    struct journal_place first = {UINT64_MAX, UINT64_MAX};

    for (struct link *at = sinks->all.next; at != &sinks->all; at = at->next) {
        const struct sink *sink = sink_of(at);

        if (journal_place_compare(sink->cursor.place, first) < 0) {
            first = sink->cursor.place;
        }
    }
    return first;
}

/* All at once, so that a dead one costs the others nothing. */
static void finish(void *to, uint32_t ms)
{
    struct sinks *sinks = to;
    struct loop *loop = sinks->options.loop;
    mono_ms until = mono_add(loop_now(loop), ms);
    bool is_busy = false;

    for (struct link *at = sinks->all.next; at != &sinks->all; at = at->next) {
        sink_run_hurry(sink_of(at));
    }
    do {
        loop_resume(loop);
        (void)loop_turn(loop, is_busy ? TURN_MS : 0);
        is_busy = false;
        for (struct link *at = sinks->all.next; at != &sinks->all; at = at->next) {
            is_busy |= sink_run_is_busy(sink_of(at));
        }
    } while (is_busy && loop_now(loop) < until);
    for (struct link *at = sinks->all.next; at != &sinks->all; at = at->next) {
        sink_run_save(sink_of(at));
    }
}

static void free_all(void *to)
{
    struct sinks *sinks = to;

    while (!list_is_empty(&sinks->all)) {
        free_sink(sink_of(sinks->all.next));
    }
    fetcher_free(sinks->fetcher);
    mem_give(sinks, sizeof *sinks);
}

/* They tell by themselves. */
static bool trouble(void *to, struct why *why)
{
    (void)to;
    (void)why;
    return false;
}

struct follower sinks_follower(struct sinks *sinks)
{
    static const struct follower_ops ops = {
        .step = step, .cursor = cursor_of, .finish = finish, .free = free_all, .trouble = trouble};

    return (struct follower){.name = "sinks", .ops = &ops, .to = sinks};
}

enum err sinks_new(const struct sinks_options *options, struct sinks **made, struct why *why)
{
    const struct snapshot *snapshot = options->snapshot;
    struct sinks *sinks = mem_take_zero(sizeof *sinks);
    enum err err = sinks == NULL ? ERR_MEMORY : ERR_NONE;

    *made = NULL;
    why_set(why, "%s", "");
    if (sinks != NULL) {
        sinks->options = *options;
        list_init(&sinks->all);
    }
    for (size_t i = 0; i < snapshot->sinks_count && err == ERR_NONE; i++) {
        err = make(sinks, snapshot->sinks[i], snapshot, (struct journal_place){0, 0}, why);
    }
    if (err == ERR_NONE) {
        *made = sinks;
        return ERR_NONE;
    }
    if (why->text[0] == '\0') {
        why_set(why, "%s", err_text(err));
    }
    if (sinks != NULL) {
        free_all(sinks);
    }
    return err;
}

/* ---- a change ---- */

static const struct sink_settings *find_settings(const struct snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < snapshot->sinks_count; i++) {
        if (span_equal(snapshot->sinks[i]->name, span_of(name))) {
            return snapshot->sinks[i];
        }
    }
    return NULL;
}

static bool has_sink(struct sinks *sinks, struct span name)
{
    for (struct link *at = sinks->all.next; at != &sinks->all; at = at->next) {
        if (span_equal(span_of(sink_of(at)->name), name)) {
            return true;
        }
    }
    return false;
}

/* False: not now. */
static bool change(struct sink *sink, const struct snapshot *snapshot, struct why *why)
{
    const struct sink_settings *settings = find_settings(snapshot, sink->name);

    if (sink->snapshot == snapshot) {
        return true;
    }
    if (!sink_run_hold(sink)) {
        return false;
    }
    if (settings == NULL) {
        sink_run_save(sink);
        free_sink(sink);
        return true;
    }
    if (!set_settings(sink, settings, snapshot)) {
        why_set(why, "%s", err_text(ERR_MEMORY));
        return false;
    }
    return true;
}

/* New ones begin when all others have changed: one of them may have delivered to the same place
 * under another name. */
bool sinks_change(struct sinks *sinks, const struct snapshot *snapshot, struct journal_place end,
                  struct why *why)
{
    struct link *next = NULL;
    bool is_done = true;

    why_set(why, "%s", "");
    for (struct link *at = sinks->all.next; at != &sinks->all; at = next) {
        next = at->next;
        is_done &= change(sink_of(at), snapshot, why);
    }
    for (size_t i = 0; i < snapshot->sinks_count && is_done; i++) {
        enum err err = has_sink(sinks, snapshot->sinks[i]->name)
                           ? ERR_NONE
                           : make(sinks, snapshot->sinks[i], snapshot, end, why);

        if (err != ERR_NONE && why->text[0] == '\0') {
            why_set(why, "%s", err_text(err));
        }
        is_done = err == ERR_NONE;
    }
    return is_done;
}

/* ---- the state ---- */

size_t sinks_count(const struct sinks *sinks)
{
    size_t count = 0;

    for (struct link *at = sinks->all.next; at != &sinks->all; at = at->next) {
        count++;
    }
    return count;
}

struct sink_state sinks_state(const struct sinks *sinks, size_t i)
{
    struct link *at = sinks->all.next;
    const struct sink *sink = NULL;

    while (i-- > 0) {
        at = at->next;
    }
    sink = sink_of(at);
    return (struct sink_state){
        .name = span_of(sink->name),
        .kind = sink->frame.settings->kind->name,
        .cursor = sink->cursor.place,
        .delivered = sink->counts.delivered,
        .known = sink->counts.known,
        .batches = sink->counts.batches,
        .failures = sink->counts.failures,
        .damaged = sink->counts.damaged,
        .is_down = sink->outage.is_on,
        .down_ms = sink->outage.is_on ? loop_now(sinks->options.loop) - sink->outage.since : 0,
        .reason = sink->outage.is_on ? sink->outage.why.text : "",
    };
}

uint64_t sinks_waiting(const struct sinks *sinks, struct journal_place cursor,
                       struct journal_place end)
{
    char folder[JOURNAL_FOLDER_MAX];
    struct segments segments = {.list = NULL};
    struct span journal = sinks->options.journal;
    struct why why;
    uint64_t bytes = 0;

    if (cursor.segment == end.segment || journal.len >= sizeof folder) {
        return end.offset > cursor.offset ? end.offset - cursor.offset : 0;
    }
    memcpy(folder, journal.at, journal.len);
    folder[journal.len] = '\0';
    (void)segments_list(folder, &segments, &why); /* none: the folder cannot be read now */
    for (size_t i = 0; i < segments.count; i++) {
        const struct segment *segment = &segments.list[i];
        uint64_t from = segment->number == cursor.segment ? cursor.offset : 0;

        if (segment->number >= cursor.segment && segment->size > from) {
            bytes += segment->size - from;
        }
    }
    segments_fini(&segments);
    return bytes;
}
