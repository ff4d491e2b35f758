/* SPDX-License-Identifier: Apache-2.0 */
/* One server. Its commands go out in order over one connection, and its answers come in the same order.
 *
 *   DOWN --pause--> OPENING --AUTH, SELECT--> GREETING --INFO, CONFIG GET, SCRIPT LOAD--> UP
 *
 * Whatever the server says that no answer of a script is (other scripts, another role, a slot that
 * moved) ends the connection, and all commands on it are lost: those who asked ask again on the next
 * one. That is one way through everything that can go wrong; it costs a millisecond. The pause grows
 * with failures, so that a dead server is not beaten on, and has chance in it, so that a hundred
 * processes do not come back at once. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "proxy/ledger_redis_parts.h"

enum {
    REPLY_WAIT_MS = 60000, /* longer than every deadline of ours: the link's own timer is not used */
    PAUSE_MS = 25,
    GREETING = 2 + REDIS_SCRIPTS,
    VALUE_MAX = 64
};

static void open_node(struct node *node);

bool node_is_up(const struct node *node)
{
    return node->state == NODE_UP;
}

bool node_may_return(const struct node *node)
{
    mono_ms now = loop_now(node->ledger->loop);

    return node->state == NODE_UP ||
           (!node->is_silent && now < mono_add(node->down_since, ledger_wait_ms(node->ledger)));
}

/* ---- the end of a connection ---- */

static void lose_commands(struct node *node)
{
    struct link lost;

    list_init(&lost);
    while (!list_is_empty(&node->due)) {
        struct link *first = node->due.next;

        list_remove(first);
        list_push_back(&lost, first);
    }
    while (!list_is_empty(&lost)) {
        struct command *command = LIST_OWNER(lost.next, struct command, link);

        list_remove(&command->link);
        command->done(command, NULL);
        mem_give(command, sizeof *command);
    }
}

/* Back after a pause. */
static void end(struct node *node, const char *why, uint64_t pause_ms, bool is_silent)
{
    struct ledger *ledger = node->ledger;
    bool was_up = node->state == NODE_UP;
    mono_ms now = loop_now(ledger->loop);

    redis_link_close(node->redis);
    node->state = NODE_DOWN;
    node->is_silent = is_silent;
    if (was_up) {
        node->down_since = now;
    }
    loop_timer_set(&node->timer, mono_add(now, pause_ms + rng_below(&ledger->rng, pause_ms + 1)));
    why_set(&ledger->why, "%.*s:%u: %s", SPAN_ARGS(node->url.host), node->url.port, why);
    lose_commands(node);
    ledger_node_down(ledger, node);
}

/* With what chance adds, a quarter of the recovery at most: whoever lives is back within it, and puts
 * back what it holds. */
static uint64_t pause_of(struct node *node)
{
    uint64_t pause = (uint64_t)PAUSE_MS << (node->failures < 4 ? node->failures : 4);
    uint64_t most = ledger_recover_ms(node->ledger) / 8;

    node->failures++;
    return pause < most ? pause : most;
}

void node_renew(struct node *node, const char *why)
{
    if (node->state == NODE_UP) {
        end(node, why, node->failures == 0 ? 0 : PAUSE_MS, false);
    }
}

void node_retire(struct node *node)
{
    node->is_retired = true;
    end(node, "another server is the master", 0, true);
    loop_timer_set(&node->timer, MONO_NEVER);
}

static void on_down(void *to, const struct why *why)
{
    struct node *node = to;

    topology_doubt(node->ledger, node);
    end(node, why->text, pause_of(node), false);
}

/* ---- faults ---- */

static bool says(struct span text, const char *code)
{
    struct span want = span_of(code);

    /* Redis 6.2 puts words of its own before the error of a command within a script. */
    return span_starts(text, want) || (span_starts(text, SPAN_OF("ERR Error running")) &&
                                       span_find(text, want) != NULL);
}

static bool says_one_of(struct span text, const char *const *codes)
{
    for (size_t i = 0; codes[i] != NULL; i++) {
        if (says(text, codes[i])) {
            return true;
        }
    }
    return false;
}

/* False: the answer is the asker's to look at. */
static bool is_end(struct node *node, struct command *command, struct span text)
{
    static const char *const own[] = {"OOM", "WRONGTYPE", NULL};
    static const char *const soon[] = {"LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", NULL};
    static const char *const moved[] = {"MOVED", "ASK", NULL};
    static const char *const again[] = {"NOSCRIPT", "READONLY", NULL};
    char said[128];
    struct buf words;

    if (says_one_of(text, own)) {
        return false;
    }
    buf_init(&words, sizeof said);
    text_put_printable(&words, text, sizeof said - 1);
    buf_put_char(&words, '\0');
    memcpy(said, words.failed ? "" : words.at, words.failed ? 1 : words.len);
    buf_fini(&words);
    if (says_one_of(text, moved)) {
        topology_moved(node->ledger, command == NULL ? NULL : command->root, text);
        end(node, said, 0, false);
    } else if (says_one_of(text, soon)) {
        end(node, said, PAUSE_MS * 2, false);
    } else if (says_one_of(text, again)) {
        topology_doubt(node->ledger, node);
        end(node, said, node->failures++ == 0 ? 0 : PAUSE_MS, false);
    } else {
        /* Somebody must look: BUSY, MISCONF, NOAUTH, NOPERM, a script that fails. */
        ledger_notice(node->ledger, LEDGER_NOTICE_SICK, node->url.host, said);
        end(node, said, ledger_recover_ms(node->ledger) / 4, true);
    }
    return true;
}

/* ---- greeting ---- */

static struct span line_value(struct span text, const char *name)
{
    const char *at = span_find(text, span_of(name));
    struct span rest;

    if (at == NULL) {
        return span_make("", 0);
    }
    at += strlen(name);
    rest = span_make(at, text.len - (size_t)(at - text.at));
    return span_cut(&rest, '\r');
}

static void hear_info(struct node *node, struct span info)
{
    struct span run_id = line_value(info, "\nrun_id:");
    struct span policy = line_value(info, "\nmaxmemory_policy:");

    run_id.len = run_id.len < RUN_ID_MAX ? run_id.len : RUN_ID_MAX;
    if (run_id.len > 0) {
        memcpy(node->run_id, run_id.at, run_id.len);
    }
    node->fence = span_make(node->run_id, run_id.len);
    node->evicts = policy.len > 0 && !span_equal(policy, SPAN_OF("noeviction"));
    node->has_aof = span_equal(line_value(info, "\naof_enabled:"), SPAN_OF("1"));
    node->is_replica = span_equal(line_value(info, "\nrole:"), SPAN_OF("slave"));
}

/* CONFIG GET save: who keeps the server may forbid it. */
static void hear_save(struct node *node, const struct redisReply *reply)
{
    node->is_checked = redis_reply_count(reply) == 2;
    node->keeps = node->is_checked && redis_reply_bytes(redis_reply_at(reply, 1)).len > 0;
}

static void begin_service(struct node *node)
{
    struct ledger *ledger = node->ledger;

    if (node->is_replica && ledger->cluster == NULL) {
        topology_doubt(ledger, node);
        end(node, "it is a replica", pause_of(node), false);
        return;
    }
    node->state = NODE_UP;
    node->failures = 0;
    node->is_silent = false;
    node->session = ++ledger->session;
    ledger->counts.connections++;
    loop_timer_set(&node->timer, MONO_NEVER);
    ledger_node_up(ledger, node);
}

static void hear_greeting(struct node *node, const struct redisReply *reply)
{
    unsigned nth = node->replies++;
    struct span bytes = redis_reply_bytes(reply);

    if (nth == 1) {
        hear_save(node, reply);
    } else if (redis_reply_is_error(reply)) {
        (void)(is_end(node, NULL, redis_reply_text(reply)) ||
               (end(node, "it is full", pause_of(node), false), true));
        return;
    } else if (bytes.at == NULL) {
        end(node, "it speaks no Redis protocol", pause_of(node), false);
        return;
    } else if (nth == 0) {
        hear_info(node, bytes);
    } else if (bytes.len > RUN_ID_MAX) {
        end(node, "it speaks no Redis protocol", pause_of(node), false);
        return;
    } else {
        memcpy(node->sha[nth - 2], bytes.at, bytes.len);
        node->sha[nth - 2][bytes.len] = '\0';
    }
    if (node->replies == GREETING) {
        begin_service(node);
    }
}

static void on_ready(void *to)
{
    static const char *const scripts[] = {
#define SCRIPT(NAME, file) redis_script_##file,
#include "enforcement/redis/scripts.def"
#undef SCRIPT
    };
    struct node *node = to;
    struct buf *text = &node->ledger->scratch;

    node->state = NODE_GREETING;
    node->replies = 0;
    redis_link_begin(node->redis, 1);
    redis_link_put(node->redis, SPAN_OF("INFO"));
    redis_link_begin(node->redis, 3);
    redis_link_put(node->redis, SPAN_OF("CONFIG"));
    redis_link_put(node->redis, SPAN_OF("GET"));
    redis_link_put(node->redis, SPAN_OF("save"));
    for (size_t i = 0; i < REDIS_SCRIPTS; i++) {
        buf_clear(text);
        buf_put_text(text, redis_script_common);
        buf_put_text(text, scripts[i]);
        redis_link_begin(node->redis, 3);
        redis_link_put(node->redis, SPAN_OF("SCRIPT"));
        redis_link_put(node->redis, SPAN_OF("LOAD"));
        redis_link_put(node->redis, buf_span(text));
    }
    redis_link_send(node->redis, REPLY_WAIT_MS);
}

/* ---- commands ---- */

static void watch_deadline(struct node *node)
{
    loop_timer_set(&node->timer,
                   list_is_empty(&node->due)
                       ? MONO_NEVER
                       : mono_add(LIST_OWNER(node->due.next, struct command, link)->at, COMMAND_MS));
}

static void on_reply(void *to, const struct redisReply *reply)
{
    struct node *node = to;
    struct command *command = NULL;
    uint64_t took = 0;

    if (node->state != NODE_UP) {
        hear_greeting(node, reply);
        return;
    }
    must(!list_is_empty(&node->due));
    command = LIST_OWNER(node->due.next, struct command, link);
    if (redis_reply_is_error(reply) && is_end(node, command, redis_reply_text(reply))) {
        return;
    }
    list_remove(&command->link);
    took = loop_now(node->ledger->loop) - command->at;
    if (took > SLOW_MS && loop_now(node->ledger->loop) >= node->ledger->told_slow_at) {
        node->ledger->told_slow_at = mono_add(loop_now(node->ledger->loop), 60000);
        ledger_notice(node->ledger, LEDGER_NOTICE_SLOW, node->url.host, "");
    }
    watch_deadline(node);
    if (command->root != NULL && command->era != command->root->era) {
        reply = NULL;
    }
    command->done(command, reply);
    mem_give(command, sizeof *command);
}

static void timer_fire(struct loop_timer *timer, mono_ms now)
{
    struct node *node = LIST_OWNER(timer, struct node, timer);

    (void)now;
    if (node->state == NODE_DOWN) {
        open_node(node);
    } else {
        topology_doubt(node->ledger, node);
        end(node, "it does not answer in time", pause_of(node), true);
    }
}

static void open_node(struct node *node)
{
    node->state = NODE_OPENING;
    loop_timer_set(&node->timer, mono_add(loop_now(node->ledger->loop), OPEN_MS));
    redis_link_open(node->redis);
}

struct command *node_command(struct node *node, size_t words,
                             void (*done)(struct command *, const struct redisReply *),
                             struct root *root)
{
    struct command *command = mem_take_zero(sizeof *command);

    must(node->state == NODE_UP);
    if (command == NULL) {
        return NULL;
    }
    command->done = done;
    command->root = root;
    command->era = root == NULL ? 0 : root->era;
    command->at = loop_now(node->ledger->loop);
    list_push_back(&node->due, &command->link);
    redis_link_begin(node->redis, words);
    node->ledger->counts.commands++;
    return command;
}

struct command *node_script(struct node *node, enum redis_script script, size_t keys, size_t args,
                            void (*done)(struct command *, const struct redisReply *),
                            struct root *root)
{
    struct command *command = node_command(node, 3 + keys + args, done, root);

    if (command != NULL) {
        redis_link_put(node->redis, SPAN_OF("EVALSHA"));
        redis_link_put(node->redis, span_of(node->sha[script]));
        put_number(node, (int64_t)keys);
    }
    return command;
}

void put_text(struct node *node, struct span text)
{
    redis_link_put(node->redis, text);
}

void put_number(struct node *node, int64_t number)
{
    char digits[BUF_DIGITS_MAX + 1];
    char *end_at = NULL;

    digits[0] = '-';
    end_at = buf_digits(digits + 1, number < 0 ? (uint64_t)-number : (uint64_t)number);
    redis_link_put(node->redis, number < 0
                                    ? span_make(digits, (size_t)(end_at - digits))
                                    : span_make(digits + 1, (size_t)(end_at - digits) - 1));
}

void node_send(struct node *node)
{
    redis_link_send(node->redis, REPLY_WAIT_MS);
    watch_deadline(node);
}

int64_t reply_number(const struct redisReply *reply, size_t i, int64_t otherwise)
{
    int64_t number = 0;

    return i < redis_reply_count(reply) && redis_reply_number(redis_reply_at(reply, i), &number)
               ? number
               : otherwise;
}

/* ---- the whole ---- */

struct node *node_new(struct ledger *ledger, const struct redis_url *url, struct span host,
                      uint16_t port)
{
    struct node *node = mem_take_zero(sizeof *node);
    struct redis_link_ears ears = {
        .to = node, .on_ready = on_ready, .on_reply = on_reply, .on_down = on_down};

    if (node == NULL) {
        return NULL;
    }
    node->ledger = ledger;
    node->url = *url;
    host.len = host.len < sizeof node->host ? host.len : sizeof node->host;
    memcpy(node->host, host.at, host.len);
    node->url.host = span_make(node->host, host.len);
    node->url.port = port;
    node->down_since = loop_now(ledger->loop);
    list_init(&node->due);
    list_init(&node->link);
    loop_timer_init(&node->timer, ledger->loop, timer_fire);
    node->redis = redis_link_new(ledger->loop, ledger->fetcher, &node->url, &ears);
    if (node->redis == NULL) {
        loop_timer_fini(&node->timer);
        mem_give(node, sizeof *node);
        return NULL;
    }
    list_push_back(&ledger->nodes, &node->link);
    ledger->nodes_count++;
    open_node(node);
    return node;
}

void node_free(struct node *node)
{
    redis_link_free(node->redis);
    node->redis = NULL;
    node->state = NODE_DOWN;
    lose_commands(node);
    loop_timer_fini(&node->timer);
    list_remove(&node->link);
    node->ledger->nodes_count--;
    mem_give(node, sizeof *node);
}
