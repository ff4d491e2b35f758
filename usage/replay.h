/* SPDX-License-Identifier: Apache-2.0 */
/* usage/replay.h: what the in-flight table and the journal mean after a crash (budgets.md, 10.3).
 *
 *   FINISHED, in the journal      nothing to do
 *   FINISHED, not there           its record goes into the journal
 *   OPEN, finished as well        nothing to do
 *   OPEN                          a record of the crash, with what was seen until then
 *
 * Pure: the shell reads the files. */
#ifndef USAGE_REPLAY_H
#define USAGE_REPLAY_H

#include "usage/inflight.h"

/* Ids of records, to be asked for. Grows with them; owned by the replay. */
struct replay;
/* NULL without memory. */
struct replay *replay_new(uint64_t seed);
void replay_free(struct replay *replay);

/* A record that the journal holds. False: no memory. */
MUST_CHECK bool replay_saw(struct replay *replay, struct span record_id);
/* When the oldest record in the table began, ms since 1970; -1: the table is empty. Lines of the
 * journal that were written before need not be looked at. */
int64_t replay_oldest(const struct inflight *table, struct buf *text);

struct replay_ears {
    void *to;
    /* A record for the journal. is_crash: of an attempt that was open; its charge is still to be
     * decided. `record` lives until the function returns. False: stop. */
    bool (*on_record)(void *to, struct record *record, bool is_crash);
};
struct replay_sum {
    uint32_t finished; /* told */
    uint32_t crashed;  /* told */
    uint32_t damaged;  /* slots that cannot be read: after a power cut */
};
/* Tells what is missing, once each. Everything in the table is of no use afterwards. False: stopped or
 * out of memory. */
MUST_CHECK bool replay_tell(struct replay *replay, const struct inflight *table, struct buf *text,
                            const struct replay_ears *ears, struct replay_sum *sum);

#endif
