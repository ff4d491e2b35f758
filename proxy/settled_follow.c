/* SPDX-License-Identifier: Apache-2.0 */
/* The file, its cursor, and what is counted while records are appended. */
#include "proxy/settled_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "enforcement/ledger_memory.h"
#include "proxy/files.h"

enum {
    LINES_PER_STEP = 512,
    SAVE_MS = 2000,
    SAVE_SUMS = 10, /* sums that put it off for another millisecond: it is written whole */
    IDLE_MS = 60000 /* while no sum changes, only the cursor */
};

static const struct journal_place far = {UINT64_MAX, UINT64_MAX};

static void tell(struct settled_follow *follow, enum log_level level, const char *text,
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

static void save_fire(struct loop_timer *timer, mono_ms now)
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
    while (step(follow, far)) {
    }
    settled_follow_apply(follow);
    if ((follow->is_dirty || journal_place_compare(follow->reading.at, follow->written) != 0) &&
        !settled_follow_save(follow, &why)) {
        tell(follow, LOG_WARN, "what budgets have settled could not be written", why.text);
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

/* ---- the start ---- */

bool settled_begin(const struct settled_follow *follow, struct journal_place *place, wall_ms *from,
                   struct why *why)
{
    uint64_t needed = 0;
    struct segments segments = {.list = NULL};
    bool is_good = segments_list(follow->journal, &segments, why);
    wall_ms begin = settled_needed(follow->sums, loop_wall(follow->options.loop));

    needed = begin > 0 ? (uint64_t)begin : 0;
    *place = (struct journal_place){0, 0};
    *from = 0;
    for (size_t i = 0; is_good && i < segments.count; i++) {
        if (i == 0 && segments.list[i].number > 1) {
            *from = (wall_ms)segments.list[i].started;
        }
        if (segments.list[i].started <= needed) {
            place->segment = segments.list[i].number; /* what is older ends before this one begins */
        }
    }
    segments_fini(&segments);
    return is_good;
}

/* The journal that the file was made of is not there any more. */
static bool is_beyond(const struct settled_follow *follow, struct journal_place place,
                      struct why *why)
{
    struct segments segments = {.list = NULL};
    const struct segment *last = NULL;
    bool is = false;

    if (segments_list(follow->journal, &segments, why)) {
        last = segments.count > 0 ? &segments.list[segments.count - 1] : NULL;
        is = last == NULL ? place.segment > 0
                          : place.segment > last->number ||
                                (place.segment == last->number && place.offset > last->size);
    }
    segments_fini(&segments);
    return is;
}

/* ERR_FORMAT: what is there is no such file. */
static enum err read_file(struct settled_follow *follow, struct why *why)
{
    uint64_t place[2] = {0, 0};
    struct buf text;
    enum err err = ERR_NONE;

    buf_init(&text, SETTLED_TEXT_MAX);
    err = files_read(span_of(follow->path), &text, why);
    if (err == ERR_NONE) {
        err = settled_take(follow->sums, buf_span(&text), place);
        why_set(why, "%s is damaged, or of another version", follow->path);
    }
    buf_fini(&text);
    follow->reading.at = (struct journal_place){place[0], place[1]};
    follow->is_known = err == ERR_NONE;
    return err == ERR_CEILING ? ERR_FORMAT : err;
}

static enum err set_aside(struct settled_follow *follow, const struct why *why)
{
    (void)rename(follow->path, follow->aside);
    settled_free(follow->sums);
    follow->sums = settled_new(follow->options.seed);
    tell(follow, LOG_ERROR,
         "what budgets have settled is counted again from the journal: windows that began before its "
         "first line count less than was spent; the file was set aside as budgets.aside",
         why->text);
    return follow->sums == NULL ? ERR_MEMORY : ERR_NONE;
}

/* From where on lines are read, and what is known of before. */
static enum err begin(struct settled_follow *follow, struct why *why)
{
    enum err err = read_file(follow, why);
    wall_ms from = 0;

    if (err == ERR_FORMAT) {
        err = set_aside(follow, why);
    } else if (err == ERR_MISSING) {
        err = ERR_NONE;
    }
    if (err != ERR_NONE) {
        return err;
    }
    settled_clock(follow->sums, follow->began);
    settled_budgets(follow->sums, follow->options.budgets, follow->is_known ? follow->began : 0);
    follow->written = follow->reading.at;
    if (follow->is_known && is_beyond(follow, follow->reading.at, why)) {
        follow->reading.at = (struct journal_place){0, 0};
        tell(follow, LOG_ERROR,
             "the journal is not the one that what budgets have settled was counted from: all of "
             "its records are counted on top",
             follow->path);
    } else if (!follow->is_known &&
               !settled_begin(follow, &follow->reading.at, &from, why)) {
        return ERR_SYSTEM;
    }
    return ERR_NONE;
}

static enum err read_all(struct settled_follow *follow, struct why *why)
{
    size_t most = SIZE_MAX;

    journal_reader_seek(follow->reading.reader, follow->reading.at);
    if (!settled_read(follow, &follow->reading, follow->sums, far, &most, why)) {
        return ERR_SYSTEM;
    }
    settled_clock(follow->sums, follow->began);
    if ((follow->is_dirty || !follow->is_known) && !settled_follow_save(follow, &follow->trouble)) {
        plan_save(follow);
    }
    return ERR_NONE;
}

static bool set_paths(struct settled_follow *follow)
{
    struct span folder = follow->options.folder;

    return files_path(follow->path, folder, "budgets") &&
           files_path(follow->other, folder, "budgets.new") &&
           files_path(follow->aside, folder, "budgets.aside") &&
           files_path(follow->folder, folder, ".") &&
           files_path(follow->journal, folder, "journal");
}

enum err settled_follow_new(const struct settled_options *options, struct settled_follow **made,
                            struct why *why)
{
    struct settled_follow *follow = mem_take_zero(sizeof *follow);
    enum err err = ERR_MEMORY;

    *made = NULL;
    why_set(why, "out of memory");
    if (follow == NULL) {
        return err;
    }
    follow->options = *options;
    follow->began = loop_wall(options->loop);
    follow->due = MONO_NEVER;
    loop_timer_init(&follow->save, options->loop, save_fire);
    follow->sums = settled_new(options->seed);
    if (follow->sums != NULL && set_paths(follow) &&
        settled_reading_init(&follow->reading, span_of(follow->journal))) {
        err = begin(follow, why);
    }
    if (err == ERR_NONE) {
        err = read_all(follow, why);
    }
    if (err != ERR_NONE) {
        free_all(follow);
        return err;
    }
    *made = follow;
    return ERR_NONE;
}

bool settled_follow_load(const struct settled_follow *follow, struct ledger *ledger)
{
    const struct settled *sums = follow->sums;

    (void)ledger_memory_turn(ledger, follow->began);
    for (size_t i = 0; i < sums->budgets->count; i++) {
        const struct budget *budget = &sums->budgets->list[i];

        ledger_memory_first_seen(ledger, budget->name, settled_seen(sums, budget->name)->first_seen);
    }
    for (struct link *at = sums->all.next; at != &sums->all; at = at->next) {
        const struct settled_sum *sum = LIST_OWNER(at, struct settled_sum, link);
        struct ledger_sum given = {.budget = settled_open(sums, sum, follow->began),
                                   .value = sum->value,
                                   .window = sum->window,
                                   .settled = sum->settled,
                                   .overrun = sum->overrun,
                                   .reset_at = INT64_MIN};

        if (given.budget != NULL && !ledger_memory_load(ledger, &given, follow->began)) {
            return false;
        }
    }
    return true;
}
