/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_ask.h: pages of the operators' listener whose bytes are made on the store thread, because
 * what they tell lives there. The call waits meanwhile, and the loop goes on. A page outlives its call:
 * whoever asked may have left by the time the answer is there. */
#ifndef PROXY_ADMIN_ASK_H
#define PROXY_ADMIN_ASK_H

#include "base/buf.h"
#include "base/err.h"
#include "proxy/env.h"
#include "proxy/store.h"

struct call;

/* The first member of a page of a kind. */
struct admin_page {
    struct store_question question; /* first, so that it leads here */
    struct env *env;
    uint64_t call_id;  /* in calls */
    struct span type;  /* of the content */
    struct buf out;    /* made on the store thread */
    enum err err;
    struct why why;
    /* On the store thread: fills `out`, or `err`. */
    void (*make)(struct admin_page *page, struct journal_place end);
    /* Gives back what the kind has of its own, and the memory. */
    void (*free)(struct admin_page *page);
};

/* For this call, which asks when its request is whole. The kind sets `type`, `make` and `free`. */
void admin_page_init(struct admin_page *page, const struct call *call, size_t out_max);
/* Called by call_open.c and calls.c. */
void admin_page_ask(struct call *call);
/* The call is gone: a question that was never asked goes with it. */
void admin_page_forget(struct call *call);
/* A no instead of a page, by its `err`. */
void admin_page_refuse(struct call *call, const struct admin_page *page);
void admin_page_free(struct admin_page *page);

#endif
