/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/ranks.h: the vocabularies that are installed (docs/tokens.md), read when somebody first needs one.
 * Reading takes tens of milliseconds and counting up to fifty for a megabyte, so both are done on the
 * store thread; only what is short is counted on the loop, with the tables that are there by then. */
#ifndef PROXY_RANKS_H
#define PROXY_RANKS_H

#include "admin/quoting.h"
#include "proxy/log.h"
#include "proxy/store.h"

struct ranks;

/* Reads nothing yet. NULL without memory. */
struct ranks *ranks_new(void);
/* When the store thread is gone. */
void ranks_free(struct ranks *ranks);

/* What one thread found, on its way to the other one. */
struct ranks_found {
    const struct bpe *tables[2]; /* by enum bpe_family */
    size_t held[2];              /* bytes of those that were read just now */
    enum err err[2];             /* of those that were looked for; ERR_MISSING: not installed */
    struct why why;              /* of a file that cannot be used */
};

/* On the store thread, or on the only one. A table that is there already is not read again. */
void ranks_load(struct ranks *ranks, enum bpe_family family, struct ranks_found *found);
/* Counts with all tables that the question wants. */
void ranks_quote(struct ranks *ranks, struct quoting *quoting, struct ranks_found *found);

/* On the loop. What is missing or wrong is told once; `log` may be NULL. */
void ranks_heard(struct ranks *ranks, const struct ranks_found *found, struct log *log);

/* Bodies up to this take less than a millisecond. */
enum { RANKS_BODY_MAX = 16 * 1024 };
/* Counts a short request on the loop; `body` is one that json_scan has accepted. False: it cannot be
 * counted, or not yet. */
bool ranks_count(struct ranks *ranks, const char *operation, struct span model, struct span body,
                 struct chat_count *count);
/* Whether any table is there: somebody needed one. */
bool ranks_are_used(const struct ranks *ranks);
/* After a count that had to be given up for want of a table: has it looked for, at most once a minute. */
void ranks_want(struct ranks *ranks, struct store *store, struct log *log, mono_ms now);

#endif
