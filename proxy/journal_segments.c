/* SPDX-License-Identifier: Apache-2.0 */
/* The segments of a journal: their names, and which there are. Other files in the folder are let be. */
#include "proxy/journal_parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"

enum { STARTED_DIGITS = 13, NUMBER_DIGITS_MIN = 8, ROOM_FIRST = 16 };

int journal_place_compare(struct journal_place a, struct journal_place b)
{
    if (a.segment != b.segment) {
        return a.segment < b.segment ? -1 : 1;
    }
    return (a.offset > b.offset) - (a.offset < b.offset);
}

bool segment_path(char path[JOURNAL_PATH_MAX], const char *folder, uint64_t started,
                  uint64_t number)
{
    int len = snprintf(path, JOURNAL_PATH_MAX, "%s/%013llu-%08llu.jsonl", folder,
                       (unsigned long long)started, (unsigned long long)number);

    return len > 0 && len < JOURNAL_PATH_MAX;
}

/* "1795000000000-00000001.jsonl" */
static bool read_name(const char *name, struct segment *segment)
{
    struct span rest = span_of(name);
    struct span suffix = SPAN_OF(".jsonl");
    struct span started;

    if (!span_ends(rest, suffix)) {
        return false;
    }
    rest.len -= suffix.len;
    started = span_cut(&rest, '-');
    return started.len == STARTED_DIGITS && rest.at != NULL && rest.len >= NUMBER_DIGITS_MIN &&
           text_read_u64(started, &segment->started) == ERR_NONE &&
           text_read_u64(rest, &segment->number) == ERR_NONE && segment->number > 0;
}

static bool add(struct segments *segments, const struct segment *segment)
{
    if (segments->count == segments->room) {
        size_t room = segments->room == 0 ? ROOM_FIRST : segments->room * 2;
        struct segment *list = mem_resize(segments->list, segments->room * sizeof *list,
                                          room * sizeof *list);
        if (list == NULL) {
            return false;
        }
        segments->list = list;
        segments->room = room;
    }
    segments->list[segments->count++] = *segment;
    return true;
}

static int by_number(const void *a, const void *b)
{
    const struct segment *one = a;
    const struct segment *other = b;

    return (one->number > other->number) - (one->number < other->number);
}

static bool see(const char *folder, const char *name, struct segments *segments)
{
    char path[JOURNAL_PATH_MAX];
    struct segment segment;
    struct stat status;

    if (!read_name(name, &segment) ||
        !segment_path(path, folder, segment.started, segment.number) ||
        stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return true; /* somebody else's, or just deleted */
    }
    segment.size = (uint64_t)status.st_size;
    return add(segments, &segment);
}

bool segments_list(const char *folder, struct segments *segments, struct why *why)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry = NULL;
    bool is_good = true;

    segments->count = 0;
    if (dir == NULL) {
        if (errno == ENOENT) {
            return true;
        }
        why_set(why, "%s: %s", folder, strerror(errno));
        return false;
    }
    while (is_good && (entry = readdir(dir)) != NULL) {
        is_good = see(folder, entry->d_name, segments);
    }
    (void)closedir(dir);
    if (!is_good) {
        why_set(why, "out of memory");
        return false;
    }
    if (segments->count > 0) {
        qsort(segments->list, segments->count, sizeof *segments->list, by_number);
    }
    return true;
}

void segments_fini(struct segments *segments)
{
    mem_give(segments->list, segments->room * sizeof *segments->list);
    *segments = (struct segments){.list = NULL};
}

const struct segment *segments_from(const struct segments *segments, uint64_t number)
{
    for (size_t i = 0; i < segments->count; i++) {
        if (segments->list[i].number >= number) {
            return &segments->list[i];
        }
    }
    return NULL;
}

bool journal_since(const char *folder, wall_ms since, struct journal_place *place, wall_ms *from,
                   struct why *why)
{
    uint64_t needed = since > 0 ? (uint64_t)since : 0;
    struct segments segments = {.list = NULL};
    bool is_good = segments_list(folder, &segments, why);

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
