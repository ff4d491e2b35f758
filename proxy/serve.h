/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/serve.h: boot and shutdown, in order. Called by the commands that serve. */
#ifndef PROXY_SERVE_H
#define PROXY_SERVE_H

#include "conf/snapshot.h"

struct serve_options {
    struct snapshot *snapshot;  /* taken over */
    struct span settings_file;  /* shown at start; empty: none */
    /* Called once everything listens, with the address of the first data listener. May be NULL. */
    void (*on_ready)(void *to, struct span address);
    void *to;
};

/* Serves until a signal ends it. Returns the exit code (docs/operations.md). */
int serve(const struct serve_options *options);

#endif
