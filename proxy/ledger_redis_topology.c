/* SPDX-License-Identifier: Apache-2.0 */
/* Which server has which part of the book. One server has all. Of replicated ones the master, whom the
 * sentinels name: they are asked at the begin, every two seconds, and at once when the master is in
 * doubt. In a cluster each part lies on the server that has its slot: the map is asked for at the
 * begin and when a server sends us elsewhere. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "proxy/ledger_redis_parts.h"

enum { SLOTS = 16384, ASK_MS = 500, SURE_MS = 2000, DOUBT_MS = 100, NODES_MAX = 1024 };

struct sentinel {
    struct redis_link *links[REDIS_URLS_MAX];
    struct ledger *ledger;
    size_t count;
    size_t at;          /* who is asked */
    bool is_asking;
    bool is_in_doubt;
    struct loop_timer timer;
    struct node *master; /* NULL: not known */
};

struct cluster {
    bool is_stale;
    bool is_asking;
    struct node *by_slot[SLOTS];
};

/* CRC-16 of the Redis cluster specification (polynomial 0x1021), of what stands in the braces. */
uint16_t topology_slot(struct span name)
{
    uint16_t crc = 0;
    const char *end = memchr(name.at, '}', name.len);
    size_t len = end == NULL ? name.len : (size_t)(end - name.at);

    for (size_t i = 0; i < len; i++) {
        crc = (uint16_t)(crc ^ ((unsigned)(unsigned char)name.at[i] << 8));
        for (int bit = 0; bit < 8; bit++) {
            crc = (uint16_t)((crc & 0x8000) != 0 ? ((unsigned)crc << 1) ^ 0x1021U
                                                 : (unsigned)crc << 1);
        }
    }
    return crc % SLOTS;
}

/* ---- sentinels ---- */

static void sentinel_next(struct sentinel *sentinel, uint64_t pause_ms)
{
    sentinel->is_asking = false;
    redis_link_close(sentinel->links[sentinel->at]);
    loop_timer_set(&sentinel->timer,
                   mono_add(loop_now(sentinel->ledger->loop),
                            pause_ms + rng_below(&sentinel->ledger->rng, pause_ms / 2 + 1)));
}

static void sentinel_failed(struct sentinel *sentinel)
{
    size_t asked = sentinel->at;

    sentinel_next(sentinel, DOUBT_MS);
    sentinel->at = (asked + 1) % sentinel->count;
}

static struct node *master_at(struct ledger *ledger, struct span host, uint16_t port)
{
    for (struct link *at = ledger->nodes.next; at != &ledger->nodes; at = at->next) {
        struct node *node = LIST_OWNER(at, struct node, link);

        if (span_equal(node->url.host, host) && node->url.port == port && !node->is_retired) {
            return node;
        }
    }
    return ledger->nodes_count >= NODES_MAX
               ? NULL
               : node_new(ledger, &ledger->settings->urls[0], host, port);
}

static void sentinel_reply(void *to, const struct redisReply *reply)
{
    struct sentinel *sentinel = to;
    struct ledger *ledger = sentinel->ledger;
    uint64_t port = 0;
    struct node *master = NULL;
    struct node *was = sentinel->master;

    if (redis_reply_count(reply) != 2 ||
        text_read_u64(redis_reply_bytes(redis_reply_at(reply, 1)), &port) != ERR_NONE ||
        port == 0 || port > UINT16_MAX || redis_reply_bytes(redis_reply_at(reply, 0)).len == 0) {
        why_set(&ledger->why, "the sentinels know no master of the name %.*s",
                SPAN_ARGS(ledger->settings->sentinel));
        sentinel_failed(sentinel);
        return;
    }
    master = master_at(ledger, redis_reply_bytes(redis_reply_at(reply, 0)), (uint16_t)port);
    sentinel_next(sentinel, sentinel->is_in_doubt ? DOUBT_MS : SURE_MS);
    if (master == NULL || master == was) {
        return;
    }
    sentinel->master = master;
    if (was != NULL) {
        node_retire(was);
    }
}

static void sentinel_ready(void *to)
{
    struct sentinel *sentinel = to;
    struct redis_link *redis = sentinel->links[sentinel->at];

    redis_link_begin(redis, 3);
    redis_link_put(redis, SPAN_OF("SENTINEL"));
    redis_link_put(redis, SPAN_OF("get-master-addr-by-name"));
    redis_link_put(redis, sentinel->ledger->settings->sentinel);
    redis_link_send(redis, ASK_MS);
}

static void sentinel_down(void *to, const struct why *why)
{
    struct sentinel *sentinel = to;

    if (sentinel->master == NULL) {
        why_set(&sentinel->ledger->why, "sentinel: %s", why->text);
    }
    sentinel_failed(sentinel);
}

static void sentinel_fire(struct loop_timer *timer, mono_ms now)
{
    struct sentinel *sentinel = LIST_OWNER(timer, struct sentinel, timer);

    if (sentinel->is_asking) {
        sentinel_failed(sentinel);
        return;
    }
    sentinel->is_asking = true;
    loop_timer_set(&sentinel->timer, mono_add(now, ASK_MS));
    redis_link_open(sentinel->links[sentinel->at]);
}

static bool sentinel_begin(struct ledger *ledger)
{
    struct sentinel *sentinel = mem_take_zero(sizeof *sentinel);
    struct redis_link_ears ears = {.to = sentinel,
                                   .on_ready = sentinel_ready,
                                   .on_reply = sentinel_reply,
                                   .on_down = sentinel_down};

    if (sentinel == NULL) {
        return false;
    }
    ledger->sentinel = sentinel;
    sentinel->ledger = ledger;
    sentinel->is_in_doubt = true;
    loop_timer_init(&sentinel->timer, ledger->loop, sentinel_fire);
    loop_timer_set(&sentinel->timer, loop_now(ledger->loop));
    for (size_t i = 0; i < ledger->settings->urls_count && i < REDIS_URLS_MAX; i++) {
        sentinel->links[i] =
            redis_link_new(ledger->loop, ledger->fetcher, &ledger->settings->urls[i], &ears);
        if (sentinel->links[i] == NULL) {
            return false;
        }
        redis_link_be_bare(sentinel->links[i]);
        sentinel->count++;
    }
    return true;
}

static void sentinel_end(struct ledger *ledger)
{
    struct sentinel *sentinel = ledger->sentinel;

    if (sentinel != NULL) {
        for (size_t i = 0; i < sentinel->count; i++) {
            redis_link_free(sentinel->links[i]);
        }
        loop_timer_fini(&sentinel->timer);
        mem_give(sentinel, sizeof *sentinel);
        ledger->sentinel = NULL;
    }
}

/* ---- cluster ---- */

/* One row of CLUSTER SLOTS: first, last, then its master: host, port, ... */
static void hear_range(struct ledger *ledger, const struct node *told_by,
                       const struct redisReply *row)
{
    int64_t first = reply_number(row, 0, -1);
    int64_t last = reply_number(row, 1, -1);
    const struct redisReply *master = redis_reply_count(row) > 2 ? redis_reply_at(row, 2) : NULL;
    struct span host = {NULL, 0};
    struct node *node = NULL;
    int64_t port = 0;

    if (master == NULL || redis_reply_count(master) < 2 || first < 0 || last >= SLOTS) {
        return;
    }
    host = redis_reply_bytes(redis_reply_at(master, 0));
    port = reply_number(master, 1, 0);
    if (port <= 0 || port > UINT16_MAX) {
        return;
    }
    node = master_at(ledger, host.len > 0 ? host : told_by->url.host, (uint16_t)port);
    for (int64_t slot = first; slot <= last; slot++) {
        ledger->cluster->by_slot[slot] = node;
    }
}

static void hear_map(struct command *command, const struct redisReply *reply)
{
    struct ledger *ledger = ((struct node *)command->to)->ledger;

    ledger->cluster->is_asking = false;
    if (reply == NULL || redis_reply_is_error(reply)) {
        return;
    }
    ledger->cluster->is_stale = false;
    memset(ledger->cluster->by_slot, 0, sizeof ledger->cluster->by_slot);
    for (size_t i = 0; i < redis_reply_count(reply); i++) {
        hear_range(ledger, command->to, redis_reply_at(reply, i));
    }
    for (struct link *at = ledger->all_roots.next; at != &ledger->all_roots; at = at->next) {
        struct root *root = LIST_OWNER(at, struct root, link);

        if (root->node != NULL && root->node != ledger->cluster->by_slot[root->slot] &&
            !root->is_asking) {
            root_lose(root);
        }
        root_mark(root, loop_now(ledger->loop));
    }
}

static void ask_map(struct ledger *ledger)
{
    struct cluster *cluster = ledger->cluster;

    for (struct link *at = ledger->nodes.next; at != &ledger->nodes && !cluster->is_asking;
         at = at->next) {
        struct node *node = LIST_OWNER(at, struct node, link);
        struct command *command = NULL;

        if (node_is_up(node)) {
            command = node_command(node, 2, hear_map, NULL);
            if (command == NULL) {
                return;
            }
            command->to = node;
            put_text(node, SPAN_OF("CLUSTER"));
            put_text(node, SPAN_OF("SLOTS"));
            node_send(node);
            cluster->is_asking = true;
        }
    }
}

/* "MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381" */
void topology_moved(struct ledger *ledger, struct root *root, struct span error)
{
    struct span word = span_cut(&error, ' ');
    struct span digits = span_cut(&error, ' ');
    struct span host = error;
    uint64_t slot = 0;
    uint64_t port = 0;
    struct node *node = NULL;

    if (ledger->cluster == NULL) {
        return;
    }
    ledger->cluster->is_stale = true;
    while (host.len > 0 && host.at[host.len - 1] != ':') {
        host.len--;
    }
    if (host.len < 2 || text_read_u64(digits, &slot) != ERR_NONE || slot >= SLOTS ||
        text_read_u64(span_from(error, host.len), &port) != ERR_NONE || port == 0 ||
        port > UINT16_MAX) {
        return;
    }
    node = master_at(ledger, span_make(host.at, host.len - 1), (uint16_t)port);
    if (node == NULL) {
        return;
    }
    if (span_equal(word, SPAN_OF("MOVED"))) {
        ledger->cluster->by_slot[slot] = node;
    } else if (root != NULL && root != ledger->registry) {
        root_lose(root);
        root->node = node;
        root->is_asking = true;
    }
}

/* ---- all ---- */

struct node *topology_find(struct ledger *ledger, struct root *root)
{
    switch (ledger->settings->topology) {
    case REDIS_SINGLE: return LIST_OWNER(ledger->nodes.next, struct node, link);
    case REDIS_SENTINEL: return ledger->sentinel->master;
    case REDIS_CLUSTER:
        if (ledger->cluster->is_stale || ledger->cluster->by_slot[root->slot] == NULL) {
            ask_map(ledger);
        }
        return ledger->cluster->by_slot[root->slot];
    }
    return NULL;
}

void topology_doubt(struct ledger *ledger, struct node *node)
{
    if (ledger->sentinel != NULL && (node == ledger->sentinel->master || node == NULL)) {
        ledger->sentinel->is_in_doubt = true;
        if (!ledger->sentinel->is_asking && !ledger->is_ending) {
            loop_timer_set(&ledger->sentinel->timer, loop_now(ledger->loop));
        }
    }
    if (ledger->cluster != NULL) {
        ledger->cluster->is_stale = true;
    }
}

void topology_node_up(struct ledger *ledger, struct node *node)
{
    if (ledger->sentinel != NULL && node == ledger->sentinel->master) {
        ledger->sentinel->is_in_doubt = false;
    }
    if (ledger->cluster != NULL && ledger->cluster->is_stale) {
        ask_map(ledger);
    }
}

/* Servers that nobody needs any more go; never from inside of their own callbacks. */
void topology_beat(struct ledger *ledger)
{
    struct link *next = NULL;

    if (ledger->cluster != NULL && ledger->cluster->is_stale) {
        ask_map(ledger);
    }
    for (struct link *at = ledger->nodes.next; at != &ledger->nodes; at = next) {
        struct node *node = LIST_OWNER(at, struct node, link);

        next = at->next;
        if (node->is_retired && node->state == NODE_DOWN) {
            node_free(node);
        }
    }
}

bool topology_begin(struct ledger *ledger)
{
    const struct ledger_redis_settings *settings = ledger->settings;

    must(settings->urls_count > 0);
    if (settings->topology == REDIS_SENTINEL) {
        return sentinel_begin(ledger);
    }
    if (settings->topology == REDIS_CLUSTER) {
        ledger->cluster = mem_take_zero(sizeof *ledger->cluster);
        if (ledger->cluster == NULL) {
            return false;
        }
        ledger->cluster->is_stale = true;
    }
    for (size_t i = 0; i < settings->urls_count; i++) {
        if (node_new(ledger, &settings->urls[i], settings->urls[i].host, settings->urls[i].port) ==
            NULL) {
            return false;
        }
    }
    return true;
}

void topology_end(struct ledger *ledger)
{
    sentinel_end(ledger);
    while (!list_is_empty(&ledger->nodes)) {
        node_free(LIST_OWNER(ledger->nodes.next, struct node, link));
    }
    mem_give(ledger->cluster, sizeof *ledger->cluster);
    ledger->cluster = NULL;
}
