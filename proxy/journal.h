/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/journal.h: the append-only journal of usage records: segments of JSON Lines in a folder,
 * each named by its start (milliseconds since 1970, 13 digits) and its number, `1795000000000-
 * 00000001.jsonl`. The journal is the truth; whoever wants to know more follows it. One writer (the
 * store thread), any number of readers, in this process or another. */
#ifndef PROXY_JOURNAL_H
#define PROXY_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/must.h"
#include "base/span.h"
#include "base/tick.h"

/* Where a line begins; places grow with time. Segment numbers begin with 1 and never come again;
 * {0, 0} is before the first line. */
struct journal_place {
    uint64_t segment;
    uint64_t offset;
};
/* Negative, zero or positive, as memcmp. */
int journal_place_compare(struct journal_place a, struct journal_place b);

/* ---- reading ---- */

enum { JOURNAL_FOLDER_MAX = 4096 };

struct journal_reader;
/* NULL without memory. The folder need not exist yet. Nothing of it is changed. */
struct journal_reader *journal_reader_new(struct span folder);
void journal_reader_free(struct journal_reader *reader);
/* Goes on with the first line at or after `place`; a segment that is gone is passed over. */
void journal_reader_seek(struct journal_reader *reader, struct journal_place place);
/* The next whole line, without its line feed, valid until the next call; *at is where it begins,
 * *next the place after it. False: there is none yet (ask again later), or `why` tells what failed
 * (it is empty otherwise). Lines are not judged: the reader of records checks the CRC. */
bool journal_reader_next(struct journal_reader *reader, struct span *line,
                         struct journal_place *at, struct journal_place *next, struct why *why);

/* Where the segment begins that has the first line which was written at `since` or later; {0, 0}: the first one.
 * `from`: since when there are lines; 0: since ever. False: `why` tells. */
MUST_CHECK bool journal_since(const char *folder, wall_ms since, struct journal_place *place,
                              wall_ms *from, struct why *why);

/* ---- writing ---- */

struct journal_rules {
    uint64_t retention_ms;
    uint64_t max;           /* bytes of all segments together above which an alarm is due at half */
    uint64_t segment_bytes; /* 0: 64 MiB */
    uint64_t segment_ms;    /* 0: one hour */
};

/* What is done to the disk, so that a test can have it fail. NULL members: the system's own. */
struct journal_disk {
    int (*open)(const char *path, int flags, unsigned mode);
    long (*write)(int file, const void *bytes, size_t count);
    int (*sync)(int file);
    int (*sync_table)(void *memory, size_t size); /* of what is mapped: the store's */
    uint64_t (*size)(const char *folder); /* bytes of the disk; 0: not known */
};

struct journal;
/* Opens the last segment for going on, a partial or broken last line cut off. The folder is made when
 * it is missing. `disk` NULL: the real one. ERR_SYSTEM, ERR_PERMISSION: `why` names the path. */
MUST_CHECK enum err journal_open(struct span folder, const struct journal_rules *rules,
                                 const struct journal_disk *disk, struct journal **journal,
                                 struct why *why);
void journal_close(struct journal *journal);
/* Puts whole lines at the end, in one write; a new segment is begun first when it is time. *at is where
 * the first one begins. False: nothing of them is there (what was half written is cut off again),
 * `why` tells; ask again later. */
bool journal_append(struct journal *journal, struct span lines, wall_ms now,
                    struct journal_place *at, struct why *why);
/* The place after the last line. */
struct journal_place journal_end(const struct journal *journal);
/* Makes durable what was appended; without effect when all of it is. False: `why` tells. */
bool journal_sync(struct journal *journal, struct why *why);
/* Bytes that all segments together may take: those of the rules, and no more than a fifth of the disk that
 * they lie on. 0: no limit is known. */
uint64_t journal_room(const struct journal *journal);
/* Deletes segments that lie wholly before `needed` and are older than retention. Returns the bytes
 * that are left. */
uint64_t journal_tidy(struct journal *journal, struct journal_place needed, wall_ms now);

#endif
