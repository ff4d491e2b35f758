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
    {"gpt-4o", {BPE_O200K, 1000, 0, true, true, 2000}},
    {"gpt-4o-mini-2024-07-18", {BPE_O200K, 1000, 0, true, true, 50000}},
    {"GPT-4O", {BPE_O200K, 1000, 0, true, true, 2000}},
    {"chatgpt-4o-latest", {BPE_O200K, 1000, 0, true, true, 2000}},
    {"gpt-4.1-nano", {BPE_O200K, 1000, 0, true, false, 4000}},
    {"gpt-4.5-preview", {BPE_O200K, 1000, 0, true, false, 2000}},
    {"gpt-5.4", {BPE_O200K, 1000, 0, true, false, 15000}},
    {"o1-pro", {BPE_O200K, 1000, 0, true, false, 4000}},
    {"o3", {BPE_O200K, 1000, 0, true, false, 4000}},
    {"o4-mini", {BPE_O200K, 1000, 0, true, false, 4000}},
    {"gpt-oss-120b", {BPE_O200K, 1000, 0, true, false, 50000}},
    {"gpt-4", {BPE_CL100K, 1000, 0, true, true, 2000}},
    {"gpt-4-turbo-2024-04-09", {BPE_CL100K, 1000, 0, true, true, 2000}},
    {"gpt-3.5-turbo", {BPE_CL100K, 1000, 0, true, true, 50000}},
    {"gpt-35-turbo", {BPE_CL100K, 1000, 0, true, true, 50000}},
    {"text-embedding-3-large", {BPE_CL100K, 1000, 0, true, false, 50000}},
    {"text-embedding-ada-002", {BPE_CL100K, 1000, 0, true, false, 50000}},
    {"text-embedding-004", {BPE_O200K, 1050, 100, true, false, 50000}},
    {"ft:gpt-4o-mini-2024-07-18:acme::abc", {BPE_O200K, 1000, 0, true, true, 50000}},
    {"ft:gpt-3.5-turbo:acme", {BPE_CL100K, 1000, 0, true, true, 50000}},
    {"openai/gpt-4o", {BPE_O200K, 1000, 0, true, true, 2000}},
    {"openai/ft:gpt-4:acme", {BPE_CL100K, 1000, 0, true, true, 2000}},
    {"claude-3-5-sonnet-latest", {BPE_O200K, 1100, 200, true, false, 2000}},
    {"claude-sonnet-4-6", {BPE_O200K, 1100, 200, true, false, 2000}},
    {"claude-opus-4-6", {BPE_O200K, 1100, 200, true, false, 2000}},
    {"claude-opus-4-7", {BPE_O200K, 1350, 200, true, false, 6000}},
    {"claude-opus-4-8-v1", {BPE_O200K, 1350, 200, true, false, 6000}},
    {"claude-sonnet-5", {BPE_O200K, 1350, 200, true, false, 6000}},
    {"us.anthropic.claude-sonnet-4-5-20250929-v1:0", {BPE_O200K, 1100, 200, true, false, 2000}},
    {"publishers/anthropic/models/claude-opus-5", {BPE_O200K, 1350, 200, true, false, 6000}},
    {"models/gemini-2.5-pro", {BPE_O200K, 1050, 100, true, false, 5000}},
    {"mistral-large-latest", {BPE_O200K, 1050, 100, true, false, 50000}},
    {"deepseek-chat", {BPE_O200K, 1050, 100, true, false, 50000}},
    {"meta.llama3-3-70b-instruct-v1:0", {BPE_O200K, 1050, 100, true, false, 50000}},
    {"grok-4", {BPE_O200K, 1000, 100, true, false, 50000}},
    {"command-r-plus", {BPE_O200K, 1050, 100, true, false, 50000}},
    {"gpt-6", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"gpt-6.1-mini", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"gpt-50", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"gpt-4x", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"o1x-mini", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"my-own-model", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"a.b.c.", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"/", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"ft:", {BPE_O200K, 1000, 300, false, false, 50000}},
    {"", {BPE_O200K, 1000, 300, false, false, 50000}},
};

static void family__is_that_of_the_longest_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct family family = family_of(span_of(rows[i].model));

        if (family.bpe != rows[i].family.bpe || family.permille != rows[i].family.permille ||
            family.error_permille != rows[i].family.error_permille ||
            family.is_known != rows[i].family.is_known ||
            family.is_frame_checked != rows[i].family.is_frame_checked ||
            family.image_tokens != rows[i].family.image_tokens) {
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
