/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/index.h: the index of the journal, `usage.sqlite` in the state folder: a follower that adds up
 * records by the quarter of an hour and answers questions about usage. Sums and cursor are committed
 * together, so each line counts once, whatever happens. It can be deleted: what the journal still has
 * is read again. One thread uses an index. */
#ifndef PROXY_INDEX_H
#define PROXY_INDEX_H

#include "proxy/follower.h"
#include "usage/query.h"

struct index;
struct loop;

struct index_options {
    struct span folder;  /* the state folder */
    struct span journal; /* the folder of its segments */
    struct loop *loop;   /* clock and timer of the store thread; NULL: what is read is committed at once */
    uint64_t seed[2];    /* chance, for its tables of names */
    bool is_read_only;   /* only asked, beside a headgate that follows */
};

enum {
    INDEX_BATCH = 4000,      /* records that are committed together at most */
    INDEX_DELAY_MS = 1000,   /* and how long they wait at most */
    INDEX_OPEN_MS = 50,      /* after the start, with a loop */
    INDEX_ROLLUP_DAYS = 396, /* 13 months */
    INDEX_UNIT_DAYS = 92,    /* how long units of work are known */
    INDEX_ANSWER_MAX = 64 * 1024 * 1024
};

/* With a loop the file is opened by a later step, so that the process begins sooner; what is wrong with it
 * is then told by index_trouble. Without one: on success `why` says that the old index was set aside
 * (usage.sqlite.aside) and is built again, else it is empty. ERR_MISSING: read-only, and there is none. ERR_FORMAT: of a later version, or read-only
 * and damaged. ERR_SYSTEM, ERR_MEMORY. */
MUST_CHECK enum err index_open(const struct index_options *options, struct index **index,
                               struct why *why);
/* Whether the file is open by now. */
bool index_is_open(const struct index *index);
/* Commits nothing. NULL is allowed. */
void index_free(struct index *index);
/* The follower's face; its `free` frees the index. */
struct follower index_follower(struct index *index);
/* One step of it: true when there is more to do at once. */
bool index_step(struct index *index, struct journal_place end);
/* A record whose line was appended just now, if all lines before it were read: true. What is left out here
 * is read by a later step. */
bool index_take(struct index *index, const struct follower_news *news);
/* Makes known what was read. False: `why` tells; it is tried again later. */
bool index_commit(struct index *index, struct why *why);
/* What went wrong since the last time this was asked; false: nothing. */
bool index_trouble(struct index *index, struct why *why);
/* Where the next line is read. */
struct journal_place index_place(const struct index *index);
/* Lines that were no records and passed over, and the last one's place. */
uint64_t index_broken(const struct index *index, struct journal_place *last);

/* Reads up to `end`, a good tenth of a second at most. False: it has not come there, or cannot. */
bool index_catch_up(struct index *index, struct journal_place end);
/* Whether an app's record of this record_id was reported under this source before. */
bool index_has_reported(struct index *index, struct span source, struct span id);

/* The answer to a question at the end of `out`; zone, `from` and `to` are found here. ERR_FORMAT: `why`
 * names the parameter and the way out. ERR_MISSING: no unit of this id. ERR_CEILING: too much of an
 * answer. Takes up to half a second (`calls` with a rare filter). */
MUST_CHECK enum err usage_answer(struct index *index, struct query *query, wall_ms now,
                                 struct buf *out, struct why *why);

#endif
