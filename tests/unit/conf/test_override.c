/* SPDX-License-Identifier: Apache-2.0 */
/* The environment stands above the file, the file above the defaults. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf/world.h"

#define BARE "version: 1\nproviders: { a: { kind: fixtures } }\n"
#define FULL                                                                                       \
    BARE "listen: 127.0.0.1:1000\nlog: { level: warn, format: text }\nadmin: { token: "            \
         "of-the-file }\n"

static void override__takes_the_file_when_nothing_is_set(void **state)
{
    struct fake_world fakes = {.variables = {{"HEADGATE_LISTEN", ""},
                                             {"HEADGATE_LOG_LEVEL", ""},
                                             {"HEADGATE_ADMIN_TOKEN", ""}}};
    struct snapshot *snapshot = load_in(&fakes, FULL);

    (void)state;
    assert_int_equal(snapshot->listens[0].port, 1000);
    assert_int_equal(snapshot->log_level, LOG_WARN);
    assert_int_equal(snapshot->log_format, LOG_TEXT);
    assert_span(snapshot->admin_token, "of-the-file");
    snapshot_give(snapshot);
}

static void override__stands_above_the_file(void **state)
{
    struct fake_world fakes = {.variables = {{"HEADGATE_LISTEN", "127.0.0.1:2000, unix:/run/h"},
                                             {"HEADGATE_LOG_LEVEL", "debug"},
                                             {"HEADGATE_LOG_FORMAT", "logfmt"},
                                             {"HEADGATE_ADMIN_TOKEN", "of-the-environment"}}};
    static const char *const texts[] = {BARE, FULL};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct snapshot *snapshot = load_in(&fakes, texts[i]);

        assert_int_equal(snapshot->listens_count, 2);
        assert_int_equal(snapshot->listens[0].port, 2000);
        assert_span(snapshot->listens[1].unix_path, "/run/h");
        assert_int_equal(snapshot->log_level, LOG_DEBUG);
        assert_int_equal(snapshot->log_format, LOG_LOGFMT);
        assert_span(snapshot->admin_token, "of-the-environment");
        snapshot_give(snapshot);
    }
    assert_int_equal(mem_held(), 0);
}

static void override__token_may_come_from_a_file(void **state)
{
    struct fake_world fakes = {.variables = {{"HEADGATE_ADMIN_TOKEN_FILE", "/run/token"}},
                               .files = {{"/run/token", SPAN("of-a-file\n")}}};
    struct snapshot *snapshot = load_in(&fakes, BARE "admin: { listen: 10.0.0.1:1 }\n");

    (void)state;
    assert_span(snapshot->admin_token, "of-a-file");
    snapshot_give(snapshot);
}

static void override__faults_name_the_variable(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *words;
    } rows[] = {
        {"HEADGATE_LISTEN", "8402", "test.yaml: error: HEADGATE_LISTEN has no port"},
        {"HEADGATE_LISTEN", "127.0.0.1:1,", "HEADGATE_LISTEN has no port"},
        {"HEADGATE_LISTEN", "0.0.0.0:1", "test.yaml: error: listen: 0.0.0.0:1 can be reached"},
        {"HEADGATE_LISTEN", "127.0.0.1:8403", "admin.listen and listen are both 127.0.0.1:8403"},
        {"HEADGATE_LISTEN", "[::1]:1,[::1]:1", "listen: [::1]:1 is taken by [::1]:1"},
        {"HEADGATE_LISTEN", "a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1",
         "HEADGATE_LISTEN must be an address"},
        {"HEADGATE_LOG_LEVEL", "trace", "HEADGATE_LOG_LEVEL must be one of error, warn"},
        {"HEADGATE_LOG_LEVEL", "dbug", "help: did you mean \"debug\"?"},
        {"HEADGATE_LOG_FORMAT", "xml", "HEADGATE_LOG_FORMAT must be one of json, text"},
        {"HEADGATE_ADMIN_TOKEN", "a b",
         "admin.token takes HEADGATE_ADMIN_TOKEN, which holds a blank"},
        {"HEADGATE_ADMIN_TOKEN_FILE", "/gone",
         "HEADGATE_ADMIN_TOKEN_FILE, but cannot read \"/gone\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fake_world fakes = {.variables = {{rows[i].name, rows[i].value}}};

        REFUSE_IN(&fakes, BARE, rows[i].words);
    }
}

static void override__a_listener_beyond_loopback_obeys_the_open_of_the_file(void **state)
{
    struct fake_world fakes = {.variables = {{"HEADGATE_LISTEN", "0.0.0.0:1"}}};

    (void)state;
    snapshot_give(load_in(&fakes, BARE "open: true\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(override__takes_the_file_when_nothing_is_set),
        cmocka_unit_test(override__stands_above_the_file),
        cmocka_unit_test(override__token_may_come_from_a_file),
        cmocka_unit_test(override__faults_name_the_variable),
        cmocka_unit_test(override__a_listener_beyond_loopback_obeys_the_open_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
