/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/must.h"
#include "tests/lib/bytes.h"
#include "wire/sse.h"

struct limits {
    size_t held_max;
    size_t event_max;
};

/* Events as text: "(name|data)" with ~ for no data field; an oversized one as "[bytes]" whatever
 * its pieces were. `raw` gets all raw bytes. */
static void write_event(struct buf *trace, struct buf *raw, const struct sse_event *event,
                        bool *in_pieces)
{
    buf_put(raw, event->raw);
    if (event->is_piece) {
        assert_false(event->has_data);
        buf_put_text(trace, *in_pieces ? "" : "[");
        buf_put(trace, event->raw);
        *in_pieces = !event->is_last_piece;
        assert_true(*in_pieces ? event->end.len == 0 : span_ends(buf_span(trace), event->end));
        assert_true(*in_pieces || trace->at[trace->len - event->end.len - 1] == '[');
        buf_put_text(trace, *in_pieces ? "" : "]");
        return;
    }
    assert_false(*in_pieces);
    buf_put_char(trace, '(');
    buf_put(trace, event->name);
    buf_put_char(trace, '|');
    buf_put(trace, event->has_data ? event->data : SPAN_OF("~"));
    buf_put_char(trace, ')');
    /* The exact bytes are part of what no split may change. */
    buf_put_format(trace, "%zu", event->raw.len);
    assert_true(event->has_data || event->data.len == 0);
}

/* Feeds one piece to its end; false: the scanner gave up. */
static bool feed_piece(struct sse *sse, struct span piece, struct buf *trace, struct buf *raw,
                       bool *in_pieces)
{
    for (;;) {
        struct sse_event event;

        switch (sse_feed(sse, &piece, &event)) {
        case SSE_MORE: assert_int_equal(piece.len, 0); return true;
        case SSE_EVENT: write_event(trace, raw, &event, in_pieces); break;
        case SSE_TOO_LONG: buf_put_text(trace, "too long"); return false;
        case SSE_BROKEN:
        case SSE_NO_MEMORY: buf_put_text(trace, "no memory"); return false;
        }
    }
}

static void trace_events(const struct bytes_split *split, struct buf *trace, void *context)
{
    const struct limits *limits = context;
    struct sse sse;
    struct sse_event event;
    struct buf raw;
    bool in_pieces = false;
    bool is_good = true;

    sse_init(&sse, limits->held_max, limits->event_max);
    buf_init(&raw, (size_t)1 << 24);
    for (size_t i = 0; i < split->count && is_good; i++) {
        struct span piece = bytes_own(bytes_piece(split, i));

        is_good = feed_piece(&sse, piece, trace, &raw, &in_pieces);
        bytes_give(piece);
    }
    if (is_good && sse_finish(&sse, &event)) {
        buf_put_text(trace, "end:");
        write_event(trace, &raw, &event, &in_pieces);
    }
    assert_true(!is_good || span_equal(buf_span(&raw), split->whole));
    assert_false(sse_finish(&sse, &event) && is_good);
    buf_fini(&raw);
    sse_fini(&sse);
}

static void expect_events(struct limits limits, struct span stream, struct span wanted)
{
    size_t held = mem_held();
    struct buf seen;

    buf_init(&seen, (size_t)1 << 24);
    bytes_same_for_each_split(stream, trace_events, &limits, &seen);
    if (!span_equal(buf_span(&seen), wanted)) {
        fail_msg("<%.*s> instead of <%.*s>", SPAN_ARGS(buf_span(&seen)), SPAN_ARGS(wanted));
    }
    buf_fini(&seen);
    assert_int_equal(mem_held(), held);
}

struct row {
    struct span stream;
    struct span wanted;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_events((struct limits){1 << 20, 1 << 24}, rows[i].stream, rows[i].wanted);
    }
}

/* The same behind another event: the first one is read in another way than those that follow. */
static void expect_rows_later(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf stream;
        struct buf wanted;

        buf_init(&stream, 1000);
        buf_init(&wanted, 1000);
        buf_put(&stream, SPAN_OF("data: 0\n\n"));
        buf_put(&stream, rows[i].stream);
        buf_put(&wanted, SPAN_OF("(|0)9"));
        buf_put(&wanted, rows[i].wanted);
        expect_events((struct limits){1 << 20, 1 << 24}, buf_span(&stream), buf_span(&wanted));
        buf_fini(&stream);
        buf_fini(&wanted);
    }
}

static void sse__reads_fields(void **state)
{
    static const struct row rows[] = {
        {SPAN(""), SPAN("")},
        {SPAN("data: {\"a\":1}\n\n"), SPAN("(|{\"a\":1})15")},
        {SPAN("data:x\n\n"), SPAN("(|x)8")},
        {SPAN("data:  x \n\n"), SPAN("(| x )11")},
        {SPAN("data\n\n"), SPAN("(|)6")},
        {SPAN("data:\n\n"), SPAN("(|)7")},
        {SPAN("data: \n\n"), SPAN("(|)8")},
        {SPAN("data: a\ndata: b\n\n"), SPAN("(|a\nb)17")},
        {SPAN("data:\ndata:\n\n"), SPAN("(|\n)13")},
        {SPAN("data\ndata: b\ndata\n\n"), SPAN("(|\nb\n)19")},
        {SPAN("event: ping\ndata: {}\n\n"), SPAN("(ping|{})22")},
        {SPAN("event:a\nevent: b\ndata:x\n\n"), SPAN("(b|x)25")},
        {SPAN("data: x\nevent: late\n\n"), SPAN("(late|x)21")},
        {SPAN("event: only\n\n"), SPAN("(only|~)13")},
        {SPAN("event\n\n"), SPAN("(|~)7")},
        {SPAN(": keep-alive\n\n"), SPAN("(|~)14")},
        {SPAN(":\n\n"), SPAN("(|~)3")},
        {SPAN(": note\ndata: x\n: more\n\n"), SPAN("(|x)23")},
        {SPAN("id: a\0b\nretry: 10\ndata: x\n\n"), SPAN("(|x)27")},
        {SPAN("datax: 1\ndat: 2\nDATA: 3\n data: 4\nunknown\n\n"), SPAN("(|~)42")},
        {SPAN("data: a:b: c\n\n"), SPAN("(|a:b: c)14")},
        {SPAN("data: a\0b\n\n"), SPAN("(|a\0b)11")},
        {SPAN("data: [DONE]\n\n"), SPAN("(|[DONE])14")},
        {SPAN("data: \xe2\x82\xac\xf0\x9f\x98\x80\n\n"), SPAN("(|\xe2\x82\xac\xf0\x9f\x98\x80)15")},
    };

    (void)state;
    expect_rows(rows, ARRAY_LENGTH(rows));
    expect_rows_later(rows, ARRAY_LENGTH(rows));
}

static void sse__takes_all_line_ends(void **state)
{
    static const struct row rows[] = {
        {SPAN("data: 1\n\ndata: 2\n\n"), SPAN("(|1)9(|2)9")},
        {SPAN("data: 1\r\n\r\ndata: 2\r\n\r\n"), SPAN("(|1)11(|2)11")},
        {SPAN("data: 1\r\rdata: 2\r\r"), SPAN("(|1)9(|2)9")},
        {SPAN("event: e\r\ndata: 1\r\ndata: 2\r\n\r\n"), SPAN("(e|1\n2)30")},
        {SPAN("data: 1\r\n\ndata: 2\n\n"), SPAN("(|1)10(|2)9")},
        {SPAN("data: 1\r\n\rdata: 2\n\n"), SPAN("(|1)10(|2)9")},
        {SPAN("data: 1\rdata: 2\ndata: 3\r\n\r\n"), SPAN("(|1\n2\n3)27")},
        /* An LF behind a CR that has ended its event opens the bytes of the next one. */
        {SPAN("data: 1\n\r\ndata: 2\n\r\n"), SPAN("(|1)9(|2)10end:(|~)1")},
        {SPAN("data: 1\r\r\ndata: 2\r\r"), SPAN("(|1)9(|2)10")},
        {SPAN("data: 1\n\r\n\r\ndata: 2\n\n"), SPAN("(|1)9(|~)3(|2)9")},
        {SPAN("data: 0\n\ndata: 1\rdata: 2\n\n"), SPAN("(|0)9(|1\n2)17")},
        {SPAN("data: 0\n\ndata: 1\ndata: 2\rdata: 3\n\n"), SPAN("(|0)9(|1\n2\n3)25")},
        {SPAN("data: 0\n\ndata: 1\r\r\ndata: 2\n\n"), SPAN("(|0)9(|1)9(|2)10")},
        {SPAN("data: 0\n\nevent: e\r\ndata: 1\n\ndata: 2\r\n\r\n"), SPAN("(|0)9(e|1)19(|2)11")},
        {SPAN("data: 0\n\ndata: 1\n\n\rdata: 2\r\r"), SPAN("(|0)9(|1)9(|~)1(|2)9")},
    };

    (void)state;
    expect_rows(rows, ARRAY_LENGTH(rows));
}

static void sse__passes_blank_lines_as_events_of_their_own(void **state)
{
    static const struct row rows[] = {
        {SPAN("\n\ndata: x\n\n"), SPAN("(|~)1(|~)1(|x)9")},
        {SPAN("\r\n\r\ndata: x\r\n\r\n"), SPAN("(|~)2(|~)2(|x)11")},
        {SPAN("\rdata: x\r\r"), SPAN("(|~)1(|x)9")},
        {SPAN("data: x\n\n\n\n"), SPAN("(|x)9(|~)1(|~)1")},
    };

    (void)state;
    expect_rows(rows, ARRAY_LENGTH(rows));
}

static void sse__skips_a_byte_order_mark_at_the_start_only(void **state)
{
    static const struct row rows[] = {
        {SPAN("\xef\xbb\xbf"
              "data: x\n\n"),
         SPAN("(|x)12")},
        {SPAN("\xef\xbb\xbf\n"
              "data: x\n\n"),
         SPAN("(|~)4(|x)9")},
        {SPAN("\xef\xbb\xbf\r\n"
              "data: x\r\n\r\n"),
         SPAN("(|~)5(|x)11")},
        {SPAN("\xef\xbb\xbf\xef\xbb\xbf"
              "data: x\n\n"),
         SPAN("(|~)15")},
        {SPAN("data: x\n\n\xef\xbb\xbf"
              "data: y\n\n"),
         SPAN("(|x)9(|~)12")},
        {SPAN("\n\xef\xbb\xbf"
              "data: y\n\n"),
         SPAN("(|~)1(|~)12")},
        {SPAN("\xef\xbb"
              "data: x\n\n"),
         SPAN("(|~)11")},
        {SPAN("\xef\n\n"), SPAN("(|~)3")},
        {SPAN("\xef\xbb\n\n"), SPAN("(|~)4")},
        {SPAN("\xef\xbb\xbf"), SPAN("end:(|~)3")},
        {SPAN("data: \xef\xbb\xbf\n\n"), SPAN("(|\xef\xbb\xbf)11")},
    };

    (void)state;
    expect_rows(rows, ARRAY_LENGTH(rows));
}

static void sse__gives_the_unfinished_event_at_the_end(void **state)
{
    static const struct row rows[] = {
        {SPAN("data: x"), SPAN("end:(|x)7")},
        {SPAN("data: x\n"), SPAN("end:(|x)8")},
        {SPAN("data: x\r"), SPAN("end:(|x)8")},
        {SPAN("data: x\r\n"), SPAN("end:(|x)9")},
        {SPAN("data: x\r\n\r"), SPAN("end:(|x)10")},
        {SPAN("data: 1\n\nda"), SPAN("(|1)9end:(|~)2")},
        {SPAN("data: 1\n\nevent: e\ndata: 2\ndata: 3"), SPAN("(|1)9end:(e|2\n3)24")},
    };

    (void)state;
    expect_rows(rows, ARRAY_LENGTH(rows));
}

static void sse__passes_long_events_in_pieces(void **state)
{
    static const struct limits limits = {12, 1000};

    (void)state;
    expect_events(limits, SPAN_OF("data: 1234\n\ndata: x\n\n"), SPAN_OF("(|1234)12(|x)9"));
    expect_events(limits, SPAN_OF("data: 12345\n\ndata: x\n\n"), SPAN_OF("[data: 12345\n\n](|x)9"));
    expect_events(limits, SPAN_OF("\n\ndata: 1234\n\ndata: 12345\n\ndata: x\n\n"),
                  SPAN_OF("(|~)1(|~)1(|1234)12[data: 12345\n\n](|x)9"));
    expect_events(limits, SPAN_OF("data: x\n\ndata: 1234567890\ndata: 2\n\ndata: x\n\n"),
                  SPAN_OF("(|x)9[data: 1234567890\ndata: 2\n\n](|x)9"));
    expect_events(limits, SPAN_OF("data: 12\r\n\r\ndata: x\r\n\r\n"), SPAN_OF("(|12)12(|x)11"));
    expect_events(limits, SPAN_OF("data: 123\r\n\r\ndata: x\r\n\r\n"),
                  SPAN_OF("[data: 123\r\n\r\n](|x)11"));
    expect_events(limits, SPAN_OF("data: 123456789\r\n\rdata: x\n\n"),
                  SPAN_OF("[data: 123456789\r\n\r](|x)9"));
    expect_events(limits, SPAN_OF("data: 12345678901234567890"),
                  SPAN_OF("[data: 12345678901234567890"));
    expect_events(limits, SPAN_OF("data: 1234567890\n\ndata: 1234567890\n\n"),
                  SPAN_OF("[data: 1234567890\n\n][data: 1234567890\n\n]"));
}

static void sse__gives_up_on_events_past_the_ceiling(void **state)
{
    static const struct limits limits = {8, 20};
    static const struct limits equal = {12, 12};

    (void)state;
    expect_events(limits, SPAN_OF("data: 789012345678\n\nda\n\n"),
                  SPAN_OF("[data: 789012345678\n\n](|~)4"));
    expect_events(limits, SPAN_OF("data: 7890123456789\n\nx"),
                  SPAN_OF("[data: 7890123456789\ntoo long"));
    expect_events(limits, SPAN_OF("data: 78901234567890123456"),
                  SPAN_OF("[data: 78901234567890too long"));
    expect_events(limits, SPAN_OF("data: 7890123456\r\n\r\nx\n\n"),
                  SPAN_OF("[data: 7890123456\r\n\r\n](|~)3"));
    expect_events(limits, SPAN_OF("data: 78901234567\r\n\rx\n\n"),
                  SPAN_OF("[data: 78901234567\r\n\r](|~)3"));
    expect_events(limits, SPAN_OF("data: 78901234567\r\n\r\nx\n\n"),
                  SPAN_OF("[data: 78901234567\r\n\rtoo long"));
    expect_events(equal, SPAN_OF("data: 7890\n\nx\n\n"), SPAN_OF("(|7890)12(|~)3"));
    expect_events(equal, SPAN_OF("data: 789\r\n\rx\n\n"), SPAN_OF("(|789)12(|~)3"));
    expect_events(equal, SPAN_OF("data: 789\r\n\r\nx\n\n"), SPAN_OF("too long"));
    expect_events(equal, SPAN_OF("data: 78901\n\nx\n\n"), SPAN_OF("too long"));
    expect_events((struct limits){100, 12}, SPAN_OF("data: 78901\n\nx\n\n"), SPAN_OF("too long"));
}

static void sse__views_whole_events_without_a_copy(void **state)
{
    static const struct span stream = SPAN("data: {}\n\nevent: x\ndata: {\"a\":1}\n\n");
    struct span in = stream;
    struct sse sse;
    struct sse_event event;

    (void)state;
    sse_init(&sse, 1000, 1000);
    mem_fail_at(1);
    assert_int_equal(sse_feed(&sse, &in, &event), SSE_EVENT);
    assert_ptr_equal(event.raw.at, stream.at);
    assert_ptr_equal(event.data.at, stream.at + 6);
    assert_int_equal(sse_feed(&sse, &in, &event), SSE_EVENT);
    assert_ptr_equal(event.name.at, stream.at + 17);
    assert_ptr_equal(event.data.at, stream.at + 25);
    assert_int_equal(sse_feed(&sse, &in, &event), SSE_MORE);
    assert_int_equal(mem_taken(), 0);
    mem_fail_at(0);
    sse_fini(&sse);
}

static void sse__ends_events_of_cr_alone_at_once(void **state)
{
    struct span in = SPAN("data: [DONE]\r\r");
    struct sse sse;
    struct sse_event event;

    (void)state;
    sse_init(&sse, 1000, 1000);
    assert_int_equal(sse_feed(&sse, &in, &event), SSE_EVENT);
    assert_true(span_equal(event.data, SPAN_OF("[DONE]")));
    sse_fini(&sse);
}

static void sse__holds_little_after_a_large_event(void **state)
{
    struct sse sse;
    struct sse_event event;
    struct buf text;
    struct span in;

    (void)state;
    buf_init(&text, (size_t)1 << 20);
    for (size_t i = 0; i < 40000; i++) {
        buf_put_text(&text, "data: x\n");
    }
    sse_init(&sse, (size_t)1 << 20, (size_t)1 << 20);
    in = buf_span(&text);
    assert_int_equal(sse_feed(&sse, &in, &event), SSE_MORE);
    in = SPAN_OF("\n");
    assert_int_equal(sse_feed(&sse, &in, &event), SSE_EVENT);
    assert_int_equal(event.raw.len, 320001);
    assert_int_equal(event.data.len, 2 * 40000 - 1);
    assert_true(mem_held() > text.cap + 320000);
    assert_int_equal(sse_feed(&sse, &in, &event), SSE_MORE);
    assert_int_equal(mem_held(), text.cap);
    sse_fini(&sse);
    buf_fini(&text);
}

static void sse__without_memory_says_so(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        struct span in = SPAN("data: a\ndat");
        struct sse sse;
        struct sse_event event;
        enum sse_step step = SSE_MORE;

        sse_init(&sse, 1000, 1000);
        mem_fail_at(n);
        step = sse_feed(&sse, &in, &event);
        if (step == SSE_MORE) {
            in = SPAN_OF("a\n\n");
            step = sse_feed(&sse, &in, &event);
        }
        mem_fail_at(0);
        assert_int_equal(step, SSE_NO_MEMORY);
        sse_fini(&sse);
    }
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sse__reads_fields),
        cmocka_unit_test(sse__takes_all_line_ends),
        cmocka_unit_test(sse__passes_blank_lines_as_events_of_their_own),
        cmocka_unit_test(sse__skips_a_byte_order_mark_at_the_start_only),
        cmocka_unit_test(sse__gives_the_unfinished_event_at_the_end),
        cmocka_unit_test(sse__passes_long_events_in_pieces),
        cmocka_unit_test(sse__gives_up_on_events_past_the_ceiling),
        cmocka_unit_test(sse__views_whole_events_without_a_copy),
        cmocka_unit_test(sse__ends_events_of_cr_alone_at_once),
        cmocka_unit_test(sse__holds_little_after_a_large_event),
        cmocka_unit_test(sse__without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
