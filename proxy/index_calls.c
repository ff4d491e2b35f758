/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: the journal is read backwards, one MiB after the other; what the index knows of the times
 * in it, and of the quarters in which there is something that fits, lets most of them be left out.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/index_ask.h"
#include "usage/unit.h"

enum { CALLS_LIMIT = 100, SCAN_MAX = 64 * 1024 * 1024, HITS_MAX = INDEX_CHUNK / 16 };

/* Quarters with something that fits, in ascending order. */
struct quarters {
    uint32_t *list;
    size_t count;
    size_t room;
    bool has_failed;
};

struct searching {
    struct index *index;
    const struct query *query;
    struct index_filter filter;
    struct quarters quarters;
    struct journal_reader *reader;
    struct journal_place before; /* lines from here on have been told */
    uint64_t *hits;              /* offsets of lines of one chunk that fit */
    size_t hits_count;
    struct buf *out;
    size_t limit;
    size_t told;
    uint64_t scanned;
    bool has_next; /* it was stopped before its end: */
    struct query_cursor next;
    struct why why;
};

/* ---- quarters ---- */

static bool wants_quarter(void *to, const struct index_key *key)
{
    struct searching *searching = to;
    struct quarters *quarters = &searching->quarters;

    if (quarters->count > 0 && quarters->list[quarters->count - 1] == key->quarter) {
        return true;
    }
    if (!index_filter_fits(&searching->filter, key)) {
        return true;
    }
    if (quarters->count == quarters->room) {
        size_t room = quarters->room == 0 ? 1024 : quarters->room * 2;
        void *list =
            mem_resize(quarters->list, quarters->room * sizeof(uint32_t), room * sizeof(uint32_t));

        if (list == NULL) {
            quarters->has_failed = true;
            return true;
        }
        quarters->list = list;
        quarters->room = room;
    }
    quarters->list[quarters->count++] = key->quarter;
    return true;
}

static bool find_quarters(struct searching *searching)
{
    const struct query *query = searching->query;
    struct index_rows rows = {.from = query->from < 0 ? 0 : (uint32_t)(query->from / QUARTER_MS),
                              .to = (uint32_t)((query->to + QUARTER_MS - 1) / QUARTER_MS),
                              .wants = wants_quarter,
                              .to_whom = searching};

    return index_db_rows(searching->index->db, &rows, &searching->why) &&
           !searching->quarters.has_failed;
}

static bool may_have(const struct searching *searching, const struct index_chunk *chunk)
{
    const struct quarters *quarters = &searching->quarters;
    size_t low = 0;
    size_t high = quarters->count;

    if (chunk->last_at < searching->query->from || chunk->first_at >= searching->query->to) {
        return false;
    }
    if (searching->query->filters_count == 0) {
        return true;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (quarters->list[middle] < chunk->first_at / QUARTER_MS) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < quarters->count && quarters->list[low] <= chunk->last_at / QUARTER_MS;
}

/* ---- lines ---- */

/* A value of plain letters stands in the line as it is, so most lines need not be read. */
static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '/') {
            return false;
        }
    }
    return text.len > 0;
}

static bool may_fit(const struct query *query, struct span line)
{
    unsigned asked = 0;
    unsigned found = 0;

    for (size_t i = 0; i < query->filters_count; i++) {
        unsigned bit = 1u << query->filters[i].dimension;
        struct span value = query->filters[i].value;

        asked |= bit;
        if ((found & bit) == 0 &&
            (!is_plain(value) || query->filters[i].dimension == DIMENSION_SOURCE ||
             span_find(line, value) != NULL)) {
            found |= bit;
        }
    }
    return asked == found;
}

static bool read_record(struct index *index, struct span line, struct record *record)
{
    buf_clear(&index->text);
    return record_read_line(index->scan, line, &index->text, record) == ERR_NONE;
}

/* Which lines of the chunk fit. */
static bool scan_chunk(struct searching *searching, const struct index_chunk *chunk)
{
    struct journal_place at;
    struct journal_place next;
    struct journal_place end = {chunk->segment, chunk->end};
    struct record record;
    struct span line;

    searching->hits_count = 0;
    journal_reader_seek(searching->reader, (struct journal_place){chunk->segment, chunk->begin});
    while (journal_reader_next(searching->reader, &line, &at, &next, &searching->why) &&
           journal_place_compare(at, end) < 0 && journal_place_compare(at, searching->before) < 0) {
        searching->scanned += line.len + 1;
        if (searching->hits_count < HITS_MAX && may_fit(searching->query, line) &&
            read_record(searching->index, line, &record) && query_fits(searching->query, &record)) {
            searching->hits[searching->hits_count++] = at.offset;
        }
    }
    return searching->why.text[0] == '\0';
}

static void stop_at(struct searching *searching, uint64_t segment, uint64_t offset)
{
    searching->has_next = true;
    searching->next = (struct query_cursor){segment, offset};
}

/* The hits of a chunk, newest first. False: that is enough. */
static bool tell_hits(struct searching *searching, const struct index_chunk *chunk)
{
    while (searching->hits_count > 0) {
        uint64_t offset = searching->hits[--searching->hits_count];
        struct journal_place at;
        struct journal_place next;
        struct record record;
        struct span line;

        journal_reader_seek(searching->reader, (struct journal_place){chunk->segment, offset});
        if (!journal_reader_next(searching->reader, &line, &at, &next, &searching->why) ||
            !read_record(searching->index, line, &record)) {
            continue;
        }
        answer_record(searching->out, searching->query, line, &record, searching->told == 0);
        searching->told++;
        if (searching->told == searching->limit || searching->out->failed) {
            stop_at(searching, chunk->segment, offset);
            return false;
        }
    }
    return true;
}

static bool visit_chunk(void *to, const struct index_chunk *chunk)
{
    struct searching *searching = to;

    if (!may_have(searching, chunk)) {
        return true;
    }
    if (searching->scanned + (chunk->end - chunk->begin) > SCAN_MAX) {
        stop_at(searching, chunk->segment, chunk->end);
        return false;
    }
    return scan_chunk(searching, chunk) && tell_hits(searching, chunk);
}

static bool search(struct searching *searching)
{
    struct why why;

    if (searching->query->filters_count > 0 && !find_quarters(searching)) {
        return false;
    }
    searching->why.text[0] = '\0';
    answer_calls_begin(searching->out, searching->query);
    if (!index_db_chunks(searching->index->db, searching->before, visit_chunk, searching, &why) &&
        why.text[0] != '\0') {
        searching->why = why;
        return false;
    }
    if (searching->why.text[0] != '\0') {
        return false;
    }
    answer_calls_end(searching->out, searching->query,
                     searching->has_next ? &searching->next : NULL);
    return true;
}

enum err index_ask_calls(struct index *index, const struct query *query, struct buf *out,
                         struct why *why)
{
    struct searching searching = {.index = index,
                                  .query = query,
                                  .out = out,
                                  .limit = query->limit > 0 ? query->limit : CALLS_LIMIT,
                                  .before = {UINT64_MAX, UINT64_MAX}};
    enum err err = ERR_MEMORY;

    if (query->has_cursor) {
        searching.before = (struct journal_place){query->cursor.segment, query->cursor.offset};
    }
    index_filter_init(&searching.filter, index, query);
    searching.reader = journal_reader_new(span_of(index->journal));
    searching.hits = mem_take(HITS_MAX * sizeof(uint64_t));
    why_set(&searching.why, "out of memory");
    if (searching.reader != NULL && searching.hits != NULL) {
        err = search(&searching) ? ERR_NONE : ERR_SYSTEM;
    }
    *why = searching.why;
    mem_give(searching.hits, HITS_MAX * sizeof(uint64_t));
    mem_give(searching.quarters.list, searching.quarters.room * sizeof(uint32_t));
    journal_reader_free(searching.reader);
    return err;
}

/* ---- trace ---- */

struct tracing {
    struct index *index;
    const struct query *query;
    struct buf *out;
    struct unit unit;
};

static bool visit_unit(void *to, struct span line)
{
    struct tracing *tracing = to;
    struct record record;

    if (read_record(tracing->index, line, &record)) {
        answer_record(tracing->out, tracing->query, line, &record,
                      tracing->unit.total.of[SUM_RECORDS] == 0);
        unit_add(&tracing->unit, &record);
    }
    return true;
}

enum err index_ask_trace(struct index *index, const struct query *query, struct buf *out,
                         struct why *why)
{
    struct tracing tracing = {.index = index, .query = query, .out = out};

    unit_init(&tracing.unit);
    unit_put_begin(out, query);
    if (!index_db_units(index->db, query->trace, visit_unit, &tracing, why)) {
        return ERR_SYSTEM;
    }
    if (tracing.unit.total.of[SUM_RECORDS] == 0) {
        why_set(why, "id: no call with this x-headgate-trace is known; they are kept for %d days",
                INDEX_UNIT_DAYS);
        return ERR_MISSING;
    }
    unit_put_end(out, query, &tracing.unit);
    return ERR_NONE;
}
