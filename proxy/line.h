/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/line.h: one open connection to a provider, plain or TLS, with the one read event that stays
 * with it for life. Its user, or the pool while it is idle, is told when there is something to
 * read. */
#ifndef PROXY_LINE_H
#define PROXY_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "proxy/ahead.h"
#include "proxy/dial.h"
#include "proxy/loop.h"

/* One read from a line. */
struct heard {
    enum dial_step step;
    bool is_full;           /* as much as was asked for: there may be more */
    struct span bytes;      /* MOVED */
};

enum { LINE_WARM_MAX = 5 };

struct line {
    /* What each reading touches stands together around the event, which libevent has just touched:
     * with thousands of lines all of it is cold by then. */
    void (*on_readable)(struct line *line);
    void *user;             /* whoever on_readable is for, */
    void *engine;           /* and whoever keeps all of them */
    struct ahead_place place; /* in the engine's row of those with something to read */
    int fd;
    bool is_watched;        /* the read event is added */
    bool is_kept;           /* it has been idle or carried an answer: the other side may be gone */
    bool is_paused;         /* by its user: not to be read ahead */
    bool has_ahead;
    struct event readable;  /* persistent, level-triggered */
    struct heard ahead;     /* has_ahead: read, but not heard yet */
    struct dial_tls *tls;   /* NULL: plain */
    struct span warm[LINE_WARM_MAX]; /* what its user will touch with the bytes; for line_warm */
    /* From here on what only begin and end touch. */
    struct link link;       /* the pool's list of idle ones */
    void *home;             /* the pool's */
    mono_ms born;
    mono_ms idle_until;
};

/* Takes the connection over and begins to watch it. NULL without memory: it is closed then. */
struct line *line_new(struct loop *loop, struct dial_line from);
void line_free(struct line *line);
/* Stops and goes on watching; doing it twice does nothing. */
void line_watch(struct line *line, bool is_wanted);

/* Lets the processor fetch what the user will touch; waits for nothing. */
void line_warm(const struct line *line);
/* Reads at most `room` bytes to `at` now; the next line_hear gives them. `at` is borrowed until then. */
void line_read_ahead(struct line *line, char *at, size_t room);
/* What was read ahead; else what there is now, at most `size` bytes, in `buffer`. */
struct heard line_hear(struct line *line, char *buffer, size_t size);

enum dial_step line_recv(struct line *line, char *at, size_t size, size_t *count);
/* Plain only: as much of the pieces as the socket takes, or is fair to others. */
enum dial_step line_send_pieces(struct line *line, const struct span *pieces, size_t pieces_count,
                                size_t *count);

#endif
