/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/sink.h: how one kind of sink delivers. A row of conf/sinks.def: sink_<name>.c defines
 * sink_ops_<name>. What all share stands in sinks.c: reading the journal, batches, cursors, pauses,
 * alarms. A sink runs on the store thread's loop, has one batch at a time, and waits for nothing. */
#ifndef PROXY_SINK_H
#define PROXY_SINK_H

#include "base/buf.h"
#include "base/rng.h"
#include "conf/sink.h"
#include "conf/snapshot.h"
#include "proxy/fetcher.h"
#include "proxy/journal.h"
#include "proxy/loop.h"

/* ---- batches ---- */

enum { SINK_BATCH_BYTES = 1024 * 1024, SINK_BATCH_ID = 32 };

struct sink_line {
    size_t from; /* in the batch's bytes */
    size_t len;  /* with its line feed */
    struct journal_place at;
    struct journal_place next; /* the place after it */
};

struct sink_batch {
    struct buf bytes; /* whole lines, as the journal has them */
    struct sink_line *lines;
    size_t count;
    size_t room;
};

/* `room`: lines, at most. ERR_MEMORY. */
MUST_CHECK enum err sink_batch_init(struct sink_batch *batch, size_t room);
void sink_batch_fini(struct sink_batch *batch);
void sink_batch_clear(struct sink_batch *batch);
/* False: it is full (or there is no memory: the same, if a line is in it already). */
bool sink_batch_add(struct sink_batch *batch, struct span line, struct journal_place at,
                    struct journal_place next);
/* With its line feed. */
struct span sink_batch_line(const struct sink_batch *batch, size_t i);
/* The record_id of a line, with or without its line feed; empty: it has none. */
struct span sink_line_id(struct span line);
/* 32 hexadecimal digits and NUL, made of the first and the last record_id of the first `count`
 * lines: the same lines have the same. count > 0. */
void sink_batch_id(const struct sink_batch *batch, size_t count, char id[SINK_BATCH_ID + 1]);

/* ---- pauses ---- */

/* After so many failures in a row (from 1): evenly anywhere from one second to 2, 4, 8, ... 60 s. */
uint32_t sink_pause_ms(struct rng *rng, unsigned failures);

/* ---- the row ---- */

enum sink_end {
    SINK_DELIVERED,
    SINK_FAILED,   /* it may work later */
    SINK_REFUSED,  /* it will hardly work later: asked seldom */
    SINK_TOO_LARGE /* smaller batches may be taken */
};

struct sink_answer {
    enum sink_end how;
    uint32_t pause_ms; /* not before; 0: nothing was said */
    size_t known;      /* lines of it that were there already */
    struct why why;    /* unless it was delivered */
};

/* What a sink is given; lives as long as the sink. */
struct sink_frame {
    struct loop *loop;
    const struct sink_settings *settings;
    struct fetcher *fetcher;
    const char *id; /* of the cursor: 16 digits */
    void *to;
    /* The answer to deliver. May be called from inside of it. */
    void (*done)(void *to, const struct sink_answer *answer);
};

struct sink_ops {
    /* NULL: no memory. What else may be wrong is answered to a delivery. */
    void *(*open)(const struct sink_frame *frame);
    /* The first `count` lines of the batch, count > 0. Answered exactly once, within a time of the
     * sink's own; until then nobody touches the batch. */
    void (*deliver)(void *to, const struct sink_batch *batch, size_t count);
    /* In the midst of a delivery: it is given up, and not answered. */
    void (*free)(void *to);
};

#define SINK(name) extern const struct sink_ops sink_ops_##name;
#include "conf/sinks.def"
#undef SINK

#endif
