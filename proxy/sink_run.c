/* SPDX-License-Identifier: Apache-2.0 */
/* What all sinks share. A sink gathers lines until a batch is full or the oldest one has waited
 * long enough, delivers it, and moves its cursor; while a batch is out, or a pause runs after a
 * failure, nothing is read: what waits, waits in the journal.
 *
 *   GATHERING --full, or due--> DELIVERING --delivered--> GATHERING
 *                               DELIVERING --failed--> PAUSING --its time is over--> DELIVERING
 */
#include "proxy/sinks_parts.h"

#include "usage/record.h"

enum {
    STEP_LINES = 2000, /* about two milliseconds of reading */
    SLOWLY_MS = 60000, /* between two tries of what will hardly work */
    SILENT_MS = 60000, /* a delivery that takes longer is told of */
    SAVE_AGAIN_MS = 1000
};

/* ---- telling ---- */

static struct loop *loop_of(const struct sink *sink)
{
    return sink->sinks->options.loop;
}

void sink_tell(struct sink *sink, enum log_level level, const char *event, const char *text,
               const char *why)
{
    const struct sinks_options *options = &sink->sinks->options;
    struct log_news news = {.level = level,
                            .event = event,
                            .text = text,
                            .sink = span_of(sink->name),
                            .reason = span_of(why)};

    options->tell(options->to, &news);
}

static void begin_outage(struct sink *sink, const char *why)
{
    struct sink_outage *outage = &sink->outage;

    if (outage->is_on && !outage->is_old) {
        return;
    }
    if (!outage->is_on) {
        *outage = (struct sink_outage){.is_on = true,
                                       .since = loop_now(loop_of(sink)),
                                       .delivered_before = sink->counts.delivered};
    }
    outage->is_old = false;
    why_set(&outage->why, "%s", why);
    sink_tell(sink, LOG_ERROR, "sink_down", "records are not delivered; they wait in the journal",
              why);
}

/* Told when what had waited is delivered, so that its number is known. */
static void end_outage(struct sink *sink)
{
    const struct sinks_options *options = &sink->sinks->options;
    struct sink_outage *outage = &sink->outage;
    struct log_news news = {.level = LOG_INFO,
                            .event = "sink_up",
                            .text = "records are delivered again; those that waited are",
                            .sink = span_of(sink->name)};

    if (outage->is_on && !outage->is_passing) {
        outage->is_passing = true;
        outage->end = sink->now.end;
    }
    if (!outage->is_on || journal_place_compare(sink->cursor.place, outage->end) < 0) {
        return;
    }
    outage->is_on = false;
    news.records = sink->counts.delivered - outage->delivered_before;
    news.dur_us = (loop_now(options->loop) - outage->since) * 1000;
    options->tell(options->to, &news);
}

/* ---- the cursor ---- */

/* Failing only means that more will be delivered twice after a crash. */
void sink_run_save(struct sink *sink)
{
    struct why why = {""};
    mono_ms again = mono_add(loop_now(loop_of(sink)), SAVE_AGAIN_MS);

    if (cursor_write(&sink->cursor, &why)) {
        loop_timer_set(&sink->save, MONO_NEVER);
        return;
    }
    if (sink->save.wanted == MONO_NEVER) {
        sink_tell(sink, LOG_ERROR, "sink_cursor", "how far it came cannot be written down",
                  why.text);
    }
    loop_timer_set(&sink->save, again);
}

static void save_fire(struct loop_timer *timer, mono_ms now)
{
    struct sink *sink = LIST_OWNER(timer, struct sink, save);
    struct why why = {""};

    if (!cursor_write(&sink->cursor, &why)) {
        loop_timer_set(timer, mono_add(now, SAVE_AGAIN_MS));
    }
}

/* A cursor beyond the end belongs to lines that a power cut took, or to another journal. What is
 * gone was delivered in the first case; in the second all is new. Either way the places to come
 * have been seen before, so whoever remembers them is asked under a new id. */
static void check_cursor(struct sink *sink, struct journal_place end)
{
    struct journal_place place = sink->cursor.place;

    if (journal_place_compare(place, end) > 0) {
        place = place.segment == end.segment ? end : (struct journal_place){0, 0};
        sink_tell(
            sink, LOG_WARN, "sink_cursor",
            "its cursor is beyond the journal's end: lines were lost, or this is another journal",
            "");
        cursor_restart(&sink->cursor, place, loop_of(sink));
    }
}

/* False: no memory now. */
static bool begin(struct sink *sink, struct journal_place end)
{
    check_cursor(sink, end);
    sink->now.next = sink->cursor.place;
    journal_reader_seek(sink->reader, sink->cursor.place);
    /* A new cursor's id must be known before something is delivered under it. */
    sink_run_save(sink);
    sink->to = sink->ops->open(&sink->frame);
    sink->now.is_begun = sink->to != NULL;
    return sink->now.is_begun;
}

/* ---- gathering ---- */

static void leave_out(struct sink *sink)
{
    if (sink->counts.damaged == 0) {
        sink_tell(sink, LOG_ERROR, "sink_damaged",
                  "a damaged line of the journal was left out; further ones are only counted", "");
    }
    sink->counts.damaged++;
}

static bool is_full(const struct sink *sink)
{
    return sink->now.is_full || sink->batch.count >= sink->now.most;
}

/* One line. False: there is none, or the batch is full. */
static bool gather_line(struct sink *sink)
{
    struct sink_progress *now = &sink->now;
    struct journal_place at = now->next;
    struct journal_place next = now->next;
    struct why why = {""};
    struct span line;

    if (journal_place_compare(now->next, now->end) >= 0 || is_full(sink)) {
        return false;
    }
    if (!journal_reader_next(sink->reader, &line, &at, &next, &why)) {
        if (why.text[0] != '\0') {
            begin_outage(sink, why.text);
        }
        return false;
    }
    if (!record_line_is_whole(line)) {
        leave_out(sink);
    } else if (!sink_batch_add(&sink->batch, line, at, next)) {
        journal_reader_seek(sink->reader, at); /* the next batch begins with it */
        now->is_full = sink->batch.count > 0;
        return false;
    }
    now->next = next;
    return true;
}

/* ---- delivering ---- */

static void deliver(struct sink *sink)
{
    struct sink_progress *now = &sink->now;

    now->stage = DELIVERING;
    now->count = sink->batch.count < now->most ? sink->batch.count : now->most;
    loop_timer_set(&sink->timer, mono_add(loop_now(loop_of(sink)), SILENT_MS));
    sink->ops->deliver(sink->to, &sink->batch, now->count);
}

/* The rest of a batch that was sent in part is read once more. */
static void delivered(struct sink *sink, const struct sink_answer *answer)
{
    struct sink_progress *now = &sink->now;
    const struct sink_line *last = &sink->batch.lines[now->count - 1];

    sink->counts.delivered += now->count;
    sink->counts.known += answer->known;
    sink->counts.batches++;
    now->failures = 0;
    /* Left-out lines behind the last one go with it. */
    sink->cursor.place = now->count == sink->batch.count ? now->next : last->next;
    if (now->count < sink->batch.count) {
        now->next = last->next;
        journal_reader_seek(sink->reader, last->next);
    }
    sink_batch_clear(&sink->batch);
    now->is_full = false;
    now->stage = GATHERING;
    if (now->most < sink->frame.settings->batch) {
        now->most++; /* slowly back to what the settings say */
    }
    loop_timer_set(&sink->timer, MONO_NEVER);
    sink_run_save(sink);
    end_outage(sink);
}

static void failed(struct sink *sink, const struct sink_answer *answer)
{
    struct sink_progress *now = &sink->now;
    uint32_t pause = 0;

    if (answer->how == SINK_TOO_LARGE && now->count > 1) {
        now->most = now->count / 2;
        now->stage = PAUSING;
        loop_timer_set(&sink->timer, loop_now(loop_of(sink)));
        return;
    }
    sink->counts.failures++;
    now->failures++;
    begin_outage(sink, answer->why.text);
    sink->outage.is_passing = false;
    pause = answer->how == SINK_FAILED ? sink_pause_ms(&sink->rng, now->failures)
                                       : SLOWLY_MS / 2 + sink_pause_ms(&sink->rng, 6) / 2;
    if (answer->pause_ms > pause) {
        pause = answer->pause_ms;
    }
    now->stage = PAUSING;
    loop_timer_set(&sink->timer, mono_add(loop_now(loop_of(sink)), pause));
}

static void done(void *to, const struct sink_answer *answer)
{
    struct sink *sink = to;

    must(sink->now.stage == DELIVERING);
    if (answer->how == SINK_DELIVERED) {
        delivered(sink, answer);
    } else {
        failed(sink, answer);
    }
    if (!sink->now.is_stepping) {
        loop_task_queue(loop_of(sink), &sink->task);
    }
}

/* ---- going on ---- */

static void wait_for_more(struct sink *sink)
{
    struct sink_progress *now = &sink->now;

    if (sink->batch.count > 0) {
        loop_timer_set(&sink->timer, now->due);
    } else if (journal_place_compare(now->next, sink->cursor.place) > 0) {
        /* Nothing but lines that were left out. */
        sink->cursor.place = now->next;
        sink_run_save(sink);
    }
}

/* True: there is more to do at once. */
static bool go_on(struct sink *sink)
{
    struct sink_progress *now = &sink->now;
    bool was_empty = sink->batch.count == 0;

    if (now->stage != GATHERING || now->is_held) {
        return false;
    }
    for (unsigned i = 0; i < STEP_LINES && gather_line(sink); i++) {
    }
    if (was_empty) {
        now->due = mono_add(loop_now(loop_of(sink)), sink->frame.settings->every_ms);
    }
    if (sink->batch.count > 0 &&
        (is_full(sink) || now->is_ending || loop_now(loop_of(sink)) >= now->due)) {
        deliver(sink);
        return now->stage == GATHERING && journal_place_compare(now->next, now->end) < 0;
    }
    wait_for_more(sink);
    return false;
}

bool sink_run_step(struct sink *sink, struct journal_place end)
{
    bool has_more = false;

    sink->now.end = end;
    if (!sink->now.is_begun && !begin(sink, end)) {
        return false;
    }
    sink->now.is_stepping = true;
    has_more = go_on(sink);
    sink->now.is_stepping = false;
    return has_more;
}

static void task_run(struct loop_task *task)
{
    struct sink *sink = LIST_OWNER(task, struct sink, task);

    if (sink_run_step(sink, sink->now.end)) {
        loop_task_queue_later(loop_of(sink), task);
    }
}

void sink_run_queue(struct sink *sink)
{
    loop_task_queue(loop_of(sink), &sink->task);
}

static void timer_fire(struct loop_timer *timer, mono_ms now)
{
    struct sink *sink = LIST_OWNER(timer, struct sink, timer);

    (void)now;
    switch (sink->now.stage) {
    case GATHERING: loop_task_queue(loop_of(sink), &sink->task); break;
    case PAUSING:
        if (!sink->now.is_ending || sink->now.failures == 0) {
            deliver(sink);
        }
        break;
    case DELIVERING: begin_outage(sink, "a delivery is not answered"); break;
    }
}

/* ---- a change of settings ---- */

bool sink_run_hold(struct sink *sink)
{
    sink->now.is_held = true;
    return sink->now.stage != DELIVERING;
}

void sink_run_renew(struct sink *sink)
{
    struct journal_place end = sink->now.end;

    sink_batch_clear(&sink->batch);
    loop_timer_set(&sink->timer, MONO_NEVER);
    sink->now = (struct sink_progress){.end = end, .most = sink->frame.settings->batch};
    sink->outage.is_old = sink->outage.is_on;
    sink->outage.is_passing = false;
    sink_run_queue(sink);
}

/* ---- the end ---- */

bool sink_run_is_busy(const struct sink *sink)
{
    const struct sink_progress *now = &sink->now;

    return now->stage == DELIVERING || (now->stage == PAUSING && now->failures == 0) ||
           (now->stage == GATHERING && !list_is_empty(&sink->task.link));
}

void sink_run_hurry(struct sink *sink)
{
    sink->now.is_ending = true;
    sink->now.end = (struct journal_place){UINT64_MAX, UINT64_MAX};
    sink_run_queue(sink);
}

void sink_run_init(struct sink *sink)
{
    sink->frame.done = done;
    loop_timer_init(&sink->timer, loop_of(sink), timer_fire);
    loop_timer_init(&sink->save, loop_of(sink), save_fire);
    loop_task_init(&sink->task, task_run);
}

void sink_run_fini(struct sink *sink)
{
    if (sink->to != NULL) {
        sink->ops->free(sink->to);
    }
    loop_timer_fini(&sink->timer);
    loop_timer_fini(&sink->save);
    loop_task_cancel(&sink->task);
}
