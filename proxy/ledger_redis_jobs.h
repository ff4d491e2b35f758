/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/ledger_redis_jobs.h: reports and orders on their way through the parts of the book. For
 * ledger_redis_report.c and ledger_redis_order.c. */
#ifndef PROXY_LEDGER_REDIS_JOBS_H
#define PROXY_LEDGER_REDIS_JOBS_H

#include "proxy/ledger_redis_parts.h"

enum { JOB_NAMES_MAX = ROOTS_MAX, JOB_PAGE = 100, JOB_TEXT_MAX = 1024, JOB_MS = 5000 };

/* One counter of a report. */
struct item {
    struct item *next;
    struct span budget; /* in the item's own memory, as is the value */
    struct span value;
    enum scope_kind scope;
    enum budget_unit unit;
    uint32_t mark;
    uint32_t generation;
    struct window window; /* of a rolling one its newest part */
    int64_t part_ms;      /* 0: it is none */
    size_t size;
    bool must_be_there;
};

struct name {
    struct name *next;
    size_t len;
    char text[];
};

struct job {
    struct link link;
    struct ledger *ledger;
    struct ledger_report *report; /* one of the two, or none: holds of earlier processes */
    struct ledger_order *order;
    struct name *names;  /* parts still to go through */
    struct root *root;   /* the one in work */
    struct item *items;
    size_t items_count;
    uint64_t touched;
    uint64_t offset;     /* in its index */
    char cursor[24];     /* of its holds */
    bool is_busy;        /* a command of it is on its way */
    mono_ms until;
};

/* It is over; why NULL: it is done. */
void job_end(struct job *job, const char *why);
extern const char job_away[];
/* What the job's command says; NULL: it is over. */
struct job *job_of(struct command *command, const struct redisReply *reply);
void job_next_root(struct job *job);
void job_drop_items(struct job *job);
/* The report's step in this part. */
void job_report(struct job *job);

#endif
