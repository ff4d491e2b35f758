/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/fuzz_event_stream.c: the first byte says how to cut the rest, how small the ceiling is,
 * and whether the checksums are set right on the way, as no fuzzer finds one. Fed whole and in pieces,
 * the messages and the end must be equal. */
#include <stdint.h>
#include <stdlib.h>

#include "base/must.h"
#include "wire/event_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MENDS = 1, SMALL = 2, PRELUDE = 12, LEAST = 16 };

static uint32_t crc(const uint8_t *at, size_t len)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        sum ^= at[i];
        for (int bit = 0; bit < 8; bit++) {
            sum = sum >> 1 ^ ((sum & 1) != 0 ? 0xedb88320U : 0);
        }
    }
    return ~sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
    for (size_t i = 0; i < 4; i++) {
        at[i] = (uint8_t)(sum >> (24 - 8 * i));
    }
}

/* Sets the sums of each message that lies in the bytes, and the first one's of what is left. */
static void mend(uint8_t *at, size_t len)
{
    while (len >= PRELUDE) {
        size_t total = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];

        put_sum(at + 8, crc(at, 8));
        if (total < LEAST || total > len) {
            return;
        }
        put_sum(at + total - 4, crc(at, total - 4));
        at += total;
        len -= total;
    }
}

struct run {
    struct buf text;
    enum event_stream_step end;
};

static void put_part(struct buf *text, struct span bytes)
{
    buf_put_u64(text, bytes.len);
    buf_put_char(text, ':');
    buf_put(text, bytes);
}

static void take_message(struct run *run, const struct event_message *message)
{
    buf_put_char(&run->text, (char)('0' + message->kind));
    put_part(&run->text, message->name);
    put_part(&run->text, message->content_type);
    put_part(&run->text, message->text);
    put_part(&run->text, message->payload);
}

static void feed(struct run *run, struct event_stream *stream, struct span in)
{
    for (;;) {
        struct event_message message;

        run->end = event_stream_feed(stream, &in, &message);
        if (run->end != EVENT_STREAM_MESSAGE) {
            must(run->end != EVENT_STREAM_MORE || in.len == 0);
            return;
        }
        take_message(run, &message);
    }
}

static void run_stream(struct run *run, struct span bytes, uint8_t how, size_t stride)
{
    uint32_t chance = how * 2654435761U + 1;
    struct event_stream stream;

    run->end = EVENT_STREAM_MORE;
    buf_init(&run->text, SIZE_MAX / 4);
    event_stream_init(&stream, (how & SMALL) != 0 ? 100 : 1024 * 1024);
    while (bytes.len > 0 && run->end == EVENT_STREAM_MORE) {
        size_t count = stride > 0 ? stride : 1 + (chance >> 24) % 16;
        char *copy = NULL;

        chance = chance * 1664525U + 1013904223U;
        count = count > bytes.len ? bytes.len : count;
        copy = malloc(count);
        must(copy != NULL);
        memcpy(copy, bytes.at, count);
        feed(run, &stream, span_make(copy, count));
        free(copy);
        bytes = span_from(bytes, count);
    }
    must(run->end != EVENT_STREAM_NO_MEMORY && !run->text.failed);
    buf_put_char(&run->text, event_stream_is_whole(&stream) ? '.' : '!');
    event_stream_fini(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t how = size > 0 ? data[0] : 0;
    size_t len = size > 0 ? size - 1 : 0;
    uint8_t *bytes = malloc(len + 1);
    struct span stream;
    struct run whole;
    struct run split;

    must(bytes != NULL);
    if (len > 0) {
        memcpy(bytes, data + 1, len);
    }
    if ((how & MENDS) != 0) {
        mend(bytes, len);
    }
    stream = span_make((const char *)bytes, len);
    run_stream(&whole, stream, how, len + 1);
    run_stream(&split, stream, how, how >= 128 ? 1 + how % 8 : 0);
    must(whole.end == split.end);
    must(span_equal(buf_span(&whole.text), buf_span(&split.text)));
    buf_fini(&whole.text);
    buf_fini(&split.text);
    free(bytes);
    return 0;
}
