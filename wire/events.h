/* SPDX-License-Identifier: Apache-2.0 */
/* wire/events.h: the events of a provider's stream, however it frames them: server-sent events, or the messages of
 * an AWS event stream, which become events too: the name is their :event-type, the data their payload. So whoever
 * reads streams knows one kind of event. */
#ifndef WIRE_EVENTS_H
#define WIRE_EVENTS_H

#include "wire/event_stream.h"
#include "wire/sse.h"

struct events {
    bool is_framed; /* AWS's frames */
    union {
        struct sse sse;
        struct event_stream framed;
    } of;
};

/* held_max, event_max: as in sse_init. A framed message is never passed on in pieces: held_max is its ceiling. */
void events_init(struct events *events, bool is_framed, size_t held_max, size_t event_max);
void events_fini(struct events *events);

/* The next message that says anything; see events_feed. */
enum sse_step events_feed_framed(struct events *events, struct span *in, struct sse_event *event);

/* As sse_feed; SSE_BROKEN: a frame is damaged, and nothing behind it can be read. */
static inline enum sse_step events_feed(struct events *events, struct span *in, struct sse_event *event)
{
    return events->is_framed ? events_feed_framed(events, in, event) : sse_feed(&events->of.sse, in, event);
}

/* As sse_finish: of frames an unfinished one is none. */
bool events_finish(struct events *events, struct sse_event *event);
/* Bytes of an unfinished event. */
size_t events_held(const struct events *events);

#endif
