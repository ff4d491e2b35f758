/* SPDX-License-Identifier: Apache-2.0 */
/* Every trap of LiteLLM's price map (pricing.md, 6), in entries of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "pricing/import.h"
#include "pricing/price_text.h"

struct told {
    struct buf rows;  /* as price files write them */
    struct buf notes; /* "entry: TEXT (key)\n" */
    size_t rows_count;
};

static void take_row(void *to, const struct price *price)
{
    struct told *told = to;

    price_put_row(&told->rows, price);
    told->rows_count++;
}

static void take_note(void *to, enum import_note note, struct span entry, struct span key)
{
    struct told *told = to;

    buf_put_format(&told->notes, "%.*s: %s (%.*s)\n", SPAN_ARGS(entry), import_note_text(note),
                   SPAN_ARGS(key));
}

static enum err import(const char *text, const char *only, struct told *told)
{
    const struct import_hooks hooks = {.row = take_row, .note = take_note, .to = told};
    const struct import_terms terms = {.only = span_of(only),
                                       .from = INT64_C(1795737600000),
                                       .as_of = SPAN("2026-11-27"),
                                       .source = SPAN("test")};
    enum err err = ERR_NONE;

    buf_init(&told->rows, 1024 * 1024);
    buf_init(&told->notes, 1024 * 1024);
    told->rows_count = 0;
    err = import_litellm(span_of(text), &terms, &hooks);
    buf_put_char(&told->rows, '\0');
    buf_put_char(&told->notes, '\0');
    return err;
}

static void finish(struct told *told)
{
    buf_fini(&told->rows);
    buf_fini(&told->notes);
}

#define TAIL                                                                                       \
    "    source: \"test\"\n"                                                                       \
    "    as_of: 2026-11-27\n"
#define BASE   "\"litellm_provider\":\"openai\",\"mode\":\"chat\","
#define PRICES "\"input_cost_per_token\":2.5e-06,\"output_cost_per_token\":1.5e-05"

static void an_entry_becomes_a_row(void **state)
{
    static const char text[] =
        "{\"gemini/"
        "g\":{\"litellm_provider\":\"gemini\",\"mode\":\"chat\",\"input_cost_per_token\":1.25E-6,"
        "\"output_cost_per_token\":0.00001,\"cache_read_input_token_cost\":1.25e-07,"
        "\"input_cost_per_token_above_200k_tokens\":2.5e-06,\"output_cost_per_token_above_200k_"
        "tokens\":1.5e-05,"
        "\"input_cost_per_audio_token\":1e-06,\"output_cost_per_reasoning_token\":2e-5,"
        "\"input_cost_per_token_batches\":6.25e-07,\"output_cost_per_token_batches\":5e-06,"
        "\"search_context_cost_per_query\":{\"search_context_size_low\":0.035,\"search_context_"
        "size_high\":0.035},"
        "\"max_input_tokens\":1048576,\"max_output_tokens\":\"8k\",\"supports_vision\":true,"
        "\"supported_modalities\":[\"text\",{\"a\":\"}\"}]}}";
    static const char row[] = "  - provider: \"google\"\n"
                              "    model: \"g\"\n"
                              "    valid_from: 2026-11-27\n"
                              "    input: 1.25\n"
                              "    cache_read: 0.125\n"
                              "    audio_input: 1.00\n"
                              "    output: 10.00\n"
                              "    reasoning: 20.00\n"
                              "    long_context: [{ over: 200000, input: 2.50, cache_read: 0.125, "
                              "audio_input: 1.00, output: 15.00 }]\n"
                              "    batch: { input: 0.625, output: 5.00 }\n"
                              "    tools: { web_search: 35.00 }\n"
                              "    context: 1048576\n" TAIL;
    struct told told;

    (void)state;
    assert_int_equal(import(text, "", &told), ERR_NONE);
    assert_string_equal(told.rows.at, row);
    assert_string_equal(told.notes.at, "");
    finish(&told);
}

static void factors_become_prices(void **state)
{
    static const char text[] =
        "{\"claude-x\":{\"litellm_provider\":\"anthropic\",\"mode\":\"chat\",\"input_cost_per_"
        "token\":5e-06,"
        "\"output_cost_per_token\":2.5e-05,\"cache_creation_input_token_cost\":6.25e-06,"
        "\"cache_creation_input_token_cost_above_1hr\":1e-05,"
        "\"provider_specific_entry\":{\"us\":1.1,\"fast\":2,\"bedrock_invocation_schema\":\"x\"}},"
        "\"claude-y\":{\"litellm_provider\":\"anthropic\",\"mode\":\"chat\",\"input_cost_per_"
        "token\":5e-12,"
        "\"output_cost_per_token\":2.5e-05,\"provider_specific_entry\":{\"us\":1.1,\"fast\":6}}}";
    struct told told;

    (void)state;
    assert_int_equal(import(text, "", &told), ERR_NONE);
    assert_non_null(strstr(told.rows.at, "cache_write_5m: 6.25\n    cache_write_1h: 10.00\n"));
    assert_non_null(strstr(told.rows.at,
                           "tiers: { fast: { input: 10.00, cache_write_5m: 12.50, cache_write_1h: "
                           "20.00, output: 50.00 } }\n"));
    assert_non_null(strstr(told.rows.at,
                           "      us: { input: 5.50, cache_write_5m: 6.875, cache_write_1h: 11.00, "
                           "output: 27.50, tiers: { fast: { input: 11.00, "));
    assert_non_null(
        strstr(told.notes.at, "claude-y: a factor that gives no whole prices: left out (us)"));
    assert_non_null(strstr(told.notes.at, "claude-y: a tier below a quarter"));
    assert_int_equal(told.rows_count, 2);
    finish(&told);
}

/* One entry each: what is said, and whether there is a row. */
static const struct {
    const char *text;
    const char *note; /* NULL: none */
    size_t rows;
} traps[] = {
    {"{}", NULL, 0},
    {"{\"sample_spec\":{\"litellm_provider\":\"one of ...\",\"input_cost_per_token\":\"0.0\"}}",
     "sample_spec: documentation", 0},
    {"{\"fallback_generalizations\":{\"rules\":[]}}", "documentation", 0},
    {"{\"m\":5}", "no object", 0},
    {"{\"m\":[{}]}", "no object", 0},
    {"{\"m\":null}", "no object", 0},
    {"{\"m\":{\"input_cost_per_token\":1e-6}}", "names no provider", 0},
    {"{\"m\":{\"litellm_provider\":7}}", "names no provider", 0},
    {"{\"m\":{\"litellm_provider\":\"bedrock\"," PRICES "}}", "(bedrock)", 0},
    {"{\"a b\":{" BASE PRICES "}}", "a name that is none", 0},
    {"{\"\":{" BASE PRICES "}}", "a name that is none", 0},
    {"{\"m\\u0041\":{" BASE PRICES "}}", "a name that is none", 0},
    {"{\"m\":{" BASE "\"output_cost_per_token\":1e-6}}", "absent is not zero", 0},
    {"{\"m\":{" BASE "\"input_cost_per_token\":null,\"output_cost_per_token\":1e-6}}",
     "absent is not zero", 0},
    {"{\"m\":{" BASE "\"input_cost_per_token\":1e-6}}", "its mode has output", 0},
    {"{\"m\":{" BASE "\"input_cost_per_token\":0,\"output_cost_per_token\":0}}", "a price of 0", 0},
    {"{\"m\":{" BASE PRICES ",\"cache_read_input_token_cost\":0.0}}", "a price of 0", 0},
    {"{\"m\":{\"litellm_provider\":\"openai\",\"mode\":\"embedding\",\"input_cost_per_token\":2e-8,"
     "\"output_cost_per_token\":0.0}}",
     NULL, 1},
    {"{\"m\":{" BASE "\"input_cost_per_token\":\"2.5e-06\",\"output_cost_per_token\":1e-6}}",
     "no number (in quotes?) (input_cost_per_token)", 0},
    {"{\"m\":{" BASE PRICES ",\"cache_read_input_token_cost\":true}}", "no number", 0},
    {"{\"m\":{" BASE PRICES ",\"cache_read_input_token_cost\":{}}}", "no number", 0},
    {"{\"m\":{" BASE PRICES ",\"cache_read_input_token_cost\":-1e-6}}", "below zero", 0},
    {"{\"m\":{" BASE PRICES ",\"cache_read_input_token_cost\":1.00000000000000005e-06}}",
     "no whole number", 0},
    {"{\"m\":{" BASE PRICES ",\"cache_read_input_token_cost\":1e-13}}", "no whole number", 0},
    {"{\"m\":{" BASE "\"input_cost_per_token\":2.5,\"output_cost_per_token\":15}}", "over 4000 USD",
     0},
    {"{\"m\":{" BASE PRICES
     ",\"input_cost_per_token_priority\":1.25e-04,\"output_cost_per_token_priority\":3e-5}}",
     "four times the standard price: left out (priority)", 1},
    {"{\"m\":{" BASE PRICES
     ",\"input_cost_per_token_flex\":6e-07,\"output_cost_per_token_flex\":7.5e-6}}",
     "left out (flex)", 1},
    {"{\"m\":{" BASE PRICES ",\"cache_read_input_token_cost_priority\":6e-07}}",
     "of its own: left out (priority)", 1},
    {"{\"m\":{" BASE PRICES ",\"input_cost_per_token_above_272k_tokens_priority\":6e-06,\"output_"
                            "cost_per_token_above_272k_tokens_priority\":6e-05}}",
     "of its own: left out (priority)", 1},
    {"{\"m\":{" BASE "\"tiered_pricing\":[{\"range\":[0,256000],\"input_cost_per_token\":1e-6}]}}",
     "priced by ranges", 0},
    {"{\"m\":{" BASE PRICES ",\"input_cost_per_thought\":1e-6}}",
     "not known: left out (input_cost_per_thought)", 1},
    {"{\"m\":{" BASE PRICES ",\"input_cost_per_token_above_k_tokens\":1e-6}}", "not known", 1},
    {"{\"m\":{" BASE PRICES ",\"input_cost_per_token_above_9999999k_tokens\":1e-6}}", "not known",
     1},
    {"{\"m\":{" BASE PRICES
     ",\"something_new\":{\"deep\":[1,2]},\"deprecation_date\":\"2026-01-01\"}}",
     NULL, 1},
    {"{\"m\":{" BASE PRICES ",\"input_cost_per_image\":0.01}}", "other units", 1},
    {"{\"m\":{" BASE PRICES ",\"search_context_cost_per_query\":{\"search_context_size_low\":0.01,"
                            "\"search_context_size_high\":0.03}}}",
     "the dearest", 1},
    {"{\"m\":{" BASE PRICES ",\"search_context_cost_per_query\":[]}}", NULL, 1},
    {"{\"m\":{" BASE PRICES "},\"openai/m\":{" BASE PRICES "}}",
     "openai/m: a name that came before", 1},
    {"{\"m\":{" BASE PRICES "},\"m\":{" BASE PRICES "}}", "a name that came before", 1},
    {"{\"m\":{" BASE PRICES ",\"input_cost_per_token\":7e-6}}", NULL, 1},
    {" \n{\"m\" : { " BASE PRICES "} } \n", NULL, 1},
};

static void every_trap_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(traps); i++) {
        struct told told;

        if (import(traps[i].text, "", &told) != ERR_NONE || told.rows_count != traps[i].rows ||
            (traps[i].note == NULL ? told.notes.len > 1
                                   : strstr(told.notes.at, traps[i].note) == NULL)) {
            fail_msg("%s: %zu rows, %s", traps[i].text, told.rows_count, told.notes.at);
        }
        finish(&told);
    }
}

static void thresholds_may_be_two(void **state)
{
    struct told told;

    (void)state;
    assert_int_equal(import("{\"m\":{" BASE PRICES
                            ",\"input_cost_per_token_above_128k_tokens\":5e-06,"
                            "\"input_cost_per_token_above_256k_tokens\":7e-06}}",
                            "", &told),
                     ERR_NONE);
    assert_non_null(strstr(told.rows.at,
                           "long_context: [{ over: 128000, input: 5.00, output: 15.00 "
                           "}, { over: 256000, input: 7.00, output: 15.00 }]\n"));
    finish(&told);
}

static void other_providers_are_taken_when_asked_for(void **state)
{
    static const char text[] =
        "{\"azure/m\":{\"litellm_provider\":\"azure\"," PRICES "},\"m\":{" BASE PRICES "},"
        "\"gemini/g\":{\"litellm_provider\":\"gemini\"," PRICES
        "},\"B/m\":{\"litellm_provider\":\"B\"," PRICES "}}";
    struct told told;

    (void)state;
    assert_int_equal(import(text, "azure", &told), ERR_NONE);
    assert_int_equal(told.rows_count, 1);
    assert_non_null(strstr(told.rows.at, "provider: \"azure\"\n    model: \"m\"\n"));
    finish(&told);
    assert_int_equal(import(text, "google", &told), ERR_NONE);
    assert_int_equal(told.rows_count, 1);
    assert_non_null(strstr(told.rows.at, "model: \"g\"\n"));
    finish(&told);
    assert_int_equal(import(text, "B", &told), ERR_NONE); /* no name of a provider of ours */
    assert_int_equal(told.rows_count, 0);
    finish(&told);
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "5",
                                      "{",
                                      "{\"m\":}",
                                      "not json",
                                      "{}{}",
                                      "\"{}\"",
                                      "{\"m\":{\"litellm_provider\":\"openai\"",
                                      "\xef\xbb\xbf{}"};
    struct told told;
    char deep[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(import(bad[i], "", &told), ERR_FORMAT);
        assert_int_equal(told.rows_count, 0);
        assert_string_equal(told.notes.at, "");
        finish(&told);
    }
    memcpy(deep, "{\"m\":", 5);
    memset(deep + 5, '[', 195);
    memset(deep + 200, ']', 195);
    memcpy(deep + 395, "}", 2);
    assert_int_equal(import(deep, "", &told), ERR_FORMAT);
    finish(&told);
}

static void too_many_columns_refuse_the_entry(void **state)
{
    struct told told;
    struct buf text;

    (void)state;
    buf_init(&text, 1024 * 1024);
    buf_put_text(&text, "{\"m\":{" BASE PRICES);
    for (unsigned i = 1; i < 100; i++) {
        buf_put_format(&text, ",\"input_cost_per_token_above_%uk_tokens\":3e-6", i);
    }
    buf_put_text(&text, "}}");
    buf_put_char(&text, '\0');
    assert_int_equal(import(text.at, "", &told), ERR_NONE);
    assert_int_equal(told.rows_count, 0);
    assert_non_null(strstr(told.notes.at, "more tiers or lengths"));
    finish(&told);
    buf_fini(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_becomes_a_row),
        cmocka_unit_test(factors_become_prices),
        cmocka_unit_test(every_trap_is_seen),
        cmocka_unit_test(thresholds_may_be_two),
        cmocka_unit_test(other_providers_are_taken_when_asked_for),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(too_many_columns_refuse_the_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
