/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/store_parts.h: between store.c (the main loop's side) and store_thread.c (the other one). What
 * both touch is atomic, or goes through a ring that one fills and the other empties. */
#ifndef PROXY_STORE_PARTS_H
#define PROXY_STORE_PARTS_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "proxy/bell.h"
#include "proxy/inflight_map.h"
#include "proxy/store.h"

/* Numbers from one thread to one other. Room for all there can be: it is never full. */
struct ring {
    uint32_t *list;
    uint32_t mask;
    _Atomic uint32_t put;
    _Atomic uint32_t taken;
};
bool ring_init(struct ring *ring, uint32_t most);
void ring_fini(struct ring *ring);
void ring_put(struct ring *ring, uint32_t number);
bool ring_take(struct ring *ring, uint32_t *number);
/* What ring_take gives next, without taking it; 0: nothing yet. For rings whose numbers are not 0. */
uint32_t ring_next(const struct ring *ring);
uint32_t ring_count(const struct ring *ring);

/* What the store thread has to say to operators. */
struct store_said {
    struct log_news news; /* its texts are these */
    char text[256];
    char sink[160];
    char reason[256];
};
enum { SAID_MAX = 32 };

/* What the store thread says of the sync that it was asked for. */
enum sync_told { SYNC_NOT_TOLD, SYNC_GOOD, SYNC_FAILED };

/* Those who wait for the disk (is_power): one group rides on the sync that runs, the next one gathers. The
 * slot of an attempt that has ended stays open until its line is synced: the system writes pages in an
 * order of its own, and a power cut between two of them would leave neither. */
struct store_syncs {
    struct link gathering;
    struct link riding;
    struct loop_task depart;
    bool is_running;
    bool has_opened;       /* slots that no sync of the table has seen */
    bool was_good;         /* the last one */
    uint32_t *kept;        /* slots whose lines are not known to be synced; NULL: not is_power */
    uint32_t kept_count;
    uint32_t kept_riding;  /* the first so many of them are with the sync that runs */
    atomic_bool is_asked;  /* main -> store */
    atomic_bool has_table; /* the same: the table is to be synced as well */
    _Atomic uint32_t told; /* enum sync_told: store -> main */
};

struct store_thread;

struct store {
    struct store_options options; /* texts are copied into `folder` */
    /* The main loop's. */
    struct inflight table;
    struct inflight_map map;
    uint32_t open;                /* slots of open attempts */
    uint64_t lost;
    uint64_t handed_over;         /* records that went to the store thread */
    uint64_t taken_back;          /* of them those whose slots came back */
    struct loop_timer nudge;
    bool is_nudging;
    struct bell *heard;           /* rung by the store thread */
    struct store_syncs syncs;
    /* Of both. */
    struct bell *wake;            /* rung by the main loop; made by the store thread */
    struct ring finished;         /* slots: main -> store */
    struct ring freed;            /* slots: store -> main */
    struct ring said;             /* places in `sayings`: store -> main */
    struct store_said sayings[SAID_MAX];
    struct ring asked;            /* places in `questions`: main -> store */
    struct ring answered;         /* the same: store -> main */
    struct store_question *questions[QUESTIONS_MAX];
    uint32_t questions_out;
    atomic_bool is_failing;
    atomic_bool is_stopping;
    _Atomic uint64_t written;
    _Atomic uint32_t stop_ms;
    /* Of the start and the end. */
    pthread_t thread;
    sem_t ready; /* posted by the thread when it has begun, and by the main loop when it may end */
    enum err err;
    struct why why;
    struct store_thread *side;    /* the store thread's own */
    char folder[JOURNAL_FOLDER_MAX];
};

enum { CHAIN_ROOM = INFLIGHT_CHAIN_MAX + 1 /* the most slots that one record takes */ };

/* store_sync.c */
bool store_syncs_init(struct store *store);
void store_syncs_fini(struct store *store);
/* A sync is wanted at the end of this turn. */
void store_syncs_want(struct store *store);
/* The store thread has said something, perhaps of the sync. */
void store_syncs_heard(struct store *store);
/* The thread has ended: whoever waits is told. */
void store_syncs_end(struct store *store);
/* The open slot of an attempt whose record is about to be put stays until that is synced. False: there is
 * not room enough for that. */
bool store_syncs_keep(struct store *store, uint32_t slot);

/* The thread's function. */
void *store_thread_run(void *store);

#endif
