/* SPDX-License-Identifier: Apache-2.0 */
/* wire/head.h: what each header field of an app's request or a provider's answer is to us, and which
 * ones may pass (conventions.md, 2). Lists, no state; pure. */
#ifndef WIRE_HEAD_H
#define WIRE_HEAD_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/http1.h"

/* What a request field is to us. */
enum head_use {
    HEAD_STAYS,           /* not read, not forwarded */
    HEAD_PASSES,          /* goes to a provider of the same dialect */
    HEAD_SCOPE,           /* names an account: passes only beside the app's own credential */
    HEAD_AUTHORIZATION,
    HEAD_KEY,             /* x-api-key, x-goog-api-key, api-key */
    HEAD_REQUEST_ID,
    HEAD_TRACEPARENT,     /* passes, too */
    HEAD_TRACE,           /* x-headgate-trace */
    HEAD_TAGS,            /* x-headgate-tags */
    HEAD_TIMEOUT,         /* x-headgate-timeout-ms */
    HEAD_TASK,            /* x-headgate-task */
    HEAD_ROUTE,           /* x-headgate-route */
    HEAD_SESSION,         /* x-headgate-session, and what agents send of their own accord */
    HEAD_NO_FAILOVER,     /* x-headgate-no-failover */
    HEAD_IDEMPOTENCY,     /* idempotency-key: for us; passes where a provider wants it */
    HEAD_CONTENT_TYPE,    /* passes, too */
    HEAD_CONTENT_ENCODING,
    HEAD_PATIENCE         /* x-stainless-timeout, x-server-timeout: seconds; passes, too */
};
enum head_use head_use(struct span name);

/* Whether a value may be sent on: no byte outside printable ASCII and tab. */
bool head_value_is_plain(struct span value);
/* Whether the list in a Connection value names this field. */
bool head_nominates(struct span connection, struct span name);

/* What an answer's field is to us. */
enum answer_use {
    ANSWER_STAYS,
    ANSWER_PASSES,        /* x-ratelimit-*, anthropic-*, openai-* */
    ANSWER_CONTENT_TYPE,
    ANSWER_CONTENT_ENCODING,
    ANSWER_REQUEST_ID,    /* x-request-id, request-id: goes back under our own name */
    ANSWER_SHOULD_RETRY,  /* x-should-retry: for the dispatch */
    ANSWER_RETRY_AFTER    /* goes back as conventions.md 1.7 says */
};
enum answer_use answer_use(struct span name);

/* "name: value\r\n". */
void head_put(struct buf *out, struct span name, struct span value);

#endif
