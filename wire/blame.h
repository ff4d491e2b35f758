/* SPDX-License-Identifier: Apache-2.0 */
/* wire/blame.h: what a provider's refusal is about, over the spellings of all dialects. It names
 * the subject only; what follows from it (fail over, park, surface) is the router's. Pure. */
#ifndef WIRE_BLAME_H
#define WIRE_BLAME_H

#include "wire/dialect.h"

enum blame {
    BLAME_NONE,        /* nothing known, or a fault of the server that names no reason */
    BLAME_MODEL,       /* not found, retired, or not for this account */
    BLAME_CONTEXT,     /* the prompt, or prompt and output together, are too long for the model */
    BLAME_QUOTA,       /* no money or quota left: waiting a moment does not help */
    BLAME_SPEND_LIMIT, /* the account's own limit; ends with its month or by its owner */
    BLAME_RATE,        /* too much at a time; a wait helps */
    BLAME_OVERLOADED,  /* the provider has no capacity now, whoever asks */
    BLAME_AUTH,        /* the key is wrong, revoked, of another organization */
    BLAME_PERMISSION,  /* the key is right but may not: region, role, network */
    BLAME_CONTENT,     /* a policy about contents */
    BLAME_REQUEST      /* any other fault of the request */
};

/* Of a message only so many bytes are searched. */
enum { BLAME_MESSAGE_MAX = 512 };

/* `status`: of the answer; one that the error itself names (400..599) comes before it, as an error
 * may come under 200. `error` may be NULL or absent: then the status alone speaks. */
enum blame blame_of(unsigned status, const struct provider_error *error);

/* The name of a failure that stands in a head, without what stands around it; empty when there is none. The
 * bodies beside it hold a message and nothing else (bedrock.md 8). */
struct span blame_name(const struct http1_head *head, const char *base);

#endif
