/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/follower.h: who follows the journal: the index, and each sink. Followers live on the store
 * thread's loop, keep a cursor of their own that survives restarts, and never wait in a function: a
 * slow or dead one delays nobody else. */
#ifndef PROXY_FOLLOWER_H
#define PROXY_FOLLOWER_H

#include <stdbool.h>

#include "proxy/journal.h"
#include "usage/record.h"

/* A record whose line was appended just now. */
struct follower_news {
    const struct record *record;
    struct span line;             /* without its line feed */
    struct journal_place before;  /* the journal's end when it was not there yet */
    struct journal_place at;      /* where the line begins: `before`, or in a new segment */
    struct journal_place next;
};

struct follower_ops {
    /* In the order of the lines, before the step that could read them. A follower who has come as far as
     * `before` may take the record as it is, which is far quicker than reading it. NULL: it reads. */
    void (*take)(void *to, const struct follower_news *news);
    /* Lines up to `end` can be read. Works for a few milliseconds at most. True: there is more to
     * do at once, call again soon; false: it waits for lines, a timer or a socket of its own. */
    bool (*step)(void *to, struct journal_place end);
    /* Lines before this place are not needed any more (kept across restarts). */
    struct journal_place (*cursor)(const void *to);
    /* The process ends: what is read is made durable; at most `ms` from now. */
    void (*finish)(void *to, uint32_t ms);
    void (*free)(void *to);
    /* What went wrong since it was asked last; false: nothing. */
    bool (*trouble)(void *to, struct why *why);
};

struct follower {
    const char *name; /* "index", "file ./usage.jsonl": for logs and alarms */
    const struct follower_ops *ops;
    void *to;
};

#endif
