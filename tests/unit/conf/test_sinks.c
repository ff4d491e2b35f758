/* SPDX-License-Identifier: Apache-2.0 */
/* sinks: each kind with its own fields, their defaults and their ends, secrets that are not shown.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/sink_file.h"
#include "conf/sink_http.h"
#include "conf/sink_redis.h"
#include "tests/unit/conf/world.h"

#define TOP(inside)     "version: 1\nproviders: { a: { kind: fixtures } }\n" inside
#define SINKS(inside)   TOP("sinks: [ " inside " ]\n")
#define SINK_OF(inside) SINKS("{ " inside " }")
#define HTTP(inside)    SINK_OF("kind: http, url: \"https://usage.example/v1\", " inside)
#define REDIS(inside)   SINK_OF("kind: redis, url: \"redis://localhost\", " inside)
#define LOCAL(inside)   SINK_OF("kind: file, path: a.jsonl, " inside)

static void nothing__is_no_sink(void **state)
{
    struct snapshot *snapshot = load_good(TOP(""));

    (void)state;
    assert_int_equal(snapshot->sinks_count, 0);
    snapshot_give(snapshot);
    snapshot = load_good(TOP("sinks: []\n"));
    assert_int_equal(snapshot->sinks_count, 0);
    snapshot_give(snapshot);
}

static void defaults__are_those_of_the_kind(void **state)
{
    struct snapshot *snapshot =
        load_good(SINKS("{ kind: file, path: ./usage.jsonl }, { kind: stdout }, "
                        "{ kind: http, url: \"https://usage.example/v1\" }, "
                        "{ kind: redis, url: \"redis://:hush@localhost\" }"));
    const struct sink_file_settings *file = (const void *)snapshot->sinks[0];
    const struct sink_settings *out = snapshot->sinks[1];
    const struct sink_http_settings *http = (const void *)snapshot->sinks[2];
    const struct sink_redis_settings *redis = (const void *)snapshot->sinks[3];

    (void)state;
    assert_int_equal(snapshot->sinks_count, 4);
    assert_string_equal(file->common.kind->name, "file");
    assert_span(file->common.name, "file ./usage.jsonl");
    assert_int_equal(file->common.batch, 500);
    assert_int_equal(file->common.every_ms, 1000);
    assert_int_equal(file->rotate, 0);
    assert_int_equal(file->keep, 16);
    assert_int_equal(file->sync, SINK_FILE_SYNC_BATCH);
    assert_span(out->name, "stdout");
    assert_int_equal(out->every_ms, 100);
    assert_span(http->common.name, "http https://usage.example/v1");
    assert_int_equal(http->common.batch, 500);
    assert_int_equal(http->common.every_ms, 5000);
    assert_int_equal(http->timeout_ms, 30000);
    assert_true(http->is_tls);
    assert_int_equal(http->headers_count, 0);
    assert_span(redis->common.name, "redis localhost:6379/0 headgate:usage");
    assert_span(redis->url.password, "hush");
    assert_int_equal(redis->length, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(sink_kind_at(snapshot->sinks[i]->kind_index), snapshot->sinks[i]->kind);
    }
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

static void values__are_taken(void **state)
{
    struct snapshot *snapshot = load_good(
        SINKS("{ kind: file, name: books, path: a, rotate: 64MiB, keep: 3, sync: off, batch: 1, "
              "every: 1ms }, "
              "{ kind: http, url: \"http://127.0.0.1:9/x\", ca_file: /ca.pem, timeout: 1s, "
              "headers: { Authorization: \"Bearer ${OPENAI_API_KEY}\", x-team: blue } }, "
              "{ kind: redis, url: \"redis://localhost:7/2\", stream: s, length: 1000 }"));
    const struct sink_file_settings *file = (const void *)snapshot->sinks[0];
    const struct sink_http_settings *http = (const void *)snapshot->sinks[1];
    const struct sink_redis_settings *redis = (const void *)snapshot->sinks[2];

    (void)state;
    assert_span(file->common.name, "books");
    assert_int_equal(file->rotate, 64 * 1024 * 1024);
    assert_int_equal(file->keep, 3);
    assert_int_equal(file->sync, SINK_FILE_SYNC_OFF);
    assert_int_equal(file->common.batch, 1);
    assert_int_equal(file->common.every_ms, 1);
    assert_false(http->is_tls);
    assert_span(http->ca_file, "/ca.pem");
    assert_int_equal(http->headers_count, 2);
    assert_span(http->headers[0].name, "authorization");
    assert_span(http->headers[0].value, "Bearer sk-test-openai-0001");
    assert_span(http->headers[1].name, "x-team");
    assert_span(redis->stream, "s");
    assert_span(redis->common.name, "redis localhost:7/2 s");
    assert_int_equal(redis->length, 1000);
    snapshot_give(snapshot);
    assert_int_equal(mem_held(), 0);
}

static const char *const taken[] = {
    LOCAL("batch: 10000"),
    LOCAL("every: 1h"),
    LOCAL("rotate: 1MiB"),
    LOCAL("rotate: 1024GiB"),
    LOCAL("rotate: off"),
    LOCAL("keep: 1"),
    LOCAL("keep: 1000"),
    HTTP("timeout: 100ms"),
    HTTP("timeout: 10m"),
    REDIS("length: 0"),
    REDIS("length: 1000000000000"),
    SINK_OF("kind: http, url: \"http://localhost/x\""),
    TOP("egress: { allow: [10.0.0.0/8] }\nsinks: [ { kind: http, url: \"http://10.1.2.3/\" } ]\n"),
};

static const struct {
    const char *text;
    const char *words;
} refused[] = {
    {TOP("sinks: {}\n"), "sinks must be a list"},
    {SINKS("file"), "sinks[0] must be a mapping"},
    {SINK_OF("path: a"), "\"kind\" is missing in sinks[0]"},
    {SINK_OF("kind: fil, path: a"), "did you mean \"file\"?"},
    {SINK_OF("kind: carrier-pigeon"), "kinds: file, stdout, http, redis"},
    {SINK_OF("kind: file"), "\"path\" is missing in sinks[0]"},
    {SINK_OF("kind: http"), "\"url\" is missing in sinks[0]"},
    {SINK_OF("kind: redis"), "\"url\" is missing in sinks[0]"},
    {SINK_OF("kind: stdout, path: a"), "unknown key \"path\" in sinks[0]"},
    {LOCAL("rotat: 1MiB"), "did you mean \"rotate\"?"},
    {LOCAL("name: \"A b\""), "sinks[0].name is no name of a sink"},
    {LOCAL("batch: 0"), "sinks[0].batch must be 1 to 10000"},
    {LOCAL("batch: 10001"), "sinks[0].batch must be 1 to 10000"},
    {LOCAL("every: 0s"), "sinks[0].every must be 1ms to 1h"},
    {LOCAL("every: 2h"), "sinks[0].every must be 1ms to 1h"},
    {LOCAL("rotate: 1B"), "sinks[0].rotate must be 1MiB to 1024GiB"},
    {LOCAL("rotate: 1025GiB"), "sinks[0].rotate must be 1MiB to 1024GiB"},
    {LOCAL("keep: 0"), "sinks[0].keep must be 1 to 1000"},
    {LOCAL("keep: 1001"), "sinks[0].keep must be 1 to 1000"},
    {LOCAL("sync: sometimes"), "sinks[0].sync"},
    {SINK_OF("kind: file, path: logs/"), "must be the path of a file"},
    {HTTP("timeout: 99ms"), "sinks[0].timeout must be 100ms to 10m"},
    {HTTP("timeout: 11m"), "sinks[0].timeout must be 100ms to 10m"},
    {HTTP("headers: { \"a b\": x }"), "must be the name of a header"},
    {HTTP("headers: { Content-Type: x }"), "is a header that headgate sets itself"},
    {HTTP("headers: { a: x, A: y }"), "is named twice"},
    {HTTP("headers: { a: \" x\" }"), "is no value of a header"},
    {HTTP("headers: { a: \"\" }"), "is empty"},
    {SINK_OF("kind: http, url: \"http://usage.example/\""), "is http:// beyond loopback"},
    {SINK_OF("kind: http, url: \"ftp://usage.example/\""), "sinks[0].url"},
    {REDIS("length: 1000000000001"), "sinks[0].length must be 0 to 1000000000000"},
    {SINK_OF("kind: redis, url: \"rediss://localhost\""), "asks for TLS"},
    {SINKS("{ kind: stdout }, { kind: stdout, name: b }"),
     "delivers to the same place as sinks[0]"},
    {SINKS("{ kind: file, path: a }, { kind: file, path: a, batch: 1 }"),
     "sinks[1] delivers to the same place as sinks[0]"},
    {SINKS("{ kind: stdout, name: b }, { kind: file, path: a, name: b }"),
     "has the name of sinks[0]"},
};

static void ends_of_ranges__are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        snapshot_give(load_good(taken[i]));
        assert_int_equal(mem_held(), 0);
    }
}

static void what_is_wrong__is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        REFUSE(refused[i].text, refused[i].words);
    }
}

static void secrets__are_never_shown(void **state)
{
    static const char *const texts[] = {
        HTTP("headers: { x-odd: hush-hush-hush }, nonsense: 1"),
        HTTP("headers: { content-type: hush-hush-hush }"),
        SINK_OF("kind: redis, url: \"redis://:hush-hush-hush@localhost:0\""),
        SINK_OF("kind: redis, url: \"redis://u:hush-hush-hush@localhost\", nonsense: 1"),
        SINK_OF("kind: http, url: \"https://u:hush-hush-hush@usage.example/\""),
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct conf_world world = world_of(&usual_world);
        struct complaints complaints;
        struct snapshot *snapshot = NULL;

        assert_int_equal(
            conf_load(SPAN_OF("test.yaml"), span_of(texts[i]), &world, &complaints, &snapshot),
            ERR_CONFIG);
        if (strstr(printed(&complaints, texts[i]), "hush") != NULL) {
            fail_msg("%s", printed(&complaints, texts[i]));
        }
    }
}

static void memory__that_fails_is_told(void **state)
{
    static const char text[] =
        SINKS("{ kind: http, url: \"https://usage.example/\", headers: { a: b } }, "
              "{ kind: redis, url: \"redis://:a%41@localhost\" }, { kind: file, path: a }");
    uint64_t most = 0;

    (void)state;
    mem_fail_at(0);
    snapshot_give(load_good(text));
    most = mem_taken();
    for (uint64_t i = 1; i <= most; i++) {
        struct conf_world world = world_of(&usual_world);
        struct complaints complaints;
        struct snapshot *snapshot = NULL;

        mem_fail_at(i);
        if (conf_load(SPAN_OF("t"), span_of(text), &world, &complaints, &snapshot) == ERR_NONE) {
            snapshot_give(snapshot);
        }
        mem_fail_at(0);
        assert_int_equal(mem_held(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing__is_no_sink),
        cmocka_unit_test(defaults__are_those_of_the_kind),
        cmocka_unit_test(values__are_taken),
        cmocka_unit_test(ends_of_ranges__are_taken),
        cmocka_unit_test(what_is_wrong__is_refused),
        cmocka_unit_test(secrets__are_never_shown),
        cmocka_unit_test(memory__that_fails_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
