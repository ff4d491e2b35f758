/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/fake_redis.h: a server on the test's own loop that greets as a Redis does and answers
 * scripts with whatever bytes a test likes; none: it says nothing. */
#ifndef TESTS_CONTRACT_FAKE_REDIS_H
#define TESTS_CONTRACT_FAKE_REDIS_H

#include <stdint.h>

#include "proxy/loop.h"

struct fake_redis {
    struct loop *loop;
    struct event event;
    int fd;
    uint16_t port;
    const char *on_script; /* raw; NULL: silence */
    const char *on_info;   /* raw; NULL: that of a Redis which keeps what it is told */
    const char *on_config;
    const char *on_hello;  /* raw answer to SELECT; NULL: +OK */
    unsigned scripts;      /* asked for */
    unsigned connections;
    struct fake_peer *peers;
};

void fake_redis_start(struct fake_redis *fake, struct loop *loop);
void fake_redis_stop(struct fake_redis *fake);

#endif
