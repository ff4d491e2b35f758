/* SPDX-License-Identifier: Apache-2.0 */
/* What a hold is answered, by the sums of its links. */
#include "proxy/ledger_redis_parts.h"

enum { SEEN_MS = 2000 }; /* so long a no stands without asking again: it may have been reset */

void hold_begin_answer(struct hold *hold, bool is_extend)
{
    uint64_t call_id = hold->answer.call_id;
    uint8_t attempt = hold->answer.attempt;
    wall_ms held_at = is_extend ? hold->answer.held_at : ledger_now(hold->ledger);

    hold->answer = (struct hold_answer){.call_id = call_id,
                                        .attempt = attempt,
                                        .is_extend = is_extend,
                                        .verdict = HOLD_GRANTED,
                                        .link = LINK_NONE,
                                        .window_end = INT64_MAX,
                                        .held_at = held_at};
    for (size_t i = 0; i < BUDGET_UNITS; i++) {
        hold->answer.left.of[i] = INT64_MAX;
    }
}

void hold_set_link(struct hold *hold, uint8_t i, bool is_over, uint8_t percent, int64_t used)
{
    hold->answer.link = i;
    hold->answer.is_over = is_over;
    hold->answer.percent = percent;
    hold->answer.used = used;
    hold->answer.window_end = hold->list[i].win->window.end;
}

/* One link of which the server told the sums: as the memory ledger judges. */
void hold_judge(struct hold *hold, uint8_t i, int64_t settled, int64_t used, int64_t left)
{
    struct hold_link *link = &hold->list[i];
    const struct budget *budget = link->budget;
    struct hold_answer *answer = &hold->answer;
    int64_t amount = (answer->is_extend ? hold->more : hold->amounts).of[budget->unit];
    bool is_over = amount > left;
    uint8_t percent = 0;

    if (link->enforces) {
        if (left < answer->left.of[budget->unit]) {
            answer->left.of[budget->unit] = left;
        }
        if (is_over && answer->verdict == HOLD_GRANTED) {
            answer->verdict = HOLD_DENIED;
            hold_set_link(hold, i, false, 0, used);
        }
        is_over = false;
    }
    percent = is_over ? 100 : budget_threshold(budget, settled);
    if (answer->verdict == HOLD_GRANTED && budget->mode != BUDGET_SHADOW && percent > 0 &&
        (answer->link == LINK_NONE || answer->is_over < is_over ||
         (answer->is_over == is_over && answer->percent < percent))) {
        hold_set_link(hold, i, is_over, percent, used);
    }
}

int64_t left_of(int64_t limit, int64_t used)
{
    return used < limit ? limit - used : 0;
}

bool hold_is_possible(struct hold *hold)
{
    for (uint8_t i = 0; i < hold->count; i++) {
        const struct hold_link *link = &hold->list[i];
        int64_t left = left_of(link->win->limit, link->win->used);

        if (link->enforces && hold->amounts.of[link->budget->unit] > HOLD_MOST) {
            hold_judge(hold, i, link->win->settled, link->win->used,
                       left < HOLD_MOST ? left : HOLD_MOST);
            return false;
        }
    }
    for (size_t i = 0; i < BUDGET_UNITS; i++) {
        if (hold->amounts.of[i] > HOLD_MOST) {
            hold->amounts.of[i] = HOLD_MOST;
        }
    }
    return true;
}

/* By the figures that came last, and not long ago: they come with every answer. */
bool hold_is_used_up(struct ledger *ledger, struct span team, const struct chain *chain, wall_ms now,
                     struct hold_answer *answer)
{
    mono_ms at = loop_now(ledger->loop);

    (void)now; /* Redis' clock counts */
    for (uint8_t i = 0; i < chain->count; i++) {
        const struct budget *budget = chain->list[i].budget;
        struct root *root = NULL;
        struct win *win = NULL;

        if (budget->unit == UNIT_MONEY || !ledger_enforces(ledger, budget)) {
            continue;
        }
        root = root_find(ledger, team, scope_is_shared(budget->scope.kind));
        win = root == NULL
                  ? NULL
                  : counter_take(root, budget, chain->list[i].value, ledger_now(ledger));
        if (win != NULL && win->seen_at != 0 && mono_add(win->seen_at, SEEN_MS) > at &&
            win->settled >= budget->limit) {
            *answer = (struct hold_answer){.verdict = HOLD_DENIED,
                                           .link = i,
                                           .used = win->used,
                                           .window_end = win->window.end,
                                           .held_at = ledger_now(ledger)};
            return true;
        }
    }
    return false;
}
