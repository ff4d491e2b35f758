/* SPDX-License-Identifier: Apache-2.0 */
/* The upstream port over TLS: certificates good and bad, kept connections by the hundred, bytes
 * that lie inside TLS, and every way a handshake can fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "tests/contract/patience.h"
#include "tests/contract/peer.h"
#include "tests/contract/peer_tls.h"
#include "tests/contract/rig.h"
#include "tests/contract/upstream_cases.h"

#define HELLO "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

static const struct show good = {.host = "127.0.0.1", .from_days = -1, .to_days = 1};
static const struct show good_12 = {
    .host = "127.0.0.1", .from_days = -1, .to_days = 1, .is_tls12 = true};

static char ca_path[64];

static int make_authority(void **state)
{
    (void)state;
    (void)snprintf(ca_path, sizeof ca_path, "/tmp/headgate-test-ca-%d.pem", (int)getpid());
    tls_make_authority(ca_path);
    return 0;
}

static int remove_authority(void **state)
{
    (void)state;
    return unlink(ca_path);
}

static void rig_init_tls(struct rig *rig, uint16_t port)
{
    rig_init(rig, port);
    rig->providers[0].endpoint.is_tls = true;
    rig->providers[0].ca_file = span_of(ca_path);
    rig->providers[0].pool_idle = 256;
}

static void answer_all(struct peer *peer)
{
    if (peer_tls_accept(peer, peer->with)) {
        while (peer_take(peer)) {
            peer_say(peer, HELLO);
        }
    }
}

static void expect_once(peer_script *play, const void *with, enum outcome outcome,
                        const char *heard)
{
    struct server server = server_start(play, with);
    struct rig rig;
    struct call call;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call.request.connect_ms = 400;
    call_start(&call);
    call_wait(&call);
    assert_int_equal(call.outcome, outcome);
    assert_string_equal(call.heard, heard);
    rig_close(&rig);
    server_stop(&server);
}

static void expect_kept(const struct show *show)
{
    struct server server = server_start(answer_all, show);
    struct rig rig;
    struct call call;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    for (unsigned i = 0; i < 10; i++) {
        call_make(&call, &rig);
        assert_int_equal(call.outcome, OUTCOME_OK);
        assert_string_equal(call.body, "hello");
        assert_int_equal(call.is_reused, i > 0);
        rig_run(&rig, 5);
        assert_int_equal(upstream_http1_idle(rig.upstream), 1);
    }
    assert_int_equal(atomic_load(&server.shared->connections), 1);
    assert_int_equal(atomic_load(&server.shared->requests), 10);
    assert_int_equal(atomic_load(&server.shared->offers), 0);
    rig_close(&rig);
    server_stop(&server);
}

static void tls__connection_is_used_again(void **state)
{
    (void)state;
    expect_kept(&good);
    expect_kept(&good_12);
}

static void tls__certificate_for_another_host_is_refused(void **state)
{
    (void)state;
    static const struct show show = {.host = "other.test", .from_days = -1, .to_days = 1};
    expect_once(answer_all, &show, OUTCOME_TLS_VERIFY, "e");
}

static void tls__certificate_out_of_its_time_is_refused(void **state)
{
    (void)state;
    static const struct show old = {.host = "127.0.0.1", .from_days = -2, .to_days = -1};
    static const struct show early = {.host = "127.0.0.1", .from_days = 1, .to_days = 2};
    expect_once(answer_all, &old, OUTCOME_TLS_VERIFY, "e");
    expect_once(answer_all, &early, OUTCOME_TLS_VERIFY, "e");
}

static void tls__certificate_of_an_unknown_authority_is_refused(void **state)
{
    (void)state;
    static const struct show show = {
        .host = "127.0.0.1", .from_days = -1, .to_days = 1, .has_other_ca = true};
    expect_once(answer_all, &show, OUTCOME_TLS_VERIFY, "e");
}

static void tls__own_authority_is_not_part_of_the_systems_trust(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, &good);
    struct rig rig;
    struct call call;
    rig_init_tls(&rig, server.port);
    rig.providers[0].ca_file = SPAN_OF("");
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_TLS_VERIFY);
    rig_close(&rig);
    server_stop(&server);
}

static void tls__missing_authority_file_is_a_matter_of_trust(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, &good);
    struct rig rig;
    struct call call;
    rig_init_tls(&rig, server.port);
    rig.providers[0].ca_file = SPAN_OF("/nonexistent/ca.pem");
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_TLS_VERIFY);
    rig_close(&rig);
    server_stop(&server);
}

static void speak_plain(struct peer *peer)
{
    char first[16];
    (void)peer_read(peer, first, sizeof first);
    peer_say(peer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    peer_wait_end(peer);
}

static void reset_hello(struct peer *peer)
{
    char first[16];
    (void)peer_read(peer, first, sizeof first);
    peer_reset(peer);
}

static void close_hello(struct peer *peer)
{
    char first[1024];
    (void)peer_read(peer, first, sizeof first);
}

static void be_silent(struct peer *peer)
{
    peer_wait_end(peer);
}

static void tls__handshake_that_fails_is_told(void **state)
{
    (void)state;
    expect_once(speak_plain, NULL, OUTCOME_TLS_UNFIT, "e");
    expect_once(reset_hello, NULL, OUTCOME_TLS, "e");
    expect_once(close_hello, NULL, OUTCOME_TLS, "e");
}

static void tls__hello_unanswered_runs_out_of_time(void **state)
{
    (void)state;
    expect_once(be_silent, NULL, OUTCOME_TLS_TIMEOUT, "e");
}

static void hear_hello(struct peer *peer)
{
    char first[16];
    if (peer_read(peer, first, sizeof first) > 0) {
        atomic_fetch_add(&peer->shared->requests, 1);
    }
    peer_wait_end(peer);
}

/* When the loop turns again, our limit is over and so is libcurl's own, which comes a little later. */
static void tls__hello_unanswered_is_told_as_such_by_a_loop_that_is_late(void **state)
{
    (void)state;
    struct server server = server_start(hear_hello, NULL);
    struct rig rig;
    struct call call;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call.request.connect_ms = 200;
    call_start(&call);
    while (atomic_load(&server.shared->requests) == 0 && !call.has_ended) {
        assert_true(loop_turn(rig.loop, 1));
    }
    (void)poll(NULL, 0, (int)patient(500));
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_TLS_TIMEOUT);
    rig_close(&rig);
    server_stop(&server);
}

static void answer_one_and_close(struct peer *peer)
{
    if (peer_tls_accept(peer, peer->with) && peer_take(peer)) {
        peer_say(peer, HELLO);
    }
}

static void tls__connection_closed_while_idle_is_noticed_and_its_session_resumed(void **state)
{
    (void)state;
    struct server server = server_start(answer_one_and_close, &good);
    struct rig rig;
    struct call call;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    for (unsigned i = 0; i < 3; i++) {
        call_make(&call, &rig);
        assert_int_equal(call.outcome, OUTCOME_OK);
        rig_run(&rig, 50);
        assert_int_equal(upstream_http1_idle(rig.upstream), 0);
    }
    assert_int_equal(atomic_load(&server.shared->connections), 3);
    assert_int_equal(atomic_load(&server.shared->resumed), 2);
    rig_close(&rig);
    server_stop(&server);
}

static void say_and_cut(struct peer *peer)
{
    if (peer_tls_accept(peer, &good) && peer_take(peer)) {
        peer_say(peer, peer->with);
        (void)poll(NULL, 0, 20);
    }
    peer->tls = NULL; /* a FIN, no close_notify */
}

static void say_and_reset(struct peer *peer)
{
    say_and_cut(peer);
    peer_reset(peer);
}

static void tls__end_without_close_notify_reads_like_a_close(void **state)
{
    /* From 8.0 on libcurl tells such an end from a proper one, as a reset; both are safe, since a
     * body that ends by close proves nothing to its reader. */
    bool is_told = curl_version_info(CURLVERSION_NOW)->version_num >= 0x080000;

    (void)state;
    expect_once(say_and_cut, "HTTP/1.1 200 OK\r\n\r\nhello",
                is_told ? OUTCOME_TRUNCATED : OUTCOME_OK, "cwhbe");
    expect_once(say_and_cut, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello",
                OUTCOME_TRUNCATED, "cwhbe");
    expect_once(say_and_cut, "", is_told ? OUTCOME_RESET : OUTCOME_CLOSED, "cwe");
}

static void tls__reset_reads_like_a_reset(void **state)
{
    (void)state;
    expect_once(say_and_reset, "HTTP/1.1 200 OK\r\n\r\nhello", OUTCOME_TRUNCATED, "cwhbe");
    expect_once(say_and_reset, "", OUTCOME_RESET, "cwe");
}

static void wait_for_all_then_answer(struct peer *peer)
{
    if (peer_tls_accept(peer, &good)) {
        while (peer_take(peer)) {
            shared_wait(peer->shared, 1);
            peer_say(peer, HELLO);
        }
    }
}

enum { MANY = 200 };

static void tls__hundreds_of_connections_are_kept(void **state)
{
    (void)state;
    struct server server = server_start(wait_for_all_then_answer, NULL);
    struct rig rig;
    static struct call calls[MANY];
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            call_init(&calls[i], &rig, "hello", 5);
            call_start(&calls[i]);
        }
        for (unsigned i = 0; i < 2000 && atomic_load(&server.shared->requests) < MANY; i++) {
            rig_run(&rig, 5);
        }
        atomic_store(&server.shared->signal, 1);
        for (unsigned i = 0; i < MANY; i++) {
            call_wait(&calls[i]);
            assert_int_equal(calls[i].outcome, OUTCOME_OK);
            assert_int_equal(calls[i].is_reused, round > 0);
            assert_string_equal(calls[i].body, "hello");
        }
        assert_int_equal(upstream_http1_idle(rig.upstream), MANY);
    }
    assert_int_equal(atomic_load(&server.shared->connections), MANY);
    rig_close(&rig);
    server_stop(&server);
}

static void say_great_body(struct peer *peer)
{
    if (peer_tls_accept(peer, &good)) {
        play_great_body(peer);
    }
}

static void tls__body_stops_when_paused_and_goes_on_when_resumed(void **state)
{
    (void)state;
    struct server server = server_start(say_great_body, NULL);
    struct rig rig;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    case_pause_and_resume(&rig);
    rig_close(&rig);
    server_stop(&server);
}

/* The n-th answer has n records of one byte each, all said in one moment when it is called for. */
static void answer_in_records(struct peer *peer)
{
    char head[64];
    if (!peer_tls_accept(peer, &good)) {
        return;
    }
    for (unsigned n = 1; peer_take(peer); n++) {
        (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\ncontent-length: %u\r\n\r\n", n);
        shared_wait(peer->shared, n);
        peer_say(peer, head);
        for (unsigned i = 0; i < n; i++) {
            peer_say(peer, "x");
        }
    }
}

/* What is inside TLS is read on in a task: the answer may end there while its socket, which had
 * something to say in the same turn, is still to be read for it. */
static void tls__answer_that_ends_in_a_task_is_not_read_on(void **state)
{
    (void)state;
    enum { ANSWERS = 14 };
    struct server server = server_start(answer_in_records, NULL);
    struct rig rig;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    for (unsigned n = 1; n <= ANSWERS; n++) {
        struct call call;
        call_init(&call, &rig, "hello", 5);
        call_start(&call);
        while (atomic_load(&server.shared->requests) < n) {
            rig_run(&rig, 5);
        }
        atomic_store(&server.shared->signal, n);
        (void)poll(NULL, 0, 50);
        call_wait(&call);
        assert_int_equal(call.outcome, OUTCOME_OK);
        assert_int_equal(call.bytes, n);
        assert_int_equal(call.is_reused, n > 1);
    }
    assert_int_equal(atomic_load(&server.shared->connections), 1);
    rig_close(&rig);
    server_stop(&server);
}

static void tls__large_request_arrives_whole(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, &good);
    struct rig rig;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    case_large_request(&rig, server.shared);
    rig_close(&rig);
    server_stop(&server);
}

static void refuse_early(struct peer *peer)
{
    if (peer_tls_accept(peer, &good)) {
        play_early_refusal(peer);
        peer_wait_end(peer);
    }
}

static void tls__request_answered_before_it_is_written_is_answered(void **state)
{
    (void)state;
    struct server server = server_start(refuse_early, NULL);
    struct rig rig;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    case_answer_before_written(&rig);
    rig_close(&rig);
    server_stop(&server);
}

static void take_nothing(struct peer *peer)
{
    if (peer_tls_accept(peer, &good)) {
        shared_wait(peer->shared, 1);
    }
}

static void tls__write_that_stalls_runs_out_of_time(void **state)
{
    (void)state;
    struct server server = server_start(take_nothing, NULL);
    struct rig rig;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    case_write_stalls(&rig);
    atomic_store(&server.shared->signal, 1);
    rig_close(&rig);
    server_stop(&server);
}

static void tls__cancel_in_any_ear_is_followed_by_silence(void **state)
{
    (void)state;
    struct server server = server_start(say_great_body, NULL);
    struct rig rig;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    case_cancel_in_any_ear(&rig);
    rig_close(&rig);
    server_stop(&server);
}

static void tls__cancel_while_shaking_hands_keeps_nothing(void **state)
{
    (void)state;
    struct server server = server_start(be_silent, NULL);
    struct rig rig;
    struct call call;
    rig_init_tls(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call_start(&call);
    rig_run(&rig, 100);
    upstream_http1_ops.cancel(rig.upstream, call.handle);
    rig_run(&rig, 20);
    assert_string_equal(call.heard, "");
    rig_close(&rig);
    for (unsigned i = 0; i < 2000 && atomic_load(&server.shared->ends) == 0; i++) {
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(atomic_load(&server.shared->ends), 1);
    server_stop(&server);
}

static void tunnel(struct peer *peer)
{
    if (peer_take_head(peer)) {
        peer_say(peer, "HTTP/1.1 200 Connection established\r\n\r\n");
        answer_all(peer);
    }
}

static void tls__goes_through_an_egress_proxy(void **state)
{
    (void)state;
    struct server server = server_start(tunnel, &good);
    struct rig rig;
    struct call call;
    char proxy[64];
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", server.port);
    rig_init_tls(&rig, 443);
    rig.snapshot.egress_proxy = span_of(proxy);
    rig_open(&rig);
    for (unsigned i = 0; i < 3; i++) {
        call_make(&call, &rig);
        assert_int_equal(call.outcome, OUTCOME_OK);
    }
    assert_int_equal(atomic_load(&server.shared->connections), 1);
    rig_close(&rig);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls__connection_is_used_again),
        cmocka_unit_test(tls__certificate_for_another_host_is_refused),
        cmocka_unit_test(tls__certificate_out_of_its_time_is_refused),
        cmocka_unit_test(tls__certificate_of_an_unknown_authority_is_refused),
        cmocka_unit_test(tls__own_authority_is_not_part_of_the_systems_trust),
        cmocka_unit_test(tls__missing_authority_file_is_a_matter_of_trust),
        cmocka_unit_test(tls__handshake_that_fails_is_told),
        cmocka_unit_test(tls__hello_unanswered_runs_out_of_time),
        cmocka_unit_test(tls__hello_unanswered_is_told_as_such_by_a_loop_that_is_late),
        cmocka_unit_test(tls__connection_closed_while_idle_is_noticed_and_its_session_resumed),
        cmocka_unit_test(tls__end_without_close_notify_reads_like_a_close),
        cmocka_unit_test(tls__reset_reads_like_a_reset),
        cmocka_unit_test(tls__hundreds_of_connections_are_kept),
        cmocka_unit_test(tls__body_stops_when_paused_and_goes_on_when_resumed),
        cmocka_unit_test(tls__answer_that_ends_in_a_task_is_not_read_on),
        cmocka_unit_test(tls__large_request_arrives_whole),
        cmocka_unit_test(tls__request_answered_before_it_is_written_is_answered),
        cmocka_unit_test(tls__write_that_stalls_runs_out_of_time),
        cmocka_unit_test(tls__cancel_in_any_ear_is_followed_by_silence),
        cmocka_unit_test(tls__cancel_while_shaking_hands_keeps_nothing),
        cmocka_unit_test(tls__goes_through_an_egress_proxy),
    };
    return cmocka_run_group_tests(tests, make_authority, remove_authority);
}
