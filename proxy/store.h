/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/store.h: the port for usage records. The main loop puts them into mapped memory, which is all
 * that is needed to outlive a crash; the store thread brings them into the journal, steps those who
 * follow it, and syncs. All functions here are for the main loop, wait for nothing and, but for a
 * wake-up now and then, make no system call.
 *
 *   main loop                          store thread (store_thread.c)
 *   store_open, _finish, _put --slot numbers--> lines, one write for many, followers, fdatasync
 *                       <--slot numbers-- when their lines are in the journal
 */
#ifndef PROXY_STORE_H
#define PROXY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/must.h"
#include "proxy/follower.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "usage/inflight.h"

struct store;

struct store_options {
    struct loop *loop; /* the main one */
    struct log *log;
    struct span state_dir;
    uint32_t calls;    /* so many may be open at once */
    uint64_t seed;
    bool degrades;     /* see journal.on_full */
    bool is_power;     /* see journal.durability: slots of attempts are synced too, and may be waited for */
    struct journal_rules journal;
    const struct journal_disk *disk; /* NULL: the real one */
    /* Decides what an attempt is charged that was open when an earlier process died; on the store
     * thread, before store_new returns. `text` is empty, for texts of the record. */
    void (*settle_crash)(void *to, struct buf *text, struct record *record);
    /* Puts those who will follow the journal into `followers` (at most FOLLOWERS_MAX) and returns how
     * many; on the store thread, whose loop is given, before store_new returns: until then nobody uses
     * `store` but for store_tell. NULL: nobody follows. */
    size_t (*make_followers)(void *to, struct store *store, struct loop *store_loop,
                             struct follower *followers);
    void *to;
};
enum { FOLLOWERS_MAX = 16 };

/* Starts the store thread, brings into the journal what an earlier process left, and returns when all of
 * that is done. */
MUST_CHECK enum err store_new(const struct store_options *options, struct store **store,
                              struct why *why);
/* Everything finished goes into the journal and is synced, as far as `ms` and the disk allow; the rest
 * stays for the next start. */
void store_free(struct store *store, uint32_t ms);

/* An attempt begins: *slot is 0 when nothing needs to be told of it later. False: its record could not
 * be kept, so nothing may be sent. */
bool store_open(struct store *store, const struct record *record, uint32_t *slot);
void store_progress(struct store *store, uint32_t slot, const struct inflight_progress *progress);
/* The bytes that store_progress writes, to be warmed (mem_warm); empty without a slot. */
struct span store_place(const struct store *store, uint32_t slot);
/* It is over. */
void store_finish(struct store *store, uint32_t slot, const struct record *record);
/* It was opened and will not be sent: there is no record of it. */
void store_drop(struct store *store, uint32_t slot);
/* A record of something that had no slot. */
void store_put(struct store *store, const struct record *record);

struct store_state {
    bool is_failing;   /* the last write failed; it is tried again every second */
    uint32_t waiting;  /* records that are not in the journal yet */
    uint64_t lost;     /* records that never will be (on_full: degrade) */
    uint64_t written;
};
struct store_state store_state(const struct store *store);

/* ---- waiting for the disk (is_power) ---- */

/* Embedded in its owner, who is told once, from the loop, unless it cancels. */
struct store_wait {
    struct link link;
    void (*done)(struct store_wait *wait, bool is_synced); /* false: the disk failed */
};
void store_wait_init(struct store_wait *wait, void (*done)(struct store_wait *wait, bool is_synced));
/* Until all that was opened, finished and put by the end of this turn is on the disk: slots of what is
 * open, lines of the rest. Who comes while a sync runs waits for the next one, all with one sync. */
void store_when_synced(struct store *store, struct store_wait *wait);
/* Without effect when it does not wait. */
void store_wait_cancel(struct store_wait *wait);

/* Something to be done on the store thread, and then to be told on the main loop. Embedded in its owner,
 * who lives until `done`. */
struct store_question {
    void (*run)(struct store_question *question, struct journal_place end);
    void (*done)(struct store_question *question);
    struct store_question *next; /* the store's */
};
/* Up to QUESTIONS_MAX at once. False: too many are waiting, neither function will run. */
enum { QUESTIONS_MAX = 64 };
bool store_ask(struct store *store, struct store_question *question);
/* On the store thread: a line for the log, which is the main loop's. Texts are copied, and cut where they
 * are too long. */
void store_tell(struct store *store, const struct log_news *news);
/* Within `run`: appends whole lines, all or none, as durable as those of records; who follows reads
 * them soon. False: the disk fails. */
bool store_append(struct store *store, struct span lines, struct journal_place *end);

#endif
