/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/line.h: one open connection to a provider, plain or TLS, with the one read event that stays
 * with it for life. Its user, or the pool while it is idle, is told when there is something to
 * read. */
#ifndef PROXY_LINE_H
#define PROXY_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "proxy/dial.h"
#include "proxy/loop.h"

struct line {
    struct link link;       /* the pool's list of idle ones */
    struct event readable;  /* persistent */
    struct dial_tls *tls;   /* NULL: plain */
    void *home;             /* the pool's */
    void *user;             /* whoever on_readable is for */
    void (*on_readable)(struct line *line);
    mono_ms born;
    mono_ms idle_until;
    int fd;
    bool is_watched;        /* the read event is added */
    bool is_edge;           /* told once per arrival: see line_watch_edges */
    bool is_kept;           /* it has been idle or carried an answer: the other side may be gone */
};

/* Takes the connection over and begins to watch it. NULL without memory: it is closed then. */
struct line *line_new(struct loop *loop, struct dial_line from);
void line_free(struct line *line);
/* Stops and goes on watching; doing it twice does nothing. */
void line_watch(struct line *line, bool is_wanted);
/* From here on its user is told once when bytes arrive, not again and again while they lie there;
 * so he must read until DIAL_AGAIN before he waits, and look by himself when he comes back to it.
 * Worth it where many small pieces arrive: the kernel then does not look at each of these sockets
 * twice. No other event may be pending on the descriptor. */
void line_watch_edges(struct line *line);
/* Back to being told as long as there is something to read, which is how a line begins. */
void line_watch_level(struct line *line);
/* Whether what is left unread makes no event by itself: inside TLS, or told once already. */
static inline bool line_is_silent(const struct line *line)
{
    return line->tls != NULL || line->is_edge;
}

enum dial_step line_recv(struct line *line, char *at, size_t size, size_t *count);
/* Plain only: as much of the pieces as the socket takes, or is fair to others. */
enum dial_step line_send_pieces(struct line *line, const struct span *pieces, size_t pieces_count,
                                size_t *count);

#endif
