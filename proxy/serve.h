/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/serve.h: boot and shutdown, in order. Called by the commands that serve. */
#ifndef PROXY_SERVE_H
#define PROXY_SERVE_H

#include "base/err.h"
#include "conf/snapshot.h"
#include "proxy/observer.h"

struct serve_options {
    struct snapshot *snapshot;  /* taken over */
    struct span settings_file;  /* shown at start; empty: none */
    /* Called once everything listens, with the address of the first data listener. May be NULL. */
    void (*on_ready)(void *to, struct span address);
    /* Reads the settings once more (SIGHUP); the snapshot is taken over. NULL: there is no file. */
    enum err (*load_again)(void *to, struct snapshot **snapshot, struct why *why);
    void *to;                   /* of both */
    const struct observer *observer; /* told of all calls; NULL: none */
    bool ends_with_child;            /* drains when a child of this process has ended */
};

/* Serves until a signal ends it. Returns the exit code (docs/operations.md). */
int serve(const struct serve_options *options);

#endif
