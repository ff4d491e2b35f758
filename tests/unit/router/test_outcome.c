/* SPDX-License-Identifier: Apache-2.0 */
/* What a status means, with and without the provider's own words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/must.h"
#include "router/outcome.h"

static const struct {
    unsigned status;
    const char *type; /* NULL: no JSON error */
    const char *code;
    const char *message;
    bool is_own;
    enum outcome outcome;
} rows[] = {
    {100, NULL, "", "", true, OUTCOME_PROTOCOL},
    {999, NULL, "", "", true, OUTCOME_PROTOCOL},
    {200, NULL, "", "", true, OUTCOME_OK},
    {204, NULL, "", "", true, OUTCOME_OK},
    {301, NULL, "", "", true, OUTCOME_REDIRECT},
    {304, NULL, "", "", true, OUTCOME_REDIRECT},
    {308, NULL, "", "", false, OUTCOME_REDIRECT},
    {400, NULL, "", "", true, OUTCOME_REQUEST},
    {400, "invalid_request_error", "context_length_exceeded", "", true, OUTCOME_CONTEXT},
    {400, "invalid_request_error", "", "Your credit balance is too low to access the API", true,
     OUTCOME_QUOTA},
    {400, "invalid_request_error", "", "Your credit balance is too low to access the API", false,
     OUTCOME_REQUEST},
    {400, "invalid_request_error", "", "You have reached your specified API usage limits.", true,
     OUTCOME_QUOTA},
    {400, "insufficient_quota", "billing_hard_limit_reached", "", true, OUTCOME_QUOTA},
    {401, NULL, "", "", true, OUTCOME_AUTH},
    {401, "authentication_error", "", "", true, OUTCOME_AUTH},
    {401, "authentication_error", "", "", false, OUTCOME_REQUEST},
    {402, NULL, "", "", true, OUTCOME_BILLING},
    {402, "billing_error", "", "", false, OUTCOME_REQUEST},
    {403, "permission_error", "", "", true, OUTCOME_PERMISSION},
    {403, "permission_error", "", "", false, OUTCOME_REQUEST},
    {404, "invalid_request_error", "model_not_found", "", true, OUTCOME_MODEL},
    {405, NULL, "", "", true, OUTCOME_REQUEST},
    {408, NULL, "", "", true, OUTCOME_TIMED_OUT},
    {409, NULL, "", "", true, OUTCOME_CONFLICT},
    {413, "request_too_large", "", "", true, OUTCOME_REQUEST},
    {415, NULL, "", "", true, OUTCOME_REQUEST},
    {422, NULL, "", "", true, OUTCOME_REQUEST},
    {424, NULL, "", "", true, OUTCOME_PROVIDER_ERROR},
    {499, NULL, "", "", true, OUTCOME_PROVIDER_ERROR},
    {429, NULL, "", "", true, OUTCOME_THROTTLED},
    {429, "requests", "rate_limit_exceeded", "Rate limit reached", true, OUTCOME_THROTTLED},
    {429, "insufficient_quota", "insufficient_quota", "", true, OUTCOME_QUOTA},
    {429, "insufficient_quota", "insufficient_quota", "", false, OUTCOME_REQUEST},
    {429, "rate_limit_error", "enforced_spend_limit_reached", "", true, OUTCOME_QUOTA},
    {429, "rate_limit_error", "contract_spend_limit_reached", "", true, OUTCOME_QUOTA},
    {429, "rate_limit_error", "ramp_limit_exceeded", "", true, OUTCOME_THROTTLED},
    /* azure-openai.md 4 */
    {400, "", "content_filter", "The response was filtered", true, OUTCOME_REQUEST},
    {401, "", "401", "Access denied due to invalid subscription key", true, OUTCOME_AUTH},
    {401, "", "PermissionDenied", "The principal lacks the required data action", true, OUTCOME_AUTH},
    {403, "", "AccessDenied", "Access denied due to Virtual Network rules", true, OUTCOME_PERMISSION},
    {403, "", "403", "Your resource has been temporarily blocked", true, OUTCOME_PERMISSION},
    {404, "", "DeploymentNotFound", "The API deployment does not exist", true, OUTCOME_MODEL},
    {404, "", "404", "Resource not found", true, OUTCOME_MODEL},
    {408, "", "Timeout", "The operation was timeout.", true, OUTCOME_TIMED_OUT},
    {429, "", "429", "Requests to the API have exceeded the rate limit", true, OUTCOME_THROTTLED},
    {429, "", "", "Rate limit is exceeded. Try again in 9 seconds.", true, OUTCOME_THROTTLED},
    {429, "", "insufficient_quota", "", true, OUTCOME_QUOTA},
    {503, "", "ServiceUnavailable", "", true, OUTCOME_OVERLOADED},
    /* bedrock.md 8: the code is the head's name for it */
    {400, "", "ServiceQuotaExceededException", "", true, OUTCOME_QUOTA},
    {400, "", "ValidationException", "Input is too long for requested model", true, OUTCOME_CONTEXT},
    {400, "", "ValidationException", "1 validation error detected", true, OUTCOME_REQUEST},
    {400, "", "ConflictException", "", true, OUTCOME_REQUEST},
    {400, "", "ExpiredTokenException", "", true, OUTCOME_AUTH},
    {403, "", "AccessDeniedException", "", true, OUTCOME_PERMISSION},
    {404, "", "ResourceNotFoundException", "", true, OUTCOME_MODEL},
    {408, "", "ModelTimeoutException", "", true, OUTCOME_TIMED_OUT},
    {424, "", "ModelErrorException", "", true, OUTCOME_PROVIDER_ERROR},
    {429, "", "ThrottlingException", "Too many tokens", true, OUTCOME_THROTTLED},
    {429, "", "ModelNotReadyException", "", true, OUTCOME_OVERLOADED},
    {500, "", "InternalServerException", "", true, OUTCOME_PROVIDER_ERROR},
    {503, "", "ServiceUnavailableException", "", true, OUTCOME_OVERLOADED},
    {500, "server_error", "", "", true, OUTCOME_PROVIDER_ERROR},
    {500, NULL, "", "", true, OUTCOME_EDGE_ERROR},
    {502, NULL, "", "", true, OUTCOME_EDGE_ERROR},
    {503, "server_error", "slow_down", "", true, OUTCOME_OVERLOADED},
    {503, NULL, "", "", true, OUTCOME_EDGE_ERROR},
    {520, NULL, "", "", true, OUTCOME_EDGE_ERROR},
    {526, NULL, "", "", true, OUTCOME_EDGE_VERIFY},
    {529, "overloaded_error", "", "Overloaded", true, OUTCOME_OVERLOADED},
    {529, NULL, "", "", true, OUTCOME_OVERLOADED},
};

static void outcome__follows_the_status_and_the_providers_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct provider_error error = {.is_present = rows[i].type != NULL,
                                       .type = span_of(rows[i].type),
                                       .code = span_of(rows[i].code),
                                       .message = span_of(rows[i].message)};

        assert_int_equal(outcome_of_status(rows[i].status, &error, rows[i].is_own),
                         rows[i].outcome);
        if (rows[i].type == NULL) {
            assert_int_equal(outcome_of_status(rows[i].status, NULL, rows[i].is_own),
                             rows[i].outcome);
        }
    }
}

/* An error of ours never looks like the app's own fault. */
static void outcome__tells_the_app_a_failure_of_ours_or_the_provider(void **state)
{
    static const enum outcome all[] = {
#define OUTCOME(name, word, refusal, endpoint, deployment, mark, remedy) OUTCOME_##name,
#include "router/outcomes.def"
#undef OUTCOME
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        enum refusal_kind kind = outcome_refusal(all[i]);

        assert_int_equal(all[i], i);
        assert_true(outcome_word(all[i])[0] != '\0');
        bool is_budgets = all[i] >= OUTCOME_BUDGET && all[i] <= OUTCOME_UNMETERED;
        /* What no target can be told is the app's to say otherwise. */
        bool is_asked = all[i] == OUTCOME_UNTRANSLATABLE;

        if (kind != REFUSAL_NONE && kind != REFUSAL_ALL_THROTTLED &&
            kind != REFUSAL_MODEL_UNAVAILABLE && !is_budgets && !is_asked) {
            assert_in_range(refusal_row(kind)->status, 502, 504);
        }
    }
    assert_string_equal(outcome_word(OUTCOME_EDGE_ERROR), "edge_error");
    assert_int_equal(outcome_refusal(OUTCOME_QUOTA), REFUSAL_UPSTREAM_QUOTA);
    assert_int_equal(outcome_refusal(OUTCOME_THROTTLED), REFUSAL_NONE);
}

/* The rows of resilience.md, 3 that are told by an answer, as the two large dialects tell them. */
static const struct {
    unsigned status;
    struct {
        const char *type, *code, *message;
    } openai, anthropic;
    enum outcome outcome;
} told[] = {
    {400,
     {"invalid_request_error", "unsupported_parameter", "Unsupported parameter: 'x'."},
     {"invalid_request_error", "", "max_tokens: must be at least 1"},
     OUTCOME_REQUEST},
    {404,
     {"invalid_request_error", "unknown_url", "Unknown request URL: POST /v1/chat."},
     {"not_found_error", "", "Not found"},
     OUTCOME_REQUEST},
    {405,
     {"invalid_request_error", "method_not_supported", "Not allowed to GET"},
     {"invalid_request_error", "", "Method Not Allowed"},
     OUTCOME_REQUEST},
    {413,
     {"invalid_request_error", "", "Request too large"},
     {"request_too_large", "", "Request exceeds the maximum allowed number of bytes."},
     OUTCOME_REQUEST},
    {415,
     {"invalid_request_error", "unsupported_content_type", ""},
     {"invalid_request_error", "", "Unsupported media type"},
     OUTCOME_REQUEST},
    {422,
     {"invalid_request_error", "", "Unprocessable"},
     {"invalid_request_error", "", "Unprocessable"},
     OUTCOME_REQUEST},
    {404,
     {"invalid_request_error", "model_not_found", "The model `x` does not exist"},
     {"not_found_error", "", "model: claude-x"},
     OUTCOME_MODEL},
    {400,
     {"invalid_request_error", "context_length_exceeded", "This model's maximum context length"},
     {"invalid_request_error", "", "prompt is too long: 201000 tokens > 200000 maximum"},
     OUTCOME_CONTEXT},
    {400,
     {"invalid_request_error", "billing_hard_limit_reached", "Billing hard limit has been reached"},
     {"invalid_request_error", "", "You have reached your specified API usage limits."},
     OUTCOME_QUOTA},
    {401,
     {"invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-*"},
     {"authentication_error", "", "invalid x-api-key"},
     OUTCOME_AUTH},
    {403,
     {"request_forbidden", "unsupported_country_region_territory", "Country not supported"},
     {"permission_error", "", "Your API key does not have permission"},
     OUTCOME_PERMISSION},
    {403,
     {"invalid_request_error", "content_policy_violation", "no"},
     {"invalid_request_error", "", "Output blocked by content filtering policy"},
     OUTCOME_REQUEST},
    {402,
     {"billing_error", "", "Payment required"},
     {"billing_error", "", "There is an issue with your billing"},
     OUTCOME_BILLING},
    {408, {"", "", "Timeout"}, {"timeout_error", "", "Request timeout"}, OUTCOME_TIMED_OUT},
    {409, {"", "", "Conflict"}, {"conflict_error", "", "Conflict"}, OUTCOME_CONFLICT},
    {425, {"", "", "Too early"}, {"", "", "Too early"}, OUTCOME_CONFLICT},
    {429,
     {"tokens", "rate_limit_exceeded", "Rate limit reached for gpt-x"},
     {"rate_limit_error", "", "Number of request tokens has exceeded your per-minute rate limit"},
     OUTCOME_THROTTLED},
    {429,
     {"insufficient_quota", "insufficient_quota", "You exceeded your current quota"},
     {"rate_limit_error", "enforced_spend_limit_reached", ""},
     OUTCOME_QUOTA},
    {500,
     {"server_error", "", "The server had an error"},
     {"api_error", "", "Internal server error"},
     OUTCOME_PROVIDER_ERROR},
    {502, {"server_error", "", "Bad"}, {"api_error", "", "Bad"}, OUTCOME_GATEWAY_ERROR},
    {504, {"server_error", "", "Slow"}, {"timeout_error", "", "Slow"}, OUTCOME_GATEWAY_ERROR},
    {503,
     {"server_error", "", "The engine is currently overloaded"},
     {"api_error", "", "Unavailable"},
     OUTCOME_OVERLOADED},
    {529,
     {"server_error", "server_is_overloaded", ""},
     {"overloaded_error", "", "Overloaded"},
     OUTCOME_OVERLOADED},
    {500,
     {"server_error", "server_is_overloaded", ""},
     {"overloaded_error", "", "Overloaded"},
     OUTCOME_OVERLOADED},
    {525, {"", "", "x"}, {"", "", "x"}, OUTCOME_EDGE_VERIFY},
    {307, {"", "", "x"}, {"", "", "x"}, OUTCOME_REDIRECT},
    {200, {"", "", "x"}, {"", "", "x"}, OUTCOME_OK},
};

static struct provider_error error_of(const char *type, const char *code, const char *message)
{
    return (struct provider_error){.is_present = true,
                                   .type = span_of(type),
                                   .code = span_of(code),
                                   .message = span_of(message)};
}

static void outcome__reads_both_large_dialects_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(told); i++) {
        struct provider_error openai =
            error_of(told[i].openai.type, told[i].openai.code, told[i].openai.message);
        struct provider_error anthropic =
            error_of(told[i].anthropic.type, told[i].anthropic.code, told[i].anthropic.message);

        assert_int_equal(outcome_of_status(told[i].status, &openai, true), told[i].outcome);
        assert_int_equal(outcome_of_status(told[i].status, &anthropic, true), told[i].outcome);
    }
}

/* Of the app's own key nothing is ours to judge; all else is as with ours. */
static void outcome__leaves_the_apps_own_credential_to_the_app(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(told); i++) {
        struct provider_error error =
            error_of(told[i].openai.type, told[i].openai.code, told[i].openai.message);
        enum outcome outcome = told[i].outcome;
        bool is_credentials = outcome == OUTCOME_AUTH || outcome == OUTCOME_PERMISSION ||
                              outcome == OUTCOME_BILLING || outcome == OUTCOME_QUOTA;

        assert_int_equal(outcome_of_status(told[i].status, &error, false),
                         is_credentials ? OUTCOME_REQUEST : outcome);
    }
}

/* Not every provider says 401 when the key is bad. */
static void outcome__knows_a_bad_key_by_its_words(void **state)
{
    struct provider_error gemini = error_of("INVALID_ARGUMENT", "", "API key not valid.");
    struct provider_error xai = error_of("", "", "Incorrect API key provided: x");
    struct provider_error region = error_of("", "", "User location is not supported for the API");

    (void)state;
    assert_int_equal(outcome_of_status(400, &gemini, true), OUTCOME_AUTH);
    assert_int_equal(outcome_of_status(400, &gemini, false), OUTCOME_REQUEST);
    assert_int_equal(outcome_of_status(400, &xai, true), OUTCOME_AUTH);
    assert_int_equal(outcome_of_status(400, &region, true), OUTCOME_PERMISSION);
}

/* ---- months ---- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month] + (month == 1 && is_leap(year) ? 1 : 0);
}

/* From 1970 to beyond 2400, month by month: its first and last ms, and one inside. */
static void outcome__parks_until_the_month_is_over(void **state)
{
    struct provider_error error = error_of("rate_limit_error", "enforced_spend_limit_reached", "");
    int64_t day_ms = 86400000;
    wall_ms begins = 0;

    (void)state;
    for (int year = 1970; year <= 2420; year++) {
        for (int month = 0; month < 12; month++) {
            int64_t length = days_in(year, month) * day_ms;

            assert_int_equal(outcome_quota_ms(&error, begins), length);
            assert_int_equal(outcome_quota_ms(&error, begins + length - 1), 1);
            assert_int_equal(outcome_quota_ms(&error, begins + 12345678901 % length),
                             length - 12345678901 % length);
            begins += length;
        }
    }
    assert_int_equal(outcome_quota_ms(&error, -1), 0);
}

static void outcome__knows_no_end_of_other_quotas(void **state)
{
    struct provider_error credit = error_of("insufficient_quota", "insufficient_quota", "");
    struct provider_error rate = error_of("rate_limit_error", "", "");
    struct provider_error none = {.is_present = false};

    (void)state;
    assert_int_equal(outcome_quota_ms(&credit, 1), 0);
    assert_int_equal(outcome_quota_ms(&rate, 1), 0);
    assert_int_equal(outcome_quota_ms(&none, 1), 0);
    assert_int_equal(outcome_quota_ms(NULL, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome__follows_the_status_and_the_providers_words),
        cmocka_unit_test(outcome__tells_the_app_a_failure_of_ours_or_the_provider),
        cmocka_unit_test(outcome__reads_both_large_dialects_alike),
        cmocka_unit_test(outcome__leaves_the_apps_own_credential_to_the_app),
        cmocka_unit_test(outcome__knows_a_bad_key_by_its_words),
        cmocka_unit_test(outcome__parks_until_the_month_is_over),
        cmocka_unit_test(outcome__knows_no_end_of_other_quotas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
