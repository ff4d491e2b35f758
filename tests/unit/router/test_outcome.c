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
    {429, NULL, "", "", true, OUTCOME_THROTTLED},
    {429, "requests", "rate_limit_exceeded", "Rate limit reached", true, OUTCOME_THROTTLED},
    {429, "insufficient_quota", "insufficient_quota", "", true, OUTCOME_QUOTA},
    {429, "insufficient_quota", "insufficient_quota", "", false, OUTCOME_REQUEST},
    {429, "rate_limit_error", "enforced_spend_limit_reached", "", true, OUTCOME_QUOTA},
    {429, "rate_limit_error", "contract_spend_limit_reached", "", true, OUTCOME_QUOTA},
    {429, "rate_limit_error", "ramp_limit_exceeded", "", true, OUTCOME_THROTTLED},
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

        print_message("%u %s\n", rows[i].status, rows[i].type == NULL ? "-" : rows[i].type);
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
        if (kind != REFUSAL_NONE && kind != REFUSAL_ALL_THROTTLED &&
            kind != REFUSAL_MODEL_UNAVAILABLE) {
            assert_in_range(refusal_row(kind)->status, 502, 504);
        }
    }
    assert_string_equal(outcome_word(OUTCOME_EDGE_ERROR), "edge_error");
    assert_int_equal(outcome_refusal(OUTCOME_QUOTA), REFUSAL_UPSTREAM_QUOTA);
    assert_int_equal(outcome_refusal(OUTCOME_THROTTLED), REFUSAL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome__follows_the_status_and_the_providers_words),
        cmocka_unit_test(outcome__tells_the_app_a_failure_of_ours_or_the_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
