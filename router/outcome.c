/* SPDX-License-Identifier: Apache-2.0 */
/* What a status means, for one target (docs/decisions/0006). A status alone is not enough: a 429
 * may be an empty account, a 400 as well, and the same 503 is the provider's own word when JSON
 * says so and some edge's otherwise. */
#include "router/outcome.h"

#include "base/must.h"
#include "wire/blame.h"

static const struct outcome_row rows[] = {
#define OUTCOME(name, word, refusal, endpoint, deployment, mark, remedy)                           \
    {word, REFUSAL_##refusal, SIGNAL_##endpoint, SIGNAL_##deployment, MARK_##mark, REMEDY_##remedy},
#include "router/outcomes.def"
#undef OUTCOME
};

const struct outcome_row *outcome_row(enum outcome outcome)
{
    must((size_t)outcome < ARRAY_LENGTH(rows));
    return &rows[outcome];
}

const char *outcome_word(enum outcome outcome)
{
    return outcome_row(outcome)->word;
}

enum refusal_kind outcome_refusal(enum outcome outcome)
{
    return outcome_row(outcome)->refusal;
}

/* ---- statuses ---- */

/* A credential of the app's own is its own affair: what the provider says of it goes back. */
static enum outcome of_own(enum outcome outcome, bool is_own_credential)
{
    return is_own_credential ? outcome : OUTCOME_REQUEST;
}

/* What an error is about comes before its status: a 400 may be an empty account. */
static enum outcome of_client_error(unsigned status, enum blame blame, bool is_own)
{
    if (blame == BLAME_QUOTA || blame == BLAME_SPEND_LIMIT) {
        return of_own(status == 402 ? OUTCOME_BILLING : OUTCOME_QUOTA, is_own);
    }
    switch (status) {
    case 401: return of_own(OUTCOME_AUTH, is_own);
    case 402: return of_own(OUTCOME_BILLING, is_own);
    case 403: return blame == BLAME_CONTENT ? OUTCOME_REQUEST : of_own(OUTCOME_PERMISSION, is_own);
    case 408: return OUTCOME_TIMED_OUT; /* passed on, it would make the app's SDK try again */
    case 409:
    case 425: return OUTCOME_CONFLICT;
    case 424:
    case 499: return OUTCOME_PROVIDER_ERROR; /* something behind it failed: azure-openai.md 4, bedrock.md 8 */
    case 429: return blame == BLAME_OVERLOADED ? OUTCOME_OVERLOADED : OUTCOME_THROTTLED;
    default: break;
    }
    if (blame == BLAME_MODEL && (status == 400 || status == 404)) {
        return OUTCOME_MODEL;
    }
    switch (blame) {
    case BLAME_CONTEXT: return OUTCOME_CONTEXT;
    case BLAME_AUTH: return of_own(OUTCOME_AUTH, is_own); /* Gemini and xAI tell it with a 400 */
    case BLAME_PERMISSION: return of_own(OUTCOME_PERMISSION, is_own);
    default: return OUTCOME_REQUEST;
    }
}

static enum outcome of_server_error(unsigned status, const struct provider_error *error,
                                    enum blame blame)
{
    if (status == 525 || status == 526) {
        return OUTCOME_EDGE_VERIFY; /* the edge cannot verify its own origin */
    }
    if (status == 529 || blame == BLAME_OVERLOADED) {
        return OUTCOME_OVERLOADED;
    }
    if (error == NULL || !error->is_present) {
        return OUTCOME_EDGE_ERROR; /* some edge's page, not the provider's word */
    }
    switch (status) {
    case 503: return OUTCOME_OVERLOADED;
    case 502:
    case 504: return OUTCOME_GATEWAY_ERROR;
    default: return OUTCOME_PROVIDER_ERROR;
    }
}

enum outcome outcome_of_status(unsigned status, const struct provider_error *error,
                               bool is_own_credential)
{
    enum blame blame = BLAME_NONE;

    if (status < 200 || status > 599) {
        return OUTCOME_PROTOCOL;
    }
    if (status < 300) {
        return OUTCOME_OK;
    }
    if (status < 400) {
        return OUTCOME_REDIRECT;
    }
    if (error != NULL && error->is_present) {
        blame = blame_of(status, error);
    }
    return status < 500 ? of_client_error(status, blame, is_own_credential)
                        : of_server_error(status, error, blame);
}

/* ---- months ---- */

enum { DAY_MS = 86400000 };

/* Days from 1970-01-01 to the first of the month that follows `day`; civil calendar in days, after
 * the usual shift of the year's begin to March. */
static int64_t next_month(int64_t day)
{
    int64_t z = day + 719468;
    int64_t era = z / 146097;
    int64_t of_era = z % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* from March */
    int64_t next = month + 1;
    int64_t first = 0;

    if (next < 12) {
        first = 365 * year + year / 4 - year / 100 + (153 * next + 2) / 5;
    } else {
        year++;
        first = 365 * year + year / 4 - year / 100 + year / 400;
    }
    return era * 146097 + first - 719468;
}

uint64_t outcome_quota_ms(const struct provider_error *error, wall_ms now)
{
    if (error == NULL || !error->is_present || blame_of(429, error) != BLAME_SPEND_LIMIT ||
        now < 0) {
        return 0;
    }
    return (uint64_t)(next_month(now / DAY_MS) * DAY_MS - now);
}
