/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/redis_server.h: a real Redis on a free port of 127.0.0.1, in a folder of its own;
 * a connection to it that waits, for looking at it from outside; and a wire between it and
 * those who speak with it, which can be cut or silenced. */
#ifndef TESTS_CONTRACT_REDIS_SERVER_H
#define TESTS_CONTRACT_REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_server {
    char folder[64];
    uint16_t port;
    pid_t pid; /* 0: it does not run */
    redisContext *context;
    const char *options[24];
    size_t options_count;
    bool is_sentinel;
};

/* False: this machine has no redis-server. */
bool redis_server_exists(void);
/* `options`: "--name", "value", ..., NULL. Starts it and waits until it answers. */
void redis_server_start(struct redis_server *server, const char *const *options);
/* Again, on its port and in its folder. */
void redis_server_restart(struct redis_server *server);
/* SIGKILL, and waits for its end. */
void redis_server_kill(struct redis_server *server);
/* SIGSTOP, SIGCONT. */
void redis_server_freeze(struct redis_server *server);
void redis_server_thaw(struct redis_server *server);
/* Kills it and removes its folder. */
void redis_server_remove(struct redis_server *server);

/* One command, as printf; fails the test when it cannot be sent. To be freed by freeReplyObject. */
redisReply *redis_server_ask(struct redis_server *server, const char *format, ...);
/* The same, for those who want no answer; fails when it is an error. */
void redis_server_tell(struct redis_server *server, const char *format, ...);
long long redis_server_number(struct redis_server *server, const char *format, ...);
/* The ledger on it has been there for long: nothing is recovered when it is first spoken to. */
void redis_server_season(struct redis_server *server);
uint16_t free_port(void);

#endif
