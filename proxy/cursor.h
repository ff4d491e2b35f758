/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/cursor.h: how far a sink has delivered, in a file of its own: written whole under another
 * name, synced and renamed, so that it is always the old one or the new one. */
#ifndef PROXY_CURSOR_H
#define PROXY_CURSOR_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "proxy/journal.h"
#include "proxy/loop.h"

enum { CURSOR_ID_LENGTH = 16 };

struct cursor {
    struct buf path;  /* ends in NUL */
    struct buf other; /* the other name, ends in NUL */
    struct span name; /* of the sink; borrowed */
    char id[CURSOR_ID_LENGTH + 1]; /* made by chance with the file: tells this way through this journal
                                    * from any other */
    struct journal_place place;
    struct journal_place written; /* what the file says */
};

/* Reads the file of the sink of this name in `folder`, which is made when it is missing. No file:
 * {0, 0} with a new id. A damaged one: the same, and `why` tells; else `why` is empty. ERR_MEMORY,
 * ERR_SYSTEM, ERR_PERMISSION. */
MUST_CHECK enum err cursor_open(struct cursor *cursor, struct span folder, struct span name,
                                struct loop *loop, struct why *why);
/* Gives memory back; writes nothing. Safe on a zeroed one. */
void cursor_close(struct cursor *cursor);
/* Begins anew at `place`, under a new id. */
void cursor_restart(struct cursor *cursor, struct journal_place place, struct loop *loop);
/* Nothing is done when the file says it already. False: `why` tells. */
bool cursor_write(struct cursor *cursor, struct why *why);

/* The file's text, both ways. ERR_FORMAT. */
void cursor_put(const struct cursor *cursor, struct buf *out);
MUST_CHECK enum err cursor_take(struct cursor *cursor, struct span text);

#endif
