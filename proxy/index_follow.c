/* SPDX-License-Identifier: Apache-2.0 */
/* Following: lines are read and added up in memory, one rollup per quarter and set of names; a
 * batch of them goes into the file in one transaction, with the place behind its last line. */
#include "base/mem.h"
#include "proxy/index_parts.h"

enum { LINES_PER_STEP = 512, DAY_QUARTERS = 24 * QUARTERS_PER_HOUR };

static mono_ms now_of(const struct index *index)
{
    return index->loop == NULL ? 0 : loop_now(index->loop);
}

/* ---- one record ---- */

static bool find_names(struct index *index, const struct record *record, struct index_key *key)
{
    for (size_t i = 0; i < DIMENSIONS; i++) {
        struct span text = sums_dimension(record, (enum dimension)i);

        if (text.len == 0 || !span_equal(text, index_name(index, index->last[i]))) {
            if (!index_name_add(index, text, &index->last[i])) {
                return false;
            }
        }
        key->names[i] = index->last[i];
    }
    return true;
}

/* Each tag has a name too, so that usage can be told by tags. */
static bool name_tags(struct index *index, struct span tags)
{
    struct span rest = tags;
    uint32_t id = 0;

    if (tags.len == 0 || index_name_find(index, tags) != 0) {
        return true;
    }
    while (rest.at != NULL) {
        if (!index_name_add(index, span_cut(&rest, ','), &id)) {
            return false;
        }
    }
    return true;
}

static bool add(struct index *index, const struct index_key *key, const struct sums *sums)
{
    struct index_pending *pending = &index->pending;
    struct span bytes = span_make((const char *)key, sizeof *key);
    struct index_rollup *rollup = (struct index_rollup *)(void *)map_find(&pending->map, bytes);

    if (rollup != NULL) {
        sums_add(&rollup->sums, sums);
        return true;
    }
    rollup = mem_take(sizeof *rollup);
    if (rollup == NULL) {
        return false;
    }
    rollup->key = *key;
    rollup->sums = *sums;
    bytes.at = (const char *)&rollup->key;
    if (map_add(&pending->map, &rollup->entry, bytes) != ERR_NONE) {
        mem_give(rollup, sizeof *rollup);
        return false;
    }
    rollup->next = pending->first;
    pending->first = rollup;
    return true;
}

static bool add_record(struct index *index, const struct record *record, struct span line,
                       struct why *why)
{
    struct index_key key = {.quarter = (uint32_t)sums_quarter(record)};
    struct span trace = record->texts[RECORD_TRACE];
    struct sums sums;
    uint32_t tags = 0;
    bool is_new = true;

    why->text[0] = '\0'; /* out of memory, if nobody says otherwise */
    if (!name_tags(index, record->texts[RECORD_TAGS]) || !find_names(index, record, &key)) {
        return false;
    }
    if (sums_is_reported(record) &&
        (!index_db_begin(index->db, why) ||
         !index_db_put_reported(index->db, key.names[DIMENSION_SOURCE], record->texts[RECORD_ID],
                                key.quarter, &is_new, why))) {
        return false;
    }
    if (!is_new) {
        index->read.repeated++;
        return true;
    }
    if (trace.len > 0 && (!index_db_begin(index->db, why) ||
                          !index_db_put_unit(index->db, trace, key.quarter, line, why))) {
        return false;
    }
    sums_of(record, &sums);
    tags = key.names[DIMENSION_TAG];
    key.names[DIMENSION_TAG] = 0;
    if (!add(index, &key, &sums)) {
        return false;
    }
    key.names[DIMENSION_TAG] = tags;
    return tags == 0 || add(index, &key, &sums);
}

/* In which MiB the line stands; at: of its call, below 0: a line without a time. */
static void add_to_chunk(struct index *index, struct journal_place place, uint64_t end, int64_t at)
{
    struct index_pending *pending = &index->pending;
    uint64_t number = place.offset / INDEX_CHUNK;
    struct index_chunk *last =
        pending->chunks_count > 0 ? &pending->chunks[pending->chunks_count - 1] : NULL;

    if (last == NULL || last->segment != place.segment || last->number != number) {
        last = &pending->chunks[pending->chunks_count++];
        *last = (struct index_chunk){.segment = place.segment,
                                     .number = number,
                                     .begin = place.offset,
                                     .first_at = INT64_MAX,
                                     .last_at = INT64_MIN};
    }
    last->end = end;
    if (at >= 0) {
        last->first_at = at < last->first_at ? at : last->first_at;
        last->last_at = at > last->last_at ? at : last->last_at;
    }
}

/* A line at `place` is done with. at: of its call, below 0: it is no record. */
static void pass_line(struct index *index, struct journal_place place, size_t len, int64_t at)
{
    uint64_t end = place.offset + len + 1; /* behind its line feed */

    add_to_chunk(index, place, end, at);
    if (index->pending.lines++ == 0) {
        index->pending.since = now_of(index);
    }
    index->read.cursor = (struct journal_place){.segment = place.segment, .offset = end};
}

static bool take_record(struct index *index, const struct record *record, struct span line,
                        struct journal_place place)
{
    int64_t at = record->numbers[RECORD_AT];
    struct why why;

    if (!add_record(index, record, line, &why)) {
        if (why.text[0] == '\0') {
            why_set(&why, "out of memory");
        }
        index->trouble = why;
        return false;
    }
    pass_line(index, place, line.len, at < 0 ? 0 : at);
    return true;
}

static bool take_line(struct index *index, struct span line, struct journal_place place)
{
    struct record record;
    enum err err = ERR_NONE;

    buf_clear(&index->text);
    err = record_read_line(index->scan, line, &index->text, &record);
    if (err == ERR_NONE) {
        return take_record(index, &record, line, place);
    }
    if (err != ERR_FORMAT) {
        why_set(&index->trouble, "out of memory");
        return false;
    }
    index->read.broken++;
    index->broken_at = place;
    pass_line(index, place, line.len, -1);
    return true;
}

/* ---- batches ---- */

static void drop_pending(struct index *index)
{
    struct index_pending *pending = &index->pending;

    while (pending->first != NULL) {
        struct index_rollup *rollup = pending->first;

        pending->first = rollup->next;
        map_remove(&pending->map, &rollup->entry);
        mem_give(rollup, sizeof *rollup);
    }
    pending->chunks_count = 0;
    pending->lines = 0;
}

void index_rewind(struct index *index)
{
    if (index->db != NULL) {
        index_db_rollback(index->db);
    }
    drop_pending(index);
    index_names_rewind(index);
    index->read = index->state;
    journal_reader_seek(index->reader, index->state.cursor);
    index->is_ahead = false;
}

/* Once in a quarter of an hour a slice of what is too old is deleted. */
static bool tidy(struct index *index, struct why *why)
{
    struct segments segments = {.list = NULL};
    uint32_t quarter = 0;
    uint64_t first = 0;

    if (index->loop == NULL) {
        return true;
    }
    quarter = (uint32_t)(loop_wall(index->loop) / QUARTER_MS);
    if (quarter == index->tidied || quarter < INDEX_ROLLUP_DAYS * DAY_QUARTERS) {
        return true;
    }
    index->tidied = quarter;
    if (segments_list(index->journal, &segments, why) && segments.count > 0) {
        first = segments.list[0].number;
    }
    segments_fini(&segments);
    return index_db_tidy(index->db, quarter - INDEX_ROLLUP_DAYS * DAY_QUARTERS,
                         quarter - INDEX_UNIT_DAYS * DAY_QUARTERS, first, why);
}

static bool put_names(struct index *index, struct why *why)
{
    for (size_t i = index->names.saved; i < index->names.count; i++) {
        struct index_name *name = index->names.list[i];

        if (!index_db_put_name(index->db, name->id, span_make(name->text, name->len), why)) {
            return false;
        }
    }
    return true;
}

static bool put_batch(struct index *index, struct why *why)
{
    struct index_pending *pending = &index->pending;

    /* The cursor first: where it is not as it was read, nothing else may be believed either. */
    if (!index_db_begin(index->db, why) ||
        !index_db_put_state(index->db, index->state.cursor, &index->read, why) ||
        !put_names(index, why)) {
        return false;
    }
    for (struct index_rollup *rollup = pending->first; rollup != NULL; rollup = rollup->next) {
        if (!index_db_add(index->db, &rollup->key, &rollup->sums, why)) {
            return false;
        }
    }
    for (size_t i = 0; i < pending->chunks_count; i++) {
        if (!index_db_put_chunk(index->db, &pending->chunks[i], why)) {
            return false;
        }
    }
    return tidy(index, why) && index_db_commit(index->db, why);
}

static void wait_to_retry(struct index *index)
{
    if (index->loop != NULL) {
        index->retry_at = mono_add(now_of(index), INDEX_DELAY_MS);
        loop_timer_set(&index->timer, index->retry_at);
    }
}

/* Nothing of the batch is in the file: it is read again a little later. */
static void give_up(struct index *index)
{
    struct why why;

    wait_to_retry(index);
    index_rewind(index);
    if (index->db != NULL && (index_db_is_broken(index->db) || index_db_is_outdated(index->db))) {
        index->is_damaged = index_db_is_broken(index->db);
        index_db_close(index->db);
        index->db = NULL;
    }
    if (index->db == NULL && index_reopen(index, &why) == ERR_NONE && why.text[0] != '\0') {
        index->trouble = why;
    }
}

bool index_commit(struct index *index, struct why *why)
{
    if (index->pending.lines == 0) {
        return true;
    }
    if (!put_batch(index, why)) {
        give_up(index);
        return false;
    }
    drop_pending(index);
    index->names.saved = index->names.count;
    index->state = index->read;
    return true;
}

static bool is_due(const struct index *index)
{
    const struct index_pending *pending = &index->pending;

    return pending->lines >= INDEX_BATCH || pending->chunks_count == INDEX_CHUNKS_MAX ||
           pending->map.count + 2 >= INDEX_ROLLUPS_MAX ||
           (pending->lines > 0 && index->loop != NULL &&
            now_of(index) >= mono_add(pending->since, INDEX_DELAY_MS));
}

/* Up to LINES_PER_STEP lines. False: there are no more now. */
static bool read_lines(struct index *index, struct journal_place end)
{
    struct journal_place at;
    struct journal_place next;
    struct span line;
    struct why why = {.text = ""};

    if (index->is_ahead && journal_place_compare(index->read.cursor, end) < 0) {
        journal_reader_seek(index->reader, index->read.cursor);
        index->is_ahead = false;
    }
    for (size_t i = 0; i < LINES_PER_STEP && !is_due(index); i++) {
        if (journal_place_compare(index->read.cursor, end) >= 0 ||
            !journal_reader_next(index->reader, &line, &at, &next, &why)) {
            if (why.text[0] != '\0') {
                index->trouble = why;
            }
            return false;
        }
        if (!take_line(index, line, at)) {
            give_up(index);
            return false;
        }
    }
    return true;
}

/* Whether the file is open; opens it, or a new one where an answer has found it to be damaged. */
static bool is_usable(struct index *index)
{
    struct why why;
    enum err err = ERR_NONE;

    if (index->db != NULL && index_db_is_broken(index->db)) {
        give_up(index);
    }
    if (index->db != NULL) {
        return true;
    }
    err = index_reopen(index, &why);
    if (err != ERR_NONE || why.text[0] != '\0') {
        index->trouble = why;
    }
    if (err != ERR_NONE) {
        wait_to_retry(index);
    }
    return err == ERR_NONE;
}

bool index_step(struct index *index, struct journal_place end)
{
    bool has_more = false;

    index->end = end;
    if (index->loop != NULL && now_of(index) < index->retry_at) {
        return false;
    }
    if (index->db == NULL && journal_place_compare(end, (struct journal_place){0, 0}) == 0) {
        return false; /* no line was ever written: SQLite's megabyte can wait for the first one */
    }
    if (!is_usable(index)) {
        return false;
    }
    has_more = read_lines(index, end);
    if (index->pending.lines == 0) {
        return has_more;
    }
    if (is_due(index) || (!has_more && index->loop == NULL)) {
        return index_commit(index, &index->trouble) && has_more;
    }
    if (index->loop != NULL) {
        loop_timer_set(&index->timer, mono_add(index->pending.since, INDEX_DELAY_MS));
    }
    return has_more;
}

bool index_take(struct index *index, const struct follower_news *news)
{
    bool is_next = journal_place_compare(index->read.cursor, news->before) == 0;

    if (!is_next || index->db == NULL || index_db_is_broken(index->db) ||
        (index->loop != NULL && now_of(index) < index->retry_at)) {
        return false;
    }
    if (is_due(index) && !index_commit(index, &index->trouble)) {
        return false;
    }
    if (!take_record(index, news->record, news->line, news->at)) {
        give_up(index);
        return false;
    }
    index->is_ahead = true;
    return true;
}

/* ---- the follower's face ---- */

static void take(void *to, const struct follower_news *news)
{
    (void)index_take(to, news);
}

static bool step(void *to, struct journal_place end)
{
    return index_step(to, end);
}

static struct journal_place cursor(const void *to)
{
    const struct index *index = to;

    return index->state.cursor;
}

static void finish(void *to, uint32_t ms)
{
    struct index *index = to;

    (void)ms;
    (void)index_commit(index, &index->trouble);
}

static void free_index(void *to)
{
    index_free(to);
}

static bool trouble(void *to, struct why *why)
{
    return index_trouble(to, why);
}

struct follower index_follower(struct index *index)
{
    static const struct follower_ops ops = {.take = take,
                                            .step = step,
                                            .cursor = cursor,
                                            .finish = finish,
                                            .free = free_index,
                                            .trouble = trouble};

    return (struct follower){.name = "index", .ops = &ops, .to = index};
}
