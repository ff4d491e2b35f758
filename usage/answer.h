/* SPDX-License-Identifier: Apache-2.0 */
/* usage/answer.h: answers about usage as JSON, CSV or a table for people. Names are stable
 * (docs/usage.md). Money is decimal text in USD, and whole nanodollars beside it. Pure. */
#ifndef USAGE_ANSWER_H
#define USAGE_ANSWER_H

#include "usage/query.h"

enum provenance {
    PROVENANCE_PROVIDER,
    PROVENANCE_ESTIMATED,
    PROVENANCE_PARTIAL,
    PROVENANCE_UNPRICED,
    PROVENANCE_REPORTED,
    PROVENANCES
};

extern const struct span provenance_names[PROVENANCES];

struct answer_group {
    wall_ms begin; /* of the hour or day; 0 in a summary */
    wall_ms end;
    struct span names[QUERY_BY_MAX]; /* as query->by says */
    struct sums sums;
    int64_t provenances[PROVENANCES]; /* records of each */
};

struct answer_rows {
    const struct query *query;
    const struct zone *zone;
    const struct answer_group *total;
    const struct answer_group *groups; /* in their order */
    size_t count;
    size_t left_out; /* groups beyond the limit */
};

/* The answer to summary, history and daily. */
void answer_put(struct buf *out, const struct answer_rows *answer);

/* The answer to calls: begin, records newest first, end. */
void answer_calls_begin(struct buf *out, const struct query *query);
/* line: that of the record, whole. */
void answer_record(struct buf *out, const struct query *query, struct span line,
                   const struct record *record, bool is_first);
/* next: where more can be asked for, or NULL. */
void answer_calls_end(struct buf *out, const struct query *query, const struct query_cursor *next);

#endif
