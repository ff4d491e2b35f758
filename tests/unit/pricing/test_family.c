/* SPDX-License-Identifier: Apache-2.0 */
/* Names of models, as apps, providers and clouds write them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pricing/family.h"

static const struct {
    const char *model;
    struct family family;
} rows[] = {
    {"gpt-4o", {BPE_O200K, 1000, 0, true, true}},
    {"gpt-4o-mini-2024-07-18", {BPE_O200K, 1000, 0, true, true}},
    {"GPT-4O", {BPE_O200K, 1000, 0, true, true}},
    {"chatgpt-4o-latest", {BPE_O200K, 1000, 0, true, true}},
    {"gpt-4.1-nano", {BPE_O200K, 1000, 0, true, false}},
    {"gpt-4.5-preview", {BPE_O200K, 1000, 0, true, false}},
    {"gpt-5.4", {BPE_O200K, 1000, 0, true, false}},
    {"o1-pro", {BPE_O200K, 1000, 0, true, false}},
    {"o3", {BPE_O200K, 1000, 0, true, false}},
    {"o4-mini", {BPE_O200K, 1000, 0, true, false}},
    {"gpt-oss-120b", {BPE_O200K, 1000, 0, true, false}},
    {"gpt-4", {BPE_CL100K, 1000, 0, true, true}},
    {"gpt-4-turbo-2024-04-09", {BPE_CL100K, 1000, 0, true, true}},
    {"gpt-3.5-turbo", {BPE_CL100K, 1000, 0, true, true}},
    {"gpt-35-turbo", {BPE_CL100K, 1000, 0, true, true}},
    {"text-embedding-3-large", {BPE_CL100K, 1000, 0, true, false}},
    {"text-embedding-ada-002", {BPE_CL100K, 1000, 0, true, false}},
    {"text-embedding-004", {BPE_O200K, 1050, 100, true, false}},
    {"ft:gpt-4o-mini-2024-07-18:acme::abc", {BPE_O200K, 1000, 0, true, true}},
    {"ft:gpt-3.5-turbo:acme", {BPE_CL100K, 1000, 0, true, true}},
    {"openai/gpt-4o", {BPE_O200K, 1000, 0, true, true}},
    {"openai/ft:gpt-4:acme", {BPE_CL100K, 1000, 0, true, true}},
    {"claude-3-5-sonnet-latest", {BPE_O200K, 1100, 200, true, false}},
    {"claude-sonnet-4-6", {BPE_O200K, 1100, 200, true, false}},
    {"claude-opus-4-6", {BPE_O200K, 1100, 200, true, false}},
    {"claude-opus-4-7", {BPE_O200K, 1350, 200, true, false}},
    {"claude-opus-4-8-v1", {BPE_O200K, 1350, 200, true, false}},
    {"claude-sonnet-5", {BPE_O200K, 1350, 200, true, false}},
    {"us.anthropic.claude-sonnet-4-5-20250929-v1:0", {BPE_O200K, 1100, 200, true, false}},
    {"publishers/anthropic/models/claude-opus-5", {BPE_O200K, 1350, 200, true, false}},
    {"models/gemini-2.5-pro", {BPE_O200K, 1050, 100, true, false}},
    {"mistral-large-latest", {BPE_O200K, 1050, 100, true, false}},
    {"deepseek-chat", {BPE_O200K, 1050, 100, true, false}},
    {"meta.llama3-3-70b-instruct-v1:0", {BPE_O200K, 1050, 100, true, false}},
    {"grok-4", {BPE_O200K, 1000, 100, true, false}},
    {"command-r-plus", {BPE_O200K, 1050, 100, true, false}},
    {"gpt-6", {BPE_O200K, 1000, 300, false, false}},
    {"gpt-6.1-mini", {BPE_O200K, 1000, 300, false, false}},
    {"gpt-50", {BPE_O200K, 1000, 300, false, false}},
    {"gpt-4x", {BPE_O200K, 1000, 300, false, false}},
    {"o1x-mini", {BPE_O200K, 1000, 300, false, false}},
    {"my-own-model", {BPE_O200K, 1000, 300, false, false}},
    {"a.b.c.", {BPE_O200K, 1000, 300, false, false}},
    {"/", {BPE_O200K, 1000, 300, false, false}},
    {"ft:", {BPE_O200K, 1000, 300, false, false}},
    {"", {BPE_O200K, 1000, 300, false, false}},
};

static void family__is_that_of_the_longest_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct family family = family_of(span_of(rows[i].model));

        if (family.bpe != rows[i].family.bpe || family.permille != rows[i].family.permille ||
            family.error_permille != rows[i].family.error_permille ||
            family.is_known != rows[i].family.is_known ||
            family.is_frame_checked != rows[i].family.is_frame_checked) {
            fail_msg("%s", rows[i].model);
        }
    }
}

static void family__rounds_up_and_saturates(void **state)
{
    struct family claude = family_of(SPAN_OF("claude-opus-5"));
    struct family gpt = family_of(SPAN_OF("gpt-5"));

    (void)state;
    assert_int_equal(family_tokens(&claude, 0), 0);
    assert_int_equal(family_tokens(&claude, 1), 2);
    assert_int_equal(family_tokens(&claude, 1000), 1350);
    assert_int_equal(family_tokens(&claude, 1001), 1352);
    assert_true(family_tokens(&claude, UINT64_MAX) == UINT64_MAX);
    assert_true(family_tokens(&gpt, UINT64_MAX) == UINT64_MAX);
    assert_true(family_tokens(&gpt, UINT64_MAX - 7) == UINT64_MAX - 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(family__is_that_of_the_longest_row),
        cmocka_unit_test(family__rounds_up_and_saturates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
