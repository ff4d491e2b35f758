/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the sinks of the settings, and frees them. What they do stands in sink_run.c. */
#include "proxy/sinks.h"

#include "base/mem.h"
#include "proxy/sinks_parts.h"

enum { FOLDER_MAX = 4096 };

static const struct sink_ops *const rows[] = {
#define SINK(name) &sink_ops_##name,
#include "conf/sinks.def"
#undef SINK
};

static void free_shared(struct sinks_shared *shared)
{
    if (shared != NULL && list_is_empty(&shared->sinks)) {
        fetcher_free(shared->fetcher);
        mem_give(shared, sizeof *shared);
    }
}

static void free_sink(void *to)
{
    struct sink *sink = to;
    struct sinks_shared *shared = sink->shared;

    if (sink->to != NULL) {
        sink->ops->free(sink->to);
    }
    loop_timer_fini(&sink->timer);
    loop_timer_fini(&sink->save);
    loop_task_cancel(&sink->task);
    journal_reader_free(sink->reader);
    cursor_close(&sink->cursor);
    sink_batch_fini(&sink->batch);
    mem_give(sink->name, sink->frame.settings->name.len + 1);
    list_remove(&sink->link);
    mem_give(sink, sizeof *sink);
    free_shared(shared);
}

static struct journal_place cursor_of(const void *to)
{
    return ((const struct sink *)to)->cursor.place;
}

static const struct follower_ops ops = {
    .step = sink_run_step, .cursor = cursor_of, .finish = sink_run_finish, .free = free_sink};

static void set_frame(struct sink *sink, const struct sink_settings *settings)
{
    sink->frame = (struct sink_frame){
        .loop = sink->shared->loop,
        .settings = settings,
        .fetcher = sink->shared->fetcher,
        .id = sink->cursor.id,
        .to = sink,
    };
}

/* Everything that may fail; on an error free_sink follows. */
static enum err fill(struct sink *sink, const struct sinks_options *options,
                     const struct sink_settings *settings, struct why *why)
{
    struct buf folder;
    enum err err = sink_batch_init(&sink->batch, settings->batch);

    buf_init(&folder, FOLDER_MAX);
    buf_put(&folder, options->state_dir);
    buf_put_text(&folder, "/sinks");
    sink->name = mem_take(settings->name.len + 1);
    sink->reader = journal_reader_new(options->journal);
    if (err != ERR_NONE || folder.failed || sink->name == NULL || sink->reader == NULL) {
        why_set(why, "%s", err_text(ERR_MEMORY));
        err = ERR_MEMORY;
    } else {
        memcpy(sink->name, settings->name.at, settings->name.len);
        sink->name[settings->name.len] = '\0';
        err = cursor_open(&sink->cursor, buf_span(&folder), settings->name, options->loop, why);
    }
    buf_fini(&folder);
    if (err == ERR_NONE && why->text[0] != '\0') {
        sink_tell(sink, LOG_ERROR, "sink_cursor",
                  "all that the journal holds is delivered once more", why->text);
        why_set(why, "%s", "");
    }
    return err;
}

static enum err make(const struct sinks_options *options, struct sinks_shared *shared,
                     const struct sink_settings *settings, struct sink **out, struct why *why)
{
    struct sink *sink = mem_take_zero(sizeof *sink);

    if (sink == NULL) {
        return ERR_MEMORY;
    }
    sink->shared = shared;
    sink->ops = rows[settings->kind_index];
    sink->now.most = settings->batch;
    list_init(&sink->link);
    list_push_back(&shared->sinks, &sink->link);
    set_frame(sink, settings);
    sink_run_init(sink);
    *out = sink;
    return fill(sink, options, settings, why);
}

static struct sinks_shared *make_shared(const struct sinks_options *options)
{
    struct sinks_shared *shared = mem_take_zero(sizeof *shared);

    if (shared != NULL) {
        shared->loop = options->loop;
        shared->log = options->log;
        list_init(&shared->sinks);
        shared->fetcher = fetcher_new(options->loop, options->snapshot);
        if (shared->fetcher == NULL) {
            free_shared(shared);
            shared = NULL;
        }
    }
    return shared;
}

enum err sinks_new(const struct sinks_options *options, struct follower *followers, size_t *count,
                   struct why *why)
{
    const struct snapshot *snapshot = options->snapshot;
    struct sinks_shared *shared = NULL;
    enum err err = ERR_NONE;
    size_t made = 0;

    *count = 0;
    why_set(why, "%s", "");
    if (snapshot->sinks_count == 0) {
        return ERR_NONE;
    }
    shared = make_shared(options);
    err = shared == NULL ? ERR_MEMORY : ERR_NONE;
    while (made < snapshot->sinks_count && err == ERR_NONE) {
        struct sink *sink = NULL;

        err = make(options, shared, snapshot->sinks[made], &sink, why);
        if (sink != NULL) {
            rng_init(&sink->rng, options->seed, made);
            followers[made++] = (struct follower){.name = sink->name, .ops = &ops, .to = sink};
        }
    }
    if (err == ERR_NONE) {
        *count = made;
        return ERR_NONE;
    }
    if (why->text[0] == '\0') {
        why_set(why, "%s", err_text(err));
    }
    if (made == 0) {
        free_shared(shared);
    }
    while (made > 0) {
        free_sink(followers[--made].to);
    }
    return err;
}

struct sink_counts sinks_count_of(const struct follower *follower)
{
    const struct sink *sink = follower->to;
    struct sink_counts counts = sink->counts;

    counts.is_down = sink->outage.is_on;
    return counts;
}
