/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the journal line by line, across its segments, while somebody writes it. A segment is
 * left for the next one only when there is a next one and nothing more came in this one after that
 * was seen: the writer never goes back. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "proxy/journal_parts.h"

enum {
    READ_STEP = 256 * 1024,
    LINE_MAX = 64 * 1024 /* of ours none is longer; a longer one is damaged, and comes in parts */
};

struct journal_reader {
    char folder[JOURNAL_PATH_MAX];
    struct segments segments;
    struct journal_place at; /* of the first byte of `bytes` that was not told */
    uint64_t read_to;        /* offset in the segment up to which `bytes` reach */
    int file;                /* of at.segment; -1: not open */
    size_t from;             /* in `bytes`: what is not told begins here */
    size_t len;
    char bytes[READ_STEP];
};

struct journal_reader *journal_reader_new(struct span folder)
{
    struct journal_reader *reader = NULL;

    if (folder.len >= JOURNAL_PATH_MAX) {
        return NULL;
    }
    reader = mem_take_zero(sizeof *reader);
    if (reader != NULL) {
        memcpy(reader->folder, folder.at, folder.len);
        reader->file = -1;
    }
    return reader;
}

static void close_file(struct journal_reader *reader)
{
    if (reader->file >= 0) {
        (void)close(reader->file);
        reader->file = -1;
    }
}

void journal_reader_free(struct journal_reader *reader)
{
    if (reader != NULL) {
        close_file(reader);
        segments_fini(&reader->segments);
        mem_give(reader, sizeof *reader);
    }
}

static void go_to(struct journal_reader *reader, struct journal_place place)
{
    if (place.segment != reader->at.segment) {
        close_file(reader);
    }
    reader->at = place;
    reader->read_to = place.offset;
    reader->from = 0;
    reader->len = 0;
}

void journal_reader_seek(struct journal_reader *reader, struct journal_place place)
{
    go_to(reader, place);
}

/* Opens the segment at or after reader->at. False: there is none, or `why` tells. */
static bool open_segment(struct journal_reader *reader, struct why *why)
{
    char path[JOURNAL_PATH_MAX];
    const struct segment *segment = NULL;

    if (!segments_list(reader->folder, &reader->segments, why)) {
        return false;
    }
    segment = segments_from(&reader->segments, reader->at.segment);
    if (segment == NULL) {
        return false;
    }
    if (segment->number != reader->at.segment) {
        go_to(reader, (struct journal_place){.segment = segment->number});
    }
    (void)segment_path(path, reader->folder, segment->started, segment->number);
    reader->file = open(path, O_RDONLY | O_CLOEXEC);
    if (reader->file < 0 && errno != ENOENT) {
        why_set(why, "%s: %s", path, strerror(errno));
    }
    return reader->file >= 0;
}

/* More bytes behind those that are here. False: there are none now, or `why` tells. */
static bool read_more(struct journal_reader *reader, struct why *why)
{
    ssize_t count = 0;

    if (reader->from > 0) {
        memmove(reader->bytes, reader->bytes + reader->from, reader->len - reader->from);
        reader->len -= reader->from;
        reader->from = 0;
    }
    do {
        count = pread(reader->file, reader->bytes + reader->len, sizeof reader->bytes - reader->len,
                      (off_t)reader->read_to);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        why_set(why, "reading the journal in %s: %s", reader->folder, strerror(errno));
        return false;
    }
    reader->len += (size_t)count;
    reader->read_to += (uint64_t)count;
    return count > 0;
}

/* Whether a later segment exists: then this one grows no more. */
static bool is_left(struct journal_reader *reader, struct why *why)
{
    return segments_list(reader->folder, &reader->segments, why) &&
           segments_from(&reader->segments, reader->at.segment + 1) != NULL;
}

static bool take_line(struct journal_reader *reader, struct span *line, struct journal_place *at,
                      struct journal_place *next)
{
    const char *begin = reader->bytes + reader->from;
    size_t rest = reader->len - reader->from;
    const char *end = memchr(begin, '\n', rest);
    size_t len = end != NULL ? (size_t)(end - begin) : rest;

    if (end == NULL && rest < LINE_MAX) {
        return false;
    }
    *line = span_make(begin, len);
    *at = reader->at;
    len += end != NULL ? 1 : 0;
    reader->from += len;
    reader->at.offset += len;
    *next = reader->at;
    return true;
}

bool journal_reader_next(struct journal_reader *reader, struct span *line, struct journal_place *at,
                         struct journal_place *next, struct why *why)
{
    bool was_left = false;

    why->text[0] = '\0'; /* for each of a million lines at a start */
    for (;;) {
        if (take_line(reader, line, at, next)) {
            return true;
        }
        if (reader->file < 0 && !open_segment(reader, why)) {
            return false;
        }
        if (read_more(reader, why)) {
            continue;
        }
        if (why->text[0] != '\0') {
            return false;
        }
        if (was_left) { /* a part of a line at its end is nobody's: the writer cut it or died */
            go_to(reader, (struct journal_place){.segment = reader->at.segment + 1});
            was_left = false;
        } else if (!is_left(reader, why)) {
            go_to(reader,
                  reader->at); /* a part of a line may be cut off and written anew: read again */
            return false;
        } else {
            was_left = true; /* what came before the next one was begun is read first */
        }
    }
}
