/* SPDX-License-Identifier: Apache-2.0 */
/* The upstream port when many answers are there in one turn: they are read ahead before the first is
 * passed on, so that what one ear does can meet bytes of another attempt that are read already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tests/contract/peer.h"
#include "tests/contract/rig.h"

/* More than are read ahead at once, fewer than libevent tells of at once; with GREAT bytes each, more than
 * there is room for. */
enum { CALLS = 24, SMALL = 10, GREAT = 20000, SETTLE_MS = 100 };

struct play {
    unsigned size;
};

/* The head at once; the body and its end in one moment, when all are called for. */
static void answer_when_called(struct peer *peer)
{
    static char body[GREAT];
    const struct play *play = peer->with;
    char head[64];
    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\ncontent-length: %u\r\n\r\n", play->size);
    memset(body, (int)(peer->nth % 100) + 1, sizeof body);
    if (peer_take(peer)) {
        peer_say(peer, head);
        shared_wait(peer->shared, 1);
        peer_send(peer, body, play->size);
        peer_wait_end(peer);
    }
}

struct many {
    struct server server;
    struct rig rig;
    struct call calls[CALLS];
    struct play play;
};

/* All calls have their head, all bodies lie in the sockets, and nobody has looked yet. */
static void many_begin(struct many *many, unsigned size)
{
    many->play.size = size;
    many->server = server_start(answer_when_called, &many->play);
    rig_init(&many->rig, many->server.port);
    rig_open(&many->rig);
    for (unsigned i = 0; i < CALLS; i++) {
        call_init(&many->calls[i], &many->rig, "hello", 5);
        call_start(&many->calls[i]);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        rig_until(&many->rig, &many->calls[i].status, 200);
    }
    atomic_store(&many->server.shared->signal, 1);
    (void)poll(NULL, 0, SETTLE_MS);
}

static void many_end(struct many *many)
{
    rig_close(&many->rig);
    server_stop(&many->server);
}

/* Each body is one byte again and again, and no two connections have the same one. */
static void expect_whole(const struct many *many)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < CALLS; i++) {
        const struct call *call = &many->calls[i];
        assert_int_equal(call->outcome, OUTCOME_OK);
        assert_int_equal(call->bytes, many->play.size);
        assert_int_equal(call->sum, (uint64_t)many->play.size * (unsigned char)call->body[0]);
        sum += (unsigned char)call->body[0];
    }
    assert_int_equal(sum, CALLS * (CALLS + 1) / 2);
}

static void ahead__all_answers_of_a_turn_arrive_in_it(void **state)
{
    (void)state;
    static struct many many;
    many_begin(&many, SMALL);
    assert_true(loop_turn(many.rig.loop, 0));
    for (unsigned i = 0; i < CALLS; i++) {
        assert_true(many.calls[i].has_ended);
    }
    expect_whole(&many);
    many_end(&many);
}

static void ahead__more_than_there_is_room_for_arrives_whole(void **state)
{
    (void)state;
    static struct many many;
    many_begin(&many, GREAT);
    for (unsigned i = 0; i < CALLS; i++) {
        call_wait(&many.calls[i]);
    }
    expect_whole(&many);
    many_end(&many);
}

static struct many *acting;

static void cancel_all(struct call *call)
{
    (void)call;
    for (unsigned i = 0; i < CALLS; i++) {
        upstream_http1_ops.cancel(acting->rig.upstream, acting->calls[i].handle);
    }
}

static void ahead__cancelled_with_its_bytes_read_hears_nothing(void **state)
{
    (void)state;
    static struct many many;
    unsigned ended = 0;
    acting = &many;
    many_begin(&many, SMALL);
    for (unsigned i = 0; i < CALLS; i++) {
        many.calls[i].on_end = cancel_all;
    }
    rig_run(&many.rig, 50);
    for (unsigned i = 0; i < CALLS; i++) {
        ended += many.calls[i].has_ended;
        assert_string_equal(many.calls[i].heard, many.calls[i].has_ended ? "cwhbe" : "cwh");
    }
    assert_int_equal(ended, 1);
    many_end(&many);
}

static void pause_all(struct call *call)
{
    for (unsigned i = 0; i < CALLS; i++) {
        if (&acting->calls[i] != call) {
            upstream_http1_ops.pause(acting->rig.upstream, acting->calls[i].handle);
        }
    }
}

static uint64_t heard_by_all(const struct many *many)
{
    uint64_t heard = 0;
    for (unsigned i = 0; i < CALLS; i++) {
        heard += many->calls[i].bytes;
    }
    return heard;
}

/* What was read already still comes in this turn; the rest waits. */
static void ahead__paused_by_another_waits_and_goes_on_when_resumed(void **state)
{
    (void)state;
    static struct many many;
    acting = &many;
    many_begin(&many, GREAT);
    for (unsigned i = 0; i < CALLS; i++) {
        many.calls[i].on_end = pause_all;
    }
    assert_true(loop_turn(many.rig.loop, 0));
    uint64_t heard = heard_by_all(&many);
    assert_in_range(heard, GREAT, GREAT + LIMIT_RECV);
    rig_run(&many.rig, 50);
    assert_int_equal(heard_by_all(&many), heard);
    for (unsigned i = 0; i < CALLS; i++) {
        many.calls[i].on_end = NULL;
        upstream_http1_ops.resume(many.rig.upstream, many.calls[i].handle);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        call_wait(&many.calls[i]);
    }
    expect_whole(&many);
    many_end(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ahead__all_answers_of_a_turn_arrive_in_it),
        cmocka_unit_test(ahead__more_than_there_is_room_for_arrives_whole),
        cmocka_unit_test(ahead__cancelled_with_its_bytes_read_hears_nothing),
        cmocka_unit_test(ahead__paused_by_another_waits_and_goes_on_when_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
