/* SPDX-License-Identifier: Apache-2.0 */
/* The upstream port over real sockets: writing, back-pressure, cancelling, its own end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/contract/peer.h"
#include "tests/contract/rig.h"
#include "tests/contract/upstream_cases.h"

static void take_and_wait(struct peer *peer)
{
    (void)peer_take(peer);
    peer_wait_end(peer);
}

/* --- writing --- */

/* With a word the peer waits; without one it closes while bytes are unread, which the kernel turns
 * into a reset. */
static void refuse_early(struct peer *peer)
{
    play_early_refusal(peer);
    if (peer->with != NULL) {
        peer_wait_end(peer);
    }
}

static void expect_refused_early(const void *with)
{
    struct server server = server_start(refuse_early, with);
    struct rig rig;
    rig_init(&rig, server.port);
    rig_open(&rig);
    case_answer_before_written(&rig);
    rig_close(&rig);
    server_stop(&server);
}

static void request__answered_before_it_is_written_is_answered(void **state)
{
    (void)state;
    expect_refused_early("stay");
    expect_refused_early(NULL);
}

static void write__of_a_large_body_arrives_whole(void **state)
{
    (void)state;
    struct server server = server_start(play_answers, NULL);
    struct rig rig;
    rig_init(&rig, server.port);
    rig_open(&rig);
    case_large_request(&rig, server.shared);
    rig_close(&rig);
    server_stop(&server);
}

static void take_nothing(struct peer *peer)
{
    shared_wait(peer->shared, 1);
}

static void write__that_stalls_runs_out_of_time(void **state)
{
    (void)state;
    struct server server = server_start(take_nothing, NULL);
    struct rig rig;
    rig_init(&rig, server.port);
    rig_open(&rig);
    case_write_stalls(&rig);
    atomic_store(&server.shared->signal, 1);
    rig_close(&rig);
    server_stop(&server);
}

static void take_slowly(struct peer *peer)
{
    static char sink[256 * 1024];
    uint64_t total = 0;
    while (total < (24 << 20)) {
        ssize_t got = peer_read(peer, sink, sizeof sink);
        if (got <= 0) {
            return;
        }
        total += (uint64_t)got;
        (void)poll(NULL, 0, 10);
    }
    peer_say(peer, OK_HELLO);
    peer_wait_end(peer);
}

static void write__that_is_slow_but_moves_does_not_run_out_of_time(void **state)
{
    (void)state;
    struct server server = server_start(take_slowly, NULL);
    struct rig rig;
    struct call call;
    static char body[24 << 20];
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, body, sizeof body);
    call.request.write_ms = 250;
    call_start(&call);
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_OK);
    rig_close(&rig);
    server_stop(&server);
}

static void take_a_little_and_reset(struct peer *peer)
{
    static char sink[4096];
    (void)peer_read(peer, sink, sizeof sink);
    peer_reset(peer);
}

static void write__that_is_reset_halfway_is_a_reset(void **state)
{
    (void)state;
    struct server server = server_start(take_a_little_and_reset, NULL);
    struct rig rig;
    struct call call;
    static char body[TOO_GREAT];
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, body, sizeof body);
    call_start(&call);
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_RESET);
    assert_string_equal(call.heard, "ce");
    rig_close(&rig);
    server_stop(&server);
}

/* --- back-pressure --- */

static void body__stops_when_paused_and_goes_on_when_resumed(void **state)
{
    (void)state;
    struct server server = server_start(play_great_body, NULL);
    struct rig rig;
    rig_init(&rig, server.port);
    rig_open(&rig);
    case_pause_and_resume(&rig);
    rig_close(&rig);
    server_stop(&server);
}

static void body__paused_does_not_spin_the_loop(void **state)
{
    (void)state;
    struct server server = server_start(play_great_body, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call.pause_in = EAR_HEAD;
    call_start(&call);
    rig_run(&rig, 100);
    mono_ms before = loop_now(rig.loop);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(loop_turn(rig.loop, 20));
    }
    assert_true(loop_now(rig.loop) - before >= 100);
    upstream_http1_ops.cancel(rig.upstream, call.handle);
    rig_close(&rig);
    server_stop(&server);
}

/* --- cancelling --- */

static void cancel__in_any_ear_is_followed_by_silence(void **state)
{
    (void)state;
    struct server server =
        server_start(play_byte_by_byte, OK_HEAD "content-length: 5\r\n\r\nhello");
    struct rig rig;
    rig_init(&rig, server.port);
    rig_open(&rig);
    case_cancel_in_any_ear(&rig);
    rig_close(&rig);
    server_stop(&server);
}

static void cancel__closes_the_connection_at_once(void **state)
{
    (void)state;
    struct server server = server_start(take_and_wait, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call_start(&call);
    for (unsigned i = 0; i < 2000 && atomic_load(&server.shared->requests) == 0; i++) {
        rig_run(&rig, 1);
    }
    upstream_http1_ops.cancel(rig.upstream, call.handle);
    upstream_http1_ops.cancel(rig.upstream, call.handle);
    /* The server sees it though the loop does not turn any more. */
    for (unsigned i = 0; i < 2000 && atomic_load(&server.shared->ends) == 0; i++) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(atomic_load(&server.shared->ends), 1);
    assert_string_equal(call.heard, "cw");
    rig_close(&rig);
    server_stop(&server);
}

static void cancel__before_anything_happened_is_silent(void **state)
{
    (void)state;
    struct server server = server_start(play_answers, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    /* before its first task; while it dials */
    for (unsigned turns = 0; turns < 2; turns++) {
        call_init(&call, &rig, "hello", 5);
        call_start(&call);
        for (unsigned i = 0; i < turns; i++) {
            assert_true(loop_turn(rig.loop, 0));
        }
        upstream_http1_ops.cancel(rig.upstream, call.handle);
        rig_run(&rig, 30);
        assert_string_equal(call.heard, "");
    }
    /* The dial that nobody waits for any more has filled the pool. */
    assert_int_equal(upstream_http1_idle(rig.upstream), 1);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_int_equal(atomic_load(&server.shared->requests), 1);
    rig_close(&rig);
    server_stop(&server);
}

static void cancel__while_a_body_is_written_is_silent(void **state)
{
    (void)state;
    struct server server = server_start(take_nothing, NULL);
    struct rig rig;
    struct call call;
    static char body[TOO_GREAT];
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, body, sizeof body);
    call_start(&call);
    rig_run(&rig, 30);
    assert_string_equal(call.heard, "c");
    upstream_http1_ops.cancel(rig.upstream, call.handle);
    rig_run(&rig, 30);
    atomic_store(&server.shared->signal, 1);
    rig_close(&rig);
    server_stop(&server);
}

static void handle__stale_or_foreign_is_ignored(void **state)
{
    (void)state;
    struct server server = server_start(play_answers, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_make(&call, &rig);
    upstream_http1_ops.pause(rig.upstream, call.handle);
    upstream_http1_ops.resume(rig.upstream, call.handle);
    upstream_http1_ops.cancel(rig.upstream, call.handle);
    upstream_http1_ops.cancel(rig.upstream, 0);
    upstream_http1_ops.cancel(rig.upstream, 12345678);
    rig_close(&rig);
    server_stop(&server);
}

static void end__of_the_port_calls_no_ear(void **state)
{
    (void)state;
    struct server server = server_start(take_and_wait, NULL);
    struct rig rig;
    static struct call calls[20];
    rig_init(&rig, server.port);
    rig_open(&rig);
    for (unsigned i = 0; i < 20; i++) {
        call_init(&calls[i], &rig, "hello", 5);
        call_start(&calls[i]);
        assert_true(loop_turn(rig.loop, 0));
    }
    rig_run(&rig, 20);
    rig_close(&rig);
    for (unsigned i = 0; i < 20; i++) {
        assert_false(calls[i].has_ended);
    }
    server_stop(&server);
}

static void start__without_memory_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    struct server server = server_start(play_answers, NULL);
    for (uint64_t nth = 1; nth < 60; nth++) {
        struct rig rig;
        struct call call;
        rig_init(&rig, server.port);
        rig_open(&rig);
        call_init(&call, &rig, "hello", 5);
        mem_fail_at(nth);
        struct upstream_ears none = {0};
        if (nth <= 3) { /* the attempt, what it writes with, the table of handles */
            assert_int_equal(
                upstream_http1_ops.start(rig.upstream, &call.request, &none, 1) == 0, 1);
        } else {
            call_start(&call);
            call_wait(&call);
            assert_true(call.outcome == OUTCOME_OK || call.outcome == OUTCOME_LOCAL ||
                        call.outcome == OUTCOME_CONNECT);
        }
        bool has_failed_one = mem_taken() >= nth;
        mem_fail_at(0);
        rig_close(&rig);
        if (!has_failed_one) {
            break;
        }
    }
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request__answered_before_it_is_written_is_answered),
        cmocka_unit_test(write__of_a_large_body_arrives_whole),
        cmocka_unit_test(write__that_stalls_runs_out_of_time),
        cmocka_unit_test(write__that_is_slow_but_moves_does_not_run_out_of_time),
        cmocka_unit_test(write__that_is_reset_halfway_is_a_reset),
        cmocka_unit_test(body__stops_when_paused_and_goes_on_when_resumed),
        cmocka_unit_test(body__paused_does_not_spin_the_loop),
        cmocka_unit_test(cancel__in_any_ear_is_followed_by_silence),
        cmocka_unit_test(cancel__closes_the_connection_at_once),
        cmocka_unit_test(cancel__before_anything_happened_is_silent),
        cmocka_unit_test(cancel__while_a_body_is_written_is_silent),
        cmocka_unit_test(handle__stale_or_foreign_is_ignored),
        cmocka_unit_test(end__of_the_port_calls_no_ear),
        cmocka_unit_test(start__without_memory_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
