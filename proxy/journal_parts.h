/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/journal_parts.h: what the reader and the writer of the journal share: the segments in a folder.
 * Seen by journal*.c only. */
#ifndef PROXY_JOURNAL_PARTS_H
#define PROXY_JOURNAL_PARTS_H

#include "proxy/journal.h"

struct segment {
    uint64_t number;
    uint64_t started; /* milliseconds since 1970 */
    uint64_t size;
};

/* Sorted by number. */
struct segments {
    struct segment *list;
    size_t count;
    size_t room;
};

enum { JOURNAL_PATH_MAX = 4096, SEGMENT_NAME_MAX = 64 };

/* What lies in the folder; none when there is no folder. False: `why` tells. */
bool segments_list(const char *folder, struct segments *segments, struct why *why);
void segments_fini(struct segments *segments);
/* The one of this number, else the next one after it; NULL: there is none. */
const struct segment *segments_from(const struct segments *segments, uint64_t number);
/* The path of a segment. False: too long. */
bool segment_path(char path[JOURNAL_PATH_MAX], const char *folder, uint64_t started,
                  uint64_t number);

#endif
