/* SPDX-License-Identifier: Apache-2.0 */
/* Where the watched values stand. */
#include "tests/unit/wire/json_trace.h"

#include "base/mem.h"

/* Looks for one path and expects these bytes as its value ("" for none), with any split. */
static struct json_hit check_value(struct json_path path, struct span document, const char *wanted)
{
    struct json_trace trace = {
        .scan = json_scan_new(),
        .options = {.paths = &path, .paths_count = 1, .allow_duplicates = true},
    };
    struct json_hit hit;

    assert_non_null(trace.scan);
    assert_true(json_scan_whole(trace.scan, &trace.options, document, &hit));
    if (!span_equal(json_hit_span(&hit, document), span_of(wanted)) ||
        (hit.kind == JSON_ABSENT) != (*wanted == '\0')) {
        fail_msg("found <%.*s> instead of <%s>", SPAN_ARGS(json_hit_span(&hit, document)), wanted);
    }
    bytes_same_for_each_split(document, json_trace_write, &trace, NULL);
    json_scan_free(trace.scan);
    return hit;
}

static void watch__finds_members_of_the_root(void **state)
{
    static const struct span document = SPAN(
        " {\"model\" : \"m\", \"n\":-1.5e3 ,\"t\":true,\"f\":false,\"z\":null,\"o\":{\"a\":[1,2]},"
        "\"l\":[1,{},[]] } ");
    static const struct {
        struct json_path path;
        enum json_kind kind;
        uint32_t count;
        const char *value;
    } rows[] = {
        {JSON_PATH1("model"), JSON_STRING, 0, "\"m\""},
        {JSON_PATH1("n"), JSON_NUMBER, 0, "-1.5e3"},
        {JSON_PATH1("t"), JSON_TRUE, 0, "true"},
        {JSON_PATH1("f"), JSON_FALSE, 0, "false"},
        {JSON_PATH1("z"), JSON_NULL, 0, "null"},
        {JSON_PATH1("o"), JSON_OBJECT, 1, "{\"a\":[1,2]}"},
        {JSON_PATH1("l"), JSON_ARRAY, 3, "[1,{},[]]"},
        {JSON_PATH2("o", "a"), JSON_ARRAY, 2, "[1,2]"},
        {JSON_PATH1("Model"), JSON_ABSENT, 0, ""},
        {JSON_PATH1("mode"), JSON_ABSENT, 0, ""},
        {JSON_PATH1("model "), JSON_ABSENT, 0, ""},
        {JSON_PATH1("a"), JSON_ABSENT, 0, ""},
        {JSON_PATH2("o", "b"), JSON_ABSENT, 0, ""},
        {JSON_PATH2("model", "m"), JSON_ABSENT, 0, ""},
        {JSON_PATH2("o", "[]"), JSON_ABSENT, 0, ""},
        {JSON_PATH2("l", "a"), JSON_ABSENT, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct json_hit hit = check_value(rows[i].path, document, rows[i].value);

        assert_int_equal(hit.kind, rows[i].kind);
        assert_int_equal(hit.count, rows[i].count);
    }
}

static void watch__finds_the_root_itself(void **state)
{
    struct json_path root = {.steps = 0};

    (void)state;
    assert_int_equal(check_value(root, SPAN_OF(" {\"a\":1,\"b\":2}\n"), "{\"a\":1,\"b\":2}").count,
                     2);
    assert_int_equal(check_value(root, SPAN_OF("12"), "12").kind, JSON_NUMBER);
    assert_int_equal(check_value(root, SPAN_OF("12 "), "12").kind, JSON_NUMBER);
    assert_int_equal(check_value(root, SPAN_OF("\"x\""), "\"x\"").kind, JSON_STRING);
    assert_int_equal(check_value(root, SPAN_OF("[]"), "[]").kind, JSON_ARRAY);
}

static void watch__goes_down_through_objects_and_items(void **state)
{
    static const struct span document = SPAN(
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{\"content\":\"b\",\"x\":1}},"
        "{\"delta\":{}}],\"m\":[[1,[2]],[3]]}");

    (void)state;
    (void)check_value((struct json_path)JSON_PATH4("choices", "[]", "delta", "content"), document,
                      "\"b\"");
    (void)check_value((struct json_path)JSON_PATH3("choices", "[]", "delta"), document, "{}");
    (void)check_value((struct json_path)JSON_PATH2("choices", "[]"), document, "{\"delta\":{}}");
    (void)check_value((struct json_path)JSON_PATH3("m", "[]", "[]"), document, "3");
    (void)check_value((struct json_path)JSON_PATH4("m", "[]", "[]", "[]"), document, "2");
    (void)check_value((struct json_path)JSON_PATH3("choices", "delta", "content"), document, "");
}

static void watch__takes_items_of_arrays_only(void **state)
{
    (void)state;
    (void)check_value((struct json_path)JSON_PATH2("a", "[]"), SPAN_OF("{\"a\":{\"[]\":1}}"), "");
    (void)check_value((struct json_path)JSON_PATH1("[]"), SPAN_OF("{\"[]\":1}"), "");
    (void)check_value((struct json_path)JSON_PATH1("[]"), SPAN_OF("[7]"), "7");
}

static void watch__reads_escapes_in_keys(void **state)
{
    (void)state;
    (void)check_value((struct json_path)JSON_PATH1("model"), SPAN_OF("{\"mod\\u0065l\":1}"), "1");
    (void)check_value((struct json_path)JSON_PATH1("a/\"\\\n"), SPAN_OF("{\"a\\/\\\"\\\\\\n\":1}"),
                      "1");
    (void)check_value((struct json_path)JSON_PATH1("\xf0\x9f\x98\x80\xc3\xa9"),
                      SPAN_OF("{\"\\ud83d\\ude00\\u00e9\":1}"), "1");
    (void)check_value((struct json_path)JSON_PATH1("model"), SPAN_OF("{\"model\\u0000\":1}"), "");
    (void)check_value((struct json_path)JSON_PATH1("\\u0061"), SPAN_OF("{\"\\u0061\":1}"), "");
    (void)check_value((struct json_path)JSON_PATH1(""), SPAN_OF("{\"\":1}"), "1");
}

static void watch__keeps_the_last_of_several(void **state)
{
    (void)state;
    (void)check_value((struct json_path)JSON_PATH1("a"), SPAN_OF("{\"a\":1,\"b\":2,\"a\":[3]}"),
                      "[3]");
    (void)check_value((struct json_path)JSON_PATH2("a", "b"),
                      SPAN_OF("{\"a\":{\"b\":1},\"a\":{\"b\":2}}"), "2");
}

static void watch__follows_32_paths_at_once(void **state)
{
    static const char names[] = "abcdefghijklmnopqrstuvwxyzABCDEF";
    struct json_path paths[JSON_PATHS_MAX];
    struct json_hit hits[JSON_PATHS_MAX];
    struct json_scan_options options = {.paths = paths, .paths_count = JSON_PATHS_MAX};
    struct json_scan *scan = json_scan_new();
    struct buf buf;

    (void)state;
    assert_non_null(scan);
    buf_init(&buf, 4096);
    for (size_t i = 0; i < JSON_PATHS_MAX; i++) {
        paths[i] = (struct json_path){.steps = 1, .len = {1}, .name = {names + i}};
        buf_put_format(&buf, "%c\"%c\":%u", i == 0 ? '{' : ',', names[i], (unsigned)i + 10);
    }
    buf_put_char(&buf, '}');
    assert_true(json_scan_whole(scan, &options, buf_span(&buf), hits));
    for (size_t i = 0; i < JSON_PATHS_MAX; i++) {
        int64_t number = 0;

        assert_int_equal(json_integer(json_hit_span(&hits[i], buf_span(&buf)), &number), ERR_NONE);
        assert_int_equal(number, i + 10);
    }
    buf_fini(&buf);
    json_scan_free(scan);
}

static void watch__forgets_the_hits_of_the_document_before(void **state)
{
    struct json_path path = JSON_PATH1("a");
    struct json_scan_options options = {.paths = &path, .paths_count = 1};
    struct json_scan *scan = json_scan_new();
    struct json_hit hit;

    (void)state;
    assert_non_null(scan);
    assert_true(json_scan_whole(scan, &options, SPAN_OF("{\"a\":1}"), &hit));
    assert_int_equal(hit.kind, JSON_NUMBER);
    assert_true(json_scan_whole(scan, &options, SPAN_OF("{\"b\":1}"), &hit));
    assert_int_equal(hit.kind, JSON_ABSENT);
    json_scan_free(scan);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watch__finds_members_of_the_root),
        cmocka_unit_test(watch__finds_the_root_itself),
        cmocka_unit_test(watch__goes_down_through_objects_and_items),
        cmocka_unit_test(watch__takes_items_of_arrays_only),
        cmocka_unit_test(watch__reads_escapes_in_keys),
        cmocka_unit_test(watch__keeps_the_last_of_several),
        cmocka_unit_test(watch__follows_32_paths_at_once),
        cmocka_unit_test(watch__forgets_the_hits_of_the_document_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
