/* SPDX-License-Identifier: Apache-2.0 */
/* usage/inflight.h: the table of attempts that have no line in the journal yet, as bytes that outlive
 * the process: fixed-size slots in one piece of memory that somebody maps onto a file. A record goes
 * into one slot, or over a chain of them. Pure: works on memory that it is given. One thread writes
 * records and progress, another one reads finished ones; what orders them is the state word.
 *
 *   OPEN      the record as known before the request leaves; progress follows
 *   FINISHED  the record as it goes into the journal: in a slot of its own, written whole before the
 *             open one is given back, so that a process may die between any two of its stores
 *   MORE      the rest of a record whose first slot says so
 *   FREE      nothing that counts */
#ifndef USAGE_INFLIGHT_H
#define USAGE_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "usage/record.h"

enum inflight_state { INFLIGHT_FREE, INFLIGHT_OPEN, INFLIGHT_FINISHED, INFLIGHT_MORE };

enum {
    INFLIGHT_SLOT = 1024,   /* bytes */
    INFLIGHT_HEAD = 4096,   /* in front of slot 1: magic, layout, count */
    INFLIGHT_CHAIN_MAX = 24, /* slots of one record; RECORD_LINE_MAX is less */
    INFLIGHT_RECORD_MAX = INFLIGHT_CHAIN_MAX * INFLIGHT_SLOT
};

/* What is seen of an open attempt while it runs. */
struct inflight_progress {
    uint64_t output_seen; /* tokens */
    uint64_t bytes;
    uint32_t phase;       /* enum charge_phase */
};

/* A view of the memory; owns nothing. Slots are numbered from 1. */
struct inflight {
    char *memory;
    uint32_t count;
    uint32_t *free;       /* numbers of free slots, the last one is given next */
    uint32_t free_count;
    bool is_own;          /* written by this process: sums need not be looked at */
};

/* Bytes of a table with so many slots. */
size_t inflight_size(uint32_t count);
/* Writes the head of a new table into zeroed memory. */
void inflight_format(char *memory, uint32_t count);
/* Whether the memory holds a table of this program's layout; *count is its slots. */
bool inflight_is_ours(const char *memory, size_t size, uint32_t *count);
/* `free` has room for `count` numbers; every slot is taken as free. */
void inflight_init(struct inflight *table, char *memory, uint32_t count, uint32_t *free);

/* Puts a record into slots of the table, in this state. The number of its first slot, 0: no room. What
 * does not fit for want of slots is left out: raw usage first. */
uint32_t inflight_put(struct inflight *table, const struct record *record,
                      enum inflight_state state);
/* The finished record of an open slot, which is given back. Returns the slot of the finished one. There
 * is always one free for it when inflight_put is asked for open ones only while more are free than
 * open. */
uint32_t inflight_finish(struct inflight *table, uint32_t slot, const struct record *record);
void inflight_progress(struct inflight *table, uint32_t slot,
                       const struct inflight_progress *progress);
/* The bytes that inflight_progress writes. */
struct span inflight_place(const struct inflight *table, uint32_t slot);
/* Gives the slot and its chain back. */
void inflight_free(struct inflight *table, uint32_t slot);

/* Lets the processor fetch what a record of usual length takes of a slot that is read soon; 0: none. */
void inflight_warm(const struct inflight *table, uint32_t slot);
/* Reads what any slot holds; for the other thread, and after a crash. FREE and MORE have nothing to
 * tell. False: damaged. The record's texts borrow from the slot, or, where it lies in several, from what is
 * put at the end of `text`: that moves when it has no room for INFLIGHT_RECORD_MAX more. */
bool inflight_read(const struct inflight *table, uint32_t slot, struct buf *text,
                   struct record *record, struct inflight_progress *progress,
                   enum inflight_state *state);

#endif
