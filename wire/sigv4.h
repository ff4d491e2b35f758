/* SPDX-License-Identifier: Apache-2.0 */
/* wire/sigv4.h: signs requests to AWS (Signature Version 4; bedrock.md 2). Arithmetic only: the time
 * comes in as text. The signature covers the body, so a request is signed last, and again each time it
 * is sent. */
#ifndef WIRE_SIGV4_H
#define WIRE_SIGV4_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/tick.h"

struct sigv4_credential {
    struct span id;
    struct span secret;
    struct span token; /* of a session; empty: none */
};

/* For whom a signature is good. */
struct sigv4_scope {
    struct span region;  /* "us-east-1" */
    struct span service; /* "bedrock", "bedrock-mantle" */
};

struct sigv4_request {
    struct span method;
    struct span path;  /* as sent: encoded once */
    struct span query; /* as sent, without '?' */
    struct span host;  /* what the Host header says */
    struct span content_type; /* empty: none is sent */
    struct digest body;
};

enum { SIGV4_TIME = 16, SIGV4_SECRET_MAX = 128, SIGV4_PAIRS_MAX = 32 };

/* "20261120T120000Z". */
void sigv4_time(wall_ms at, char time[SIGV4_TIME]);

/* Puts the canonical request for the headers that are signed: content-type, host,
 * x-amz-content-sha256, x-amz-date, x-amz-security-token. ERR_CEILING: the query has more than
 * SIGV4_PAIRS_MAX pairs. ERR_FORMAT: it has a broken percent escape. */
MUST_CHECK enum err sigv4_put_canonical(struct buf *out, const struct sigv4_request *request,
                                        struct span token, const char time[SIGV4_TIME]);
/* The key of a day, region and service. ERR_CEILING: the secret is longer than SIGV4_SECRET_MAX. */
MUST_CHECK enum err sigv4_key(struct span secret, const struct sigv4_scope *scope,
                              const char time[SIGV4_TIME], struct digest *key);
/* Puts the header lines x-amz-date, x-amz-content-sha256, x-amz-security-token (with a session) and
 * authorization. Host and content-type are the caller's to send, as they stand in `request`. On an
 * error nothing has been put. */
MUST_CHECK enum err sigv4_put_headers(struct buf *out, const struct sigv4_credential *credential,
                                      const struct sigv4_scope *scope,
                                      const struct sigv4_request *request, wall_ms at);

#endif
