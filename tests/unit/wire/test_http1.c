/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner of HTTP/1.1 against tables of inputs: what is refused and why, what is accepted and
 * as what, and that no split of the bytes changes either. The ids in comments are rows of the
 * catalogue of bad input. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/buf.h"
#include "tests/lib/bytes.h"
#include "wire/http1.h"

enum { TRACE_MAX = 1024 * 1024 };

/* What a scan has to say, as text. */
static void put_head(struct buf *trace, const struct http1_head *head, const char *base)
{
    buf_put_format(trace, "size %u minor %u status %u framing %d length %llu\n", head->size,
                   head->minor, head->status, (int)head->framing, (unsigned long long)head->length);
    buf_put_format(trace, "keep %d continue %d upgrade %d\n", head->keep_alive,
                   head->expects_continue, head->has_upgrade);
    buf_put_format(trace, "%.*s|%.*s|%.*s\n", SPAN_ARGS(http1_part_span(head->method, base)),
                   SPAN_ARGS(http1_part_span(head->target, base)),
                   SPAN_ARGS(http1_part_span(head->host, base)));
    for (size_t i = 0; i < head->count; i++) {
        buf_put(trace, http1_name(head, base, i));
        buf_put_text(trace, "=");
        buf_put(trace, http1_value(head, base, i));
        buf_put_text(trace, "\n");
    }
}

/* Each feed gets the bytes at a new place, as the contract allows. */
static void trace_head(const struct bytes_split *split, struct buf *trace, void *context)
{
    struct http1_head head;
    enum http1_step step = HTTP1_MORE;

    http1_head_init(&head, *(enum http1_kind *)context);
    for (size_t i = 0; i < split->count && step == HTTP1_MORE; i++) {
        struct span bytes = bytes_own(bytes_prefix(split, i));

        step = http1_head_feed(&head, bytes);
        if (step == HTTP1_DONE) {
            put_head(trace, &head, bytes.at);
        }
        bytes_give(bytes);
    }
    buf_put_format(trace, "step %d fault %s\n", (int)step, http1_fault_code(head.fault));
}

static enum http1_step scan(struct http1_head *head, enum http1_kind kind, struct span in)
{
    http1_head_init(head, kind);
    return http1_head_feed(head, in);
}

struct refused_row {
    struct span in;
    enum http1_fault fault;
};

static void check_refused(enum http1_kind kind, const struct refused_row *row)
{
    struct http1_head head;
    enum http1_step step = scan(&head, kind, row->in);

    if (step != HTTP1_BAD || head.fault != row->fault) {
        fail_msg("step %d, fault %s (%d), not %s, for\n%.*s", (int)step,
                 http1_fault_code(head.fault), (int)head.fault, http1_fault_code(row->fault),
                 SPAN_ARGS(row->in));
    }
    assert_int_equal(http1_head_feed(&head, row->in), HTTP1_BAD);
    bytes_same_for_each_split(row->in, trace_head, &kind, NULL);
}

#define LINE "POST /v1/messages HTTP/1.1\r\n"
#define HOST "Host: h\r\n"
/* A request with these further field lines. */
#define WITH(fields) SPAN(LINE HOST fields "\r\n")

static const struct refused_row refused_lines[] = {
    /* BL03 */ {SPAN("\r\n\r\n\r\nGET / HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL04 */ {SPAN("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), HTTP1_FAULT_REQUEST_LINE},
    /* BL05 */ {SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP1_FAULT_VERSION},
    /* BL06 */ {SPAN("\x8f\x01\x99\xe2\x00\x7f"), HTTP1_FAULT_REQUEST_LINE},
    /* BL07 */ {SPAN("GET /v1/models\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL07 */ {SPAN("GET /v1/models\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL07 */ {SPAN("GET /v1/models \r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / HTTP/1.32\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / HTTP/01.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / HTTP/1.1 \r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / http/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / HTTP/1.\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / HTTP/1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / HTTPS/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / HTTP/1.1x\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL08 */ {SPAN("GET / HTTP/1,1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL09 */ {SPAN("GET / HTTP/2.0\r\n"), HTTP1_FAULT_VERSION},
    /* BL09 */ {SPAN("GET / HTTP/3.0\r\n"), HTTP1_FAULT_VERSION},
    /* BL09 */ {SPAN("GET / HTTP/9.9\r\n"), HTTP1_FAULT_VERSION},
    /* BL09 */ {SPAN("GET / HTTP/1.2\r\n"), HTTP1_FAULT_VERSION},
    /* BL09 */ {SPAN("GET / HTTP/0.9\r\n"), HTTP1_FAULT_VERSION},
    /* BL10 */ {SPAN("GET / HTTP/4294967297.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL12 */ {SPAN("G=T / HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL12 */ {SPAN("GE(T / HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL12 */ {SPAN(" / HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL12 */ {SPAN("\0GET / HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL14 */ {SPAN("CONNECT host:443 HTTP/1.1\r\n"), HTTP1_FAULT_METHOD},
    /* BL14 */ {SPAN("TRACE / HTTP/1.1\r\n"), HTTP1_FAULT_METHOD},
    /* BL16 */ {SPAN("GET  / HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL16 */ {SPAN("GET /  HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL16 */ {SPAN("GET\t/ HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL16 */ {SPAN("GET /\tHTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL16 */ {SPAN("GET\n/ HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL16 */ {SPAN("GET /\nHTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL17 */ {SPAN("GET /a b HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a %20 HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a#b HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a\"b HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a<b HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a>b HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a\\b HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a\x80 HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a\xff HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a\x01 HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a\x7f HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL17 */ {SPAN("GET /a\0 HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL21 */
    {SPAN("GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n"), HTTP1_FAULT_HOST_MISMATCH},
    /* BL21 */
    {SPAN("GET http://a.test/ HTTP/1.1\r\nHost: a.test:80\r\n\r\n"), HTTP1_FAULT_HOST_MISMATCH},
    /* BL21 */ {SPAN("GET http://a.test/ HTTP/1.1\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BL22 */ {SPAN("POST * HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("OPTIONS * HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("PRI * HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST host:443 HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST a.test:443 HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST ftp://h/ HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST http:/h/ HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST http:///x HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST http://u@h/x HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST http://h HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST http://h?x HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL22 */ {SPAN("POST http://h:x/ HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL25 */ {SPAN("GET /%zz HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL25 */ {SPAN("GET /%0 HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL25 */ {SPAN("GET /% HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL25 */ {SPAN("GET /%4g HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL25 */ {SPAN("GET /a%00b HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL25 */ {SPAN("GET /?a=%00 HTTP/1.1\r\n"), HTTP1_FAULT_TARGET},
    /* BL29 */ {SPAN("GET / HTTP/1.1\nHost: h\n\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL30 */ {SPAN("GET / HTTP/1.1\rHost: h\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL30 */ {SPAN("\rGET / HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
    /* BL30 */ {SPAN("\nGET / HTTP/1.1\r\n"), HTTP1_FAULT_REQUEST_LINE},
};

static const struct refused_row refused_fields[] = {
    /* BH01 */ {SPAN("GET / HTTP/1.1\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH01 */ {SPAN("GET / HTTP/1.1\r\nHosts: h\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH02 */ {WITH("Host: h\r\n"), HTTP1_FAULT_HOST},
    /* BH02 */ {WITH("hOST: other\r\n"), HTTP1_FAULT_HOST},
    /* BH02 */ {SPAN("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h/x\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h?x\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h#x\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: u@h\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h x\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h,x\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host:\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: \t \r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN("GET / HTTP/1.0\r\nHost: /\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: :80\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h:\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h:80x\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h:65536\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h:80:80\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: [::1\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: []\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: [::1]x\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: ::1\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH03 */ {SPAN(LINE "Host: h\xc3\xa9\r\n\r\n"), HTTP1_FAULT_HOST},
    /* BH05 */ {SPAN(LINE "Host : h\r\n\r\n"), HTTP1_FAULT_FIELD},
    /* BH05 */ {SPAN(LINE "Host\t: h\r\n\r\n"), HTTP1_FAULT_FIELD},
    /* BH06 */ {SPAN(LINE " Host: h\r\n\r\n"), HTTP1_FAULT_FIELD},
    /* BH06 */ {WITH("A: b\r\n c\r\n"), HTTP1_FAULT_FIELD},
    /* BH06 */ {WITH("A: b\r\n\tc\r\n"), HTTP1_FAULT_FIELD},
    /* BH06 */ {WITH("A: b\r\n \r\n"), HTTP1_FAULT_FIELD},
    /* BH07 */ {WITH("Authorization\r\n"), HTTP1_FAULT_FIELD},
    /* BH08 */ {WITH(": b\r\n"), HTTP1_FAULT_FIELD},
    /* BH09 */ {WITH("A(: b\r\n"), HTTP1_FAULT_FIELD},
    /* BH09 */ {WITH("A\": b\r\n"), HTTP1_FAULT_FIELD},
    /* BH09 */ {WITH("A/: b\r\n"), HTTP1_FAULT_FIELD},
    /* BH09 */ {WITH("A{: b\r\n"), HTTP1_FAULT_FIELD},
    /* BH09 */ {WITH("A B: b\r\n"), HTTP1_FAULT_FIELD},
    /* BH09 */ {WITH("A\x80: b\r\n"), HTTP1_FAULT_FIELD},
    /* BH09 */ {WITH("A\x01: b\r\n"), HTTP1_FAULT_FIELD},
    /* BH09 */ {WITH("A\0: b\r\n"), HTTP1_FAULT_FIELD},
    /* BH10 */ {WITH("A: b\0c\r\n"), HTTP1_FAULT_FIELD},
    /* BH10 */ {WITH("A: b\rc\r\n"), HTTP1_FAULT_LINE_END},
    /* BH10 */ {WITH("A: b\r\r\n"), HTTP1_FAULT_LINE_END},
    /* BH10 */ {WITH("A: b\x0b\r\n"), HTTP1_FAULT_FIELD},
    /* BH10 */ {WITH("A: b\x1b[0m\r\n"), HTTP1_FAULT_FIELD},
    /* BH10 */ {WITH("A: \x7f\r\n"), HTTP1_FAULT_FIELD},
    /* BH10 */
    {WITH("A: a long value, \xe2\x82\xac\xe2\x82\xac\x7f and more\r\n"), HTTP1_FAULT_FIELD},
    /* BH10 */ {WITH("A: a long value with a \x1f far in it\r\n"), HTTP1_FAULT_FIELD},
    /* BL29 */ {SPAN(LINE "Host: h\nA: b\r\n\r\n"), HTTP1_FAULT_LINE_END},
    /* BL29 */ {SPAN(LINE "Host: h\r\n\n"), HTTP1_FAULT_FIELD},
    /* BL30 */ {SPAN(LINE "Host: h\r\n\rGET"), HTTP1_FAULT_LINE_END},
    /* BH18 */ {WITH("Connection: Transfer-Encoding\r\n"), HTTP1_FAULT_FRAMING},
    /* BH18 */ {WITH("Connection: close ,\ttransfer-encoding\r\n"), HTTP1_FAULT_FRAMING},
    /* BH21 */ {WITH("Expect: 200-ok\r\n"), HTTP1_FAULT_EXPECT},
    /* BH21 */ {WITH("Expect:\r\n"), HTTP1_FAULT_EXPECT},
};

#define CL(value) WITH("Content-Length: " value "\r\n")
#define TE(value) WITH("Transfer-Encoding: " value "\r\n")

static const struct refused_row refused_framings[] = {
    /* BF01 */
    {WITH("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), HTTP1_FAULT_FRAMING},
    /* BF01 */
    {WITH("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), HTTP1_FAULT_FRAMING},
    /* BF02 */ {WITH("Content-Length: 3\r\nContent-Length: 3\r\n"), HTTP1_FAULT_FRAMING},
    /* BF03 */ {WITH("Content-Length: 3\r\nX: y\r\ncontent-length: 4\r\n"), HTTP1_FAULT_FRAMING},
    /* BF04 */ {CL("3, 3"), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL("+3"), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL("-1"), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL("0x3"), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL("3 x"), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL("1_0"), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL("3.0"), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL("\xd9\xa3"), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL(""), HTTP1_FAULT_FRAMING},
    /* BF05 */ {CL("03e1"), HTTP1_FAULT_FRAMING},
    /* BF06 */ {CL("18446744073709551616"), HTTP1_FAULT_FRAMING},
    /* BF06 */ {CL("18446744073709551619"), HTTP1_FAULT_FRAMING},
    /* BF06 */ {CL("9999999999999999999999999999999999999999"), HTTP1_FAULT_FRAMING},
    /* BF06 */ {CL("0000000000000000000000000000000000000003"), HTTP1_FAULT_FRAMING},
    /* BF11 */ {TE("gzip, chunked"), HTTP1_FAULT_CODING},
    /* BF11 */ {TE("identity,chunked"), HTTP1_FAULT_CODING},
    /* BF12 */ {TE("chunked, gzip"), HTTP1_FAULT_FRAMING},
    /* BF12 */ {TE("chunked, chunked"), HTTP1_FAULT_FRAMING},
    /* BF13 */
    {WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), HTTP1_FAULT_FRAMING},
    /* BF14 */ {TE("xchunked"), HTTP1_FAULT_FRAMING},
    /* BF14 */ {TE("identity"), HTTP1_FAULT_FRAMING},
    /* BF14 */ {TE(",chunked"), HTTP1_FAULT_FRAMING},
    /* BF14 */ {TE("chunked,"), HTTP1_FAULT_FRAMING},
    /* BF14 */ {TE("chunked;q=1"), HTTP1_FAULT_FRAMING},
    /* BF14 */ {TE("\"chunked\""), HTTP1_FAULT_FRAMING},
    /* BF14 */
    {TE("\x0b"
        "chunked"),
     HTTP1_FAULT_FIELD},
    /* BF14 */ {TE("chunked\xa0"), HTTP1_FAULT_FRAMING},
    /* BF14 */ {TE("chunked x"), HTTP1_FAULT_FRAMING},
    /* BF14 */ {TE(""), HTTP1_FAULT_FRAMING},
    /* BF15 */ {WITH("Transfer-Encoding : chunked\r\n"), HTTP1_FAULT_FIELD},
    /* BF15 */ {WITH(" Transfer-Encoding: chunked\r\n"), HTTP1_FAULT_FIELD},
    /* BF16 */
    {SPAN("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP1_FAULT_FRAMING},
};

static const struct refused_row refused_responses[] = {
    /* C43 */ {SPAN("<html>hello</html>"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 000 No\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 099 No\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 2x0 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 20 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 2000 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1  200 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/2.0 200 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/2 200\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.2 200 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("http/1.1 200 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("\r\nHTTP/1.1 200 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 \xb2\xb0\xb0 OK\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 200 O\0K\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 200 OK\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 200 OK\rX: y\r\n"), HTTP1_FAULT_STATUS_LINE},
    /* C43 */ {SPAN("HTTP/1.1 200\n"), HTTP1_FAULT_STATUS_LINE},
    /* C42 */ {SPAN("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n"), HTTP1_FAULT_FIELD},
    /* C42 */ {SPAN("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n"), HTTP1_FAULT_LINE_END},
    /* C42 */ {SPAN("HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n"), HTTP1_FAULT_LINE_END},
    /* C42 */ {SPAN("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n"), HTTP1_FAULT_FIELD},
    /* BU01 */ {SPAN("HTTP/1.1 200 OK\r\nA: b\r\n C: d\r\n\r\n"), HTTP1_FAULT_FIELD},
    /* C36 */
    {SPAN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
     HTTP1_FAULT_FRAMING},
    /* C36 */
    {SPAN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"),
     HTTP1_FAULT_FRAMING},
    /* C36 */ {SPAN("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n"), HTTP1_FAULT_FRAMING},
    /* C36 */
    {SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"), HTTP1_FAULT_FRAMING},
    /* C36 */
    {SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), HTTP1_FAULT_FRAMING},
    /* C36 */ {SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), HTTP1_FAULT_FRAMING},
    /* C36 */ {SPAN("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP1_FAULT_FRAMING},
};

static void http1__refuses_malformed_request_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused_lines); i++) {
        check_refused(HTTP1_REQUEST, &refused_lines[i]);
    }
}

static void http1__refuses_malformed_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused_fields); i++) {
        check_refused(HTTP1_REQUEST, &refused_fields[i]);
    }
}

static void http1__refuses_ambiguous_framings(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused_framings); i++) {
        check_refused(HTTP1_REQUEST, &refused_framings[i]);
    }
}

static void http1__refuses_broken_responses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused_responses); i++) {
        check_refused(HTTP1_RESPONSE, &refused_responses[i]);
    }
}

/* The first line that is refused at its last byte, and not before it. */
static void http1__refuses_at_the_first_byte_that_proves_it(void **state)
{
    static const struct refused_row rows[] = {
        {SPAN("\x16"), HTTP1_FAULT_REQUEST_LINE},
        {SPAN("\n"), HTTP1_FAULT_REQUEST_LINE},
        {SPAN("\r\n\r"), HTTP1_FAULT_REQUEST_LINE},
        {SPAN("GE("), HTTP1_FAULT_REQUEST_LINE},
        {SPAN("CONNECT "), HTTP1_FAULT_METHOD},
        {SPAN("GET *"), HTTP1_FAULT_TARGET},
        {SPAN("GET hx"), HTTP1_FAULT_TARGET},
        {SPAN("GET httpx"), HTTP1_FAULT_TARGET},
        {SPAN("GET /%z"), HTTP1_FAULT_TARGET},
        {SPAN("GET /%00"), HTTP1_FAULT_TARGET},
        {SPAN("GET / h"), HTTP1_FAULT_REQUEST_LINE},
        {SPAN("GET / HTTP/1.1\n"), HTTP1_FAULT_REQUEST_LINE},
        {SPAN("GET / HTTP/1.1\r\n "), HTTP1_FAULT_FIELD},
        {SPAN("GET / HTTP/1.1\r\nHost "), HTTP1_FAULT_FIELD},
        {SPAN("GET / HTTP/1.1\r\nA: b\x01"), HTTP1_FAULT_FIELD},
        {SPAN("GET / HTTP/1.1\r\nA: b\n"), HTTP1_FAULT_LINE_END},
        {SPAN("GET / HTTP/1.1\r\nA: b\rx"), HTTP1_FAULT_LINE_END},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct http1_head head;
        struct span before = span_make(rows[i].in.at, rows[i].in.len - 1);

        assert_int_equal(scan(&head, HTTP1_REQUEST, before), HTTP1_MORE);
        check_refused(HTTP1_REQUEST, &rows[i]);
    }
}

struct accepted_row {
    struct span in;
    const char *trace;
};

static void check_accepted(enum http1_kind kind, const struct accepted_row *row)
{
    struct buf trace;

    buf_init(&trace, TRACE_MAX);
    bytes_same_for_each_split(row->in, trace_head, &kind, &trace);
    buf_put_char(&trace, '\0');
    assert_false(trace.failed);
    assert_string_equal(trace.at, row->trace);
    buf_fini(&trace);
}

#define IS_DONE "step 1 fault none\n"
#define NO_BODY " framing 0 length 0\n"

static const struct accepted_row accepted_requests[] = {
    {SPAN("GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:8402\r\n\r\n"),
     "size 49 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\n"
     "GET|/v1/models|127.0.0.1:8402\nHost=127.0.0.1:8402\n" IS_DONE},
    /* BL02 */
    {SPAN("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
     "size 29 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\nGET|/|h\nHost=h\n" IS_DONE},
    /* BL11 */
    {SPAN("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}"),
     "size 38 minor 0 status 0 framing 1 length 2\nkeep 0 continue 0 upgrade 0\n"
     "POST|/|\nContent-Length=2\n" IS_DONE},
    /* BL13 */
    {SPAN("FOO / HTTP/1.1\r\nHost: h\r\n\r\n"),
     "size 27 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\nFOO|/|h\nHost=h\n" IS_DONE},
    /* BL20 */
    {SPAN("GET http://A.test:80/v1?x=1 HTTP/1.1\r\nHost: a.test:80\r\n\r\n"),
     "size 57 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\n"
     "GET|/v1?x=1|a.test:80\nHost=a.test:80\n" IS_DONE},
    /* BL20 */
    {SPAN("GET HTTPS://[::1]/ HTTP/1.0\r\n\r\n"),
     "size 31 minor 0 status 0" NO_BODY "keep 0 continue 0 upgrade 0\nGET|/|[::1]\n" IS_DONE},
    /* BL23 */
    {SPAN("GET //v1/./x/../y;z?a[]=b&c={d}|e%2F HTTP/1.1\r\nHost: [::1]:9\r\n\r\n"),
     "size 64 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\n"
     "GET|//v1/./x/../y;z?a[]=b&c={d}|e%2F|[::1]:9\nHost=[::1]:9\n" IS_DONE},
    /* BH11 */
    {WITH("A:\xc3\xa9\xff\t\x80\r\n"),
     "size 48 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nA=\xc3\xa9\xff\t\x80\n" IS_DONE},
    /* Blanks around a value are not part of it; an empty value is one. */
    {WITH("A: \t b c\t \r\nB:\r\nC: \r\n"),
     "size 60 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nA=b c\nB=\nC=\n" IS_DONE},
    /* BH16 */
    {WITH("Connection: close, Authorization\r\n"),
     "size 73 minor 1 status 0" NO_BODY "keep 0 continue 0 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nConnection=close, Authorization\n" IS_DONE},
    /* BH17 */
    {WITH("Connection: keep-alive, x-foo\r\n"),
     "size 70 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nConnection=keep-alive, x-foo\n" IS_DONE},
    {WITH("Connection: Keep-Alive\r\nConnection: CLOSE\r\n"),
     "size 82 minor 1 status 0" NO_BODY "keep 0 continue 0 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nConnection=Keep-Alive\nConnection=CLOSE\n" IS_DONE},
    {SPAN("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
     "size 42 minor 0 status 0" NO_BODY "keep 1 continue 0 upgrade 0\n"
     "GET|/|\nConnection=Keep-Alive\n" IS_DONE},
    /* BH19 */
    {WITH("Upgrade: h2c\r\n"), "size 53 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 1\n"
                               "POST|/v1/messages|h\nHost=h\nUpgrade=h2c\n" IS_DONE},
    /* BH20 */
    {WITH("Expect: 100-Continue\r\nContent-Length: 007\r\n"),
     "size 82 minor 1 status 0 framing 1 length 7\nkeep 1 continue 1 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nExpect=100-Continue\nContent-Length=007\n" IS_DONE},
    /* BH21: HTTP/1.0 knows no expectations. */
    {SPAN("POST / HTTP/1.0\r\nExpect: 200-ok\r\n\r\n"),
     "size 35 minor 0 status 0" NO_BODY "keep 0 continue 0 upgrade 0\n"
     "POST|/|\nExpect=200-ok\n" IS_DONE},
    /* BF06 */
    {CL("18446744073709551615"),
     "size 77 minor 1 status 0 framing 1 length 18446744073709551615\n"
     "keep 1 continue 0 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nContent-Length=18446744073709551615\n" IS_DONE},
    /* BF17 */
    {WITH("TRANSFER-ENCODING: CHUNKED\r\n"),
     "size 67 minor 1 status 0 framing 2 length 0\nkeep 1 continue 0 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nTRANSFER-ENCODING=CHUNKED\n" IS_DONE},
    /* Names as long as the ones that mean something, but others. */
    {WITH("Hest: a\r\nX-Stainless-OS: Linux\r\ncontent-lengty: 1\r\ntransfer-encodinh: x\r\n"),
     "size 112 minor 1 status 0" NO_BODY "keep 1 continue 0 upgrade 0\n"
     "POST|/v1/messages|h\nHost=h\nHest=a\nX-Stainless-OS=Linux\ncontent-lengty=1\n"
     "transfer-encodinh=x\n" IS_DONE},
};

static const struct accepted_row accepted_responses[] = {
    {SPAN("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
     "size 38 minor 1 status 200 framing 1 length 2\nkeep 1 continue 0 upgrade 0\n||\n"
     "Content-Length=2\n" IS_DONE},
    {SPAN("HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n"),
     "size 63 minor 1 status 200 framing 2 length 0\nkeep 0 continue 0 upgrade 0\n||\n"
     "Transfer-Encoding=Chunked\nConnection=close\n" IS_DONE},
    {SPAN("HTTP/1.1 599 \r\n\r\n"),
     "size 17 minor 1 status 599 framing 3 length 0\nkeep 0 continue 0 upgrade 0\n||\n" IS_DONE},
    {SPAN("HTTP/1.0 999 \xc3\xa9t\xe9\r\n\r\n"),
     "size 21 minor 0 status 999 framing 3 length 0\nkeep 0 continue 0 upgrade 0\n||\n" IS_DONE},
    /* B12 */
    {SPAN("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"),
     "size 40 minor 1 status 103" NO_BODY "keep 1 continue 0 upgrade 0\n||\n"
     "Link=</a>\n" IS_DONE},
    {SPAN("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
     "size 46 minor 1 status 204" NO_BODY "keep 1 continue 0 upgrade 0\n||\n"
     "Content-Length=0\n" IS_DONE},
    /* C44 */
    {SPAN("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc"),
     "size 46 minor 1 status 204" NO_BODY "keep 0 continue 0 upgrade 0\n||\n"
     "Content-Length=3\n" IS_DONE},
    /* C44 */
    {SPAN("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"),
     "size 48 minor 1 status 304" NO_BODY "keep 1 continue 0 upgrade 0\n||\n"
     "Content-Length=3\n" IS_DONE},
    /* Fields that mean something only in requests mean nothing here. */
    {SPAN("HTTP/1.1 101 Up\r\nHost: ,\r\nExpect: x\r\nUpgrade: websocket\r\n\r\n"),
     "size 59 minor 1 status 101" NO_BODY "keep 1 continue 0 upgrade 1\n||\n"
     "Host=,\nExpect=x\nUpgrade=websocket\n" IS_DONE},
};

static void http1__reads_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(accepted_requests); i++) {
        check_accepted(HTTP1_REQUEST, &accepted_requests[i]);
    }
}

static void http1__reads_responses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(accepted_responses); i++) {
        check_accepted(HTTP1_RESPONSE, &accepted_responses[i]);
    }
}

static void http1__wants_more_of_an_unfinished_head(void **state)
{
    static const struct span whole = CL("5");
    struct http1_head head;

    (void)state;
    http1_head_init(&head, HTTP1_REQUEST);
    for (size_t i = 0; i < whole.len; i++) {
        assert_int_equal(http1_head_feed(&head, span_make(whole.at, i)), HTTP1_MORE);
    }
    assert_int_equal(http1_head_feed(&head, whole), HTTP1_DONE);
    assert_int_equal(http1_head_feed(&head, whole), HTTP1_DONE);
}

static void http1__leaves_the_next_request_alone(void **state)
{
    static const struct span both =
        SPAN("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    struct http1_head head;
    struct span rest = {0};

    (void)state;
    assert_int_equal(scan(&head, HTTP1_REQUEST, both), HTTP1_DONE);
    rest = span_from(both, head.size);
    assert_int_equal(scan(&head, HTTP1_REQUEST, rest), HTTP1_DONE);
    assert_true(span_equal(http1_part_span(head.target, rest.at), SPAN_OF("/b")));
    assert_int_equal(head.size, rest.len);
}

static void http1__finds_fields_in_any_case(void **state)
{
    static const struct span in = WITH("X-A: 1\r\nx-b: 2\r\nX-a: 3\r\n");
    struct http1_head head;

    (void)state;
    assert_int_equal(scan(&head, HTTP1_REQUEST, in), HTTP1_DONE);
    assert_int_equal(http1_find(&head, in.at, SPAN_OF("x-a"), 0), 1);
    assert_int_equal(http1_find(&head, in.at, SPAN_OF("x-a"), 2), 3);
    assert_int_equal(http1_find(&head, in.at, SPAN_OF("x-a"), 4), -1);
    assert_int_equal(http1_find(&head, in.at, SPAN_OF("x_a"), 0), -1);
}

static void http1__tells_that_a_head_answer_has_no_body(void **state)
{
    static const struct span in = SPAN("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    static const struct span bare = SPAN("HTTP/1.1 200 OK\r\n\r\n");
    struct http1_head head;

    (void)state;
    assert_int_equal(scan(&head, HTTP1_RESPONSE, in), HTTP1_DONE);
    http1_head_no_body(&head);
    assert_int_equal(head.framing, HTTP1_BODY_NONE);
    assert_true(head.keep_alive);
    assert_int_equal(scan(&head, HTTP1_RESPONSE, bare), HTTP1_DONE);
    assert_int_equal(head.framing, HTTP1_BODY_UNTIL_CLOSE);
    assert_false(head.keep_alive);
    http1_head_no_body(&head);
    assert_true(head.keep_alive);
}

static void http1__gives_each_fault_its_status_and_code(void **state)
{
    (void)state;
    assert_int_equal(http1_fault_status(HTTP1_FAULT_TARGET_LONG), 414);
    assert_int_equal(http1_fault_status(HTTP1_FAULT_VERSION), 505);
    assert_int_equal(http1_fault_status(HTTP1_FAULT_METHOD), 405);
    assert_string_equal(http1_fault_code(HTTP1_FAULT_CHUNK_OVERHEAD), "chunk_overhead");
    assert_string_equal(http1_fault_code(HTTP1_FAULT_NONE), "none");
}

/* Long inputs: `before`, then `count` times `unit`, then `after`. */
struct long_row {
    const char *before;
    const char *unit;
    size_t count;
    const char *after;
    enum http1_fault fault; /* none: the head is complete */
};

/* Whole, byte by byte, and in pieces of a thousand bytes. */
static void check_long(enum http1_kind kind, const struct long_row *row)
{
    static const size_t strides[] = {SIZE_MAX / 2, 1, 1000};
    struct buf in;

    buf_init(&in, TRACE_MAX);
    buf_put_text(&in, row->before);
    for (size_t i = 0; i < row->count; i++) {
        buf_put_text(&in, row->unit);
    }
    buf_put_text(&in, row->after);
    assert_false(in.failed);
    for (size_t i = 0; i < ARRAY_LENGTH(strides); i++) {
        struct http1_head head;
        enum http1_step step = HTTP1_MORE;

        http1_head_init(&head, kind);
        for (size_t end = 0; end < in.len && step == HTTP1_MORE;) {
            end = in.len - end < strides[i] ? in.len : end + strides[i];
            step = http1_head_feed(&head, span_make(in.at, end));
        }
        if (head.fault != row->fault || (step == HTTP1_DONE) != (row->fault == HTTP1_FAULT_NONE)) {
            fail_msg("step %d, fault %s, not %s, for %s%s*%zu%s", (int)step,
                     http1_fault_code(head.fault), http1_fault_code(row->fault), row->before,
                     row->unit, row->count, row->after);
        }
    }
    buf_fini(&in);
}

#define END  " HTTP/1.1\r\nHost: h\r\n\r\n"
#define HEAD "GET / HTTP/1.1\r\nHost: h\r\n"

static void http1__keeps_requests_within_their_limits(void **state)
{
    static const struct long_row rows[] = {
        /* BL03 */ {"", "\r\n", 10000, "", HTTP1_FAULT_REQUEST_LINE},
        /* BL15 */ {"", "A", 10000, " / HTTP/1.1\r\n", HTTP1_FAULT_REQUEST_LINE},
        /* BL18 */ {"GET /", "a", 4095, END, HTTP1_FAULT_NONE},
        /* BL18 */ {"GET /", "a", 4096, END, HTTP1_FAULT_TARGET_LONG},
        /* BL18 */ {"GET ", "/%41", 1024, END, HTTP1_FAULT_NONE},
        /* BL18 */ {"GET /", "/%41", 1024, END, HTTP1_FAULT_TARGET_LONG},
        /* BL18 */ {"GET //", "%41", 1365, END, HTTP1_FAULT_TARGET_LONG},
        /* BL18 */ {"GET http://h/", "a", 4087, END, HTTP1_FAULT_NONE},
        /* BL18 */ {"GET http://h/", "a", 4088, END, HTTP1_FAULT_TARGET_LONG},
        /* BL18 */ {"GET http://", "h", 5000, "/" END, HTTP1_FAULT_TARGET_LONG},
        /* BL18 */ {"GET /", "a", 100000, "", HTTP1_FAULT_TARGET_LONG},
        /* BL19 */ {"", "A", 100000, "", HTTP1_FAULT_REQUEST_LINE},
        /* BL19 */ {"", "A", 8181, " /" END, HTTP1_FAULT_NONE},
        /* BL19 */ {"", "A", 8182, " /" END, HTTP1_FAULT_REQUEST_LINE},
        /* BL19 */ {"", "A", 8192, " /" END, HTTP1_FAULT_REQUEST_LINE},
        /* BH12 */ {HEAD, "a: b\r\n", 99, "\r\n", HTTP1_FAULT_NONE},
        /* BH12 */ {HEAD, "a: b\r\n", 100, "\r\n", HTTP1_FAULT_HEAD_LONG},
        /* BH13 */ {HEAD "A:", "b", 16382, "\r\n\r\n", HTTP1_FAULT_NONE},
        /* BH13 */ {HEAD "A:", "b", 16383, "\r\n\r\n", HTTP1_FAULT_HEAD_LONG},
        /* BH15 */ {HEAD, "a", 256, ": b\r\n\r\n", HTTP1_FAULT_NONE},
        /* BH15 */ {HEAD, "a", 257, ": b\r\n\r\n", HTTP1_FAULT_HEAD_LONG},
        /* BH15 */ {HEAD, "a", 8192, ": b\r\n\r\n", HTTP1_FAULT_HEAD_LONG},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        check_long(HTTP1_REQUEST, &rows[i]);
    }
}

/* BH14: a head of exactly 32 KiB passes, one byte more does not. */
static void http1__keeps_whole_heads_within_32_kib(void **state)
{
    static const char field[] = "0123456789abcdef: 0123456789abcdef0123456789abc\r\n";
    struct buf in;
    struct http1_head head;

    (void)state;
    for (size_t excess = 0; excess < 2; excess++) {
        buf_init(&in, TRACE_MAX);
        buf_put_text(&in, HEAD "X:");
        while (in.len < 16000) {
            buf_put_char(&in, 'x');
        }
        buf_put_text(&in, "\r\nY:");
        while (in.len < (size_t)LIMIT_REQUEST_HEAD - (sizeof field - 1) - 4 + excess) {
            buf_put_char(&in, (char)('a' + in.len % 26));
            if (in.len == 32300) {
                buf_put_text(&in, "\r\nZ:");
            }
        }
        buf_put_text(&in, "\r\n");
        buf_put_text(&in, field);
        buf_put_text(&in, "\r\n");
        assert_int_equal(in.len, LIMIT_REQUEST_HEAD + excess);
        assert_int_equal(scan(&head, HTTP1_REQUEST, buf_span(&in)),
                         excess == 0 ? HTTP1_DONE : HTTP1_BAD);
        assert_int_equal(head.fault, excess == 0 ? HTTP1_FAULT_NONE : HTTP1_FAULT_HEAD_LONG);
        buf_fini(&in);
    }
}

/* C41, BU08 */
static void http1__keeps_responses_within_their_limits(void **state)
{
    static const struct long_row rows[] = {
        {"HTTP/1.1 200 OK\r\n", "a: b\r\n", 200, "\r\n", HTTP1_FAULT_NONE},
        {"HTTP/1.1 200 OK\r\n", "a: b\r\n", 201, "\r\n", HTTP1_FAULT_HEAD_LONG},
        {"HTTP/1.1 200 OK\r\nA:", "b", 65536 - 23, "\r\n\r\n", HTTP1_FAULT_NONE},
        {"HTTP/1.1 200 OK\r\nA:", "b", 65536 - 22, "\r\n\r\n", HTTP1_FAULT_HEAD_LONG},
        {"HTTP/1.1 200 OK\r\n", "b", 65536 - 22, ":\r\n\r\n", HTTP1_FAULT_NONE},
        {"HTTP/1.1 200 ", "b", 65536, "\r\n\r\n", HTTP1_FAULT_HEAD_LONG},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        check_long(HTTP1_RESPONSE, &rows[i]);
    }
}

/* Names and values are read by blocks: any byte, at any place of a block, whole and in pieces. */
static void http1__judges_each_byte_of_a_field_alone(void **state)
{
    static const char plain[] = "HTTP/1.1 200 OK\r\nx-name-of-a-field-1: value of a field\r\n\r\n";
    enum { NAME_AT = 17, COLON_AT = 36, VALUE_AT = 38, END_AT = 54 };

    (void)state;
    for (size_t at = NAME_AT; at < END_AT; at++) {
        for (unsigned c = 0; c < 256; c++) {
            static const char marks[] = "!#$%&'*+-.^_`|~";
            bool is_token = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                            (c != 0 && strchr(marks, (int)c) != NULL);
            bool is_value = (c >= 0x20 && c != 0x7f) || c == '\t';
            bool is_good = at < COLON_AT ? is_token || (c == ':' && at > NAME_AT) : is_value;
            char bytes[sizeof plain];
            struct http1_head whole;
            struct http1_head pieces;

            if (at >= COLON_AT && at < VALUE_AT) {
                continue;
            }
            memcpy(bytes, plain, sizeof plain);
            bytes[at] = (char)c;
            http1_head_init(&whole, HTTP1_RESPONSE);
            assert_int_equal(http1_head_feed(&whole, span_make(bytes, sizeof bytes - 1)),
                             is_good ? HTTP1_DONE : HTTP1_BAD);
            http1_head_init(&pieces, HTTP1_RESPONSE);
            for (size_t end = 1; end < sizeof bytes - 1; end++) {
                (void)http1_head_feed(&pieces, span_make(bytes, end));
            }
            assert_int_equal(http1_head_feed(&pieces, span_make(bytes, sizeof bytes - 1)),
                             is_good ? HTTP1_DONE : HTTP1_BAD);
            assert_int_equal(whole.fault, pieces.fault);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http1__refuses_malformed_request_lines),
        cmocka_unit_test(http1__refuses_malformed_fields),
        cmocka_unit_test(http1__refuses_ambiguous_framings),
        cmocka_unit_test(http1__refuses_broken_responses),
        cmocka_unit_test(http1__refuses_at_the_first_byte_that_proves_it),
        cmocka_unit_test(http1__reads_requests),
        cmocka_unit_test(http1__reads_responses),
        cmocka_unit_test(http1__wants_more_of_an_unfinished_head),
        cmocka_unit_test(http1__leaves_the_next_request_alone),
        cmocka_unit_test(http1__finds_fields_in_any_case),
        cmocka_unit_test(http1__tells_that_a_head_answer_has_no_body),
        cmocka_unit_test(http1__gives_each_fault_its_status_and_code),
        cmocka_unit_test(http1__keeps_requests_within_their_limits),
        cmocka_unit_test(http1__keeps_whole_heads_within_32_kib),
        cmocka_unit_test(http1__keeps_responses_within_their_limits),
        cmocka_unit_test(http1__judges_each_byte_of_a_field_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
