/* SPDX-License-Identifier: Apache-2.0 */
/* usage/query.h: a question about usage, from the query string of a URL or from options of the
 * command line: one table has the parameters of both. Texts borrow. Pure: zone and time come in. */
#ifndef USAGE_QUERY_H
#define USAGE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/must.h"
#include "base/span.h"
#include "base/tick.h"
#include "base/zone.h"
#include "usage/sums.h"

enum query_kind { QUERY_SUMMARY, QUERY_HISTORY, QUERY_DAILY, QUERY_CALLS, QUERY_TRACE, QUERY_KINDS };
enum query_format { QUERY_JSON, QUERY_CSV, QUERY_TABLE };

enum { QUERY_FILTERS_MAX = 64, QUERY_BY_MAX = 4, QUERY_LIMIT_MAX = 10000 };

struct query_filter {
    enum dimension dimension;
    struct span value; /* empty: records without one */
};

/* A place in the journal from which calls go back. */
struct query_cursor {
    uint64_t segment;
    uint64_t offset;
};

struct query {
    enum query_kind kind;
    enum query_format format;
    struct query_filter filters[QUERY_FILTERS_MAX]; /* of one dimension any, of several all */
    size_t filters_count;
    enum dimension by[QUERY_BY_MAX];
    size_t by_count;
    struct span from_text;
    struct span to_text;
    struct span zone; /* empty: UTC */
    struct span trace;
    uint32_t limit; /* 0: not given */
    bool has_cursor;
    struct query_cursor cursor;
    wall_ms from; /* set by query_resolve; `to` is not part of it */
    wall_ms to;
};

extern const struct span query_kind_names[QUERY_KINDS];

void query_init(struct query *query, enum query_kind kind);
/* One parameter. ERR_FORMAT: `why` names it and says what would be right. */
MUST_CHECK enum err query_set(struct query *query, struct span name, struct span value,
                              struct why *why);
/* All parameters of a URL's query string. `decoded` holds their texts and must outlive the query.
 * ERR_FORMAT, ERR_MEMORY with `why`. */
MUST_CHECK enum err query_read_url(struct query *query, struct span text, struct buf *decoded,
                                   struct why *why);
/* Finds `from` and `to`, in the zone, as of now. All but `calls` go by whole quarters of an hour: from
 * is put back, to forward. ERR_FORMAT with `why`. */
MUST_CHECK enum err query_resolve(struct query *query, const struct zone *zone, wall_ms now,
                                  struct why *why);
bool query_has_filter(const struct query *query, enum dimension dimension);
bool query_is_by(const struct query *query, enum dimension dimension);
/* Whether the record is one of those asked for, `from`, `to` and filters taken together. */
bool query_fits(const struct query *query, const struct record *record);
/* Whether a list with commas has the value; the empty list has the empty value. */
bool query_list_has(struct span list, struct span value);
/* Help for the command line: a line per parameter of this kind. */
void query_put_help(struct buf *out, enum query_kind kind);

#endif
