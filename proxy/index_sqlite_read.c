/* SPDX-License-Identifier: Apache-2.0 */
/* The index's tables in SQLite: what is read. */
#include "proxy/index_sqlite.h"

static struct span column_span(sqlite3_stmt *statement, int column)
{
    const char *at = (const char *)sqlite3_column_text(statement, column);
    int len = sqlite3_column_bytes(statement, column);

    return at == NULL ? span_make("", 0) : span_make(at, (size_t)len);
}

/* What a row leads to: true to go on. */
typedef bool row_fn(sqlite3_stmt *statement, void *to);

static bool each(struct index_db *db, sqlite3_stmt *statement, row_fn *row, void *to)
{
    int code = SQLITE_ROW;
    bool goes_on = true;

    while (goes_on && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        goes_on = row(statement, to);
    }
    (void)db;
    return goes_on && code == SQLITE_DONE;
}

/* The end of reading: `why` is empty when a visitor stopped it. */
static bool finish(struct index_db *db, sqlite3_stmt *statement, bool is_whole, struct why *why)
{
    int code = sqlite3_reset(statement);

    why->text[0] = '\0';
    if (code != SQLITE_OK) {
        return index_db_fail(db, why);
    }
    return is_whole;
}

bool index_db_state(struct index_db *db, struct index_state *state, struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, INDEX_GET_STATE, why);
    bool is_there = false;

    if (statement == NULL) {
        return false;
    }
    is_there = sqlite3_step(statement) == SQLITE_ROW;
    if (is_there) {
        state->cursor.segment = (uint64_t)sqlite3_column_int64(statement, 0);
        state->cursor.offset = (uint64_t)sqlite3_column_int64(statement, 1);
        state->broken = (uint64_t)sqlite3_column_int64(statement, 2);
        state->repeated = (uint64_t)sqlite3_column_int64(statement, 3);
    }
    return finish(db, statement, is_there, why);
}

bool index_db_has_reported(struct index_db *db, uint32_t source, struct span id)
{
    struct why why;
    sqlite3_stmt *statement = index_db_statement(db, INDEX_HAS_REPORTED, &why);
    bool is_there = false;

    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, source);
    (void)sqlite3_bind_text(statement, 2, id.len > 0 ? id.at : "", (int)id.len, SQLITE_STATIC);
    is_there = sqlite3_step(statement) == SQLITE_ROW;
    return finish(db, statement, is_there, &why);
}

struct names_visit {
    bool (*visit)(void *to, uint32_t id, struct span text);
    void *to;
};

static bool names_row(sqlite3_stmt *statement, void *to)
{
    const struct names_visit *visit = to;

    return visit->visit(visit->to, (uint32_t)sqlite3_column_int64(statement, 0),
                        column_span(statement, 1));
}

bool index_db_names(struct index_db *db, bool (*visit)(void *to, uint32_t id, struct span text),
                    void *to, struct why *why)
{
    struct names_visit names = {.visit = visit, .to = to};
    sqlite3_stmt *statement = index_db_statement(db, INDEX_GET_NAMES, why);

    return statement != NULL && finish(db, statement, each(db, statement, names_row, &names), why);
}

static bool unpack_key(struct span bytes, struct index_key *key)
{
    const unsigned char *at = (const unsigned char *)bytes.at + 1;

    if (bytes.len != INDEX_KEY_SIZE) {
        return false;
    }
    key->quarter = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    at += 4;
    for (size_t i = 0; i < DIMENSIONS; i++, at += 3) {
        key->names[i] = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
    }
    return true;
}

static struct span column_blob(sqlite3_stmt *statement, int column)
{
    const char *at = sqlite3_column_blob(statement, column);
    int len = sqlite3_column_bytes(statement, column);

    return span_make(at, at == NULL ? 0 : (size_t)len);
}

static bool rollup_row(sqlite3_stmt *statement, void *to)
{
    const struct index_rows *rows = to;
    struct index_key key;
    struct sums sums;

    if (!unpack_key(column_blob(statement, 0), &key)) {
        return false;
    }
    if (!rows->wants(rows->to_whom, &key) || rows->visit == NULL) {
        return true;
    }
    return sums_unpack(column_blob(statement, 1), &sums) && rows->visit(rows->to_whom, &key, &sums);
}

bool index_db_rows(struct index_db *db, const struct index_rows *rows, struct why *why)
{
    struct index_rows copy = *rows;
    sqlite3_stmt *statement = index_db_statement(db, INDEX_GET_ROWS, why);
    unsigned char from[INDEX_RANGE_SIZE];
    unsigned char end[INDEX_RANGE_SIZE];

    if (statement == NULL) {
        return false;
    }
    index_db_pack_range(from, rows->is_tagged, rows->from);
    index_db_pack_range(end, rows->is_tagged, rows->to);
    (void)sqlite3_bind_blob(statement, 1, from, INDEX_RANGE_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob(statement, 2, end, INDEX_RANGE_SIZE, SQLITE_STATIC);
    return finish(db, statement, each(db, statement, rollup_row, &copy), why);
}

struct units_visit {
    bool (*visit)(void *to, struct span line);
    void *to;
};

static bool units_row(sqlite3_stmt *statement, void *to)
{
    const struct units_visit *visit = to;

    return visit->visit(visit->to, column_span(statement, 0));
}

bool index_db_units(struct index_db *db, struct span trace,
                    bool (*visit)(void *to, struct span line), void *to, struct why *why)
{
    struct units_visit units = {.visit = visit, .to = to};
    sqlite3_stmt *statement = index_db_statement(db, INDEX_GET_UNITS, why);

    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_text(statement, 1, trace.len > 0 ? trace.at : "", (int)trace.len,
                            SQLITE_STATIC);
    return finish(db, statement, each(db, statement, units_row, &units), why);
}

struct chunks_visit {
    bool (*visit)(void *to, const struct index_chunk *chunk);
    void *to;
};

static bool chunks_row(sqlite3_stmt *statement, void *to)
{
    const struct chunks_visit *visit = to;
    struct index_chunk chunk = {.segment = (uint64_t)sqlite3_column_int64(statement, 0),
                                .number = (uint64_t)sqlite3_column_int64(statement, 1),
                                .begin = (uint64_t)sqlite3_column_int64(statement, 2),
                                .end = (uint64_t)sqlite3_column_int64(statement, 3),
                                .first_at = sqlite3_column_int64(statement, 4),
                                .last_at = sqlite3_column_int64(statement, 5)};

    return visit->visit(visit->to, &chunk);
}

static int64_t bounded(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

bool index_db_chunks(struct index_db *db, struct journal_place place,
                     bool (*visit)(void *to, const struct index_chunk *chunk), void *to,
                     struct why *why)
{
    struct chunks_visit chunks = {.visit = visit, .to = to};
    sqlite3_stmt *statement = index_db_statement(db, INDEX_GET_CHUNKS, why);

    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, bounded(place.segment));
    (void)sqlite3_bind_int64(statement, 2, bounded(place.offset));
    return finish(db, statement, each(db, statement, chunks_row, &chunks), why);
}
