/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/index_parts.h: what an index consists of. Seen by index*.c only. */
#ifndef PROXY_INDEX_PARTS_H
#define PROXY_INDEX_PARTS_H

#include "base/map.h"
#include "proxy/index.h"
#include "proxy/index_db.h"
#include "proxy/journal_parts.h"
#include "proxy/loop.h"
#include "wire/json_scan.h"

enum { INDEX_NAMES_MAX = 1 << 20, INDEX_ROLLUPS_MAX = 1 << 16, INDEX_CHUNKS_MAX = 64 };

/* A text that stands in keys by its number. */
struct index_name {
    struct map_entry entry;
    uint32_t id;
    uint32_t len;
    char text[];
};

/* list[id - 1]; those from `saved` on are not in the file yet. */
struct index_names {
    struct map map;
    struct index_name **list;
    size_t count;
    size_t room;
    size_t saved;
};

/* Sums that are not in the file yet. */
struct index_rollup {
    struct map_entry entry;
    struct index_rollup *next;
    struct index_key key;
    struct sums sums;
};

struct index_pending {
    struct map map;
    struct index_rollup *first;
    struct index_chunk chunks[INDEX_CHUNKS_MAX];
    size_t chunks_count;
    size_t lines;
    mono_ms since;
};

struct index {
    char path[JOURNAL_PATH_MAX];
    char journal[JOURNAL_PATH_MAX];
    bool is_read_only;
    bool is_damaged; /* the file, inside: it is set aside when it is opened again */
    struct index_db *db;
    struct journal_reader *reader;
    bool is_ahead; /* records were taken without being read: the reader is behind `read` */
    struct json_scan *scan;
    struct buf text;
    struct index_names names;
    uint32_t last[DIMENSIONS]; /* names of the record before: the next one's are often the same */
    struct index_pending pending;
    struct index_state state;  /* as in the file */
    struct index_state read;   /* with what is pending */
    struct journal_place broken_at;
    struct loop *loop;
    struct loop_timer timer;
    mono_ms retry_at;
    struct journal_place end; /* up to which lines can be read */
    uint32_t tidied; /* the quarter in which it was tidied last */
    struct why trouble;
};

/* The number of a text; 0: it is empty, or not known. */
uint32_t index_name_find(const struct index *index, struct span text);
/* The same, and known from now on. False: no memory. */
bool index_name_add(struct index *index, struct span text, uint32_t *id);
struct span index_name(const struct index *index, uint32_t id);
/* Forgets the names that are not in the file. */
void index_names_rewind(struct index *index);
/* Opens the file again, or a new one when it is damaged or ahead of the journal. */
enum err index_reopen(struct index *index, struct why *why);
/* Forgets what is pending, and goes back to where the file is. */
void index_rewind(struct index *index);

#endif
