/* SPDX-License-Identifier: Apache-2.0 */
/* The upstream port over plain connections: answers of every framing, kept connections, breaks at
 * every place, back-pressure, cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/contract/peer.h"
#include "tests/contract/rig.h"
#include "tests/contract/upstream_cases.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK_HELLO OK_HEAD "content-length: 5\r\nx-test: yes\r\n\r\nhello"

/* --- scripts --- */

static void answer_all(struct peer *peer)
{
    while (peer_take(peer)) {
        peer_say(peer, peer->with != NULL ? peer->with : OK_HELLO);
    }
}

static void answer_then_close(struct peer *peer)
{
    if (peer_take(peer)) {
        peer_say(peer, peer->with);
    }
}

/* The answer is in the client's hands before the break. */
static void answer_then_reset(struct peer *peer)
{
    if (peer_take(peer)) {
        peer_say(peer, peer->with);
        (void)poll(NULL, 0, 30);
    }
    peer_reset(peer);
}

/* Serves one, and the second it takes and says nothing. */
static void eat_second(struct peer *peer)
{
    if (peer_take(peer)) {
        peer_say(peer, OK_HELLO);
        (void)peer_take(peer);
    }
}

static void eat_second_and_reset(struct peer *peer)
{
    eat_second(peer);
    peer_reset(peer);
}

static void take_and_wait(struct peer *peer)
{
    (void)peer_take(peer);
    peer_wait_end(peer);
}

static void answer_byte_by_byte(struct peer *peer)
{
    const char *text = peer->with;
    while (peer_take(peer)) {
        for (size_t i = 0; text[i] != '\0'; i++) {
            peer_send(peer, text + i, 1);
            (void)poll(NULL, 0, 1);
        }
    }
}

/* --- one answer, one end --- */

struct expected {
    enum outcome outcome;
    const char *heard;
    unsigned status;
    const char *body;
};

static void expect(peer_script *play, const char *with, struct expected expected)
{
    struct server server = server_start(play, with);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, expected.outcome);
    assert_string_equal(call.heard, expected.heard);
    assert_int_equal(call.status, expected.status);
    assert_string_equal(call.body, expected.body);
    assert_int_equal(atomic_load(&server.shared->connections), 1);
    rig_close(&rig);
    server_stop(&server);
}

static void answer__with_a_length_is_whole(void **state)
{
    (void)state;
    expect(answer_all, OK_HELLO, (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

static void answer__in_chunks_comes_without_them(void **state)
{
    (void)state;
    expect(answer_all,
           OK_HEAD "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nt: x\r\n\r\n",
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

static void answer__until_close_ends_with_the_connection(void **state)
{
    (void)state;
    expect(answer_then_close, OK_HEAD "\r\nhello",
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

static void answer__until_close_that_is_reset_is_truncated(void **state)
{
    (void)state;
    expect(answer_then_reset, OK_HEAD "\r\nhello",
           (struct expected){OUTCOME_TRUNCATED, "cwhbe", 200, "hello"});
}

static void answer__without_a_body_ends_with_its_head(void **state)
{
    (void)state;
    expect(answer_all, "HTTP/1.1 204 No Content\r\n\r\n",
           (struct expected){OUTCOME_OK, "cwhe", 204, ""});
    expect(answer_all, OK_HEAD "content-length: 0\r\n\r\n",
           (struct expected){OUTCOME_OK, "cwhe", 200, ""});
}

static void answer__byte_by_byte_is_the_same(void **state)
{
    (void)state;
    expect(answer_byte_by_byte,
           "HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n" OK_HEAD
           "transfer-encoding: chunked\r\nx-test: yes\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

static void answer__interim_heads_are_swallowed(void **state)
{
    (void)state;
    expect(answer_all,
           "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
           "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" OK_HELLO,
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static void answer__too_many_interim_heads_are_a_broken_protocol(void **state)
{
    (void)state;
    expect(answer_all,
           CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE OK_HELLO,
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
    expect(answer_all,
           CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE
               OK_HELLO,
           (struct expected){OUTCOME_PROTOCOL, "cwe", 0, ""});
}

static void answer__switching_protocols_unasked_is_told_apart(void **state)
{
    (void)state;
    expect(answer_all,
           "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: "
           "upgrade\r\n\r\n",
           (struct expected){OUTCOME_SWITCHED, "cwe", 0, ""});
    expect(answer_all, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
           (struct expected){OUTCOME_SWITCHED, "cwe", 0, ""});
}

static void answer__that_is_not_http_is_a_broken_protocol(void **state)
{
    (void)state;
    expect(answer_all, "<html>hello</html>\n",
           (struct expected){OUTCOME_PROTOCOL, "cwe", 0, ""});
    expect(answer_all, "HTTP/1.1 000 Nothing\r\n\r\n",
           (struct expected){OUTCOME_PROTOCOL, "cwe", 0, ""});
    /* An HTTP/2 server answers with its preface, a frame of settings. */
    expect(answer_all, "\x01\x01\x12\x04\x01\x01",
           (struct expected){OUTCOME_PROTOCOL, "cwe", 0, ""});
}

static void answer__with_ambiguous_framing_is_refused(void **state)
{
    (void)state;
    static const char *const heads[] = {
        OK_HEAD "content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        OK_HEAD "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK_HEAD "transfer-encoding: chunked, gzip\r\n\r\nhello",
    };
    for (size_t i = 0; i < 3; i++) {
        expect(answer_all, heads[i], (struct expected){OUTCOME_FRAMING, "cwe", 0, ""});
    }
    expect(answer_all, OK_HEAD "transfer-encoding: chunked\r\n\r\nzz\r\n",
           (struct expected){OUTCOME_FRAMING, "cwhe", 200, ""});
}

static void answer__with_a_bad_header_is_refused(void **state)
{
    (void)state;
    expect(answer_all, OK_HEAD "bad name: x\r\n\r\n",
           (struct expected){OUTCOME_HEADER, "cwe", 0, ""});
}

static void say_endless_head(struct peer *peer)
{
    static char line[1024];
    memset(line, 'a', sizeof line);
    memcpy(line, "x-long: ", 8);
    memcpy(line + sizeof line - 2, "\r\n", 2);
    (void)peer_take(peer);
    peer_say(peer, OK_HEAD);
    for (unsigned i = 0; i < 1024; i++) {
        peer_send(peer, line, sizeof line);
    }
    peer_wait_end(peer);
}

static void answer__with_a_head_of_a_megabyte_is_refused(void **state)
{
    (void)state;
    expect(say_endless_head, NULL, (struct expected){OUTCOME_HEADER, "cwe", 0, ""});
}

static void answer__shorter_than_it_said_is_truncated(void **state)
{
    (void)state;
    expect(answer_then_close, OK_HEAD "content-length: 9\r\n\r\nhello",
           (struct expected){OUTCOME_TRUNCATED, "cwhbe", 200, "hello"});
    expect(answer_then_reset, OK_HEAD "content-length: 9\r\n\r\nhello",
           (struct expected){OUTCOME_TRUNCATED, "cwhbe", 200, "hello"});
    expect(answer_then_close, OK_HEAD "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
           (struct expected){OUTCOME_TRUNCATED, "cwhbe", 200, "hello"});
    expect(answer_then_close, OK_HEAD "content-len",
           (struct expected){OUTCOME_TRUNCATED, "cwe", 0, ""});
}

static void answer__that_never_comes_tells_close_from_reset(void **state)
{
    (void)state;
    expect(answer_then_close, "", (struct expected){OUTCOME_CLOSED, "cwe", 0, ""});
    expect(answer_then_reset, "", (struct expected){OUTCOME_RESET, "cwe", 0, ""});
    expect(answer_then_close, CONTINUE, (struct expected){OUTCOME_CLOSED, "cwe", 0, ""});
}

static void answer__to_a_head_request_has_no_body(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, OK_HEAD "content-length: 5\r\n\r\n");
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "", 0);
    call.request.is_head_method = true;
    call_start(&call);
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_string_equal(call.heard, "cwhe");
    assert_int_equal(upstream_http1_idle(rig.upstream), 1);
    rig_close(&rig);
    server_stop(&server);
}

static void answer__gives_its_headers(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_string_equal(call.header, "yes");
    rig_close(&rig);
    server_stop(&server);
}

/* --- kept connections --- */

static void connection__is_used_again(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    for (unsigned i = 0; i < 20; i++) {
        call_make(&call, &rig);
        assert_int_equal(call.outcome, OUTCOME_OK);
        assert_int_equal(call.is_reused, i > 0);
        assert_int_equal(upstream_http1_idle(rig.upstream), 1);
    }
    assert_int_equal(atomic_load(&server.shared->connections), 1);
    assert_int_equal(atomic_load(&server.shared->requests), 20);
    rig_close(&rig);
    server_stop(&server);
}

static void expect_not_kept(peer_script *play, const char *answer)
{
    struct server server = server_start(play, answer);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_int_equal(upstream_http1_idle(rig.upstream), 0);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_false(call.is_reused);
    assert_int_equal(atomic_load(&server.shared->connections), 2);
    rig_close(&rig);
    server_stop(&server);
}

static void connection__is_not_kept_when_the_answer_says_so(void **state)
{
    (void)state;
    expect_not_kept(answer_all, OK_HEAD "connection: close\r\ncontent-length: 5\r\n\r\nhello");
    expect_not_kept(answer_all, "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello");
}

static void connection__is_not_kept_with_bytes_behind_the_answer(void **state)
{
    (void)state;
    expect_not_kept(answer_all, OK_HELLO "more");
}

static void say_more_later(struct peer *peer)
{
    while (peer_take(peer)) {
        peer_say(peer, OK_HELLO);
        shared_wait(peer->shared, peer->nth + 1);
        peer_say(peer, OK_HELLO);
    }
}

static void connection__that_speaks_while_idle_is_closed(void **state)
{
    (void)state;
    struct server server = server_start(say_more_later, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(upstream_http1_idle(rig.upstream), 1);
    atomic_store(&server.shared->signal, 1);
    for (unsigned i = 0; i < 1000 && upstream_http1_idle(rig.upstream) > 0; i++) {
        rig_run(&rig, 5);
    }
    assert_int_equal(upstream_http1_idle(rig.upstream), 0);
    rig_close(&rig);
    server_stop(&server);
}

static void connection__closed_while_idle_is_replaced(void **state)
{
    (void)state;
    struct server server = server_start(answer_then_close, OK_HELLO);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    for (unsigned i = 0; i < 3; i++) {
        call_make(&call, &rig);
        assert_int_equal(call.outcome, OUTCOME_OK);
        rig_run(&rig, 30);
        assert_int_equal(upstream_http1_idle(rig.upstream), 0);
    }
    assert_int_equal(atomic_load(&server.shared->requests), 3);
    rig_close(&rig);
    server_stop(&server);
}

static void answer_then_reset_when_told(struct peer *peer)
{
    if (!peer_take(peer)) {
        return;
    }
    peer_say(peer, OK_HELLO);
    if (peer->nth == 0) {
        shared_wait(peer->shared, 1);
        peer_reset(peer);
        atomic_store(&peer->shared->signal, 2);
    }
}

/* Runs inside the first call's end: the reset is there, but the loop has not looked yet. */
static void start_another(struct call *call)
{
    struct call *next = call->with;
    struct shared *shared = (struct shared *)next->with;
    atomic_store(&shared->signal, 1);
    shared_wait(shared, 2);
    call_start(next);
}

/* False: the reset came behind the request after all, as it may on a busy machine. */
static bool finds_it_dead(void)
{
    struct server server = server_start(answer_then_reset_when_told, NULL);
    struct rig rig;
    struct call first;
    struct call second;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&first, &rig, "hello", 5);
    call_init(&second, &rig, "hello", 5);
    first.on_end = start_another;
    first.with = &second;
    second.with = server.shared;
    call_start(&first);
    call_wait(&first);
    call_wait(&second);
    bool is_late = second.is_reused && second.outcome == OUTCOME_RESET;
    if (!is_late) {
        assert_int_equal(second.outcome, OUTCOME_OK);
        assert_false(second.is_reused);
        assert_string_equal(second.heard, "cwhbe");
        assert_int_equal(atomic_load(&server.shared->requests), 2);
    }
    rig_close(&rig);
    server_stop(&server);
    return !is_late;
}

static void connection__found_dead_before_the_first_byte_is_replaced_silently(void **state)
{
    (void)state;
    for (int tries = 0; tries < 10; tries++) {
        if (finds_it_dead()) {
            return;
        }
    }
    fail_msg("the connection was never found dead");
}

static void expect_eaten(peer_script *play, enum outcome outcome)
{
    struct server server = server_start(play, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_make(&call, &rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, outcome);
    assert_true(call.is_reused);
    assert_string_equal(call.heard, "cwe");
    rig_run(&rig, 50);
    /* One request per attempt has been on the wire, none was sent again. */
    assert_int_equal(atomic_load(&server.shared->requests), 2);
    assert_int_equal(atomic_load(&server.shared->connections), 1);
    rig_close(&rig);
    server_stop(&server);
}

static void request__eaten_on_a_kept_connection_is_reported_and_never_sent_again(void **state)
{
    (void)state;
    expect_eaten(eat_second, OUTCOME_CLOSED);
    expect_eaten(eat_second_and_reset, OUTCOME_RESET);
}

static void pool__keeps_no_more_than_it_may(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    static struct call calls[30];
    rig_init(&rig, server.port);
    rig.providers[0].pool_idle = 5;
    rig_open(&rig);
    for (unsigned i = 0; i < 30; i++) {
        call_init(&calls[i], &rig, "hello", 5);
        call_start(&calls[i]);
    }
    for (unsigned i = 0; i < 30; i++) {
        call_wait(&calls[i]);
        assert_int_equal(calls[i].outcome, OUTCOME_OK);
    }
    assert_in_range(upstream_http1_idle(rig.upstream), 1, 5);
    assert_int_equal(atomic_load(&server.shared->requests), 30);
    rig_close(&rig);
    server_stop(&server);
}

static void pool__closes_what_is_idle_for_too_long(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig.providers[0].pool_idle_ms = 60;
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(upstream_http1_idle(rig.upstream), 1);
    rig_run(&rig, 150);
    assert_int_equal(upstream_http1_idle(rig.upstream), 0);
    rig_close(&rig);
    server_stop(&server);
}

static void pool__does_not_use_what_has_lived_too_long(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig.providers[0].pool_life_ms = 60;
    rig_open(&rig);
    call_make(&call, &rig);
    rig_run(&rig, 100);
    call_make(&call, &rig);
    assert_false(call.is_reused);
    assert_int_equal(atomic_load(&server.shared->connections), 2);
    rig_close(&rig);
    server_stop(&server);
}

static void pool__serves_all_who_wait_by_whatever_is_ready_first(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    static struct call calls[200];
    rig_init(&rig, server.port);
    rig_open(&rig);
    for (unsigned i = 0; i < 200; i++) {
        call_init(&calls[i], &rig, "hello", 5);
        call_start(&calls[i]);
    }
    assert_true(loop_turn(rig.loop, 10));
    for (unsigned i = 0; i < 200; i++) {
        call_wait(&calls[i]);
        assert_int_equal(calls[i].outcome, OUTCOME_OK);
    }
    assert_int_equal(atomic_load(&server.shared->requests), 200);
    /* Those who wait take what comes back first: far fewer connections than calls. */
    assert_true(atomic_load(&server.shared->connections) < 200);
    rig_close(&rig);
    server_stop(&server);
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
    struct server server = server_start(answer_all, NULL);
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
        server_start(answer_byte_by_byte, OK_HEAD "content-length: 5\r\n\r\nhello");
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
    struct server server = server_start(answer_all, NULL);
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
    struct server server = server_start(answer_all, NULL);
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
    struct server server = server_start(answer_all, NULL);
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
        cmocka_unit_test(answer__with_a_length_is_whole),
        cmocka_unit_test(answer__in_chunks_comes_without_them),
        cmocka_unit_test(answer__until_close_ends_with_the_connection),
        cmocka_unit_test(answer__until_close_that_is_reset_is_truncated),
        cmocka_unit_test(answer__without_a_body_ends_with_its_head),
        cmocka_unit_test(answer__byte_by_byte_is_the_same),
        cmocka_unit_test(answer__interim_heads_are_swallowed),
        cmocka_unit_test(answer__too_many_interim_heads_are_a_broken_protocol),
        cmocka_unit_test(answer__switching_protocols_unasked_is_told_apart),
        cmocka_unit_test(answer__that_is_not_http_is_a_broken_protocol),
        cmocka_unit_test(answer__with_ambiguous_framing_is_refused),
        cmocka_unit_test(answer__with_a_bad_header_is_refused),
        cmocka_unit_test(answer__with_a_head_of_a_megabyte_is_refused),
        cmocka_unit_test(answer__shorter_than_it_said_is_truncated),
        cmocka_unit_test(answer__that_never_comes_tells_close_from_reset),
        cmocka_unit_test(answer__to_a_head_request_has_no_body),
        cmocka_unit_test(answer__gives_its_headers),
        cmocka_unit_test(connection__is_used_again),
        cmocka_unit_test(connection__is_not_kept_when_the_answer_says_so),
        cmocka_unit_test(connection__is_not_kept_with_bytes_behind_the_answer),
        cmocka_unit_test(connection__that_speaks_while_idle_is_closed),
        cmocka_unit_test(connection__closed_while_idle_is_replaced),
        cmocka_unit_test(connection__found_dead_before_the_first_byte_is_replaced_silently),
        cmocka_unit_test(request__eaten_on_a_kept_connection_is_reported_and_never_sent_again),
        cmocka_unit_test(pool__keeps_no_more_than_it_may),
        cmocka_unit_test(pool__closes_what_is_idle_for_too_long),
        cmocka_unit_test(pool__does_not_use_what_has_lived_too_long),
        cmocka_unit_test(pool__serves_all_who_wait_by_whatever_is_ready_first),
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
