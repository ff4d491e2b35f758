/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a model by its name, however a provider spells that. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/chat.h"
#include "wire/models.h"

static const struct model_facts *facts(const char *dialect, const char *name)
{
    return model_facts_of(dialect, span_of(name));
}

static bool takes(const struct model_facts *model, enum chat_effort effort)
{
    return (model->efforts & 1u << effort) != 0;
}

static void models__are_the_same_by_all_their_names(void **state)
{
    static const char *const names[][2] = {
        {"claude-sonnet-4-5", "claude-sonnet-4-5-20250929"},
        {"claude-sonnet-4-5", "anthropic/claude-sonnet-4.5"},
        {"claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
        {"claude-sonnet-4-5", "claude-sonnet-4-5@20250929"},
        {"claude-opus-4-6", "anthropic.claude-opus-4-6-v1"},
        {"claude-opus-4", "claude-opus-4-20250514"},
        {"claude-opus-4-1", "claude-opus-4-1-20250805"},
        {"claude-3-haiku", "claude-3-haiku-20240307"},
        {"claude-opus-5", "Claude-Opus-5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(facts("anthropic", names[i][0])->is_known);
        assert_ptr_equal(facts("anthropic", names[i][0]), facts("anthropic", names[i][1]));
    }
    assert_ptr_equal(facts("openai", "gpt-5"), facts("openai", "gpt-5-2025-08-07"));
    assert_ptr_equal(facts("openai", "gpt-4o-mini"), facts("openai", "ft:gpt-4o-mini-2024-07-18:acme::b1"));
    assert_ptr_equal(facts("openai", "o3"), facts("openai", "openai/o3"));
    assert_ptr_equal(facts("gemini", "gemini-2.5-pro"), facts("gemini", "models/gemini-2.5-pro-preview-05-06"));
}

static void models__differ_where_their_names_are_only_alike(void **state)
{
    (void)state;
    assert_ptr_not_equal(facts("anthropic", "claude-opus-4-1"), facts("anthropic", "claude-opus-4-10"));
    assert_ptr_not_equal(facts("anthropic", "claude-opus-5"), facts("anthropic", "claude-opus-5-5"));
    assert_ptr_not_equal(facts("openai", "gpt-5"), facts("openai", "gpt-5.1"));
    assert_ptr_not_equal(facts("gemini", "gemini-2.5-flash"), facts("gemini", "gemini-2.5-flash-lite"));
}

static void models__of_anthropic_are_told_apart(void **state)
{
    const struct model_facts *model = facts("anthropic", "claude-sonnet-5-5");

    (void)state;
    assert_int_equal(model->output_max, 128000);
    assert_int_equal(model->sampling, MODEL_NEVER_SAMPLES);
    assert_true(model->thinking & MODEL_THINKS_ALWAYS);
    assert_true(model->cannot & MODEL_NO_FORCED_CHOICE);
    assert_false(model->cannot & MODEL_NO_LATER_SYSTEM);
    model = facts("anthropic", "claude-opus-4-6");
    assert_int_equal(model->sampling, MODEL_SAMPLES);
    assert_true(takes(model, CHAT_EFFORT_MAX));
    assert_false(takes(model, CHAT_EFFORT_XHIGH));
    assert_true(model->cannot & MODEL_NO_PREFILL);
    model = facts("anthropic", "claude-haiku-4-5");
    assert_int_equal(model->thinking, MODEL_THINKS_BUDGET);
    assert_false(model->cannot & MODEL_NO_PREFILL);
    assert_true(model->cannot & MODEL_NO_LATER_SYSTEM);
    assert_true(facts("anthropic", "claude-opus-4")->cannot & MODEL_NO_SCHEMA);
    assert_int_equal(facts("anthropic", "claude-3-haiku")->output_max, 4096);
}

static void models__of_openai_are_told_apart(void **state)
{
    const struct model_facts *model = facts("openai", "gpt-5.4-mini");

    (void)state;
    assert_int_equal(model->sampling, MODEL_SAMPLES_WITHOUT_EFFORT);
    assert_true(takes(model, CHAT_EFFORT_NONE));
    assert_false(takes(model, CHAT_EFFORT_MAX));
    assert_true(model->wants_developer);
    model = facts("openai", "gpt-5-nano");
    assert_int_equal(model->sampling, MODEL_NEVER_SAMPLES);
    assert_true(takes(model, CHAT_EFFORT_MINIMAL));
    assert_false(takes(model, CHAT_EFFORT_NONE));
    assert_true(facts("openai", "gpt-5.6-sol")->cannot & MODEL_NO_TOOLS_WITH_EFFORT);
    assert_true(facts("openai", "gpt-5-pro")->cannot & MODEL_NO_CHAT);
    assert_true(facts("openai", "gpt-5.1-codex-max")->cannot & MODEL_NO_CHAT);
    assert_false(facts("openai", "gpt-5.2-pro")->cannot & MODEL_NO_CHAT);
    assert_int_equal(facts("openai", "gpt-4.1-mini")->sampling, MODEL_SAMPLES);
    assert_int_equal(facts("openai", "gpt-5-chat-latest")->sampling, MODEL_SAMPLES);
    assert_false(facts("openai", "gpt-audio-mini")->cannot & MODEL_NO_AUDIO);
}

static void models__of_gemini_are_told_apart(void **state)
{
    const struct model_facts *model = facts("gemini", "gemini-2.5-pro");

    (void)state;
    assert_true(model->thinking & MODEL_THINKS_ALWAYS);
    assert_int_equal(model->budget_min, 128);
    assert_int_equal(facts("gemini", "gemini-2.5-flash")->budget_max, 24576);
    assert_true(model->cannot & MODEL_NO_SCHEMA_WITH_TOOLS);
    assert_false(takes(facts("gemini", "gemini-3.1-pro-preview"), CHAT_EFFORT_MINIMAL));
    assert_true(takes(facts("gemini", "gemini-3.5-flash"), CHAT_EFFORT_MINIMAL));
    assert_true(takes(facts("gemini", "gemini-3.8-flash-lite"), CHAT_EFFORT_MINIMAL));
    assert_false(takes(facts("gemini", "gemini-3.8-flash"), CHAT_EFFORT_MINIMAL));
    assert_false(takes(facts("gemini", "gemini-flash-latest"), CHAT_EFFORT_MINIMAL));
    assert_true(takes(facts("gemini", "gemini-4-hydrogen"), CHAT_EFFORT_XHIGH));
    assert_true(facts("gemini", "gemma-3-27b-it")->cannot & MODEL_NO_SYSTEM);
}

static void models__without_a_row_are_the_newest_of_their_family(void **state)
{
    const struct model_facts *model = facts("anthropic", "claude-sonnet-9");

    (void)state;
    assert_false(model->is_known);
    assert_int_equal(model->sampling, MODEL_NEVER_SAMPLES);
    assert_true(model->thinking & MODEL_THINKS_ADAPTIVE);
    assert_true(model->cannot & MODEL_NO_FORCED_CHOICE);
    model = facts("openai", "gpt-9-mini");
    assert_false(model->is_known);
    assert_int_equal(model->sampling, MODEL_NEVER_SAMPLES);
    assert_true(model->wants_developer);
    assert_true(facts("gemini", "gemini-9-pro")->thinking & MODEL_THINKS_EFFORT);
}

/* The role `developer` came with those that reason. */
static void models__that_do_not_reason_have_a_system(void **state)
{
    static const char *const names[] = {"gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "gpt-5-chat-latest", "gpt-4-turbo"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        print_message("%s\n", names[i]);
        assert_true(facts("openai", names[i])->is_known);
        assert_false(facts("openai", names[i])->wants_developer);
    }
    assert_true(facts("openai", "gpt-5.1")->wants_developer);
    assert_true(facts("openai", "o3")->wants_developer);
}

static void models__that_are_only_compatible_are_plain(void **state)
{
    static const char *const names[] = {"qwen3:8b", "meta-llama/Llama-3.1-8B-Instruct", "mistral-large-latest",
                                        "command-r", "", "anthropic/claude-sonnet-4.5"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(facts("openai", names[i])->sampling, MODEL_SAMPLES);
        assert_false(facts("openai", names[i])->wants_developer);
        assert_false(facts("openai", names[i])->is_known);
        assert_int_equal(facts("openai", names[i])->efforts, 0);
    }
    assert_int_equal(facts("openai", "gpt-oss:20b")->sampling, MODEL_SAMPLES);
    assert_true(takes(facts("openai", "deepseek-v4-pro"), CHAT_EFFORT_MAX));
    assert_int_equal(facts("anthropic", "kimi-k3")->sampling, MODEL_SAMPLES);
}

static void models__of_bedrock_are_claude_or_others(void **state)
{
    (void)state;
    assert_ptr_equal(facts("bedrock", "us.anthropic.claude-opus-4-8-v1:0"), facts("anthropic", "claude-opus-4-8"));
    assert_ptr_equal(facts("bedrock", "anthropic.claude-3-haiku-20240307-v1:0"), facts("anthropic", "claude-3-haiku"));
    assert_ptr_equal(
        facts("bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        facts("anthropic", "claude-sonnet-4-5"));
    assert_int_equal(facts("bedrock", "us.amazon.nova-pro-v1:0")->cannot & MODEL_NO_FORCED_CHOICE, 0);
    assert_int_not_equal(facts("bedrock", "meta.llama3-3-70b-instruct-v1:0")->cannot & MODEL_NO_FORCED_CHOICE, 0);
    assert_false(facts("bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/x1")->is_known);
}

static void models__beyond_measure_are_strangers(void **state)
{
    char name[4096];

    (void)state;
    memset(name, 'x', sizeof name);
    assert_false(model_facts_of("anthropic", span_make(name, sizeof name))->is_known);
    assert_ptr_equal(model_facts_of("openai", span_make(name, sizeof name)), facts("openai", "llama"));
    assert_ptr_equal(facts("nobody", "m"), facts("openai", "llama"));
    assert_non_null(facts("gemini", "-2025-1"));
    assert_non_null(facts("anthropic", "-20"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models__are_the_same_by_all_their_names),
        cmocka_unit_test(models__differ_where_their_names_are_only_alike),
        cmocka_unit_test(models__of_anthropic_are_told_apart),
        cmocka_unit_test(models__of_openai_are_told_apart),
        cmocka_unit_test(models__of_gemini_are_told_apart),
        cmocka_unit_test(models__without_a_row_are_the_newest_of_their_family),
        cmocka_unit_test(models__that_do_not_reason_have_a_system),
        cmocka_unit_test(models__that_are_only_compatible_are_plain),
        cmocka_unit_test(models__of_bedrock_are_claude_or_others),
        cmocka_unit_test(models__beyond_measure_are_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
