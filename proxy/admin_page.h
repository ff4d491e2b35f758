/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/admin_page.h: questions of operators whose answer is bytes that are made on the store thread,
 * because what they tell lives there (admin_ask.h). */
#ifndef PROXY_ADMIN_PAGE_H
#define PROXY_ADMIN_PAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "proxy/admin_ask.h"
#include "proxy/env.h"

/* The first member of a page of a kind. */
struct admin_page {
    struct admin_ask ask; /* first, so that it leads here */
    struct span type;     /* of the content */
    struct buf out;       /* made on the store thread */
    enum err err;
    struct why why;
    /* On the store thread: fills `out`, or `err`. */
    void (*make)(struct admin_page *page, struct journal_place end);
    /* Gives back what the kind has of its own, and the memory. */
    void (*free)(struct admin_page *page);
};

/* The call asks for this page when its request is whole. The kind sets `type`, `make` and `free`. */
void admin_page_open(struct admin_page *page, struct call *call, size_t out_max);
/* A no instead of a page, by its `err`; the call ends. */
void admin_page_refuse(struct call *call, const struct admin_page *page);
void admin_page_free(struct admin_page *page);

#endif
