/* SPDX-License-Identifier: Apache-2.0 */
/* admin/quoting_parts.h: between quoting.c (the question) and quoting_out.c (its answer). */
#ifndef ADMIN_QUOTING_PARTS_H
#define ADMIN_QUOTING_PARTS_H

#include "admin/quoting.h"
#include "wire/translate.h"

/* Why a target of the route would not be asked at all. */
enum quoting_left_out { QUOTING_TAKEN, QUOTING_DISABLED, QUOTING_DIALECT, QUOTING_SHARE, QUOTING_UNTOLD };

/* One target, by its place in the route. */
struct quoting_place {
    enum quoting_left_out left_out;
    struct standing standing;
    struct quote_counts counts;
    struct translation *translation; /* NULL: it is asked in the request's own words */
    const struct operation *operation;
    uint64_t bytes;                  /* of what it is asked */
    struct quote_request request;    /* with a translation: what that comes to */
};

/* What the question says beside the request; empty: not said. Texts live in `texts`. */
struct quoting_words {
    struct span path;
    struct span dialect;
    struct span model;
    struct span task;
    struct span route;
    struct span format;
};

struct quoting {
    struct snapshot *snapshot;
    struct buf texts; /* its room is taken at once: what stands there does not move */
    struct buf body;  /* the request */
    struct quoting_words words;
    struct path_match match;
    struct span model;
    struct quote_request request;
    struct plan plan;
    uint8_t count;              /* of all targets, those left out behind the others */
    uint8_t order[TARGETS_MAX];
    struct quoting_place places[TARGETS_MAX];
    int64_t length;             /* of quote_length */
    mono_ms now;
    wall_ms at;
    bool is_stream;
    bool lacks_table;
    bool is_long;               /* too long to be counted */
};

/* quoting_count.c: tells each target of the plan, where that is to be done. False: no memory. */
bool quoting_tell(struct quoting *quoting, const struct quoting_world *world);

#endif
