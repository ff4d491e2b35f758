/* SPDX-License-Identifier: Apache-2.0 */
/* One part of the book: all keys with one hash tag, so that one script can touch them on whatever
 * server has them. A team's own counters are one part, those that cross teams another. It is greeted
 * (ledger_redis_greet.c) before anything is asked of it, and again whenever it may have changed. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "proxy/ledger_redis_parts.h"

enum { REAP_BATCH = 64, REAP_PAUSE_MS = 10, BEATS_PER_TOUCH = 10, TOUCHES_MAX = 2000 };

/* ---- keys ---- */

void begin_key(struct root *root, struct buf *key)
{
    buf_clear(key);
    buf_put(key, SPAN_OF("hg:{"));
    buf_put(key, root->name);
    buf_put(key, SPAN_OF("}:"));
}

void put_key(struct root *root, const char *rest)
{
    struct buf *key = &root->ledger->scratch;

    begin_key(root, key);
    buf_put_text(key, rest);
    put_text(root->node, buf_span(key));
}

void put_process_key(struct root *root, uint64_t epoch)
{
    struct buf *key = &root->ledger->scratch;

    begin_key(root, key);
    buf_put_text(key, "q:");
    buf_put_text(key, root->ledger->proxy);
    buf_put_char(key, ':');
    buf_put_u64(key, epoch);
    put_text(root->node, buf_span(key));
}

/* The script's own answer tells. */
static void asked(struct command *command, const struct redisReply *reply)
{
    (void)command;
    (void)reply;
}

struct command *root_script(struct root *root, enum redis_script script, size_t keys, size_t args,
                            void (*done)(struct command *, const struct redisReply *))
{
    if (root->is_asking) {
        struct command *asking = node_command(root->node, 1, asked, NULL);

        if (asking == NULL) {
            return NULL;
        }
        put_text(root->node, SPAN_OF("ASKING"));
    }
    return node_script(root->node, script, keys, args, done, root);
}

/* ---- generations ---- */

static void forget_generations(struct root *root)
{
    while (root->generations != NULL) {
        struct generation *first = root->generations;

        root->generations = first->next;
        mem_give(first, sizeof *first + first->len);
    }
}

void hear_generations(struct root *root, const struct redisReply *pairs)
{
    forget_generations(root);
    for (size_t i = 0; i + 1 < redis_reply_count(pairs); i += 2) {
        struct span key = redis_reply_bytes(redis_reply_at(pairs, i));
        struct span digits = redis_reply_bytes(redis_reply_at(pairs, i + 1));
        struct generation *one = NULL;
        uint64_t number = 0;

        if (key.at == NULL || key.len > BUDGET_NAME_MAX + 1 + SCOPE_VALUE_MAX ||
            text_read_u64(digits, &number) != ERR_NONE || number > UINT32_MAX) {
            continue;
        }
        one = mem_take(sizeof *one + key.len);
        if (one != NULL) {
            one->next = root->generations;
            one->number = (uint32_t)number;
            one->len = (uint32_t)key.len;
            memcpy(one->key, key.at, key.len);
            root->generations = one;
        }
    }
}

size_t count_generations(const struct root *root)
{
    size_t count = 0;

    for (const struct generation *one = root->generations; one != NULL; one = one->next) {
        count++;
    }
    return count;
}

/* How often the budget was reset as a whole, and for this value. */
uint32_t root_generation(const struct root *root, struct span budget, struct span value)
{
    uint32_t number = 0;

    for (const struct generation *one = root->generations; one != NULL; one = one->next) {
        struct span key = span_make(one->key, one->len);
        struct span name = span_cut(&key, '\0');

        if (span_equal(name, budget) && (key.at == NULL || span_equal(key, value))) {
            number += one->number;
        }
    }
    return number;
}

void root_lose(struct root *root)
{
    root->state = ROOT_AWAY;
    root->era++;
    root->said = 0;
    root->is_beating = false;
    root->node = NULL;
    root->is_asking = false;
    root_mark(root, loop_now(root->ledger->loop));
}

void root_mark(struct root *root, mono_ms at)
{
    if (list_is_empty(&root->dirty)) {
        list_push_back(&root->ledger->dirty, &root->dirty);
    }
    ledger_wake(root->ledger, at);
}

void root_rest(struct root *root, const struct redisReply *reply)
{
    struct span text = redis_reply_text(reply);

    root->retry_at = mono_add(loop_now(root->ledger->loop), BEAT_MS);
    ledger_notice(root->ledger, LEDGER_NOTICE_SICK, root->name,
                  span_find(text, SPAN_OF("OOM")) != NULL
                      ? "the server is full (OOM): nothing can be held or booked"
                      : "one of the keys is not what a ledger writes (WRONGTYPE)");
}

bool root_may_return(const struct root *root)
{
    if (loop_now(root->ledger->loop) < root->retry_at) {
        return false;
    }
    return root->node != NULL ? node_may_return(root->node)
                              : loop_now(root->ledger->loop) <
                                    mono_add(root->ledger->lost_at, ledger_wait_ms(root->ledger));
}

static bool has_business(const struct root *root)
{
    return !list_is_empty(&root->waiting) || !list_is_empty(&root->held) ||
           root->sequence.count > 0 || root->open > 0 ||
           !list_is_empty(&root->old) || root->is_wanted ||
           !list_is_empty(&root->lent);
}

void root_pump(struct root *root)
{
    struct ledger *ledger = root->ledger;
    mono_ms now = loop_now(ledger->loop);

    if (ledger->is_ending) {
        return;
    }
    if (root->node == NULL) {
        root->node = topology_find(ledger, root);
    }
    if (root->node == NULL || !node_is_up(root->node)) {
        return;
    }
    if (root->state == ROOT_AWAY && now >= root->retry_at && has_business(root)) {
        root_join(root);
    }
    while (root->state == ROOT_READY && !list_is_empty(&root->waiting)) {
        struct hold *hold = LIST_OWNER(root->waiting.next, struct hold, wait);

        if (now < root->recovers_at && hold_waits_for_recovery(hold, root)) {
            root_mark(root, root->recovers_at);
            return;
        }
        list_remove(&hold->wait);
        root_flush(root);
        hold_ask(hold, root);
    }
}

/* ---- its life ---- */

static void beaten(struct command *command, const struct redisReply *reply)
{
    struct root *root = command->root;
    struct ledger *ledger = root->ledger;

    root->is_beating = false;
    if (reply == NULL || root->state != ROOT_READY) {
        return;
    }
    if (redis_reply_is_error(reply) || reply_number(reply, 0, -1) != 0 ||
        reply_number(reply, 4, 0) != 1) {
        root_lose(root);
        return;
    }
    ledger_hear_time(ledger, reply_number(reply, 1, 0));
    if (root->said == 0 && (uint64_t)reply_number(reply, 2, 0) < root->sequence.acked) {
        root_lose(root); /* it has forgotten something */
        return;
    }
    root->processes = (uint32_t)reply_number(reply, 3, 1);
}

static void beat(struct root *root)
{
    /* A tenth of them with each beat, the longest untouched first. */
    size_t all = root->held_count;
    size_t count = all / BEATS_PER_TOUCH + 1 < TOUCHES_MAX ? all / BEATS_PER_TOUCH + 1 : TOUCHES_MAX;

    count = count < all ? count : all;

    if (root_script(root, SCRIPT_BEAT, 4, 4 + count, beaten) == NULL) {
        return;
    }
    root->is_beating = true;
    put_key(root, "m");
    put_process_key(root, root->ledger->epoch);
    put_key(root, "l");
    put_key(root, "d");
    put_text(root->node, root->node->fence);
    put_number(root->node, (int64_t)root->node->session);
    put_text(root->node, span_of(root->ledger->proxy));
    put_number(root->node, LEASE_MS);
    for (size_t i = 0; i < count; i++) {
        struct leg *leg = LIST_OWNER(root->held.next, struct leg, link);
        struct hold *hold = leg_owner(leg);

        list_remove(&leg->link);
        list_push_back(&root->held, &leg->link);
        put_text(root->node, span_make(hold->id, hold->id_len));
    }
    node_send(root->node);
}

static void listed(struct command *command, const struct redisReply *reply)
{
    struct root *root = command->root;

    if (reply == NULL || root->state != ROOT_READY) {
        return;
    }
    /* Others are due too. Calls go first. */
    root->has_due = redis_reply_count(reply) == REAP_BATCH + 2;
    if (root->has_due) {
        root->reap_at = mono_add(loop_now(root->ledger->loop), REAP_PAUSE_MS);
        root_mark(root, root->reap_at);
    }
    (void)root_reap(root, reply, NULL, NULL, "P", asked);
}

static void reap_due(struct root *root, mono_ms now)
{
    if (root->state == ROOT_READY && now >= root->reap_at) {
        root->has_due = false;
        root->reap_at = mono_add(now, REAP_MS / 2 + rng_below(&root->ledger->rng, REAP_MS));
        (void)root_list(root, REAP_BATCH, span_make("", 0), listed, NULL);
    }
}

void root_tick(struct root *root)
{
    mono_ms now = loop_now(root->ledger->loop);

    list_remove(&root->dirty);
    root_pump(root);
    root_flush(root);
    root_flush_old(root);
    if (root->has_due) {
        reap_due(root, now);
    }
    if (root->has_due) {
        root_mark(root, root->reap_at);
    }
    if (root->flush_at != MONO_NEVER && root->flush_at > now) {
        root_mark(root, root->flush_at);
    }
    if (root->state == ROOT_AWAY && root->retry_at > now) {
        root_mark(root, root->retry_at);
    }
    if (root->state == ROOT_READY && !list_is_empty(&root->waiting)) {
        root_mark(root, root->recovers_at);
    }
}

void root_beat(struct root *root, mono_ms now)
{
    struct ledger *ledger = root->ledger;

    root_pump(root);
    sequence_trim(&root->sequence, now);
    root_trim_old(root, now);
    counters_sweep(root, ledger_now(ledger));
    leases_beat(root, now);
    if (root->state != ROOT_READY ||
        (root->open == 0 && mono_add(root->used_at, 2 * LEASE_MS) < now)) {
        return;
    }
    if (!root->is_beating) {
        beat(root);
    }
    reap_due(root, now);
}

/* ---- the whole ---- */

struct root *root_new(struct ledger *ledger, struct span name)
{
    size_t size = sizeof(struct root) + name.len;
    struct root *root = mem_take_zero(size);

    if (root == NULL) {
        return NULL;
    }
    root->ledger = ledger;
    memcpy(root + 1, name.at, name.len);
    root->name = span_make((char *)(root + 1), name.len);
    root->slot = topology_slot(root->name);
    root->flush_at = MONO_NEVER;
    root->unsaid_since = INT64_MAX;
    root->processes = 1;
    root->used_at = loop_now(ledger->loop);
    sequence_init(&root->sequence, op_free, NULL);
    list_init(&root->waiting);
    list_init(&root->held);
    list_init(&root->counters);
    list_init(&root->lent);
    list_init(&root->dirty);
    list_init(&root->old);
    if (map_add(&ledger->roots, &root->entry, root->name) != ERR_NONE) {
        mem_give(root, size);
        return NULL;
    }
    list_push_back(&ledger->all_roots, &root->link);
    return root;
}

struct root *root_find(struct ledger *ledger, struct span team, bool is_cross)
{
    struct buf *name = &ledger->scratch;
    struct map_entry *entry = NULL;

    buf_clear(name);
    buf_put_text(name, is_cross ? "x" : "t:");
    if (!is_cross) {
        buf_put(name, team);
    }
    if (name->failed) {
        return NULL;
    }
    entry = map_find(&ledger->roots, buf_span(name));
    return entry != NULL ? LIST_OWNER(entry, struct root, entry) : root_new(ledger, buf_span(name));
}

void root_free(struct root *root)
{
    sequence_fini(&root->sequence);
    root_free_old(root);
    counters_free(root);
    forget_generations(root);
    map_remove(&root->ledger->roots, &root->entry);
    list_remove(&root->link);
    list_remove(&root->dirty);
    mem_give(root, sizeof *root + root->name.len);
}
