/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "wire/head.h"

static void head__knows_each_request_field(void **state)
{
    static const struct {
        struct span name;
        enum head_use use;
    } rows[] = {
        {SPAN("Accept"), HEAD_PASSES},
        {SPAN("CONTENT-TYPE"), HEAD_CONTENT_TYPE},
        {SPAN("anthropic-beta"), HEAD_PASSES},
        {SPAN("anthropic-version"), HEAD_PASSES},
        {SPAN("anthropic-workspace-id"), HEAD_SCOPE},
        {SPAN("OpenAI-Organization"), HEAD_SCOPE},
        {SPAN("openai-beta"), HEAD_PASSES},
        {SPAN("x-stainless-retry-count"), HEAD_PASSES},
        {SPAN("x-stainless-timeout"), HEAD_PATIENCE},
        {SPAN("authorization"), HEAD_AUTHORIZATION},
        {SPAN("x-api-key"), HEAD_KEY},
        {SPAN("x_api_key"), HEAD_STAYS},
        {SPAN("Idempotency-Key"), HEAD_IDEMPOTENCY},
        {SPAN("cookie"), HEAD_STAYS},
        {SPAN("x-headgate-team"), HEAD_STAYS},
        {SPAN("x-headgate-call-id"), HEAD_STAYS},
        {SPAN("x-forwarded-for"), HEAD_STAYS},
        {SPAN("forwarded"), HEAD_STAYS},
        {SPAN("proxy-authorization"), HEAD_STAYS},
        {SPAN("te"), HEAD_STAYS},
        {SPAN("accept-encoding"), HEAD_STAYS},
        {SPAN("host"), HEAD_STAYS},
        {SPAN("content-length"), HEAD_STAYS},
        {SPAN("x-original-url"), HEAD_STAYS},
        {SPAN("anthropic-"), HEAD_STAYS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(head_use(rows[i].name), rows[i].use);
    }
}

static void head__lets_only_listed_answer_fields_back(void **state)
{
    static const struct {
        struct span name;
        enum answer_use use;
    } rows[] = {
        {SPAN("Content-Type"), ANSWER_CONTENT_TYPE},
        {SPAN("x-ratelimit-remaining-tokens"), ANSWER_PASSES},
        {SPAN("anthropic-ratelimit-requests-reset"), ANSWER_PASSES},
        {SPAN("openai-processing-ms"), ANSWER_PASSES},
        {SPAN("x-request-id"), ANSWER_REQUEST_ID},
        {SPAN("request-id"), ANSWER_REQUEST_ID},
        {SPAN("Retry-After"), ANSWER_RETRY_AFTER},
        {SPAN("Set-Cookie"), ANSWER_STAYS},
        {SPAN("Location"), ANSWER_STAYS},
        {SPAN("Refresh"), ANSWER_STAYS},
        {SPAN("Alt-Svc"), ANSWER_STAYS},
        {SPAN("Clear-Site-Data"), ANSWER_STAYS},
        {SPAN("WWW-Authenticate"), ANSWER_STAYS},
        {SPAN("Access-Control-Allow-Origin"), ANSWER_STAYS},
        {SPAN("x-headgate-target"), ANSWER_STAYS},
        {SPAN("server"), ANSWER_STAYS},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(answer_use(rows[i].name), rows[i].use);
    }
}

static void head__finds_nominated_names_whole(void **state)
{
    (void)state;
    assert_true(head_nominates(SPAN_OF("keep-alive, X-Foo"), SPAN_OF("x-foo")));
    assert_true(head_nominates(SPAN_OF("x-foo"), SPAN_OF("x-foo")));
    assert_false(head_nominates(SPAN_OF("keep-alive, x-foobar"), SPAN_OF("x-foo")));
    assert_false(head_nominates(SPAN_OF(""), SPAN_OF("x-foo")));
}

static void head__holds_back_values_that_are_not_plain(void **state)
{
    (void)state;
    assert_true(head_value_is_plain(SPAN_OF("a\tb c~")));
    assert_false(head_value_is_plain(SPAN_OF("caf\xc3\xa9")));
    assert_false(head_value_is_plain(SPAN_OF("a\r\nb")));
    assert_false(head_value_is_plain(SPAN_OF("a\x7f")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head__knows_each_request_field),
        cmocka_unit_test(head__lets_only_listed_answer_fields_back),
        cmocka_unit_test(head__finds_nominated_names_whole),
        cmocka_unit_test(head__holds_back_values_that_are_not_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
