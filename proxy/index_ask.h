/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/index_ask.h: the parts of an answer. Seen by index*.c only. */
#ifndef PROXY_INDEX_ASK_H
#define PROXY_INDEX_ASK_H

#include "proxy/index_parts.h"
#include "usage/answer.h"

/* The filters of a question as numbers of names. */
struct index_filter {
    const struct index *index;
    const struct query *query;
    uint32_t ids[QUERY_FILTERS_MAX]; /* beside query->filters */
    bool is_known[QUERY_FILTERS_MAX]; /* false: no record has this value */
};

void index_filter_init(struct index_filter *filter, const struct index *index,
                       const struct query *query);
/* Whether the row's records are asked for. The tags are only looked at in rows of the second rollup. */
bool index_filter_fits(const struct index_filter *filter, const struct index_key *key);

enum err index_ask_groups(struct index *index, const struct query *query, const struct zone *zone,
                          struct buf *out, struct why *why);
enum err index_ask_calls(struct index *index, const struct query *query, struct buf *out,
                         struct why *why);
enum err index_ask_trace(struct index *index, const struct query *query, struct buf *out,
                         struct why *why);

#endif
