/* SPDX-License-Identifier: Apache-2.0 */
/* The index's tables in SQLite: opening, and what is written. One thread uses it. */
#include "proxy/index_sqlite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { BUSY_MS = 2000 };

/* ---- statements ---- */

/* Keys are bytes that compare as they should: which rollup, quarter, names. */
void index_db_pack_range(unsigned char bytes[INDEX_RANGE_SIZE], bool is_tagged, uint32_t quarter)
{
    bytes[0] = is_tagged;
    for (size_t i = 0; i < 4; i++) {
        bytes[1 + i] = (unsigned char)(quarter >> (24 - 8 * i));
    }
}

void index_db_pack_key(unsigned char bytes[INDEX_KEY_SIZE], const struct index_key *key)
{
    size_t at = 0;

    index_db_pack_range(bytes, key->names[DIMENSION_TAG] != 0, key->quarter);
    at = INDEX_RANGE_SIZE;
    for (size_t i = 0; i < DIMENSIONS; i++) {
        bytes[at++] = (unsigned char)(key->names[i] >> 16);
        bytes[at++] = (unsigned char)(key->names[i] >> 8);
        bytes[at++] = (unsigned char)key->names[i];
    }
}

static struct span blob_of(sqlite3_value *value)
{
    const char *at = sqlite3_value_blob(value);
    int len = sqlite3_value_bytes(value);

    return span_make(at, at == NULL ? 0 : (size_t)len);
}

static void add_sums(sqlite3_context *context, struct span old, struct span more)
{
    unsigned char bytes[SUMS_PACKED_MAX];
    struct sums sums;
    struct sums added;

    if (!sums_unpack(old, &sums) || !sums_unpack(more, &added)) {
        sqlite3_result_error_code(context, SQLITE_CORRUPT);
        return;
    }
    sums_add(&sums, &added);
    sqlite3_result_blob(context, bytes, (int)sums_pack(bytes, &sums), SQLITE_TRANSIENT);
}

/* add_sums(old, more) of SQL. */
static void add_sums_cb(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    add_sums(context, blob_of(values[0]), blob_of(values[1]));
}

#define SCHEMA                                                                                     \
    "CREATE TABLE names(id INTEGER PRIMARY KEY,text TEXT NOT NULL);"                               \
    "CREATE TABLE rollups(\"key\" BLOB PRIMARY KEY,sums BLOB NOT NULL)WITHOUT ROWID;"              \
    "CREATE TABLE units(id INTEGER PRIMARY KEY,trace TEXT NOT NULL,quarter INTEGER NOT NULL,"      \
    "line TEXT NOT NULL);"                                                                         \
    "CREATE INDEX units_trace ON units(trace,id);"                                                 \
    "CREATE TABLE reported(source INTEGER NOT NULL,id TEXT NOT NULL,quarter INTEGER NOT NULL,"     \
    "PRIMARY KEY(source,id))WITHOUT ROWID;"                                                        \
    "CREATE TABLE batches(segment INTEGER NOT NULL,number INTEGER NOT NULL,"                       \
    "\"begin\" INTEGER NOT NULL,\"end\" INTEGER NOT NULL,first_at INTEGER NOT NULL,"               \
    "last_at INTEGER NOT NULL,PRIMARY KEY(segment,number))WITHOUT ROWID;"                          \
    "CREATE TABLE state(id INTEGER PRIMARY KEY,segment INTEGER NOT NULL,"                          \
    "\"offset\" INTEGER NOT NULL,broken INTEGER NOT NULL,repeated INTEGER NOT NULL);"              \
    "INSERT INTO state VALUES(1,0,0,0,0);"

static const char *const texts[INDEX_STATEMENTS] = {
    [INDEX_BEGIN] = "BEGIN IMMEDIATE",
    [INDEX_COMMIT] = "COMMIT",
    [INDEX_ROLLBACK] = "ROLLBACK",
    [INDEX_PUT_NAME] = "INSERT INTO names VALUES(?,?)",
    [INDEX_ADD] = "INSERT INTO rollups VALUES(?,?)ON CONFLICT DO UPDATE SET "
                  "sums=add_sums(sums,excluded.sums)",
    [INDEX_PUT_UNIT] = "INSERT INTO units(trace,quarter,line)VALUES(?,?,?)",
    [INDEX_PUT_REPORTED] = "INSERT OR IGNORE INTO reported VALUES(?,?,?)",
    [INDEX_PUT_CHUNK] =
        "INSERT INTO batches VALUES(?,?,?,?,?,?)ON CONFLICT DO UPDATE SET \"end\"=excluded.\"end\","
        "first_at=min(first_at,excluded.first_at),last_at=max(last_at,excluded.last_at)",
    [INDEX_PUT_STATE] = "UPDATE state SET segment=?,\"offset\"=?,broken=?,repeated=? "
                        "WHERE segment=? AND \"offset\"=?",
    [INDEX_TIDY_ROLLUPS] = "DELETE FROM rollups WHERE \"key\" IN(SELECT \"key\" FROM rollups "
                           "WHERE \"key\">=? AND \"key\"<? LIMIT 1000)",
    [INDEX_TIDY_UNITS] =
        "DELETE FROM units WHERE quarter<? AND id IN(SELECT id FROM units ORDER BY "
        "id LIMIT 1000)",
    [INDEX_TIDY_REPORTED] = "DELETE FROM reported WHERE quarter<?",
    [INDEX_TIDY_BATCHES] = "DELETE FROM batches WHERE segment<?",
    [INDEX_GET_STATE] = "SELECT segment,\"offset\",broken,repeated FROM state",
    [INDEX_HAS_REPORTED] = "SELECT 1 FROM reported WHERE source=? AND id=?",
    [INDEX_GET_NAMES] = "SELECT id,text FROM names ORDER BY id",
    [INDEX_GET_ROWS] = "SELECT \"key\",sums FROM rollups WHERE \"key\">=? AND \"key\"<?",
    [INDEX_GET_UNITS] = "SELECT line FROM units WHERE trace=? ORDER BY id",
    [INDEX_GET_CHUNKS] =
        "SELECT segment,number,\"begin\",\"end\",first_at,last_at FROM batches "
        "WHERE segment<?1 OR (segment=?1 AND \"begin\"<?2) ORDER BY segment DESC,number DESC",
};

bool index_db_fail(struct index_db *db, struct why *why)
{
    int code = sqlite3_errcode(db->base);

    db->is_broken =
        db->is_broken || code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_MISMATCH;
    why_set(why, "usage.sqlite: %s", sqlite3_errmsg(db->base));
    return false;
}

sqlite3_stmt *index_db_statement(struct index_db *db, enum index_statement which, struct why *why)
{
    if (db->statements[which] != NULL) {
        return db->statements[which];
    }
    if (sqlite3_prepare_v3(db->base, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                           &db->statements[which], NULL) != SQLITE_OK) {
        (void)index_db_fail(db, why);
        return NULL;
    }
    return db->statements[which];
}

bool index_db_run(struct index_db *db, sqlite3_stmt *statement, struct why *why)
{
    bool is_good = sqlite3_step(statement) == SQLITE_DONE;

    if (!is_good) {
        (void)index_db_fail(db, why);
    }
    (void)sqlite3_reset(statement);
    return is_good;
}

/* ---- opening ---- */

static bool execute(struct index_db *db, const char *sql, struct why *why)
{
    return sqlite3_exec(db->base, sql, NULL, NULL, NULL) == SQLITE_OK || index_db_fail(db, why);
}

static bool read_version(struct index_db *db, int *version, int *tables, struct why *why)
{
    sqlite3_stmt *statement = NULL;
    bool is_good =
        sqlite3_prepare_v2(db->base,
                           "SELECT user_version,(SELECT count(*) FROM sqlite_schema) FROM "
                           "pragma_user_version",
                           -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW;

    if (is_good) {
        *version = sqlite3_column_int(statement, 0);
        *tables = sqlite3_column_int(statement, 1);
    } else {
        (void)index_db_fail(db, why);
    }
    (void)sqlite3_finalize(statement);
    return is_good;
}

static bool make_tables(struct index_db *db, struct why *why)
{
    _Static_assert(INDEX_VERSION == 1, "the version stands in the text below");
    return execute(db, "BEGIN IMMEDIATE;" SCHEMA "PRAGMA user_version=1;COMMIT;", why);
}

static enum index_trouble prepare(struct index_db *db, bool is_read_only, struct why *why)
{
    int version = 0;
    int tables = 0;

    (void)sqlite3_busy_timeout(db->base, BUSY_MS);
    if (!is_read_only && !execute(db,
                                  "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
                                  "PRAGMA temp_store=MEMORY;PRAGMA wal_autocheckpoint=2000;",
                                  why)) {
        return db->is_broken ? INDEX_BROKEN : INDEX_FAILED;
    }
    if (!read_version(db, &version, &tables, why)) {
        return db->is_broken ? INDEX_BROKEN : INDEX_FAILED;
    }
    if (version > INDEX_VERSION) {
        why_set(why, "usage.sqlite was written by a later headgate (version %d, this one knows %d)",
                version, INDEX_VERSION);
        return INDEX_NEWER;
    }
    if (tables == 0 && !is_read_only) {
        return make_tables(db, why) ? INDEX_FINE : INDEX_FAILED;
    }
    if (version < INDEX_VERSION) {
        why_set(why, "usage.sqlite is of version %d, this headgate's is %d", version,
                INDEX_VERSION);
        return INDEX_BROKEN;
    }
    return INDEX_FINE;
}

/* Records name users and tags: for their owner alone. SQLite gives the files beside it the same
 * rights. */
static void make_file(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (file >= 0) {
        (void)close(file);
    }
}

enum index_trouble index_db_open(const char *path, bool is_read_only, struct index_db **made,
                                 struct why *why)
{
    struct index_db *db = mem_take_zero(sizeof *db);
    int flags = SQLITE_OPEN_NOMUTEX |
                (is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    enum index_trouble trouble = INDEX_FAILED;

    if (db == NULL) {
        why_set(why, "out of memory");
        return INDEX_FAILED;
    }
    if (!is_read_only) {
        make_file(path);
    }
    if (sqlite3_open_v2(path, &db->base, flags, NULL) == SQLITE_OK &&
        sqlite3_create_function_v2(db->base, "add_sums", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                   NULL, add_sums_cb, NULL, NULL, NULL) == SQLITE_OK) {
        trouble = prepare(db, is_read_only, why);
    } else if (db->base != NULL) {
        (void)index_db_fail(db, why);
        trouble = db->is_broken ? INDEX_BROKEN : INDEX_FAILED;
    }
    if (trouble != INDEX_FINE) {
        index_db_close(db);
        return trouble;
    }
    *made = db;
    return INDEX_FINE;
}

void index_db_close(struct index_db *db)
{
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < INDEX_STATEMENTS; i++) {
        (void)sqlite3_finalize(db->statements[i]);
    }
    (void)sqlite3_close(db->base);
    mem_give(db, sizeof *db);
}

void index_db_patience(struct index_db *db, int ms)
{
    (void)sqlite3_busy_timeout(db->base, ms);
}

bool index_db_is_broken(const struct index_db *db)
{
    return db->is_broken;
}

bool index_db_is_outdated(const struct index_db *db)
{
    return db->is_outdated;
}

/* ---- writing ---- */

static bool run(struct index_db *db, enum index_statement which, struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, which, why);

    return statement != NULL && index_db_run(db, statement, why);
}

bool index_db_begin(struct index_db *db, struct why *why)
{
    db->is_open = db->is_open || run(db, INDEX_BEGIN, why);
    return db->is_open;
}

bool index_db_commit(struct index_db *db, struct why *why)
{
    if (db->is_open && !run(db, INDEX_COMMIT, why)) {
        return false;
    }
    db->is_open = false;
    return true;
}

void index_db_rollback(struct index_db *db)
{
    struct why why;

    /* A failure may have rolled it back already. */
    if (db->is_open && sqlite3_get_autocommit(db->base) == 0) {
        (void)run(db, INDEX_ROLLBACK, &why);
    }
    db->is_open = false;
}

static void bind_span(sqlite3_stmt *statement, int at, struct span text)
{
    (void)sqlite3_bind_text(statement, at, text.len > 0 ? text.at : "", (int)text.len,
                            SQLITE_STATIC);
}

bool index_db_put_name(struct index_db *db, uint32_t id, struct span text, struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, INDEX_PUT_NAME, why);

    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, id);
    bind_span(statement, 2, text);
    return index_db_run(db, statement, why);
}

bool index_db_add(struct index_db *db, const struct index_key *key, const struct sums *sums,
                  struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, INDEX_ADD, why);
    unsigned char bytes[INDEX_KEY_SIZE];
    unsigned char packed[SUMS_PACKED_MAX];

    if (statement == NULL) {
        return false;
    }
    index_db_pack_key(bytes, key);
    (void)sqlite3_bind_blob(statement, 1, bytes, INDEX_KEY_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob(statement, 2, packed, (int)sums_pack(packed, sums), SQLITE_STATIC);
    return index_db_run(db, statement, why);
}

bool index_db_put_unit(struct index_db *db, struct span trace, uint32_t quarter, struct span line,
                       struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, INDEX_PUT_UNIT, why);

    if (statement == NULL) {
        return false;
    }
    bind_span(statement, 1, trace);
    (void)sqlite3_bind_int64(statement, 2, quarter);
    bind_span(statement, 3, line);
    return index_db_run(db, statement, why);
}

bool index_db_put_reported(struct index_db *db, uint32_t source, struct span id, uint32_t quarter,
                           bool *is_new, struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, INDEX_PUT_REPORTED, why);

    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, source);
    bind_span(statement, 2, id);
    (void)sqlite3_bind_int64(statement, 3, quarter);
    if (!index_db_run(db, statement, why)) {
        return false;
    }
    *is_new = sqlite3_changes(db->base) > 0;
    return true;
}

bool index_db_put_chunk(struct index_db *db, const struct index_chunk *chunk, struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, INDEX_PUT_CHUNK, why);

    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)chunk->segment);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)chunk->number);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)chunk->begin);
    (void)sqlite3_bind_int64(statement, 4, (int64_t)chunk->end);
    (void)sqlite3_bind_int64(statement, 5, chunk->first_at);
    (void)sqlite3_bind_int64(statement, 6, chunk->last_at);
    return index_db_run(db, statement, why);
}

bool index_db_put_state(struct index_db *db, struct journal_place expected,
                        const struct index_state *state, struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, INDEX_PUT_STATE, why);

    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)state->cursor.segment);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)state->cursor.offset);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)state->broken);
    (void)sqlite3_bind_int64(statement, 4, (int64_t)state->repeated);
    (void)sqlite3_bind_int64(statement, 5, (int64_t)expected.segment);
    (void)sqlite3_bind_int64(statement, 6, (int64_t)expected.offset);
    if (!index_db_run(db, statement, why)) {
        return false;
    }
    db->is_outdated = sqlite3_changes(db->base) == 0;
    if (db->is_outdated) {
        why_set(why, "usage.sqlite: another process follows the journal too");
    }
    return !db->is_outdated;
}

static bool tidy(struct index_db *db, enum index_statement which, int64_t first, struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, which, why);

    if (statement == NULL) {
        return false;
    }
    (void)sqlite3_bind_int64(statement, 1, first);
    return index_db_run(db, statement, why);
}

static bool tidy_rollups(struct index_db *db, bool is_tagged, uint32_t quarter, struct why *why)
{
    sqlite3_stmt *statement = index_db_statement(db, INDEX_TIDY_ROLLUPS, why);
    unsigned char from[INDEX_RANGE_SIZE];
    unsigned char to[INDEX_RANGE_SIZE];

    if (statement == NULL) {
        return false;
    }
    index_db_pack_range(from, is_tagged, 0);
    index_db_pack_range(to, is_tagged, quarter);
    (void)sqlite3_bind_blob(statement, 1, from, INDEX_RANGE_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob(statement, 2, to, INDEX_RANGE_SIZE, SQLITE_STATIC);
    return index_db_run(db, statement, why);
}

bool index_db_tidy(struct index_db *db, uint32_t quarter, uint32_t units_quarter, uint64_t segment,
                   struct why *why)
{
    return tidy_rollups(db, false, quarter, why) && tidy_rollups(db, true, quarter, why) &&
           tidy(db, INDEX_TIDY_UNITS, units_quarter, why) &&
           tidy(db, INDEX_TIDY_REPORTED, quarter, why) &&
           tidy(db, INDEX_TIDY_BATCHES, (int64_t)segment, why);
}
