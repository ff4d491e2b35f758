/* SPDX-License-Identifier: Apache-2.0 */
/* What earlier processes of this state directory left: settles that the server may not have heard of,
 * told again under their old numbers; sums, for a server that knows nothing of us; and holds, given back
 * when all is told. */
#include <string.h>

#include "base/mem.h"
#include "proxy/ledger_redis_parts.h"

enum { BATCH = 64, KEPT_MS = SEQUENCE_KEPT_MS };

struct old_op {
    struct link link; /* of its root's */
    struct op *op;
    uint64_t epoch;
    uint64_t number;
    bool is_told;
    mono_ms told_at;
};

static struct old_op *old_at(struct link *link)
{
    return LIST_OWNER(link, struct old_op, link);
}

static void drop(struct old_op *old)
{
    list_remove(&old->link);
    op_free(NULL, old->op);
    mem_give(old, sizeof *old);
}

void root_free_old(struct root *root)
{
    root->untold = NULL;
    while (!list_is_empty(&root->old)) {
        drop(old_at(root->old.next));
    }
}

/* Those who were told stand in front. There may be some hundred thousand, so nobody walks over them each time. */
static struct link *first_untold(struct root *root)
{
    struct link *at = root->untold == NULL ? root->old.next : root->untold;

    while (at != &root->old && old_at(at)->is_told) {
        at = at->next;
    }
    root->untold = at;
    return at;
}

void root_repeat_old(struct root *root)
{
    root->untold = NULL;
    root->is_telling_old = false;
    for (struct link *at = root->old.next; at != &root->old; at = at->next) {
        old_at(at)->is_told = old_at(at)->epoch < root->contributed;
        old_at(at)->told_at = loop_now(root->ledger->loop);
    }
}

void root_trim_old(struct root *root, mono_ms now)
{
    while (!list_is_empty(&root->old) && old_at(root->old.next)->is_told &&
           mono_add(old_at(root->old.next)->told_at, KEPT_MS) <= now) {
        drop(old_at(root->old.next));
    }
}

bool root_has_old(const struct root *root)
{
    return !list_is_empty(&root->old) && !old_at(root->old.prev)->is_told;
}

static void told(struct command *command, const struct redisReply *reply)
{
    struct root *root = command->root;
    mono_ms now = loop_now(root->ledger->loop);

    root->is_telling_old = false;
    if (reply == NULL || redis_reply_is_error(reply) || reply_number(reply, 0, -1) != 0) {
        root_mark(root, mono_add(now, BEAT_MS));
        return;
    }
    for (struct link *at = first_untold(root); at != &root->old && command->number > 0;
         at = at->next) {
        old_at(at)->is_told = true;
        old_at(at)->told_at = now;
        command->number--;
    }
    (void)first_untold(root); /* those that were told may be dropped from now on */
    root_flush_old(root);
}

static void put_owner(struct root *root, uint64_t epoch)
{
    struct buf *owner = &root->ledger->scratch;

    buf_clear(owner);
    buf_put_text(owner, root->ledger->proxy);
    buf_put_char(owner, ':');
    buf_put_u64(owner, epoch);
    put_text(root->node, buf_span(owner));
}

void root_flush_old(struct root *root)
{
    struct link *first = first_untold(root);
    struct link *end = NULL;
    struct command *command = NULL;
    size_t ops = 0;
    size_t windows = 0;

    if (first == &root->old || root->is_telling_old || root->state != ROOT_READY) {
        return;
    }
    for (end = first; end != &root->old && ops < BATCH && old_at(end)->epoch == old_at(first)->epoch;
         end = end->next) {
        ops++;
        windows += old_at(end)->op->count;
    }
    command = root_script(root, SCRIPT_SETTLE, 5 + windows, 5 + 4 * ops + 6 * windows, told);
    if (command == NULL) {
        return;
    }
    root->is_telling_old = true;
    command->number = ops;
    put_key(root, "m");
    put_process_key(root, old_at(first)->epoch);
    put_key(root, "h");
    put_key(root, "d");
    put_key(root, "i");
    for (struct link *at = first; at != end; at = at->next) {
        for (uint32_t i = 0; i < old_at(at)->op->count; i++) {
            put_win_key(old_at(at)->op->items[i].win);
        }
    }
    put_text(root->node, span_make("", 0));
    put_owner(root, old_at(first)->epoch);
    put_number(root->node, FORGET_MS);
    put_number(root->node, 1);
    put_number(root->node, (int64_t)ops);
    for (struct link *at = first; at != end; at = at->next) {
        put_number(root->node, (int64_t)old_at(at)->number);
        put_number(root->node, (int64_t)old_at(at)->number);
        put_op_items(root, old_at(at)->op);
    }
    node_send(root->node);
}

/* ---- what the owner of the records says ---- */

bool ledger_redis_load(struct ledger *ledger, struct span team, const struct budget *budget,
                       struct span value, wall_ms at, int64_t settled, int64_t overrun)
{
    struct root *root = root_find(ledger, team, scope_is_shared(budget->scope.kind));
    struct win *win = root == NULL ? NULL : counter_at(root, budget, value, at);

    if (win == NULL) {
        return false;
    }
    win->mine += settled;
    win->mine_over += overrun;
    root->is_wanted = true; /* the server may have forgotten it meanwhile */
    root_mark(root, loop_now(ledger->loop));
    return true;
}

static struct op *op_of(struct root *root, const struct ledger_redis_record *record, bool is_cross)
{
    struct op *op = op_new(record->chain->count);

    if (op == NULL) {
        return NULL;
    }
    memcpy(op->id, record->record_id.at, record->record_id.len);
    op->id_len = (uint8_t)record->record_id.len;
    for (uint8_t i = 0; i < record->chain->count; i++) {
        const struct chain_link *link = &record->chain->list[i];
        struct win *win = NULL;

        if (scope_is_shared(link->budget->scope.kind) != is_cross) {
            continue;
        }
        win = counter_at(root, link->budget, link->value, record->held_at);
        if (win == NULL) {
            op_free(NULL, op);
            return NULL;
        }
        op_add(op, win, record->actual.of[link->budget->unit], 0, 0);
    }
    return op;
}

static bool push_new(struct root *root, struct op *op, uint64_t *number)
{
    if (sequence_reserve(&root->sequence, root->open + 2) != ERR_NONE) {
        op_free(NULL, op);
        return false;
    }
    /* It is among the sums that were loaded. */
    for (uint32_t i = 0; i < op->count; i++) {
        op->items[i].win->mine -= op->items[i].actual;
    }
    *number = root_push(root, op);
    return true;
}

static bool is_later(const struct old_op *old, uint64_t epoch, uint64_t number)
{
    return old->epoch > epoch || (old->epoch == epoch && old->number > number);
}

/* In the order of their numbers: what a killed process had not brought into its journal yet comes there in
 * another, and the server passes over what is less than the last it was told. */
static bool push_old(struct root *root, struct op *op, uint64_t epoch, uint64_t number)
{
    struct link *at = root->old.prev;

    struct old_op *old = mem_take_zero(sizeof *old);

    if (old == NULL) {
        op_free(NULL, op);
        return false;
    }
    old->op = op;
    old->epoch = epoch;
    old->number = number;
    while (at != &root->old && is_later(old_at(at), epoch, number)) {
        at = at->prev;
    }
    list_push_front(at, &old->link);
    root->untold = NULL;
    root_mark(root, loop_now(root->ledger->loop));
    return true;
}

bool ledger_redis_resend(struct ledger *ledger, const struct ledger_redis_record *record)
{
    uint64_t numbers[LEGS] = {record->numbers.cross, record->numbers.team};
    uint64_t *given[LEGS] = {&ledger->numbers.cross, &ledger->numbers.team};

    must(record->record_id.len <= RECORD_ID_MAX && record->epoch < ledger->epoch);
    ledger->numbers = (struct ledger_redis_numbers){0, 0};
    for (size_t leg = 0; leg < LEGS; leg++) {
        struct root *root = NULL;
        struct op *op = NULL;
        bool counts = false;

        for (uint8_t i = 0; i < record->chain->count; i++) {
            counts = counts || scope_is_shared(record->chain->list[i].budget->scope.kind) ==
                                   (leg == LEG_CROSS);
        }
        if (!counts || (record->epoch > 0 && numbers[leg] == 0)) {
            continue;
        }
        root = root_find(ledger, record->team, leg == LEG_CROSS);
        op = root == NULL ? NULL : op_of(root, record, leg == LEG_CROSS);
        if (op == NULL || !(record->epoch == 0
                                ? push_new(root, op, given[leg])
                                : push_old(root, op, record->epoch, numbers[leg]))) {
            return false;
        }
    }
    return true;
}

void ledger_redis_resent(struct ledger *ledger)
{
    ledger->voids_old = true;
}

wall_ms ledger_redis_settled_until(const struct ledger *ledger)
{
    wall_ms until = loop_wall(ledger->loop);

    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        struct root *root = LIST_OWNER(at, struct root, link);

        if (root_has_old(root)) {
            return 0;
        }
        if (root->unsaid_since < until) {
            until = root->unsaid_since;
        }
    }
    return until - KEPT_MS;
}
