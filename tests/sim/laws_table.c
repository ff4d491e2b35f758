/* SPDX-License-Identifier: Apache-2.0 */
/* The table of failures told a second time, apart from router/outcomes.def, so that a slip there is
 * seen. C a failure to connect, F a failure, S a success, N nothing. */
#include "tests/sim/laws.h"

enum { MINUTE_MS = 60000, TEN_MIN_MS = 10 * MINUTE_MS, HOUR_MS = 60 * MINUTE_MS };

#define C SIGNAL_CONNECT
#define F SIGNAL_FAILURE
#define S SIGNAL_SUCCESS
#define N SIGNAL_NEUTRAL

enum { ROWS_KNOWN = 64 };

static size_t rows_of_the_table(void)
{
    static const char rows[] = {
#define OUTCOME(name, word, refusal, endpoint, deployment, mark, remedy) 0,
#include "router/outcomes.def"
#undef OUTCOME
    };

    return sizeof rows;
}

struct meaning meaning_of(enum outcome outcome)
{
    static const struct meaning table[] = {
        [OUTCOME_OK] = {S, S, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_DNS] = {C, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_EGRESS_DENIED] = {N, N, FOLLOW_OTHER, OUT_OF_TARGET, TEN_MIN_MS, TEN_MIN_MS},
        [OUTCOME_CONNECT] = {C, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_CONNECT_TIMEOUT] = {C, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_TLS] = {C, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_TLS_TIMEOUT] = {C, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_TLS_VERIFY] = {C, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_TLS_VERSION] = {C, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_TLS_UNFIT] = {C, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_PORTS] = {N, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_EGRESS_PROXY] = {F, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_JOURNAL_FULL] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_LOCAL] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_WRITE_TIMEOUT] = {F, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_RESET] = {F, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_CLOSED] = {F, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_STALE] = {N, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_HEAD_TIMEOUT] = {N, F, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_SILENT] = {N, F, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_PROTOCOL] = {F, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_SWITCHED] = {N, F, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_HEADER] = {F, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_FRAMING] = {F, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_REQUEST] = {S, S, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_CONTEXT] = {S, S, FOLLOW_LARGER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_MODEL] = {S, N, FOLLOW_OTHER, OUT_OF_TARGET, TEN_MIN_MS, TEN_MIN_MS},
        [OUTCOME_CONFLICT] = {N, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_TIMED_OUT] = {N, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_THROTTLED] = {S, N, FOLLOW_ANY, OUT_OF_COOL, 1000, 20000},
        [OUTCOME_AUTH] = {S, N, FOLLOW_OTHER, OUT_OF_CREDENTIAL, 5 * MINUTE_MS, HOUR_MS},
        [OUTCOME_PERMISSION] = {S, N, FOLLOW_OTHER, OUT_OF_TARGET, 5 * MINUTE_MS, HOUR_MS},
        [OUTCOME_BILLING] = {S, N, FOLLOW_OTHER, OUT_OF_CREDENTIAL, 15 * MINUTE_MS, 6 * HOUR_MS},
        [OUTCOME_QUOTA] = {S, N, FOLLOW_OTHER, OUT_OF_CREDENTIAL, 15 * MINUTE_MS, 6 * HOUR_MS},
        [OUTCOME_PROVIDER_ERROR] = {S, F, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_GATEWAY_ERROR] = {S, F, FOLLOW_ANY, OUT_OF_COOL_HINT, 0, 0},
        [OUTCOME_OVERLOADED] = {S, F, FOLLOW_ANY, OUT_OF_COOL_HINT, 0, 0},
        [OUTCOME_EDGE_ERROR] = {F, N, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_EDGE_VERIFY] = {F, N, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_REDIRECT] = {S, F, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_BAD_BODY] = {S, F, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_TRUNCATED] = {S, F, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_TOO_LARGE] = {S, F, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_EMPTY_STREAM] = {S, F, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_FIRST_CONTENT_TIMEOUT] = {N, F, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_IDLE] = {N, F, FOLLOW_OTHER, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_STREAM_ERROR] = {N, F, FOLLOW_ANY, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_DEADLINE] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_SLOW] = {N, F, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_APP_GONE] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_SHUTDOWN] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_HEDGE_LOST] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_BUDGET] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_LEDGER] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_UNPRICED] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_UNBOUNDED] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_UNMETERED] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
        [OUTCOME_UNTRANSLATABLE] = {N, N, FOLLOW_NOTHING, OUT_OF_NOTHING, 0, 0},
    };

    /* Whoever adds an outcome says here too what it means. */
    must(ARRAY_LENGTH(table) == OUTCOME_UNTRANSLATABLE + 1 && ROWS_KNOWN == rows_of_the_table());
    must((size_t)outcome < ARRAY_LENGTH(table));
    return table[outcome];
}

static bool is_failure(enum signal signal)
{
    return signal == SIGNAL_FAILURE || signal == SIGNAL_CONNECT;
}

struct meaning meaning_at_end(const struct seen_attempt *attempt)
{
    struct meaning meaning = meaning_of(attempt->outcome);
    bool is_cut = attempt->outcome == OUTCOME_RESET || attempt->outcome == OUTCOME_CLOSED;

    if (attempt->outcome == OUTCOME_OK) {
        if (attempt->has_content) { /* said at the first content */
            meaning.endpoint = SIGNAL_NEUTRAL;
            meaning.deployment = SIGNAL_NEUTRAL;
        }
    } else if (is_cut && attempt->has_head) { /* whoever sent a head can be reached */
        meaning.endpoint = SIGNAL_NEUTRAL;
        meaning.deployment = SIGNAL_FAILURE;
    } else if (attempt->has_content && attempt->outcome == OUTCOME_FRAMING) {
        meaning.deployment = SIGNAL_FAILURE;
    } else if (attempt->has_content && is_failure(meaning.endpoint)) {
        meaning.endpoint = SIGNAL_NEUTRAL;
        meaning.deployment = SIGNAL_FAILURE;
    } else if (attempt->has_content && meaning.endpoint == SIGNAL_SUCCESS) {
        meaning.endpoint = SIGNAL_NEUTRAL;
    }
    return meaning;
}
