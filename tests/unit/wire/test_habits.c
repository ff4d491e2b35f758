/* SPDX-License-Identifier: Apache-2.0 */
/* In what providers differ that are called compatible. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/habits.h"

/* Each provider: what it must have, and what it must not. */
static const struct {
    const char *address;
    const char *model;
    unsigned has;
    unsigned has_not;
} rows[] = {
    {"api.mistral.ai/v1", "mistral-large-latest",
     HABIT_NINE_IDS | HABIT_RANDOM_SEED | HABIT_MAX_TOKENS | HABIT_NO_STREAM_OPTIONS | HABIT_NO_USER, HABIT_NO_PARALLEL},
    {"api.groq.com/openai/v1", "llama-3.3-70b", HABIT_ONE_ANSWER | HABIT_NO_LOGPROBS | HABIT_SYSTEM_ROLE,
     HABIT_MAX_TOKENS},
    {"api.deepseek.com", "deepseek-v4-pro", HABIT_EMPTY_REASONING | HABIT_MAX_TOKENS, HABIT_NINE_IDS},
    {"api.deepseek.com/v1", "deepseek-reasoner", HABIT_MAX_TOKENS, HABIT_EMPTY_REASONING},
    {"api.x.ai/v1", "grok-4", HABIT_SYSTEM_ROLE, HABIT_MAX_TOKENS | HABIT_NO_RESPONSES},
    {"openrouter.ai/api/v1", "anthropic/claude-sonnet-4.5", HABIT_SYSTEM_ROLE, HABIT_MAX_TOKENS | HABIT_NO_RESPONSES},
    {"api.together.ai/v1", "m", HABIT_MAX_TOKENS | HABIT_NO_RESPONSES, 0},
    {"api.fireworks.ai/inference/v1", "accounts/fireworks/models/m", HABIT_MAX_TOKENS, HABIT_NO_USER},
    {"api.cohere.ai/compatibility/v1", "command-r", HABIT_NO_USER | HABIT_NO_BIAS | HABIT_ONE_ANSWER, 0},
    {"api.perplexity.ai", "sonar", HABIT_MAX_TOKENS, 0},
    {"api.moonshot.cn/v1", "kimi-k3", HABIT_MAX_TOKENS, 0},
    {"api.cerebras.ai/v1", "m", HABIT_SYSTEM_ROLE, HABIT_MAX_TOKENS},
    {"generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro", HABIT_NO_METADATA | HABIT_NO_USER, 0},
    {"127.0.0.1:11434/v1", "qwen3", HABIT_NO_IMAGE_URLS | HABIT_MAX_TOKENS, HABIT_NO_STREAM_OPTIONS},
    {"localhost:1234/v1", "m", HABIT_NO_IMAGE_URLS, HABIT_NO_STREAM_OPTIONS},
    {"vllm:8000/v1", "m", HABIT_MAX_TOKENS, HABIT_NO_STREAM_OPTIONS | HABIT_NO_IMAGE_URLS},
    {"llm.example/v1", "m", HABIT_MAX_TOKENS | HABIT_SYSTEM_ROLE | HABIT_NO_PARALLEL | HABIT_NO_RESPONSES,
     HABIT_NO_STREAM_OPTIONS | HABIT_NINE_IDS},
};

static void habits__are_those_of_the_provider(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned habits = habits_of("compatible", span_of(rows[i].address), span_of(rows[i].model));

        print_message("%s %s\n", rows[i].address, rows[i].model);
        assert_int_equal(habits & rows[i].has, rows[i].has);
        assert_int_equal(habits & rows[i].has_not, 0);
    }
}

static void habits__are_none_where_the_dialect_is_the_makers_own(void **state)
{
    static const char *const kinds[] = {"openai", "anthropic", "gemini", "azure_openai", "bedrock", "fixtures"};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_int_equal(habits_of(kinds[i], SPAN_OF("api.mistral.ai/v1"), SPAN_OF("m")), 0);
    }
    assert_int_equal(habits_of("bedrock", SPAN_OF("bedrock-runtime.us-east-1.amazonaws.com"), SPAN_OF("us.mistral.pixtral-large-2502-v1:0")), HABIT_NINE_IDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(habits__are_those_of_the_provider),
        cmocka_unit_test(habits__are_none_where_the_dialect_is_the_makers_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
