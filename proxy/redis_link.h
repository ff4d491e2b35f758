/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/redis_link.h: one connection to a Redis server on a loop: dialed by name without waiting,
 * AUTH and SELECT done, then commands out in one go and their replies in order. hiredis reads the
 * replies and knows no socket. Who owns it decides when to come back. */
#ifndef PROXY_REDIS_LINK_H
#define PROXY_REDIS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "conf/redis_url.h"
#include "proxy/fetcher.h"
#include "proxy/loop.h"

struct redis_link;
struct redisReply;

/* Called from the loop, never from inside of a function of this header. */
struct redis_link_ears {
    void *to;
    void (*on_ready)(void *to);
    /* May close the link, or put more. */
    void (*on_reply)(void *to, const struct redisReply *reply);
    /* It is closed: refused, timed out, broken or ended by the server. */
    void (*on_down)(void *to, const struct why *why);
};

/* NULL: no memory. The url outlives it. */
struct redis_link *redis_link_new(struct loop *loop, struct fetcher *fetcher,
                                  const struct redis_url *url, const struct redis_link_ears *ears);
void redis_link_free(struct redis_link *redis);
/* Of a sentinel, which has no databases: neither AUTH nor SELECT. */
void redis_link_be_bare(struct redis_link *redis);

/* On a closed one: on_ready or on_down follows. */
void redis_link_open(struct redis_link *redis);
/* Drops the connection and what was not answered; nobody is told. */
void redis_link_close(struct redis_link *redis);

/* When ready: one command; `count` texts follow as redis_link_put_text. */
void redis_link_begin(struct redis_link *redis, size_t count);
void redis_link_put(struct redis_link *redis, struct span text);
/* Sends what was put. All replies that are due must be here within `ms`, or it is down. */
void redis_link_send(struct redis_link *redis, uint32_t ms);

/* The text of an error reply or a status; empty for other kinds. */
struct span redis_reply_text(const struct redisReply *reply);
bool redis_reply_is_error(const struct redisReply *reply);
bool redis_reply_is_nil(const struct redisReply *reply);
/* Of a bulk string; at == NULL for other kinds. */
struct span redis_reply_bytes(const struct redisReply *reply);
/* Of an integer; false for other kinds. */
bool redis_reply_number(const struct redisReply *reply, int64_t *number);
/* Of an array; 0 for other kinds. */
size_t redis_reply_count(const struct redisReply *reply);
const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t i);

#endif
