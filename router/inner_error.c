/* SPDX-License-Identifier: Apache-2.0 */
/* A table of words; a status that the error itself brings along comes before it. */
#include "router/inner_error.h"

#include "base/must.h"

static const struct {
    const char *word;
    unsigned status;
} words[] = {
    {"overloaded_error", 529},
    {"server_is_overloaded", 529},
    {"rate_limit_error", 429},
    {"rate_limit_exceeded", 429},
    {"insufficient_quota", 429},
    {"requests", 429},
    {"tokens", 429},
    {"authentication_error", 401},
    {"invalid_api_key", 401},
    {"permission_error", 403},
    {"billing_error", 402},
    {"not_found_error", 404},
    {"model_not_found", 404},
    {"request_too_large", 413},
    {"invalid_request_error", 400},
    {"invalid_prompt", 400},
    {"context_length_exceeded", 400},
    {"timeout_error", 504},
    {"api_error", 500},
    {"server_error", 500},
};

static unsigned by_word(struct span text)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equal(span_of(words[i].word), text)) {
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
