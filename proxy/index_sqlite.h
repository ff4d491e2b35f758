/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/index_sqlite.h: what the two halves of the tables share. Seen by index_sqlite*.c only. */
#ifndef PROXY_INDEX_SQLITE_H
#define PROXY_INDEX_SQLITE_H

#include <sqlite3.h>

#include "proxy/index_db.h"

enum {
    INDEX_VERSION = 1,
    INDEX_RANGE_SIZE = 5, /* which rollup, and the quarter */
    INDEX_KEY_SIZE = INDEX_RANGE_SIZE + 3 * DIMENSIONS
};

enum index_statement {
    INDEX_BEGIN,
    INDEX_COMMIT,
    INDEX_ROLLBACK,
    INDEX_PUT_NAME,
    INDEX_ADD,
    INDEX_PUT_UNIT,
    INDEX_PUT_REPORTED,
    INDEX_PUT_CHUNK,
    INDEX_PUT_STATE,
    INDEX_TIDY_ROLLUPS,
    INDEX_TIDY_UNITS,
    INDEX_TIDY_REPORTED,
    INDEX_TIDY_BATCHES,
    INDEX_GET_STATE,
    INDEX_HAS_REPORTED,
    INDEX_GET_NAMES,
    INDEX_GET_ROWS,
    INDEX_GET_UNITS,
    INDEX_GET_CHUNKS,
    INDEX_STATEMENTS
};

struct index_db {
    sqlite3 *base;
    sqlite3_stmt *statements[INDEX_STATEMENTS]; /* made when first needed */
    bool is_open;                               /* a transaction of ours */
    bool is_broken;
    bool is_outdated;
};

void index_db_pack_key(unsigned char bytes[INDEX_KEY_SIZE], const struct index_key *key);
/* Where the keys of a quarter begin. */
void index_db_pack_range(unsigned char bytes[INDEX_RANGE_SIZE], bool is_tagged, uint32_t quarter);
/* NULL with `why`. */
sqlite3_stmt *index_db_statement(struct index_db *db, enum index_statement which, struct why *why);
/* A statement without rows, to its end. */
bool index_db_run(struct index_db *db, sqlite3_stmt *statement, struct why *why);
/* Says what SQLite says; returns false. */
bool index_db_fail(struct index_db *db, struct why *why);

#endif
