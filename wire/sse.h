/* SPDX-License-Identifier: Apache-2.0 */
/* wire/sse.h: incremental scanner of server-sent events (WHATWG HTML, "event stream
 * interpretation"). Gives whole events with their exact bytes. An event that grows past the held
 * limit is passed on in pieces instead, without being looked into. Any split of the same bytes
 * gives the same events. */
#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

/* What the last byte read leaves open. */
enum sse_place {
    SSE_PLACE_FIRST = 0, /* nothing read yet: a byte order mark may stand here */
    SSE_PLACE_BOM_1,     /* its first byte is read, */
    SSE_PLACE_BOM_2,     /* its second one */
    SSE_PLACE_LINE,      /* at the begin of a line */
    SSE_PLACE_TEXT,      /* inside a line */
    SSE_PLACE_CR,        /* behind a CR that ended a line: an LF still belongs to it */
    SSE_PLACE_BLANK_CR   /* behind a CR that ended a blank line: an LF still belongs to the event */
};

struct sse {
    struct buf tail;   /* the unfinished event, from its first byte */
    struct buf joined; /* the data of an event of several data lines */
    struct buf end;    /* the last bytes of an oversized event */
    size_t held_max;   /* bytes an unfinished event may hold */
    size_t event_max;  /* bytes of one event in all */
    size_t passed;     /* bytes of the present event passed on as pieces */
    enum sse_place place;
    bool is_first;  /* no event has been returned yet */
    bool is_given;  /* the event returned last lies in `tail`: dropped at the next feed */
    bool ends_crlf; /* the last line ended in CR LF, or none has ended yet */
};

struct sse_event {
    struct span raw;    /* all its bytes, blank line included, as they came */
    struct span name;   /* of its event: field, empty when it has none */
    struct span data;   /* its data: lines joined by LF; empty when it has none */
    bool has_data;      /* a data: field stands there, be it empty */
    bool is_failure;    /* the framing itself says that it tells of a failure (wire/events.h) */
    bool is_piece;      /* only a piece of an oversized event: raw alone is set */
    bool is_last_piece; /* the oversized event ends with this piece, whose raw may be empty */
    struct span end; /* with the last piece: the last SSE_END_MAX bytes of the event, or all; empty
                      * without memory for them */
};
enum { SSE_END_MAX = 16 * 1024 };

enum sse_step { SSE_MORE, SSE_EVENT, SSE_TOO_LONG, SSE_NO_MEMORY, SSE_BROKEN /* of frames alone: wire/events.h */ };

void sse_init(struct sse *sse, size_t held_max, size_t event_max);
void sse_fini(struct sse *sse);

/* Takes bytes off the front of `in`. SSE_EVENT: `event` is filled with views into `in`'s bytes or
 * into `sse`, valid until the next feed. SSE_MORE: all of `in` was taken. A block without any
 * field (comment, blank lines) is an event with has_data false and empty name, so that raw bytes
 * are never lost. Line ends LF, CRLF, CR.
 * A blank line that ends in CR: where the line before ended in CR LF, the next byte is waited for,
 * as an LF will belong to the event; elsewhere the event ends at the CR, at once, and an LF that
 * follows all the same opens the bytes of the next one. So streams of CR alone are never late, and
 * the bytes alone decide, not how they were cut.
 * Whether an event is passed in pieces, too, depends on its length alone (> held_max). */
enum sse_step sse_feed(struct sse *sse, struct span *in, struct sse_event *event);

/* The bytes of an event that was not finished when the stream ended, interpreted as if a blank
 * line followed (raw has only the bytes that came). False when there are none. Without memory to
 * join several data lines, the event has its raw bytes alone. */
bool sse_finish(struct sse *sse, struct sse_event *event);

#endif
