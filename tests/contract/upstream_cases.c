/* SPDX-License-Identifier: Apache-2.0 */
/* Back-pressure, large requests and cancelling: told by ears and counts, so that what carries the
 * bytes makes no difference. */
#include "tests/contract/upstream_cases.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/contract/patience.h"

enum { GREAT = 10 << 20 };

void play_answers(struct peer *peer)
{
    while (peer_take(peer)) {
        peer_say(peer, peer->with != NULL ? peer->with : OK_HELLO);
    }
}

void play_answer_and_close(struct peer *peer)
{
    if (peer_take(peer)) {
        peer_say(peer, peer->with);
    }
}

void play_byte_by_byte(struct peer *peer)
{
    const char *text = peer->with;
    while (peer_take(peer)) {
        for (size_t i = 0; text[i] != '\0'; i++) {
            peer_send(peer, text + i, 1);
            (void)poll(NULL, 0, 1);
        }
    }
}

void play_great_body(struct peer *peer)
{
    static char body[65536];
    memset(body, 3, sizeof body);
    while (peer_take(peer)) {
        peer_say(peer, "HTTP/1.1 200 OK\r\ncontent-length: 10485760\r\n\r\n");
        for (unsigned i = 0; i < GREAT / sizeof body; i++) {
            peer_send(peer, body, sizeof body);
        }
    }
}

void play_early_refusal(struct peer *peer)
{
    (void)peer_take_head(peer);
    peer_say(peer, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig");
}

/* What is read while nobody wants bytes: one buffer at most, and then nothing. */
static uint64_t pause_at_once(struct rig *rig, struct call *call)
{
    call_init(call, rig, "hello", 5);
    call->pause_in = EAR_HEAD;
    call_start(call);
    rig_run(rig, 200);
    uint64_t first = call->bytes;
    assert_true(first <= LIMIT_RECV);
    assert_true(mem_held() < rig->held_before + 512 * 1024);
    rig_run(rig, 50);
    assert_int_equal(call->bytes, first);
    return first;
}

void case_pause_and_resume(struct rig *rig)
{
    struct call call;
    uint64_t first = pause_at_once(rig, &call);
    for (unsigned i = 0; i < 50 && !call.has_ended; i++) {
        call.pause_in = EAR_BYTES;
        upstream_http1_ops.resume(rig->upstream, call.handle);
        upstream_http1_ops.resume(rig->upstream, call.handle);
        rig_run(rig, 5);
        /* Also when the socket itself has nothing to say: the bytes may lie inside TLS. */
        assert_true(call.bytes > first);
        assert_true(call.bytes <= first + LIMIT_RECV);
        first = call.bytes;
    }
    call.pause_in = EAR_NONE;
    upstream_http1_ops.resume(rig->upstream, call.handle);
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_int_equal(call.bytes, GREAT);
    assert_int_equal(call.sum, (uint64_t)GREAT * 3);
    assert_int_equal(upstream_http1_idle(rig->upstream), 1);
}

void case_large_request(struct rig *rig, const struct shared *shared)
{
    static char body[(8 << 20) + 12345];
    struct call call;
    call_init(&call, rig, body, sizeof body);
    call_start(&call);
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_string_equal(call.heard, "cwhbe");
    assert_int_equal(atomic_load(&shared->body), sizeof body);
    call_make(&call, rig);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_true(call.is_reused);
}

/* Starts and waits for a call whose body cannot be written while nobody reads. */
static void make_too_great(struct call *call, struct rig *rig, uint32_t write_ms)
{
    static char body[TOO_GREAT];
    call_init(call, rig, body, sizeof body);
    if (write_ms != 0) {
        call->request.write_ms = write_ms;
    }
    call_start(call);
    call_wait(call);
}

void case_answer_before_written(struct rig *rig)
{
    struct call call;
    make_too_great(&call, rig, 0);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_int_equal(call.status, 413);
    assert_string_equal(call.body, "big");
    assert_string_equal(call.heard, "chbe");
    assert_int_equal(upstream_http1_idle(rig->upstream), 0);
}

void case_write_stalls(struct rig *rig)
{
    struct call call;
    mono_ms before = loop_now(rig->loop);
    make_too_great(&call, rig, 150);
    assert_int_equal(call.outcome, OUTCOME_WRITE_TIMEOUT);
    assert_string_equal(call.heard, "ce");
    assert_in_range(loop_now(rig->loop) - before, patient(150), patient(5000));
}

void case_cancel_in_any_ear(struct rig *rig)
{
    static const enum ear ears[] = {EAR_CONNECTED, EAR_WRITTEN, EAR_HEAD, EAR_BYTES};
    static const char *const heard[] = {"c", "cw", "cwh", "cwhb"};
    struct call call;
    for (size_t i = 0; i < 4; i++) {
        call_init(&call, rig, "hello", 5);
        call.cancel_in = ears[i];
        call_start(&call);
        call_wait(&call);
        rig_run(rig, 20);
        assert_string_equal(call.heard, heard[i]);
        assert_int_equal(upstream_http1_idle(rig->upstream), 0);
    }
}
