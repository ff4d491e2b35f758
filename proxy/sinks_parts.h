/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/sinks_parts.h: between sinks.c (makes and frees them) and sink_run.c (what they do). */
#ifndef PROXY_SINKS_PARTS_H
#define PROXY_SINKS_PARTS_H

#include "proxy/cursor.h"
#include "proxy/sink.h"
#include "proxy/sinks.h"

struct sinks {
    struct sinks_options options;
    struct fetcher *fetcher; /* NULL: nobody needed it yet */
    struct link all;
    size_t made;             /* ever */
};

enum sink_stage { GATHERING, DELIVERING, PAUSING };

/* From the first failure until what waited then is delivered. */
struct sink_outage {
    bool is_on;
    bool is_old;              /* its settings have changed since: its next failure is told again */
    mono_ms since;
    struct why why;
    uint64_t delivered_before;
    bool is_passing;          /* something was delivered after the last failure */
    struct journal_place end; /* then: what had waited, ends here */
};

/* How it goes on from here. */
struct sink_progress {
    enum sink_stage stage;
    struct journal_place next;  /* after the last line that was read */
    struct journal_place end;   /* nothing is read beyond */
    mono_ms due;                /* of the batch that is gathered */
    size_t count;               /* lines of the batch that are out */
    size_t most;                /* lines that are sent at once: fewer after SINK_TOO_LARGE */
    unsigned failures;          /* in a row */
    bool is_full;               /* of bytes */
    bool is_begun;
    bool is_stepping;           /* an answer from inside is not acted on at once */
    bool is_held;               /* nothing more is delivered: its settings change */
    bool is_ending;             /* nothing waits for company, no failure is tried again */
};

struct sink_counts {
    uint64_t delivered;
    uint64_t known;
    uint64_t batches;
    uint64_t failures;
    uint64_t damaged;
};

struct sink {
    struct link link;
    struct sinks *sinks;
    const struct snapshot *snapshot; /* whose settings it has */
    const struct sink_ops *ops;
    void *to;                /* NULL: not opened yet */
    struct sink_frame frame;
    struct journal_reader *reader;
    struct cursor cursor;
    struct sink_batch batch;
    struct sink_progress now;
    struct sink_outage outage;
    struct loop_timer timer; /* a batch is due, a pause is over, or a delivery is silent */
    struct loop_timer save;  /* the cursor could not be written */
    struct loop_task task;   /* goes on outside of any callback */
    struct rng rng;
    struct sink_counts counts;
    char *name;              /* ends in NUL */
};

void sink_tell(struct sink *sink, enum log_level level, const char *event, const char *text,
               const char *why);
/* Sets up what does the work; gives it back, a delivery in flight dropped. */
void sink_run_init(struct sink *sink);
void sink_run_fini(struct sink *sink);
/* Lines up to `end` can be read. True: there is more to do at once. */
bool sink_run_step(struct sink *sink, struct journal_place end);
/* Soon, and outside of any callback. */
void sink_run_queue(struct sink *sink);
/* False: it delivers, and will be idle later. Else its delivery is over and its settings may go. */
bool sink_run_hold(struct sink *sink);
/* Goes on at its cursor, with the settings that it has now. */
void sink_run_renew(struct sink *sink);
/* The end: what waits is delivered without company. */
void sink_run_hurry(struct sink *sink);
bool sink_run_is_busy(const struct sink *sink);
/* Writes down how far it came. */
void sink_run_save(struct sink *sink);

#endif
