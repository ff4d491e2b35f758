/* SPDX-License-Identifier: Apache-2.0 */
/* Duplicate names: per object, by unescaped name, whatever the size of the object. */
#include "tests/unit/wire/json_trace.h"

#include <time.h>

#include "base/mem.h"
#include "wire/json_dup.h"

static void expect_fault(struct span document, bool allow_duplicates, enum json_fault wanted)
{
    size_t held = mem_held();
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 99, .allow_duplicates = allow_duplicates};

    assert_non_null(scan);
    assert_int_equal(json_scan_whole(scan, &options, document, NULL), wanted == JSON_FAULT_NONE);
    if (json_scan_fault(scan) != wanted) {
        fail_msg("%s instead of %s: %.*s", json_fault_code(json_scan_fault(scan)),
                 json_fault_code(wanted), (int)(document.len > 200 ? 200 : document.len),
                 document.at);
    }
    json_scan_free(scan);
    assert_int_equal(mem_held(), held);
}

static void dup__judges_each_object_by_unescaped_names(void **state)
{
    static const struct {
        struct span document;
        bool is_duplicate;
    } rows[] = {
        {SPAN("{\"a\":1,\"a\":1}"), true},
        {SPAN("{\"model\":\"cheap\",\"n\":1,\"model\":\"dear\"}"), true},
        {SPAN("{\"model\":1,\"mod\\u0065l\":2}"), true},
        {SPAN("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"), true},
        {SPAN("{\"\":1,\"\":2}"), true},
        {SPAN("{\"\\/\":1,\"/\":2}"), true},
        {SPAN("{\"a\":{},\"b\":{},\"a\":1}"), true},
        {SPAN("{\"a\":{\"x\":1,\"y\":{\"q\":1,\"q\":2}}}"), true},
        {SPAN("[{\"a\":1},[{\"b\":1,\"b\":2}]]"), true},
        {SPAN("{\"12345678\":1,\"12345678\":2}"), true},
        {SPAN("{\"1234567890123456\":1,\"1234567890123456\":2}"), true},
        {SPAN("{\"12345678901234567890\":1,\"12345678901234567890\":2}"), true},
        {SPAN("{\"Model\":1,\"model\":2}"), false},
        {SPAN("{\"a\":{\"a\":{\"a\":1}}}"), false},
        {SPAN("[{\"a\":1},{\"a\":1}]"), false},
        {SPAN("{\"a\":{\"b\":1},\"b\":{\"a\":1}}"), false},
        {SPAN("{\"a\":1,\"a\\u0000\":1,\"aa\":1,\"aaa\":1,\"aaaa\":1}"), false},
        {SPAN("{\"\\ud800\":1,\"\\ud801\":1,\"\\ufffd\":1}"), false},
        {SPAN("{\"ab\":1,\"ba\":1,\"aab\":1,\"aba\":1,\"baa\":1}"), false},
        {SPAN("{\"1234567\":1,\"12345678\":1,\"123456789\":1,\"1234567890123456\":1,"
              "\"12345678901234567\":1,\"02345678901234567\":1}"),
         false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        expect_fault(rows[i].document, false,
                     rows[i].is_duplicate ? JSON_FAULT_DUPLICATE : JSON_FAULT_NONE);
        expect_fault(rows[i].document, true, JSON_FAULT_NONE);
    }
}

/* Puts an object of `count` names "k0", "k1", ...; the last value stays open. */
static void put_members(struct buf *buf, size_t count)
{
    buf_put_char(buf, '{');
    for (size_t i = 0; i < count; i++) {
        buf_put_format(buf, "%s\"k%zu\":", i == 0 ? "" : "1,", i);
    }
}

static void dup__finds_every_earlier_name_of_objects_of_any_size(void **state)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 18, 31, 32, 33, 64, 255, 256, 257, 600};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        for (size_t again = 0; again <= sizes[i]; again += 1 + sizes[i] / 40) {
            struct buf buf;

            buf_init(&buf, (size_t)1 << 20);
            put_members(&buf, sizes[i]);
            buf_put_format(&buf, "1,\"k%zu\":2}", again);
            expect_fault(buf_span(&buf), false,
                         again < sizes[i] ? JSON_FAULT_DUPLICATE : JSON_FAULT_NONE);
            buf_fini(&buf);
        }
    }
}

/* Large objects inside large ones with the same names; on the way out one more name in each. */
static void dup__keeps_nested_large_objects_apart(void **state)
{
    static const size_t depth = 12;

    (void)state;
    for (size_t wrong = 0; wrong <= depth; wrong++) {
        struct buf buf;

        buf_init(&buf, (size_t)1 << 20);
        for (size_t i = 0; i < depth; i++) {
            put_members(&buf, 10 + 7 * i);
        }
        buf_put_text(&buf, "1");
        for (size_t i = 0; i < depth; i++) {
            buf_put_format(&buf, ",\"k%d\":{\"k1\":1}}", i == wrong ? 3 : 500);
        }
        expect_fault(buf_span(&buf), false, wrong < depth ? JSON_FAULT_DUPLICATE : JSON_FAULT_NONE);
        buf_fini(&buf);
    }
}

static void dup__serves_many_large_objects_with_the_memory_of_one(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 1};
    struct buf buf;
    size_t held = 0;

    (void)state;
    assert_non_null(scan);
    buf_init(&buf, (size_t)1 << 24);
    for (size_t i = 0; i < 300; i++) {
        buf_put_char(&buf, i == 0 ? '[' : ',');
        put_members(&buf, 40 + i % 90);
        buf_put_text(&buf, "1}");
    }
    held = mem_held();
    json_scan_begin(scan, &options, NULL);
    assert_true(json_scan_feed(scan, buf_span(&buf)));
    assert_int_equal(mem_held() - held, 512 * sizeof(uint64_t));
    assert_true(json_scan_feed(scan, SPAN_OF("]")));
    assert_true(json_scan_end(scan));
    assert_int_equal(mem_held(), held);
    buf_fini(&buf);
    json_scan_free(scan);
}

/* The names share all but their last bytes, as somebody would send them who wants one chain. */
static void dup__takes_100000_names_in_linear_time(void **state)
{
    struct buf buf;
    clock_t begin = 0;

    (void)state;
    buf_init(&buf, (size_t)1 << 24);
    put_members(&buf, 100000);
    buf_put_text(&buf, "1}");
    begin = clock();
    expect_fault(buf_span(&buf), false, JSON_FAULT_NONE);
    /* Quadratic time would be a minute; a sanitizer on a busy machine needs a tenth of a second. */
    assert_true(clock() - begin < 5 * CLOCKS_PER_SEC);
    buf_fini(&buf);
}

static void dup__gives_memory_back_after_every_end(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 1};
    size_t held = mem_held();
    struct buf buf;

    (void)state;
    assert_non_null(scan);
    buf_init(&buf, (size_t)1 << 20);
    put_members(&buf, 1000);
    json_scan_begin(scan, &options, NULL);
    assert_true(json_scan_feed(scan, buf_span(&buf)));
    assert_true(mem_held() > held + buf.cap);
    json_scan_begin(scan, &options, NULL);
    assert_int_equal(mem_held(), held + buf.cap);
    assert_true(json_scan_feed(scan, buf_span(&buf)));
    assert_false(json_scan_feed(scan, SPAN_OF("]")));
    assert_int_equal(mem_held(), held + buf.cap);
    buf_put_text(&buf, "1}");
    assert_true(json_scan_whole(scan, &options, buf_span(&buf), NULL));
    assert_int_equal(mem_held(), held + buf.cap);
    buf_fini(&buf);
    json_scan_free(scan);
}

static void dup__takes_no_memory_for_small_objects_or_when_allowed(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 1};
    struct buf buf;

    (void)state;
    assert_non_null(scan);
    buf_init(&buf, (size_t)1 << 20);
    put_members(&buf, JSON_DUP_LINEAR);
    buf_put_text(&buf, "1}");
    mem_fail_at(1);
    assert_true(json_scan_whole(scan, &options, buf_span(&buf), NULL));
    mem_fail_at(0);
    buf.len -= 2;
    put_members(&buf, 1000);
    buf_put_text(&buf, "1}}");
    options.allow_duplicates = true;
    mem_fail_at(1);
    assert_true(json_scan_whole(scan, &options, buf_span(&buf), NULL));
    assert_int_equal(mem_taken(), 0);
    mem_fail_at(0);
    buf_fini(&buf);
    json_scan_free(scan);
}

static void dup__without_memory_says_so_and_holds_nothing(void **state)
{
    struct json_scan *scan = json_scan_new();
    struct json_scan_options options = {.seed = 1};
    size_t held = mem_held();
    struct buf buf;
    uint64_t n = 1;
    bool is_good = false;

    (void)state;
    assert_non_null(scan);
    buf_init(&buf, (size_t)1 << 20);
    put_members(&buf, 1000);
    buf_put_text(&buf, "1}");
    for (; n < 100 && !is_good; n++) {
        mem_fail_at(n);
        is_good = json_scan_whole(scan, &options, buf_span(&buf), NULL);
        mem_fail_at(0);
        assert_int_equal(json_scan_fault(scan), is_good ? JSON_FAULT_NONE : JSON_FAULT_MEMORY);
        assert_int_equal(mem_held(), held + buf.cap);
    }
    assert_true(is_good && n > 4);
    buf_fini(&buf);
    json_scan_free(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dup__judges_each_object_by_unescaped_names),
        cmocka_unit_test(dup__finds_every_earlier_name_of_objects_of_any_size),
        cmocka_unit_test(dup__keeps_nested_large_objects_apart),
        cmocka_unit_test(dup__serves_many_large_objects_with_the_memory_of_one),
        cmocka_unit_test(dup__takes_100000_names_in_linear_time),
        cmocka_unit_test(dup__gives_memory_back_after_every_end),
        cmocka_unit_test(dup__takes_no_memory_for_small_objects_or_when_allowed),
        cmocka_unit_test(dup__without_memory_says_so_and_holds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
