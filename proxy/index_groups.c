/* SPDX-License-Identifier: Apache-2.0 */
/* Summary, history and daily: rollups are read once, in the order of time, and added to the group
 * that they belong to. Records without a tag stand in no row of their own: they are all records
 * without those that have tags. */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "proxy/index_ask.h"

enum { GROUPS_MAX = 100000 };

#define HOUR_S INT64_C(3600)

struct group_key {
    int64_t begin; /* milliseconds */
    uint32_t names[QUERY_BY_MAX];
};

struct group {
    struct map_entry entry;
    struct group *next;
    struct group_key key;
    struct answer_group figures;
};

struct asking {
    struct index_filter filter;
    const struct index *index;
    const struct query *query;
    const struct zone *zone;
    struct map map;
    struct group *first;
    struct answer_group total;
    uint32_t provenances[PROVENANCES]; /* numbers of the words */
    bool takes;                        /* away, rather than adds */
    bool is_untagged;                  /* what is told now are records without tags */
    uint32_t quarter;                  /* of the row before, and its hour or day: */
    wall_ms begin;
    wall_ms end;
    bool is_full;
};

static void find_bucket(struct asking *asking, uint32_t quarter)
{
    int64_t at = (int64_t)quarter * (QUARTER_MS / 1000);

    if (asking->query->kind == QUERY_SUMMARY || quarter == asking->quarter) {
        return;
    }
    asking->quarter = quarter;
    if (asking->query->kind == QUERY_DAILY) {
        int64_t day = zone_day_of(asking->zone, at);

        asking->begin = zone_day_begin(asking->zone, day) * 1000;
        asking->end = zone_day_begin(asking->zone, day + 1) * 1000;
    } else {
        int64_t offset = zone_at(asking->zone, at).offset_s;

        asking->begin = (date_floor(at + offset, HOUR_S) * HOUR_S - offset) * 1000;
        asking->end = asking->begin + HOUR_S * 1000;
    }
}

static struct group *group_of(struct asking *asking, const struct group_key *key)
{
    struct span bytes = span_make((const char *)key, sizeof *key);
    struct group *group = (struct group *)(void *)map_find(&asking->map, bytes);

    if (group != NULL) {
        return group;
    }
    group = mem_take_zero(sizeof *group);
    if (group == NULL) {
        asking->is_full = true;
        return NULL;
    }
    group->key = *key;
    group->figures.begin = asking->begin;
    group->figures.end = asking->end;
    for (size_t i = 0; i < asking->query->by_count; i++) {
        group->figures.names[i] = index_name(asking->index, key->names[i]);
    }
    if (map_add(&asking->map, &group->entry,
                span_make((const char *)&group->key, sizeof group->key)) != ERR_NONE) {
        mem_give(group, sizeof *group);
        asking->is_full = true;
        return NULL;
    }
    group->next = asking->first;
    asking->first = group;
    return group;
}

static void add_to(struct asking *asking, struct answer_group *group, const struct index_key *key,
                   const struct sums *sums)
{
    if (asking->takes) {
        sums_take(&group->sums, sums);
    } else {
        sums_add(&group->sums, sums);
    }
    for (size_t i = 0; i < PROVENANCES; i++) {
        if (asking->provenances[i] != 0 &&
            key->names[DIMENSION_PROVENANCE] == asking->provenances[i]) {
            int64_t records = sums->of[SUM_RECORDS];

            group->provenances[i] += asking->takes ? -records : records;
        }
    }
}

static bool add_to_group(struct asking *asking, const struct index_key *key,
                         const struct sums *sums, uint32_t tag)
{
    struct group_key group_key;
    struct group *group = NULL;

    memset(&group_key, 0, sizeof group_key);
    group_key.begin = asking->begin;
    for (size_t i = 0; i < asking->query->by_count; i++) {
        enum dimension by = asking->query->by[i];

        group_key.names[i] = by == DIMENSION_TAG ? tag : key->names[by];
    }
    group = group_of(asking, &group_key);
    if (group != NULL) {
        add_to(asking, &group->figures, key, sums);
    }
    return group != NULL;
}

/* A list may name a tag twice. */
static bool stands_before(struct span list, struct span tag)
{
    struct span before = span_make(list.at, (size_t)(tag.at - list.at));

    return before.len > 0 && query_list_has(span_make(before.at, before.len - 1), tag);
}

static bool visit(void *to, const struct index_key *key, const struct sums *sums)
{
    struct asking *asking = to;
    struct span list = index_name(asking->index, key->names[DIMENSION_TAG]);
    struct span rest = list;

    find_bucket(asking, key->quarter);
    add_to(asking, &asking->total, key, sums);
    if (asking->query->kind == QUERY_SUMMARY && asking->query->by_count == 0) {
        return true;
    }
    if (asking->is_untagged || !query_is_by(asking->query, DIMENSION_TAG)) {
        return add_to_group(asking, key, sums, 0);
    }
    while (rest.at != NULL) {
        struct span tag = span_cut(&rest, ',');

        if (!stands_before(list, tag) &&
            !add_to_group(asking, key, sums, index_name_find(asking->index, tag))) {
            return false;
        }
    }
    return true;
}

static bool wants(void *to, const struct index_key *key)
{
    const struct asking *asking = to;
    struct index_key copy = *key;

    /* Untagged records are those of all rows less those of tagged ones: tags are not looked at. */
    if (asking->is_untagged) {
        copy.names[DIMENSION_TAG] = 0;
    }
    return index_filter_fits(&asking->filter, &copy);
}

/* Whether records without tags are asked for. */
static bool wants_untagged(const struct query *query)
{
    for (size_t i = 0; i < query->filters_count; i++) {
        if (query->filters[i].dimension == DIMENSION_TAG && query->filters[i].value.len == 0) {
            return true;
        }
    }
    return !query_has_filter(query, DIMENSION_TAG);
}

/* The quarter of an hour that a time lies in; what is before 1970 lies in the first one. */
static uint32_t quarter_of(wall_ms at)
{
    int64_t quarter = at < 0 ? 0 : at / QUARTER_MS;

    return quarter > UINT32_MAX ? UINT32_MAX : (uint32_t)quarter;
}

static bool read_rows(struct asking *asking, bool is_tagged, bool takes, struct why *why)
{
    struct index_rows rows = {.is_tagged = is_tagged,
                              .from = quarter_of(asking->query->from),
                              .to = quarter_of(asking->query->to),
                              .wants = wants,
                              .visit = visit,
                              .to_whom = asking};

    asking->takes = takes;
    asking->quarter = UINT32_MAX;
    if (!index_db_rows(asking->index->db, &rows, why)) {
        if (why->text[0] == '\0') {
            why_set(why, "usage.sqlite is damaged; it can be deleted");
        }
        if (asking->is_full) {
            why_set(why, "by: more than %d rows; ask for fewer, or for less time", GROUPS_MAX);
        }
        return false;
    }
    return true;
}

static bool read_all(struct asking *asking, struct why *why)
{
    const struct query *query = asking->query;

    if (!query_is_by(query, DIMENSION_TAG) && !query_has_filter(query, DIMENSION_TAG)) {
        return read_rows(asking, false, false, why);
    }
    if (!read_rows(asking, true, false, why)) {
        return false;
    }
    asking->is_untagged = true;
    return !wants_untagged(query) ||
           (read_rows(asking, false, false, why) && read_rows(asking, true, true, why));
}

/* ---- order ---- */

static int compare_spans(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.at, b.at, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* By time; what cost most first; by name. */
static int compare_cb(const void *left, const void *right)
{
    const struct answer_group *a = left;
    const struct answer_group *b = right;
    static const enum sum order_of[] = {SUM_COST_USD, SUM_COST_PICO, SUM_RECORDS};
    int order = (a->begin > b->begin) - (a->begin < b->begin);

    for (size_t i = 0; order == 0 && i < ARRAY_LENGTH(order_of); i++) {
        int64_t of_a = a->sums.of[order_of[i]];
        int64_t of_b = b->sums.of[order_of[i]];

        order = (of_a < of_b) - (of_a > of_b);
    }
    for (size_t i = 0; order == 0 && i < QUERY_BY_MAX; i++) {
        order = compare_spans(a->names[i], b->names[i]);
    }
    return order;
}

static enum err put_groups(const struct asking *asking, struct buf *out, struct why *why)
{
    size_t room = asking->map.count + 1;
    struct answer_group *groups = mem_take(room * sizeof *groups);
    size_t count = 0;
    struct answer_rows answer = {
        .query = asking->query, .zone = asking->zone, .total = &asking->total, .groups = groups};

    if (groups == NULL) {
        why_set(why, "out of memory");
        return ERR_MEMORY;
    }
    for (const struct group *group = asking->first; group != NULL; group = group->next) {
        if (group->figures.sums.of[SUM_RECORDS] > 0) {
            groups[count++] = group->figures;
        }
    }
    qsort(groups, count, sizeof *groups, compare_cb);
    answer.count = count;
    if (asking->query->limit > 0 && count > asking->query->limit) {
        answer.count = asking->query->limit;
        answer.left_out = count - answer.count;
    }
    answer_put(out, &answer);
    mem_give(groups, room * sizeof *groups);
    return ERR_NONE;
}

enum err index_ask_groups(struct index *index, const struct query *query, const struct zone *zone,
                          struct buf *out, struct why *why)
{
    struct asking asking = {.index = index, .query = query, .zone = zone};
    enum err err = ERR_SYSTEM;

    index_filter_init(&asking.filter, index, query);
    for (size_t i = 0; i < PROVENANCES; i++) {
        asking.provenances[i] = index_name_find(index, provenance_names[i]);
    }
    map_init(&asking.map, GROUPS_MAX, index->names.map.seed);
    if (read_all(&asking, why)) {
        err = put_groups(&asking, out, why);
    } else if (asking.is_full) {
        err = ERR_CEILING;
    }
    while (asking.first != NULL) {
        struct group *group = asking.first;

        asking.first = group->next;
        mem_give(group, sizeof *group);
    }
    map_fini(&asking.map);
    return err;
}
