/* SPDX-License-Identifier: Apache-2.0 */
/* The most that an attempt can come to, from what the call says and from the prices, and whether that can be
 * told at all. */
#include "proxy/call_hold.h"

#include "proxy/call_translate.h"
#include "proxy/policy.h"
#include "proxy/ranks.h"

static void quote_call(struct call *call)
{
    struct call_budget *budget = call->budget;
    struct chat_counter counter;
    enum count_shape shape;

    if (budget->is_quoted) {
        return;
    }
    budget->is_quoted = true;
    if (call->request.is_plain) {
        quote_read_plain(buf_span(&call->body), &call->request, &budget->quoted);
        return;
    }
    quote_read(buf_span(&call->body), &call->request, &budget->quoted);
    if (count_shape_of(call->match.operation->name, &shape)) {
        chat_counter_init(&counter, NULL, NULL, NULL);
        if (chat_count(&counter, shape, buf_span(&call->model), buf_span(&call->body),
                       &budget->media) == ERR_MEMORY) {
            budget->media.is_elsewhere = true; /* not looked at: as if nobody could tell */
        }
        chat_counter_fini(&counter);
    }
}

/* Pictures and the like are the same in any dialect: what they take was looked up in the app's own words. */
static void ask_bound(const struct call *call, uint8_t place, bool is_strict, struct bound_ask *ask)
{
    const struct target *target = plan_target(&call->plan, place);
    const struct guesses *guesses = call->env->ports->guesses;
    struct span model = target->model.len > 0 ? target->model : buf_span(&call->model);
    uint64_t key = guesses_key(guesses, target->provider->name, model);

    const struct call_translation *own = call_translation_at(call, place);

    *ask = (struct bound_ask){
        .quote = {.request = own != NULL ? &own->quoted : &call->budget->quoted,
                  .prices = &call->snapshot->prices,
                  .model = buf_span(&call->model),
                  .at = call->facts.began_at},
        .target = target,
        .counts = {.ratio = guesses_tokens(guesses, key, GUESS_INPUT,
                                           quote_bytes(call_asked_bytes(call, place), &call->budget->media)),
                   .count = call->budget->media},
        .is_strict = is_strict,
        .default_output = call->plan.rules->default_max_output,
    };
}

static struct amounts amounts_of(const struct bound *bound)
{
    struct amounts amounts;

    amounts.of[UNIT_MONEY] = bound->nano;
    amounts.of[UNIT_TOKENS] =
        bound->output > INT64_MAX - bound->input ? INT64_MAX : bound->input + bound->output;
    amounts.of[UNIT_REQUESTS] = 1;
    return amounts;
}

/* Whether any enforcing link wants a bound that holds, and not only a likely one. */
static bool wants_strict(const struct chain *chain)
{
    for (uint8_t i = 0; i < chain->count; i++) {
        const struct budget *budget = chain->list[i].budget;

        if (budget->mode == BUDGET_ENFORCE && budget->bound == BOUND_STRICT &&
            budget->unit != UNIT_REQUESTS) {
            return true;
        }
    }
    for (uint8_t i = 0; i < chain->guards_count; i++) {
        if (chain->guards[i]->mode == BUDGET_ENFORCE && chain->guards[i]->bound == BOUND_STRICT) {
            return true;
        }
    }
    return false;
}

static uint8_t dearest_ambiguous(const struct chain *chain)
{
    enum budget_ambiguous dearest = AMBIGUOUS_CHARGE_NONE;

    for (uint8_t i = 0; i < chain->count; i++) {
        enum budget_ambiguous own = chain->list[i].budget->ambiguous;
        dearest = own > dearest ? own : dearest;
    }
    for (uint8_t i = 0; i < chain->guards_count; i++) {
        enum budget_ambiguous own = chain->guards[i]->ambiguous;
        dearest = own > dearest ? own : dearest;
    }
    return (uint8_t)dearest;
}

static bool counts_usage(const struct chain *chain)
{
    bool does = chain->enforces_money;

    for (uint8_t i = 0; i < chain->count; i++) {
        const struct budget *budget = chain->list[i].budget;

        does = does || (budget->mode == BUDGET_ENFORCE && budget->unit == UNIT_TOKENS);
    }
    for (uint8_t i = 0; i < chain->guards_count; i++) {
        does = does || chain->guards[i]->mode == BUDGET_ENFORCE;
    }
    return does;
}

/* Why the request cannot be let through at all here; OUTCOME_OK: it can. */
static enum outcome judge_bound(const struct call *call, const struct call_hold *hold,
                                bool is_strict)
{
    const struct chain *chain = &call->budget->chain;

    if (chain->has_overflowed) {
        return OUTCOME_LEDGER;
    }
    if (!counts_usage(chain)) {
        return OUTCOME_OK;
    }
    if (call->match.operation->kind == OPERATION_PASS) {
        return OUTCOME_UNMETERED;
    }
    if (!hold->bound.is_priced && chain->enforces_money &&
        call->snapshot->unpriced == UNPRICED_REFUSE) {
        return OUTCOME_UNPRICED;
    }
    return is_strict && hold->bound.open != QUOTE_BOUNDED ? OUTCOME_UNBOUNDED : OUTCOME_OK;
}

enum outcome call_hold_bound(struct call *call, struct call_hold *hold)
{
    const struct chain *chain = &call->budget->chain;
    struct bound_ask ask;

    hold->is_strict = wants_strict(chain);
    hold->ambiguous = dearest_ambiguous(chain);
    if (call->match.operation->kind == OPERATION_CALL) {
        quote_call(call);
        ask_bound(call, hold->place, hold->is_strict, &ask);
        bound_make(&ask, &hold->bound);
    }
    hold->amounts = amounts_of(&hold->bound);
    call->budget->open = hold->bound.open;
    return judge_bound(call, hold, hold->is_strict);
}

bool call_hold_fit(struct call *call, struct call_hold *hold, const struct amounts *left)
{
    struct bound_ask ask;

    ask_bound(call, hold->place, hold->is_strict, &ask);
    if (!bound_fit(&ask, &hold->bound, left->of[UNIT_MONEY], left->of[UNIT_TOKENS])) {
        return false;
    }
    hold->amounts = amounts_of(&hold->bound);
    return true;
}
