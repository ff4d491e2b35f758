/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/observer.h: who is told of the calls while they run; headgate demo shows them. What is told
 * lives until the function returns. The functions run on the loop: they must not wait for long and
 * must not end calls. */
#ifndef PROXY_OBSERVER_H
#define PROXY_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "router/notice.h"
#include "router/outcome.h"
#include "router/retry.h"

/* A call as far as it is known. */
struct call_report {
    uint32_t number; /* of the calls that were told, from 1 */
    struct span method;
    struct span path; /* without /v1; bytes of the app's, not made safe for a terminal */
    bool is_stream;
    /* Of a call that is over: */
    uint8_t attempts;
    unsigned status;    /* told to the app; 0: it had left before */
    const char *reason; /* the code of our no; NULL: none */
    bool is_good;       /* the last attempt ended well, or there was none and nothing was refused */
    uint32_t took_ms;
};

/* One attempt that is over. */
struct attempt_report {
    struct span provider;
    enum outcome outcome;
    unsigned status;    /* of the provider; 0: none came */
    int64_t tokens;     /* it wrote; -1: not told */
    enum retry_why why; /* what follows */
    uint32_t took_ms;
    uint32_t wait_ms;   /* the pause that follows */
};

/* None of the functions may be NULL. */
struct observer {
    void (*on_attempt)(void *to, const struct call_report *call,
                       const struct attempt_report *attempt);
    void (*on_call)(void *to, const struct call_report *call);
    void (*on_notice)(void *to, const struct notice *notice);
    void *to;
};

#endif
