/* SPDX-License-Identifier: Apache-2.0 */
/* What was used, told in order. One operation for a hold of its own; what was spent of loans is summed up
 * until it is told, so that a hundred calls are one operation. Many go with one script, and before each hold
 * that is asked for what was settled before it. */
#include <string.h>

#include "base/mem.h"
#include "proxy/ledger_redis_parts.h"

enum { OP_ITEMS_MAX = BATCH_WINDOWS, WARNED_LIMIT = 1 << 7 };

/* ---- operations ---- */

struct op *op_new(size_t cap)
{
    struct op *op = mem_take(sizeof *op + cap * sizeof *op->own);

    if (op != NULL) {
        op->items = op->own;
        op->count = 0;
        op->cap = (uint32_t)cap;
        op->own_cap = (uint16_t)cap;
        op->id_len = 0;
        op->was_said = false;
    }
    return op;
}

void op_free(void *to, void *what)
{
    struct op *op = what;

    (void)to;
    if (op == NULL) {
        return;
    }
    for (uint32_t i = 0; i < op->count; i++) {
        if (op->items[i].win->in_op == op) {
            op->items[i].win->in_op = NULL;
        }
        win_let_go(op->items[i].win);
    }
    if (op->items != op->own) {
        mem_give(op->items, op->cap * sizeof *op->items);
    }
    mem_give(op, sizeof *op + op->own_cap * sizeof *op->own);
}

void op_add(struct op *op, struct win *win, int64_t actual, int64_t shrink, int64_t over)
{
    must(op->count < op->cap);
    op->items[op->count++] = (struct op_item){
        .win = win,
        .actual = actual < BUDGET_MONEY_MAX ? actual : BUDGET_MONEY_MAX, /* or the sum overflows there */
        .shrink = shrink,
        .over = over < BUDGET_MONEY_MAX ? over : BUDGET_MONEY_MAX};
    win->refs++;
}

static bool op_grow(struct op *op, uint32_t more)
{
    uint32_t cap = op->cap * 2 > op->count + more ? op->cap * 2 : op->count + more;
    struct op_item *items = NULL;

    if (op->count + more <= op->cap) {
        return true;
    }
    items = op->count + more > OP_ITEMS_MAX ? NULL : mem_take(cap * sizeof *items);
    if (items == NULL) {
        return false;
    }
    memcpy(items, op->items, op->count * sizeof *items);
    if (op->items != op->own) {
        mem_give(op->items, op->cap * sizeof *items);
    }
    op->items = items;
    op->cap = cap;
    return true;
}

/* False: it stays what it is. What was said once may be booked, though nobody heard the answer: it must
 * stay what it was, or its first part would be booked again with the rest. */
static bool join_ops(struct op *tail, struct op *op)
{
    if (tail == NULL || tail->was_said || tail->id_len > 0 || op->id_len > 0 || !op_grow(tail, op->count)) {
        return false;
    }
    for (uint32_t i = 0; i < op->count; i++) {
        struct op_item *item = &op->items[i];
        struct win *win = item->win;

        if (win->in_op == tail) {
            tail->items[win->in_op_at].actual += item->actual;
            tail->items[win->in_op_at].shrink += item->shrink;
            tail->items[win->in_op_at].over += item->over;
        } else {
            win->in_op = tail;
            win->in_op_at = tail->count;
            op_add(tail, win, item->actual, item->shrink, item->over);
        }
    }
    return true;
}

static bool says_nothing(const struct op *op)
{
    for (uint32_t i = 0; i < op->count; i++) {
        if (op->items[i].actual != 0 || op->items[i].shrink != 0) {
            return false;
        }
    }
    return op->id_len == 0;
}

uint64_t root_push(struct root *root, struct op *op)
{
    uint64_t number = root->sequence.next;
    mono_ms now = loop_now(root->ledger->loop);
    mono_ms flush_at = op->id_len > 0 ? now : mono_add(now, FLUSH_MS);

    if (says_nothing(op)) {
        op_free(NULL, op);
        return 0;
    }
    for (uint32_t i = 0; i < op->count; i++) {
        op->items[i].win->mine += op->items[i].actual;
        op->items[i].win->mine_over += op->items[i].over;
    }
    if (join_ops(sequence_tail(&root->sequence, root->said), op)) {
        sequence_join(&root->sequence);
        op_free(NULL, op);
    } else {
        for (uint32_t i = 0; i < op->count && op->id_len == 0; i++) {
            op->items[i].win->in_op = op;
            op->items[i].win->in_op_at = i;
        }
        sequence_push(&root->sequence, 1, op);
    }
    if (flush_at < root->flush_at) {
        root->flush_at = flush_at;
    }
    if (root->unsaid_since == INT64_MAX) {
        root->unsaid_since = loop_wall(root->ledger->loop);
    }
    root_mark(root, root->flush_at);
    return number;
}

void root_reckon_unsaid(struct root *root)
{
    const struct sequence_entry *entry = NULL;

    for (struct link *at = root->counters.next; at != &root->counters; at = at->next) {
        for (struct win *win = LIST_OWNER(at, struct counter, link)->newest; win != NULL;
             win = win->older) {
            win->unsaid = 0;
            win->unsaid_over = 0;
            win->unsaid_shrink = 0;
        }
    }
    for (size_t i = 0; (entry = sequence_unsaid(&root->sequence, i)) != NULL; i++) {
        struct op *op = entry->what;

        for (uint32_t j = 0; j < op->count; j++) {
            op->items[j].win->unsaid += op->items[j].actual;
            op->items[j].win->unsaid_over += op->items[j].over;
            op->items[j].win->unsaid_shrink += op->items[j].shrink;
        }
    }
}

/* ---- warnings ---- */

static const struct budget *budget_of(const struct ledger *ledger, struct span name)
{
    for (size_t i = 0; i < ledger->budgets->count; i++) {
        if (span_equal(ledger->budgets->list[i].name, name)) {
            return &ledger->budgets->list[i];
        }
    }
    return NULL;
}

/* The server tells sums after each step, so exactly one process sees a threshold being passed. (Of a
 * rolling window, whose sum moves by itself, each process tells once.) */
void root_settled(struct root *root, struct win *win, int64_t actual, int64_t settled)
{
    struct ledger *ledger = root->ledger;
    const struct budget *budget = budget_of(ledger, win->counter->budget);
    int64_t before = settled - actual;
    uint8_t percent = 0;

    if (win->counter->part_ms > 0) {
        before = win->settled;
        settled = win->settled + actual;
    }
    win->settled = settled;
    if (budget == NULL || ledger->ears.ledger.on_warning == NULL || !win_is_newest(win)) {
        return;
    }
    for (uint8_t i = 0; i <= budget->warn_count; i++) {
        uint8_t at = i == budget->warn_count ? 100 : budget->warn_at[i];
        uint8_t bit = i == budget->warn_count ? WARNED_LIMIT : (uint8_t)(1U << i);

        if (budget_is_past(budget, at, settled) && (win->warned & bit) == 0) {
            win->warned |= bit;
            percent = budget_is_past(budget, at, before) || at < percent ? percent : at;
        }
    }
    if (percent > 0) {
        struct ledger_warning warning = {
            .budget = win->counter->budget,
            .value = win->counter->value,
            .unit = win->counter->unit,
            .mode = budget->mode,
            .percent = percent,
            .settled = settled,
            .limit = budget->limit,
            .window_end = win->window.end,
        };

        ledger->ears.ledger.on_warning(ledger->ears.ledger.to, &warning);
    }
}

/* ---- telling ---- */

static void hear_sums(struct root *root, const struct redisReply *reply, size_t ops)
{
    size_t at = 3;

    for (size_t i = 0; i < ops; i++) {
        const struct sequence_entry *entry = sequence_unsaid(&root->sequence, i);
        struct op *op = entry == NULL ? NULL : entry->what;

        for (uint32_t j = 0; op != NULL && j < op->count; j++) {
            int64_t settled = reply_number(reply, at++, -1);

            if (settled >= 0) {
                root_settled(root, op->items[j].win, op->items[j].actual, settled);
            }
        }
    }
}

static void settled(struct command *command, const struct redisReply *reply)
{
    struct root *root = command->root;
    struct ledger *ledger = root->ledger;
    int64_t code = -1;

    if (reply == NULL) {
        return; /* the root is greeted again, and learns there what was done */
    }
    code = reply_number(reply, 0, -1);
    if (redis_reply_is_error(reply) || code < 0) {
        /* The server is full, or one of the keys is no ledger's: the faulty operation is not booked. */
        root_lose(root);
        root_rest(root, reply);
        return;
    }
    ledger_hear_time(ledger, reply_number(reply, 1, 0));
    if (code != 0) {
        root_lose(root); /* the greeting tells from where on to go on */
        return;
    }
    hear_sums(root, reply, command->number);
    root->said -= command->number;
    sequence_hear(&root->sequence, (uint64_t)reply_number(reply, 2, 0), loop_now(ledger->loop));
    if (sequence_unsaid_count(&root->sequence) == 0) {
        root->unsaid_since = INT64_MAX;
    }
    if (root->said + BATCH_OPS <= SAID_MAX) {
        root_flush(root);
    }
}

/* Its id and what it says of each window. */
void put_op_items(struct root *root, const struct op *op)
{
    struct node *node = root->node;

    put_text(node, span_make(op->id, op->id_len));
    put_number(node, op->count);
    for (uint32_t i = 0; i < op->count; i++) {
        put_number(node, op->items[i].actual);
        put_number(node, op->items[i].shrink);
        put_number(node, op->items[i].over);
        put_win_birth(op->items[i].win);
    }
}

static bool flush_batch(struct root *root)
{
    struct ledger *ledger = root->ledger;
    size_t first = root->said;
    size_t ops = 0;
    size_t windows = 0;
    bool has_gap = first == 0 && sequence_has_gap(&root->sequence);
    const struct sequence_entry *entry = NULL;
    struct command *command = NULL;

    while (ops < BATCH_OPS && (entry = sequence_unsaid(&root->sequence, first + ops)) != NULL) {
        const struct op *op = entry->what;

        if (ops > 0 && windows + op->count > BATCH_WINDOWS) {
            break;
        }
        ops++;
        windows += op->count;
    }
    if (ops == 0) {
        return false;
    }
    command = root_script(root, SCRIPT_SETTLE, 5 + windows, 5 + 4 * ops + 6 * windows, settled);
    if (command == NULL) {
        return false;
    }
    command->number = ops;
    if (has_gap) {
        ledger->counts.gaps++;
        ledger_notice(ledger, LEDGER_NOTICE_GAP, root->name, "");
    }
    put_key(root, "m");
    put_process_key(root, ledger->epoch);
    put_key(root, "h");
    put_key(root, "d");
    put_key(root, "i");
    for (size_t i = first; i < first + ops; i++) {
        const struct op *op = sequence_unsaid(&root->sequence, i)->what;

        for (uint32_t j = 0; j < op->count; j++) {
            put_win_key(op->items[j].win);
        }
    }
    put_number(root->node, (int64_t)root->node->session);
    put_text(root->node, span_of(ledger->owner));
    put_number(root->node, FORGET_MS);
    put_number(root->node, has_gap);
    put_number(root->node, (int64_t)ops);
    for (size_t i = first; i < first + ops; i++) {
        const struct sequence_entry *said = sequence_unsaid(&root->sequence, i);

        put_number(root->node, (int64_t)said->first);
        put_number(root->node, (int64_t)said->last);
        put_op_items(root, said->what);
        ((struct op *)said->what)->was_said = true;
    }
    root->said += ops;
    node_send(root->node);
    return true;
}

void root_flush(struct root *root)
{
    if (root->state != ROOT_READY || root->flush_at > loop_now(root->ledger->loop)) {
        return;
    }
    while (root->said < sequence_unsaid_count(&root->sequence)) {
        /* After an outage there may be more than a connection takes at once: the rest follows on answers. */
        if (root->said >= SAID_MAX || !flush_batch(root)) {
            return;
        }
    }
    root->flush_at = MONO_NEVER;
}
