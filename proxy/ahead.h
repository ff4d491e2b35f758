/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/ahead.h: sockets that are readable in one turn are read first, one after the other, and only
 * then is passed on what each brought. Kernel and program so work in rows and not in turn, each with its
 * own code in the cache; others are woken less often; and memory that has gone cold comes meanwhile
 * (docs/decisions/0007-calls-used-again.md). Owns the bytes that wait; knows no socket. */
#ifndef PROXY_AHEAD_H
#define PROXY_AHEAD_H

#include <stddef.h>

#include "base/list.h"
#include "proxy/loop.h"

struct ahead;

/* A socket's place. Embedded in its owner. */
struct ahead_place {
    struct link link;
};

struct ahead_ears {
    /* Reads at most `room` bytes to `at`, which lie still until pass. Returns how many. Closes nothing.
     * Not called when there is no room left: then pass has to read. */
    size_t (*read)(struct ahead_place *place, char *at, size_t room);
    /* Passes on what was read; in the turn of the queuing. May take any place out. */
    void (*pass)(struct ahead_place *place);
};

/* NULL without memory. */
struct ahead *ahead_new(struct loop *loop, const struct ahead_ears *ears);
void ahead_free(struct ahead *ahead);

void ahead_place_init(struct ahead_place *place);
/* In this turn; queuing it twice does nothing. */
void ahead_queue(struct ahead *ahead, struct ahead_place *place);
bool ahead_is_queued(const struct ahead_place *place);
/* Nothing will be passed on for it. Safe when it is not queued. */
void ahead_take_out(struct ahead_place *place);

#endif
