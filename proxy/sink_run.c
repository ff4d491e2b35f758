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
    SAVE_AGAIN_MS = 1000,
    TURN_MS = 50
};

/* ---- telling ---- */

void sink_tell(struct sink *sink, enum log_level level, const char *event, const char *text,
               const char *why)
{
    struct log *log = sink->shared->log;

    if (log_wants(log, level)) {
        log_begin(log, level, event, text);
        log_field(log, "sink", span_of(sink->name));
        log_field(log, "reason", span_of(why));
        log_end(log);
    }
}

static void begin_outage(struct sink *sink, const char *why)
{
    if (sink->outage.is_on) {
        return;
    }
    sink->outage = (struct sink_outage){.is_on = true,
                                        .since = loop_now(sink->shared->loop),
                                        .delivered_before = sink->counts.delivered};
    sink_tell(sink, LOG_ERROR, "sink_down", "records are not delivered; they wait in the journal",
              why);
}

/* Told when what had waited is delivered, so that its number is known. */
static void end_outage(struct sink *sink)
{
    struct log *log = sink->shared->log;
    struct sink_outage *outage = &sink->outage;

    if (outage->is_on && !outage->is_passing) {
        outage->is_passing = true;
        outage->end = sink->now.end;
    }
    if (!outage->is_on || journal_place_compare(sink->cursor.place, outage->end) < 0) {
        return;
    }
    outage->is_on = false;
    if (log_wants(log, LOG_INFO)) {
        log_begin(log, LOG_INFO, "sink_up", "records are delivered again; those that waited are");
        log_field(log, "sink", span_of(sink->name));
        log_number(log, "records", (long long)(sink->counts.delivered - outage->delivered_before));
        log_seconds(log, "dur_s", (loop_now(sink->shared->loop) - outage->since) * 1000);
        log_end(log);
    }
}

/* ---- the cursor ---- */

/* Failing only means that more will be delivered twice after a crash. */
static void save(struct sink *sink)
{
    struct why why = {""};
    mono_ms again = mono_add(loop_now(sink->shared->loop), SAVE_AGAIN_MS);

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
        cursor_restart(&sink->cursor, place, sink->shared->loop);
    }
}

/* False: no memory now. */
static bool begin(struct sink *sink, struct journal_place end)
{
    check_cursor(sink, end);
    sink->now.next = sink->cursor.place;
    journal_reader_seek(sink->reader, sink->cursor.place);
    /* A new cursor's id must be known before something is delivered under it. */
    save(sink);
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

    now->state = DELIVERING;
    now->count = sink->batch.count < now->most ? sink->batch.count : now->most;
    loop_timer_set(&sink->timer, mono_add(loop_now(sink->shared->loop), SILENT_MS));
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
    now->state = GATHERING;
    if (now->most < sink->frame.settings->batch) {
        now->most++; /* slowly back to what the settings say */
    }
    loop_timer_set(&sink->timer, MONO_NEVER);
    save(sink);
    end_outage(sink);
}

static void failed(struct sink *sink, const struct sink_answer *answer)
{
    struct sink_progress *now = &sink->now;
    uint32_t pause = 0;

    if (answer->how == SINK_TOO_LARGE && now->count > 1) {
        now->most = now->count / 2;
        now->state = PAUSING;
        loop_timer_set(&sink->timer, loop_now(sink->shared->loop));
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
    now->state = PAUSING;
    loop_timer_set(&sink->timer, mono_add(loop_now(sink->shared->loop), pause));
}

static void done(void *to, const struct sink_answer *answer)
{
    struct sink *sink = to;

    must(sink->now.state == DELIVERING);
    if (answer->how == SINK_DELIVERED) {
        delivered(sink, answer);
    } else {
        failed(sink, answer);
    }
    if (!sink->now.is_stepping) {
        loop_task_queue(sink->shared->loop, &sink->task);
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
        save(sink);
    }
}

/* True: there is more to do at once. */
static bool go_on(struct sink *sink)
{
    struct sink_progress *now = &sink->now;
    bool was_empty = sink->batch.count == 0;

    if (now->state != GATHERING) {
        return false;
    }
    for (unsigned i = 0; i < STEP_LINES && gather_line(sink); i++) {
    }
    if (was_empty) {
        now->due = mono_add(loop_now(sink->shared->loop), sink->frame.settings->every_ms);
    }
    if (sink->batch.count > 0 &&
        (is_full(sink) || now->is_ending || loop_now(sink->shared->loop) >= now->due)) {
        deliver(sink);
        return now->state == GATHERING && journal_place_compare(now->next, now->end) < 0;
    }
    wait_for_more(sink);
    return false;
}

bool sink_run_step(void *to, struct journal_place end)
{
    struct sink *sink = to;
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

    if (sink->now.is_begun && sink_run_step(sink, sink->now.end)) {
        loop_task_queue_later(sink->shared->loop, task);
    }
}

static void timer_fire(struct loop_timer *timer, mono_ms now)
{
    struct sink *sink = LIST_OWNER(timer, struct sink, timer);

    (void)now;
    switch (sink->now.state) {
    case GATHERING: loop_task_queue(sink->shared->loop, &sink->task); break;
    case PAUSING:
        if (!sink->now.is_ending || sink->now.failures == 0) {
            deliver(sink);
        }
        break;
    case DELIVERING:
        begin_outage(sink, "a delivery is not answered");
        break;
    }
}

/* ---- the end ---- */

static bool is_busy(const struct sink *sink)
{
    const struct sink_progress *now = &sink->now;

    return now->state == DELIVERING || (now->state == PAUSING && now->failures == 0) ||
           (now->state == GATHERING && !list_is_empty(&sink->task.link));
}

/* All sinks at once, so that a dead one costs the others nothing. */
static void hurry(struct sinks_shared *shared)
{
    for (struct link *at = shared->sinks.next; at != &shared->sinks; at = at->next) {
        struct sink *sink = LIST_OWNER(at, struct sink, link);

        if (!sink->now.is_ending) {
            sink->now.is_ending = true;
            sink->now.end = (struct journal_place){UINT64_MAX, UINT64_MAX};
            loop_task_queue(shared->loop, &sink->task);
        }
    }
}

void sink_run_finish(void *to, uint32_t ms)
{
    struct sink *sink = to;
    struct loop *loop = sink->shared->loop;
    mono_ms until = mono_add(loop_now(loop), ms);

    hurry(sink->shared);
    do {
        loop_resume(loop);
        (void)loop_turn(loop, is_busy(sink) ? TURN_MS : 0);
    } while (is_busy(sink) && loop_now(loop) < until);
    save(sink);
}

void sink_run_init(struct sink *sink)
{
    sink->frame.done = done;
    loop_timer_init(&sink->timer, sink->shared->loop, timer_fire);
    loop_timer_init(&sink->save, sink->shared->loop, save_fire);
    loop_task_init(&sink->task, task_run);
}
