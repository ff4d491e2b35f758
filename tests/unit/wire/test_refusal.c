/* SPDX-License-Identifier: Apache-2.0 */
/* The table of refusals and its sentences. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/must.h"
#include "wire/path_hint.h"
#include "wire/refusal.h"

static const enum refusal_kind kinds[] = {
#define REFUSAL(name, status, code, openai, anthropic, wait, text) REFUSAL_##name,
#include "wire/refusals.def"
#undef REFUSAL
};

static bool is_code(const char *code)
{
    struct span text = span_of(code);

    for (size_t i = 0; i < text.len; i++) {
        if (!((text.at[i] >= 'a' && text.at[i] <= 'z') || text.at[i] == '_' ||
              (text.at[i] >= '0' && text.at[i] <= '9'))) {
            return false;
        }
    }
    return text.len > 0;
}

static void refusal__rows_are_fit_to_tell(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        const struct refusal_row *row = refusal_row(kinds[i]);

        assert_int_equal(kinds[i], i + 1);
        assert_in_range(row->status, 400, 599);
        assert_true(is_code(row->code));
        assert_true(row->wait_s <= 60);
        assert_true(span_of(row->text).len > 0);
        /* SDKs try again by themselves on these two: only a call that still runs may have 409, only a
         * request that never arrived whole 408. */
        assert_true(row->status != 409 || kinds[i] == REFUSAL_IDEMPOTENCY_BUSY);
        assert_true(row->status != 408 || kinds[i] == REFUSAL_REQUEST_TIMEOUT);
    }
}

static void assert_message(struct refusal refusal, const char *expected)
{
    struct buf text;

    buf_init(&text, 4096);
    buf_put_text(&text, "x");
    refusal_message(&refusal, &text);
    assert_false(text.failed);
    assert_int_equal(text.len, span_of(expected).len + 1);
    assert_memory_equal(text.at + 1, expected, text.len - 1);
    buf_fini(&text);
}

static void refusal__message_names_detail_place_and_hint(void **state)
{
    (void)state;
    assert_message((struct refusal){.kind = REFUSAL_NOT_FOUND}, "headgate: no such path");
    assert_message((struct refusal){.kind = REFUSAL_NOT_FOUND, .detail = SPAN("/v1/x")},
                   "headgate: no such path: /v1/x");
    assert_message((struct refusal){.kind = REFUSAL_NOT_FOUND, .detail = SPAN("/v1/x"), .which = SPAN("a\n\"b"), .hint = "No"},
                   "headgate: no such path: /v1/x \"a\"b\". No");
    assert_message(
        (struct refusal){.kind = REFUSAL_INVALID_JSON, .offset = 12, .has_offset = true},
        "headgate: the body is not valid JSON (byte 12)");
    assert_message(
        (struct refusal){.kind = REFUSAL_NOT_FOUND, .detail = SPAN("/y"), .hint = "Look here"},
        "headgate: no such path: /y. Look here");
    assert_message((struct refusal){.kind = REFUSAL_NOT_FOUND, .hint = "Look here", .served = path_served},
                   "headgate: no such path. Look here. Served are POST /v1/chat/completions, /v1/responses, "
                   "/v1/completions, /v1/embeddings, /v1/messages, /v1/messages/count_tokens, "
                   "/v1beta/models/{model}:generateContent, :streamGenerateContent, :countTokens, :embedContent and "
                   "GET /v1/models");
}

static void refusal__message_shows_only_cut_printable_bytes(void **state)
{
    char name[300];
    struct buf text;

    (void)state;
    memset(name, 'a', sizeof name);
    name[0] = '\n';
    name[1] = '\x1b';
    name[2] = (char)0xff;
    buf_init(&text, 4096);
    refusal_message(&(struct refusal){.kind = REFUSAL_NOT_FOUND,
                                      .detail = span_make(name, sizeof name)},
                    &text);
    assert_true(text.len <= span_of("headgate: no such path: ").len + 256);
    assert_true(text.len >= span_of("headgate: no such path: ").len + 100);
    for (size_t i = 0; i < text.len; i++) {
        assert_in_range(text.at[i], 0x20, 0x7e);
    }
    buf_fini(&text);
}

static void refusal__faults_of_scanners_keep_status_and_code(void **state)
{
    static const enum http1_fault faults[] = {
#define HTTP1_FAULT(name, status, code) HTTP1_FAULT_##name,
#include "wire/http1_faults.def"
#undef HTTP1_FAULT
    };
    (void)state;
    assert_int_equal(refusal_of_http1(HTTP1_FAULT_NONE), REFUSAL_NONE);
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        const struct refusal_row *row = refusal_row(refusal_of_http1(faults[i]));

        assert_int_equal(row->status, http1_fault_status(faults[i]));
        assert_string_equal(row->code, http1_fault_code(faults[i]));
    }
    assert_int_equal(refusal_of_json(JSON_FAULT_NONE), REFUSAL_NONE);
    for (enum json_fault fault = JSON_FAULT_SYNTAX; fault < JSON_FAULT_MEMORY; fault++) {
        assert_string_equal(refusal_row(refusal_of_json(fault))->code, json_fault_code(fault));
    }
    assert_int_equal(refusal_of_json(JSON_FAULT_MEMORY), REFUSAL_OVERLOADED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusal__rows_are_fit_to_tell),
        cmocka_unit_test(refusal__message_names_detail_place_and_hint),
        cmocka_unit_test(refusal__message_shows_only_cut_printable_bytes),
        cmocka_unit_test(refusal__faults_of_scanners_keep_status_and_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
