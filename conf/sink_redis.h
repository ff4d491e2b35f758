/* SPDX-License-Identifier: Apache-2.0 */
/* conf/sink_redis.h: settings of a sink of kind redis. */
#ifndef CONF_SINK_REDIS_H
#define CONF_SINK_REDIS_H

#include "conf/redis_url.h"
#include "conf/sink.h"

struct sink_redis_settings {
    struct sink_settings common;
    struct redis_url url;
    struct span stream;
    uint64_t length; /* about so many entries are kept; 0: all */
};

#endif
