/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: what framing is taken off, what is refused, and that no split of the bytes changes the
 * payload or the verdict. The ids in comments are rows of the catalogue of bad input. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "tests/lib/bytes.h"
#include "wire/http1.h"

enum { TRACE_MAX = 1024 * 1024 };

struct framing {
    enum http1_framing framing;
    uint64_t length;
};

/* Feeds one piece until it is used up; how many bytes are left of it goes to `rest`. */
static enum http1_step feed(struct http1_body *body, struct span in, struct buf *payload,
                            size_t *rest)
{
    struct span out = {0};
    enum http1_step step = HTTP1_MORE;

    do {
        step = http1_body_feed(body, &in, &out);
        assert_true(step != HTTP1_BAD || out.len == 0);
        buf_put(payload, out);
    } while (step == HTTP1_MORE && in.len > 0);
    *rest = in.len;
    return step;
}

static void trace_body(const struct bytes_split *split, struct buf *trace, void *context)
{
    const struct framing *framing = context;
    struct http1_body body;
    enum http1_step step = HTTP1_MORE;
    size_t rest = 0;
    size_t end = 0;

    http1_body_init(&body, framing->framing, framing->length);
    for (size_t i = 0; i < split->count && step == HTTP1_MORE; i++) {
        struct span piece = bytes_own(bytes_piece(split, i));

        step = feed(&body, piece, trace, &rest);
        end = split->ends[i] - rest;
        bytes_give(piece);
    }
    buf_put_format(trace, "|step %d fault %s end %zu payload %llu", (int)step,
                   http1_fault_code(body.fault), end, (unsigned long long)body.payload);
}

static void check(struct framing framing, struct span in, const char *expected)
{
    struct buf trace;

    buf_init(&trace, TRACE_MAX);
    bytes_same_for_each_split(in, trace_body, &framing, &trace);
    buf_put_char(&trace, '\0');
    assert_false(trace.failed);
    assert_string_equal(trace.at, expected);
    buf_fini(&trace);
}

static void http1_body__takes_exactly_the_length(void **state)
{
    const struct framing five = {HTTP1_BODY_LENGTH, 5};
    const struct framing none = {HTTP1_BODY_LENGTH, 0};

    (void)state;
    check(five, SPAN_OF("hello"), "hello|step 1 fault none end 5 payload 5");
    /* BF08 */
    check(five, SPAN_OF("hel"), "hel|step 0 fault none end 3 payload 3");
    /* BF09 */
    check(five, SPAN_OF("helloGET /"), "hello|step 1 fault none end 5 payload 5");
    check(none, SPAN_OF("GET /"), "|step 1 fault none end 0 payload 0");
    check(none, SPAN_OF(""), "|step 1 fault none end 0 payload 0");
    check((struct framing){HTTP1_BODY_NONE, 0}, SPAN_OF("GET /"),
          "|step 1 fault none end 0 payload 0");
}

static void http1_body__reads_until_close(void **state)
{
    (void)state;
    check((struct framing){HTTP1_BODY_UNTIL_CLOSE, 0}, SPAN_OF("a\r\n0\r\n\r\nb"),
          "a\r\n0\r\n\r\nb|step 0 fault none end 9 payload 9");
}

struct chunked_row {
    struct span in;
    const char *trace;
};

static void http1_body__takes_chunks_apart(void **state)
{
    static const struct chunked_row rows[] = {
        {SPAN("5\r\nhello\r\n0\r\n\r\n"), "hello|step 1 fault none end 15 payload 5"},
        {SPAN("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"), "hello!|step 1 fault none end 21 payload 6"},
        {SPAN("0\r\n\r\nGET / HTTP/1.1\r\n"), "|step 1 fault none end 5 payload 0"},
        {SPAN("0A\r\n0123456789\r\n0\r\n\r\n0"), "0123456789|step 1 fault none end 21 payload 10"},
        {SPAN("a\r\n0123456789\r\n000\r\n\r\n"), "0123456789|step 1 fault none end 22 payload 10"},
        {SPAN("2\r\n\r\n\r\n0\r\n\r\n"), "\r\n|step 1 fault none end 12 payload 2"},
        /* BF19 */
        {SPAN("0000000000000001\r\nx\r\n0\r\n\r\n"), "x|step 1 fault none end 26 payload 1"},
        /* BF22 */
        {SPAN("1;a=b\r\nx\r\n0;last\r\n\r\n"), "x|step 1 fault none end 20 payload 1"},
        {SPAN("1;a=\"b;\\\"\t\";c\r\nx\r\n0\r\n\r\n"), "x|step 1 fault none end 23 payload 1"},
        /* BF25 */
        {SPAN("1\r\nx\r\n"), "x|step 0 fault none end 6 payload 1"},
        {SPAN("1\r\nx\r\n0\r\n"), "x|step 0 fault none end 9 payload 1"},
        /* BF26 */
        {SPAN("0\r\nContent-Length: 5\r\nHost: h\r\nA:\r\n\r\nx"),
         "|step 1 fault none end 37 payload 0"},
        /* BF27 */
        {SPAN("0000000000000000\r\n\r\n"), "|step 1 fault none end 20 payload 0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        check((struct framing){HTTP1_BODY_CHUNKED, 0}, rows[i].in, rows[i].trace);
    }
}

static void http1_body__refuses_malformed_chunks(void **state)
{
    static const struct chunked_row rows[] = {
        /* BF18 */ {SPAN("0x3\r\n"), "|step 2 fault bad_framing end 1 payload 0"},
        /* BF18 */ {SPAN("+3\r\n"), "|step 2 fault bad_framing end 0 payload 0"},
        /* BF18 */ {SPAN("-3\r\n"), "|step 2 fault bad_framing end 0 payload 0"},
        /* BF18 */ {SPAN(" 3\r\n"), "|step 2 fault bad_framing end 0 payload 0"},
        /* BF18 */ {SPAN("3 \r\n"), "|step 2 fault bad_framing end 1 payload 0"},
        /* BF18 */ {SPAN("3_0\r\n"), "|step 2 fault bad_framing end 1 payload 0"},
        /* BF18 */ {SPAN("\r\n"), "|step 2 fault bad_framing end 0 payload 0"},
        /* BF18 */ {SPAN(";a\r\n"), "|step 2 fault bad_framing end 0 payload 0"},
        /* BF18 */ {SPAN("G\r\n"), "|step 2 fault bad_framing end 0 payload 0"},
        /* BF19 */
        {SPAN("10000000000000001\r\n"), "|step 2 fault bad_framing end 16 payload 0"},
        /* BF19 */
        {SPAN("1\r\nx\r\nffffffffffffffff\r\n"), "x|step 2 fault bad_framing end 23 payload 1"},
        /* BF20 */ {SPAN("3\nabc"), "|step 2 fault bad_framing end 1 payload 0"},
        /* BF20 */ {SPAN("3\rabc"), "|step 2 fault bad_framing end 2 payload 0"},
        /* BF21 */ {SPAN("3\r\nabcXX"), "abc|step 2 fault bad_framing end 6 payload 3"},
        /* BF21 */ {SPAN("3\r\nabc\n"), "abc|step 2 fault bad_framing end 6 payload 3"},
        /* BF21 */ {SPAN("3\r\nabc\rX"), "abc|step 2 fault bad_framing end 7 payload 3"},
        /* BF23 */ {SPAN("1;a\nx"), "|step 2 fault bad_framing end 3 payload 0"},
        /* BF23 */ {SPAN("1;a\rx"), "|step 2 fault bad_framing end 4 payload 0"},
        /* BF23 */ {SPAN("1;a\0\r\n"), "|step 2 fault bad_framing end 3 payload 0"},
        /* BF23 */ {SPAN("1;a=\"b\r\n"), "|step 2 fault bad_framing end 6 payload 0"},
        /* BF23 */ {SPAN("1;a=\"b\\\r\n"), "|step 2 fault bad_framing end 7 payload 0"},
        /* BF23 */ {SPAN("1;a=\"\n\"\r\n"), "|step 2 fault bad_framing end 5 payload 0"},
        /* BF23 */ {SPAN("1;\xe9\r\n"), "|step 2 fault bad_framing end 2 payload 0"},
        /* BF26 */ {SPAN("0\r\nA b: c\r\n\r\n"), "|step 2 fault bad_header end 4 payload 0"},
        /* BF26 */ {SPAN("0\r\n A: c\r\n\r\n"), "|step 2 fault bad_header end 3 payload 0"},
        /* BF26 */ {SPAN("0\r\nA\r\n\r\n"), "|step 2 fault bad_header end 4 payload 0"},
        /* BF26 */ {SPAN("0\r\nA: b\n\r\n"), "|step 2 fault bad_header end 7 payload 0"},
        /* BF26 */ {SPAN("0\r\nA: \0\r\n"), "|step 2 fault bad_header end 6 payload 0"},
        /* BF26 */ {SPAN("0\r\nA: b\rX"), "|step 2 fault bad_header end 8 payload 0"},
        /* BF25 */ {SPAN("0\r\n\rX"), "|step 2 fault bad_header end 4 payload 0"},
        /* BF27 */
        {SPAN("000000000000000000000\r\n\r\n"), "|step 2 fault bad_framing end 16 payload 0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        check((struct framing){HTTP1_BODY_CHUNKED, 0}, rows[i].in, rows[i].trace);
    }
}

/* `count` times `unit`, then `after`, whole and in pieces of a few bytes. */
static void check_long(const char *unit, size_t count, const char *after, enum http1_fault fault)
{
    static const size_t strides[] = {SIZE_MAX / 2, 1, 7};
    struct buf in;
    struct buf payload;

    buf_init(&in, TRACE_MAX);
    buf_init(&payload, TRACE_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_put_text(&in, unit);
    }
    buf_put_text(&in, after);
    for (size_t i = 0; i < ARRAY_LENGTH(strides); i++) {
        struct http1_body body;
        enum http1_step step = HTTP1_MORE;
        size_t rest = 0;

        http1_body_init(&body, HTTP1_BODY_CHUNKED, 0);
        buf_clear(&payload);
        for (size_t at = 0; at < in.len && step == HTTP1_MORE; at += strides[i]) {
            struct span left = span_from(buf_span(&in), at);

            left.len = left.len < strides[i] ? left.len : strides[i];
            step = feed(&body, left, &payload, &rest);
        }
        assert_int_equal(body.fault, fault);
        assert_int_equal(step, fault == HTTP1_FAULT_NONE ? HTTP1_DONE : HTTP1_BAD);
    }
    buf_fini(&in);
    buf_fini(&payload);
}

#define BYTES_16  "0123456789abcdef"
#define BYTES_64  BYTES_16 BYTES_16 BYTES_16 BYTES_16
#define BYTES_240 BYTES_64 BYTES_64 BYTES_64 BYTES_16 BYTES_16 BYTES_16

static void http1_body__limits_what_framing_may_cost(void **state)
{
    (void)state;
    /* BF22: 256 bytes of one extension. */
    check_long("1;" BYTES_240 "0123456789abcde\r\nx\r\n", 1, "0\r\n\r\n", HTTP1_FAULT_NONE);
    check_long("1;" BYTES_240 "0123456789abcdef\r\nx\r\n", 1, "0\r\n\r\n",
               HTTP1_FAULT_CHUNK_OVERHEAD);
    /* BF24: 4 KiB of all. */
    check_long("1;" BYTES_240 "0123456789abcde\r\nx\r\n", 16, "0\r\n\r\n", HTTP1_FAULT_NONE);
    check_long("1;" BYTES_240 "0123456789abcde\r\nx\r\n", 16, "0;\r\n\r\n",
               HTTP1_FAULT_CHUNK_OVERHEAD);
    check_long("1;x\r\ny\r\n", 3000, "0\r\n\r\n", HTTP1_FAULT_CHUNK_OVERHEAD);
    /* BF28: without extensions it is the payload that counts. */
    check_long("1\r\ny\r\n", 30000, "0\r\n\r\n", HTTP1_FAULT_NONE);
}

/* BF26: the trailers, their lines' ends and the blank line have 8 KiB together. */
static void http1_body__limits_trailers(void **state)
{
    (void)state;
    check_long("0\r\n", 1, "A: b\r\n\r\n", HTTP1_FAULT_NONE);
    check_long("1\r\ny\r\n", 1, "0\r\n" BYTES_240 ": " BYTES_240 "\r\n\r\n", HTTP1_FAULT_NONE);
}

static void http1_body__refuses_too_many_trailers(void **state)
{
    struct buf in;
    struct buf payload;
    size_t rest = 0;

    (void)state;
    for (size_t excess = 0; excess < 2; excess++) {
        struct http1_body body;

        buf_init(&in, TRACE_MAX);
        buf_init(&payload, TRACE_MAX);
        buf_put_text(&in, "0\r\nA:");
        while (in.len < (size_t)LIMIT_TRAILERS + 3 - 4 + excess) {
            buf_put_text(&in, in.len % 100 == 0 ? "\r\nA:" : "b");
        }
        buf_put_text(&in, "\r\n\r\n");
        assert_int_equal(in.len, LIMIT_TRAILERS + 3 + excess);
        http1_body_init(&body, HTTP1_BODY_CHUNKED, 0);
        assert_int_equal(feed(&body, buf_span(&in), &payload, &rest),
                         excess == 0 ? HTTP1_DONE : HTTP1_BAD);
        assert_int_equal(body.fault, excess == 0 ? HTTP1_FAULT_NONE : HTTP1_FAULT_TRAILERS_LONG);
        buf_fini(&in);
        buf_fini(&payload);
    }
}

static void http1_body__repeats_its_last_word(void **state)
{
    struct http1_body body;
    struct span in = SPAN_OF("0\r\n\r\n");
    struct span bad = SPAN_OF("x");
    struct span out = {0};

    (void)state;
    http1_body_init(&body, HTTP1_BODY_CHUNKED, 0);
    assert_int_equal(http1_body_feed(&body, &in, &out), HTTP1_DONE);
    in = SPAN_OF("GET");
    assert_int_equal(http1_body_feed(&body, &in, &out), HTTP1_DONE);
    assert_int_equal(in.len, 3);
    http1_body_init(&body, HTTP1_BODY_CHUNKED, 0);
    assert_int_equal(http1_body_feed(&body, &bad, &out), HTTP1_BAD);
    assert_int_equal(http1_body_feed(&body, &bad, &out), HTTP1_BAD);
    assert_int_equal(body.fault, HTTP1_FAULT_CHUNK);
}

/* The end that arrives with the last piece is told with it: nobody waits for bytes that never
 * come. */
static void http1_body__tells_the_end_with_the_last_piece(void **state)
{
    struct http1_body body;
    struct span in = SPAN_OF("5\r\nhello\r\n0\r\n\r\n");
    struct span out = {0};

    (void)state;
    http1_body_init(&body, HTTP1_BODY_CHUNKED, 0);
    assert_int_equal(http1_body_feed(&body, &in, &out), HTTP1_DONE);
    assert_true(span_equal(out, SPAN_OF("hello")));
    assert_int_equal(in.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http1_body__takes_exactly_the_length),
        cmocka_unit_test(http1_body__reads_until_close),
        cmocka_unit_test(http1_body__takes_chunks_apart),
        cmocka_unit_test(http1_body__refuses_malformed_chunks),
        cmocka_unit_test(http1_body__limits_what_framing_may_cost),
        cmocka_unit_test(http1_body__limits_trailers),
        cmocka_unit_test(http1_body__refuses_too_many_trailers),
        cmocka_unit_test(http1_body__repeats_its_last_word),
        cmocka_unit_test(http1_body__tells_the_end_with_the_last_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
