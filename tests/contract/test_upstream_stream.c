/* SPDX-License-Identifier: Apache-2.0 */
/* The upstream port while an answer comes in many small pieces: each way to end comes together with
 * the last piece while nobody looks, which is where a reader that stops too early would miss it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <string.h>

#include <cmocka.h>

#include "tests/contract/peer.h"
#include "tests/contract/rig.h"

#define UNTIL_CLOSE "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

enum { PIECES = 12 };

enum ending { END_CLOSE, END_RESET, END_LAST_CHUNK, END_LAST_CHUNK_AND_CLOSE };

struct script {
    const char *head;
    const char *piece;
    enum ending ending;
};

/* Both sides count the steps that are done in shared->signal. */
static void step_done(struct shared *shared)
{
    (void)atomic_fetch_add(&shared->signal, 1);
}

static void end_as(struct peer *peer, const struct script *script)
{
    switch (script->ending) {
    case END_CLOSE: break;
    case END_RESET: peer_reset(peer); break;
    case END_LAST_CHUNK:
    case END_LAST_CHUNK_AND_CLOSE: peer_say(peer, "0\r\n\r\n"); break;
    }
}

/* Piece by piece, each when it is called for; then a last piece and the end in one moment. */
static void say_pieces(struct peer *peer)
{
    const struct script *script = peer->with;
    while (peer_take(peer)) {
        unsigned base = atomic_load(&peer->shared->signal);
        peer_say(peer, script->head);
        for (unsigned i = 0; i < PIECES; i++) {
            peer_say(peer, script->piece);
            shared_wait(peer->shared, base + i + 1);
        }
        peer_say(peer, script->piece);
        end_as(peer, script);
        if (script->ending != END_LAST_CHUNK) {
            return;
        }
        step_done(peer->shared);
    }
}

/* Takes one piece after the other from the peer, then looks away until it has done its last. */
static void hear_pieces(struct rig *rig, struct call *call, struct server *server)
{
    call_start(call);
    for (unsigned i = 0; i < PIECES; i++) {
        rig_until(rig, &call->pieces, i + 1);
        step_done(server->shared);
    }
    (void)poll(NULL, 0, 50);
}

static void expect(const char *head, const char *piece, enum ending ending, enum outcome outcome)
{
    struct script script = {head, piece, ending};
    struct server server = server_start(say_pieces, &script);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    hear_pieces(&rig, &call, &server);
    call_wait(&call);
    assert_int_equal(call.outcome, outcome);
    assert_int_equal(call.bytes, PIECES + 1);
    rig_run(&rig, 20);
    assert_int_equal(upstream_http1_idle(rig.upstream), ending == END_LAST_CHUNK ? 1 : 0);
    rig_close(&rig);
    server_stop(&server);
}

static void stream__that_ends_with_its_connection_is_whole(void **state)
{
    (void)state;
    expect(UNTIL_CLOSE, "x", END_CLOSE, OUTCOME_OK);
}

static void stream__that_is_reset_is_truncated_at_once(void **state)
{
    (void)state;
    expect(UNTIL_CLOSE, "x", END_RESET, OUTCOME_TRUNCATED);
    expect(CHUNKED, "1\r\nx\r\n", END_RESET, OUTCOME_TRUNCATED);
}

static void stream__that_is_closed_too_early_is_truncated_at_once(void **state)
{
    (void)state;
    expect(CHUNKED, "1\r\nx\r\n", END_CLOSE, OUTCOME_TRUNCATED);
}

static void stream__leaves_its_connection_for_the_next(void **state)
{
    (void)state;
    expect(CHUNKED, "1\r\nx\r\n", END_LAST_CHUNK, OUTCOME_OK);
}

static void stream__that_closes_behind_its_end_leaves_no_dead_connection(void **state)
{
    (void)state;
    expect(CHUNKED, "1\r\nx\r\n", END_LAST_CHUNK_AND_CLOSE, OUTCOME_OK);
}

static void stream__follows_stream_on_one_connection(void **state)
{
    (void)state;
    struct script script = {CHUNKED, "1\r\nx\r\n", END_LAST_CHUNK};
    struct server server = server_start(say_pieces, &script);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    for (unsigned i = 0; i < 3; i++) {
        call_init(&call, &rig, "hello", 5);
        hear_pieces(&rig, &call, &server);
        call_wait(&call);
        assert_int_equal(call.outcome, OUTCOME_OK);
        assert_int_equal(call.is_reused, i > 0);
    }
    assert_int_equal(atomic_load(&server.shared->connections), 1);
    rig_close(&rig);
    server_stop(&server);
}

/* What arrived during the pause is not told of again. */
static void stream__paused_while_its_end_arrives_goes_on_when_resumed(void **state)
{
    (void)state;
    struct script script = {CHUNKED, "1\r\nx\r\n", END_LAST_CHUNK};
    struct server server = server_start(say_pieces, &script);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    hear_pieces(&rig, &call, &server);
    upstream_http1_ops.pause(rig.upstream, call.handle);
    rig_run(&rig, 50);
    assert_int_equal(call.bytes, PIECES);
    upstream_http1_ops.resume(rig.upstream, call.handle);
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_int_equal(call.bytes, PIECES + 1);
    rig_close(&rig);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream__that_ends_with_its_connection_is_whole),
        cmocka_unit_test(stream__that_is_reset_is_truncated_at_once),
        cmocka_unit_test(stream__that_is_closed_too_early_is_truncated_at_once),
        cmocka_unit_test(stream__leaves_its_connection_for_the_next),
        cmocka_unit_test(stream__that_closes_behind_its_end_leaves_no_dead_connection),
        cmocka_unit_test(stream__follows_stream_on_one_connection),
        cmocka_unit_test(stream__paused_while_its_end_arrives_goes_on_when_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
