/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/index_db.h: the tables of the index (docs/decisions/0017-usage-index.md). The only ones who
 * know SQLite are behind it. Seen by index*.c only. */
#ifndef PROXY_INDEX_DB_H
#define PROXY_INDEX_DB_H

#include "proxy/journal.h"
#include "usage/sums.h"

struct index_db;

/* A row of the rollups. Names stand for texts, 0 for the empty one. */
struct index_key {
    uint32_t quarter;          /* since 1970 */
    uint32_t names[DIMENSIONS]; /* with tags: the row of the second rollup, which has only records with
                                 * tags, by their whole list; without: the row of all records */
};

/* The lines that begin in one MiB of a segment. */
struct index_chunk {
    uint64_t segment;
    uint64_t number; /* offset / INDEX_CHUNK */
    uint64_t begin;  /* offset of its first line */
    uint64_t end;    /* offset behind its last one */
    int64_t first_at; /* earliest and latest begin of a call */
    int64_t last_at;
};
enum { INDEX_CHUNK = 1024 * 1024 };

struct index_state {
    struct journal_place cursor;
    uint64_t broken;   /* lines that were passed over */
    uint64_t repeated; /* reported records that were there already */
};

enum index_trouble {
    INDEX_FINE,
    INDEX_BROKEN, /* no database, a damaged one, or of an older version: to be set aside */
    INDEX_NEWER,  /* of a later version: not ours to touch */
    INDEX_FAILED  /* disk, rights, memory */
};

/* With `why` unless INDEX_FINE. Read-only: the file must be there. */
enum index_trouble index_db_open(const char *path, bool is_read_only, struct index_db **db,
                                 struct why *why);
void index_db_close(struct index_db *db);
/* How long others who write may be waited for. */
void index_db_patience(struct index_db *db, int ms);
/* Whether what failed last says that the file is damaged. */
bool index_db_is_broken(const struct index_db *db);
/* Whether another process has written since it was read. */
bool index_db_is_outdated(const struct index_db *db);

/* All of these: false with `why`. Between begin and commit or rollback; begin twice does nothing. */
bool index_db_begin(struct index_db *db, struct why *why);
bool index_db_commit(struct index_db *db, struct why *why);
void index_db_rollback(struct index_db *db);
bool index_db_put_name(struct index_db *db, uint32_t id, struct span text, struct why *why);
bool index_db_add(struct index_db *db, const struct index_key *key, const struct sums *sums,
                  struct why *why);
bool index_db_put_unit(struct index_db *db, struct span trace, uint32_t quarter, struct span line,
                       struct why *why);
/* *is_new: it was not there. */
bool index_db_put_reported(struct index_db *db, uint32_t source, struct span id, uint32_t quarter,
                           bool *is_new, struct why *why);
bool index_db_put_chunk(struct index_db *db, const struct index_chunk *chunk, struct why *why);
/* expected: the cursor as it was read. Where another process has moved it, nothing is put, and
 * index_db_is_outdated says so. */
bool index_db_put_state(struct index_db *db, struct journal_place expected,
                        const struct index_state *state, struct why *why);
/* Deletes a slice of what is too old; call again some other time. segment: the first there is. */
bool index_db_tidy(struct index_db *db, uint32_t quarter, uint32_t units_quarter, uint64_t segment,
                   struct why *why);

bool index_db_state(struct index_db *db, struct index_state *state, struct why *why);
bool index_db_has_reported(struct index_db *db, uint32_t source, struct span id);
/* Each visitor returns false to stop; false with an empty `why` then. */
bool index_db_names(struct index_db *db, bool (*visit)(void *to, uint32_t id, struct span text),
                    void *to, struct why *why);

struct index_rows {
    bool is_tagged; /* which rollup */
    uint32_t from;  /* quarters; `to` is not part of it */
    uint32_t to;
    bool (*wants)(void *to, const struct index_key *key); /* before the sums are read */
    bool (*visit)(void *to, const struct index_key *key, const struct sums *sums); /* NULL: none */
    void *to_whom;
};
bool index_db_rows(struct index_db *db, const struct index_rows *rows, struct why *why);
bool index_db_units(struct index_db *db, struct span trace,
                    bool (*visit)(void *to, struct span line), void *to, struct why *why);
/* Newest first, those that begin before `place`. */
bool index_db_chunks(struct index_db *db, struct journal_place place,
                     bool (*visit)(void *to, const struct index_chunk *chunk), void *to,
                     struct why *why);

#endif
