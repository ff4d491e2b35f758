/* SPDX-License-Identifier: Apache-2.0 */
/* wire/event_stream.h: incremental scanner of AWS event streams (application/vnd.amazon.eventstream,
 * bedrock.md 5): messages with lengths, headers and two checksums. Gives whole messages. Any split of
 * the same bytes gives the same messages and the same fault. */
#ifndef WIRE_EVENT_STREAM_H
#define WIRE_EVENT_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

/* What a message is, by its header :message-type. */
enum event_message_kind {
    EVENT_MESSAGE_OTHER, /* no type, or one that nobody knows: to be passed by */
    EVENT_MESSAGE_EVENT,
    EVENT_MESSAGE_EXCEPTION, /* the provider tells of a failure: the stream ends */
    EVENT_MESSAGE_ERROR      /* the same, without a payload */
};

/* Texts are empty where the message has none. */
struct event_message {
    enum event_message_kind kind;
    struct span name;         /* :event-type, :exception-type or :error-code */
    struct span content_type; /* :content-type */
    struct span text;         /* :error-message */
    struct span payload;
};

enum event_stream_step {
    EVENT_STREAM_MORE,
    EVENT_STREAM_MESSAGE,
    EVENT_STREAM_BROKEN,   /* a checksum, a length or a header is wrong: nothing behind it can be read */
    EVENT_STREAM_TOO_LONG, /* a message longer than the caller's ceiling */
    EVENT_STREAM_NO_MEMORY
};

struct event_stream {
    struct buf tail;    /* the unfinished message, from its first byte */
    size_t message_max;
    size_t total;       /* of the unfinished message; 0: not known yet */
    bool is_given;      /* the message returned last lies in `tail`: dropped at the next feed */
    enum event_stream_step fault; /* what ended it; EVENT_STREAM_MORE: nothing */
};

/* message_max: bytes of one message in all. */
void event_stream_init(struct event_stream *stream, size_t message_max);
void event_stream_fini(struct event_stream *stream);

/* Takes bytes off the front of `in`. EVENT_STREAM_MESSAGE: `message` holds views into `in`'s bytes or
 * into `stream`, valid until the next feed. EVENT_STREAM_MORE: all of `in` was taken. A fault stays. */
enum event_stream_step event_stream_feed(struct event_stream *stream, struct span *in,
                                         struct event_message *message);

/* Whether the stream may end here: no message is unfinished, and there was no fault. */
bool event_stream_is_whole(const struct event_stream *stream);

#endif
