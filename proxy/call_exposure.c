/* SPDX-License-Identifier: Apache-2.0 */
/* What a call sends again although the first may have run, or hedges, may be paid for twice: how much of
 * that its team may have, and how much it had (enforcement/exposure.h). */
#include "proxy/call_parts.h"

#include "base/money.h"
#include "enforcement/exposure.h"
#include "router/cost.h"
#include "wire/estimate.h"

static struct span team_of(const struct call *call)
{
    struct subject subject;

    call_subject(call, &subject);
    return subject.values[SCOPE_TEAM];
}

/* What an attempt like the one in view costs when nothing special happens; 0: nobody knows. */
static int64_t likely(const struct call *call)
{
    int64_t pico = cost_likely(&call->snapshot->prices, call_target(call), buf_span(&call->model),
                               call->input_guess.tokens,
                               (int64_t)estimate_output(call->request.output_cap),
                               call->facts.began_at);

    return pico > 0 ? money_nano_up(pico) : 0;
}

static bool is_asked(const struct call *call, enum event_kind kind, enum outcome outcome)
{
    const struct flight *first = &call->dispatch.flights[0];

    if (call->match.operation->kind != OPERATION_CALL || !call->facts.has_attempt) {
        return false;
    }
    return (kind == EVENT_ENDED && outcome != OUTCOME_OK) ||
           (kind == EVENT_WAKE && first->is_written && !call->dispatch.is_committed);
}

bool call_exposure_is_out(const struct call *call, enum event_kind kind, enum outcome outcome)
{
    int64_t nano = 0;

    if (!is_asked(call, kind, outcome)) {
        return false;
    }
    nano = likely(call);
    return nano > 0 && !exposures_allow(call->env->ports->exposures, team_of(call), nano,
                                        loop_now(call->env->loop));
}

void call_exposure_note(const struct call *call, const struct exposed_before *before)
{
    bool is_again = call->dispatch.ambiguous > before->ambiguous &&
                    call->dispatch.state != DISPATCH_CLOSED;
    bool is_hedge = call->dispatch.is_hedging && !before->is_hedging;

    if (is_again || is_hedge) {
        exposures_add(call->env->ports->exposures, team_of(call), likely(call),
                      loop_now(call->env->loop));
    }
}

void call_exposure_settled(const struct call *call, int64_t nano)
{
    if (nano > 0) {
        exposures_settled(call->env->ports->exposures, team_of(call), nano,
                          loop_now(call->env->loop));
    }
}
