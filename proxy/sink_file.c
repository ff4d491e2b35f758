/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of kind file: whole lines, appended in one write for each batch. What a crash or a full
 * disk left of a line is cut off, and lines that were written but not acknowledged before a crash
 * are known by their record_id, so that none stands there twice. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "conf/sink_file.h"
#include "proxy/sink.h"

enum {
    PATH_LENGTH_MAX = 4096,
    /* The cursor moves on after every batch, so one of them at most was written in vain. */
    TAIL_MAX = 2 * SINK_BATCH_BYTES,
    TAIL_LINES_MAX = 150000 /* of the shortest there can be */
};

/* The last lines of the files as they were found: the path's own, and path.1's, because it may have
 * been renamed in between. */
struct tail {
    struct buf bytes[2];
    struct map ids;
    struct map_entry *entries;
    size_t room;
};

struct sink_file {
    const struct sink_frame *frame;
    const struct sink_file_settings *settings;
    int file; /* -1: not open */
    dev_t device;
    ino_t inode;
    off_t size;
    struct tail *tail; /* NULL: all further lines are new */
    bool has_looked;   /* for a tail */
    struct buf out;    /* the new lines of a batch, where some are known */
    char path[PATH_LENGTH_MAX];
    char other[PATH_LENGTH_MAX];
};

/* ---- names ---- */

static void fail(struct why *why, const char *what, const char *path)
{
    why_set(why, "%s%s: %s", what, path, strerror(errno));
}

/* `path`, or `path.7`: its room was checked when the settings were read. */
static void name_rotated(char *out, struct span path, unsigned number)
{
    struct buf text;

    buf_init(&text, PATH_LENGTH_MAX);
    buf_put(&text, path);
    if (number > 0) {
        buf_put_char(&text, '.');
        buf_put_u64(&text, number);
    }
    buf_put_char(&text, '\0');
    if (text.failed) {
        out[0] = '\0';
    } else {
        memcpy(out, text.at, text.len);
    }
    buf_fini(&text);
}

/* ---- the tail ---- */

static void tail_free(struct tail *tail)
{
    if (tail != NULL) {
        buf_fini(&tail->bytes[0]);
        buf_fini(&tail->bytes[1]);
        map_fini(&tail->ids);
        mem_give(tail->entries, tail->room * sizeof *tail->entries);
        mem_give(tail, sizeof *tail);
    }
}

/* The file's last bytes. False: it cannot be read. */
static bool read_end(int file, off_t size, struct buf *out)
{
    off_t from = size > TAIL_MAX ? size - TAIL_MAX : 0;

    if (size == 0 || buf_reserve(out, (size_t)(size - from)) != ERR_NONE) {
        return size == 0;
    }
    while (from < size) {
        ssize_t count = pread(file, out->at + out->len, (size_t)(size - from), from);

        if (count <= 0) {
            return false;
        }
        out->len += (size_t)count;
        from += count;
    }
    return true;
}

static size_t count_ids(struct span text)
{
    size_t count = 0;

    while (text.at != NULL && text.len > 0) {
        count += sink_line_id(span_cut(&text, '\n')).len > 0;
    }
    return count;
}

static bool tail_index(struct tail *tail)
{
    size_t count = 0;

    tail->room = count_ids(buf_span(&tail->bytes[0])) + count_ids(buf_span(&tail->bytes[1]));
    if (tail->room == 0 || tail->room > TAIL_LINES_MAX) {
        return tail->room == 0;
    }
    tail->entries = mem_take_zero(tail->room * sizeof *tail->entries);
    if (tail->entries == NULL) {
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct span rest = buf_span(&tail->bytes[i]);

        while (rest.at != NULL && rest.len > 0) {
            struct span id = sink_line_id(span_cut(&rest, '\n'));

            if (id.len > 0 && map_find(&tail->ids, id) == NULL &&
                map_add(&tail->ids, &tail->entries[count], id) == ERR_NONE) {
                count++;
            }
        }
    }
    return true;
}

static void read_rotated(struct sink_file *sink, struct buf *out)
{
    struct stat status;
    int file = -1;

    name_rotated(sink->other, sink->settings->path, 1);
    file = open(sink->other, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        (void)read_end(file, status.st_size, out);
    }
    (void)close(file);
}

/* False: it cannot be known what is there. */
static bool tail_read(struct sink_file *sink, off_t size, struct why *why)
{
    struct tail *tail = mem_take_zero(sizeof *tail);
    uint64_t seed[2];

    errno = ENOMEM;
    if (tail == NULL) {
        fail(why, "", sink->path);
        return false;
    }
    loop_entropy(sink->frame->loop, seed, sizeof seed);
    map_init(&tail->ids, TAIL_LINES_MAX, seed);
    buf_init(&tail->bytes[0], TAIL_MAX);
    buf_init(&tail->bytes[1], TAIL_MAX);
    if (!read_end(sink->file, size, &tail->bytes[0])) {
        fail(why, "reading ", sink->path);
        tail_free(tail);
        return false;
    }
    if (size < TAIL_MAX) {
        read_rotated(sink, &tail->bytes[1]);
    }
    if (!tail_index(tail)) {
        fail(why, "", sink->path);
        tail_free(tail);
        return false;
    }
    sink->tail = tail;
    sink->has_looked = true;
    return true;
}

/* ---- opening ---- */

static void close_file(struct sink_file *sink)
{
    if (sink->file >= 0) {
        (void)close(sink->file);
        sink->file = -1;
    }
}

/* Where the last whole line ends; -1: it cannot be read. */
static off_t find_end(int file, off_t size)
{
    char step[4096];

    while (size > 0) {
        size_t want = size < (off_t)sizeof step ? (size_t)size : sizeof step;
        ssize_t count = pread(file, step, want, size - (off_t)want);

        if (count != (ssize_t)want) {
            return -1;
        }
        for (size_t i = want; i > 0; i--) {
            if (step[i - 1] == '\n') {
                return size - (off_t)(want - i);
            }
        }
        size -= (off_t)want;
    }
    return 0;
}

static bool open_file(struct sink_file *sink, struct why *why)
{
    struct stat status;
    off_t end = 0;

    sink->file =
        open(sink->path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
    if (sink->file < 0 || fstat(sink->file, &status) != 0) {
        fail(why, "", sink->path);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        why_set(why, "%s: not a regular file", sink->path);
        return false;
    }
    end = find_end(sink->file, status.st_size);
    if (end < 0 || (end < status.st_size && ftruncate(sink->file, end) != 0)) {
        fail(why, "", sink->path);
        return false;
    }
    sink->device = status.st_dev;
    sink->inode = status.st_ino;
    sink->size = end;
    return sink->has_looked || tail_read(sink, end, why);
}

/* Whoever renames the file wants a new one. */
static bool is_still_there(const struct sink_file *sink)
{
    struct stat status;

    return stat(sink->path, &status) == 0 && status.st_dev == sink->device &&
           status.st_ino == sink->inode;
}

static bool be_open(struct sink_file *sink, struct why *why)
{
    struct stat status;

    if (sink->file >= 0 && !is_still_there(sink)) {
        close_file(sink);
    }
    if (sink->file < 0 && !open_file(sink, why)) {
        close_file(sink);
        return false;
    }
    /* Others may append, or copy it and cut it to nothing. */
    if (fstat(sink->file, &status) != 0) {
        fail(why, "", sink->path);
        close_file(sink);
        return false;
    }
    sink->size = status.st_size;
    return true;
}

/* ---- rotating ---- */

/* path.1 is the newest. A name that is not there is passed over. */
static bool rotate(struct sink_file *sink, struct why *why)
{
    for (unsigned i = sink->settings->keep; i > 0; i--) {
        name_rotated(sink->other, sink->settings->path, i);
        if (i == 1) {
            break;
        }
        char older[PATH_LENGTH_MAX];

        memcpy(older, sink->other, sizeof older);
        name_rotated(sink->other, sink->settings->path, i - 1);
        if (rename(sink->other, older) != 0 && errno != ENOENT) {
            fail(why, "rotating ", sink->other);
            return false;
        }
    }
    name_rotated(sink->other, sink->settings->path, 1);
    if (rename(sink->path, sink->other) != 0) {
        fail(why, "rotating ", sink->path);
        return false;
    }
    close_file(sink);
    return be_open(sink, why);
}

/* ---- writing ---- */

/* Takes back what was written since the file had this size; if that fails, what is there is looked
 * at again when the file is opened next. */
static void take_back(struct sink_file *sink, off_t size)
{
    int code = errno;

    if (ftruncate(sink->file, size) != 0) {
        close_file(sink);
        tail_free(sink->tail);
        sink->tail = NULL;
        sink->has_looked = false;
    }
    errno = code;
}

/* All or nothing. */
static bool append(struct sink_file *sink, struct span lines, struct why *why)
{
    uint64_t rotate_at = sink->settings->rotate;
    ssize_t count = 0;

    if (rotate_at > 0 && sink->size > 0 && (uint64_t)sink->size + lines.len > rotate_at &&
        !rotate(sink, why)) {
        return false;
    }
    do {
        count = write(sink->file, lines.at, lines.len);
    } while (count < 0 && errno == EINTR);
    if (count == (ssize_t)lines.len) {
        return true;
    }
    if (count >= 0) {
        errno = ENOSPC;
        take_back(sink, sink->size);
    }
    fail(why, "", sink->path);
    return false;
}

/* Once it failed, the system holds for written what is not: so it is written again. */
static bool sync_file(struct sink_file *sink, struct why *why)
{
    if (sink->settings->sync == SINK_FILE_SYNC_OFF || fdatasync(sink->file) == 0) {
        return true;
    }
    fail(why, "syncing ", sink->path);
    take_back(sink, sink->size);
    return false;
}

/* Puts the lines that are not in the tail into sink->out. Gives how many are. */
static size_t pick_new(struct sink_file *sink, const struct sink_batch *batch, size_t count)
{
    size_t known = 0;

    buf_clear(&sink->out);
    for (size_t i = 0; i < count; i++) {
        struct span line = sink_batch_line(batch, i);
        struct span id = sink_line_id(line);

        if (id.len > 0 && map_find(&sink->tail->ids, id) != NULL) {
            known++;
        } else {
            buf_put(&sink->out, line);
        }
    }
    return known;
}

static bool put(struct sink_file *sink, const struct sink_batch *batch, size_t count,
                struct sink_answer *answer)
{
    const struct sink_line *last = &batch->lines[count - 1];
    struct span lines = span_make(batch->bytes.at, last->from + last->len);

    if (!be_open(sink, &answer->why)) {
        return false;
    }
    if (sink->tail != NULL) {
        answer->known = pick_new(sink, batch, count);
        if (sink->out.failed) {
            why_set(&answer->why, "%s", err_text(ERR_MEMORY));
            return false;
        }
        lines = buf_span(&sink->out);
    }
    if ((lines.len > 0 && !append(sink, lines, &answer->why)) || !sync_file(sink, &answer->why)) {
        return false;
    }
    /* The journal's order is the file's: behind the first line that is not there no other is. */
    if (answer->known < count) {
        tail_free(sink->tail);
        sink->tail = NULL;
        buf_fini(&sink->out);
    }
    return true;
}

static void deliver(void *to, const struct sink_batch *batch, size_t count)
{
    struct sink_file *sink = to;
    struct sink_answer answer = {.how = SINK_FAILED, .why = {""}};

    if (put(sink, batch, count, &answer)) {
        answer.how = SINK_DELIVERED;
    } else {
        answer.known = 0;
    }
    sink->frame->done(sink->frame->to, &answer);
}

static void *open_sink(const struct sink_frame *frame)
{
    struct sink_file *sink = mem_take_zero(sizeof *sink);

    if (sink != NULL) {
        sink->frame = frame;
        sink->settings = (const struct sink_file_settings *)(const void *)frame->settings;
        sink->file = -1;
        buf_init(&sink->out, SINK_BATCH_BYTES);
        name_rotated(sink->path, sink->settings->path, 0);
    }
    return sink;
}

static void free_sink(void *to)
{
    struct sink_file *sink = to;

    if (sink != NULL) {
        close_file(sink);
        tail_free(sink->tail);
        buf_fini(&sink->out);
        mem_give(sink, sizeof *sink);
    }
}

const struct sink_ops sink_ops_file = {.open = open_sink, .deliver = deliver, .free = free_sink};
