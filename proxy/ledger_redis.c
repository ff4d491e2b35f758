/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/ledger_redis.h"

#include <string.h>

#include "base/mem.h"
#include "proxy/ledger_redis_parts.h"

enum { SCRATCH_MAX = 64 * 1024 };

/* ---- time ---- */

wall_ms ledger_now(struct ledger *ledger)
{
    wall_ms now = loop_wall(ledger->loop) + ledger->clock_ahead;

    if (now > ledger->latest) {
        ledger->latest = now;
    }
    return ledger->latest;
}

/* The server's clock is the only one. Its answer is a little old when it comes. Where it has gone back, the
 * windows stay as they are. */
void ledger_hear_time(struct ledger *ledger, int64_t now)
{
    if (now > 0) {
        if (!ledger->has_time) {
            ledger->has_time = true;
            ledger->latest = now; /* what we thought before was our own clock's idea */
        }
        ledger->clock_ahead = now - loop_wall(ledger->loop);
    }
}

uint32_t ledger_recover_ms(const struct ledger *ledger)
{
    return ledger->settings->recover_ms > 0 ? ledger->settings->recover_ms : RECOVER_MS;
}

uint32_t ledger_wait_ms(const struct ledger *ledger)
{
    return ledger_recover_ms(ledger) / 4 * 5;
}

void ledger_wake(struct ledger *ledger, mono_ms at)
{
    if (at < ledger->tick.wanted) {
        loop_timer_set(&ledger->tick, at);
    }
}

/* ---- warm-up ---- */

static struct seen *seen_find(struct ledger *ledger, struct span name)
{
    for (size_t i = 0; i < ledger->seen_count; i++) {
        if (span_equal(span_make(ledger->seen[i].name, ledger->seen[i].len), name)) {
            return &ledger->seen[i];
        }
    }
    return NULL;
}

/* One of which nobody has said yet when it was first seen enforces: money is worth more than comfort. */
bool ledger_enforces(struct ledger *ledger, const struct budget *budget)
{
    const struct seen *seen = NULL;

    if (budget->mode != BUDGET_ENFORCE || budget->warm_up_ms == 0) {
        return budget->mode == BUDGET_ENFORCE;
    }
    seen = seen_find(ledger, budget->name);
    return seen == NULL || ledger_now(ledger) - seen->at >= (int64_t)budget->warm_up_ms;
}

static void hear_seen(struct command *command, const struct redisReply *reply)
{
    struct ledger *ledger = command->to;
    size_t at = 1;

    for (size_t i = 0; reply != NULL && i < ledger->budgets->count; i++) {
        struct span name = ledger->budgets->list[i].name;
        struct seen *seen = seen_find(ledger, name);
        int64_t when = 0;

        if (ledger->budgets->list[i].warm_up_ms == 0) {
            continue;
        }
        when = reply_number(reply, at++, 0);
        if (seen == NULL && ledger->seen_count < ARRAY_LENGTH(ledger->seen)) {
            seen = &ledger->seen[ledger->seen_count++];
            memcpy(seen->name, name.at, name.len);
            seen->len = name.len;
        }
        if (seen != NULL) {
            seen->at = when;
        }
    }
}

static void ask_seen(struct ledger *ledger)
{
    struct root *registry = ledger->registry;
    struct command *command = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ledger->budgets->count; i++) {
        count += ledger->budgets->list[i].warm_up_ms > 0;
    }
    registry->node = topology_find(ledger, registry);
    if (count == 0 || registry->node == NULL || !node_is_up(registry->node)) {
        return;
    }
    command = root_script(registry, SCRIPT_SEEN, 1, 2 * count, hear_seen);
    if (command == NULL) {
        return;
    }
    command->to = ledger;
    put_key(registry, "seen");
    for (size_t i = 0; i < ledger->budgets->count; i++) {
        if (ledger->budgets->list[i].warm_up_ms > 0) {
            const struct seen *seen = seen_find(ledger, ledger->budgets->list[i].name);

            put_text(registry->node, ledger->budgets->list[i].name);
            put_number(registry->node, seen == NULL ? 0 : seen->at); /* it may have forgotten */
        }
    }
    node_send(registry->node);
}

void ledger_redis_budgets(struct ledger *ledger, const struct budgets *budgets)
{
    ledger->budgets = budgets;
    ask_seen(ledger);
}

/* ---- what is told ---- */

void ledger_notice(struct ledger *ledger, enum ledger_redis_notice notice, struct span root,
                   const char *text)
{
    if (ledger->ears.on_notice != NULL && !ledger->is_ending) {
        ledger->ears.on_notice(ledger->ears.ledger.to, notice, root, text);
    }
}

void ledger_tell(struct ledger *ledger, struct hold *hold)
{
    list_push_back(&ledger->answers, &hold->telling);
    loop_task_queue(ledger->loop, &ledger->telling);
}

static void tell_all(struct loop_task *task)
{
    struct ledger *ledger = LIST_OWNER(task, struct ledger, telling);

    while (!list_is_empty(&ledger->answers)) {
        struct hold_answer answer =
            hold_take_answer(LIST_OWNER(ledger->answers.next, struct hold, telling));

        ledger->ears.ledger.on_answer(ledger->ears.ledger.to, &answer);
    }
}

/* ---- servers come and go ---- */

static const char *unsafe_why(const struct node *node)
{
    if (node->evicts) {
        return "it drops keys when it is full, and with them what was spent: set maxmemory-policy to "
               "noeviction";
    }
    if (node->has_aof || node->keeps) {
        return NULL;
    }
    return node->is_checked
               ? "it keeps nothing on disk, a restart forgets what was spent: switch appendonly on, or say "
                 "accept_volatile: true"
               : "nobody may ask it whether it keeps anything on disk (CONFIG GET save): switch appendonly "
                 "on, or say accept_volatile: true";
}

void ledger_judge_state(struct ledger *ledger)
{
    enum ledger_redis_state state = LEDGER_DOWN;
    enum ledger_redis_state was = ledger->state;
    const char *why = NULL;

    for (struct link *at = ledger->nodes.next; at != &ledger->nodes; at = at->next) {
        struct node *node = LIST_OWNER(at, struct node, link);

        if (node_is_up(node)) {
            state = LEDGER_UP;
            if (why == NULL && (node->evicts || !ledger->settings->accept_volatile)) {
                why = unsafe_why(node);
            }
        }
    }
    if (state == LEDGER_UP && why != NULL) {
        state = LEDGER_UNSAFE;
        why_set(&ledger->why, "%s", why);
    }
    if (state == LEDGER_DOWN && was == LEDGER_STARTING &&
        loop_now(ledger->loop) < mono_add(ledger->lost_at, ledger_wait_ms(ledger))) {
        return;
    }
    ledger->state = state;
    if (state == was) {
        return;
    }
    if (state == LEDGER_DOWN) {
        ledger->outage++;
        ledger->lost_at = loop_now(ledger->loop);
        memset(ledger->allowed, 0, sizeof ledger->allowed);
    }
    ledger_notice(ledger,
                  state == LEDGER_UP     ? LEDGER_NOTICE_UP
                  : state == LEDGER_DOWN ? LEDGER_NOTICE_DOWN
                                         : LEDGER_NOTICE_UNSAFE,
                  span_make("", 0), state == LEDGER_UP ? "" : ledger->why.text);
}

void ledger_node_up(struct ledger *ledger, struct node *node)
{
    ledger_judge_state(ledger);
    if (!node->is_checked && !ledger->settings->accept_volatile) {
        ledger_notice(ledger, LEDGER_NOTICE_UNCHECKED, node->url.host,
                      "CONFIG GET is forbidden: what INFO tells must do");
    }
    topology_node_up(ledger, node);
    root_ask_born(ledger);
    ask_seen(ledger);
    /* A server that is behind may hold again what was given back. */
    ledger->voids_old = ledger->voids_old || (ledger->voided_at > 0 &&
                                              loop_now(ledger->loop) <=
                                                  mono_add(ledger->voided_at, SEQUENCE_KEPT_MS));
    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        root_pump(LIST_OWNER(at, struct root, link));
    }
}

void ledger_node_down(struct ledger *ledger, struct node *node)
{
    if (ledger->is_ending) {
        return;
    }
    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        struct root *root = LIST_OWNER(at, struct root, link);

        if (root->node == node) {
            root_lose(root);
        }
    }
    ledger_judge_state(ledger);
    holds_node_down(ledger);
}

/* ---- the tick ---- */

static void tick_fire(struct loop_timer *timer, mono_ms now)
{
    struct ledger *ledger = LIST_OWNER(timer, struct ledger, tick);
    struct link dirty;

    list_init(&dirty);
    holds_expire(ledger, now);
    if (ledger->state != LEDGER_UP) {
        holds_node_down(ledger);
    }
    while (!list_is_empty(&ledger->dirty)) {
        struct link *first = ledger->dirty.next;

        list_remove(first);
        list_push_back(&dirty, first);
    }
    while (!list_is_empty(&dirty)) {
        root_tick(LIST_OWNER(dirty.next, struct root, dirty));
    }
    if (now >= ledger->beat_at) {
        ledger->beat_at = mono_add(now, ledger_recover_ms(ledger) / 2);
        root_ask_born(ledger);
        ledger_judge_state(ledger);
        topology_beat(ledger);
        for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
            root_beat(LIST_OWNER(at, struct root, link), now);
        }
        holds_node_down(ledger);
        orders_step(ledger);
        if (ledger->voids_old && order_void_old(ledger)) {
            ledger->voids_old = false;
        }
    }
    ledger_wake(ledger, ledger->beat_at);
    /* Who waits for a server's return waits no longer than this. */
    if (ledger->state == LEDGER_DOWN && now < mono_add(ledger->lost_at, ledger_wait_ms(ledger))) {
        ledger_wake(ledger, mono_add(ledger->lost_at, ledger_wait_ms(ledger)));
    }
}

/* ---- the whole ---- */

static struct ledger *give(struct ledger *ledger)
{
    buf_fini(&ledger->scratch);
    slots_fini(&ledger->holds);
    map_fini(&ledger->roots);
    map_fini(&ledger->counters);
    loop_timer_fini(&ledger->tick);
    loop_task_cancel(&ledger->telling);
    mem_give(ledger, sizeof *ledger);
    return NULL;
}

struct ledger *ledger_redis_new(struct loop *loop, struct fetcher *fetcher,
                                const struct ledger_redis_settings *settings, struct span proxy,
                                uint64_t epoch, const struct ledger_redis_ears *ears)
{
    struct ledger *ledger = mem_take_zero(sizeof *ledger);
    uint64_t seed[2];
    struct buf owner;

    if (ledger == NULL) {
        return NULL;
    }
    must(proxy.len > 0 && proxy.len <= REDIS_PROXY_MAX);
    loop_entropy(loop, seed, sizeof seed);
    ledger->loop = loop;
    ledger->fetcher = fetcher;
    ledger->settings = settings;
    ledger->budgets = settings->budgets;
    ledger->ears = *ears;
    ledger->epoch = epoch;
    ledger->outage = 1;
    ledger->lost_at = loop_now(loop);
    memcpy(ledger->proxy, proxy.at, proxy.len);
    list_init(&ledger->nodes);
    list_init(&ledger->all_roots);
    list_init(&ledger->all_holds);
    list_init(&ledger->pending);
    list_init(&ledger->answers);
    list_init(&ledger->dirty);
    list_init(&ledger->jobs);
    map_init(&ledger->roots, ROOTS_MAX, seed);
    map_init(&ledger->counters,
             settings->counters_max > 0 ? settings->counters_max : COUNTERS_MAX_REDIS, seed);
    slots_init(&ledger->holds, HOLDS_MAX_REDIS);
    rng_init(&ledger->rng, seed[0], seed[1]);
    buf_init(&ledger->scratch, SCRATCH_MAX);
    loop_task_init(&ledger->telling, tell_all);
    loop_timer_init(&ledger->tick, loop, tick_fire);
    buf_init(&owner, sizeof ledger->owner);
    buf_put(&owner, proxy);
    buf_put_char(&owner, ':');
    buf_put_u64(&owner, epoch);
    buf_put_char(&owner, '\0');
    if (owner.failed) {
        buf_fini(&owner);
        return give(ledger);
    }
    memcpy(ledger->owner, owner.at, owner.len);
    buf_fini(&owner);
    /* Room for every key, so that putting one together cannot fail. */
    if (buf_reserve(&ledger->scratch, SCRATCH_MAX / 4) != ERR_NONE) {
        return give(ledger);
    }
    ledger->registry = root_new(ledger, SPAN_OF("ledger"));
    if (ledger->registry == NULL || !topology_begin(ledger)) {
        ledger_redis_free(ledger);
        return NULL;
    }
    ledger->beat_at = mono_add(loop_now(loop), rng_below(&ledger->rng, ledger_recover_ms(ledger) / 2));
    loop_timer_set(&ledger->tick, ledger->beat_at);
    return ledger;
}

void ledger_redis_free(struct ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    ledger->is_ending = true;
    topology_end(ledger);
    holds_free(ledger);
    orders_free(ledger);
    while (!list_is_empty(&ledger->all_roots)) {
        root_free(LIST_OWNER(ledger->all_roots.next, struct root, link));
    }
    (void)give(ledger);
}

enum ledger_redis_state ledger_redis_state(const struct ledger *ledger, struct why *why)
{
    *why = ledger->why;
    return ledger->state;
}

struct ledger_redis_counts ledger_redis_counts(const struct ledger *ledger)
{
    struct ledger_redis_counts counts = ledger->counts;

    counts.open = ledger->holds.count;
    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        counts.unsaid += sequence_unsaid_count(&LIST_OWNER(at, struct root, link)->sequence);
    }
    return counts;
}

bool ledger_redis_drain(struct ledger *ledger)
{
    bool is_done = true;

    ledger->is_draining = true;
    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        struct root *root = LIST_OWNER(at, struct root, link);

        leases_beat(root, loop_now(ledger->loop));
        if (root->flush_at != MONO_NEVER) {
            root->flush_at = loop_now(ledger->loop);
            root_mark(root, root->flush_at);
        }
        is_done = is_done && sequence_unsaid_count(&root->sequence) == 0;
    }
    return is_done;
}

struct ledger_redis_numbers ledger_redis_numbers(const struct ledger *ledger)
{
    return ledger->numbers;
}

static void settle(struct ledger *ledger, uint64_t ticket, const struct amounts *actual)
{
    hold_settle(ledger, ticket, actual);
}

static void stamp(const struct ledger *ledger, struct ledger_stamp *stamp)
{
    *stamp = (struct ledger_stamp){.epoch = ledger->epoch,
                                   .cross = ledger->numbers.cross,
                                   .team = ledger->numbers.team};
}

const struct ledger_ops ledger_redis_ops = {.hold = hold_begin,
                                            .extend = hold_extend,
                                            .is_used_up = hold_is_used_up,
                                            .settle = settle,
                                            .stamp = stamp,
                                            .report = order_report,
                                            .order = order_obey};
