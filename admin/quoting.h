/* SPDX-License-Identifier: Apache-2.0 */
/* admin/quoting.h: the question what a request would cost (/admin/v1/estimate, `headgate estimate`):
 * read, counted, answered. The counting may take tens of milliseconds and can be done on another
 * thread; nothing else looks at the question meanwhile. Pure. docs/estimate.md is its manual.
 *
 *   quoting_read    body and query -> request, route, targets in order, what is known of each
 *   quoting_count   the tokens of its text, by the vocabularies that are there
 *   quoting_write   JSON or a table */
#ifndef ADMIN_QUOTING_H
#define ADMIN_QUOTING_H

#include "conf/snapshot.h"
#include "router/plan.h"
#include "router/quote.h"

/* What the question is judged by. */
struct quoting_world {
    struct snapshot *snapshot;
    struct fleet *fleet;
    const struct guesses *guesses; /* NULL: nothing was learned */
    struct json_scan *scan;        /* scratch */
    uint64_t seed;
    mono_ms now;
    wall_ms at;
};

/* Bodies above this are not counted: their tokens are those of the ratio. */
enum { QUOTING_COUNT_MAX = 1024 * 1024 };

struct quoting;

/* Takes a reference to the snapshot. NULL without memory. */
struct quoting *quoting_new(struct snapshot *snapshot);
void quoting_free(struct quoting *quoting);

/* `query`: what stands behind the '?'. The refusal says what is wrong with them; it borrows from both, and
 * from the quoting. */
struct refusal quoting_read(struct quoting *quoting, const struct quoting_world *world,
                            struct span query, struct span body);
/* Whether this vocabulary would be used. */
bool quoting_wants(const struct quoting *quoting, enum bpe_family family);
/* With the tables that are there. */
void quoting_count(struct quoting *quoting, struct chat_counter *counter);

bool quoting_wants_table(const struct quoting *quoting);
/* Whether a vocabulary was missing. */
bool quoting_lacks(const struct quoting *quoting);
void quoting_write(const struct quoting *quoting, struct buf *out);

#endif
