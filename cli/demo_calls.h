/* SPDX-License-Identifier: Apache-2.0 */
/* cli/demo_calls.h: the app of `headgate demo --once`: a child of this process that makes a few
 * calls, one after the other, over HTTP like any app, and tells how they ended. */
#ifndef CLI_DEMO_CALLS_H
#define CLI_DEMO_CALLS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/span.h"

/* What the app saw. */
struct demo_seen {
    unsigned calls; /* that it made */
    unsigned whole; /* of them: status 200 and an answer that is complete */
};

struct demo_calls {
    pid_t child;
    int address; /* where the child reads the address from is the other end; -1: closed */
    int seen;    /* the child writes a struct demo_seen to the other end; -1: closed */
};

/* Begins the child, which waits for demo_calls_go. False: the system does not let us. To be called
 * before there is a loop: a child must not share one. */
bool demo_calls_init(struct demo_calls *calls);
/* Makes the calls, at "127.0.0.1:8402". The child ends after them. */
void demo_calls_go(struct demo_calls *calls, struct span address);
/* Waits for the child; without demo_calls_go it has made no call. */
struct demo_seen demo_calls_fini(struct demo_calls *calls);

#endif
