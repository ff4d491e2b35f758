/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/store_thread.h: between the files of the store thread, store_thread.c, store_sync.c and
 * store_replay.c. */
#ifndef PROXY_STORE_THREAD_H
#define PROXY_STORE_THREAD_H

#include "proxy/journal_parts.h"
#include "proxy/store_parts.h"

enum {
    BATCH_MAX = 64, /* records of one write */
    LINES_MAX = BATCH_MAX * RECORD_LINE_MAX,
    TEXT_ROOM = 64 * 1024,
    RETRY_MS = 1000 /* after the disk failed */
};

struct store_thread {
    struct store *store;
    struct loop *loop;
    struct journal *journal;
    struct inflight view; /* of the mapped table, for reading */
    struct buf lines;     /* of `batch`, until they are in the journal */
    struct buf text;
    struct buf names; /* of a crash record */
    uint32_t batch[BATCH_MAX];
    struct record records[BATCH_MAX]; /* theirs; texts in the slots, or in `text` */
    uint32_t ends[BATCH_MAX]; /* of the lines of `batch`, in `lines` */
    bool is_plain[BATCH_MAX]; /* whoever reads the line gets the very same record */
    uint32_t batch_count;
    struct follower followers[FOLLOWERS_MAX];
    size_t followers_count;
    struct loop_timer sync;
    struct loop_timer retry;
    struct loop_timer tidy;
    struct loop_task again; /* a follower has more to do */
    bool is_sync_due;
    bool is_sync_failing; /* the last one failed: that lines can be appended means little then */
    bool is_table_failing; /* and it was the table's */
    bool is_short;        /* of memory: a record could not be made a line */
    bool is_stopped;
    bool has_settled; /* the first second is over */
    struct why failure; /* of the last write that failed */
    bool has_alarmed; /* the journal is half as large as it may become */
    mono_ms stop_at;
};

/* Whole lines to the end of the journal; *at is where they begin. False: the disk fails, which is told,
 * and tried again soon. */
bool store_thread_append(struct store_thread *side, struct span lines, struct journal_place *at);
/* The disk failed, or works again; told when that is news. */
void store_thread_failed(struct store_thread *side, const struct why *why);
void store_thread_works(struct store_thread *side);
/* Syncs what was appended and, where slots were opened that are waited for, the table. False: the disk fails, which is told, and tried
 * again soon. */
bool store_thread_sync(struct store_thread *side);
/* The sync that the main loop asked for: everything that could be appended is. */
void store_thread_sync_for_all(struct store_thread *side);
/* The new table, and that it is there, are on the disk. */
enum err store_thread_sync_table(struct store_thread *side, struct why *why);
/* A line of the log. */
void store_thread_say(struct store_thread *side, enum log_level level, const char *event,
                      const char *text);
/* A file of the state folder. False: its path is too long. */
bool store_thread_path(char path[JOURNAL_PATH_MAX], const struct store *store, const char *name);
/* Replays the table of an earlier process, and maps a new one. */
enum err store_thread_open_table(struct store_thread *side, struct why *why);

#endif
