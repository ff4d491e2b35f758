/* SPDX-License-Identifier: Apache-2.0 */
/* What refusals are about: every word and sentence, read by both dialects from whole bodies, and
 * what an app may write without being believed. */
#include "data.h"

#include "wire/blame.h"

static const struct operation *openai(void)
{
    return operation_named(&dialect_openai, "chat");
}

static const struct operation *anthropic(void)
{
    return operation_named(&dialect_anthropic, "messages");
}

static enum blame blame_in(const struct operation *operation, unsigned status, struct span body)
{
    struct usage usage;
    struct answer answer = answer_of(operation, body, &usage);

    return blame_of(status, &answer.error);
}

enum { BODY_MAX = 512 };

/* A body but for the words. */
struct form {
    const char *before;
    const char *after;
};

static struct span fill(const struct form *form, const char *words, char body[BODY_MAX])
{
    int len = snprintf(body, BODY_MAX, "%s%s%s", form->before, words, form->after);

    assert_true(len > 0 && len < BODY_MAX);
    return span_make(body, (size_t)len);
}

static const struct {
    unsigned status;
    const char *word;
    enum blame blame;
} word_rows[] = {
    {404, "model_not_found", BLAME_MODEL},
    {403, "model_not_found", BLAME_MODEL},
    {404, "DeploymentNotFound", BLAME_MODEL},
    {404, "ResourceNotFoundException", BLAME_MODEL},
    {400, "invalid_model", BLAME_MODEL},
    {400, "context_length_exceeded", BLAME_CONTEXT},
    {400, "token_limit_exceeded", BLAME_CONTEXT},
    {500, "exceed_context_size_error", BLAME_CONTEXT},
    {429, "enforced_spend_limit_reached", BLAME_SPEND_LIMIT},
    {429, "contract_spend_limit_reached", BLAME_SPEND_LIMIT},
    {402, "linked_organization_spend_limit_reached", BLAME_SPEND_LIMIT},
    {400, "billing_hard_limit_reached", BLAME_SPEND_LIMIT},
    {429, "insufficient_quota", BLAME_QUOTA},
    {429, "credit_balance_exhausted", BLAME_QUOTA},
    {400, "credit_balance_too_low", BLAME_QUOTA},
    {400, "linked_organization_billing_unavailable", BLAME_QUOTA},
    {429, "billing_not_active", BLAME_QUOTA},
    {400, "billing_error", BLAME_QUOTA},
    {429, "quota_exceeded", BLAME_QUOTA},
    {400, "payment_required", BLAME_QUOTA},
    {400, "ServiceQuotaExceededException", BLAME_QUOTA},
    {500, "overloaded_error", BLAME_OVERLOADED},
    {500, "compaction_unavailable", BLAME_OVERLOADED},
    {503, "server_is_overloaded", BLAME_OVERLOADED},
    {429, "slow_down", BLAME_OVERLOADED},
    {503, "slow_down", BLAME_OVERLOADED},
    {429, "resource_unavailable", BLAME_OVERLOADED},
    {503, "service_unavailable_error", BLAME_OVERLOADED},
    {498, "capacity_exceeded", BLAME_OVERLOADED},
    {503, "provider_overloaded", BLAME_OVERLOADED},
    {503, "unavailable_error", BLAME_OVERLOADED},
    {503, "UNAVAILABLE", BLAME_OVERLOADED},
    {429, "ModelNotReadyException", BLAME_OVERLOADED},
    {413, "rate_limit_exceeded", BLAME_RATE},
    {200, "rate_limit_error", BLAME_RATE},
    {200, "ramp_limit_exceeded", BLAME_RATE},
    {200, "requests", BLAME_RATE},
    {200, "tokens", BLAME_RATE},
    {200, "RateLimitReached", BLAME_RATE},
    {200, "too_many_requests", BLAME_RATE},
    {200, "RESOURCE_EXHAUSTED", BLAME_RATE},
    {200, "ThrottlingException", BLAME_RATE},
    {400, "invalid_api_key", BLAME_AUTH},
    {400, "invalid_organization", BLAME_AUTH},
    {400, "mismatched_organization", BLAME_AUTH},
    {200, "authentication_error", BLAME_AUTH},
    {200, "authentication", BLAME_AUTH},
    {400, "API_KEY_INVALID", BLAME_AUTH},
    {200, "UNAUTHENTICATED", BLAME_AUTH},
    {403, "UnrecognizedClientException", BLAME_AUTH},
    {400, "InvalidSignatureException", BLAME_AUTH},
    {403, "ExpiredTokenException", BLAME_AUTH},
    {400, "IncompleteSignature", BLAME_AUTH},
    {401, "PermissionDenied", BLAME_AUTH},
    {400, "PermissionDenied", BLAME_PERMISSION},
    {200, "permission_denied", BLAME_PERMISSION},
    {200, "PERMISSION_DENIED", BLAME_PERMISSION},
    {200, "permission_error", BLAME_PERMISSION},
    {200, "request_forbidden", BLAME_PERMISSION},
    {200, "unsupported_country_region_territory", BLAME_PERMISSION},
    {200, "AccessDenied", BLAME_PERMISSION},
    {403, "AccessDeniedException", BLAME_PERMISSION},
    {400, "content_policy_violation", BLAME_CONTENT},
    {403, "content_policy_violation", BLAME_CONTENT},
    {400, "invalid_prompt", BLAME_CONTENT},
    {400, "moderation_blocked", BLAME_CONTENT},
    {400, "content_filter", BLAME_CONTENT},
    {400, "refusal", BLAME_CONTENT},
    {200, "unsupported_parameter", BLAME_REQUEST},
    {200, "unsupported_value", BLAME_REQUEST},
    {200, "invalid_value", BLAME_REQUEST},
    {200, "missing_required_parameter", BLAME_REQUEST},
    {200, "string_above_max_length", BLAME_REQUEST},
    {200, "request_too_large", BLAME_REQUEST},
    {200, "request_body_too_large_after_decoding", BLAME_REQUEST},
    {200, "request_body_encoding_unsupported", BLAME_REQUEST},
    {200, "request_body_encoding_invalid", BLAME_REQUEST},
    {200, "max_tokens_exceeded", BLAME_REQUEST},
    {200, "payload_too_large", BLAME_REQUEST},
    {200, "invalid_request", BLAME_REQUEST},
    {400, "nobody_knows", BLAME_REQUEST},
    {500, "server_error", BLAME_NONE},
    {500, "api_error", BLAME_NONE},
    {504, "timeout_error", BLAME_NONE},
    {503, "cmek_key_unreachable", BLAME_NONE},
    {500, "InternalServerError", BLAME_NONE},
};

/* Each word as a code and as a type, as OpenAI and as Anthropic place them. */
static void blame__knows_every_word_in_every_place(void **state)
{
    static const struct form forms[] = {
        {"{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\",\"code\":\"", "\"}}"},
        {"{\"error\":{\"message\":\"m\",\"type\":\"", "\",\"param\":null,\"code\":null}}"},
        {"{\"object\":\"error\",\"message\":\"m\",\"type\":\"", "\",\"code\":\"1500\"}"},
        {"{\"type\":\"error\",\"error\":{\"type\":\"", "\",\"message\":\"m\"}}"},
        {"{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\",\"details\":"
         "{\"error_code\":\"",
         "\"}}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(word_rows); i++) {
        for (size_t f = 0; f < ARRAY_LENGTH(forms); f++) {
            char body[BODY_MAX];
            struct span text = fill(&forms[f], word_rows[i].word, body);

            print_message("%u %s\n", word_rows[i].status, body);
            assert_int_equal(blame_in(openai(), word_rows[i].status, text), word_rows[i].blame);
            assert_int_equal(blame_in(anthropic(), word_rows[i].status, text), word_rows[i].blame);
        }
    }
}

static const struct {
    unsigned status;
    const char *message;
    enum blame blame;
} sentence_rows[] = {
    {400, "Your credit balance is too low to access the Anthropic API.", BLAME_QUOTA},
    {400, "You have reached your specified API usage limits. You will regain access on 2026-04-01.",
     BLAME_SPEND_LIMIT},
    {400, "prompt is too long: 208310 tokens > 200000 maximum", BLAME_CONTEXT},
    {400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
     BLAME_CONTEXT},
    {400, "This model's maximum context length is 4096 tokens. However, you requested 5000.",
     BLAME_CONTEXT},
    {400, "The input token count (1200000) exceeds the maximum number of tokens allowed",
     BLAME_CONTEXT},
    {400, "Input is too long for requested model.", BLAME_CONTEXT},
    {400, "the request exceeds the available context size. try increasing it", BLAME_CONTEXT},
    {404, "model: claude-nobody", BLAME_MODEL},
    {400, "model: Field required", BLAME_REQUEST},
    {404, "model 'x' not found", BLAME_MODEL},
    {404, "models/x is not found for API version v1beta", BLAME_MODEL},
    {404, "The model `x` does not exist or you do not have access to it.", BLAME_MODEL},
    {404, "The model \\\"x\\\" does not exist.", BLAME_MODEL},
    {400, "Model Not Exist", BLAME_MODEL},
    {400, "Invalid model: nobody", BLAME_MODEL},
    {404, "No endpoints found for nobody/nothing:free.", BLAME_MODEL},
    {404, "No endpoints found that support tool use.", BLAME_REQUEST},
    {400, "API key not valid. Please pass a valid API key.", BLAME_AUTH},
    {400, "Incorrect API key provided: xa***yz.", BLAME_AUTH},
    {400, "User location is not supported for the API use.", BLAME_PERMISSION},
    {503, "The engine is currently overloaded, please try again later", BLAME_OVERLOADED},
    {429, "That model is currently overloaded with other requests.", BLAME_OVERLOADED},
    {503, "The server is overloaded or not ready yet.", BLAME_OVERLOADED},
    {503, "server busy, please try again. maximum pending requests exceeded", BLAME_OVERLOADED},
    {400, "Output blocked by content filtering policy", BLAME_CONTENT},
    {400, "The response was filtered by Azure OpenAI's content management policy.", BLAME_CONTENT},
    {403, "x requires moderation. Your input was flagged for \\\"violence\\\".", BLAME_CONTENT},
    {429, "Rate limit is exceeded. Try again in 9 seconds.", BLAME_RATE},
    {404, "Resource not found", BLAME_MODEL},
    {400, "Resource not found", BLAME_REQUEST},
    {404, "No file: Resource not found", BLAME_REQUEST},
    {401, "Unauthorized", BLAME_AUTH},
    {402, "Insufficient Balance", BLAME_QUOTA},
    {500, "something broke", BLAME_NONE},
    /* What an app wrote, given back by a server: no key and no target is out because of it. */
    {400, "role 'Your credit balance is too low' is none of system, user", BLAME_REQUEST},
    {400, "role 'You have reached your specified API usage limits' is not known", BLAME_REQUEST},
    {400, "messages.0.role: 'the model x does not exist' is not allowed", BLAME_REQUEST},
    {400, "messages.0.role: 'model not found'", BLAME_REQUEST},
    {400, "messages.0.role: 'Incorrect API key provided'", BLAME_REQUEST},
    {400, "messages.0.role: 'is currently overloaded'", BLAME_REQUEST},
};

static void blame__knows_every_sentence_in_every_shape(void **state)
{
    static const struct form forms[] = {
        {"{\"error\":{\"message\":\"", "\",\"type\":\"invalid_request_error\",\"code\":null}}"},
        {"{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"",
         "\"}}"},
        {"{\"object\":\"error\",\"message\":\"", "\",\"type\":\"BadRequestError\",\"code\":1}"},
        {"{\"code\":\"Client specified an invalid argument\",\"error\":\"", "\"}"},
        {"{\"error\":\"", "\"}"},
        {"{\"detail\":\"", "\"}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(sentence_rows); i++) {
        for (size_t f = 0; f < ARRAY_LENGTH(forms); f++) {
            char body[BODY_MAX];
            struct span text = fill(&forms[f], sentence_rows[i].message, body);

            print_message("%u %s\n", sentence_rows[i].status, body);
            assert_int_equal(blame_in(openai(), sentence_rows[i].status, text),
                             sentence_rows[i].blame);
            assert_int_equal(blame_in(anthropic(), sentence_rows[i].status, text),
                             sentence_rows[i].blame);
        }
    }
}

static void blame__believes_the_code_then_the_sentence_then_the_type(void **state)
{
    static const struct {
        unsigned status;
        const char *body;
        enum blame blame;
    } rows[] = {
        {429,
         "{\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\",\"details\":{\"error_code\":"
         "\"enforced_spend_limit_reached\"}}}",
         BLAME_SPEND_LIMIT},
        {400,
         "{\"error\":{\"type\":\"insufficient_quota\",\"code\":\"billing_hard_limit_"
         "reached\"}}",
         BLAME_SPEND_LIMIT},
        {400,
         "{\"error\":{\"type\":\"billing_error\",\"message\":\"You have reached your specified API "
         "usage limits.\"}}",
         BLAME_SPEND_LIMIT},
        {400,
         "{\"error\":{\"code\":\"invalid_value\",\"message\":\"model 'maximum context length' not "
         "found\"}}",
         BLAME_REQUEST},
        /* a status inside comes before the one outside */
        {200, "{\"error\":{\"code\":429,\"message\":\"m\"}}", BLAME_RATE},
        {200, "{\"error\":{\"code\":402,\"message\":\"m\"}}", BLAME_QUOTA},
        {400, "{\"error\":{\"code\":\"401\",\"message\":\"m\"}}", BLAME_AUTH},
        {500, "{\"error\":{\"code\":404,\"message\":\"The model `x` does not exist\"}}",
         BLAME_MODEL},
        {200,
         "{\"error\":{\"code\":503,\"message\":\"m\",\"metadata\":{\"error_type\":\"provider_"
         "overloaded\"}}}",
         BLAME_OVERLOADED},
        {429,
         "{\"error\":{\"code\":429,\"message\":\"Resource exhausted\",\"status\":"
         "\"RESOURCE_EXHAUSTED\"}}",
         BLAME_RATE},
        /* Gemini says RESOURCE_EXHAUSTED and "quota" for each limit per minute */
        {429,
         "{\"error\":{\"code\":429,\"message\":\"You exceeded your current quota, please "
         "check your plan\",\"status\":\"RESOURCE_EXHAUSTED\"}}",
         BLAME_RATE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        print_message("%s\n", rows[i].body);
        assert_int_equal(blame_in(openai(), rows[i].status, span_of(rows[i].body)), rows[i].blame);
        assert_int_equal(blame_in(anthropic(), rows[i].status, span_of(rows[i].body)),
                         rows[i].blame);
    }
}

static void blame__reads_what_was_captured(void **state)
{
    static const struct {
        unsigned status;
        const char *file;
        enum blame blame;
    } rows[] = {
        {529, "upstream/error-anthropic-529.json", BLAME_OVERLOADED},
        {429, "upstream/error-openai-429.json", BLAME_RATE},
        {429, "upstream/error-openai-quota-429.json", BLAME_QUOTA},
        {502, "upstream/error-502.html", BLAME_NONE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct buf text = data_read(rows[i].file);

        print_message("%s\n", rows[i].file);
        assert_int_equal(blame_in(openai(), rows[i].status, buf_span(&text)), rows[i].blame);
        assert_int_equal(blame_in(anthropic(), rows[i].status, buf_span(&text)), rows[i].blame);
        buf_fini(&text);
    }
}

static void blame__follows_the_status_when_nothing_is_said(void **state)
{
    static const struct {
        unsigned status;
        enum blame blame;
    } rows[] = {
        {0, BLAME_NONE},         {200, BLAME_NONE},    {302, BLAME_NONE},
        {400, BLAME_REQUEST},    {401, BLAME_AUTH},    {402, BLAME_QUOTA},
        {403, BLAME_PERMISSION}, {404, BLAME_REQUEST}, {405, BLAME_REQUEST},
        {408, BLAME_NONE},       {409, BLAME_NONE},    {413, BLAME_REQUEST},
        {422, BLAME_REQUEST},    {424, BLAME_NONE},    {425, BLAME_NONE},
        {429, BLAME_RATE},       {498, BLAME_NONE},    {499, BLAME_NONE},
        {500, BLAME_NONE},       {502, BLAME_NONE},    {503, BLAME_NONE},
        {529, BLAME_OVERLOADED}, {999, BLAME_NONE},
    };
    /* Words that are not there say nothing. */
    const struct provider_error absent = {.code = SPAN("insufficient_quota")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(blame_of(rows[i].status, NULL), rows[i].blame);
        assert_int_equal(blame_of(rows[i].status, &absent), rows[i].blame);
    }
}

static void blame__looks_at_the_beginning_of_a_long_message(void **state)
{
    enum { LONG = 100000 };
    static const struct span needle = SPAN("maximum context length");
    char *text = test_malloc(LONG);
    struct provider_error error = {.is_present = true, .message = {text, LONG}};

    (void)state;
    memset(text, 'm', LONG);
    memcpy(text + BLAME_MESSAGE_MAX - needle.len, needle.at, needle.len);
    assert_int_equal(blame_of(400, &error), BLAME_CONTEXT);
    memset(text, 'm', LONG);
    memcpy(text + BLAME_MESSAGE_MAX - needle.len + 1, needle.at, needle.len);
    assert_int_equal(blame_of(400, &error), BLAME_REQUEST);
    test_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blame__knows_every_word_in_every_place),
        cmocka_unit_test(blame__knows_every_sentence_in_every_shape),
        cmocka_unit_test(blame__believes_the_code_then_the_sentence_then_the_type),
        cmocka_unit_test(blame__reads_what_was_captured),
        cmocka_unit_test(blame__follows_the_status_when_nothing_is_said),
        cmocka_unit_test(blame__looks_at_the_beginning_of_a_long_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
