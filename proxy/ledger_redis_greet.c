/* SPDX-License-Identifier: Apache-2.0 */
/* The greeting of a part of the book. It says under which connection this process speaks from now on: what an
 * older one still has on its way is refused. It learns what of our operations the server has applied, and
 * brings back what the server does not know: sums if it forgot all, holds and loans if it is another
 * server than before.
 *
 *   AWAY --join--> JOINING --hello--> GREETING --contribute, reassert, what is unsaid--> READY */
#include "proxy/ledger_redis_parts.h"

enum { LAYOUT = 1, KEEP_DAYS = 400, REASSERT_MAX = 64 };

static void put_contribution_key(struct root *root)
{
    struct buf *key = &root->ledger->scratch;

    begin_key(root, key);
    buf_put_text(key, "c:");
    buf_put_text(key, root->ledger->proxy);
    put_text(root->node, buf_span(key));
}

static void reasserted(struct command *command, const struct redisReply *reply)
{
    struct win *loan = command->to;

    if (loan != NULL) {
        loan->is_unsure = loan->is_unsure && reply == NULL;
        win_let_go(loan);
    }
    if (reply != NULL && (redis_reply_is_error(reply) || reply_number(reply, 0, -1) != 0)) {
        root_lose(command->root);
    }
}

static bool begin_reassert(struct root *root, size_t holds, size_t windows, struct win *loan)
{
    struct ledger *ledger = root->ledger;
    struct command *command = root_script(root, SCRIPT_REASSERT, 4 + windows,
                                          4 + 3 * holds + 4 * windows, reasserted);

    if (command == NULL) {
        return false;
    }
    if (loan != NULL) {
        command->to = loan;
        loan->refs++;
    }
    put_process_key(root, ledger->epoch);
    put_key(root, "h");
    put_key(root, "d");
    put_key(root, "i");
    return true;
}

static void begin_reassert_args(struct root *root, size_t holds)
{
    put_number(root->node, (int64_t)root->node->session);
    put_text(root->node, span_of(root->ledger->owner));
    put_number(root->node, LEASE_MS);
    put_number(root->node, (int64_t)holds);
}

static bool reassert_loan(struct win *win)
{
    struct root *root = win->counter->root;

    if (!begin_reassert(root, 1, 1, win)) {
        return false;
    }
    put_win_key(win);
    begin_reassert_args(root, 1);
    put_lease_id(win);
    put_text(root->node, SPAN_OF("p"));
    put_number(root->node, 1);
    put_number(root->node, win->lease.total + win->unsaid_shrink);
    put_win_birth(win);
    return true;
}

static bool reassert_loans(struct root *root)
{
    for (struct link *at = root->lent.next; at != &root->lent; at = at->next) {
        struct win *win = LIST_OWNER(at, struct win, lent);

        if (!reassert_loan(win)) {
            return false;
        }
    }
    return true;
}

static void put_held(struct leg *leg)
{
    struct hold *hold = leg_owner(leg);
    struct node *node = leg->root->node;

    put_text(node, span_make(hold->id, hold->id_len));
    put_policies(hold, leg->at);
    put_number(node, leg->count);
    for (uint8_t i = 0; i < hold->count; i++) {
        if (hold->list[i].leg == leg->at) {
            put_number(node, hold->amounts.of[hold->list[i].budget->unit]);
            put_win_birth(hold->list[i].win);
        }
    }
}

static bool reassert_holds(struct root *root)
{
    struct link *from = root->held.next;

    while (from != &root->held) {
        struct link *to = from;
        size_t holds = 0;
        size_t windows = 0;

        for (; to != &root->held && holds < REASSERT_MAX; to = to->next) {
            holds++;
            windows += LIST_OWNER(to, struct leg, link)->count;
        }
        if (!begin_reassert(root, holds, windows, NULL)) {
            return false;
        }
        for (struct link *at = from; at != to; at = at->next) {
            struct leg *leg = LIST_OWNER(at, struct leg, link);
            struct hold *hold = leg_owner(leg);

            for (uint8_t i = 0; i < hold->count; i++) {
                if (hold->list[i].leg == leg->at) {
                    put_win_key(hold->list[i].win);
                }
            }
        }
        begin_reassert_args(root, holds);
        for (struct link *at = from; at != to; at = at->next) {
            put_held(LIST_OWNER(at, struct leg, link));
        }
        from = to;
    }
    return true;
}

/* ---- what this process has booked, where nothing is known of it ---- */

static void contributed(struct command *command, const struct redisReply *reply)
{
    struct root *root = command->root;

    if (reply == NULL) {
        return;
    }
    if (redis_reply_is_error(reply) || reply_number(reply, 0, -1) == 2) {
        root_lose(root);
    } else if (command->number > 0) {
        ledger_notice(root->ledger, LEDGER_NOTICE_REBUILT, root->name, "");
    }
}

static bool has_share(const struct win *win)
{
    return win->mine - win->unsaid > 0 && win_expires(win) > ledger_now(win->counter->root->ledger);
}

static bool contribute(struct root *root, uint64_t last)
{
    struct command *command = NULL;
    size_t count = 0;

    for (int pass = 0; pass < 3; pass++) {
        for (struct link *at = root->counters.next; at != &root->counters; at = at->next) {
            for (struct win *win = LIST_OWNER(at, struct counter, link)->newest; win != NULL;
                 win = win->older) {
                if (!has_share(win)) {
                    continue;
                }
                if (pass == 0) {
                    count++;
                } else if (pass == 1) {
                    put_win_key(win);
                } else {
                    put_number(root->node, win->mine - win->unsaid);
                    put_number(root->node, win->mine_over - win->unsaid_over);
                    put_win_birth(win);
                }
            }
        }
        if (pass == 0) {
            command = root_script(root, SCRIPT_CONTRIBUTE, 5 + count,
                                  7 + 5 * count + 2 * count_generations(root), contributed);
            if (command == NULL) {
                return false;
            }
            command->number = count;
            put_contribution_key(root);
            put_process_key(root, root->ledger->epoch);
            put_key(root, "i");
            put_key(root, "m");
            put_key(root, "g");
        } else if (pass == 1) {
            put_number(root->node, (int64_t)root->node->session);
            put_number(root->node, (int64_t)last);
            put_number(root->node, FORGET_MS);
            put_number(root->node, INT64_C(86400000) * KEEP_DAYS);
            put_number(root->node, root->resets);
            put_number(root->node, (int64_t)count);
            put_number(root->node, (int64_t)root->ledger->epoch);
        }
    }
    for (const struct generation *one = root->generations; one != NULL; one = one->next) {
        put_text(root->node, span_make(one->key, one->len));
        put_number(root->node, one->number);
    }
    return true;
}

/* ---- */

static void hear_last(struct root *root, uint64_t last)
{
    uint64_t acked = root->sequence.acked;

    if (last >= root->sequence.next && root->sequence.count == 0) {
        sequence_begin_after(&root->sequence, last); /* the state folder is an older copy */
    } else if (last >= root->sequence.next) {
        ledger_notice(root->ledger, LEDGER_NOTICE_SICK, root->name,
                      "another process uses the name of this one: two have one state directory");
    }
    sequence_hear(&root->sequence, last, loop_now(root->ledger->loop));
    if (last < acked) {
        root->ledger->counts.resent += sequence_unsaid_count(&root->sequence);
        ledger_notice(root->ledger, LEDGER_NOTICE_RESENT, root->name, "");
    }
}

static void greeted(struct command *command, const struct redisReply *reply)
{
    struct root *root = command->root;
    struct ledger *ledger = root->ledger;
    struct node *node = NULL;
    const struct sequence_entry *first = NULL;
    int64_t code = -1;
    bool is_known = false;

    if (reply == NULL || root->state != ROOT_GREETING) {
        root->state = reply == NULL ? ROOT_AWAY : root->state;
        return;
    }
    code = reply_number(reply, 0, -1);
    ledger_hear_time(ledger, reply_number(reply, 1, 0));
    if (code != 0 || redis_reply_count(reply) != 8) {
        ledger->session = code == 2 && reply_number(reply, 2, 0) > (int64_t)ledger->session
                              ? (uint64_t)reply_number(reply, 2, 0)
                              : ledger->session;
        node = root->node;
        root_lose(root);
        if (code == 2) {
            node_renew(node, "another connection of this process is newer");
            return;
        }
        if (redis_reply_is_error(reply)) {
            root_rest(root, reply);
            return;
        }
        root->retry_at = mono_add(loop_now(ledger->loop), BEAT_MS);
        ledger_notice(ledger, LEDGER_NOTICE_SICK, root->name,
                      code == 9    ? "another version of headgate has given this ledger its layout: run "
                                     "one version on it, or give this one another database"
                      : code == 12 ? "a later start of this headgate was here, so its state folder is an "
                                     "older copy: move the file `ledger` in it away, start again, and order "
                                     "headgate budget rebuild"
                                   : "it does not answer as a ledger does");
        return;
    }
    root->era++;
    hear_last(root, (uint64_t)reply_number(reply, 2, 0));
    is_known = reply_number(reply, 3, 0) != 0;
    root->contributed = is_known ? (uint64_t)reply_number(reply, 3, 0) : ledger->epoch;
    root->recovers_at =
        mono_add(loop_now(ledger->loop), (uint64_t)reply_number(reply, 4, RECOVER_MS));
    root->processes = (uint32_t)reply_number(reply, 5, 1);
    /* One that knows of fewer resets than we do has forgotten them, and hears of them. */
    if (is_known || reply_number(reply, 6, 0) >= root->resets) {
        root->resets = reply_number(reply, 6, 0);
        hear_generations(root, redis_reply_at(reply, 7));
        counters_renew(root);
    }
    root_reckon_unsaid(root);
    first = sequence_unsaid(&root->sequence, 0);
    if ((!is_known && !contribute(root, first == NULL ? root->sequence.next - 1 : first->first - 1)) ||
        !reassert_holds(root) || !reassert_loans(root)) {
        root_lose(root);
        return;
    }
    if (!is_known) {
        sequence_hear(&root->sequence, first == NULL ? root->sequence.next - 1 : first->first - 1,
                      loop_now(ledger->loop));
    }
    root_repeat_old(root);
    root->state = ROOT_READY;
    root->is_wanted = false;
    root->said = 0;
    root->flush_at = loop_now(ledger->loop);
    node_send(root->node);
    root_flush(root);
    root_flush_old(root);
    root_pump(root);
    orders_step(ledger);
}

static void greet(struct root *root, bool may_be_lost)
{
    struct ledger *ledger = root->ledger;

    if (root_script(root, SCRIPT_HELLO, 5, 7, greeted) == NULL) {
        root->state = ROOT_AWAY;
        return;
    }
    root->state = ROOT_GREETING;
    put_key(root, "m");
    put_process_key(root, ledger->epoch);
    put_key(root, "l");
    put_contribution_key(root);
    put_key(root, "g");
    put_text(root->node, root->node->fence);
    put_number(root->node, (int64_t)root->node->session);
    put_text(root->node, span_of(ledger->proxy));
    put_number(root->node, ledger_recover_ms(ledger));
    put_number(root->node, LAYOUT);
    put_number(root->node, may_be_lost);
    put_number(root->node, FORGET_MS);
    node_send(root->node);
}

static void joined(struct command *command, const struct redisReply *reply)
{
    struct root *root = command->to;

    if (root->state != ROOT_JOINING) {
        return;
    }
    if (root->node == NULL || !node_is_up(root->node)) {
        root->state = ROOT_AWAY;
        return;
    }
    if (reply != NULL) {
        root_hear_born(root->ledger, reply_number(reply, 2, 0));
    }
    if (root->state != ROOT_JOINING) {
        return;
    }
    /* Nobody could tell: then it may be. */
    greet(root, reply == NULL || redis_reply_is_error(reply) || reply_number(reply, 1, 1) != 0);
}

/* The list of all parts is a part of its own. */
void root_join(struct root *root)
{
    struct root *registry = root->ledger->registry;
    struct command *command = NULL;

    if (registry->node == NULL) {
        registry->node = topology_find(root->ledger, registry);
    }
    root->state = ROOT_JOINING;
    if (registry->node == NULL || !node_is_up(registry->node)) {
        greet(root, true);
        return;
    }
    command = root_script(registry, SCRIPT_JOIN, 2, 3, joined);
    if (command == NULL) {
        root->state = ROOT_AWAY;
        return;
    }
    command->to = root;
    put_key(registry, "roots");
    put_key(registry, "born");
    put_text(registry->node, root->name);
    put_text(registry->node, root->node->fence);
    buf_clear(&root->ledger->scratch);
    buf_put_text(&root->ledger->scratch, "f");
    if (root->ledger->cluster != NULL) {
        buf_put(&root->ledger->scratch, root->node->fence); /* there are several at a time */
    }
    put_text(registry->node, buf_span(&root->ledger->scratch));
    node_send(registry->node);
}
