/* SPDX-License-Identifier: Apache-2.0 */
/* The upstream port over real sockets: connections that are kept, die, and are replaced; the pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/contract/peer.h"
#include "tests/contract/rig.h"
#include "tests/contract/upstream_cases.h"

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

static void connection__is_used_again(void **state)
{
    (void)state;
    struct server server = server_start(play_answers, NULL);
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
    expect_not_kept(play_answers, OK_HEAD "connection: close\r\ncontent-length: 5\r\n\r\nhello");
    expect_not_kept(play_answers, "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello");
}

static void connection__is_not_kept_with_bytes_behind_the_answer(void **state)
{
    (void)state;
    expect_not_kept(play_answers, OK_HELLO "more");
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
    struct server server = server_start(play_answer_and_close, OK_HELLO);
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
    struct server server = server_start(play_answers, NULL);
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
    struct server server = server_start(play_answers, NULL);
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
    struct server server = server_start(play_answers, NULL);
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
    struct server server = server_start(play_answers, NULL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
