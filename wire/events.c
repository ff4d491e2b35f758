/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/events.h"

#include "base/must.h"

void events_init(struct events *events, bool is_framed, size_t held_max, size_t event_max)
{
    events->is_framed = is_framed;
    if (is_framed) {
        event_stream_init(&events->of.framed, held_max);
    } else {
        sse_init(&events->of.sse, held_max, event_max);
    }
}

void events_fini(struct events *events)
{
    if (events->is_framed) {
        event_stream_fini(&events->of.framed);
    } else {
        sse_fini(&events->of.sse);
    }
}

static enum sse_step step_of(enum event_stream_step step)
{
    switch (step) {
    case EVENT_STREAM_MORE: return SSE_MORE;
    case EVENT_STREAM_MESSAGE: return SSE_EVENT;
    case EVENT_STREAM_BROKEN: return SSE_BROKEN;
    case EVENT_STREAM_TOO_LONG: return SSE_TOO_LONG;
    case EVENT_STREAM_NO_MEMORY: return SSE_NO_MEMORY;
    }
    UNREACHABLE();
}

enum sse_step events_feed_framed(struct events *events, struct span *in, struct sse_event *event)
{
    struct event_message message;
    enum event_stream_step step = EVENT_STREAM_MORE;

    do {
        step = event_stream_feed(&events->of.framed, in, &message);
    } while (step == EVENT_STREAM_MESSAGE && message.kind == EVENT_MESSAGE_OTHER);
    if (step == EVENT_STREAM_MESSAGE) {
        struct span data = message.kind == EVENT_MESSAGE_ERROR ? message.text : message.payload;

        *event = (struct sse_event){.raw = data,
                                    .name = message.name,
                                    .data = data,
                                    .has_data = true,
                                    .is_failure = message.kind != EVENT_MESSAGE_EVENT};
    }
    return step_of(step);
}

bool events_finish(struct events *events, struct sse_event *event)
{
    return !events->is_framed && sse_finish(&events->of.sse, event);
}

size_t events_held(const struct events *events)
{
    return events->is_framed ? events->of.framed.tail.len : events->of.sse.tail.len;
}
