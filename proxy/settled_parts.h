/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/settled_parts.h: between settled_start.c, settled_follow.c and settled_again.c. */
#ifndef PROXY_SETTLED_PARTS_H
#define PROXY_SETTLED_PARTS_H

#include "proxy/files.h"
#include "proxy/journal_parts.h"
#include "proxy/settled_follow.h"

/* Reads records, one line after the other. */
struct settled_reading {
    struct journal_reader *reader;
    struct json_scan *scan;
    struct buf text;
    struct journal_place at; /* lines before it are counted */
    uint64_t broken;         /* lines that were none */
};

struct settled_follow {
    struct settled_options options;
    struct settled *sums;
    struct settled_reading reading;
    bool is_ahead;                /* records were taken without being read */
    bool is_dirty;                /* the file does not have all of the sums */
    bool is_known;                /* the file was read */
    struct journal_place written; /* the file's */
    wall_ms began;
    struct loop_timer save;
    mono_ms due;                  /* of that */
    struct settled_change *changes; /* announced, in the order in which they will be in force */
    struct settled *fresh;        /* of the counting again; NULL: none goes on */
    const void *again_by;
    struct settled_reading again;
    wall_ms again_from;           /* the journal has all records since then */
    bool is_again_done;           /* the main loop looks at it */
    struct why trouble;
    char path[FILES_PATH_MAX];
    char other[FILES_PATH_MAX];
    char aside[FILES_PATH_MAX];
    char folder[FILES_PATH_MAX];
    char journal[FILES_PATH_MAX];
};

/* Beyond every line. */
static const struct journal_place settled_far = {UINT64_MAX, UINT64_MAX};

void settled_tell(struct settled_follow *follow, enum log_level level, const char *text,
                  const char *reason);
void settled_save_fire(struct loop_timer *timer, mono_ms now);
bool settled_reading_init(struct settled_reading *reading, struct span journal);
void settled_reading_fini(struct settled_reading *reading);
/* Counts up to *most lines before `end` into `sums`, and takes them off *most: it is 0 where there may be
 * more. False: no memory, or the journal cannot be read: `why` tells. */
bool settled_read(struct settled_follow *follow, struct settled_reading *reading,
                  struct settled *sums, struct journal_place end, size_t *most, struct why *why);
/* Where the records begin that open windows count, and since when the journal has all. */
bool settled_begin(const struct settled_follow *follow, struct journal_place *place, wall_ms *from,
                   struct why *why);

#endif
