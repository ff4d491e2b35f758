/* SPDX-License-Identifier: Apache-2.0 */
/* wire/fit.h: between reading a request into the hub and writing it for a target: what the target's dialect
 * (features.def), its model (models.h) or its provider (habits.h) does not take is changed, left out and named,
 * or refused. Afterwards the writer has no decisions to make: it writes what stands in the hub, in its own words.
 * So after the fit: params hold only what the target has a word for; `cap` is there where the target needs one;
 * of effort, thinking_budget (>= 0) and is_thinking_adaptive each one that stands is to be written, none is a
 * contradiction to another; media and parts are such as the target takes; every CALL has its RESULT in the next turn
 * and the ids are such as the target takes; the first turn is one the target begins with. Pure. */
#ifndef WIRE_FIT_H
#define WIRE_FIT_H

#include "wire/chat.h"

struct fit_terms {
    const struct operation *from; /* whose spelling names what is dropped */
    int64_t default_cap;          /* written where the target needs a cap and the app named none; 0: the model's */
};

/* chat->target says for whom. */
void fit_chat(struct chat *chat, const struct fit_terms *terms);

#endif
