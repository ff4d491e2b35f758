/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/outbox.h: bytes for apps that leave together at the end of this turn, one send right behind
 * the other, which wakes their readers less often (docs/decisions/0007-calls-used-again.md). The bytes
 * of all lie in one piece of memory that is warm. Owns that memory; knows no socket. */
#ifndef PROXY_OUTBOX_H
#define PROXY_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/span.h"
#include "proxy/loop.h"

struct outbox;

/* What of one sender waits. Embedded in its owner. */
struct outbox_place {
    struct link link;
    size_t at;
    size_t len;
};

void outbox_place_init(struct outbox_place *place);

/* `leave` is told what leaves, place by place, in the order of the first put; it may take and put.
 * NULL without memory. */
struct outbox *outbox_new(struct loop *loop,
                          void (*leave)(struct outbox_place *place, struct span bytes));
void outbox_free(struct outbox *outbox);

/* Copies the pieces behind what waits in this place already. False: there is no room for them now;
 * what waits has to be taken and sent first, then these. */
bool outbox_put(struct outbox *outbox, struct outbox_place *place, const struct span *pieces,
                size_t count);
/* What waits, which then waits no more: the taker sends it or drops it. Valid until the next put. */
struct span outbox_take(struct outbox *outbox, struct outbox_place *place);

#endif
