/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt may cost is set aside before it is sent, and what it did cost is booked after. Which
 * budgets it counts on, and the most it can come to, are worked out here from what the call says and
 * from the prices; whether there is room, the ledger says. Budgets of the scope `call` are the call's
 * own sums.
 *
 *   ACTION_HOLD -> bound -> guards, ledger --granted--> EVENT_HELD
 *                    ^            |denied
 *                    +-clamp------+--no clamp helps---> EVENT_DENIED
 */
#include "proxy/call_hold.h"

#include "base/mem.h"
#include "base/money.h"
#include "base/text.h"
#include "proxy/budgets.h"
#include "proxy/policy.h"
#include "proxy/ranks.h"

_Static_assert(GUARDS_MAX <= 8, "each has a bit of shadows");

enum {
    ASKS_MAX = 3,     /* of the ledger for one attempt: others may take what was left meanwhile */
    SPARES_MAX = 128,
    EXTEND_PERMILLE = 900,
    ALL_PERMILLE = 1000
};

static struct call_budget *take_budget(struct calls *calls, struct policy *policy)
{
    struct call_budget *budget = calls->budgets_spare;

    if (budget != NULL) {
        calls->budgets_spare = budget->next;
        calls->budgets_spare_count--;
    } else {
        budget = mem_take(sizeof *budget);
    }
    if (budget != NULL) {
        calls->budgets_out++;
        budget->policy = policy_take(policy);
        budget->next = NULL;
        budget->is_quoted = false;
        budget->media = (struct chat_count){.tokens = 0};
        budget->chain.count = 0;
        budget->chain.guards_count = 0;
        memset(budget->holds, 0, sizeof budget->holds);
        budget->spent = (struct amounts){{0}};
        budget->told = (struct budget_told){.budget = NULL};
        budget->watched = NULL;
        budget->denials_count = 0;
        budget->shadows = 0;
    }
    return budget;
}

void call_budgets_free(struct calls *calls)
{
    struct call_budget *next = NULL;

    for (struct call_budget *at = calls->budgets_spare; at != NULL; at = next) {
        next = at->next;
        mem_give(at, sizeof *at);
    }
    calls->budgets_spare = NULL;
}

const char *budget_decision_word(enum budget_decision decision)
{
    static const char *const words[] = {"allow", "warn", "clamp", "cut", "deny"};

    return words[decision];
}

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

/* ---- the bound ---- */

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

static void ask_bound(const struct call *call, const struct target *target, bool is_strict,
                      struct bound_ask *ask)
{
    const struct guesses *guesses = call->env->ports->guesses;
    struct span model = target->model.len > 0 ? target->model : buf_span(&call->model);
    uint64_t key = guesses_key(guesses, target->provider->name, model);

    *ask = (struct bound_ask){
        .quote = {.request = &call->budget->quoted,
                  .prices = &call->snapshot->prices,
                  .model = buf_span(&call->model),
                  .at = call->facts.began_at},
        .target = target,
        .counts = {.ratio = guesses_tokens(guesses, key, GUESS_INPUT,
                                           quote_bytes(call->facts.bytes_in, &call->budget->media)),
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

/* ---- guards: budgets of the scope `call` ---- */

/* What of this unit the call has spent and set aside for other attempts. */
static int64_t used_by_call(const struct call_budget *budget, const struct call_hold *but,
                            enum budget_unit unit)
{
    int64_t used = budget->spent.of[unit];

    for (size_t i = 0; i < CALL_HOLDS; i++) {
        const struct call_hold *hold = &budget->holds[i];

        if (hold != but && hold->is_open && hold->is_granted) {
            used += hold->amounts.of[unit];
        }
    }
    return used;
}

/* Once per call and guard. */
static void tell_shadow(const struct call *call, uint8_t guard, int64_t asked)
{
    uint8_t bit = (uint8_t)(1u << guard);

    if ((call->budget->shadows & bit) == 0) {
        call->budget->shadows |= bit;
        budgets_tell_shadow(call->env, call->budget->chain.guards[guard],
                            span_make(call->call_id, CALL_ID_LENGTH), asked);
    }
}

/* The guard that has not so much left, or NULL; `left` is lowered to what they all leave. */
static const struct budget *ask_guards(const struct call *call, const struct call_hold *hold,
                                       const struct amounts *more, struct amounts *left,
                                       int64_t *used)
{
    const struct chain *chain = &call->budget->chain;
    const struct budget *denying = NULL;

    for (uint8_t i = 0; i < chain->guards_count; i++) {
        const struct budget *budget = chain->guards[i];
        int64_t spent = used_by_call(call->budget, hold, budget->unit);
        int64_t rest = spent < budget->limit ? budget->limit - spent : 0;

        if (budget->mode == BUDGET_ENFORCE && rest < left->of[budget->unit]) {
            left->of[budget->unit] = rest;
        }
        if (more->of[budget->unit] <= rest) {
            continue;
        }
        if (budget->mode == BUDGET_SHADOW) {
            tell_shadow(call, i, spent + more->of[budget->unit]);
        } else if (denying == NULL || denying->mode > budget->mode) { /* one that enforces goes first */
            *used = spent;
            denying = budget;
        }
    }
    return denying;
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

void budget_put_amount(struct buf *out, enum budget_unit unit, int64_t amount)
{
    if (unit == UNIT_MONEY) {
        money_put_nano(out, amount);
        buf_put(out, SPAN_OF(" USD"));
    } else {
        buf_put_u64(out, (uint64_t)amount);
        buf_put_char(out, ' ');
        buf_put_text(out, budget_unit_word(unit));
    }
}

static void put_end(struct buf *out, wall_ms end)
{
    if (end == INT64_MAX) {
        buf_put(out, SPAN_OF("never"));
    } else {
        text_put_rfc3339(out, end);
    }
}

void call_budget_put_fields(struct buf *out, const struct call *call)
{
    const struct budget_told *told = &call->budget->told;

    if (told->budget != NULL) {
        buf_put(out, SPAN_OF("x-headgate-budget: "));
        buf_put(out, told->budget->name);
        buf_put_char(out, ';');
        if (!scope_is_shared(told->budget->scope.kind)) { /* what others spent is not for the app */
            budget_put_amount(out, told->budget->unit, told->used);
        }
        buf_put_char(out, ';');
        put_end(out, told->window_end);
        buf_put(out, SPAN_OF("\r\n"));
    }
    if (told->cap > 0) {
        buf_put(out, SPAN_OF("x-headgate-max-output-clamped: "));
        buf_put_u64(out, (uint64_t)told->cap);
        buf_put(out, SPAN_OF("\r\n"));
    }
}

void call_budget_refusal(struct call *call, struct refusal *refusal)
{
    struct buf *out = &call->wire_head;
    const struct budget_told *told = call->budget == NULL ? NULL : &call->budget->told;

    if (told == NULL) {
        return;
    }
    if (refusal->kind == REFUSAL_UNBOUNDED_COST) {
        refusal->hint = call->budget->open == QUOTE_OPEN_OUTPUT
                            ? "send an output cap such as max_tokens, or have the operator set "
                              "the route's default_max_output"
                            : quote_open_text(call->budget->open);
    }
    if (refusal->kind != REFUSAL_BUDGET_EXCEEDED || told->budget == NULL) {
        return;
    }
    buf_clear(out);
    buf_put(out, told->budget->name);
    if (told->window_end != INT64_MAX) {
        buf_put(out, SPAN_OF(", until "));
        put_end(out, told->window_end);
    }
    refusal->detail = buf_span(out);
    if (call->env->policy->snapshot->budget_status == 429) {
        refusal->kind = REFUSAL_BUDGET_EXCEEDED_429;
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
    struct bound_ask ask;

    if (hold->asks >= ASKS_MAX || left->of[UNIT_REQUESTS] < 1 || call->dispatch.is_committed) {
        return false;
    }
    ask_bound(call, plan_target(&call->plan, hold->place), hold->is_strict, &ask);
    if (!bound_fit(&ask, &hold->bound, left->of[UNIT_MONEY], left->of[UNIT_TOKENS])) {
        return false;
    }
    hold->amounts = amounts_of(&hold->bound);
    return true;
}

static void deny(struct call *call, struct call_hold *hold, enum outcome outcome)
{
    struct call_budget *budget = call->budget;
    uint8_t number = hold->number;

    hold->is_open = false;
    hold->number = 0;
    if (budget->denials_count < DENIALS_MAX) {
        budget->denials[budget->denials_count++] =
            (struct budget_denial){.by = hold->decision == DECISION_DENY ? hold->by : NULL,
                                   .number = number,
                                   .place = hold->place,
                                   .outcome = (uint8_t)outcome};
    }
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
    const struct budget *guard = ask_guards(call, hold, &hold->amounts, &left, &used);

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
    struct bound_ask ask;
    enum outcome outcome = OUTCOME_OK;

    if (!is_counted(call)) {
        answer(call, number, OUTCOME_OK);
        return;
    }
    if (call->budget == NULL) {
        call->budget = take_budget(call->env->calls, call->env->policy);
    }
    if (call->budget == NULL) {
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
    hold->is_strict = wants_strict(&call->budget->chain);
    hold->ambiguous = dearest_ambiguous(&call->budget->chain);
    if (call->match.operation->kind == OPERATION_CALL) {
        quote_call(call);
        ask_bound(call, target, hold->is_strict, &ask);
        bound_make(&ask, &hold->bound);
    }
    hold->amounts = amounts_of(&hold->bound);
    outcome = judge_bound(call, hold, hold->is_strict);
    call->budget->open = hold->bound.open;
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
    guard = ask_guards(call, NULL, &hold->more, &left, &told.used);
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

void call_budget_give(struct call *call)
{
    struct calls *calls = call->env->calls;

    if (call->budget == NULL) {
        return;
    }
    policy_give(call->budget->policy);
    calls->budgets_out--;
    if (calls->budgets_spare_count < SPARES_MAX) {
        call->budget->next = calls->budgets_spare;
        calls->budgets_spare = call->budget;
        calls->budgets_spare_count++;
    } else {
        mem_give(call->budget, sizeof *call->budget);
    }
    call->budget = NULL;
}
