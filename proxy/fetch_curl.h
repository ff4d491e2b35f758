/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/fetch_curl.h: a whole HTTP transfer that is no call, by libcurl. Blocks until it is over, so
 * it is for commands and never for the loop. Follows no redirect and asks no proxy. */
#ifndef PROXY_FETCH_CURL_H
#define PROXY_FETCH_CURL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct fetch_request {
    struct span url;    /* http:// only */
    bool is_post;       /* else GET */
    struct span json;   /* a POST's body; empty: none */
    struct span bearer; /* for Authorization; empty: none */
    uint32_t connect_ms;
    uint32_t total_ms;
};

/* The answer's body is put at the end of `body`, whose ceiling bounds it; *status is its status.
 * ERR_MISSING: nobody answers there. ERR_CEILING, ERR_MEMORY, ERR_SYSTEM with `why`. */
MUST_CHECK enum err fetch(const struct fetch_request *request, unsigned *status, struct buf *body,
                          struct why *why);

#endif
