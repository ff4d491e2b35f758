/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt may cost is set aside before it is sent, and what it did cost is booked after. Which
 * budgets it counts on is worked out here, the most it can come to in call_hold_bound.c; whether there is
 * room, the ledger says, and of budgets of the scope `call` call_guards.c.
 *
 *   ACTION_HOLD -> bound -> guards, ledger --granted--> EVENT_HELD
 *                    ^            |denied
 *                    +-clamp------+--no clamp helps---> EVENT_DENIED
 */
#include "proxy/call_hold.h"

#include "base/money.h"
#include "proxy/budgets.h"
#include "proxy/call_translate.h"
#include "proxy/policy.h"

enum {
    ASKS_MAX = 3,     /* of the ledger for one attempt: others may take what was left meanwhile */
    EXTEND_PERMILLE = 900,
    ALL_PERMILLE = 1000
};

/* ---- the holds of a call ---- */

struct call_hold *call_hold_of(const struct call *call, uint8_t number)
{
    struct call_budget *budget = call->budget;

    for (size_t i = 0; budget != NULL && number != 0 && i < CALL_HOLDS; i++) {
        if (budget->holds[i].number == number) {
            return &budget->holds[i];
        }
    }
    return NULL;
}

/* One that is over gives way: of a call few are open at once. */
static struct call_hold *take_hold(struct call *call, uint8_t number)
{
    struct call_hold *oldest = NULL;

    for (size_t i = 0; i < CALL_HOLDS; i++) {
        struct call_hold *hold = &call->budget->holds[i];

        if (!hold->is_open && (oldest == NULL || hold->number < oldest->number)) {
            oldest = hold;
        }
    }
    must(oldest != NULL);
    *oldest = (struct call_hold){.number = number, .bound = {.cap = -1}};
    return oldest;
}

/* ---- telling ---- */

/* The record of the attempt has the gravest decision, the app is told of the latest. */
static void tell(struct call *call, struct call_hold *hold, enum budget_decision decision,
                 const struct budget *budget, int64_t used, wall_ms end)
{
    if (decision >= hold->decision) {
        hold->decision = (uint8_t)decision;
        hold->by = budget;
        call->budget->told =
            (struct budget_told){.budget = budget, .used = used, .window_end = end};
    }
}

/* ---- asking ---- */

static void list_budgets(struct call *call, const struct target *target)
{
    call_subject(call, &call->budget->subject);
    call_subject_target(call, target, &call->budget->subject);
    /* The newest ones, so that it depends on the moment of the hold alone what it counts on. */
    chain_make(&call->env->policy->snapshot->budgets, &call->budget->subject,
               &call->budget->chain);
}

/* Answers name links of the chain that was asked for, while the call may be at the next attempt's. */
static void keep_links(struct call *call, struct call_hold *hold)
{
    const struct chain *chain = &call->budget->chain;

    hold->budgets = call->env->policy->snapshot->budgets.list;
    hold->links_count = chain->count;
    for (uint8_t i = 0; i < chain->count; i++) {
        hold->links[i] = (uint8_t)chain->list[i].budget->index;
    }
}

static const struct budget *budget_of(const struct call_hold *hold, uint8_t link)
{
    return &hold->budgets[hold->links[link]];
}

/* Whose no it is that the ledger cannot be asked: all others let through. */
static const struct budget *closed_of(const struct call_hold *hold)
{
    for (uint8_t i = 0; i < hold->links_count; i++) {
        const struct budget *budget = budget_of(hold, i);

        if (budget->mode == BUDGET_ENFORCE && budget->on_failure != FAILURE_OPEN) {
            return budget;
        }
    }
    return NULL;
}

static void answer(struct call *call, uint8_t number, enum outcome outcome)
{
    if (outcome == OUTCOME_OK) {
        call_event_of(call, number, EVENT_HELD, OUTCOME_OK);
    } else {
        call_event_of(call, number, EVENT_DENIED, outcome);
    }
}

/* What the ledger, or a guard, left is less than the bound: asks for as much output as that pays. */
static bool clamp(struct call *call, struct call_hold *hold, const struct amounts *left)
{
    return hold->asks < ASKS_MAX && left->of[UNIT_REQUESTS] >= 1 && !call->dispatch.is_committed &&
           call_hold_fit(call, hold, left);
}

static void deny(struct call *call, struct call_hold *hold, enum outcome outcome)
{
    uint8_t number = hold->number;

    hold->is_open = false;
    hold->number = 0;
    call_budget_deny(call->budget,
                (struct budget_denial){.by = hold->decision == DECISION_DENY ? hold->by : NULL,
                                       .number = number,
                                       .place = hold->place,
                                       .outcome = (uint8_t)outcome});
    answer(call, number, outcome);
}

static void grant(struct call *call, struct call_hold *hold, const struct hold_answer *told)
{
    hold->is_granted = true;
    hold->held_at = told->held_at;
    hold->is_fail_open = told->is_fail_open;
    if (told->is_fail_open) {
        budgets_tell_unasked(call->env);
    }
    if (told->link != LINK_NONE) {
        tell(call, hold, DECISION_WARN, budget_of(hold, told->link), told->used, told->window_end);
    }
    if (hold->decision == DECISION_ALLOW) { /* whatever another target's budget said before */
        call->budget->told.budget = NULL;
    }
    call->budget->told.cap = hold->decision == DECISION_CLAMP ? hold->bound.cap : 0;
    answer(call, hold->number, OUTCOME_OK);
}

/* True: ask again, for less. */
static bool heard(struct call *call, struct call_hold *hold, const struct hold_answer *told)
{
    const struct budget *budget = NULL;

    if (told->verdict == HOLD_GRANTED) {
        grant(call, hold, told);
        return false;
    }
    hold->ticket = 0;
    if (told->verdict == HOLD_UNAVAILABLE) {
        deny(call, hold, OUTCOME_LEDGER);
        return false;
    }
    budget = budget_of(hold, told->link);
    if (budget->on_low == LOW_CLAMP && clamp(call, hold, &told->left)) {
        tell(call, hold, DECISION_CLAMP, budget, told->used, told->window_end);
        return true;
    }
    tell(call, hold, DECISION_DENY, budget, told->used, told->window_end);
    deny(call, hold, OUTCOME_BUDGET);
    return false;
}

static void ask_ledger(struct call *call, struct call_hold *hold)
{
    const struct ports *ports = call->env->ports;
    char id[CALL_RECORD_ID_ROOM];
    struct hold_request request = {
        .call_id = call->id,
        .attempt = hold->number,
        .record_id = call_record_id(call, hold->number, id),
        .team = call->budget->subject.values[SCOPE_TEAM],
        .chain = &call->budget->chain,
    };
    struct hold_answer told;

    keep_links(call, hold);
    do {
        hold->asks++;
        request.amounts = hold->amounts;
        request.now = loop_wall(call->env->loop);
        if (!ports->ledger_ops->hold(ports->ledger, &request, &hold->ticket, &told)) {
            return;
        }
    } while (heard(call, hold, &told));
}

/* Nothing to ask a ledger for: what holds is the clock here. */
static void grant_alone(struct call *call, struct call_hold *hold)
{
    struct hold_answer told = {.verdict = HOLD_GRANTED,
                               .link = LINK_NONE,
                               .held_at = loop_wall(call->env->loop)};

    grant(call, hold, &told);
}

static void ask_all(struct call *call, struct call_hold *hold)
{
    struct amounts left = {{INT64_MAX, INT64_MAX, INT64_MAX}};
    int64_t used = 0;
    const struct budget *guard = call_guards_ask(call, hold, &hold->amounts, &left, &used);

    if (guard != NULL && guard->mode == BUDGET_ENFORCE) {
        if (guard->on_low == LOW_DENY || !clamp(call, hold, &left)) {
            tell(call, hold, DECISION_DENY, guard, used, INT64_MAX);
            deny(call, hold, OUTCOME_BUDGET);
            return;
        }
        tell(call, hold, DECISION_CLAMP, guard, used, INT64_MAX);
    } else if (guard != NULL) {
        tell(call, hold, DECISION_WARN, guard, used, INT64_MAX);
    }
    if (call->budget->chain.count == 0) {
        grant_alone(call, hold);
    } else {
        ask_ledger(call, hold);
    }
}

static bool is_counted(const struct call *call)
{
    enum operation_kind kind = call->match.operation->kind;

    return call->env->policy->snapshot->budgets.count > 0 &&
           (kind == OPERATION_CALL || kind == OPERATION_PASS);
}

void call_hold_ask(struct call *call, uint8_t number, uint8_t place)
{
    const struct target *target = plan_target(&call->plan, place);
    struct call_hold *hold = NULL;
    enum outcome outcome = call_translate(call, place);

    if (outcome != OUTCOME_OK || !is_counted(call)) {
        answer(call, number, outcome);
        return;
    }
    if (call_budget_own(call) == NULL) {
        answer(call, number, OUTCOME_LOCAL);
        return;
    }
    list_budgets(call, target);
    if (call->budget->chain.count + call->budget->chain.guards_count == 0) {
        answer(call, number, OUTCOME_OK);
        return;
    }
    hold = take_hold(call, number);
    hold->is_open = true;
    hold->place = place;
    outcome = call_hold_bound(call, hold);
    if (outcome != OUTCOME_OK) {
        deny(call, hold, outcome);
        return;
    }
    ask_all(call, hold);
}

/* ---- the ears ---- */

/* Of the output that is held. */
static int64_t output_share(const struct call_hold *hold, int64_t permille)
{
    int64_t output = hold->bound.output;

    return output > INT64_MAX / 4 ? INT64_MAX
                                  : output / ALL_PERMILLE * permille +
                                        output % ALL_PERMILLE * permille / ALL_PERMILLE;
}

/* What is held is paid for, and used up: a provider that keeps to its cap ends there by itself, while what
 * is seen of its output is mostly a guess. Beyond it, by policy, the stream ends here, or goes on and what it
 * costs more is booked. */
static void no_more(struct call *call, struct call_hold *hold, const struct budget *budget,
                    int64_t used, wall_ms end)
{
    int64_t all = output_share(hold, ALL_PERMILLE + hold->doubt);

    hold->is_extending = false;
    if (hold->more_seen <= all) {
        call->seen_next = all; /* where there may be more again */
        return;
    }
    call->seen_next = INT64_MAX; /* not asked again: it is decided */
    if (budget == NULL || budget->on_overrun == OVERRUN_FINISH) {
        return;
    }
    tell(call, hold, DECISION_CUT, budget, used, end);
    call_event_of(call, hold->number, EVENT_ENDED, OUTCOME_BUDGET);
}

static void on_extended(struct call *call, struct call_hold *hold, const struct hold_answer *told)
{
    if (told->verdict != HOLD_GRANTED) {
        no_more(call, hold,
                told->link == LINK_NONE ? closed_of(hold) : budget_of(hold, told->link),
                told->used, told->window_end);
        return;
    }
    hold->is_extending = false;
    for (size_t i = 0; i < BUDGET_UNITS; i++) {
        hold->amounts.of[i] += hold->more.of[i];
    }
    hold->bound.output += hold->more_output;
    call->seen_next = output_share(hold, EXTEND_PERMILLE);
}

void call_hold_on_answer(void *to, const struct hold_answer *told)
{
    struct calls *calls = to;
    struct call *call = slots_find(&calls->slots, told->call_id);
    struct call_hold *hold = NULL;

    if (call == NULL || call->is_closed) {
        return;
    }
    hold = call_hold_of(call, told->attempt);
    if (hold == NULL || !hold->is_open) {
        return;
    }
    if (told->is_extend) {
        on_extended(call, hold, told);
    } else if (heard(call, hold, told)) {
        list_budgets(call, plan_target(&call->plan, hold->place)); /* what it borrows may have moved */
        ask_ledger(call, hold);
    }
}

/* ---- while it runs ---- */

enum charge_ambiguous call_hold_ambiguous(const struct call *call, struct bill_hold *bill)
{
    const struct call_hold *hold = call_hold_of(call, call->number);

    *bill = (struct bill_hold){.is_held = hold != NULL};
    if (hold == NULL) {
        return CHARGE_AMBIGUOUS_NONE;
    }
    bill->nano = hold->amounts.of[UNIT_MONEY];
    bill->input = hold->bound.input;
    bill->output = hold->bound.output;
    bill->pays_ambiguous = hold->ambiguous == AMBIGUOUS_CHARGE_HOLD;
    return hold->ambiguous == AMBIGUOUS_CHARGE_NONE ? CHARGE_AMBIGUOUS_NONE
                                                    : CHARGE_AMBIGUOUS_INPUT;
}

void call_hold_watch(struct call *call)
{
    struct call_hold *hold = call_hold_of(call, call->number);
    struct guess guess;

    call->seen_next = 0;
    if (hold == NULL || !hold->is_granted || hold->bound.output <= 0) {
        return;
    }
    call->budget->watched = hold;
    call->seen_next = output_share(hold, EXTEND_PERMILLE);
    guess = guesses_tokens(call->env->ports->guesses, call->guess_key, GUESS_STREAM, SEEN_BYTES);
    call->seen_ratio = (uint32_t)(guess.tokens < SEEN_BYTES ? guess.tokens : SEEN_BYTES);
    hold->doubt = (uint16_t)guess.error_permille;
}

/* The hold pays for input and output: what the whole of it is for so much output is more than
 * enough for as much again. */
static void more_for(struct call_hold *hold, int64_t seen)
{
    int64_t output = hold->bound.output / 2;

    output = output > BOUND_OUTPUT_LEAST ? output : BOUND_OUTPUT_LEAST;
    if (seen > hold->bound.output) {
        output += seen - hold->bound.output;
    }
    hold->more_output = output;
    hold->more_seen = seen;
    hold->more = (struct amounts){{0}};
    hold->more.of[UNIT_TOKENS] = output;
    hold->more.of[UNIT_MONEY] =
        money_share(hold->amounts.of[UNIT_MONEY], output, hold->bound.output);
}

void call_hold_extend(struct call *call, int64_t seen)
{
    struct call_hold *hold = call->budget->watched;
    const struct ports *ports = call->env->ports;
    struct hold_answer told = {.verdict = HOLD_GRANTED, .is_extend = true, .link = LINK_NONE};
    struct amounts left = {{INT64_MAX, INT64_MAX, INT64_MAX}};
    const struct budget *guard = NULL;

    if (hold->is_extending || hold->number != call->number) {
        return;
    }
    hold->is_extending = true;
    more_for(hold, seen);
    guard = call_guards_ask(call, NULL, &hold->more, &left, &told.used);
    if (guard != NULL && guard->mode == BUDGET_ENFORCE) {
        no_more(call, hold, guard, told.used, INT64_MAX);
    } else if (hold->ticket == 0) {
        on_extended(call, hold, &told);
    } else if (ports->ledger_ops->extend(ports->ledger, hold->ticket, &hold->more, &told)) {
        on_extended(call, hold, &told);
    }
}

/* ---- the end ---- */

static void tell_overrun(const struct call *call, const struct call_hold *hold,
                         const struct amounts *actual)
{
    for (uint8_t i = 0; i < hold->links_count; i++) {
        const struct budget *budget = budget_of(hold, i);
        int64_t held = hold->amounts.of[budget->unit];
        int64_t booked = actual->of[budget->unit];

        if (budget->mode == BUDGET_ENFORCE && booked > held) {
            budgets_tell_overrun(call->env, budget, held, booked);
        }
    }
}

void call_hold_settle(struct call *call, uint8_t number, const struct amounts *actual)
{
    const struct ports *ports = call->env->ports;
    struct call_hold *hold = call_hold_of(call, number);

    if (hold == NULL || !hold->is_open) {
        return;
    }
    hold->is_open = false;
    for (size_t i = 0; i < BUDGET_UNITS; i++) {
        call->budget->spent.of[i] += actual->of[i];
    }
    if (hold->ticket != 0) {
        tell_overrun(call, hold, actual);
        ports->ledger_ops->settle(ports->ledger, hold->ticket, actual);
        if (ports->ledger_ops->stamp != NULL) {
            ports->ledger_ops->stamp(ports->ledger, &hold->stamp);
        }
        hold->ticket = 0;
    }
}

void call_hold_end(struct call *call)
{
    static const struct amounts nothing;

    if (call->budget == NULL) {
        return;
    }
    for (size_t i = 0; i < CALL_HOLDS; i++) {
        call_hold_settle(call, call->budget->holds[i].number, &nothing);
    }
}
