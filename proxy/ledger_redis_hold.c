/* SPDX-License-Identifier: Apache-2.0 */
/* Holds. A chain has up to two legs: its counters that cross teams, and the team's. Each leg is taken
 * from loans, or asked for with one script; the one that crosses teams first. A no to the second gives
 * the first one back. A hold that was asked for and not answered is asked for again under its name, which
 * gives the same answer; if nobody waits any more, the operation that settles it follows on the same
 * connection, or on a later one, from whose begin on the server refuses what the earlier one still had
 * on its way. So nothing stays held. */
#include <string.h>

#include "base/mem.h"
#include "proxy/ledger_redis_parts.h"

struct hold *leg_owner(struct leg *leg)
{
    return LIST_OWNER(leg - leg->at, struct hold, legs);
}

static size_t size_of(uint8_t count)
{
    return sizeof(struct hold) + count * sizeof(struct hold_link);
}

/* ---- legs ---- */

void leg_end(struct leg *leg)
{
    list_remove(&leg->link);
    if (leg->root != NULL && leg->state != LEG_NONE) {
        leg->root->open--;
        leg->root->held_count -= leg->state == LEG_HELD;
    }
    leg->state = LEG_NONE;
}

/* What one link of the leg has used, told. */
static void settle_link(struct hold *hold, struct leg *leg, struct hold_link *link,
                        const struct amounts *actual)
{
    int64_t used = actual->of[link->budget->unit];
    int64_t held = hold->amounts.of[link->budget->unit];
    int64_t shrink = 0;
    struct lease *lease = &link->win->lease;

    must(used >= 0);
    if (leg->state == LEG_LOCAL && link->is_leased) {
        shrink = lease_settle(lease, held, used);
        /* Nobody takes from a loan on a window that is over, or that is called back. */
        if (!win_is_newest(link->win) || lease->is_tight) {
            shrink += lease_give_back(lease);
        }
    }
    op_add(leg->op, link->win, used, shrink,
           leg->state != LEG_OPEN && leg->state != LEG_WANTED && used > held ? used - held : 0);
}

/* Its number in the book. */
static uint64_t leg_settle(struct hold *hold, struct leg *leg, const struct amounts *actual)
{
    struct op *op = leg->op;
    struct root *root = leg->root;

    if (leg->state == LEG_NONE) {
        return 0;
    }
    if (leg->state == LEG_SENT || leg->state == LEG_HELD) {
        memcpy(op->id, hold->id, hold->id_len);
        op->id_len = hold->id_len;
    }
    for (uint8_t i = 0; i < hold->count; i++) {
        if (hold->list[i].leg == leg->at) {
            settle_link(hold, leg, &hold->list[i], actual);
        }
    }
    leg->op = NULL;
    leg_end(leg);
    return root_push(root, op);
}

static void settle_all(struct hold *hold, const struct amounts *actual)
{
    struct ledger *ledger = hold->ledger;

    ledger->numbers.cross = leg_settle(hold, &hold->legs[LEG_CROSS], actual);
    ledger->numbers.team = leg_settle(hold, &hold->legs[LEG_TEAM], actual);
}

static void cancel(struct hold *hold)
{
    static const struct amounts nothing;

    settle_all(hold, &nothing);
}

static void give(struct hold *hold)
{
    list_remove(&hold->wait);
    list_remove(&hold->pending);
    list_remove(&hold->telling);
    list_remove(&hold->all);
    for (size_t i = 0; i < LEGS; i++) {
        leg_end(&hold->legs[i]);
        op_free(NULL, hold->legs[i].op);
    }
    for (uint8_t i = 0; i < hold->count; i++) {
        if (hold->list[i].win != NULL) {
            win_let_go(hold->list[i].win);
        }
    }
    mem_give(hold, size_of(hold->count));
}

/* ---- ends ---- */

/* Its answer is known: told now, or soon. */
static void conclude(struct hold *hold)
{
    struct ledger *ledger = hold->ledger;

    list_remove(&hold->wait);
    list_remove(&hold->pending);
    if (hold->answer.verdict == HOLD_GRANTED) {
        if (hold->phase == HOLD_EXTENDING) {
            for (size_t i = 0; i < BUDGET_UNITS; i++) {
                hold->amounts.of[i] += hold->more.of[i];
            }
        }
    } else if (hold->phase == HOLD_ASKING) {
        cancel(hold);
    } else {
        hold_undo_extension(hold);
    }
    ledger->counts.denied += hold->answer.verdict == HOLD_DENIED;
    ledger->counts.unavailable += hold->answer.verdict == HOLD_UNAVAILABLE;
    if (hold->phase == HOLD_EXTENDING || hold->answer.verdict == HOLD_GRANTED) {
        hold->phase = HOLD_IS_GRANTED;
    }
    hold->is_told = true;
    if (!hold->is_inside) {
        ledger_tell(ledger, hold);
    }
}

/* What each enforcing budget wants when the ledger cannot be asked. */
static bool may_pass(struct hold *hold, bool counts)
{
    struct ledger *ledger = hold->ledger;
    const struct amounts *amounts = hold->phase == HOLD_EXTENDING ? &hold->more : &hold->amounts;

    for (uint8_t i = 0; i < hold->count; i++) {
        const struct budget *budget = hold->list[i].budget;
        int64_t *allowed = &ledger->allowed[budget->index % BUDGETS_MAX];
        int64_t amount = amounts->of[budget->unit];

        if (!hold->list[i].enforces || budget->on_failure == FAILURE_OPEN) {
            continue;
        }
        if (budget->on_failure == FAILURE_CLOSED || ledger->state == LEDGER_UNSAFE) {
            return false;
        }
        if (counts) {
            *allowed += amount;
        } else if (amount > left_of(budget->allowance, *allowed)) {
            return false;
        }
    }
    return true;
}

void hold_fail(struct hold *hold)
{
    if (may_pass(hold, false)) {
        (void)may_pass(hold, true);
        hold->outage = hold->ledger->outage;
        for (size_t i = 0; i < BUDGET_UNITS; i++) {
            hold->passed.of[i] +=
                (hold->phase == HOLD_EXTENDING ? &hold->more : &hold->amounts)->of[i];
        }
        for (size_t i = 0; i < LEGS; i++) {
            if (hold->legs[i].state == LEG_WANTED) {
                hold->legs[i].state = LEG_OPEN;
            }
        }
        hold->answer.is_fail_open = true;
        hold->answer.verdict = HOLD_GRANTED;
        hold->ledger->counts.fail_open++;
    } else {
        hold->answer.verdict = HOLD_UNAVAILABLE;
        hold->answer.link = LINK_NONE;
    }
    conclude(hold);
}

void holds_node_down(struct ledger *ledger)
{
    struct link *next = NULL;

    for (struct link *at = ledger->pending.next; at != &ledger->pending; at = next) {
        struct hold *hold = LIST_OWNER(at, struct hold, pending);
        bool may_return = true;

        next = at->next;
        for (size_t i = 0; i < LEGS; i++) {
            may_return = may_return && (hold->legs[i].state == LEG_NONE ||
                                        hold->legs[i].state == LEG_LOCAL ||
                                        root_may_return(hold->legs[i].root));
        }
        if (!may_return) {
            hold_fail(hold);
        }
    }
}

void holds_expire(struct ledger *ledger, mono_ms now)
{
    while (!list_is_empty(&ledger->pending)) {
        struct hold *hold = LIST_OWNER(ledger->pending.next, struct hold, pending);

        if (hold->until > now) {
            ledger_wake(ledger, hold->until);
            return;
        }
        hold_fail(hold);
    }
}

/* ---- the way ---- */

void hold_go_on(struct hold *hold)
{
    if (hold->answer.verdict != HOLD_GRANTED) {
        conclude(hold);
        return;
    }
    for (size_t i = 0; i < LEGS; i++) {
        struct leg *leg = &hold->legs[i];

        if (leg->state == LEG_WANTED ||
            (leg->wants_more && (leg->state == LEG_HELD || leg->state == LEG_SENT))) {
            hold_wait(hold, leg->root);
            return;
        }
        if (leg->wants_more && leg->state == LEG_LOCAL && !hold_take_more(hold, leg)) {
            hold_enlarge(hold, leg);
            return;
        }
        leg->wants_more = false;
    }
    if (hold->phase == HOLD_ASKING) {
        hold_ask_for_loans(hold);
    }
    conclude(hold);
}

/* A clock that went back opens no window twice: the hold is as late as its windows. */
void hold_keep_moment(struct hold *hold)
{
    for (uint8_t i = 0; i < hold->count; i++) {
        if (hold->list[i].win->window.begin > hold->answer.held_at) {
            hold->answer.held_at = hold->list[i].win->window.begin;
        }
    }
}

static bool open_leg(struct leg *leg)
{
    leg->op = op_new(leg->count);
    if (leg->op == NULL ||
        sequence_reserve(&leg->root->sequence, leg->root->open + 2) != ERR_NONE) {
        return false;
    }
    leg->era = leg->root->era;
    leg->root->open++;
    leg->root->used_at = loop_now(leg->root->ledger->loop);
    leg->state = LEG_WANTED;
    return true;
}

static bool open_links(struct hold *hold, const struct hold_request *request)
{
    struct ledger *ledger = hold->ledger;

    for (uint8_t i = 0; i < hold->count; i++) {
        const struct chain_link *from = &request->chain->list[i];
        struct hold_link *link = &hold->list[i];
        struct leg *leg = NULL;

        *link = (struct hold_link){.budget = from->budget,
                                   .leg = scope_is_shared(from->budget->scope.kind) ? LEG_CROSS : LEG_TEAM,
                                   .enforces = ledger_enforces(ledger, from->budget)};
        leg = &hold->legs[link->leg];
        if (leg->root == NULL) {
            leg->root = root_find(ledger, request->team, link->leg == LEG_CROSS);
        }
        if (leg->root == NULL) {
            return false;
        }
        leg->count++;
        link->win = counter_take(leg->root, from->budget, from->value, hold->answer.held_at);
        if (link->win == NULL) {
            return false;
        }
        link->win->refs++;
        if (link->enforces && hold->amounts.of[from->budget->unit] <= HOLD_MOST) {
            lease_note(&link->win->lease, hold->amounts.of[from->budget->unit]);
        }
    }
    hold_keep_moment(hold);
    return (hold->legs[0].count == 0 || open_leg(&hold->legs[0])) &&
           (hold->legs[1].count == 0 || open_leg(&hold->legs[1]));
}

static struct hold *hold_new(struct ledger *ledger, const struct hold_request *request)
{
    uint8_t count = request->chain->count;
    struct hold *hold = mem_take_zero(size_of(count));

    if (hold == NULL) {
        return NULL;
    }
    hold->ledger = ledger;
    hold->count = count;
    hold->amounts = request->amounts;
    hold->answer.call_id = request->call_id;
    hold->answer.attempt = request->attempt;
    hold->until = mono_add(loop_now(ledger->loop), ledger_wait_ms(ledger));
    hold->id_len = (uint8_t)request->record_id.len;
    memcpy(hold->id, request->record_id.at, request->record_id.len);
    list_init(&hold->wait);
    list_init(&hold->pending);
    list_init(&hold->telling);
    list_init(&hold->all);
    list_push_back(&ledger->all_holds, &hold->all);
    for (uint8_t i = 0; i < LEGS; i++) {
        hold->legs[i].at = i;
        list_init(&hold->legs[i].link);
    }
    return hold;
}

bool hold_begin(struct ledger *ledger, const struct hold_request *request, uint64_t *ticket,
                struct hold_answer *answer)
{
    struct hold *hold = NULL;

    must(request->chain->count > 0 && request->record_id.len > 0 &&
         request->record_id.len <= RECORD_ID_MAX);
    *ticket = 0;
    hold = request->chain->has_overflowed ? NULL : hold_new(ledger, request);
    if (hold == NULL) {
        *answer = (struct hold_answer){.call_id = request->call_id,
                                       .attempt = request->attempt,
                                       .verdict = HOLD_UNAVAILABLE,
                                       .link = LINK_NONE};
        return true;
    }
    hold_begin_answer(hold, false);
    hold->is_inside = true;
    if (!open_links(hold, request) || slots_add(&ledger->holds, hold, &hold->ticket) != ERR_NONE) {
        hold->answer.verdict = HOLD_UNAVAILABLE;
        conclude(hold);
    } else if (!hold_is_possible(hold)) {
        conclude(hold);
    } else {
        bool is_local = true;

        for (size_t i = 0; i < LEGS; i++) {
            if (hold->legs[i].state == LEG_WANTED) {
                if (hold_take_local(hold, &hold->legs[i])) {
                    hold_judge_local(hold, &hold->legs[i]);
                } else {
                    is_local = false;
                }
            }
        }
        ledger->counts.local += is_local;
        if (ledger->state == LEDGER_UNSAFE && request->chain->enforces) {
            hold_fail(hold);
        } else {
            hold_go_on(hold);
        }
    }
    hold->is_inside = false;
    *ticket = hold->ticket;
    *answer = hold->answer;
    if (!hold->is_told) {
        return false;
    }
    if (hold->answer.verdict != HOLD_GRANTED) {
        *ticket = 0;
        (void)slots_remove(&ledger->holds, hold->ticket);
        give(hold);
    }
    return true;
}

void hold_settle(struct ledger *ledger, uint64_t ticket, const struct amounts *actual)
{
    struct hold *hold = slots_remove(&ledger->holds, ticket);

    must(hold != NULL);
    if (hold->outage != 0 && hold->outage == ledger->outage) {
        for (uint8_t i = 0; i < hold->count; i++) {
            const struct budget *budget = hold->list[i].budget;

            if (hold->list[i].enforces && budget->on_failure == FAILURE_ALLOWANCE) {
                int64_t passed = hold->passed.of[budget->unit];
                int64_t used = left_of(actual->of[budget->unit],
                                       hold->amounts.of[budget->unit] - passed);

                ledger->allowed[budget->index % BUDGETS_MAX] += used - passed;
            }
        }
    }
    if (hold->phase == HOLD_EXTENDING) {
        hold_undo_extension(hold); /* nobody waits for it any more */
    }
    settle_all(hold, actual);
    give(hold);
}

struct hold_answer hold_take_answer(struct hold *hold)
{
    struct hold_answer answer = hold->answer;

    list_remove(&hold->telling);
    if (hold->phase != HOLD_IS_GRANTED) {
        (void)slots_remove(&hold->ledger->holds, hold->ticket);
        give(hold);
    }
    return answer;
}

void holds_free(struct ledger *ledger)
{
    while (!list_is_empty(&ledger->all_holds)) {
        give(LIST_OWNER(ledger->all_holds.next, struct hold, all));
    }
}
