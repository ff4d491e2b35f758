/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/rig.c: see rig.h. */
#include "tests/contract/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/contract/patience.h"

enum { WAIT_MS = 20000 };

struct provider *rig_provider(struct rig *rig, size_t i, const char *host, uint16_t port)
{
    struct provider *provider = &rig->providers[i];
    *provider = (struct provider){
        .name = SPAN_OF("test"),
        .pool_idle = 64,
        .pool_idle_ms = 20000,
        .pool_life_ms = 300000,
        .index = (uint16_t)i,
        .endpoint = {.host_is_literal = true,
                     .port = port,
                     .index = (uint16_t)i,
                     .host = span_of(host),
                     .authority = span_of(host)},
    };
    return provider;
}

void rig_init(struct rig *rig, uint16_t port)
{
    memset(rig, 0, sizeof *rig);
    rig->held_before = mem_held();
    for (size_t i = 0; i < RIG_PROVIDERS; i++) {
        rig_provider(rig, i, "127.0.0.1", port);
    }
    rig->snapshot.references = 1;
    rig->snapshot.routing.providers = rig->providers;
    rig->snapshot.routing.providers_count = RIG_PROVIDERS;
    rig->snapshot.endpoints_count = RIG_PROVIDERS;
    rig->snapshot.egress_allow = rig->allowed;
}

void rig_open(struct rig *rig)
{
    rig->loop = loop_new(NULL);
    assert_non_null(rig->loop);
    rig->upstream = upstream_http1_new(rig->loop, &rig->snapshot);
    assert_non_null(rig->upstream);
}

void rig_close(struct rig *rig)
{
    upstream_http1_free(rig->upstream);
    loop_free(rig->loop);
    assert_int_equal(mem_held(), rig->held_before);
}

static void hear(struct call *call, char what)
{
    size_t len = strlen(call->heard);
    assert_false(call->has_ended);
    if (what == 'b' && len > 0 && call->heard[len - 1] == 'b') {
        return;
    }
    assert_true(len + 1 < sizeof call->heard);
    call->heard[len] = what;
}

static void act(struct call *call, enum ear ear)
{
    if (call->cancel_in == ear) {
        upstream_http1_ops.cancel(call->rig->upstream, call->handle);
        /* From here on there is silence: hear would fail. */
        call->has_ended = true;
    }
    if (call->pause_in == ear) {
        call->pause_in = EAR_NONE;
        upstream_http1_ops.pause(call->rig->upstream, call->handle);
    }
}

static void on_connected(void *to, uint64_t id, bool is_reused)
{
    struct call *call = to;
    assert_int_equal(id, 77);
    hear(call, 'c');
    call->is_reused = is_reused;
    act(call, EAR_CONNECTED);
}

static void on_written(void *to, uint64_t id)
{
    (void)id;
    hear(to, 'w');
    act(to, EAR_WRITTEN);
}

static void on_head(void *to, uint64_t id, const struct http1_head *head, const char *base)
{
    (void)id;
    struct call *call = to;
    hear(call, 'h');
    call->status = head->status;
    int at = http1_find(head, base, SPAN_OF("x-test"), 0);
    if (at >= 0) {
        struct span value = http1_value(head, base, (size_t)at);
        (void)snprintf(call->header, sizeof call->header, "%.*s", SPAN_ARGS(value));
    }
    act(call, EAR_HEAD);
}

static void on_bytes(void *to, uint64_t id, struct span bytes)
{
    (void)id;
    struct call *call = to;
    hear(call, 'b');
    assert_true(bytes.len > 0);
    for (size_t i = 0; i < bytes.len; i++) {
        if (call->bytes + i + 1 < sizeof call->body) {
            call->body[call->bytes + i] = bytes.at[i];
        }
        call->sum += (unsigned char)bytes.at[i];
    }
    call->bytes += bytes.len;
    call->pieces++;
    act(call, EAR_BYTES);
}

static void on_end(void *to, uint64_t id, enum outcome how)
{
    (void)id;
    struct call *call = to;
    hear(call, 'e');
    call->has_ended = true;
    call->outcome = how;
    /* Its handle is stale by now, and that is no harm. */
    upstream_http1_ops.cancel(call->rig->upstream, call->handle);
    if (call->on_end != NULL) {
        call->on_end(call);
    }
}

void call_init(struct call *call, struct rig *rig, const char *body, size_t size)
{
    memset(call, 0, sizeof *call);
    int len = snprintf(call->head, sizeof call->head,
                       "POST /v1/x HTTP/1.1\r\nhost: test\r\ncontent-length: %zu\r\n\r\n", size);
    call->rig = rig;
    call->request = (struct upstream_request){
        .provider = &rig->providers[0],
        .pieces = {{call->head, (size_t)len}, {body, size}},
        .pieces_count = 2,
        .head_pieces = 1,
        .connect_ms = 5000,
        .write_ms = 5000,
    };
}

void call_start(struct call *call)
{
    static const struct upstream_ears ears = {.on_connected = on_connected,
                                              .on_written = on_written,
                                              .on_head = on_head,
                                              .on_bytes = on_bytes,
                                              .on_end = on_end};
    struct upstream_ears own = ears;
    own.to = call;
    struct upstream_request request = call->request;
    request.connect_ms = patient(request.connect_ms);
    request.write_ms = patient(request.write_ms);
    call->handle = upstream_http1_ops.start(call->rig->upstream, &request, &own, 77);
    assert_true(call->handle != 0);
    assert_string_equal(call->heard, "");
}

void call_wait(struct call *call)
{
    mono_ms end = loop_now(call->rig->loop) + patient(WAIT_MS);
    while (!call->has_ended) {
        assert_true(loop_turn(call->rig->loop, 100));
        assert_true(loop_now(call->rig->loop) < end);
    }
}

void call_make(struct call *call, struct rig *rig)
{
    call_init(call, rig, "hello", 5);
    call_start(call);
    call_wait(call);
}

void rig_run(struct rig *rig, uint32_t ms)
{
    mono_ms end = loop_now(rig->loop) + patient(ms);
    while (loop_now(rig->loop) < end) {
        assert_true(loop_turn(rig->loop, 10));
    }
}

void rig_until(struct rig *rig, const unsigned *value, unsigned wanted)
{
    mono_ms end = loop_now(rig->loop) + patient(WAIT_MS);
    while (*(const volatile unsigned *)value < wanted) {
        assert_true(loop_turn(rig->loop, 5));
        assert_true(loop_now(rig->loop) < end);
    }
}
