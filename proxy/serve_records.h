/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/serve_records.h: the state folder at boot, and what lives in it: the store, with the index and the
 * sinks as those who follow its journal. Used by serve.c. */
#ifndef PROXY_SERVE_RECORDS_H
#define PROXY_SERVE_RECORDS_H

#include "proxy/env.h"
#include "proxy/state_dir.h"

struct serve_records {
    struct env *env;
    struct ports *ports;
    struct state_dir state_dir;
    char journal[STATE_DIR_MAX + 80];
    struct why index_why; /* it could not be opened, or is built again; empty: neither */
    enum err made_err;    /* the sinks, or what budgets have settled, could not be made */
    struct why made_why;
};

/* Fills the ports `store`, `index` and `sinks`; state_dir and journal also where it fails: `why` tells. */
MUST_CHECK enum err serve_records_open(struct serve_records *records, struct env *env,
                                       struct ports *ports, struct why *why);

#endif
