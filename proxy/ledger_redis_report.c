/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: the counters of one subject, found by its chain, or all, found by the index of windows that
 * each part of the book has. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "proxy/ledger_redis_jobs.h"

/* ---- items ---- */

static bool item_add(struct job *job, const struct item *like)
{
    size_t size = sizeof *like + like->budget.len + like->value.len;
    struct item *item = mem_take(size);
    char *text = (char *)(item + 1);

    if (item == NULL) {
        return false;
    }
    *item = *like;
    item->size = size;
    memcpy(text, like->budget.at, like->budget.len);
    item->budget.at = text;
    if (like->value.len > 0) {
        memcpy(text + like->budget.len, like->value.at, like->value.len);
    }
    item->value.at = text + like->budget.len;
    item->next = job->items;
    job->items = item;
    job->items_count++;
    return true;
}

static size_t item_keys(const struct item *item)
{
    return item->part_ms > 0 ? WINDOW_PARTS + 1 : 1;
}

static void put_item_keys(struct root *root, const struct item *item)
{
    struct buf *key = &root->ledger->scratch;

    for (size_t i = 0; i < item_keys(item); i++) {
        buf_clear(key);
        buf_put_text(key, "hg:{");
        buf_put(key, root->name);
        buf_put_text(key, "}:w:");
        buf_put_text(key, scope_word(item->scope));
        buf_put_char(key, ':');
        buf_put(key, item->budget);
        buf_put_format(key, ":%u:%u:%lld:", item->mark, (unsigned)item->generation,
                       (long long)(item->window.begin - (wall_ms)i * item->part_ms));
        buf_put(key, item->value);
        put_text(root->node, buf_span(key));
    }
}

static int64_t limit_of(const struct budgets *budgets, struct span name)
{
    for (size_t i = 0; i < budgets->count; i++) {
        if (span_equal(budgets->list[i].name, name)) {
            return budgets->list[i].limit;
        }
    }
    return -1;
}

static void put_row(struct job *job, const struct item *item, const struct redisReply *reply,
                    size_t at)
{
    struct ledger_row row = {
        .budget = item->budget,
        .value = item->value,
        .scope = item->scope,
        .unit = item->unit,
        .window = item->window,
        .generation = item->generation,
        .settled = reply_number(reply, at, 0),
        .held = reply_number(reply, at + 1, 0),
        .presumed = reply_number(reply, at + 2, 0),
        .overrun = reply_number(reply, at + 3, 0),
        .limit = limit_of(job->report->budgets, item->budget),
    };

    if (item->must_be_there && reply_number(reply, at + 4, 0) == 0) {
        return;
    }
    if (item->part_ms > 0) {
        row.window.begin = reply_number(reply, 0, 0) - item->part_ms * WINDOW_PARTS;
    }
    job->report->row(job->report, &row);
}

static void ask_index(struct job *job);

static void read_items(struct command *command, const struct redisReply *reply)
{
    struct job *job = job_of(command, reply);
    size_t at = 1;
    bool is_page = false;

    if (job == NULL) {
        return;
    }
    for (struct item *item = job->items; item != NULL; item = item->next, at += 5) {
        put_row(job, item, reply, at);
    }
    is_page = job->report->subject == NULL && job->offset > 0;
    job_drop_items(job);
    if (is_page) {
        ask_index(job);
    } else {
        job_next_root(job);
    }
}

static void ask_items(struct job *job)
{
    struct root *root = job->root;
    struct command *command = NULL;
    size_t keys = 0;

    for (const struct item *item = job->items; item != NULL; item = item->next) {
        keys += item_keys(item);
    }
    command = root_script(root, SCRIPT_READ, keys, 3 * job->items_count, read_items);
    if (command == NULL) {
        job_end(job, job_away);
        return;
    }
    command->to = job;
    job->is_busy = true;
    for (const struct item *item = job->items; item != NULL; item = item->next) {
        put_item_keys(root, item);
    }
    for (const struct item *item = job->items; item != NULL; item = item->next) {
        put_number(root->node, item->window.begin);
        put_number(root->node, item->part_ms);
        put_number(root->node, (int64_t)item_keys(item));
    }
    node_send(root->node);
}

/* ---- a report about one subject ---- */

static bool add_subject(struct job *job)
{
    struct chain chain;
    bool is_cross = span_equal(job->root->name, SPAN_OF("x"));

    chain_make(job->report->budgets, job->report->subject, &chain);
    for (uint8_t i = 0; i < chain.count; i++) {
        const struct budget *budget = chain.list[i].budget;
        struct win *win = NULL;
        struct item item;

        if (scope_is_shared(budget->scope.kind) != is_cross) {
            continue;
        }
        win = counter_take(job->root, budget, chain.list[i].value, ledger_now(job->ledger));
        if (win == NULL) {
            return false;
        }
        item = (struct item){.budget = budget->name,
                             .value = chain.list[i].value,
                             .scope = budget->scope.kind,
                             .unit = budget->unit,
                             .mark = win->counter->mark,
                             .generation = win->generation,
                             .window = win->window,
                             .part_ms = win->counter->part_ms};
        if (!item_add(job, &item)) {
            return false;
        }
    }
    return true;
}

/* ---- a report about all ---- */

/* scope:budget:mark:generation:begin:value, behind "hg:{root}:w:". False: it is no window's. */
static bool read_key(const struct root *root, struct span key, struct item *item)
{
    size_t before = root->name.len + sizeof "hg:{}:w:" - 1;
    struct span rest = span_from(key, before);
    struct span scope = span_cut(&rest, ':');
    uint64_t number = 0;
    struct span digits = {NULL, 0};

    if (key.len > JOB_TEXT_MAX || key.len <= before) {
        return false;
    }
    item->scope = SCOPE_KINDS;
    for (size_t i = 0; i < SCOPE_KINDS; i++) {
        if (span_equal(scope, span_of(scope_word((enum scope_kind)i)))) {
            item->scope = (enum scope_kind)i;
        }
    }
    item->budget = span_cut(&rest, ':');
    if (item->scope == SCOPE_KINDS || item->budget.len == 0 ||
        item->budget.len > BUDGET_NAME_MAX ||
        text_read_u64(span_cut(&rest, ':'), &number) != ERR_NONE || number > UINT32_MAX) {
        return false;
    }
    item->mark = (uint32_t)number;
    if (text_read_u64(span_cut(&rest, ':'), &number) != ERR_NONE || number > UINT32_MAX) {
        return false;
    }
    item->generation = (uint32_t)number;
    digits = span_cut(&rest, ':');
    if (digits.len > 0 && digits.at[0] == '-') {
        digits = SPAN_OF("0");
    }
    if (text_read_u64(digits, &number) != ERR_NONE || number > INT64_MAX || rest.at == NULL) {
        return false;
    }
    item->window.begin = (wall_ms)number;
    item->value = rest;
    return rest.len <= SCOPE_VALUE_MAX;
}

static bool is_listed(const struct job *job, const struct item *like)
{
    for (const struct item *item = job->items; item != NULL; item = item->next) {
        if (span_equal(item->budget, like->budget) && span_equal(item->value, like->value)) {
            return true;
        }
    }
    return false;
}

/* The index has each window; the row is that of the one which is open now. */
static bool add_indexed(struct job *job, struct span key)
{
    struct item item = {.must_be_there = true};
    const struct budgets *budgets = job->report->budgets;
    const struct budget *budget = NULL;

    if (!read_key(job->root, key, &item)) {
        return true;
    }
    for (size_t i = 0; i < budgets->count; i++) {
        if (span_equal(budgets->list[i].name, item.budget)) {
            budget = &budgets->list[i];
        }
    }
    if (budget != NULL) {
        struct window now;
        wall_ms begin = item.window.begin;

        window_at(&budget->window, ledger_now(job->ledger), &now);
        item.unit = budget->unit;
        item.window = now;
        if (item.mark != budget_mark(budget) ||
            item.generation != root_generation(job->root, item.budget, item.value)) {
            return true;
        }
        if (budget->window.kind == WINDOW_ROLLING) {
            item.part_ms = (int64_t)(budget->window.length_ms / WINDOW_PARTS);
            if (is_listed(job, &item)) {
                return true;
            }
        } else if (begin != now.begin && now.begin >= 0) {
            return true;
        }
    } else {
        item.window.end = INT64_MAX;
    }
    return item_add(job, &item);
}

static void hear_index(struct command *command, const struct redisReply *reply)
{
    struct job *job = job_of(command, reply);
    size_t count = job == NULL ? 0 : redis_reply_count(reply);

    if (job == NULL) {
        return;
    }
    job->offset = count < JOB_PAGE ? 0 : job->offset + count;
    for (size_t i = 0; i < count; i++) {
        if (!add_indexed(job, redis_reply_bytes(redis_reply_at(reply, i)))) {
            job_end(job, "there is no memory");
            return;
        }
    }
    if (job->items != NULL) {
        ask_items(job);
    } else if (job->offset > 0) {
        ask_index(job);
    } else {
        job_next_root(job);
    }
}

static void ask_index(struct job *job)
{
    struct root *root = job->root;
    struct command *command = node_command(root->node, 4, hear_index, root);

    if (command == NULL) {
        job_end(job, job_away);
        return;
    }
    command->to = job;
    job->is_busy = true;
    put_text(root->node, SPAN_OF("ZRANGE"));
    put_key(root, "i");
    put_number(root->node, (int64_t)job->offset);
    put_number(root->node, (int64_t)job->offset + JOB_PAGE - 1);
    node_send(root->node);
}

void job_report(struct job *job)
{
    if (job->report->subject == NULL) {
        job->offset = 0;
        ask_index(job);
    } else if (!add_subject(job)) {
        job_end(job, "there is no memory");
    } else if (job->items == NULL) {
        job_next_root(job);
    } else {
        ask_items(job);
    }
}
