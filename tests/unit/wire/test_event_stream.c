/* SPDX-License-Identifier: Apache-2.0 */
/* AWS event streams: the vectors of bedrock.md 5 in every split, and every way to be wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "tests/lib/bytes.h"
#include "wire/event_stream.h"

enum { MESSAGE_MAX = 16 * 1024 * 1024, ROOM = 1 << 20 };

#define EMPTY "000000100000000005c248eb7d98c8ff"
#define DELTA                                                                                      \
    "0000009400000057b4ab9aee0b3a6576656e742d74797065070011636f6e74656e74426c6f636b44656c74610d3a" \
    "636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650"  \
    "700056576656e747b2264656c7461223a7b2274657874223a224869227d2c22636f6e74656e74426c6f636b496e" \
    "646578223a307dee2da0d3"
#define THROTTLED                                                                                  \
    "0000008e00000061514180540f3a657863657074696f6e2d747970650700137468726f74746c696e674578636570" \
    "74696f6e0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167"  \
    "652d74797065070009657863657074696f6e7b226d657373616765223a22546f6f206d616e7920746f6b656e7322" \
    "7dc81b1ec1"

/* By the definition, bit by bit: nothing that a table could get wrong. */
static uint32_t crc_by_definition(struct span bytes)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < bytes.len; i++) {
        sum ^= (unsigned char)bytes.at[i];
        for (int bit = 0; bit < 8; bit++) {
            sum = sum >> 1 ^ ((sum & 1) != 0 ? 0xedb88320U : 0);
        }
    }
    return ~sum;
}

static void put_number(struct buf *out, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        buf_put_char(out, (char)(number >> shift & 0xffU));
    }
}

static void put_hex(struct buf *out, const char *hex)
{
    for (; *hex != '\0'; hex += 2) {
        buf_put_char(out, (char)(text_hex_digit(hex[0]) * 16 + text_hex_digit(hex[1])));
    }
}

/* A message with right lengths and sums around whatever headers and payload. */
static void put_message(struct buf *out, struct span headers, struct span payload)
{
    size_t from = out->len;

    put_number(out, (uint32_t)(16 + headers.len + payload.len));
    put_number(out, (uint32_t)headers.len);
    put_number(out, crc_by_definition(span_make(out->at + from, 8)));
    buf_put(out, headers);
    buf_put(out, payload);
    put_number(out, crc_by_definition(span_make(out->at + from, out->len - from)));
}

static void write_message(struct buf *trace, const struct event_message *message)
{
    static const char *const kinds[] = {"other", "event", "exception", "error"};

    buf_put_format(trace, "(%s|%.*s|%.*s|%.*s|%.*s)", kinds[message->kind],
                   SPAN_ARGS(message->name), SPAN_ARGS(message->content_type),
                   SPAN_ARGS(message->text), SPAN_ARGS(message->payload));
}

static bool feed_piece(struct event_stream *stream, struct span piece, struct buf *trace)
{
    for (;;) {
        struct event_message message;

        switch (event_stream_feed(stream, &piece, &message)) {
        case EVENT_STREAM_MORE: assert_int_equal(piece.len, 0); return true;
        case EVENT_STREAM_MESSAGE: write_message(trace, &message); break;
        case EVENT_STREAM_BROKEN: buf_put_text(trace, "broken"); return false;
        case EVENT_STREAM_TOO_LONG: buf_put_text(trace, "too long"); return false;
        case EVENT_STREAM_NO_MEMORY: buf_put_text(trace, "no memory"); return false;
        }
    }
}

static void trace_messages(const struct bytes_split *split, struct buf *trace, void *context)
{
    const size_t *message_max = context;
    struct event_stream stream;
    bool is_good = true;

    event_stream_init(&stream, *message_max);
    for (size_t i = 0; i < split->count && is_good; i++) {
        struct span piece = bytes_own(bytes_piece(split, i));

        is_good = feed_piece(&stream, piece, trace);
        bytes_give(piece);
    }
    buf_put_text(trace, event_stream_is_whole(&stream) ? "." : "!");
    event_stream_fini(&stream);
}

/* Gives `bytes` back. */
static void assert_told(struct buf *bytes, const char *expected)
{
    size_t message_max = MESSAGE_MAX;
    struct buf told;

    assert_false(bytes->failed);
    buf_init(&told, ROOM);
    bytes_same_for_each_split(buf_span(bytes), trace_messages, &message_max, &told);
    if (!span_equal(buf_span(&told), span_of(expected))) {
        fail_msg("%.*s is not %s", SPAN_ARGS(buf_span(&told)), expected);
    }
    buf_fini(&told);
    buf_fini(bytes);
    assert_int_equal(mem_held(), 0);
}

static void event_stream__reads_the_vectors_in_every_split(void **state)
{
    static const struct {
        const char *hex;
        const char *told;
    } rows[] = {
        {"", "."},
        {EMPTY, "(other||||)."},
        {DELTA, "(event|contentBlockDelta|application/json||"
                "{\"delta\":{\"text\":\"Hi\"},\"contentBlockIndex\":0})."},
        {THROTTLED,
         "(exception|throttlingException|application/json||{\"message\":\"Too many tokens\"})."},
        {EMPTY DELTA EMPTY,
         "(other||||)(event|contentBlockDelta|application/json||"
         "{\"delta\":{\"text\":\"Hi\"},\"contentBlockIndex\":0})(other||||)."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf bytes;

        buf_init(&bytes, ROOM);
        put_hex(&bytes, rows[i].hex);
        assert_told(&bytes, rows[i].told);
    }
}

/* Every byte is under a checksum: no single one can change unnoticed. A length that became longer
 * cannot pretend that more is to come, as it has a checksum of its own. */
static void event_stream__notices_every_changed_byte(void **state)
{
    struct buf bytes;

    (void)state;
    buf_init(&bytes, ROOM);
    put_hex(&bytes, DELTA);
    for (size_t i = 0; i < bytes.len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct event_stream stream;
            struct event_message message;
            struct span in = buf_span(&bytes);

            bytes.at[i] = (char)((unsigned char)bytes.at[i] ^ 1U << bit);
            event_stream_init(&stream, MESSAGE_MAX);
            assert_int_equal(event_stream_feed(&stream, &in, &message), EVENT_STREAM_BROKEN);
            assert_int_equal(event_stream_feed(&stream, &in, &message), EVENT_STREAM_BROKEN);
            assert_false(event_stream_is_whole(&stream));
            event_stream_fini(&stream);
            bytes.at[i] = (char)((unsigned char)bytes.at[i] ^ 1U << bit);
        }
    }
    buf_fini(&bytes);
}

static void event_stream__a_cut_is_no_end(void **state)
{
    struct buf bytes;

    (void)state;
    buf_init(&bytes, ROOM);
    put_hex(&bytes, DELTA);
    for (size_t len = 1; len < bytes.len; len++) {
        struct event_stream stream;
        struct event_message message;
        struct span in = span_make(bytes.at, len);

        event_stream_init(&stream, MESSAGE_MAX);
        assert_int_equal(event_stream_feed(&stream, &in, &message), EVENT_STREAM_MORE);
        assert_int_equal(in.len, 0);
        assert_false(event_stream_is_whole(&stream));
        event_stream_fini(&stream);
    }
    buf_fini(&bytes);
}

#define NAME_TYPE "\x0d:message-type\x07"
#define EVENT     NAME_TYPE "\x00\x05"                                                             \
                            "event"

static void event_stream__passes_by_what_it_does_not_know(void **state)
{
    static const struct {
        struct span headers;
        const char *told;
    } rows[] = {
        {SPAN("\x01x\x00"), "(other||||p)."},
        {SPAN("\x01x\x01\x01y\x02z\x01w\x03zz"), "(other||||p)."},
        {SPAN("\x01x\x04zzzz\x01y\x05zzzzzzzz\x01z\x08zzzzzzzz\x01u\x09zzzzzzzzzzzzzzzz" EVENT),
         "(event||||p)."},
        {SPAN("\x01x\x06\x00\x03zzz" EVENT), "(event||||p)."},
        {SPAN(NAME_TYPE "\x00\x05"
                        "other"),
         "(other||||p)."},
        {SPAN(NAME_TYPE "\x00\x00"), "(other||||p)."},
        /* Not a text: not said. */
        {SPAN("\x0d:message-type\x06\x00\x05"
              "event"),
         "(other||||p)."},
        /* The name of another kind is none. */
        {SPAN("\x0b:error-code\x07\x00\x01X" EVENT), "(event||||p)."},
        {SPAN("\x0b:error-code\x07\x00\x01X\x0e:error-message\x07\x00\x02no" NAME_TYPE "\x00\x05"
              "error"),
         "(error|X||no|p)."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf bytes;

        buf_init(&bytes, ROOM);
        put_message(&bytes, rows[i].headers, SPAN_OF("p"));
        assert_told(&bytes, rows[i].told);
    }
}

static void event_stream__refuses_headers_that_do_not_fit(void **state)
{
    static const struct span rows[] = {
        SPAN("\x00\x00"),               /* a name without a letter */
        SPAN("\x02x"),                  /* a name that is cut */
        SPAN("\x01x"),                  /* no type */
        SPAN("\x01x\x0a"),              /* a type that is none */
        SPAN("\x01x\x04zzz"),           /* a value that is cut */
        SPAN("\x01x\x07\x00"),          /* a length that is cut */
        SPAN("\x01x\x07\x00\x02z"),     /* a text that is cut */
        SPAN("\x01x\x07\x80\x00"),      /* longer than a text may be */
        SPAN("\x01x\x00\x05"),          /* good, then cut */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf bytes;

        buf_init(&bytes, ROOM);
        put_message(&bytes, rows[i], SPAN_OF(""));
        assert_told(&bytes, "broken!");
    }
}

/* A prelude with a right checksum, and nothing behind it. */
static void put_prelude(struct buf *out, uint32_t total, uint32_t headers)
{
    put_number(out, total);
    put_number(out, headers);
    put_number(out, crc_by_definition(buf_span(out)));
}

static void event_stream__lengths_are_bounded_before_anything_is_held(void **state)
{
    static const struct {
        uint32_t total;
        uint32_t headers;
        size_t max;
        enum event_stream_step step;
    } rows[] = {
        {0, 0, MESSAGE_MAX, EVENT_STREAM_BROKEN},
        {15, 0, MESSAGE_MAX, EVENT_STREAM_BROKEN},
        {16, 0, MESSAGE_MAX, EVENT_STREAM_MORE},
        {16, 1, MESSAGE_MAX, EVENT_STREAM_BROKEN},
        {16, UINT32_MAX, MESSAGE_MAX, EVENT_STREAM_BROKEN},
        {100, 84, MESSAGE_MAX, EVENT_STREAM_MORE},
        {100, 85, MESSAGE_MAX, EVENT_STREAM_BROKEN},
        {100, 0, 100, EVENT_STREAM_MORE},
        {101, 0, 100, EVENT_STREAM_TOO_LONG},
        {UINT32_MAX, 0, MESSAGE_MAX, EVENT_STREAM_TOO_LONG},
        {16, 0, 0, EVENT_STREAM_TOO_LONG},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct event_stream stream;
        struct event_message message;
        struct span in;
        struct buf bytes;

        buf_init(&bytes, ROOM);
        put_prelude(&bytes, rows[i].total, rows[i].headers);
        in = buf_span(&bytes);
        event_stream_init(&stream, rows[i].max);
        assert_int_equal(event_stream_feed(&stream, &in, &message), rows[i].step);
        event_stream_fini(&stream);
        buf_fini(&bytes);
    }
}

static void event_stream__without_memory_it_says_so(void **state)
{
    struct buf bytes;
    struct event_stream stream;
    struct event_message message;
    struct span in;

    (void)state;
    buf_init(&bytes, ROOM);
    put_hex(&bytes, DELTA);
    in = span_make(bytes.at, 20);
    event_stream_init(&stream, MESSAGE_MAX);
    mem_fail_at(1);
    assert_int_equal(event_stream_feed(&stream, &in, &message), EVENT_STREAM_NO_MEMORY);
    mem_fail_at(0);
    assert_false(event_stream_is_whole(&stream));
    event_stream_fini(&stream);
    buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_stream__reads_the_vectors_in_every_split),
        cmocka_unit_test(event_stream__notices_every_changed_byte),
        cmocka_unit_test(event_stream__a_cut_is_no_end),
        cmocka_unit_test(event_stream__passes_by_what_it_does_not_know),
        cmocka_unit_test(event_stream__refuses_headers_that_do_not_fit),
        cmocka_unit_test(event_stream__lengths_are_bounded_before_anything_is_held),
        cmocka_unit_test(event_stream__without_memory_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
