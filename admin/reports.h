/* SPDX-License-Identifier: Apache-2.0 */
/* admin/reports.h: records that apps report, from a request's body to lines for the journal: all of
 * them, or, with every fault named, none. Pure: what was reported before, somebody else knows. */
#ifndef ADMIN_REPORTS_H
#define ADMIN_REPORTS_H

#include "admin/report.h"
#include "conf/snapshot.h"
#include "wire/refusal.h"

enum {
    REPORTS_MAX = 1000,             /* records of one request */
    REPORTS_BODY_MAX = 1024 * 1024, /* bytes of its body */
    REPORTS_FAULTS_MAX = 1000,      /* that are named; more are counted */
    REPORTS_ANSWER_MAX = 2 * 1024 * 1024,
    REPORTS_LINES_MAX = REPORTS_MAX * RECORD_LINE_MAX
};

struct reports_terms {
    const struct snapshot *snapshot; /* whose prices and providers hold */
    wall_ms now;
    uint64_t seed[2]; /* not guessable by who sends the body */
    bool is_lines;    /* a record a line; else one object, or {"records": [...]} */
    /* Whether a record of this record_id is known already. */
    bool (*is_known)(void *to, struct span source, struct span id);
    void *to;
};

struct reports_sum {
    size_t accepted;
    size_t duplicates;
    size_t faults;
    enum refusal_kind refusal; /* NONE; INVALID_REPORT: with an answer; REPORT_LARGE or OVERLOADED */
};

/* Without a refusal `lines` has the lines of the accepted records, `answer` the counts. With one
 * `lines` is empty, and what `answer` has is the body of a 400. Both begin empty, with ceilings of
 * REPORTS_LINES_MAX and REPORTS_ANSWER_MAX. */
void reports_read(const struct reports_terms *terms, struct span body, struct buf *lines,
                  struct buf *answer, struct reports_sum *sum);

#endif
