/* SPDX-License-Identifier: Apache-2.0 */
/* Answering: what comes before any answer, and who gives it. */
#include "proxy/index_ask.h"

#include <string.h>

#include "proxy/files.h"

void index_filter_init(struct index_filter *filter, const struct index *index,
                       const struct query *query)
{
    filter->index = index;
    filter->query = query;
    for (size_t i = 0; i < query->filters_count; i++) {
        filter->ids[i] = index_name_find(index, query->filters[i].value);
        filter->is_known[i] = filter->ids[i] != 0 || query->filters[i].value.len == 0;
    }
}

static bool fits_one(const struct index_filter *filter, size_t i, const struct index_key *key)
{
    const struct query_filter *asked = &filter->query->filters[i];

    if (asked->dimension == DIMENSION_TAG) {
        return query_list_has(index_name(filter->index, key->names[DIMENSION_TAG]), asked->value);
    }
    return filter->is_known[i] && key->names[asked->dimension] == filter->ids[i];
}

bool index_filter_fits(const struct index_filter *filter, const struct index_key *key)
{
    unsigned asked = 0; /* bits of dimensions */
    unsigned found = 0;

    for (size_t i = 0; i < filter->query->filters_count; i++) {
        unsigned bit = 1u << filter->query->filters[i].dimension;

        if (filter->query->filters[i].dimension == DIMENSION_TAG &&
            key->names[DIMENSION_TAG] == 0) {
            continue;
        }
        asked |= bit;
        found |= (found & bit) == 0 && fits_one(filter, i, key) ? bit : 0;
    }
    return asked == found;
}

static enum err load_zone(struct query *query, struct zone *zone, struct buf *file, struct why *why)
{
    char path[sizeof ZONE_FOLDER + ZONE_NAME_MAX] = ZONE_FOLDER;

    zone_init(zone);
    if (query->zone.len == 0 || span_equal(query->zone, SPAN_OF("UTC"))) {
        return ERR_NONE;
    }
    memcpy(path + sizeof ZONE_FOLDER - 1, query->zone.at, query->zone.len);
    if (files_read(span_make(path, sizeof ZONE_FOLDER - 1 + query->zone.len), file, why) !=
            ERR_NONE ||
        zone_read(zone, buf_span(file)) != ERR_NONE) {
        why_set(why, "zone: %.*s is not among the zones in " ZONE_FOLDER "; UTC needs none",
                SPAN_ARGS(query->zone));
        return ERR_FORMAT;
    }
    return ERR_NONE;
}

static enum err answer(struct index *index, const struct query *query, const struct zone *zone,
                       struct buf *out, struct why *why)
{
    switch (query->kind) {
    case QUERY_SUMMARY:
    case QUERY_HISTORY:
    case QUERY_DAILY: return index_ask_groups(index, query, zone, out, why);
    case QUERY_CALLS: return index_ask_calls(index, query, out, why);
    case QUERY_TRACE: return index_ask_trace(index, query, out, why);
    case QUERY_KINDS: break;
    }
    UNREACHABLE();
}

enum err usage_answer(struct index *index, struct query *query, wall_ms now, struct buf *out,
                      struct why *why)
{
    size_t before = out->len;
    struct zone zone;
    struct buf file;
    enum err err = ERR_NONE;

    why->text[0] = '\0';
    if (query->kind == QUERY_TRACE && query->trace.len == 0) {
        why_set(why, "id: which one? Give the id that was sent in x-headgate-trace");
        return ERR_FORMAT;
    }
    if (!index->is_read_only && !index_commit(index, why)) {
        return ERR_SYSTEM;
    }
    if (index->db == NULL) {
        if (index_reopen(index, why) != ERR_NONE) {
            return ERR_SYSTEM;
        }
        index->trouble = *why; /* that it is built again, or nothing */
    }
    buf_init(&file, ZONE_FILE_MAX);
    err = load_zone(query, &zone, &file, why);
    if (err == ERR_NONE) {
        err = query_resolve(query, &zone, now, why);
    }
    if (err == ERR_NONE) {
        err = answer(index, query, &zone, out, why);
    }
    if (err == ERR_NONE && out->failed) {
        why_set(why, "the answer is too long; ask for less: limit, from, to");
        err = ERR_CEILING;
    }
    if (err != ERR_NONE) {
        buf_truncate(out, before);
    }
    buf_fini(&file);
    return err;
}
