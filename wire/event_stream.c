/* SPDX-License-Identifier: Apache-2.0 */
/* A message, all integers big-endian (bedrock.md 5):
 *   0        total length N
 *   4        length H of the headers
 *   8        CRC-32 of the eight bytes before
 *   12       headers: a byte with the length of the name, the name, a byte with the type, the value
 *   12 + H   payload
 *   N - 4    CRC-32 of all before */
#include "wire/event_stream.h"

#include <stdint.h>

#include "base/must.h"

enum { PRELUDE = 12, CHECKSUM = 4, LEAST = PRELUDE + CHECKSUM, TEXT_MAX = 32767 };

static uint32_t number_at(struct span bytes, size_t at)
{
    const unsigned char *p = (const unsigned char *)bytes.at + at;

    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* CRC-32 of IEEE 802.3, the one of zlib, four bits at a time. */
static uint32_t crc_of(struct span bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < bytes.len; i++) {
        sum ^= (unsigned char)bytes.at[i];
        sum = sum >> 4 ^ table[sum & 15U];
        sum = sum >> 4 ^ table[sum & 15U];
    }
    return ~sum;
}

void event_stream_init(struct event_stream *stream, size_t message_max)
{
    *stream = (struct event_stream){.message_max = message_max};
    buf_init(&stream->tail, message_max < LEAST ? LEAST : message_max);
}

void event_stream_fini(struct event_stream *stream)
{
    buf_fini(&stream->tail);
}

/* ---- headers ---- */

enum header_type {
    HEADER_TRUE,
    HEADER_FALSE,
    HEADER_INT8,
    HEADER_INT16,
    HEADER_INT32,
    HEADER_INT64,
    HEADER_BYTES,
    HEADER_STRING,
    HEADER_TIMESTAMP,
    HEADER_UUID,
    HEADER_TYPES
};

struct header {
    struct span name;
    enum header_type type;
    struct span value;
};

/* Takes so many bytes off the front. */
static bool take(struct span *rest, size_t len, struct span *taken)
{
    if (rest->len < len) {
        return false;
    }
    *taken = span_make(rest->at, len);
    *rest = span_from(*rest, len);
    return true;
}

static bool take_byte(struct span *rest, unsigned *byte)
{
    struct span taken;

    if (!take(rest, 1, &taken)) {
        return false;
    }
    *byte = (unsigned char)taken.at[0];
    return true;
}

static bool take_value(struct span *rest, struct header *header)
{
    static const uint8_t sizes[HEADER_TYPES] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
    unsigned high = 0;
    unsigned low = 0;
    size_t len = sizes[header->type];

    if (header->type == HEADER_BYTES || header->type == HEADER_STRING) {
        if (!take_byte(rest, &high) || !take_byte(rest, &low)) {
            return false;
        }
        len = high << 8 | low;
        if (len > TEXT_MAX) {
            return false;
        }
    }
    return take(rest, len, &header->value);
}

static bool take_header(struct span *rest, struct header *header)
{
    unsigned len = 0;
    unsigned type = 0;

    if (!take_byte(rest, &len) || len == 0 || !take(rest, len, &header->name) ||
        !take_byte(rest, &type) || type >= HEADER_TYPES) {
        return false;
    }
    header->type = (enum header_type)type;
    return take_value(rest, header);
}

static enum event_message_kind kind_of(struct span word)
{
    if (span_equal(word, SPAN_OF("event"))) {
        return EVENT_MESSAGE_EVENT;
    }
    if (span_equal(word, SPAN_OF("exception"))) {
        return EVENT_MESSAGE_EXCEPTION;
    }
    return span_equal(word, SPAN_OF("error")) ? EVENT_MESSAGE_ERROR : EVENT_MESSAGE_OTHER;
}

/* What a message says of itself. Which of the names counts depends on its kind, and headers come in
 * any order. */
enum told { TOLD_TYPE, TOLD_EVENT, TOLD_EXCEPTION, TOLD_CODE, TOLD_TEXT, TOLD_CONTENT, TOLD };

static const struct span told_names[TOLD] = {SPAN(":message-type"),   SPAN(":event-type"),
                                             SPAN(":exception-type"), SPAN(":error-code"),
                                             SPAN(":error-message"),  SPAN(":content-type")};

static void tell(const struct header *header, struct span told[TOLD])
{
    for (size_t i = 0; header->type == HEADER_STRING && i < TOLD; i++) {
        if (span_equal(header->name, told_names[i])) {
            told[i] = header->value;
        }
    }
}

static bool read_headers(struct span headers, struct event_message *message)
{
    struct span told[TOLD];
    struct header header;

    for (size_t i = 0; i < TOLD; i++) {
        told[i] = span_make("", 0);
    }
    while (headers.len > 0) {
        if (!take_header(&headers, &header)) {
            return false;
        }
        tell(&header, told);
    }
    message->kind = kind_of(told[TOLD_TYPE]);
    message->name = span_make("", 0);
    switch (message->kind) {
    case EVENT_MESSAGE_OTHER: break;
    case EVENT_MESSAGE_EVENT: message->name = told[TOLD_EVENT]; break;
    case EVENT_MESSAGE_EXCEPTION: message->name = told[TOLD_EXCEPTION]; break;
    case EVENT_MESSAGE_ERROR: message->name = told[TOLD_CODE]; break;
    }
    message->content_type = told[TOLD_CONTENT];
    message->text = told[TOLD_TEXT];
    return true;
}

/* ---- messages ---- */

/* Of the twelve bytes: the whole length, or what is wrong. Nothing is taken for a length before its
 * checksum is right. */
static enum event_stream_step read_prelude(struct event_stream *stream, struct span bytes)
{
    size_t total = number_at(bytes, 0);
    size_t headers = number_at(bytes, 4);

    if (crc_of(span_make(bytes.at, 8)) != number_at(bytes, 8) || total < LEAST ||
        headers > total - LEAST) {
        return EVENT_STREAM_BROKEN;
    }
    if (total > stream->message_max) {
        return EVENT_STREAM_TOO_LONG;
    }
    stream->total = total;
    return EVENT_STREAM_MORE;
}

static enum event_stream_step read_message(struct span bytes, struct event_message *message)
{
    size_t headers = number_at(bytes, 4);
    size_t end = bytes.len - CHECKSUM;

    if (crc_of(span_make(bytes.at, end)) != number_at(bytes, end) ||
        !read_headers(span_make(bytes.at + PRELUDE, headers), message)) {
        return EVENT_STREAM_BROKEN;
    }
    message->payload = span_make(bytes.at + PRELUDE + headers, end - PRELUDE - headers);
    return EVENT_STREAM_MESSAGE;
}

/* Moves bytes from `in` until the tail has so many, if there are as many. */
static bool fill(struct event_stream *stream, struct span *in, size_t wanted)
{
    size_t missing = wanted - stream->tail.len;
    size_t len = missing < in->len ? missing : in->len;

    buf_put(&stream->tail, span_make(in->at, len));
    *in = span_from(*in, len);
    return len == missing;
}

/* A message that lies in `in` whole is read where it lies. */
static enum event_stream_step feed_in_place(struct event_stream *stream, struct span *in,
                                            struct event_message *message)
{
    enum event_stream_step step = read_prelude(stream, *in);
    struct span bytes = *in;

    if (step != EVENT_STREAM_MORE || stream->total > in->len) {
        return step;
    }
    bytes.len = stream->total;
    *in = span_from(*in, bytes.len);
    stream->total = 0;
    return read_message(bytes, message);
}

static enum event_stream_step feed_tail(struct event_stream *stream, struct span *in,
                                        struct event_message *message)
{
    enum event_stream_step step = EVENT_STREAM_MORE;

    if (stream->tail.len < PRELUDE) {
        if (!fill(stream, in, PRELUDE)) {
            return stream->tail.failed ? EVENT_STREAM_NO_MEMORY : EVENT_STREAM_MORE;
        }
        step = stream->tail.failed ? EVENT_STREAM_NO_MEMORY
                                   : read_prelude(stream, buf_span(&stream->tail));
        if (step != EVENT_STREAM_MORE) {
            return step;
        }
    }
    if (!fill(stream, in, stream->total)) {
        return stream->tail.failed ? EVENT_STREAM_NO_MEMORY : EVENT_STREAM_MORE;
    }
    if (stream->tail.failed) {
        return EVENT_STREAM_NO_MEMORY;
    }
    stream->is_given = true;
    stream->total = 0;
    return read_message(buf_span(&stream->tail), message);
}

enum event_stream_step event_stream_feed(struct event_stream *stream, struct span *in,
                                         struct event_message *message)
{
    enum event_stream_step step = stream->fault;

    if (step != EVENT_STREAM_MORE) {
        return step;
    }
    if (stream->is_given) {
        buf_clear(&stream->tail);
        stream->is_given = false;
    }
    if (stream->tail.len == 0 && in->len >= PRELUDE) {
        step = feed_in_place(stream, in, message);
    }
    if (step == EVENT_STREAM_MORE) {
        step = feed_tail(stream, in, message);
    }
    if (step != EVENT_STREAM_MORE && step != EVENT_STREAM_MESSAGE) {
        stream->fault = step;
    }
    return step;
}

bool event_stream_is_whole(const struct event_stream *stream)
{
    return stream->fault == EVENT_STREAM_MORE && (stream->is_given || stream->tail.len == 0);
}
