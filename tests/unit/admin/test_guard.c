/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask the operators' listener for what: heads in, verdicts out. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "admin/guard.h"
#include "base/buf.h"

static const struct span hosts[] = {SPAN("gateway.example"), SPAN("box:8403")};
static const struct guard_rules open = {.token = {"", 0}};
static const struct guard_rules locked = {.token = SPAN("test-token")};
static const struct guard_rules named = {
    .token = SPAN("test-token"), .hosts = hosts, .hosts_count = 2};

/* The verdict on a head of these lines (each with its line end); Host comes from `host`. */
static enum guard_verdict judge(const struct guard_rules *rules, struct guard_facts facts,
                                const char *host, const char *lines)
{
    static struct http1_head head;
    enum guard_verdict verdict = GUARD_PASS;
    struct buf text;

    buf_init(&text, 4096);
    buf_put_format(&text, "POST /x HTTP/1.1\r\nHost: %s\r\n%s\r\n", host, lines);
    http1_head_init(&head, HTTP1_REQUEST);
    assert_int_equal(http1_head_feed(&head, buf_span(&text)), HTTP1_DONE);
    guard_see(&head, text.at, &facts);
    verdict = guard_judge(rules, &facts);
    buf_fini(&text);
    return verdict;
}

#define READ                                                                                       \
    (struct guard_facts)                                                                           \
    {                                                                                              \
        .is_local = true                                                                           \
    }
#define CHANGE                                                                                     \
    (struct guard_facts)                                                                           \
    {                                                                                              \
        .is_local = true, .is_change = true                                                        \
    }
#define HEALTH                                                                                     \
    (struct guard_facts)                                                                           \
    {                                                                                              \
        .is_public = true                                                                          \
    }
#define TOKEN "Authorization: Bearer test-token\r\n"

static void guard__without_a_token_this_machine_reads_and_nobody_changes(void **state)
{
    (void)state;
    assert_int_equal(judge(&open, READ, "127.0.0.1", ""), GUARD_PASS);
    assert_int_equal(judge(&open, (struct guard_facts){.is_local = false}, "127.0.0.1", ""),
                     GUARD_REMOTE);
    assert_int_equal(judge(&open, HEALTH, "10.0.0.1", ""), GUARD_PASS);
    assert_int_equal(judge(&open, CHANGE, "127.0.0.1", ""), GUARD_CLOSED);
    assert_int_equal(judge(&open, CHANGE, "127.0.0.1", TOKEN), GUARD_CLOSED);
    assert_int_equal(judge(&open, CHANGE, "127.0.0.1", "Authorization: Bearer \r\n"), GUARD_CLOSED);
}

static void guard__with_a_token_all_but_health_needs_it(void **state)
{
    (void)state;
    assert_int_equal(judge(&locked, HEALTH, "127.0.0.1", ""), GUARD_PASS);
    assert_int_equal(judge(&locked, READ, "127.0.0.1", ""), GUARD_NO_TOKEN);
    assert_int_equal(judge(&locked, CHANGE, "127.0.0.1", ""), GUARD_NO_TOKEN);
    assert_int_equal(judge(&locked, READ, "127.0.0.1", TOKEN), GUARD_PASS);
    assert_int_equal(judge(&locked, CHANGE, "127.0.0.1", TOKEN), GUARD_PASS);
    assert_int_equal(judge(&locked, CHANGE, "127.0.0.1", "authorization: bearer test-token\r\n"),
                     GUARD_PASS);
}

static void guard__other_tokens_are_wrong(void **state)
{
    static const char *const lines[] = {"Authorization: Bearer test-tokem\r\n",
                                        "Authorization: Bearer test-toke\r\n",
                                        "Authorization: Bearer test-token2\r\n",
                                        "Authorization: Bearer  test-token\r\n",
                                        "Authorization: Bearer\ttest-token\r\n",
                                        "Authorization: Basic test-token\r\n",
                                        "Authorization: test-token\r\n",
                                        "Authorization: Bearer\r\n",
                                        "Authorization:\r\n",
                                        TOKEN TOKEN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        if (judge(&locked, CHANGE, "127.0.0.1", lines[i]) != GUARD_WRONG_TOKEN) {
            fail_msg("%s", lines[i]);
        }
    }
}

static void guard__of_who_guessed_too_often_nothing_is_looked_at(void **state)
{
    struct guard_facts facts = {.is_local = true, .is_locked_out = true};

    (void)state;
    assert_int_equal(judge(&locked, facts, "127.0.0.1", TOKEN), GUARD_LOCKED_OUT);
    assert_int_equal(judge(&locked, facts, "127.0.0.1", "Authorization: Bearer x\r\n"),
                     GUARD_LOCKED_OUT);
    assert_int_equal(judge(&locked, facts, "127.0.0.1", ""), GUARD_NO_TOKEN);
    facts.is_public = true;
    assert_int_equal(judge(&locked, facts, "127.0.0.1", TOKEN), GUARD_PASS);
}

static void guard__names_of_others_are_not_served(void **state)
{
    static const char *const bad[] = {"evil.example", "localhost.evil.example", "127.0.0.1.evil:1",
                                      "0x7f.1",       "gateway.example2",       "box:8404"};
    static const char *const good[] = {"127.0.0.1:8403",     "[::1]:8403", "10.1.2.3",
                                       "localhost:8403",     "LOCALHOST",  "gateway.example",
                                       "Gateway.example:99", "box:8403"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        if (judge(&named, HEALTH, bad[i], TOKEN) != GUARD_HOST) {
            fail_msg("%s", bad[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        if (judge(&named, HEALTH, good[i], "") != GUARD_PASS) {
            fail_msg("%s", good[i]);
        }
    }
    assert_int_equal(judge(&locked, HEALTH, "gateway.example", ""), GUARD_HOST);
}

static void guard__pages_of_other_sites_change_nothing(void **state)
{
    static const char *const bad[] = {
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
        "Origin:\r\n",
        "Origin: http://127.0.0.1\r\n",
        "Origin: http://127.0.0.1:8404\r\n",
        "Origin: ftp://127.0.0.1:8403\r\n",
        "Origin: http://127.0.0.1:8403\r\nOrigin: http://127.0.0.1:8403\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: Multipart/form-data; boundary=x\r\n",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/json\r\nContent-Type: text/plain\r\n"};
    static const char *const good[] = {TOKEN "Origin: http://127.0.0.1:8403\r\n",
                                       TOKEN "Origin: https://127.0.0.1:8403\r\n",
                                       TOKEN "Content-Type: application/json\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        if (judge(&locked, CHANGE, "127.0.0.1:8403", bad[i]) != GUARD_BROWSER) {
            fail_msg("%s", bad[i]);
        }
        assert_int_equal(judge(&open, READ, "127.0.0.1:8403", bad[i]), GUARD_PASS);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_int_equal(judge(&locked, CHANGE, "127.0.0.1:8403", good[i]), GUARD_PASS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard__without_a_token_this_machine_reads_and_nobody_changes),
        cmocka_unit_test(guard__with_a_token_all_but_health_needs_it),
        cmocka_unit_test(guard__other_tokens_are_wrong),
        cmocka_unit_test(guard__of_who_guessed_too_often_nothing_is_looked_at),
        cmocka_unit_test(guard__names_of_others_are_not_served),
        cmocka_unit_test(guard__pages_of_other_sites_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
