/* SPDX-License-Identifier: Apache-2.0 */
/* router/foreign.h: a request at a target that is asked in other words than the app's: by which of its operations, with
 * which of its model's and its provider's ways. For calls and for whoever asks beforehand. Pure. */
#ifndef ROUTER_FOREIGN_H
#define ROUTER_FOREIGN_H

#include "router/plan.h"
#include "router/quote.h"
#include "wire/translate.h"

/* Whether everything may stay as the app said it. Only Responses are told otherwise to a provider of their own
 * dialect: to one that has none, unless the route's rules forbid it. */
bool foreign_is_own(const struct target *target, const struct route *rules, const struct dialect *dialect,
                    const struct operation *operation);

/* With `from`, `app_model` and `is_stream` given: model, facts, habits and `to`, which may be NULL (it has no such
 * operation) or `from` (the app's own words will do). */
void foreign_fill(struct translate_ask *ask, const struct target *target);

/* Why the targets of a plan that has none to ask do not serve this operation, as what can be done about it; NULL: none
 * of them is of another dialect. */
const char *foreign_hint(const struct plan *plan, const struct operation *operation);

/* The request as that target reads it, and what it comes to. False: its grammar, which has the last word, would not
 * take it. Both borrow from the translation. */
bool foreign_read(const struct translate_ask *ask, const struct target *target, const struct translation *translation,
                  struct request *request, struct quote_request *quoted);

#endif
