/* SPDX-License-Identifier: Apache-2.0 */
/* Money on loan. A loan is a hold of the window that grows by what is asked for and shrinks by what is
 * spent; the same script gives it that gives holds, so a loan is never more than what is left. */
#include "proxy/ledger_redis_parts.h"

enum { IDLE_MS = 2000, KEEP_MS = LEASE_MS / 3 };

struct lease_view win_view(const struct win *win)
{
    return (struct lease_view){.limit = win->limit,
                               .used = win->used,
                               .processes = win->counter->root->processes > 0
                                                ? win->counter->root->processes
                                                : 1};
}

/* What is free goes back with the next report. Without memory it stays until the next beat. */
static void give_back(struct win *win)
{
    struct root *root = win->counter->root;
    struct op *op = NULL;

    if (win->lease.free == 0) {
        return;
    }
    op = op_new(1);
    if (op == NULL || sequence_reserve(&root->sequence, root->open + 1) != ERR_NONE) {
        op_free(NULL, op);
        return;
    }
    op_add(op, win, 0, lease_give_back(&win->lease), 0);
    (void)root_push(root, op);
}

static void look(struct win *win)
{
    struct lease_view view = win_view(win);

    lease_look(&win->lease, &view);
    if (win->lease.is_tight) {
        give_back(win);
    }
}

/* It is among those that are set right after a failure. */
static void lend(struct win *win)
{
    win->lent_at = loop_now(win->counter->root->ledger->loop);
    if (list_is_empty(&win->lent)) {
        list_push_back(&win->counter->root->lent, &win->lent);
    }
}

static void answered(struct command *command, const struct redisReply *reply)
{
    struct win *win = command->to;
    struct root *root = win->counter->root;
    struct ledger *ledger = root->ledger;
    int64_t code = reply == NULL || redis_reply_is_error(reply) ? -1 : reply_number(reply, 0, -1);

    win->is_asking = false;
    if (reply == NULL) {
        win->is_unsure = true;
        lend(win);
    }
    if (code >= 0) {
        ledger_hear_time(ledger, reply_number(reply, 1, 0));
    }
    if ((code == 0 || code == 10 || code == 6) && redis_reply_count(reply) == 4) {
        int64_t more = code == 6 ? 0 : command->amount;

        win_see(win, reply_number(reply, 2, 0), reply_number(reply, 3, 0) + more);
        if (code != 6) {
            lease_grow(&win->lease, more, loop_now(ledger->loop));
        }
        if (win->lease.total > 0 || !list_is_empty(&win->lent)) {
            lend(win);
        }
        if (!win_is_newest(win) || ledger->is_draining) {
            give_back(win);
        } else if (command->number == 0) {
            look(win);
        }
    } else if (code >= 1 && code <= 3) {
        root_lose(root);
    }
    if (command->number != 0) {
        hold_loan_answered(ledger, command->number);
    }
    win_let_go(win);
}

static bool ask(struct win *win, int64_t amount, uint64_t ticket)
{
    struct root *root = win->counter->root;
    struct command *command = NULL;
    size_t keys = win_keys(win);

    if (root->state != ROOT_READY || !node_is_up(root->node) || root->ledger->is_draining) {
        return false;
    }
    command = root_script(root, SCRIPT_HOLD, 5 + keys, 9 + 8, answered);
    if (command == NULL) {
        return false;
    }
    command->to = win;
    command->amount = amount;
    command->number = ticket;
    win->is_asking = true;
    win->refs++;
    put_hold_head(root);
    put_win_keys(win);
    put_hold_args(root);
    put_lease_id(win);
    put_text(root->node, span_of(root->ledger->owner));
    put_number(root->node, LEASE_MS);
    put_text(root->node, SPAN_OF("D"));
    put_text(root->node, win->releases ? SPAN_OF("r") : SPAN_OF("p"));
    put_number(root->node, 1);
    put_hold_link(win, amount, true);
    node_send(root->node);
    return true;
}

bool lease_ask(struct win *win, int64_t at_least, uint64_t ticket)
{
    struct lease_view view = win_view(win);
    int64_t amount = at_least;

    if (ticket != 0) {
        return ask(win, amount, ticket);
    }
    if (win->is_asking || win->seen_at == 0) {
        return false;
    }
    amount = lease_wants(&win->lease, &view);
    return amount > 0 && ask(win, amount, 0);
}

void leases_beat(struct root *root, mono_ms now)
{
    struct link *next = NULL;

    for (struct link *at = root->lent.next; at != &root->lent; at = next) {
        struct win *win = LIST_OWNER(at, struct win, lent);
        uint64_t pause = BEAT_MS;

        next = at->next;
        if (root->ledger->is_draining || !win_is_newest(win) || win->lease.is_tight ||
            mono_add(win->lease.used_at, IDLE_MS) <= now) {
            give_back(win);
            pause = KEEP_MS;
        }
        /* Nothing more: to hear how much is left, and to keep what there is. */
        if (win->lease.total > 0 && !win->is_asking && mono_add(win->seen_at, pause) <= now) {
            (void)ask(win, 0, 0);
        }
        /* As long as a server may come back that still has it: as the sequence remembers. */
        if (win->lease.total == 0 && !win->is_unsure && !win->is_asking &&
            mono_add(win->lent_at, SEQUENCE_KEPT_MS) <= now) {
            list_remove(&win->lent);
        }
    }
}

/* ---- holds from loans ---- */

void hold_put_back(struct hold *hold, uint8_t leg, uint8_t before)
{
    for (uint8_t i = 0; i < before; i++) {
        struct hold_link *link = &hold->list[i];

        if (link->leg == leg && link->is_leased) {
            lease_put_back(&link->win->lease, hold->amounts.of[link->budget->unit]);
            link->is_leased = false;
        }
    }
}

bool hold_take_local(struct hold *hold, struct leg *leg)
{
    mono_ms now = loop_now(hold->ledger->loop);

    if (hold->ledger->settings->is_synchronous) {
        return false;
    }
    for (uint8_t i = 0; i < hold->count; i++) {
        struct hold_link *link = &hold->list[i];

        if (link->leg != leg->at) {
            continue;
        }
        if (link->enforces) {
            link->is_leased =
                lease_take(&link->win->lease, hold->amounts.of[link->budget->unit], now);
        }
        if (link->enforces ? !link->is_leased : link->win->seen_at == 0) {
            hold_put_back(hold, leg->at, i);
            return false;
        }
    }
    leg->state = LEG_LOCAL;
    return true;
}

/* By the figures that came last. */
void hold_judge_local(struct hold *hold, const struct leg *leg)
{
    for (uint8_t i = 0; i < hold->count; i++) {
        struct hold_link *link = &hold->list[i];
        struct win *win = link->win;

        if (link->leg == leg->at) {
            hold_judge(hold, i, win->settled, win->used,
                  link->enforces ? left_of(win->limit, win->used) + win->lease.free +
                                       hold->amounts.of[link->budget->unit]
                                 : left_of(link->budget->limit, win->used));
        }
    }
}

void hold_ask_for_loans(struct hold *hold)
{
    for (uint8_t i = 0; i < hold->count && !hold->ledger->settings->is_synchronous; i++) {
        if (hold->list[i].enforces) {
            (void)lease_ask(hold->list[i].win, 0, 0);
        }
    }
}
