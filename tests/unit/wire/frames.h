/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/wire/frames.h: AWS event streams for tests, out of the readable form of server-sent events. Its own
 * arithmetic, bit by bit, so that no mistake of the scanner's is made twice. */
#ifndef TESTS_UNIT_WIRE_FRAMES_H
#define TESTS_UNIT_WIRE_FRAMES_H

#include "base/buf.h"
#include "wire/sse.h"

static inline uint32_t frames_crc(struct span bytes)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.at[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1u) != 0 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
        }
    }
    return crc ^ 0xffffffffu;
}

static inline void frames_put_u32(struct buf *out, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        buf_put_char(out, (char)(unsigned char)(number >> shift));
    }
}

static inline void frames_put_header(struct buf *out, const char *name, struct span value)
{
    buf_put_char(out, (char)span_of(name).len);
    buf_put_text(out, name);
    buf_put_char(out, 7);
    buf_put_char(out, (char)(value.len >> 8));
    buf_put_char(out, (char)(value.len & 255u));
    buf_put(out, value);
}

/* A name that begins with '!' is an exception's, one with '?' that of a message that nobody knows. */
static inline void frames_put(struct buf *out, struct span name, struct span payload)
{
    bool is_exception = span_starts(name, SPAN_OF("!"));
    bool is_other = span_starts(name, SPAN_OF("?"));
    size_t from = out->len;
    struct buf headers;

    buf_init(&headers, 4096);
    frames_put_header(&headers, is_exception ? ":exception-type" : ":event-type",
                      span_from(name, is_exception || is_other ? 1 : 0));
    frames_put_header(&headers, ":content-type", SPAN_OF("application/json"));
    frames_put_header(&headers, ":message-type",
                      is_exception ? SPAN_OF("exception") : is_other ? SPAN_OF("hint") : SPAN_OF("event"));
    frames_put_u32(out, (uint32_t)(16 + headers.len + payload.len));
    frames_put_u32(out, (uint32_t)headers.len);
    frames_put_u32(out, frames_crc(span_from(buf_span(out), from)));
    buf_put(out, buf_span(&headers));
    buf_put(out, payload);
    frames_put_u32(out, frames_crc(span_from(buf_span(out), from)));
    buf_fini(&headers);
}

/* `text`: events, each with its name. */
static inline void frames_of(struct buf *out, struct span text)
{
    struct sse sse;
    struct sse_event event;

    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 22);
    while (sse_feed(&sse, &text, &event) == SSE_EVENT) {
        if (event.has_data) {
            frames_put(out, event.name, event.data);
        }
    }
    sse_fini(&sse);
}

#endif
