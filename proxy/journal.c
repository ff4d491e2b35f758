/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the journal: whole lines at the end of its last segment, each batch in one write. What a
 * failed write left behind is cut off again, so that readers never see half a batch twice. */
#include "proxy/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "proxy/journal_parts.h"
#include "usage/record.h"

enum { TAIL_STEP = 64 * 1024, FOLDER_MODE = 0700, FILE_MODE = 0600 };
#define SEGMENT_BYTES ((uint64_t)64 * 1024 * 1024)
#define SEGMENT_MS ((uint64_t)3600 * 1000)
#define STARTED_MAX INT64_C(9999999999999) /* thirteen digits */

struct journal {
    char folder[JOURNAL_PATH_MAX];
    struct journal_rules rules;
    struct journal_disk disk;
    struct segments segments; /* as last listed */
    int file;                 /* of the last segment; -1: none yet */
    uint64_t number;          /* of the last segment; 0: there was none */
    uint64_t started;
    uint64_t size;
    bool is_dirty;
};

static int open_really(const char *path, int flags, unsigned mode)
{
    return open(path, flags, mode);
}

static long write_really(int file, const void *bytes, size_t count)
{
    return (long)write(file, bytes, count);
}

static int sync_really(int file)
{
    return fdatasync(file);
}

static uint64_t size_really(const char *folder)
{
    struct statvfs disk;

    return statvfs(folder, &disk) == 0 ? (uint64_t)disk.f_blocks * disk.f_frsize : 0;
}

static struct journal_disk disk_of(const struct journal_disk *disk)
{
    struct journal_disk filled = disk != NULL ? *disk : (struct journal_disk){.open = NULL};

    filled.open = filled.open != NULL ? filled.open : open_really;
    filled.write = filled.write != NULL ? filled.write : write_really;
    filled.sync = filled.sync != NULL ? filled.sync : sync_really;
    filled.size = filled.size != NULL ? filled.size : size_really;
    return filled;
}

static enum err fail(struct why *why, const char *path)
{
    int code = errno;

    why_set(why, "%s: %s", path, strerror(code));
    return code == EACCES || code == EPERM || code == EROFS ? ERR_PERMISSION : ERR_SYSTEM;
}

/* ---- opening ---- */

/* The largest offset <= `size` behind a whole line whose sum is right; the bytes behind it are of a
 * batch that was not finished. Goes back in steps; each reads twice a longest line at most. */
static enum err find_end(int file, uint64_t size, uint64_t *end, const char *path, struct why *why)
{
    static const size_t room = TAIL_STEP;
    char *bytes = mem_take(room);
    enum err err = bytes == NULL ? ERR_MEMORY : ERR_NONE;

    *end = size;
    while (err == ERR_NONE && *end > 0) {
        uint64_t from = *end > room ? *end - room : 0;
        ssize_t count = pread(file, bytes, (size_t)(*end - from), (off_t)from);
        size_t len = 0;
        size_t begin = 0;

        if (count != (ssize_t)(*end - from)) {
            err = fail(why, path);
            break;
        }
        len = (size_t)count;
        if (bytes[len - 1] != '\n') { /* a part of a line */
            while (len > 0 && bytes[len - 1] != '\n') {
                len--;
            }
            *end = from + len;
            continue;
        }
        begin = len - 1;
        while (begin > 0 && bytes[begin - 1] != '\n') {
            begin--;
        }
        if ((begin > 0 || from == 0) &&
            record_line_is_whole(span_make(bytes + begin, len - 1 - begin))) {
            break;
        }
        *end = from + begin;
    }
    mem_give(bytes, room);
    return err;
}

static enum err go_on(struct journal *journal, const struct segment *last, struct why *why)
{
    char path[JOURNAL_PATH_MAX];
    uint64_t end = 0;
    enum err err = ERR_NONE;

    (void)segment_path(path, journal->folder, last->started, last->number);
    journal->file = journal->disk.open(path, O_RDWR | O_CLOEXEC, 0);
    if (journal->file < 0) {
        return fail(why, path);
    }
    err = find_end(journal->file, last->size, &end, path, why);
    if (err == ERR_NONE && end < last->size && ftruncate(journal->file, (off_t)end) != 0) {
        err = fail(why, path);
    }
    if (err == ERR_NONE && lseek(journal->file, (off_t)end, SEEK_SET) < 0) {
        err = fail(why, path);
    }
    journal->number = last->number;
    journal->started = last->started;
    journal->size = end;
    journal->is_dirty = true; /* what a process that died left in the cache is ours to sync */
    return err;
}

static enum err open_folder(struct journal *journal, struct why *why)
{
    if (mkdir(journal->folder, FOLDER_MODE) != 0 && errno != EEXIST) {
        return fail(why, journal->folder);
    }
    if (access(journal->folder, R_OK | W_OK | X_OK) != 0) {
        return fail(why, journal->folder);
    }
    if (!segments_list(journal->folder, &journal->segments, why)) {
        return ERR_SYSTEM;
    }
    return journal->segments.count == 0
               ? ERR_NONE
               : go_on(journal, &journal->segments.list[journal->segments.count - 1], why);
}

enum err journal_open(struct span folder, const struct journal_rules *rules,
                      const struct journal_disk *disk, struct journal **journal, struct why *why)
{
    struct journal *made = NULL;
    enum err err = ERR_NONE;

    if (folder.len >= JOURNAL_PATH_MAX) {
        why_set(why, "the path of the journal is too long");
        return ERR_RANGE;
    }
    made = mem_take_zero(sizeof *made);
    if (made == NULL) {
        why_set(why, "out of memory");
        return ERR_MEMORY;
    }
    memcpy(made->folder, folder.at, folder.len);
    made->file = -1;
    made->disk = disk_of(disk);
    made->rules = *rules;
    if (made->rules.segment_bytes == 0) {
        made->rules.segment_bytes = SEGMENT_BYTES;
    }
    if (made->rules.segment_ms == 0) {
        made->rules.segment_ms = SEGMENT_MS;
    }
    err = open_folder(made, why);
    if (err != ERR_NONE) {
        journal_close(made);
        return err;
    }
    *journal = made;
    return ERR_NONE;
}

void journal_close(struct journal *journal)
{
    if (journal != NULL) {
        if (journal->file >= 0) {
            (void)close(journal->file);
        }
        segments_fini(&journal->segments);
        mem_give(journal, sizeof *journal);
    }
}

/* ---- appending ---- */

static bool is_due(const struct journal *journal, wall_ms now)
{
    return journal->file < 0 || journal->size >= journal->rules.segment_bytes ||
           (journal->size > 0 && now >= 0 &&
            (uint64_t)now >= journal->started + journal->rules.segment_ms);
}

/* The folder remembers its new file only when it is synced itself. */
static void sync_folder(const struct journal *journal)
{
    int folder = open(journal->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder >= 0) {
        (void)fsync(folder);
        (void)close(folder);
    }
}

static bool begin_segment(struct journal *journal, wall_ms now, struct why *why)
{
    char path[JOURNAL_PATH_MAX];
    uint64_t started = (uint64_t)(now < 0 ? 0 : now > STARTED_MAX ? STARTED_MAX : now);
    int file = -1;

    if (journal->is_dirty && !journal_sync(journal, why)) {
        return false; /* else nobody would ever sync it */
    }
    if (!segment_path(path, journal->folder, started, journal->number + 1)) {
        why_set(why, "the path of the journal is too long");
        return false;
    }
    file = journal->disk.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (file < 0) {
        (void)fail(why, path);
        return false;
    }
    if (journal->file >= 0) {
        (void)close(journal->file);
    }
    journal->file = file;
    journal->number++;
    journal->started = started;
    journal->size = 0;
    sync_folder(journal);
    return true;
}

bool journal_append(struct journal *journal, struct span lines, wall_ms now,
                    struct journal_place *at, struct why *why)
{
    size_t done = 0;

    if (is_due(journal, now) && !begin_segment(journal, now, why)) {
        return false;
    }
    *at = journal_end(journal);
    while (done < lines.len) {
        long count = journal->disk.write(journal->file, lines.at + done, lines.len - done);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            errno = count == 0 ? ENOSPC : errno;
            (void)fail(why, journal->folder);
            /* What cannot be cut off now is written over by the next try. */
            int ignored = ftruncate(journal->file, (off_t)journal->size);
            (void)ignored;
            (void)lseek(journal->file, (off_t)journal->size, SEEK_SET);
            return false;
        }
        done += (size_t)count;
    }
    journal->size += lines.len;
    journal->is_dirty = true;
    return true;
}

struct journal_place journal_end(const struct journal *journal)
{
    return (struct journal_place){.segment = journal->number, .offset = journal->size};
}

bool journal_sync(struct journal *journal, struct why *why)
{
    if (!journal->is_dirty) {
        return true;
    }
    if (journal->disk.sync(journal->file) != 0) {
        (void)fail(why, journal->folder);
        return false;
    }
    journal->is_dirty = false;
    return true;
}

/* ---- tidying ---- */

uint64_t journal_room(const struct journal *journal)
{
    uint64_t max = journal->rules.max;
    uint64_t fifth = journal->disk.size(journal->folder) / 5;

    return max == 0 || (fifth > 0 && fifth < max) ? fifth : max;
}

/* A segment's last line is not newer than the begin of the next one. */
static bool is_over(const struct journal *journal, size_t i, struct journal_place needed,
                    wall_ms now)
{
    const struct segment *segment = &journal->segments.list[i];

    return segment->number < journal->number && segment->number < needed.segment && now >= 0 &&
           journal->segments.list[i + 1].started + journal->rules.retention_ms <= (uint64_t)now;
}

uint64_t journal_tidy(struct journal *journal, struct journal_place needed, wall_ms now)
{
    char path[JOURNAL_PATH_MAX];
    struct why why;
    uint64_t left = 0;

    if (!segments_list(journal->folder, &journal->segments, &why)) {
        return 0;
    }
    for (size_t i = 0; i < journal->segments.count; i++) {
        const struct segment *segment = &journal->segments.list[i];

        if (i + 1 < journal->segments.count && is_over(journal, i, needed, now) &&
            segment_path(path, journal->folder, segment->started, segment->number) &&
            unlink(path) == 0) {
            continue;
        }
        left += segment->size;
    }
    return left;
}
