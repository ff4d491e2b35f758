/* SPDX-License-Identifier: Apache-2.0 */
/* router/outcome.h: how an attempt ended; a closed list (outcomes.def) and the classifier that
 * reads an answer into it. Pure. */
#ifndef ROUTER_OUTCOME_H
#define ROUTER_OUTCOME_H

#include <stdbool.h>

#include "wire/dialect.h"
#include "wire/refusal.h"

enum outcome {
#define OUTCOME(name, word, refusal) OUTCOME_##name,
#include "router/outcomes.def"
#undef OUTCOME
};

const char *outcome_word(enum outcome outcome);
/* The refusal told to the app, REFUSAL_NONE when the provider's own answer goes back. */
enum refusal_kind outcome_refusal(enum outcome outcome);

/* What a status means. `error` may be NULL (not read yet, or no JSON). is_own_credential: the key
 * is ours (not the app's own, passthrough): then a 401 must not look like the app's fault
 * (docs/decisions/0006). */
enum outcome outcome_of_status(unsigned status, const struct provider_error *error,
                               bool is_own_credential);

#endif
