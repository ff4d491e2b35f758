/* SPDX-License-Identifier: Apache-2.0 */
/* The file, its cursor, and what is counted while records are appended. */
#include "proxy/settled_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "proxy/files.h"

enum {
    LINES_PER_STEP = 512,
    SAVE_MS = 2000,
    SAVE_SUMS = 10, /* sums that put it off for another millisecond: it is written whole */
    IDLE_MS = 60000 /* while no sum changes, only the cursor */
};

void settled_tell(struct settled_follow *follow, enum log_level level, const char *text,
                  const char *reason)
{
    struct log_news news = {
        .level = level, .event = "budgets_file", .text = text, .reason = span_of(reason)};

    follow->options.tell(follow->options.to, &news);
}

/* ---- reading ---- */

bool settled_reading_init(struct settled_reading *reading, struct span journal)
{
    *reading = (struct settled_reading){.reader = journal_reader_new(journal),
                                        .scan = json_scan_new()};
    buf_init(&reading->text, 2 * RECORD_LINE_MAX + 64 * 1024);
    return reading->reader != NULL && reading->scan != NULL;
}

void settled_reading_fini(struct settled_reading *reading)
{
    journal_reader_free(reading->reader);
    json_scan_free(reading->scan);
    buf_fini(&reading->text);
    *reading = (struct settled_reading){.reader = NULL};
}

/* What is in force at the moment of a hold is so before its record is counted. */
static void apply(struct settled_follow *follow, wall_ms held_at)
{
    while (follow->changes != NULL && atomic_load(&follow->changes->from) <= held_at) {
        const struct settled_change *change = follow->changes;
        wall_ms from = atomic_load(&change->from);

        follow->changes = change->next;
        if (from >= 0 && change->budgets != NULL) {
            settled_budgets(follow->sums, change->budgets, from);
        } else if (from >= 0) {
            (void)settled_reset(follow->sums, change->budget, change->value, from);
        }
        follow->is_dirty = true;
        if (follow->fresh != NULL && !follow->is_again_done) {
            settled_follow_again_end(follow); /* it is begun again, with this */
        }
    }
}

void settled_follow_apply(struct settled_follow *follow)
{
    apply(follow, INT64_MAX - 1);
}

static enum err count(struct settled_follow *follow, struct settled *sums,
                      const struct record *record)
{
    bool has_changed = false;
    enum err err = ERR_NONE;

    if (sums == follow->sums && follow->changes != NULL) {
        apply(follow, record->numbers[RECORD_HELD_AT]);
    }
    err = settled_add(sums, record, &has_changed);
    if (sums == follow->sums) {
        follow->is_dirty = follow->is_dirty || has_changed;
    }
    if (err == ERR_CEILING) {
        why_set(&follow->trouble, "there are more counters than are kept: some begin at zero after "
                                  "a restart");
        return ERR_NONE;
    }
    return err;
}

static enum err count_line(struct settled_follow *follow, struct settled_reading *reading,
                           struct settled *sums, struct span line)
{
    struct record record;
    enum err err = ERR_NONE;

    buf_clear(&reading->text);
    if (record_glance(line, &reading->text, &record)) {
        return count(follow, sums, &record);
    }
    buf_clear(&reading->text);
    err = record_read_line(reading->scan, line, &reading->text, &record);
    if (err == ERR_FORMAT) {
        reading->broken++;
        return ERR_NONE;
    }
    return err == ERR_NONE ? count(follow, sums, &record) : err;
}

bool settled_read(struct settled_follow *follow, struct settled_reading *reading,
                  struct settled *sums, struct journal_place end, size_t *most, struct why *why)
{
    uint64_t broken = reading->broken;
    struct journal_place at;
    struct journal_place next;
    struct span line;

    why->text[0] = '\0';
    for (; *most > 0 && journal_place_compare(reading->at, end) < 0; --*most) {
        if (!journal_reader_next(reading->reader, &line, &at, &next, why)) {
            break;
        }
        if (count_line(follow, reading, sums, line) != ERR_NONE) {
            journal_reader_seek(reading->reader, reading->at);
            why_set(why, "out of memory");
            break;
        }
        reading->at = next;
    }
    if (reading->broken > broken) {
        why_set(&follow->trouble, "%llu damaged lines of the journal are not counted",
                (unsigned long long)reading->broken);
    }
    return why->text[0] == '\0';
}

/* ---- the file ---- */

/* The journal must not know less after a power cut than what the file says is counted. */
static bool sync_journal(const struct settled_follow *follow)
{
    char path[JOURNAL_PATH_MAX];
    struct segments segments = {.list = NULL};
    const struct segment *segment = NULL;
    struct why why;
    bool is_good = true;
    int file = -1;

    if (segments_list(follow->journal, &segments, &why)) {
        segment = segments_from(&segments, follow->reading.at.segment);
    }
    if (segment != NULL && segment->number == follow->reading.at.segment &&
        segment_path(path, follow->journal, segment->started, segment->number)) {
        file = open(path, O_RDONLY | O_CLOEXEC);
        is_good = file >= 0 && fdatasync(file) == 0;
        if (file >= 0) {
            (void)close(file);
        }
    }
    segments_fini(&segments);
    return is_good;
}

static void sync_folder(const struct settled_follow *follow)
{
    int folder = open(follow->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder >= 0) {
        (void)fsync(folder);
        (void)close(folder);
    }
}

bool settled_follow_save(struct settled_follow *follow, struct why *why)
{
    uint64_t place[2] = {follow->reading.at.segment, follow->reading.at.offset};
    struct buf text;
    bool is_good = false;

    settled_tidy(follow->sums, loop_wall(follow->options.loop));
    buf_init(&text, SETTLED_TEXT_MAX);
    settled_put(follow->sums, place, &text);
    errno = ENOMEM;
    is_good = !text.failed && sync_journal(follow) &&
              files_replace(follow->path, follow->other, buf_span(&text));
    if (is_good) {
        sync_folder(follow);
        follow->is_dirty = false;
        follow->written = follow->reading.at;
    } else {
        why_set(why, "%s: %s: after a restart it is made of the journal", follow->path,
                strerror(errno));
    }
    buf_fini(&text);
    return is_good;
}

/* Soon where a sum has changed, at some time where only lines have passed. */
static void plan_save(struct settled_follow *follow)
{
    mono_ms now = loop_now(follow->options.loop);
    mono_ms due = MONO_NEVER;

    if (follow->is_dirty) {
        due = mono_add(now, SAVE_MS + follow->sums->map.count / SAVE_SUMS);
    } else if (journal_place_compare(follow->reading.at, follow->written) != 0) {
        due = mono_add(now, IDLE_MS);
    }
    if (due < follow->due) {
        follow->due = due;
        loop_timer_set(&follow->save, due);
    }
}

void settled_save_fire(struct loop_timer *timer, mono_ms now)
{
    struct settled_follow *follow = LIST_OWNER(timer, struct settled_follow, save);

    (void)now;
    follow->due = MONO_NEVER;
    if (!settled_follow_save(follow, &follow->trouble)) {
        plan_save(follow);
    }
}

/* ---- the follower ---- */

static bool step(void *to, struct journal_place end)
{
    struct settled_follow *follow = to;
    struct settled_reading *reading = &follow->reading;
    size_t most = LINES_PER_STEP;
    struct why why;

    if (follow->is_ahead && journal_place_compare(reading->at, end) < 0) {
        journal_reader_seek(reading->reader, reading->at);
        follow->is_ahead = false;
    }
    if (!settled_read(follow, reading, follow->sums, end, &most, &why)) {
        follow->trouble = why;
    }
    plan_save(follow);
    return most == 0;
}

static void take(void *to, const struct follower_news *news)
{
    struct settled_follow *follow = to;

    if (journal_place_compare(follow->reading.at, news->before) == 0 &&
        count(follow, follow->sums, news->record) == ERR_NONE) {
        follow->reading.at = news->next;
        follow->is_ahead = true;
    }
}

static struct journal_place cursor_of(const void *to)
{
    return ((const struct settled_follow *)to)->written;
}

static void finish(void *to, uint32_t ms)
{
    struct settled_follow *follow = to;
    struct why why;

    (void)ms; /* the lines of the last moments, and one file */
    while (step(follow, settled_far)) {
    }
    settled_follow_apply(follow);
    if ((follow->is_dirty || journal_place_compare(follow->reading.at, follow->written) != 0) &&
        !settled_follow_save(follow, &why)) {
        settled_tell(follow, LOG_WARN, "what budgets have settled could not be written", why.text);
    }
}

static void free_all(void *to)
{
    struct settled_follow *follow = to;

    loop_timer_fini(&follow->save);
    settled_follow_again_end(follow);
    settled_reading_fini(&follow->reading);
    settled_free(follow->sums);
    mem_give(follow, sizeof *follow);
}

static bool trouble(void *to, struct why *why)
{
    struct settled_follow *follow = to;

    *why = follow->trouble;
    follow->trouble.text[0] = '\0';
    return why->text[0] != '\0';
}

struct follower settled_follower(struct settled_follow *follow)
{
    static const struct follower_ops ops = {.take = take,
                                            .step = step,
                                            .cursor = cursor_of,
                                            .finish = finish,
                                            .free = free_all,
                                            .trouble = trouble};

    return (struct follower){.name = "budgets", .ops = &ops, .to = follow};
}

bool settled_follow_announce(struct settled_follow *follow, struct settled_change *change)
{
    struct settled_change **at = &follow->changes;

    if (change->budgets == NULL && change->value.at != NULL &&
        follow->sums->resets_count >= SETTLED_RESETS_MAX) {
        return false;
    }
    while (*at != NULL) {
        at = &(*at)->next;
    }
    change->next = NULL;
    *at = change;
    return true;
}
