/* SPDX-License-Identifier: Apache-2.0 */
/* What a status means, for one target (docs/decisions/0006). A status alone is not enough: a 429
 * may be an empty account, a 400 as well, and the same 503 is the provider's own word when JSON
 * says so and some edge's otherwise. */
#include "router/outcome.h"

#include "base/must.h"

static const struct {
    const char *word;
    enum refusal_kind refusal;
} rows[] = {
#define OUTCOME(name, word, refusal) {word, REFUSAL_##refusal},
#include "router/outcomes.def"
#undef OUTCOME
};

const char *outcome_word(enum outcome outcome)
{
    must((size_t)outcome < ARRAY_LENGTH(rows));
    return rows[outcome].word;
}

enum refusal_kind outcome_refusal(enum outcome outcome)
{
    must((size_t)outcome < ARRAY_LENGTH(rows));
    return rows[outcome].refusal;
}

/* Words for "no money left": waiting does not help. */
static bool names_quota(struct span word)
{
    static const struct span words[] = {
        SPAN("insufficient_quota"),
        SPAN("credit_balance_exhausted"),
        SPAN("credit_balance_too_low"),
        SPAN("enforced_spend_limit_reached"),
        SPAN("contract_spend_limit_reached"),
        SPAN("linked_organization_spend_limit_reached"),
        SPAN("linked_organization_billing_unavailable"),
        SPAN("billing_hard_limit_reached"),
        SPAN("billing_not_active"),
        SPAN("billing_error"),
        SPAN("quota_exceeded"),
        SPAN("payment_required"),
    };

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (span_equal(word, words[i])) {
            return true;
        }
    }
    return false;
}

static bool says(struct span message, const char *words)
{
    struct span needle = span_of(words);

    for (size_t i = 0; i + needle.len <= message.len; i++) {
        if (span_starts_nocase(span_from(message, i), needle)) {
            return true;
        }
    }
    return false;
}

/* Some of these refusals have no code of their own, only a sentence. */
static bool is_quota(const struct provider_error *error)
{
    return error != NULL && error->is_present &&
           (names_quota(error->type) || names_quota(error->code) ||
            says(error->message, "credit balance is too low") ||
            says(error->message, "reached your specified api usage limits"));
}

static enum outcome of_client_error(unsigned status, const struct provider_error *error,
                                    bool is_own_credential)
{
    switch (status) {
    case 401:
    case 403:
        if (!is_own_credential) {
            return OUTCOME_REQUEST;
        }
        return is_quota(error) ? OUTCOME_QUOTA : OUTCOME_AUTH;
    case 402: return is_own_credential ? OUTCOME_QUOTA : OUTCOME_REQUEST;
    case 408: return OUTCOME_HEAD_TIMEOUT; /* passed on, it would make the app's SDK try again */
    case 429: return is_own_credential && is_quota(error) ? OUTCOME_QUOTA : OUTCOME_THROTTLED;
    default: return is_own_credential && is_quota(error) ? OUTCOME_QUOTA : OUTCOME_REQUEST;
    }
}

static enum outcome of_server_error(unsigned status, const struct provider_error *error)
{
    if (error != NULL && error->is_present) {
        return OUTCOME_PROVIDER_ERROR;
    }
    return status == 529 ? OUTCOME_OVERLOADED : OUTCOME_EDGE_ERROR;
}

enum outcome outcome_of_status(unsigned status, const struct provider_error *error,
                               bool is_own_credential)
{
    if (status < 200 || status > 599) {
        return OUTCOME_PROTOCOL;
    }
    if (status < 300) {
        return OUTCOME_OK;
    }
    if (status < 400) {
        return OUTCOME_REDIRECT;
    }
    return status < 500 ? of_client_error(status, error, is_own_credential)
                        : of_server_error(status, error);
}
