/* SPDX-License-Identifier: Apache-2.0 */
/* All connections of a loop: counts, the walk at shutdown, and whether new answers still invite
 * more requests. */
#include "proxy/conn_parts.h"

#include "base/mem.h"
#include "proxy/peer.h"

enum { TELL_AGAIN_MS = 60000 };

struct conns *conns_new(struct env *env)
{
    struct conns *conns = mem_take_zero(sizeof *conns);

    if (conns != NULL) {
        uint64_t seed[2];
        conns->env = env;
        conns->ahead = ahead_new(env->loop, &conn_ahead_ears);
        conns->outbox = outbox_new(env->loop, conn_leave);
        if (conns->ahead == NULL || conns->outbox == NULL) {
            ahead_free(conns->ahead);
            outbox_free(conns->outbox);
            mem_give(conns, sizeof *conns);
            return NULL;
        }
        list_init(&conns->all);
        loop_entropy(env->loop, seed, sizeof seed);
        silent_init(&conns->silent, seed);
    }
    return conns;
}

void conns_free(struct conns *conns)
{
    if (conns == NULL) {
        return;
    }
    while (!list_is_empty(&conns->all)) {
        struct conn *conn = LIST_OWNER(conns->all.next, struct conn, link);
        conn_die(conn);
        conn_destroy(conn);
    }
    silent_fini(&conns->silent);
    ahead_free(conns->ahead);
    outbox_free(conns->outbox);
    mem_give(conns, sizeof *conns);
}

unsigned conns_count(const struct conns *conns, enum conn_side side)
{
    return conns->count[side];
}

bool conns_is_draining(const struct conns *conns)
{
    return conns->is_draining;
}

void conns_on_end(struct conns *conns, void (*told)(void *to), void *to)
{
    conns->told = told;
    conns->told_to = to;
}

void conns_not_ready(struct conns *conns)
{
    conns->is_draining = true;
}

void conns_drain(struct conns *conns)
{
    struct link *next = NULL;

    conns->is_draining = true;
    for (struct link *at = conns->all.next; at != &conns->all; at = next) {
        struct conn *conn = LIST_OWNER(at, struct conn, link);
        next = at->next;
        conn->must_close = true;
        if (conn->side == CONN_DATA && conn->state == CONN_HEAD && conn->in.len == 0 &&
            !ahead_is_queued(&conn->place)) {
            conn_die(conn);
        }
    }
}

/* ---- silent ones ---- */

void conns_fit(struct conns *conns, uint64_t descriptors)
{
    silent_fit(&conns->silent, descriptors);
}

static void tell_silenced(struct conns *conns, const struct conn *newest, const struct conn *oldest)
{
    struct log *log = conns->env->log;
    mono_ms now = loop_now(conns->env->loop);
    bool is_crowded = silent_is_crowded(&conns->silent, &newest->silent);
    char text[PEER_TEXT_BYTES];

    if (conns->silenced_at != 0 && now < mono_add(conns->silenced_at, TELL_AGAIN_MS)) {
        return;
    }
    conns->silenced_at = now;
    log_begin(log, LOG_WARN, "silent_connections",
              is_crowded ? "too many connections of one address have not sent a request: the "
                           "oldest are closed"
                         : "too many connections have not sent a request: the oldest are closed");
    log_field(log, "peer", peer_text(silent_name(&oldest->silent), text));
    log_number(log, "limit", is_crowded ? conns->silent.most_per_peer : conns->silent.most);
    log_number(log, "closed", (long long)conns->silenced);
    log_end(log);
}

void conns_make_room(struct conns *conns, const struct conn *newest)
{
    struct silent_place *place = silent_surplus(&conns->silent, &newest->silent);
    struct conn *oldest = NULL;

    if (place == NULL) {
        return;
    }
    oldest = LIST_OWNER(place, struct conn, silent);
    conn_read(oldest); /* under a flood its request may have come and not been looked at yet */
    if (oldest->silent.peer == NULL) {
        return;
    }
    conns->silenced++;
    tell_silenced(conns, newest, oldest);
    conn_die(oldest);
}
