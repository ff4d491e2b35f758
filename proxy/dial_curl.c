/* SPDX-License-Identifier: Apache-2.0 */
/* proxy/dial_curl.c: libcurl as a dialer (CONNECT_ONLY through the multi interface). A plain
 * connection is duplicated and libcurl let go; a TLS one stays in its multi, at most
 * LIMIT_TLS_PER_MULTI of them there, because libcurl searches its connections one by one.
 *
 * phase     ends when                       limit
 * LOOKUP    a socket was opened             3 s
 * CONNECT   one of the sockets has a peer   connect_ms
 * SECURE    libcurl says done               connect_ms (TLS, and before it the egress proxy)
 *
 * libcurl does not tell its phase, so a tick of 50 ms asks the sockets while a dial is in flight.
 * The same tick wakes libcurl, whose 7.88 forgets the second address of a family otherwise. */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "proxy/dial_easy.h"

enum {
    TICK_MS = 50,
    LOOKUP_MS = 3000,
    LOOKUP_PAUSE_MS = 1000, /* after a failed lookup */
    STALE_MS = 300 * 1000,  /* how long a good address serves when lookups fail */
    CACHE_MS = 61 * 1000,   /* how long libcurl keeps an address, and a little */
    SLACK_MS = 200,         /* ours is the limit, libcurl's comes after it */
    PROXY_TEXT_MAX = 4096,
    DIALS_MAX = 1 << 20
};

struct dial_tls {
    CURL *easy;
    struct dial_multi *multi;
    struct curl_slist *resolve;
    int fd;
};

static enum err multi_init(struct dialer *dialer, struct dial_multi *multi)
{
    *multi = (struct dial_multi){0};
    list_init(&multi->link);
    multi->curl_loop = curl_loop_new(dialer->loop, dialer->on_done, dialer);
    return multi->curl_loop == NULL ? ERR_MEMORY : ERR_NONE;
}

/* One with room; NULL without memory. Multis are few and kept, so the search is short. */
static struct dial_multi *multi_for(struct dialer *dialer, bool is_tls)
{
    if (!is_tls) {
        return &dialer->plain;
    }
    for (struct link *at = dialer->secure.next; at != &dialer->secure; at = at->next) {
        struct dial_multi *multi = LIST_OWNER(at, struct dial_multi, link);
        if (multi->used < LIMIT_TLS_PER_MULTI) {
            return multi;
        }
    }
    struct dial_multi *multi = mem_take(sizeof *multi);
    if (multi == NULL || multi_init(dialer, multi) != ERR_NONE) {
        mem_give(multi, sizeof *multi);
        return NULL;
    }
    list_push_back(&dialer->secure, &multi->link);
    return multi;
}

/* Ends libcurl's part of the dial. A line that goes on living keeps its place in the multi. */
static void detach(struct dial *dial)
{
    if (dial->multi != NULL) {
        if (dial->easy != NULL) {
            curl_loop_remove(dial->multi->curl_loop, dial->easy);
        }
        dial->multi->used--;
        dial->multi->dials--;
        dial->multi = NULL;
    }
    dial_easy_drop(dial);
}

static void dial_free(struct dial *dial)
{
    detach(dial);
    list_remove(&dial->link);
    loop_task_cancel(&dial->refuse);
    slots_remove(&dial->dialer->slots, dial->handle);
    mem_give(dial, sizeof *dial);
}

static void dial_fail(struct dial *dial, enum outcome how)
{
    struct dial_ears ears = dial->ears;
    uint64_t id = dial->id;
    mono_ms began = dial->began;
    dial_free(dial);
    ears.on_failed(ears.to, id, how, began);
}

static void refuse_run(struct loop_task *task)
{
    struct dial *dial = LIST_OWNER(task, struct dial, refuse);
    dial_fail(dial, dial->refusal);
}

/* Not at once: the ears may not be called from inside dial_start. */
static void refuse(struct dial *dial, enum outcome how)
{
    detach(dial);
    dial->refusal = how;
    loop_task_queue(dial->dialer->loop, &dial->refuse);
}

static void begin(struct dial *dial, mono_ms now)
{
    struct dialer *dialer = dial->dialer;
    dial->phase = DIAL_LOOKUP;
    dial->phase_since = now;
    dial->began = now;
    dial->sockets_count = 0;
    if (dial->is_stale) {
        dial->name->has_stale = true;
        dial->name->stale_at = now;
    }
    struct dial_multi *multi = multi_for(dialer, dial->provider->endpoint.is_tls);
    if (multi == NULL || dial_easy_make(dial) != ERR_NONE) {
        refuse(dial, OUTCOME_LOCAL);
        return;
    }
    dial_easy_allow(dial, now, dial->connect_ms + SLACK_MS);
    if (curl_loop_add(multi->curl_loop, dial->easy) != ERR_NONE) {
        refuse(dial, OUTCOME_LOCAL);
        return;
    }
    dial->multi = multi;
    multi->used++;
    multi->dials++;
}

static bool has_old_address(const struct dial *dial, mono_ms now)
{
    const struct dial_name *name = dial->name;
    return name->has_good && !dial->dialer->has_proxy && mono_until(now, name->good_at) == 0 &&
           now - name->good_at <= STALE_MS;
}

/* The name was not found, or not in time: the address that last worked serves for a while. */
static void lookup_failed(struct dial *dial, mono_ms now, enum outcome how)
{
    if (how == OUTCOME_DNS) {
        dial->name->has_failed = true;
        dial->name->failed_at = now;
    }
    if (dial->is_stale || !has_old_address(dial, now)) {
        dial_fail(dial, how);
        return;
    }
    detach(dial);
    dial->is_stale = true;
    begin(dial, now);
}

/* An address counts as good when it was looked up, not when it is our own old one from the
 * cache. */
static void note_good(struct dial *dial, mono_ms now)
{
    struct dial_name *name = dial->name;
    char *address = NULL;
    if (dial->is_stale || dial->dialer->has_proxy || dial->dialer->asks_environment ||
        (name->has_stale && now - name->stale_at < CACHE_MS) ||
        curl_easy_getinfo(dial->easy, CURLINFO_PRIMARY_IP, &address) != CURLE_OK ||
        address == NULL || strlen(address) >= sizeof name->good) {
        return;
    }
    memcpy(name->good, address, strlen(address) + 1);
    name->good_at = now;
    name->has_good = true;
    name->has_failed = false;
}

static void opened_plain(struct dial *dial, int fd)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        dial_fail(dial, OUTCOME_LOCAL);
        return;
    }
    struct dial_ears ears = dial->ears;
    uint64_t id = dial->id;
    dial_free(dial);
    ears.on_open(ears.to, id, (struct dial_line){.fd = own});
}

/* libcurl takes the connection for an idle one, and may close it, until it is first read. */
static void opened_tls(struct dial *dial, int fd)
{
    char byte;
    size_t count = 0;
    if (!dial_easy_is_named(dial)) {
        dial_fail(dial, OUTCOME_TLS_VERIFY);
        return;
    }
    CURLcode code = curl_easy_recv(dial->easy, &byte, sizeof byte, &count);
    if (code != CURLE_AGAIN) {
        /* Nobody may speak before we have asked. */
        dial_fail(dial, code != CURLE_OK ? OUTCOME_RESET
                        : count == 0     ? OUTCOME_CLOSED
                                         : OUTCOME_PROTOCOL);
        return;
    }
    struct dial_tls *tls = mem_take(sizeof *tls);
    if (tls == NULL) {
        dial_fail(dial, OUTCOME_LOCAL);
        return;
    }
    *tls = (struct dial_tls){
        .easy = dial->easy, .multi = dial->multi, .resolve = dial->resolve, .fd = fd};
    /* The handle outlives the dial that its callbacks know; no callback of ours comes any more, and
     * the first two make sure. But it would write its words for a connection that dies into the
     * dial. */
    curl_easy_setopt(tls->easy, CURLOPT_OPENSOCKETFUNCTION, NULL);
    curl_easy_setopt(tls->easy, CURLOPT_OPENSOCKETDATA, NULL);
    curl_easy_setopt(tls->easy, CURLOPT_ERRORBUFFER, NULL);
    tls->multi->dials--;
    dial->multi = NULL;
    dial->easy = NULL;
    dial->resolve = NULL;
    struct dial_ears ears = dial->ears;
    uint64_t id = dial->id;
    dial_free(dial);
    ears.on_open(ears.to, id, (struct dial_line){.fd = fd, .tls = tls});
}

static void on_done(void *to, CURL *easy, CURLcode code)
{
    struct dialer *dialer = to;
    mono_ms now = loop_now(dialer->loop);
    char *private = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    struct dial *dial = (struct dial *)(void *)private;
    if (code != CURLE_OK) {
        dial->phase = dial_easy_phase(dial);
        enum outcome how = dial_easy_outcome(dial, code);
        if (how == OUTCOME_DNS) {
            lookup_failed(dial, now, how);
        } else {
            dial_fail(dial, how);
        }
        return;
    }
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD) {
        dial_fail(dial, OUTCOME_CONNECT);
        return;
    }
    note_good(dial, now);
    if (dial->provider->endpoint.is_tls) {
        opened_tls(dial, fd);
    } else {
        opened_plain(dial, fd);
    }
}

/* Moves the dial to the phase it is in and ends it when that phase has lasted too long. */
static void dial_check(struct dial *dial, mono_ms now)
{
    if (dial->multi == NULL) {
        return;
    }
    enum dial_phase phase = dial_easy_phase(dial);
    if (phase != dial->phase) {
        dial->phase = phase;
        dial->phase_since = now;
        dial_easy_allow(dial, now, dial->connect_ms + SLACK_MS);
    }
    uint64_t spent = now - dial->phase_since;
    if (phase == DIAL_LOOKUP) {
        if (spent >= LOOKUP_MS) {
            lookup_failed(dial, now, dial_easy_late(dial));
            return;
        }
        /* The lookup must not eat into the time for connecting, which libcurl splits between the
         * addresses by its own clock. */
        dial_easy_allow(dial, now, dial->connect_ms + SLACK_MS);
    } else if (spent >= dial->connect_ms) {
        dial_fail(dial, dial_easy_late(dial));
    }
}

static void poke_all(struct dialer *dialer)
{
    if (dialer->plain.dials > 0) {
        curl_loop_poke(dialer->plain.curl_loop);
    }
    for (struct link *at = dialer->secure.next; at != &dialer->secure; at = at->next) {
        struct dial_multi *multi = LIST_OWNER(at, struct dial_multi, link);
        if (multi->dials > 0) {
            curl_loop_poke(multi->curl_loop);
        }
    }
}

static void tick_fire(struct loop_timer *timer, mono_ms now)
{
    struct dialer *dialer = LIST_OWNER(timer, struct dialer, tick);
    /* Each once, from the front to the back: the ears may start dials meanwhile. */
    uint32_t count = dialer->slots.count;
    for (uint32_t i = 0; i < count && !list_is_empty(&dialer->dials); i++) {
        struct dial *dial = LIST_OWNER(dialer->dials.next, struct dial, link);
        list_remove(&dial->link);
        list_push_back(&dialer->dials, &dial->link);
        dial_check(dial, now);
    }
    /* After our own look: when this turn is late, libcurl ends a dial here by its limit. */
    poke_all(dialer);
    if (!list_is_empty(&dialer->dials)) {
        loop_timer_set(timer, mono_add(now, TICK_MS));
    }
}

static enum err dialer_fill(struct dialer *dialer)
{
    const struct snapshot *snapshot = dialer->snapshot;
    dialer->names = mem_take_zero((snapshot->endpoints_count + 1) * sizeof *dialer->names);
    dialer->share = curl_share_init();
    if (dialer->names == NULL || dialer->share == NULL ||
        curl_share_setopt(dialer->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) != CURLSHE_OK ||
        curl_share_setopt(dialer->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) !=
            CURLSHE_OK ||
        multi_init(dialer, &dialer->plain) != ERR_NONE) {
        return ERR_MEMORY;
    }
    dial_easy_find_ca_path(&dialer->ca_path);
    dialer->asks_environment = span_equal(snapshot->egress_proxy, SPAN_OF("environment"));
    dialer->has_proxy = !dialer->asks_environment && !span_is_empty(snapshot->egress_proxy);
    if (dialer->has_proxy) {
        buf_put(&dialer->proxy, snapshot->egress_proxy);
    }
    buf_put_char(&dialer->proxy, '\0');
    return dialer->proxy.failed || dialer->ca_path.failed ? ERR_MEMORY : ERR_NONE;
}

struct dialer *dialer_new(struct loop *loop, const struct snapshot *snapshot)
{
    struct dialer *dialer = mem_take_zero(sizeof *dialer);
    if (dialer == NULL) {
        return NULL;
    }
    dialer->loop = loop;
    dialer->snapshot = snapshot;
    dialer->on_done = on_done;
    list_init(&dialer->secure);
    list_init(&dialer->dials);
    slots_init(&dialer->slots, DIALS_MAX);
    loop_timer_init(&dialer->tick, loop, tick_fire);
    buf_init(&dialer->ca_path, PROXY_TEXT_MAX);
    buf_init(&dialer->proxy, PROXY_TEXT_MAX);
    dialer->has_global = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!dialer->has_global || dialer_fill(dialer) != ERR_NONE) {
        dialer_free(dialer);
        return NULL;
    }
    return dialer;
}

void dialer_free(struct dialer *dialer)
{
    if (dialer == NULL) {
        return;
    }
    while (!list_is_empty(&dialer->dials)) {
        dial_free(LIST_OWNER(dialer->dials.next, struct dial, link));
    }
    while (!list_is_empty(&dialer->secure)) {
        struct dial_multi *multi = LIST_OWNER(dialer->secure.next, struct dial_multi, link);
        list_remove(&multi->link);
        curl_loop_free(multi->curl_loop);
        mem_give(multi, sizeof *multi);
    }
    curl_loop_free(dialer->plain.curl_loop);
    if (dialer->share != NULL) {
        curl_share_cleanup(dialer->share);
    }
    loop_timer_fini(&dialer->tick);
    slots_fini(&dialer->slots);
    buf_fini(&dialer->ca_path);
    buf_fini(&dialer->proxy);
    if (dialer->names != NULL) {
        mem_give(dialer->names,
                 (dialer->snapshot->endpoints_count + 1) * sizeof *dialer->names);
    }
    if (dialer->has_global) {
        curl_global_cleanup();
    }
    mem_give(dialer, sizeof *dialer);
}

unsigned dialer_limit(const struct dialer *dialer, const struct provider *provider)
{
    const struct endpoint *endpoint = &provider->endpoint;
    must(endpoint->index < dialer->snapshot->endpoints_count);
    return endpoint->host_is_literal || dialer->names[endpoint->index].has_resolved
               ? LIMIT_DIALS_PER_ENDPOINT
               : 1;
}

uint64_t dial_start(struct dialer *dialer, const struct provider *provider, uint32_t connect_ms,
                    const struct dial_ears *ears, uint64_t id)
{
    struct dial *dial = mem_take_zero(sizeof *dial);
    if (dial == NULL) {
        return 0;
    }
    if (slots_add(&dialer->slots, dial, &dial->handle) != ERR_NONE) {
        mem_give(dial, sizeof *dial);
        return 0;
    }
    mono_ms now = loop_now(dialer->loop);
    dial->dialer = dialer;
    dial->provider = provider;
    dial->name = &dialer->names[provider->endpoint.index];
    dial->connect_ms = connect_ms;
    dial->ears = *ears;
    dial->id = id;
    loop_task_init(&dial->refuse, refuse_run);
    list_init(&dial->link);
    list_push_back(&dialer->dials, &dial->link);
    bool is_early = dial->name->has_failed && now - dial->name->failed_at < LOOKUP_PAUSE_MS;
    dial->is_stale = is_early && has_old_address(dial, now);
    if (is_early && !dial->is_stale) {
        dial->began = now;
        refuse(dial, OUTCOME_DNS);
    } else {
        begin(dial, now);
        loop_timer_set(&dialer->tick, mono_min(dialer->tick.wanted, mono_add(now, TICK_MS)));
    }
    return dial->handle;
}

void dial_cancel(struct dialer *dialer, uint64_t handle)
{
    struct dial *dial = slots_find(&dialer->slots, handle);
    if (dial != NULL) {
        dial_free(dial);
    }
}

/* libcurl reports a FIN without close_notify as a break (8.14) or as an end (7.88). The socket
 * knows: after a reset both its directions are gone. */
static enum dial_step how_broken(const struct dial_tls *tls)
{
    struct pollfd at = {.fd = tls->fd, .events = POLLIN};
    return poll(&at, 1, 0) == 1 && (at.revents & POLLHUP) != 0 ? DIAL_RESET : DIAL_CLOSED;
}

enum dial_step dial_tls_recv(struct dial_tls *tls, char *at, size_t size, size_t *count)
{
    CURLcode code = curl_easy_recv(tls->easy, at, size, count);
    if (code == CURLE_AGAIN) {
        return DIAL_AGAIN;
    }
    if (code != CURLE_OK) {
        return how_broken(tls);
    }
    return *count == 0 ? DIAL_CLOSED : DIAL_MOVED;
}

enum dial_step dial_tls_send(struct dial_tls *tls, const char *at, size_t size, size_t *count)
{
    CURLcode code = curl_easy_send(tls->easy, at, size, count);
    if (code == CURLE_AGAIN) {
        return DIAL_AGAIN;
    }
    return code == CURLE_OK && *count > 0 ? DIAL_MOVED : DIAL_RESET;
}

void dial_tls_close(struct dial_tls *tls)
{
    curl_loop_remove(tls->multi->curl_loop, tls->easy);
    curl_easy_cleanup(tls->easy);
    curl_slist_free_all(tls->resolve);
    tls->multi->used--;
    mem_give(tls, sizeof *tls);
}
