/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes a begun answer, and how. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/prefill.h"

enum { NO, TURN, PREFIX, FLAG };

static const struct {
    const char *kind;
    const char *host;
    const char *path;
    const char *model;
    int way;
} rows[] = {
    {"anthropic", "api.anthropic.com", "/v1", "claude-sonnet-4-5", TURN},
    {"anthropic", "api.anthropic.com", "/v1", "claude-sonnet-4-5-20250929", TURN},
    {"anthropic", "api.anthropic.com", "/v1", "claude-opus-4-1-20250805", TURN},
    {"anthropic", "127.0.0.1:9", "", "claude-3-5-haiku-20241022", TURN},
    /* refused by the provider */
    {"anthropic", "api.anthropic.com", "/v1", "claude-sonnet-4-6", NO},
    {"anthropic", "api.anthropic.com", "/v1", "claude-opus-4-6", NO},
    {"anthropic", "api.anthropic.com", "/v1", "claude-opus-4-8", NO},
    {"anthropic", "api.anthropic.com", "/v1", "claude-opus-4-10", NO},
    {"anthropic", "api.anthropic.com", "/v1", "claude-haiku-5-5", NO},
    {"anthropic", "api.anthropic.com", "/v1", "claude-sonnet-5", NO},
    /* not known to */
    {"anthropic", "api.anthropic.com", "/v1", "", NO},
    {"anthropic", "api.deepseek.com", "/anthropic", "deepseek-chat", NO},
    {"openai", "api.openai.com", "/v1", "gpt-5.4-mini", NO},
    {"openai", "api.openai.com", "/v1", "claude-sonnet-4-5", NO},
    {"fixtures", "", "", "claude-sonnet-4-5", NO},
    {"compatible", "llm.example", "/v1", "mistral-large-latest", NO},
    /* by address and model */
    {"compatible", "api.mistral.ai", "/v1", "mistral-large-latest", PREFIX},
    {"compatible", "api.mistral.ai", "/v1", "magistral-medium-latest", NO},
    {"compatible", "api.deepseek.com", "/beta", "deepseek-chat", PREFIX},
    {"compatible", "api.deepseek.com", "/v1", "deepseek-chat", NO},
    {"compatible", "api.deepseek.com", "/beta", "deepseek-v4-pro", NO},
    {"compatible", "openrouter.ai", "/api/v1", "anthropic/claude-sonnet-4.5", TURN},
    {"compatible", "openrouter.ai", "/api/v1", "anthropic/claude-sonnet-4.6", NO},
    {"compatible", "vllm:8000", "/v1", "meta-llama/Llama-3.1-8B-Instruct", FLAG},
    {"compatible", "my-vllm:8000", "/v1", "meta-llama/Llama-3.1-8B-Instruct", NO},
};

static int way_of(const struct prefill_way *way)
{
    if (way == NULL) {
        return NO;
    }
    return way->mark == PREFILL_MARK_ROLE ? TURN : way->mark == PREFILL_MARK_PREFIX ? PREFIX : FLAG;
}

static void prefill__is_taken_by_whom_the_table_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct prefill_ask ask = {.kind = span_of(rows[i].kind),
                                  .host = span_of(rows[i].host),
                                  .path = span_of(rows[i].path),
                                  .model = span_of(rows[i].model)};

        print_message("%s %s%s %s\n", rows[i].kind, rows[i].host, rows[i].path, rows[i].model);
        assert_int_equal(way_of(prefill_taken(&ask)), rows[i].way);
    }
}

static void prefill__is_not_taken_at_an_address_beyond_measure(void **state)
{
    static char path[600];
    struct prefill_ask ask = {.kind = SPAN("compatible"),
                              .host = SPAN("vllm"),
                              .path = {path, sizeof path},
                              .model = SPAN("m")};

    (void)state;
    memset(path, '/', sizeof path);
    assert_null(prefill_taken(&ask));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefill__is_taken_by_whom_the_table_names),
        cmocka_unit_test(prefill__is_not_taken_at_an_address_beyond_measure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
