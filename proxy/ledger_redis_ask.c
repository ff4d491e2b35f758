/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the server for a leg of a hold, and what it answers. */
#include "proxy/ledger_redis_parts.h"

enum { TRIES_MAX = 4 };

void hold_wait(struct hold *hold, struct root *root)
{
    if (root->node == NULL) { /* a new one, or one that was just lost */
        root->node = topology_find(root->ledger, root);
    }
    if (!root_may_return(root)) {
        hold_fail(hold);
        return;
    }
    list_push_back(&root->waiting, &hold->wait);
    if (list_is_empty(&hold->pending)) {
        list_push_back(&hold->ledger->pending, &hold->pending);
        ledger_wake(hold->ledger, hold->until);
    }
    root_pump(root);
}

static struct leg *leg_at(struct hold *hold, const struct root *root)
{
    return hold->legs[LEG_CROSS].root == root ? &hold->legs[LEG_CROSS] : &hold->legs[LEG_TEAM];
}

bool hold_waits_for_recovery(const struct hold *hold, const struct root *root)
{
    for (uint8_t i = 0; i < hold->count; i++) {
        if (hold->list[i].enforces && hold->legs[hold->list[i].leg].root == root) {
            return true;
        }
    }
    return false;
}

/* The windows of the moment of the hold; what was taken from loans of others goes back. */
MUST_CHECK static enum err renew_windows(struct hold *hold, struct leg *leg, bool *has_changed)
{
    *has_changed = false;
    for (uint8_t i = 0; i < hold->count; i++) {
        struct hold_link *link = &hold->list[i];
        struct win *win = NULL;

        if (link->leg != leg->at) {
            continue;
        }
        win = counter_take(leg->root, link->budget, link->win->counter->value, hold->answer.held_at);
        if (win == NULL) {
            return ERR_MEMORY;
        }
        if (win != link->win) {
            *has_changed = true;
            hold_put_back(hold, leg->at, hold->count);
        }
        win->refs++;
        win_let_go(link->win);
        link->win = win;
    }
    leg->era = leg->root->era;
    return ERR_NONE;
}

/* The server's clock has moved on: the hold counts in the windows of now, with all of its links, so that one
 * moment tells them all. What is held in others is asked for again, which moves it. False: no memory. */
static bool take_windows(struct hold *hold)
{
    hold->answer.held_at = ledger_now(hold->ledger);
    for (size_t i = 0; i < LEGS; i++) {
        struct leg *leg = &hold->legs[i];
        bool has_changed = false;

        if (leg->state != LEG_NONE && renew_windows(hold, leg, &has_changed) != ERR_NONE) {
            return false;
        }
        if (has_changed && leg->state == LEG_HELD) { /* until then nothing is put back for it */
            list_remove(&leg->link);
            leg->root->held_count--;
            leg->state = LEG_SENT;
            leg->wants_more = true;
        } else if (has_changed && leg->state == LEG_LOCAL) {
            leg->state = LEG_WANTED;
        }
    }
    hold_keep_moment(hold);
    return true;
}

/* The clock may have gone back for one of its windows, and not for another. */
static bool is_of_one_moment(const struct hold *hold)
{
    for (uint8_t i = 0; i < hold->count; i++) {
        const struct window *window = &hold->list[i].win->window;

        if (hold->answer.held_at < window->begin || hold->answer.held_at >= window->end) {
            return false;
        }
    }
    return true;
}

static void held(struct hold *hold, struct leg *leg, const struct redisReply *reply)
{
    int64_t code = reply_number(reply, 0, -1);
    size_t at = 2;

    for (uint8_t i = 0; i < hold->count; i++) {
        struct win *win = hold->list[i].win;
        int64_t amount = hold->amounts.of[hold->list[i].budget->unit];
        int64_t settled = 0;
        int64_t used = 0;

        if (hold->list[i].leg != leg->at) {
            continue;
        }
        settled = reply_number(reply, at++, 0);
        used = reply_number(reply, at++, 0);
        if (code == 10 && !hold->answer.is_extend) {
            used -= amount; /* it had been held before */
        }
        hold_judge(hold, i, settled, used, left_of(hold->list[i].budget->limit, used));
        win_see(win, settled, code == 6 ? used : used + amount);
        if (hold->list[i].enforces && code != 6) {
            struct lease_view view = win_view(win);

            lease_look(&win->lease, &view);
        }
    }
    if (code == 6 && hold->answer.verdict != HOLD_DENIED) {
        hold->answer.verdict = HOLD_UNAVAILABLE; /* it says no for a reason that its figures deny */
    } else if (code != 6) {
        hold->answer.verdict = HOLD_GRANTED; /* what counts is the script's word */
    }
    if (hold->answer.verdict == HOLD_GRANTED && leg->state != LEG_HELD) {
        leg->state = LEG_HELD;
        list_push_back(&leg->root->held, &leg->link);
        leg->root->held_count++;
    } else if (hold->phase == HOLD_ASKING && code == 6) {
        leg_end(leg); /* nothing is held there */
    }
    leg->wants_more = false;
    hold_go_on(hold);
}

static void answered(struct command *command, const struct redisReply *reply)
{
    struct root *root = command->root;
    struct ledger *ledger = root->ledger;
    struct hold *hold = slots_find(&ledger->holds, command->number);
    struct leg *leg = hold == NULL ? NULL : leg_at(hold, root);
    int64_t code = reply == NULL || redis_reply_is_error(reply) ? -1 : reply_number(reply, 0, -1);

    if (code >= 0) {
        ledger_hear_time(ledger, reply_number(reply, 1, 0));
    }
    if (code >= 1 && code <= 3) {
        root_lose(root);
    }
    if (hold == NULL || hold->is_told) {
        return; /* settled, or answered, meanwhile */
    }
    if (reply == NULL || (code >= 1 && code <= 3)) {
        hold_wait(hold, root);
        return;
    }
    if ((code == 0 || code == 6 || code == 10) &&
        redis_reply_count(reply) != 2 + 2 * (size_t)leg->count) {
        code = -1; /* no word of our script */
    }
    switch (code) {
    case 0:
    case 6:
    case 10: held(hold, leg, reply); return;
    case 4:
        ledger->latest = reply_number(reply, 1, 0); /* the server's clock may have gone back */
        if (hold->phase == HOLD_ASKING && ++hold->tries < TRIES_MAX && take_windows(hold)) {
            hold_wait(hold, root);
            return;
        }
        break;
    case 5:
        root->recovers_at =
            mono_add(loop_now(ledger->loop), (uint64_t)reply_number(reply, 2, RECOVER_MS));
        hold_wait(hold, root);
        return;
    default:
        if (redis_reply_is_error(reply)) {
            root_lose(root);
            root_rest(root, reply);
        } else if (code == 11) {
            ledger_notice(ledger, LEDGER_NOTICE_SICK, root->name,
                          "a counter has vanished from the server, and what was spent with it: "
                          "`headgate budget rebuild` brings it back");
        }
        break;
    }
    hold_fail(hold);
}

void put_policies(const struct hold *hold, uint8_t leg)
{
    char policies[CHAIN_MAX];
    size_t count = 0;

    for (uint8_t i = 0; i < hold->count; i++) {
        if (hold->list[i].leg == leg) {
            policies[count++] = hold->list[i].win->releases ? 'r' : 'p';
        }
    }
    put_text(hold->legs[leg].root->node, span_make(policies, count));
}

void put_hold_head(struct root *root)
{
    put_key(root, "m");
    put_process_key(root, root->ledger->epoch);
    put_key(root, "h");
    put_key(root, "d");
    put_key(root, "i");
}

void put_hold_args(struct root *root)
{
    put_text(root->node, root->node->fence);
    put_number(root->node, (int64_t)root->node->session);
    put_number(root->node, root->resets);
}

void put_hold_link(struct win *win, int64_t amount, bool enforces)
{
    struct node *node = win->counter->root->node;
    wall_ms end = win->window.end == INT64_MAX ? BUDGET_MONEY_MAX : win->window.end;
    wall_ms expires = win_expires(win);

    put_number(node, amount);
    put_number(node, enforces ? win->limit : -1);
    put_number(node, win->window.begin);
    put_number(node, end);
    put_number(node, expires == INT64_MAX ? 0 : expires);
    put_number(node, win->counter->unit);
    put_number(node, win->counter->scope == SCOPE_TRACE);
    put_number(node, (int64_t)win_keys(win));
}

void hold_ask(struct hold *hold, struct root *root)
{
    struct leg *leg = leg_at(hold, root);
    struct command *command = NULL;
    size_t keys = 5;

    /* A greeting may have told of new generations. */
    if (hold->phase == HOLD_ASKING && (leg->era != root->era || !is_of_one_moment(hold)) &&
        !take_windows(hold)) {
        hold_fail(hold);
        return;
    }
    for (uint8_t i = 0; i < hold->count; i++) {
        keys += hold->list[i].leg == leg->at ? win_keys(hold->list[i].win) : 0;
    }
    command = root_script(root, SCRIPT_HOLD, keys, 9 + 8 * (size_t)leg->count, answered);
    if (command == NULL) {
        hold_fail(hold);
        return;
    }
    command->number = hold->ticket;
    if (leg->state == LEG_WANTED) {
        leg->state = LEG_SENT;
        hold->ledger->counts.asked++;
    }
    put_hold_head(root);
    for (uint8_t i = 0; i < hold->count; i++) {
        if (hold->list[i].leg == leg->at) {
            put_win_keys(hold->list[i].win);
        }
    }
    put_hold_args(root);
    put_text(root->node, span_make(hold->id, hold->id_len));
    put_text(root->node, span_of(hold->ledger->owner));
    put_number(root->node, LEASE_MS);
    put_text(root->node, SPAN_OF("T"));
    put_policies(hold, leg->at);
    put_number(root->node, leg->count);
    for (uint8_t i = 0; i < hold->count; i++) {
        enum budget_unit unit = hold->list[i].budget->unit;

        if (hold->list[i].leg == leg->at) {
            hold->list[i].win->limit = hold->list[i].budget->limit;
            put_hold_link(hold->list[i].win,
                          hold->amounts.of[unit] + (leg->wants_more ? hold->more.of[unit] : 0),
                          hold->list[i].enforces);
        }
    }
    node_send(root->node);
}
