/* SPDX-License-Identifier: Apache-2.0 */
/* conf/sink_http.h: settings of a sink of kind http. */
#ifndef CONF_SINK_HTTP_H
#define CONF_SINK_HTTP_H

#include <stdbool.h>

#include "conf/sink.h"

struct sink_http_header {
    struct span name; /* lower case */
    struct span value; /* a secret */
};

struct sink_http_settings {
    struct sink_settings common;
    struct span url;
    bool is_tls;
    const struct sink_http_header *headers;
    size_t headers_count;
    struct span ca_file; /* empty: the system's */
    uint32_t timeout_ms;
};

#endif
