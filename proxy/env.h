/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/env.h: the handful of things a connection or a call needs. Owns nothing: serve.c makes and
 * frees the parts, in order. */
#ifndef PROXY_ENV_H
#define PROXY_ENV_H

#include "conf/snapshot.h"
#include "enforcement/ledger.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/observer.h"
#include "proxy/upstream.h"
#include "wire/json_scan.h"

struct budgets_shared;
struct calls;
struct exposures;
struct guesses;
struct index;
struct keys;
struct ranks;
struct policy;
struct replays;
struct settled_follow;
struct sinks;
struct store;
struct fleet;
struct roster;
struct conns;
struct models;

/* The ports: what the core asks for and the outside does. */
struct ports {
    struct upstream *network;
    struct upstream *fixtures;
    const struct ledger_ops *ledger_ops;
    struct ledger *ledger;
    uint64_t budget_resets;      /* that operators ordered */
    struct budgets_shared *shared; /* NULL: the ledger is of this process alone */
    struct exposures *exposures; /* what may be paid for twice */
    struct roster *roster; /* of rates */
    struct store *store;
    bool is_power;       /* calls wait for the store's disk: journal.durability */
    struct guesses *guesses;
    struct ranks *ranks; /* vocabularies */
    struct replays *replays; /* answers kept for repeats */
    struct index *index; /* the store thread's; NULL: it could not be opened */
    struct sinks *sinks; /* the store thread's */
    struct settled_follow *settled; /* the same; NULL: the ledger keeps its sums itself, or all ends */
    const struct observer *observer; /* NULL: nobody is told of calls but the log */
};

/* Scratch objects, each used by one function at a time and never across a callback. */
struct scratch {
    struct json_scan *scan;
    struct http1_head head;
    struct buf out;   /* an answer being put together */
    struct buf text;  /* a smaller one */
    struct buf events; /* of a translated stream, on their way to the app */
    uint64_t seed;    /* of the duplicate tables: nobody outside can guess it */
};

struct env {
    struct loop *loop;
    struct snapshot *snapshot;
    struct policy *policy; /* whose budgets hold now */
    struct log *log;
    struct ports *ports;
    struct scratch *scratch;
    struct conns *conns;
    struct calls *calls;
    struct models *models;
    struct fleet *fleet;
    struct keys *keys;   /* NULL: callers need none */
};

#endif
