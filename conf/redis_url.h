/* SPDX-License-Identifier: Apache-2.0 */
/* conf/redis_url.h: redis://[[user]:password@]host[:port][/database]. Strict: what is not
 * understood is refused, because a URL that is read otherwise sends records elsewhere. */
#ifndef CONF_REDIS_URL_H
#define CONF_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

struct redis_url {
    struct span host;     /* without brackets */
    uint16_t port;        /* 6379 when none is written */
    uint32_t database;
    struct span user;     /* empty: the default user */
    struct span password; /* decoded; empty: none. A secret */
};

/* Texts borrow from `text` or stand in the arena (decoded ones). ERR_FORMAT: `why` holds words that
 * follow the key's name. ERR_MEMORY. */
MUST_CHECK enum err redis_url_read(struct span text, struct arena *arena, struct redis_url *url,
                                   struct why *why);

struct reader;
struct node;

/* A node's value; it is never shown where it may hold a password. False after a complaint. */
bool redis_url_take(struct reader *reader, const struct node *node, struct redis_url *url);

#endif
