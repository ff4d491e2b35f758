/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the chain finds out whether every enforcing budget has room, a second one writes. Nothing
 * else runs between the two, so the chain is held whole or not at all. A hold remembers its tallies:
 * settling it asks no table. */
#include "enforcement/ledger_memory.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/slots.h"
#include "enforcement/counters.h"

enum { SHORT_LINKS = 8, SPARE_MAX = 256, WARNED_LIMIT = 1 << 7 };
_Static_assert(BUDGET_WARNINGS_MAX <= 8, "the last bit is the limit's");

struct held {
    struct counter *counter;
    struct tally *tally;
    const struct budget *budget; /* of the call's settings, which outlive the hold */
};

struct hold {
    struct hold *next;  /* spare ones */
    uint64_t call_id;
    uint8_t attempt;
    uint8_t count;
    uint8_t room;
    struct amounts amounts;
    wall_ms held_at;
    struct held list[];
};

struct first_seen {
    char name[BUDGET_NAME_MAX];
    size_t len;
    wall_ms at;
};

struct ledger {
    struct ledger_ears ears;
    struct counters counters;
    struct slots holds;
    struct hold *spare;
    uint32_t spare_count;
    struct first_seen seen[BUDGETS_MAX * 2];
    size_t seen_count;
};

struct ledger *ledger_memory_new(const struct ledger_ears *ears, const uint64_t seed[2])
{
    struct ledger *ledger = mem_take_zero(sizeof *ledger);

    if (ledger != NULL) {
        ledger->ears = *ears;
        counters_init(&ledger->counters, seed);
        slots_init(&ledger->holds, LIMIT_HOLDS);
    }
    return ledger;
}

static size_t hold_size(uint8_t room)
{
    return sizeof(struct hold) + room * sizeof(struct held);
}

void ledger_memory_free(struct ledger *ledger)
{
    struct hold *next = NULL;

    if (ledger == NULL) {
        return;
    }
    for (struct hold *at = ledger->spare; at != NULL; at = next) {
        next = at->next;
        mem_give(at, hold_size(at->room));
    }
    slots_fini(&ledger->holds);
    counters_fini(&ledger->counters);
    mem_give(ledger, sizeof *ledger);
}

uint64_t ledger_memory_open(const struct ledger *ledger)
{
    return ledger->holds.count;
}

/* ---- holds in memory ---- */

static struct hold *take_hold(struct ledger *ledger, uint8_t count)
{
    uint8_t room = count > SHORT_LINKS ? CHAIN_MAX : SHORT_LINKS;
    struct hold *hold = NULL;

    if (room == SHORT_LINKS && ledger->spare != NULL) {
        hold = ledger->spare;
        ledger->spare = hold->next;
        ledger->spare_count--;
    } else {
        hold = mem_take(hold_size(room));
    }
    if (hold != NULL) {
        hold->room = room;
        hold->count = 0;
    }
    return hold;
}

static void give_hold(struct ledger *ledger, struct hold *hold)
{
    if (hold->room == SHORT_LINKS && ledger->spare_count < SPARE_MAX) {
        hold->next = ledger->spare;
        ledger->spare = hold;
        ledger->spare_count++;
        return;
    }
    mem_give(hold, hold_size(hold->room));
}

/* ---- warm-up ---- */

static wall_ms *first_seen(struct ledger *ledger, struct span name, wall_ms now)
{
    struct first_seen *seen = NULL;

    for (size_t i = 0; i < ledger->seen_count; i++) {
        seen = &ledger->seen[i];
        if (span_equal(span_make(seen->name, seen->len), name)) {
            return &seen->at;
        }
    }
    if (ledger->seen_count == ARRAY_LENGTH(ledger->seen)) {
        return NULL;
    }
    seen = &ledger->seen[ledger->seen_count++];
    memcpy(seen->name, name.at, name.len);
    seen->len = name.len;
    seen->at = now;
    return &seen->at;
}

void ledger_memory_first_seen(struct ledger *ledger, struct span budget, wall_ms at)
{
    wall_ms *seen = first_seen(ledger, budget, at);

    if (seen != NULL) {
        *seen = at;
    }
}

static bool enforces(struct ledger *ledger, const struct budget *budget, wall_ms now)
{
    const wall_ms *since = NULL;

    if (budget->mode != BUDGET_ENFORCE || budget->warm_up_ms == 0) {
        return budget->mode == BUDGET_ENFORCE;
    }
    since = first_seen(ledger, budget->name, now);
    return since == NULL || now - *since >= (int64_t)budget->warm_up_ms;
}

/* ---- hold ---- */

static int64_t add_up(int64_t a, int64_t b)
{
    return b > INT64_MAX - a ? INT64_MAX : a + b;
}

/* What a granted hold tells of: being beyond a limit that does not enforce before any threshold, and
 * of several the highest. */
static void consider(struct hold_answer *answer, uint8_t link, const struct budget *budget,
                     const struct tally *sum, bool is_over)
{
    uint8_t percent = is_over ? 100 : budget_threshold(budget, sum->settled);

    if (budget->mode == BUDGET_SHADOW || percent == 0 ||
        (answer->link != LINK_NONE &&
         (answer->is_over > is_over || (answer->is_over == is_over && answer->percent >= percent)))) {
        return;
    }
    answer->link = link;
    answer->is_over = is_over;
    answer->percent = percent;
    answer->used = sum->settled + sum->held;
    answer->window_end = sum->window.end;
}

static void deny(struct hold_answer *answer, uint8_t link, const struct tally *sum)
{
    if (answer->verdict == HOLD_DENIED) {
        return;
    }
    answer->verdict = HOLD_DENIED;
    answer->link = link;
    answer->is_over = false;
    answer->percent = 0;
    answer->used = sum->settled + sum->held;
    answer->window_end = sum->window.end;
}

/* One link: whether there is room for so much more. */
static void judge(struct ledger *ledger, const struct budget *budget, uint8_t link,
                  const struct counter *counter, int64_t amount, wall_ms now,
                  struct hold_answer *answer)
{
    struct tally sum;
    int64_t used = 0;
    int64_t left = 0;
    bool is_over = false;

    counter_sum(counter, now, &sum);
    used = add_up(sum.settled, sum.held);
    left = used < budget->limit ? budget->limit - used : 0;
    is_over = amount > left;
    if (!enforces(ledger, budget, now)) {
        if (answer->verdict != HOLD_DENIED) {
            consider(answer, link, budget, &sum, is_over);
        }
        return;
    }
    if (left < answer->left.of[budget->unit]) {
        answer->left.of[budget->unit] = left;
    }
    if (is_over) {
        deny(answer, link, &sum);
    } else if (answer->verdict != HOLD_DENIED) {
        consider(answer, link, budget, &sum, false);
    }
}

static void begin_answer(struct hold_answer *answer, uint64_t call_id, uint8_t attempt,
                         wall_ms now)
{
    *answer = (struct hold_answer){.call_id = call_id,
                                   .attempt = attempt,
                                   .verdict = HOLD_GRANTED,
                                   .link = LINK_NONE,
                                   .window_end = INT64_MAX,
                                   .held_at = now};
    for (size_t i = 0; i < BUDGET_UNITS; i++) {
        answer->left.of[i] = INT64_MAX;
    }
}

static bool look_up(struct ledger *ledger, const struct hold_request *request, struct hold *hold,
                    struct hold_answer *answer)
{
    const struct chain *chain = request->chain;

    for (uint8_t i = 0; i < chain->count; i++) {
        const struct chain_link *link = &chain->list[i];
        struct counter *counter =
            counters_take(&ledger->counters, link->budget, link->value, hold->held_at);

        if (counter == NULL) {
            return false;
        }
        /* Nobody sweeps it away while the rest of the chain is looked up. */
        counter->newest->holds++;
        hold->list[i] = (struct held){counter, counter->newest, link->budget};
        hold->count++;
        judge(ledger, link->budget, i, counter, hold->amounts.of[link->budget->unit],
              hold->held_at, answer);
    }
    return true;
}

static void let_go(struct hold *hold)
{
    for (uint8_t i = 0; i < hold->count; i++) {
        counter_release(hold->list[i].counter, hold->list[i].tally);
    }
}

static bool unavailable(struct hold_answer *answer)
{
    answer->verdict = HOLD_UNAVAILABLE;
    return true;
}

static bool hold(struct ledger *ledger, const struct hold_request *request, uint64_t *ticket,
                 struct hold_answer *answer)
{
    wall_ms now = counters_now(&ledger->counters, request->now);
    struct hold *hold = NULL;

    must(request->chain->count > 0);
    *ticket = 0;
    begin_answer(answer, request->call_id, request->attempt, now);
    hold = request->chain->has_overflowed ? NULL : take_hold(ledger, request->chain->count);
    if (hold == NULL) {
        return unavailable(answer);
    }
    hold->call_id = request->call_id;
    hold->attempt = request->attempt;
    hold->amounts = request->amounts;
    hold->held_at = now;
    if (!look_up(ledger, request, hold, answer)) {
        answer->verdict = HOLD_UNAVAILABLE;
    } else if (answer->verdict == HOLD_GRANTED &&
               slots_add(&ledger->holds, hold, ticket) != ERR_NONE) {
        answer->verdict = HOLD_UNAVAILABLE;
    }
    if (answer->verdict != HOLD_GRANTED) {
        let_go(hold);
        give_hold(ledger, hold);
        return true;
    }
    for (uint8_t i = 0; i < hold->count; i++) {
        hold->list[i].tally->held += hold->amounts.of[hold->list[i].budget->unit];
    }
    return true;
}

static bool is_used_up(struct ledger *ledger, struct span team, const struct chain *chain, wall_ms now,
                       struct hold_answer *answer)
{
    (void)team;
    now = counters_now(&ledger->counters, now);
    begin_answer(answer, 0, 0, now);
    for (uint8_t i = 0; i < chain->count; i++) {
        const struct budget *budget = chain->list[i].budget;
        const struct counter *counter = NULL;
        struct tally sum;

        if (budget->unit == UNIT_MONEY || !enforces(ledger, budget, now)) {
            continue;
        }
        counter = counters_take(&ledger->counters, budget, chain->list[i].value, now);
        if (counter != NULL) {
            counter_sum(counter, now, &sum);
            if (sum.settled >= budget->limit) {
                deny(answer, i, &sum);
                return true;
            }
        }
    }
    return false;
}

static bool extend(struct ledger *ledger, uint64_t ticket, const struct amounts *more,
                   struct hold_answer *answer)
{
    struct hold *hold = slots_find(&ledger->holds, ticket);
    wall_ms now = ledger->counters.latest;

    must(hold != NULL);
    begin_answer(answer, hold->call_id, hold->attempt, hold->held_at);
    answer->is_extend = true;
    for (uint8_t i = 0; i < hold->count; i++) {
        struct held *held = &hold->list[i];

        /* In a window that is over, or of an earlier generation, the hold takes from nobody. */
        if (held->tally == held->counter->newest || held->counter->rule.kind == WINDOW_ROLLING) {
            judge(ledger, held->budget, i, held->counter, more->of[held->budget->unit], now,
                  answer);
        }
    }
    if (answer->verdict != HOLD_GRANTED) {
        return true;
    }
    for (uint8_t i = 0; i < hold->count; i++) {
        hold->list[i].tally->held += more->of[hold->list[i].budget->unit];
    }
    for (size_t i = 0; i < BUDGET_UNITS; i++) {
        hold->amounts.of[i] += more->of[i];
    }
    return true;
}

/* ---- settle ---- */

static void tell(struct ledger *ledger, const struct held *held, uint8_t percent, int64_t settled)
{
    struct ledger_warning warning = {
        .budget = held->counter->budget,
        .value = held->counter->value,
        .unit = held->budget->unit,
        .mode = held->budget->mode,
        .percent = percent,
        .settled = settled,
        .limit = held->budget->limit,
        .window_end = held->tally->window.end,
    };

    ledger->ears.on_warning(ledger->ears.to, &warning);
}

/* The bits of all that this sum has passed. */
static uint8_t all_passed(const struct budget *budget, int64_t settled)
{
    uint8_t percent = budget_threshold(budget, settled);
    uint8_t passed = settled >= budget->limit ? WARNED_LIMIT : 0;

    for (uint8_t i = 0; i < budget->warn_count; i++) {
        if (percent >= budget->warn_at[i]) {
            passed |= (uint8_t)(1U << i);
        }
    }
    return passed;
}

/* Each threshold once in a window; of several passed at once the highest. */
static void warn(struct ledger *ledger, const struct held *held, wall_ms now)
{
    const struct budget *budget = held->budget;
    struct tally sum;
    uint8_t percent = 0;
    uint8_t passed = 0;

    if (ledger->ears.on_warning == NULL || held->tally != held->counter->newest) {
        return;
    }
    counter_sum(held->counter, now, &sum);
    passed = all_passed(budget, sum.settled);
    percent = passed & WARNED_LIMIT ? 100 : budget_threshold(budget, sum.settled);
    if ((passed & ~held->tally->warned) != 0) {
        held->tally->warned |= passed;
        tell(ledger, held, percent, sum.settled);
    }
}

static void settle(struct ledger *ledger, uint64_t ticket, const struct amounts *actual)
{
    struct hold *hold = slots_remove(&ledger->holds, ticket);

    must(hold != NULL);
    for (uint8_t i = 0; i < hold->count; i++) {
        struct held *held = &hold->list[i];
        int64_t used = actual->of[held->budget->unit];
        int64_t kept = hold->amounts.of[held->budget->unit];

        must(used >= 0);
        held->tally->held -= kept;
        held->tally->settled = add_up(held->tally->settled, used);
        if (used > kept) {
            held->tally->overrun = add_up(held->tally->overrun, used - kept);
        }
        if (used > 0) {
            warn(ledger, held, ledger->counters.latest);
        }
        counter_release(held->counter, held->tally);
    }
    give_hold(ledger, hold);
}

/* ---- report and orders ---- */

static int64_t limit_of(const struct budgets *budgets, struct span name)
{
    for (size_t i = 0; i < budgets->count; i++) {
        if (span_equal(budgets->list[i].name, name)) {
            return budgets->list[i].limit;
        }
    }
    return -1;
}

static void put_row(struct ledger_report *report, struct counter *counter, wall_ms now)
{
    struct tally sum;
    struct ledger_row row;

    counter_sum(counter, now, &sum);
    row = (struct ledger_row){
        .budget = counter->budget,
        .value = counter->value,
        .scope = counter->scope,
        .unit = counter->unit,
        .window = sum.window,
        .generation = counter->generation,
        .settled = sum.settled,
        .held = sum.held,
        .overrun = sum.overrun,
        .limit = limit_of(report->budgets, counter->budget),
    };
    report->row(report, &row);
}

/* Whether its sums are those of the budget's window: nothing may have been counted in it as yet. */
static bool is_of_now(const struct counter *counter, const struct budget *budget, wall_ms now)
{
    struct window window;

    window_at(&budget->window, now, &window);
    return counter->rule.kind == WINDOW_ROLLING ? !counter_is_dead(counter, now)
                                                : counter->newest->window.end == window.end;
}

static void report_subject(struct ledger *ledger, struct ledger_report *report, wall_ms now)
{
    struct chain chain;

    chain_make(report->budgets, report->subject, &chain);
    for (uint8_t i = 0; i < chain.count; i++) {
        /* Asking makes none: whoever may ask could fill the table with them. */
        struct counter *counter = counters_find(&ledger->counters, chain.list[i].budget->name,
                                                chain.list[i].value);

        if (counter != NULL && is_of_now(counter, chain.list[i].budget, now)) {
            put_row(report, counter, now);
        }
    }
}

static void report(struct ledger *ledger, struct ledger_report *report)
{
    wall_ms now = counters_now(&ledger->counters, report->now);

    if (report->subject != NULL) {
        report_subject(ledger, report, now);
    } else {
        for (struct link *at = ledger->counters.all.next; at != &ledger->counters.all;
             at = at->next) {
            struct counter *counter = LIST_OWNER(at, struct counter, link);

            if (!counter_is_dead(counter, now)) {
                put_row(report, counter, now);
            }
        }
    }
    report->done(report, true);
}

/* By the time of their holds records tell on which side they are. */
wall_ms ledger_memory_turn(struct ledger *ledger, wall_ms now)
{
    return counters_now(&ledger->counters, counters_now(&ledger->counters, now) + 1);
}

static const char *reset(struct ledger *ledger, struct ledger_order *order)
{
    wall_ms at = ledger_memory_turn(ledger, order->now);

    for (struct link *link = ledger->counters.all.next; link != &ledger->counters.all;
         link = link->next) {
        struct counter *counter = LIST_OWNER(link, struct counter, link);

        if (span_equal(counter->budget, order->budget) &&
            (!order->has_value || span_equal(counter->value, order->value))) {
            if (!counter_reset(counter, at)) {
                return "there is no memory";
            }
            order->touched++;
        }
    }
    order->now = at;
    return NULL;
}

static void obey(struct ledger *ledger, struct ledger_order *order)
{
    const char *why = "this ledger is in memory: nothing is presumed of any process";

    order->touched = 0;
    if (order->kind == ORDER_RESET) {
        why = reset(ledger, order);
    }
    order->done(order, why == NULL, why);
}

bool ledger_memory_load(struct ledger *ledger, const struct ledger_sum *sum, wall_ms now)
{
    wall_ms at = counters_now(&ledger->counters, now > sum->window.begin ? now : sum->window.begin);
    struct counter *counter = counters_take(&ledger->counters, sum->budget, sum->value, at);
    struct tally *tally = counter == NULL ? NULL : counter_tally(counter, &sum->window);

    if (tally == NULL) {
        return false;
    }
    tally->settled = add_up(tally->settled, sum->settled);
    tally->overrun = add_up(tally->overrun, sum->overrun);
    if (tally == counter->newest) { /* what an earlier process told of is not told again */
        struct tally all;

        counter_sum(counter, at, &all);
        tally->warned = all_passed(sum->budget, all.settled);
    }
    if (sum->reset_at > counter->reset_at) {
        counter->reset_at = sum->reset_at;
    }
    return true;
}

int64_t *ledger_memory_sum(struct ledger *ledger, struct span budget, struct span value,
                           wall_ms begin)
{
    struct counter *counter = counters_find(&ledger->counters, budget, value);
    struct tally *tally = counter == NULL ? NULL : counter->newest;

    while (tally != NULL &&
           (tally->window.begin != begin || tally->generation != counter->generation)) {
        tally = tally->older;
    }
    return tally == NULL ? NULL : &tally->settled;
}

const struct ledger_ops ledger_memory_ops = {
    .hold = hold, .extend = extend, .is_used_up = is_used_up, .settle = settle, .report = report, .order = obey};
