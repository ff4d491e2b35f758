/* SPDX-License-Identifier: Apache-2.0 */
/* What is a good document, which fault is told where, and the ceilings. The paths are tested in
 * test_json_watch.c, duplicate keys in test_json_dup.c. */
#include "tests/unit/wire/json_trace.h"

#include "base/mem.h"

static const struct span accepted[] = {
#define ACCEPT(bytes) SPAN(bytes),
#include "tests/unit/wire/json_accept.def"
#undef ACCEPT
};

static const struct span rejected[] = {
#define REJECT(bytes) SPAN(bytes),
#include "tests/unit/wire/json_reject.def"
#undef REJECT
};

static int open_scan(void **state)
{
    static const struct json_path paths[] = {JSON_PATH1("unknown"),
                                             JSON_PATH3("messages", "[]", "content")};
    static struct json_trace trace;

    trace = (struct json_trace){
        .scan = json_scan_new(),
        .options = {.paths = paths, .paths_count = ARRAY_LENGTH(paths), .seed = 7},
    };
    *state = &trace;
    return trace.scan == NULL;
}

static int close_scan(void **state)
{
    struct json_trace *trace = *state;

    json_scan_free(trace->scan);
    return mem_held() != 0;
}

/* The fault of a whole document; its offset in `at`. */
static enum json_fault fault_of(struct json_trace *trace, struct span document, uint64_t *at)
{
    struct json_hit hits[JSON_PATHS_MAX];
    bool is_good = json_scan_whole(trace->scan, &trace->options, document, hits);

    *at = json_scan_offset(trace->scan);
    assert_int_equal(is_good, json_scan_fault(trace->scan) == JSON_FAULT_NONE);
    return json_scan_fault(trace->scan);
}

static struct span wrap(struct buf *buf, const char *before, struct span document,
                        const char *after)
{
    buf_init(buf, (size_t)64 * 1024 * 1024);
    buf_put_text(buf, before);
    buf_put(buf, document);
    buf_put_text(buf, after);
    assert_false(buf->failed);
    return buf_span(buf);
}

static void expect_trace(struct json_trace *trace, struct span document, const char *wanted)
{
    struct buf seen;

    buf_init(&seen, 4096);
    bytes_same_for_each_split(document, json_trace_write, trace, &seen);
    buf_put_char(&seen, '\0');
    if (strncmp(seen.at, wanted, strlen(wanted)) != 0) {
        fail_msg("<%.*s>\nis %s\ninstead of %s", SPAN_ARGS(document), seen.at, wanted);
    }
    buf_fini(&seen);
}

static void scan__accepts_what_the_grammar_allows(void **state)
{
    assert_true(ARRAY_LENGTH(accepted) >= 95);
    for (size_t i = 0; i < ARRAY_LENGTH(accepted); i++) {
        expect_trace(*state, accepted[i], "good at 0");
    }
}

static void scan__accepts_the_same_inside_a_body(void **state)
{
    for (size_t i = 0; i < ARRAY_LENGTH(accepted); i++) {
        struct buf buf;
        struct span body = wrap(&buf, "{\"unknown\":", accepted[i], "}");
        struct json_hit hits[2];
        struct json_trace *trace = *state;

        assert_true(json_scan_whole(trace->scan, &trace->options, body, hits));
        assert_int_not_equal(hits[0].kind, JSON_ABSENT);
        assert_true(hits[0].at >= 11 && hits[0].len <= accepted[i].len);
        expect_trace(trace, body, "good at 0");
        buf_fini(&buf);
    }
}

static void scan__accepts_the_same_as_content_of_a_message(void **state)
{
    for (size_t i = 0; i < ARRAY_LENGTH(accepted); i++) {
        struct buf buf;
        struct span body = wrap(&buf, "{\"messages\":[{\"role\":\"user\",\"content\":", accepted[i],
                                "}],\"model\":\"m\"}");
        struct json_hit hits[2];
        struct json_trace *trace = *state;

        assert_true(json_scan_whole(trace->scan, &trace->options, body, hits));
        assert_int_not_equal(hits[1].kind, JSON_ABSENT);
        expect_trace(trace, body, "good at 0 [0 0 0+0]");
        buf_fini(&buf);
    }
}

static void scan__refuses_what_the_grammar_forbids(void **state)
{
    assert_true(ARRAY_LENGTH(rejected) >= 188);
    for (size_t i = 0; i < ARRAY_LENGTH(rejected); i++) {
        uint64_t at = 0;

        if (fault_of(*state, rejected[i], &at) == JSON_FAULT_NONE) {
            fail_msg("accepted: <%.*s>", SPAN_ARGS(rejected[i]));
        }
        expect_trace(*state, rejected[i], "invalid_");
    }
}

/* With so many bytes behind it that a member can be read in one go. */
static void scan__judges_a_value_among_members_alike(void **state)
{
    static const char before[] = "{\"a\":";
    static const char after[] = ",\"a member\":\"of more than sixteen bytes\",\"c\":true}";

    for (size_t i = 0; i < ARRAY_LENGTH(accepted) + ARRAY_LENGTH(rejected); i++) {
        bool is_good = i < ARRAY_LENGTH(accepted);
        struct buf buf;
        struct span body =
            wrap(&buf, before, is_good ? accepted[i] : rejected[i - ARRAY_LENGTH(accepted)], after);

        expect_trace(*state, body, is_good ? "good at 0" : "invalid_");
        buf_fini(&buf);
    }
}

static void scan__tells_the_byte_that_proves_the_fault(void **state)
{
    static const struct {
        struct span document;
        const char *wanted;
    } rows[] = {
        {SPAN(""), "invalid_json at 0"},
        {SPAN("  "), "invalid_json at 2"},
        {SPAN("{\"a\":1,}"), "invalid_json at 7"},
        {SPAN("{} x"), "invalid_json at 3"},
        {SPAN("[01]"), "invalid_json at 2"},
        {SPAN("[1.]"), "invalid_json at 3"},
        {SPAN("[1e+"), "invalid_json at 4"},
        {SPAN("[nulx]"), "invalid_json at 4"},
        {SPAN("[\"a\x01\"]"), "invalid_json at 3"},
        {SPAN("[\"\\q\"]"), "invalid_json at 3"},
        {SPAN("[\"\\u12g4\"]"), "invalid_json at 6"},
        {SPAN("\xef\xbb\xbf{}"), "invalid_json at 0"},
        {SPAN("[\xc3\xa9]"), "invalid_json at 1"},
        {SPAN("[\"\xc3\xa9\xc3\"]"), "invalid_utf8 at 5"},
        {SPAN("[\"\xe0\x80\x80\"]"), "invalid_utf8 at 3"},
        {SPAN("[\"12345678\xff\"]"), "invalid_utf8 at 10"},
        {SPAN("[\"\xed\xa0\x80\"]"), "invalid_utf8 at 3"},
        {SPAN("[\"\xf4\x8f\xbf\xbf\xf4\x90\"]"), "invalid_utf8 at 7"},
        {SPAN("{\"a\xff\":1}"), "invalid_utf8 at 3"},
        {SPAN("{\"a\":1,\"a\":2}"), "duplicate_key at 9"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        expect_trace(*state, rows[i].document, rows[i].wanted);
    }
}

static void scan__stays_refused_and_starts_anew(void **state)
{
    struct json_trace *trace = *state;
    struct json_hit hits[2];

    json_scan_begin(trace->scan, &trace->options, hits);
    assert_false(json_scan_feed(trace->scan, SPAN_OF("[}")));
    assert_false(json_scan_feed(trace->scan, SPAN_OF("]")));
    assert_false(json_scan_end(trace->scan));
    assert_int_equal(json_scan_offset(trace->scan), 1);
    json_scan_begin(trace->scan, &trace->options, hits);
    assert_int_equal(json_scan_fault(trace->scan), JSON_FAULT_NONE);
    assert_true(json_scan_feed(trace->scan, SPAN_OF("[")));
    assert_true(json_scan_feed(trace->scan, (struct span){NULL, 0}));
    assert_false(json_scan_is_complete(trace->scan));
    assert_true(json_scan_feed(trace->scan, SPAN_OF("] ")));
    assert_true(json_scan_is_complete(trace->scan));
    assert_true(json_scan_end(trace->scan));
}

/* `open` so often, then `close` so often. */
static struct span nested(struct buf *buf, const char *open, const char *close, size_t depth)
{
    buf_init(buf, (size_t)1 << 24);
    for (size_t i = 0; i < depth; i++) {
        buf_put_text(buf, open);
    }
    for (size_t i = 0; i < depth; i++) {
        buf_put_text(buf, close);
    }
    return buf_span(buf);
}

static void scan__counts_open_containers(void **state)
{
    struct buf buf;
    uint64_t at = 0;

    assert_int_equal(fault_of(*state, nested(&buf, "[", "]", 128), &at), JSON_FAULT_NONE);
    buf_fini(&buf);
    assert_int_equal(fault_of(*state, nested(&buf, "[", "]", 129), &at), JSON_FAULT_DEEP);
    assert_int_equal(at, 128);
    buf_fini(&buf);
    assert_int_equal(fault_of(*state, nested(&buf, "[{\"a\":", "}]", 64), &at), JSON_FAULT_SYNTAX);
    buf_fini(&buf);
    assert_int_equal(fault_of(*state, nested(&buf, "[{\"a\":", "", 65), &at), JSON_FAULT_DEEP);
    assert_int_equal(at, 6 * 64);
    buf_fini(&buf);
    assert_int_equal(fault_of(*state, nested(&buf, "[", "", 100000), &at), JSON_FAULT_DEEP);
    assert_int_equal(at, 128);
    buf_fini(&buf);
}

static void scan__counts_members_of_the_whole_document(void **state)
{
    struct buf buf;
    uint64_t at = 0;

    buf_init(&buf, (size_t)1 << 24);
    buf_put_text(&buf, "[[");
    for (size_t i = 0; i < LIMIT_JSON_MEMBERS - 2; i++) {
        buf_put_text(&buf, "1,");
    }
    buf_put_text(&buf, "1]]");
    assert_int_equal(fault_of(*state, buf_span(&buf), &at), JSON_FAULT_NONE);
    buf.len -= 2;
    buf_put_text(&buf, ",2]]");
    assert_int_equal(fault_of(*state, buf_span(&buf), &at), JSON_FAULT_LARGE);
    assert_int_equal(at, buf.len - 3);
    buf_fini(&buf);
}

static void scan__takes_numbers_of_64_bytes(void **state)
{
    struct buf buf;
    struct buf digits;
    struct span longest = nested(&digits, "-1.",
                                 "12345678901234567890123456789012345678901234567890"
                                 "12345678901",
                                 1);

    assert_int_equal(longest.len, 64);
    expect_trace(*state, longest, "good at 0");
    expect_trace(*state, wrap(&buf, "[", longest, "]"), "good at 0");
    buf_fini(&buf);
    expect_trace(*state, wrap(&buf, "[", longest, "0]"), "number_too_long at 65");
    buf_fini(&buf);
    expect_trace(*state, wrap(&buf, "[", longest, "e1]"), "number_too_long at 65");
    buf_fini(&buf);
    expect_trace(*state, wrap(&buf, "[", longest, "x]"), "invalid_json at 65");
    buf_fini(&buf);
    buf_fini(&digits);
}

static void scan__takes_keys_of_1024_bytes_as_written(void **state)
{
    struct json_trace *trace = *state;
    static const struct {
        const char *unit;
        size_t count;
        const char *rest;
        const char *wanted;
    } rows[] = {
        {"k", 1024, "\":1}", "good"},
        {"k", 1025, "\":1}", "json_too_large at 1026"},
        {"k", 1024, "\\\":1}", "json_too_large at 1026"},
        {"\\u0041", 170, "abcd\":1}", "good"},
        {"\\u0041", 170, "abcde\":1}", "json_too_large at 1026"},
        {"\\u0041", 170, "ab\\u0041\":1}", "json_too_large at 1026"},
        {"\xc3\xa9", 512, "\":1}", "good"},
        {"\xc3\xa9", 512, "\xc3\xa9\":1}", "json_too_large at 1026"},
        {"k", 1023, "\xc3\":1}", "json_too_large at 1026"},
        {"k", 1024, "\x01\":1}", "json_too_large at 1026"},
        {"k", 1023, "\x01\":1}", "invalid_json at 1025"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf buf;
        struct buf key;
        struct span name = nested(&key, rows[i].unit, "", rows[i].count);

        expect_trace(trace, wrap(&buf, "{\"", name, rows[i].rest), rows[i].wanted);
        buf_fini(&buf);
        buf_fini(&key);
    }
}

static void scan__has_a_stable_code_for_each_fault(void **state)
{
    (void)state;
    assert_string_equal(json_fault_code(JSON_FAULT_SYNTAX), "invalid_json");
    assert_string_equal(json_fault_code(JSON_FAULT_UTF8), "invalid_utf8");
    assert_string_equal(json_fault_code(JSON_FAULT_DEEP), "json_too_deep");
    assert_string_equal(json_fault_code(JSON_FAULT_LARGE), "json_too_large");
    assert_string_equal(json_fault_code(JSON_FAULT_NUMBER_LONG), "number_too_long");
    assert_string_equal(json_fault_code(JSON_FAULT_DUPLICATE), "duplicate_key");
}

/* Long strings with one bad byte, at each place of a word. A byte that may begin a character is
 * proved wrong by the one behind it. */
static void scan__sees_a_bad_byte_at_any_place_of_a_long_string(void **state)
{
    for (size_t place = 0; place < 40; place++) {
        for (unsigned bad = 0; bad < 256; bad = bad == 0x1f ? 0x80 : bad + 1) {
            char text[42];
            uint64_t at = 0;

            memset(text, 'a', sizeof text);
            text[0] = '"';
            text[41] = '"';
            text[1 + place] = (char)bad;
            assert_int_equal(fault_of(*state, span_make(text, sizeof text), &at),
                             bad < 0x20 ? JSON_FAULT_SYNTAX : JSON_FAULT_UTF8);
            assert_int_equal(at, 1 + place + (bad >= 0xc2 && bad <= 0xf4));
        }
    }
}

static void scan__without_memory_says_so(void **state)
{
    (void)state;
    mem_fail_at(1);
    assert_null(json_scan_new());
    mem_fail_at(0);
    json_scan_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan__accepts_what_the_grammar_allows),
        cmocka_unit_test(scan__accepts_the_same_inside_a_body),
        cmocka_unit_test(scan__accepts_the_same_as_content_of_a_message),
        cmocka_unit_test(scan__refuses_what_the_grammar_forbids),
        cmocka_unit_test(scan__judges_a_value_among_members_alike),
        cmocka_unit_test(scan__tells_the_byte_that_proves_the_fault),
        cmocka_unit_test(scan__stays_refused_and_starts_anew),
        cmocka_unit_test(scan__counts_open_containers),
        cmocka_unit_test(scan__counts_members_of_the_whole_document),
        cmocka_unit_test(scan__takes_numbers_of_64_bytes),
        cmocka_unit_test(scan__takes_keys_of_1024_bytes_as_written),
        cmocka_unit_test(scan__has_a_stable_code_for_each_fault),
        cmocka_unit_test(scan__sees_a_bad_byte_at_any_place_of_a_long_string),
        cmocka_unit_test(scan__without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, open_scan, close_scan);
}
