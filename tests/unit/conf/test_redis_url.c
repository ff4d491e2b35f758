/* SPDX-License-Identifier: Apache-2.0 */
/* redis:// as settings write it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/redis_url.h"
#include "tests/unit/conf/world.h"

static const struct {
    const char *text;
    const char *host;
    unsigned port;
    unsigned database;
    const char *user;
    const char *password;
} good[] = {
    {"redis://127.0.0.1", "127.0.0.1", 6379, 0, "", ""},
    {"redis://redis.internal:6380", "redis.internal", 6380, 0, "", ""},
    {"redis://localhost/3", "localhost", 6379, 3, "", ""},
    {"redis://localhost/", "localhost", 6379, 0, "", ""},
    {"redis://[::1]:6390/65535", "::1", 6390, 65535, "", ""},
    {"redis://[::1]", "::1", 6379, 0, "", ""},
    {"redis://:hush@localhost", "localhost", 6379, 0, "", "hush"},
    {"redis://app:hush@localhost:1/2", "localhost", 1, 2, "app", "hush"},
    {"redis://:a%40b%2Fc%25@localhost", "localhost", 6379, 0, "", "a@b/c%"},
    {"redis://:a@b:c@localhost", "localhost", 6379, 0, "", "a@b:c"},
};

static const struct {
    const char *text;
    const char *words;
} bad[] = {
    {"redis://", "must be redis://"},
    {"http://localhost", "must be redis://"},
    {"redis:localhost", "must be redis://"},
    {"rediss://localhost", "asks for TLS"},
    {"redis://:6379", "must be redis://"},
    {"redis://localhost:", "must be redis://"},
    {"redis://localhost:0", "has no port"},
    {"redis://localhost:65536", "has no port"},
    {"redis://localhost:1x", "has no port"},
    {"redis://localhost/one", "has no number"},
    {"redis://localhost/1/2", "has no number"},
    {"redis://localhost/65536", "has no number"},
    {"redis://localhost/1?x=2", "has no number"},
    {"redis://user@localhost", "must be redis://"},
    {"redis://user:@localhost", "must be redis://"},
    {"redis://:a%4@localhost", "%41"},
    {"redis://:a%00@localhost", "%41"},
    {"redis://:a%zz@localhost", "%41"},
    {"redis://:a@", "must be redis://"},
    {"redis://[::1", ""},
    {"redis://[localhost]", ""},
    {"redis://[::1]6379", "must be redis://"},
    {"redis://a b", ""},
    {"redis://127.1", ""},
};

static void redis_url__is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct redis_url url;
        struct why why = {""};
        struct arena arena;

        arena_init(&arena, 4096);
        if (redis_url_read(span_of(good[i].text), &arena, &url, &why) != ERR_NONE) {
            fail_msg("%s %s", good[i].text, why.text);
        }
        assert_span(url.host, good[i].host);
        assert_span(url.user, good[i].user);
        assert_span(url.password, good[i].password);
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.database, good[i].database);
        arena_fini(&arena);
    }
}

static void redis_url__is_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct redis_url url;
        struct why why = {""};
        struct arena arena;

        arena_init(&arena, 4096);
        if (redis_url_read(span_of(bad[i].text), &arena, &url, &why) != ERR_FORMAT) {
            fail_msg("taken: %s", bad[i].text);
        }
        if (why.text[0] == '\0' || strstr(why.text, bad[i].words) == NULL) {
            fail_msg("%s: \"%s\" does not say %s", bad[i].text, why.text, bad[i].words);
        }
        arena_fini(&arena);
    }
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis_url__is_read),
        cmocka_unit_test(redis_url__is_refused_with_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
