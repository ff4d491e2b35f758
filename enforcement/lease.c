/* SPDX-License-Identifier: Apache-2.0 */
#include "enforcement/lease.h"

#include "base/must.h"

enum {
    USUAL_TIMES = 10,  /* the smallest loan, in usual holds */
    SHARE_OF_REST = 4, /* and never more than a quarter of a process' share of the rest, */
    SHARE_OF_LIMIT = 50 /* or the 50th part of the limit: so much is lost for a while with a process */
};

void lease_note(struct lease *lease, int64_t amount)
{
    /* Up by a 16th or down by a 304th: at rest one of 20 holds is larger, however much. */
    if (lease->usual == 0) {
        lease->usual = amount;
    } else if (amount > lease->usual) {
        lease->usual += lease->usual / 16 + 1;
    } else {
        lease->usual -= lease->usual / 304;
    }
}

bool lease_take(struct lease *lease, int64_t amount, mono_ms now)
{
    if (lease->is_tight || amount > lease->free || now >= lease->until) {
        return false;
    }
    lease->free -= amount;
    lease->used_at = now;
    return true;
}

void lease_put_back(struct lease *lease, int64_t amount)
{
    lease->free += amount;
    must(lease->free <= lease->total);
}

bool lease_take_more(struct lease *lease, int64_t amount)
{
    if (amount > lease->free) {
        return false;
    }
    lease->free -= amount;
    return true;
}

int64_t lease_settle(struct lease *lease, int64_t held, int64_t actual)
{
    int64_t within = actual < held ? actual : held;

    lease->total -= within;
    lease_put_back(lease, held - within);
    return within;
}

static int64_t rest_of(const struct lease_view *view)
{
    int64_t rest = view->used < view->limit ? view->limit - view->used : 0;

    return rest / view->processes;
}

static int64_t least(const struct lease *lease)
{
    return lease->usual > INT64_MAX / USUAL_TIMES ? INT64_MAX : lease->usual * USUAL_TIMES;
}

int64_t lease_wants(const struct lease *lease, const struct lease_view *view)
{
    int64_t rest = rest_of(view);
    int64_t low = least(lease);
    int64_t size = rest / SHARE_OF_REST;

    if (lease->is_tight || rest < low || low == 0) {
        return 0;
    }
    if (size > view->limit / SHARE_OF_LIMIT) {
        size = view->limit / SHARE_OF_LIMIT;
    }
    if (size < low) {
        size = low;
    }
    if (size > view->limit / SHARE_OF_LIMIT) {
        return 0; /* too few calls fit into the budget: each is asked for */
    }
    return lease->free < size / 2 ? size - lease->free : 0;
}

void lease_grow(struct lease *lease, int64_t amount, mono_ms now)
{
    lease->total += amount;
    lease->free += amount;
    lease->until = mono_add(now, LEASE_MS - LEASE_MARGIN_MS);
}

void lease_look(struct lease *lease, const struct lease_view *view)
{
    /* Loans that came back make room: it ends only when there is twice as much. */
    int64_t rest = rest_of(view) / (lease->is_tight ? 2 : 1);

    lease->is_tight = rest < least(lease);
}

int64_t lease_give_back(struct lease *lease)
{
    int64_t free = lease->free;

    lease->total -= free;
    lease->free = 0;
    return free;
}
