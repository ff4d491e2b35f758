/* SPDX-License-Identifier: Apache-2.0 */
/* A table of words; a status that the error itself brings along comes before it. */
#include "router/inner_error.h"

#include "base/must.h"

static const struct {
    struct span word;
    unsigned status;
} words[] = {
    {SPAN("overloaded_error"), 529},
    {SPAN("server_is_overloaded"), 529},
    {SPAN("rate_limit_error"), 429},
    {SPAN("rate_limit_exceeded"), 429},
    {SPAN("insufficient_quota"), 429},
    {SPAN("requests"), 429},
    {SPAN("tokens"), 429},
    {SPAN("authentication_error"), 401},
    {SPAN("invalid_api_key"), 401},
    {SPAN("permission_error"), 403},
    {SPAN("billing_error"), 402},
    {SPAN("not_found_error"), 404},
    {SPAN("model_not_found"), 404},
    {SPAN("request_too_large"), 413},
    {SPAN("invalid_request_error"), 400},
    {SPAN("invalid_prompt"), 400},
    {SPAN("context_length_exceeded"), 400},
    {SPAN("timeout_error"), 504},
    {SPAN("api_error"), 500},
    {SPAN("server_error"), 500},
};

static unsigned by_word(struct span text)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equal(words[i].word, text)) {
            return words[i].status;
        }
    }
    return 0;
}

unsigned inner_error_status(const struct provider_error *error)
{
    unsigned status = 0;

    if (error->status >= 400 && error->status <= 599) {
        return (unsigned)error->status;
    }
    /* The code is the narrower word: insufficient_quota comes with type invalid_request_error. */
    status = by_word(error->code);
    if (status == 0) {
        status = by_word(error->type);
    }
    return status == 0 ? 502 : status;
}
