/* SPDX-License-Identifier: Apache-2.0 */
/* Once a second the fleet is asked which endpoint wants a probe; at most PROBES_MAX are out. They
 * go the way of calls, by the same pool and the same rules for addresses, but are none: no ledger,
 * no line, no breaker but the endpoint's hears of them. */
#include "proxy/probes.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/slots.h"
#include "proxy/call.h"
#include "router/fleet.h"
#include "wire/head.h"

enum {
    PROBES_MAX = 16,
    LOOK_MS = 1000,
    PROBE_MS = 5000, /* for the whole of it */
    PROBE_CONNECT_MS = 3000,
    HEAD_MAX = 64 * 1024
};

struct probe {
    struct probes *probes;
    const struct provider *provider;
    uint64_t id;
    uint64_t upstream; /* handle */
    mono_ms until;
    struct link link;
    struct buf head; /* borrowed by the engine until it is written */
};

struct probes {
    struct env *env;
    struct slots slots;
    struct link open;
    struct loop_timer timer;
};

static void forget(struct probe *probe)
{
    list_remove(&probe->link);
    (void)slots_remove(&probe->probes->slots, probe->id);
    buf_fini(&probe->head);
    mem_give(probe, sizeof *probe);
}

static void end(struct probe *probe, bool is_alive)
{
    struct env *env = probe->probes->env;
    const struct provider *provider = probe->provider;

    if (probe->upstream != 0) {
        upstream_http1_ops.cancel(env->ports->network, probe->upstream);
    }
    forget(probe);
    fleet_probed(env->fleet, provider, is_alive, loop_now(env->loop));
    call_log_notices(env);
}

/* ---- ears ---- */

static void on_connected(void *to, uint64_t id, bool is_reused)
{
    (void)to;
    (void)id;
    (void)is_reused;
}

static void on_written(void *to, uint64_t id)
{
    (void)to;
    (void)id;
}

static void on_head(void *to, uint64_t id, const struct http1_head *head, const char *base)
{
    struct probes *probes = to;
    struct probe *probe = slots_find(&probes->slots, id);

    (void)base;
    if (probe != NULL) {
        end(probe, head->status < 500);
    }
}

static void on_bytes(void *to, uint64_t id, struct span bytes)
{
    (void)to;
    (void)id;
    (void)bytes;
}

static void on_end(void *to, uint64_t id, enum outcome how)
{
    struct probes *probes = to;
    struct probe *probe = slots_find(&probes->slots, id);

    (void)how;
    if (probe != NULL) {
        probe->upstream = 0;
        end(probe, false);
    }
}

/* ---- asking ---- */

static void write_head(struct probe *probe)
{
    const struct provider *provider = probe->provider;
    struct provider_where where = {.base = provider->endpoint.path,
                                   .version = provider->api_version,
                                   .lead = provider->dialect->version,
                                   .path = SPAN_OF("/models")};
    struct buf *out = &probe->head;

    buf_put(out, SPAN_OF("GET "));
    provider_put_target(provider->kind, out, &where);
    buf_put(out, SPAN_OF(" HTTP/1.1\r\n"));
    head_put(out, SPAN_OF("host"), provider->endpoint.authority);
    if (provider->credential_mode == CREDENTIAL_SECRET) {
        provider->kind->dress(out, provider->credential);
    }
    buf_put(out, SPAN_OF("accept: application/json\r\naccept-encoding: identity\r\n\r\n"));
}

static bool ask(struct probes *probes, const struct provider *provider)
{
    struct probe *probe = mem_take_zero(sizeof *probe);
    struct upstream_ears ears = {.to = probes,
                                 .on_connected = on_connected,
                                 .on_written = on_written,
                                 .on_head = on_head,
                                 .on_bytes = on_bytes,
                                 .on_end = on_end};
    struct upstream_request request = {.provider = provider,
                                       .pieces_count = 1,
                                       .head_pieces = 1,
                                       .is_fresh = true,
                                       .connect_ms = PROBE_CONNECT_MS,
                                       .write_ms = PROBE_MS};

    if (probe == NULL) {
        return false;
    }
    probe->probes = probes;
    probe->provider = provider;
    probe->until = mono_add(loop_now(probes->env->loop), PROBE_MS);
    buf_init(&probe->head, HEAD_MAX);
    list_init(&probe->link);
    write_head(probe);
    request.pieces[0] = buf_span(&probe->head);
    if (probe->head.failed || slots_add(&probes->slots, probe, &probe->id) != ERR_NONE) {
        forget(probe);
        return false;
    }
    list_push_back(&probes->open, &probe->link);
    probe->upstream =
        upstream_http1_ops.start(probes->env->ports->network, &request, &ears, probe->id);
    if (probe->upstream == 0) {
        forget(probe);
        return false;
    }
    return true;
}

static void end_late_ones(struct probes *probes, mono_ms now)
{
    struct link *next = NULL;

    for (struct link *at = probes->open.next; at != &probes->open; at = next) {
        struct probe *probe = LIST_OWNER(at, struct probe, link);

        next = at->next;
        if (now >= probe->until) {
            end(probe, false);
        }
    }
}

static void look(struct loop_timer *timer, mono_ms now)
{
    struct probes *probes = LIST_OWNER(timer, struct probes, timer);
    struct fleet *fleet = probes->env->fleet;
    const struct provider *provider = NULL;

    end_late_ones(probes, now);
    while (probes->slots.count < PROBES_MAX && (provider = fleet_wants_probe(fleet, now)) != NULL) {
        if (!ask(probes, provider)) {
            fleet_probed(fleet, provider, false, now);
        }
    }
    loop_timer_set(&probes->timer, mono_add(now, LOOK_MS));
}

struct probes *probes_new(struct env *env)
{
    struct probes *probes = mem_take_zero(sizeof *probes);

    if (probes != NULL) {
        probes->env = env;
        slots_init(&probes->slots, PROBES_MAX);
        list_init(&probes->open);
        loop_timer_init(&probes->timer, env->loop, look);
        loop_timer_set(&probes->timer, mono_add(loop_now(env->loop), LOOK_MS));
    }
    return probes;
}

void probes_free(struct probes *probes)
{
    if (probes == NULL) {
        return;
    }
    while (!list_is_empty(&probes->open)) {
        end(LIST_OWNER(probes->open.next, struct probe, link), false);
    }
    loop_timer_fini(&probes->timer);
    slots_fini(&probes->slots);
    mem_give(probes, sizeof *probes);
}
