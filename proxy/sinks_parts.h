/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/sinks_parts.h: between sinks.c (makes and frees them) and sink_run.c (what they do). */
#ifndef PROXY_SINKS_PARTS_H
#define PROXY_SINKS_PARTS_H

#include "proxy/cursor.h"
#include "proxy/sink.h"
#include "proxy/sinks.h"

/* What they share: freed with the last one. */
struct sinks_shared {
    struct loop *loop;
    struct log *log;
    struct fetcher *fetcher;
    struct link sinks;
};

enum sink_state { GATHERING, DELIVERING, PAUSING };

/* From the first failure until what waited then is delivered. */
struct sink_outage {
    bool is_on;
    mono_ms since;
    uint64_t delivered_before;
    bool is_passing;          /* something was delivered after the last failure */
    struct journal_place end; /* then: what had waited, ends here */
};

/* How it goes on from here. */
struct sink_progress {
    enum sink_state state;
    struct journal_place next;  /* after the last line that was read */
    struct journal_place end;   /* nothing is read beyond */
    mono_ms due;                /* of the batch that is gathered */
    size_t count;               /* lines of the batch that are out */
    size_t most;                /* lines that are sent at once: fewer after SINK_TOO_LARGE */
    unsigned failures;          /* in a row */
    bool is_full;               /* of bytes */
    bool is_begun;
    bool is_stepping;           /* an answer from inside is not acted on at once */
    bool is_ending;             /* nothing waits for company, no failure is tried again */
};

struct sink {
    struct link link;
    struct sinks_shared *shared;
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
/* Sets up what does the work. */
void sink_run_init(struct sink *sink);
/* Of struct follower_ops. */
bool sink_run_step(void *to, struct journal_place end);
void sink_run_finish(void *to, uint32_t ms);

#endif
