/* SPDX-License-Identifier: Apache-2.0 */
/* Extensions: more for a hold that was granted. A leg that was asked for is asked for again, with what it is
 * to hold in all; one that was taken from loans takes from them, or has them made larger. */
#include "proxy/ledger_redis_parts.h"

/* Of the leg's links with loans, the first `count` ones of the chain. */
static void put_back_more(struct hold *hold, const struct leg *leg, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        struct hold_link *link = &hold->list[i];

        if (link->leg == leg->at && link->is_leased) {
            lease_put_back(&link->win->lease, hold->more.of[link->budget->unit]);
        }
    }
}

void hold_undo_extension(struct hold *hold)
{
    for (size_t i = 0; i < LEGS; i++) {
        if (hold->legs[i].took_more) {
            put_back_more(hold, &hold->legs[i], hold->count);
        }
    }
}

/* An extension of what was taken from loans: from them, or from what they can be made larger by. */
bool hold_take_more(struct hold *hold, struct leg *leg)
{
    for (uint8_t i = 0; i < hold->count; i++) {
        struct hold_link *link = &hold->list[i];
        int64_t more = hold->more.of[link->budget->unit];

        if (link->leg == leg->at && link->is_leased && !lease_take_more(&link->win->lease, more)) {
            put_back_more(hold, leg, i);
            hold->tries = (uint8_t)(hold->tries + 1);
            return false;
        }
    }
    leg->wants_more = false;
    leg->took_more = true;
    return true;
}

void hold_enlarge(struct hold *hold, struct leg *leg)
{
    for (uint8_t i = 0; i < hold->count; i++) {
        struct hold_link *link = &hold->list[i];
        int64_t more = hold->more.of[link->budget->unit];

        if (link->leg != leg->at || !link->is_leased || link->win->lease.free >= more) {
            continue;
        }
        if (hold->tries > 1) {
            hold->answer.verdict = HOLD_DENIED;
            hold_judge(hold, i, link->win->settled, link->win->used,
                  left_of(link->win->limit, link->win->used));
            hold_set_link(hold, i, false, 0, link->win->used);
            break;
        }
        if (!root_may_return(leg->root) || !lease_ask(link->win, more, hold->ticket)) {
            hold_fail(hold);
            return;
        }
        hold->asks++;
    }
    if (hold->asks == 0) {
        hold_go_on(hold);
    } else if (list_is_empty(&hold->pending)) {
        list_push_back(&hold->ledger->pending, &hold->pending);
        ledger_wake(hold->ledger, hold->until);
    }
}

void hold_loan_answered(struct ledger *ledger, uint64_t ticket)
{
    struct hold *hold = slots_find(&ledger->holds, ticket);

    if (hold != NULL && !hold->is_told && hold->asks > 0 && --hold->asks == 0) {
        hold_go_on(hold);
    }
}

/* A part of a rolling window that has ended still counts, and the parts after it are not looked at from it: nothing
 * more can be held there. */
static void refuse_late(struct hold *hold)
{
    wall_ms now = ledger_now(hold->ledger);

    for (uint8_t i = 0; i < hold->count; i++) {
        struct win *win = hold->list[i].win;

        if (hold->list[i].enforces && win->counter->part_ms > 0 && now >= win->window.end) {
            hold->answer.verdict = HOLD_DENIED;
            hold_set_link(hold, i, false, 0, win->used);
            return;
        }
    }
}

bool hold_extend(struct ledger *ledger, uint64_t ticket, const struct amounts *more,
                 struct hold_answer *answer)
{
    struct hold *hold = slots_find(&ledger->holds, ticket);

    must(hold != NULL && hold->phase == HOLD_IS_GRANTED && list_is_empty(&hold->telling));
    hold_begin_answer(hold, true);
    hold->phase = HOLD_EXTENDING;
    hold->more = *more;
    for (size_t i = 0; i < BUDGET_UNITS; i++) {
        hold->more.of[i] = hold->more.of[i] < HOLD_MOST ? hold->more.of[i] : HOLD_MOST;
    }
    hold->tries = 0;
    hold->asks = 0;
    hold->until = mono_add(loop_now(ledger->loop), ledger_wait_ms(ledger));
    hold->is_told = false;
    hold->is_inside = true;
    for (size_t i = 0; i < LEGS; i++) {
        hold->legs[i].wants_more = hold->legs[i].state != LEG_NONE;
        hold->legs[i].took_more = false;
    }
    if (hold->outage != 0) {
        hold_fail(hold); /* the ledger knows nothing of it: as it began, so it goes on */
    } else {
        refuse_late(hold);
        hold_go_on(hold);
    }
    hold->is_inside = false;
    *answer = hold->answer;
    return hold->is_told;
}
