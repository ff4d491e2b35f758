/* SPDX-License-Identifier: Apache-2.0 */
/* router/outcome.h: how an attempt ended; a closed list with its consequences (outcomes.def), and
 * the classifier that reads an answer into it. Pure. */
#ifndef ROUTER_OUTCOME_H
#define ROUTER_OUTCOME_H

#include <stdbool.h>

#include "base/tick.h"
#include "breaker/breaker.h"
#include "breaker/park.h"
#include "wire/dialect.h"
#include "wire/refusal.h"

enum outcome {
#define OUTCOME(name, word, refusal, endpoint, deployment, mark, remedy) OUTCOME_##name,
#include "router/outcomes.def"
#undef OUTCOME
};

/* What is put out of service, and for how long. */
enum mark {
    MARK_NONE,
    MARK_FORGIVE,    /* a success: the next park or cooldown is a first one again */
    MARK_COOL,       /* the deployment: by the hint, else by backoff */
    MARK_COOL_HINT,  /* the deployment, only when there is a hint */
    MARK_AUTH,       /* the credential */
    MARK_BILLING,    /* the credential */
    MARK_QUOTA,      /* the credential: to the known reset, else by backoff */
    MARK_PERMISSION, /* the target */
    MARK_MODEL,      /* the target */
    MARK_EGRESS      /* the target */
};

/* What may be tried after it. */
enum remedy {
    REMEDY_NONE,
    REMEDY_SURFACE,   /* nothing: no other target would answer otherwise */
    REMEDY_NEXT,      /* another target; never the same again */
    REMEDY_NEXT_SAME, /* another target; the same again, after a pause, when there is none */
    REMEDY_SAME_NEXT, /* the same once more, after a pause; then another */
    REMEDY_FRESH,     /* the same at once on a new connection, once */
    REMEDY_LARGER,    /* only a target that reads more */
    REMEDY_THROTTLE   /* another target; else wait as long as the provider asks, if that is short */
};

struct outcome_row {
    const char *word;
    enum refusal_kind refusal;
    enum signal endpoint;
    enum signal deployment;
    enum mark mark;
    enum remedy remedy;
};

const struct outcome_row *outcome_row(enum outcome outcome);
const char *outcome_word(enum outcome outcome);
/* The refusal told to the app, REFUSAL_NONE when the provider's own answer goes back. */
enum refusal_kind outcome_refusal(enum outcome outcome);

/* What a status means. `error` may be NULL (not read yet, or no JSON). is_own_credential: the key
 * is ours (not the app's own, passthrough): then a 401 must not look like the app's fault
 * (docs/decisions/0006). */
enum outcome outcome_of_status(unsigned status, const struct provider_error *error,
                               bool is_own_credential);

/* How long a credential without quota stays out when the refusal says that it is the account's own
 * limit for the month: ms until the first of the next month, 00:00 UTC; 0: not known. */
uint64_t outcome_quota_ms(const struct provider_error *error, wall_ms now);

#endif
