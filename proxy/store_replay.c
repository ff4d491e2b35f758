/* SPDX-License-Identifier: Apache-2.0 */
/* The start of the store: what an earlier process left in its table goes into the journal, once,
 * and a new table takes its place. */
#include <stdio.h>
#include <unistd.h>

#include "proxy/journal_parts.h"
#include "proxy/store_thread.h"
#include "usage/replay.h"

bool store_thread_path(char path[JOURNAL_PATH_MAX], const struct store *store, const char *name)
{
    int len = snprintf(path, JOURNAL_PATH_MAX, "%s/%s", store->folder, name);

    return len > 0 && len + 16 < JOURNAL_PATH_MAX; /* with a suffix behind it */
}

/* Ids of all records that were written since the oldest one in the table began. */
static bool read_ids(struct store_thread *side, struct replay *replay, int64_t oldest,
                     struct why *why)
{
    char folder[JOURNAL_PATH_MAX];
    struct segments segments = {.list = NULL};
    struct journal_reader *reader = NULL;
    struct journal_place at = {0, 0};
    struct journal_place next;
    struct span line;
    bool is_good =
        store_thread_path(folder, side->store, "journal") && segments_list(folder, &segments, why);

    for (size_t i = 0; is_good && i < segments.count; i++) {
        if (segments.list[i].started <= (uint64_t)oldest) {
            at.segment = segments.list[i].number; /* what is older ends before this one begins */
        }
    }
    segments_fini(&segments);
    reader = is_good ? journal_reader_new(span_of(folder)) : NULL;
    if (reader == NULL) {
        return false;
    }
    journal_reader_seek(reader, at);
    while (is_good && journal_reader_next(reader, &line, &at, &next, why)) {
        struct span id = record_line_id(line);
        is_good = id.len == 0 || replay_saw(replay, id);
    }
    journal_reader_free(reader);
    return is_good && why->text[0] == '\0';
}

static bool flush_lines(struct store_thread *side)
{
    struct journal_place at;
    bool is_good = side->lines.len == 0 || store_thread_append(side, buf_span(&side->lines), &at);

    buf_clear(&side->lines);
    return is_good;
}

static bool on_record(void *to, struct record *record, bool is_crash)
{
    struct store_thread *side = to;

    if (is_crash && side->store->options.settle_crash != NULL) {
        buf_clear(&side->names);
        side->store->options.settle_crash(side->store->options.to, &side->names, record);
    }
    record_put_line(&side->lines, record);
    return side->lines.len < LINES_MAX / 2 || flush_lines(side);
}

static void tell_replay(struct store_thread *side, const struct replay_sum *sum)
{
    struct why text;

    if (sum->finished + sum->crashed > 0) {
        why_set(&text,
                "an earlier process ended without saying so: %u finished records went into "
                "the journal, %u attempts were open",
                sum->finished, sum->crashed);
        store_thread_say(side, LOG_WARN, "journal_replayed", text.text);
    }
    if (sum->damaged > 0) {
        why_set(&text, "%u records of attempts in flight were damaged and are lost", sum->damaged);
        store_thread_say(side, LOG_ERROR, "records_lost", text.text);
    }
}

/* What an earlier process left in the table. */
static bool replay_old(struct store_thread *side, const struct inflight_map *old, struct why *why)
{
    struct inflight table = {.memory = old->memory, .count = old->count};
    struct replay_ears ears = {.to = side, .on_record = on_record};
    struct replay *replay = replay_new(side->store->options.seed);
    struct replay_sum sum = {0};
    int64_t oldest = replay_oldest(&table, &side->text);
    bool is_good = replay != NULL && (oldest < 0 || read_ids(side, replay, oldest, why)) &&
                   replay_tell(replay, &table, &side->text, &ears, &sum) && flush_lines(side) &&
                   journal_sync(side->journal, why);

    replay_free(replay);
    if (is_good) {
        tell_replay(side, &sum);
    } else if (why->text[0] == '\0') {
        why_set(
            why,
            "what an earlier process left in %s cannot be written: %s; make room there, or mend "
            "the folder, and start again: nothing is lost until then",
            side->store->folder, side->failure.text);
    }
    return is_good;
}

enum err store_thread_open_table(struct store_thread *side, struct why *why)
{
    char path[JOURNAL_PATH_MAX];
    struct inflight_map old;
    struct why reason;
    bool is_foreign = false;
    bool is_good = true;
    enum err err = ERR_NONE;

    if (!store_thread_path(path, side->store, "inflight")) {
        why_set(why, "the path of the state folder is too long");
        return ERR_RANGE;
    }
    err = inflight_map_old(path, &old, &is_foreign, why);
    if (err != ERR_NONE) {
        return err;
    }
    if (is_foreign) {
        store_thread_say(
            side, LOG_ERROR, "inflight_unreadable",
            "the in-flight table is of another version; it is kept beside as inflight.unreadable");
    }
    if (old.memory != NULL) {
        is_good = replay_old(side, &old, why);
        inflight_map_close(&old);
    }
    if (!is_good) {
        return ERR_SYSTEM;
    }
    err = inflight_map_new(path, side->store->table.count, &side->store->map, why);
    if (err != ERR_NONE) {
        reason = *why;
        why_set(why, "%s; the table of attempts in flight needs %zu MiB there", reason.text,
                inflight_size(side->store->table.count) / (1024 * 1024) + 1);
    }
    return err == ERR_NONE ? store_thread_sync_table(side, why) : err;
}
