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
    struct event readable;  /* persistent, level-triggered */
    struct dial_tls *tls;   /* NULL: plain */
    void *home;             /* the pool's */
    void *user;             /* whoever on_readable is for */
    void (*on_readable)(struct line *line);
    mono_ms born;
    mono_ms idle_until;
    int fd;
    bool is_watched;        /* the read event is added */
    bool is_kept;           /* it has been idle or carried an answer: the other side may be gone */
};

/* Takes the connection over and begins to watch it. NULL without memory: it is closed then. */
struct line *line_new(struct loop *loop, struct dial_line from);
void line_free(struct line *line);
/* Stops and goes on watching; doing it twice does nothing. */
void line_watch(struct line *line, bool is_wanted);

enum dial_step line_recv(struct line *line, char *at, size_t size, size_t *count);
/* Plain only: as much of the pieces as the socket takes, or is fair to others. */
enum dial_step line_send_pieces(struct line *line, const struct span *pieces, size_t pieces_count,
                                size_t *count);

#endif
