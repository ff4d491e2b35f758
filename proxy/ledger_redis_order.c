/* SPDX-License-Identifier: Apache-2.0 */
/* Reports and orders: jobs that go through parts of the book, one after the other. Which parts there are,
 * the registry knows; a report about one subject needs two of them at most. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "proxy/ledger_redis_jobs.h"

/* ---- ends ---- */

void job_drop_items(struct job *job)
{
    while (job->items != NULL) {
        struct item *first = job->items;

        job->items = first->next;
        mem_give(first, first->size);
    }
    job->items_count = 0;
}

static void drop_name(struct job *job)
{
    struct name *first = job->names;

    job->names = first->next;
    mem_give(first, sizeof *first + first->len);
}

void job_end(struct job *job, const char *why)
{
    struct ledger_report *report = job->report;
    struct ledger_order *order = job->order;

    job_drop_items(job);
    while (job->names != NULL) {
        drop_name(job);
    }
    if (report == NULL && order == NULL) {
        job->ledger->voids_old = job->ledger->voids_old || why != NULL;
        job->ledger->voided_at = loop_now(job->ledger->loop);
    }
    list_remove(&job->link);
    if (order != NULL) {
        order->touched = job->touched;
    }
    mem_give(job, sizeof *job);
    if (report != NULL) {
        report->done(report, why == NULL);
    }
    if (order != NULL) {
        order->done(order, why == NULL, why);
    }
}

void orders_free(struct ledger *ledger)
{
    while (!list_is_empty(&ledger->jobs)) {
        job_end(LIST_OWNER(ledger->jobs.next, struct job, link), "the ledger ends");
    }
}

const char job_away[] = "Redis cannot be asked";

/* What the job's command says; NULL: it is over. */
struct job *job_of(struct command *command, const struct redisReply *reply)
{
    struct job *job = command->to;

    job->is_busy = false;
    if (reply == NULL || redis_reply_is_error(reply)) {
        job_end(job, job_away);
        return NULL;
    }
    return job;
}

/* ---- orders ---- */

static void hear_touched(struct command *command, const struct redisReply *reply)
{
    struct job *job = job_of(command, reply);

    if (job == NULL) {
        return;
    }
    job->touched += (uint64_t)reply_number(reply, 1, 0);
    root_lose(job->root); /* to hear of the new generations */
    job_next_root(job);
}

/* Its keys and arguments follow, the part's meta key first. False: the job has ended. */
static bool begin_order(struct job *job, enum redis_script script, size_t keys)
{
    struct command *command = root_script(job->root, script, keys, 1, hear_touched);

    if (command == NULL) {
        job_end(job, job_away);
        return false;
    }
    command->to = job;
    job->is_busy = true;
    put_key(job->root, "m");
    return true;
}

static void ask_reset(struct job *job)
{
    struct root *root = job->root;
    struct buf *field = &job->ledger->scratch;

    if (!begin_order(job, SCRIPT_RESET, 2)) {
        return;
    }
    put_key(root, "g");
    buf_clear(field);
    buf_put(field, job->order->budget);
    if (job->order->has_value) {
        buf_put_char(field, '\0');
        buf_put(field, job->order->value);
    }
    put_text(root->node, buf_span(field));
    node_send(root->node);
}

/* A rebuild: what the server has of the part goes, and whoever has a share brings it back, as after a
 * server that forgot. */
static void ask_rebuild(struct job *job)
{
    struct root *root = job->root;

    if (!begin_order(job, SCRIPT_REBUILD, 4)) {
        return;
    }
    put_key(root, "i");
    put_key(root, "h");
    put_key(root, "d");
    put_number(root->node, 2 * (int64_t)ledger_recover_ms(job->ledger));
    node_send(root->node);
}

static void hear_begun_anew(struct command *command, const struct redisReply *reply)
{
    struct job *job = job_of(command, reply);

    if (job != NULL) {
        job_end(job, NULL);
    }
}

/* Then those who are idle notice within a second, as after a server that forgot all. */
static void begin_anew(struct job *job)
{
    struct root *registry = job->ledger->registry;
    bool is_up = registry->node != NULL && node_is_up(registry->node);
    struct command *command = is_up ? node_command(registry->node, 3, hear_begun_anew, NULL) : NULL;

    if (command == NULL) {
        job_end(job, job_away);
        return;
    }
    command->to = job;
    job->is_busy = true;
    put_text(registry->node, SPAN_OF("HDEL"));
    put_key(registry, "born");
    put_text(registry->node, SPAN_OF("born"));
    node_send(registry->node);
}

static bool take_cursor(struct job *job, const struct redisReply *reply, size_t at)
{
    struct span cursor = at < redis_reply_count(reply) ? redis_reply_bytes(redis_reply_at(reply, at))
                                                       : span_make(NULL, 0);

    if (cursor.at == NULL || cursor.len >= sizeof job->cursor) {
        job_end(job, job_away);
        return false;
    }
    memcpy(job->cursor, cursor.at, cursor.len);
    job->cursor[cursor.len] = '\0';
    return true;
}

static bool ask_holds(struct job *job);

static void hear_voided(struct command *command, const struct redisReply *reply)
{
    struct job *job = job_of(command, reply);

    if (job == NULL) {
        return;
    }
    job->touched += (uint64_t)reply_number(reply, 1, 0);
    if (span_equal(span_of(job->cursor), SPAN_OF("0"))) {
        job_next_root(job);
    } else {
        (void)ask_holds(job);
    }
}

/* Of a process that an operator named: what is presumed. Of earlier ones of our own name: all. */
static bool takes(void *to, const struct redisReply *row)
{
    const struct job *job = to;
    struct span state = redis_reply_count(row) > 2 ? redis_reply_bytes(redis_reply_at(row, 1))
                                                   : span_make(NULL, 0);
    struct span owner = redis_reply_count(row) > 2 ? redis_reply_bytes(redis_reply_at(row, 2))
                                                   : span_make(NULL, 0);
    struct span rest = owner;
    struct span name = span_cut(&rest, ':');

    if (job->order != NULL) {
        return span_equal(name, job->order->value) && span_equal(state, SPAN_OF("P"));
    }
    return span_equal(name, span_of(job->ledger->proxy)) &&
           !span_equal(owner, span_of(job->ledger->owner));
}

static void hear_holds(struct command *command, const struct redisReply *reply)
{
    struct job *job = job_of(command, reply);

    if (job == NULL || !take_cursor(job, reply, 1)) {
        return;
    }
    if (root_reap(job->root, reply, takes, job, "V", hear_voided)) {
        job->is_busy = true;
    } else if (span_equal(span_of(job->cursor), SPAN_OF("0"))) {
        job_next_root(job);
    } else {
        (void)ask_holds(job);
    }
}

static bool ask_holds(struct job *job)
{
    if (!root_list(job->root, JOB_PAGE, span_of(job->cursor), hear_holds, job)) {
        job_end(job, job_away);
        return false;
    }
    job->is_busy = true;
    return true;
}

/* ---- from part to part ---- */

static void work(struct job *job)
{
    if (job->report != NULL) {
        job_report(job);
    } else if (job->order != NULL && job->order->kind == ORDER_RESET) {
        ask_reset(job);
    } else if (job->order != NULL && job->order->kind == ORDER_REBUILD) {
        ask_rebuild(job);
    } else {
        memcpy(job->cursor, "0", 2);
        (void)ask_holds(job);
    }
}

/* Parts that were not greeted are, and the job goes on at a later step. */
static void step(struct job *job)
{
    struct root *root = job->root;

    if (job->is_busy || root == NULL) {
        return;
    }
    if (root->state == ROOT_READY && node_is_up(root->node)) {
        work(job);
    } else if (loop_now(job->ledger->loop) >= job->until) {
        job_end(job, job_away);
    } else {
        root->is_wanted = true;
        root_mark(root, loop_now(job->ledger->loop));
    }
}

void orders_step(struct ledger *ledger)
{
    struct link *next = NULL;

    for (struct link *at = ledger->jobs.next; at != &ledger->jobs; at = next) {
        next = at->next;
        step(LIST_OWNER(at, struct job, link));
    }
}

void job_next_root(struct job *job)
{
    struct ledger *ledger = job->ledger;

    job->root = NULL;
    while (job->names != NULL && job->root == NULL) {
        struct span name = span_make(job->names->text, job->names->len);
        bool is_cross = span_equal(name, SPAN_OF("x"));

        if (is_cross || span_starts(name, SPAN_OF("t:"))) {
            job->root = root_find(ledger, span_from(name, is_cross ? 1 : 2), is_cross);
        }
        drop_name(job);
    }
    if (job->root == NULL && job->order != NULL && job->order->kind == ORDER_REBUILD) {
        begin_anew(job);
        return;
    }
    if (job->root == NULL) {
        job_end(job, NULL);
        return;
    }
    job->until = mono_add(loop_now(ledger->loop), JOB_MS);
    step(job);
}

static bool add_name(struct job *job, struct span text)
{
    struct name *name = mem_take(sizeof *name + text.len);

    if (name == NULL) {
        return false;
    }
    memcpy(name->text, text.at, text.len);
    name->len = text.len;
    name->next = job->names;
    job->names = name;
    return true;
}

static void hear_names(struct command *command, const struct redisReply *reply)
{
    struct job *job = job_of(command, reply);

    if (job == NULL) {
        return;
    }
    for (size_t i = 0; i < redis_reply_count(reply) && i < JOB_NAMES_MAX; i++) {
        struct span name = redis_reply_bytes(redis_reply_at(reply, i));

        if (name.at != NULL && name.len <= JOB_TEXT_MAX && !add_name(job, name)) {
            job_end(job, "there is no memory");
            return;
        }
    }
    job_next_root(job);
}

static void ask_names(struct job *job)
{
    struct root *registry = job->ledger->registry;
    struct command *command = NULL;

    registry->node = topology_find(job->ledger, registry);
    if (registry->node == NULL || !node_is_up(registry->node)) {
        job_end(job, job_away);
        return;
    }
    command = node_command(registry->node, 2, hear_names, NULL);
    if (command == NULL) {
        job_end(job, job_away);
        return;
    }
    command->to = job;
    job->is_busy = true;
    put_text(registry->node, SPAN_OF("SMEMBERS"));
    put_key(registry, "roots");
    node_send(registry->node);
}

static struct job *job_new(struct ledger *ledger)
{
    struct job *job = mem_take_zero(sizeof *job);

    if (job != NULL) {
        job->ledger = ledger;
        list_init(&job->link);
        list_push_back(&ledger->jobs, &job->link);
    }
    return job;
}

/* ---- the port ---- */

void order_report(struct ledger *ledger, struct ledger_report *report)
{
    struct job *job = job_new(ledger);

    if (job == NULL) {
        report->done(report, false);
        return;
    }
    job->report = report;
    if (report->subject == NULL) {
        ask_names(job);
        return;
    }
    {
        struct span team = report->subject->values[SCOPE_TEAM];
        struct root *root = root_find(ledger, team, false);

        if (root == NULL || !add_name(job, root->name) || !add_name(job, SPAN_OF("x"))) {
            job_end(job, "there is no memory");
            return;
        }
    }
    job_next_root(job);
}

void order_obey(struct ledger *ledger, struct ledger_order *order)
{
    struct job *job = NULL;

    order->touched = 0;
    if (order->kind == ORDER_REBUILD && order->budget.len > 0) {
        order->done(order, false, "in Redis budgets are rebuilt all at once: leave out the name");
        return;
    }
    job = job_new(ledger);
    if (job == NULL) {
        order->done(order, false, "there is no memory");
        return;
    }
    job->order = order;
    ask_names(job);
}

bool order_void_old(struct ledger *ledger)
{
    struct job *job = NULL;

    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        const struct root *root = LIST_OWNER(at, struct root, link);

        if (root_has_old(root) || (!list_is_empty(&root->old) && root->state != ROOT_READY)) {
            return false;
        }
    }
    if (ledger->registry->node == NULL || !node_is_up(ledger->registry->node)) {
        return false;
    }
    job = job_new(ledger);
    if (job == NULL) {
        return false;
    }
    ask_names(job);
    return true;
}
