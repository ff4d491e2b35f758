/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/wire/json_trace.h"

#include "base/mem.h"
#include "wire/json_out.h"

static void expect_text(const struct buf *buf, const char *wanted)
{
    assert_false(buf->failed);
    if (!span_equal(buf_span(buf), span_of(wanted))) {
        fail_msg("<%.*s> instead of <%s>", SPAN_ARGS(buf_span(buf)), wanted);
    }
}

static void out__places_commas_itself(void **state)
{
    struct buf buf;
    struct json_out out;

    (void)state;
    buf_init(&buf, 1024);
    json_out_init(&out, &buf);
    json_open_object(&out);
    json_key(&out, "a");
    json_i64(&out, 1);
    json_key(&out, "b");
    json_open_array(&out);
    json_close_array(&out);
    json_key(&out, "c");
    json_open_array(&out);
    json_text(&out, "x");
    json_bool(&out, true);
    json_bool(&out, false);
    json_null(&out);
    json_open_object(&out);
    json_close_object(&out);
    json_open_object(&out);
    json_key(&out, "k\"");
    json_raw(&out, SPAN_OF("[1, 2]"));
    json_close_object(&out);
    json_string(&out, SPAN_OF(""));
    json_close_array(&out);
    json_key_plain(&out, SPAN_OF("d"));
    json_null(&out);
    json_close_object(&out);
    expect_text(&buf, "{\"a\":1,\"b\":[],\"c\":[\"x\",true,false,null,{},{\"k\\\"\":[1, 2]},\"\"],"
                      "\"d\":null}");
    buf_fini(&buf);
}

static void out__writes_every_integer(void **state)
{
    struct buf buf;
    struct json_out out;

    (void)state;
    buf_init(&buf, 1024);
    json_out_init(&out, &buf);
    json_i64(&out, 0);
    json_i64(&out, INT64_MAX);
    json_i64(&out, INT64_MIN);
    json_i64(&out, -1);
    expect_text(&buf, "0,9223372036854775807,-9223372036854775808,-1");
    buf_fini(&buf);
}

static void out__escapes_what_must_be_escaped(void **state)
{
    static const struct {
        struct span text;
        const char *wanted;
    } rows[] = {
        {SPAN(""), ""},
        {SPAN("plain text / 'quoted' <b>\x7f"), "plain text / 'quoted' <b>\x7f"},
        {SPAN("a\"b\\c"), "a\\\"b\\\\c"},
        {SPAN("\n\r\t\b\f"), "\\n\\r\\t\\u0008\\u000c"},
        {SPAN("\0\x1f"), "\\u0000\\u001f"},
        {SPAN("12345678\n12345678"), "12345678\\n12345678"},
        {SPAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {SPAN("a\xff"
              "b"),
         "a\xef\xbf\xbd"
         "b"},
        {SPAN("\xc3"), "\xef\xbf\xbd"},
        {SPAN("\xc3"
              "x"),
         "\xef\xbf\xbdx"},
        {SPAN("\xe2\x82\""), "\xef\xbf\xbd\xef\xbf\xbd\\\""},
        {SPAN("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {SPAN("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf buf;

        buf_init(&buf, 1024);
        json_escape(&buf, rows[i].text);
        expect_text(&buf, rows[i].wanted);
        buf_fini(&buf);
    }
}

/* Every pair of bytes, at the end of a block and inside: what comes out is JSON that means the same
 * where the bytes were text. */
static void out__makes_valid_json_of_any_bytes(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 1};

    (void)state;
    assert_non_null(scan);
    for (unsigned pair = 0; pair < 65536; pair++) {
        char bytes[3] = {(char)(pair >> 8), (char)pair, 'x'};
        struct buf json;
        struct buf text;
        struct json_out out;

        buf_init(&json, 64);
        buf_init(&text, 64);
        json_out_init(&out, &json);
        json_string(&out, span_make(bytes, 2 + pair % 2));
        assert_true(json_scan_whole(scan, &options, buf_span(&json), NULL));
        json_string_decode(buf_span(&json), &text);
        if ((pair & 0x8080) == 0) {
            assert_true(span_equal(buf_span(&text), span_make(bytes, 2 + pair % 2)));
        }
        buf_fini(&json);
        buf_fini(&text);
    }
    json_scan_free(scan);
}

static void out__leaves_failures_to_the_buffer(void **state)
{
    struct buf buf;
    struct json_out out;

    (void)state;
    buf_init(&buf, 8);
    json_out_init(&out, &buf);
    json_text(&out, "a\nlong text");
    json_i64(&out, 1);
    assert_true(buf.failed);
    assert_true(buf.len <= 8);
    buf_fini(&buf);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out__places_commas_itself),
        cmocka_unit_test(out__writes_every_integer),
        cmocka_unit_test(out__escapes_what_must_be_escaped),
        cmocka_unit_test(out__makes_valid_json_of_any_bytes),
        cmocka_unit_test(out__leaves_failures_to_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
