/* SPDX-License-Identifier: Apache-2.0 */
/* admin/page.h: a page is a function from a read-only view of the house to bytes. A page is a file
 * and a row in pages.def. Pure. */
#ifndef ADMIN_PAGE_H
#define ADMIN_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "router/fleet_view.h"

/* What pages may see; grows with the pages. */
struct view {
    bool is_draining;
    bool awaits_ledger; /* budgets enforce, and their ledger has not been heard of yet */
    size_t providers;
    const struct target_view *targets; /* of pages that want them; else there are none */
    size_t targets_count;
    uint64_t uptime_ms;
    uint32_t calls;      /* in flight */
    struct span version;
};

struct page {
    const char *name;
    struct span path;
    struct span alias;     /* a second path, or empty */
    bool is_on_data;       /* served on the data listener too */
    bool is_public;        /* whoever reaches the listener may read it, without the token */
    bool wants_targets;
    const char *content_type;
    /* Puts the body; returns the HTTP status. `query` is without '?'. */
    unsigned (*write)(const struct view *view, struct span query, struct buf *out);
};

/* The page at this path (without query), or NULL. */
const struct page *page_find(struct span path);

#define PAGE(name) extern const struct page page_##name;
#include "admin/pages.def"
#undef PAGE

#endif
