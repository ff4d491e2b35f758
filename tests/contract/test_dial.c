/* SPDX-License-Identifier: Apache-2.0 */
/* The dialer behind the upstream port: names, addresses, the egress rule, egress proxies, time
 * limits. Names are answered by names.c. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/contract/names.h"
#include "tests/contract/patience.h"
#include "tests/contract/peer.h"
#include "tests/contract/rig.h"

#define HELLO "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

static void answer_all(struct peer *peer)
{
    while (peer_take(peer)) {
        peer_say(peer, HELLO);
    }
}

static void answer_and_close(struct peer *peer)
{
    if (peer_take(peer)) {
        peer_say(peer, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello");
    }
}

/* A listener whose queue is full: further SYNs are dropped. */
struct hole {
    int listener;
    int fillers[8];
    uint16_t port;
};

static void hole_dig_at(struct hole *hole, const char *address, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    hole->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(hole->listener, (struct sockaddr *)(void *)&at, sizeof at), 0);
    assert_int_equal(listen(hole->listener, 0), 0);
    socklen_t size = sizeof at;
    assert_int_equal(getsockname(hole->listener, (struct sockaddr *)(void *)&at, &size), 0);
    hole->port = ntohs(at.sin_port);
    for (size_t i = 0; i < 8; i++) {
        hole->fillers[i] = socket(AF_INET, SOCK_STREAM, 0);
        (void)fcntl(hole->fillers[i], F_SETFL, O_NONBLOCK);
        (void)connect(hole->fillers[i], (struct sockaddr *)(void *)&at, sizeof at);
    }
    (void)poll(NULL, 0, 20);
}

static void hole_fill_up(struct hole *hole)
{
    for (size_t i = 0; i < 8; i++) {
        (void)close(hole->fillers[i]);
    }
    (void)close(hole->listener);
}

/* A port that nobody listens at. */
static uint16_t free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)(void *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)(void *)&at, &size), 0);
    (void)close(fd);
    return ntohs(at.sin_port);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *all = opendir("/proc/self/fd");
    assert_non_null(all);
    while (readdir(all) != NULL) {
        count++;
    }
    closedir(all);
    return count;
}

/* Provider 0 by name; loopback is allowed unless `is_denied`. */
static void rig_init_named(struct rig *rig, uint16_t port, bool is_denied)
{
    rig_init(rig, port);
    rig_provider(rig, 0, "provider.test", port)->endpoint.host_is_literal = false;
    if (!is_denied) {
        assert_int_equal(egress_range_read(SPAN_OF("127.0.0.0/8"), &rig->allowed[0]), ERR_NONE);
        rig->snapshot.egress_allow_count = 1;
    }
}

static void connect__refused_is_told(void **state)
{
    (void)state;
    struct rig rig;
    struct call call;
    rig_init(&rig, free_port());
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_CONNECT);
    assert_string_equal(call.heard, "e");
    rig_close(&rig);
}

static void connect__into_a_black_hole_runs_out_of_its_time(void **state)
{
    (void)state;
    struct hole hole;
    struct rig rig;
    struct call call;
    hole_dig_at(&hole, "127.0.0.1", 0);
    rig_init(&rig, hole.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call.request.connect_ms = 300;
    mono_ms before = loop_now(rig.loop);
    call_start(&call);
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_CONNECT_TIMEOUT);
    assert_in_range(loop_now(rig.loop) - before, patient(300), patient(3000));
    rig_close(&rig);
    hole_fill_up(&hole);
}

static void connect__into_a_black_hole_holds_sixteen_descriptors_at_most(void **state)
{
    (void)state;
    struct hole hole;
    struct rig rig;
    static struct call calls[50];
    hole_dig_at(&hole, "127.0.0.1", 0);
    rig_init(&rig, hole.port);
    rig_open(&rig);
    unsigned before = open_descriptors();
    for (unsigned i = 0; i < 50; i++) {
        call_init(&calls[i], &rig, "hello", 5);
        calls[i].request.connect_ms = 1000;
        call_start(&calls[i]);
    }
    mono_ms started = loop_now(rig.loop);
    rig_run(&rig, 150);
    unsigned during = open_descriptors();
    assert_in_range(during - before, 16, 20);
    for (unsigned i = 0; i < 50; i++) {
        call_wait(&calls[i]);
        assert_int_equal(calls[i].outcome, OUTCOME_CONNECT_TIMEOUT);
    }
    /* Those who found no place among the sixteen have waited as long, and need not wait again. */
    assert_true(loop_now(rig.loop) - started < patient(3000));
    assert_true(open_descriptors() <= before + 1);
    rig_close(&rig);
    hole_fill_up(&hole);
}

static void cancel__while_dialing_leaves_the_dial_to_the_next(void **state)
{
    (void)state;
    struct hole hole;
    struct rig rig;
    struct call call;
    hole_dig_at(&hole, "127.0.0.1", 0);
    rig_init(&rig, hole.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call.request.connect_ms = 200;
    call_start(&call);
    rig_run(&rig, 30);
    upstream_http1_ops.cancel(rig.upstream, call.handle);
    rig_run(&rig, 400);
    assert_string_equal(call.heard, "");
    rig_close(&rig);
    hole_fill_up(&hole);
}

static void name__is_looked_up_once_for_many_calls(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    static struct call calls[40];
    names_clear();
    names.addresses[0] = "127.0.0.1";
    atomic_store(&names.delay_ms, 50);
    rig_init_named(&rig, server.port, false);
    rig_open(&rig);
    for (unsigned i = 0; i < 40; i++) {
        call_init(&calls[i], &rig, "hello", 5);
        call_start(&calls[i]);
    }
    for (unsigned i = 0; i < 40; i++) {
        call_wait(&calls[i]);
        assert_int_equal(calls[i].outcome, OUTCOME_OK);
    }
    assert_int_equal(atomic_load(&names.lookups), 1);
    rig_close(&rig);
    server_stop(&server);
}

static void name__that_does_not_exist_is_told_and_not_asked_again_at_once(void **state)
{
    (void)state;
    struct rig rig;
    struct call call;
    names_clear();
    rig_init_named(&rig, 80, false);
    rig_open(&rig);
    for (unsigned i = 0; i < 5; i++) {
        call_make(&call, &rig);
        assert_int_equal(call.outcome, OUTCOME_DNS);
        assert_string_equal(call.heard, "e");
    }
    assert_int_equal(atomic_load(&names.lookups), 1);
    rig_run(&rig, 1050);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_DNS);
    assert_int_equal(atomic_load(&names.lookups), 2);
    rig_close(&rig);
}

static void name__that_nobody_answers_runs_out_of_time_and_holds_nothing_up(void **state)
{
    (void)state;
    struct rig rig;
    struct call call;
    names_clear();
    atomic_store(&names.delay_ms, 6000);
    rig_init_named(&rig, 80, false);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call.request.connect_ms = 300; /* has no say here */
    uint64_t before = loop_micros(rig.loop);
    uint64_t worst = 0;
    call_start(&call);
    while (!call.has_ended) {
        uint64_t turn = loop_micros(rig.loop);
        assert_true(loop_turn(rig.loop, 10));
        turn = loop_micros(rig.loop) - turn;
        worst = turn > worst ? turn : worst;
    }
    assert_int_equal(call.outcome, OUTCOME_DNS);
    assert_in_range(loop_micros(rig.loop) - before, 3000000, 5500000);
    assert_true(worst < 2000000);
    rig_close(&rig);
}

/* libcurl keeps an address for 60 s, which hides a lookup that fails. So the second call goes to
 * another name of the same endpoint, which no settings would make: its lookup is a real one. */
static void name__that_fails_later_is_served_by_its_last_good_address(void **state)
{
    (void)state;
    struct server server = server_start(answer_and_close, NULL);
    struct rig rig;
    struct call call;
    names_clear();
    names.addresses[0] = "127.0.0.1";
    rig_init_named(&rig, server.port, false);
    struct provider *alias = rig_provider(&rig, 1, "alias.test", server.port);
    alias->endpoint.host_is_literal = false;
    alias->endpoint.index = 0;
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_int_equal(atomic_load(&names.lookups), 1);
    names_clear();
    for (unsigned i = 0; i < 3; i++) {
        call_init(&call, &rig, "hello", 5);
        call.request.provider = alias;
        call_start(&call);
        call_wait(&call);
        assert_int_equal(call.outcome, OUTCOME_OK);
        /* Within a second of the failure nobody is asked again. */
        assert_int_equal(atomic_load(&names.lookups), 1);
    }
    rig_close(&rig);
    server_stop(&server);
}

static void name__with_a_dead_first_address_is_served_by_the_next(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    struct call call;
    names_clear();
    names.addresses[0] = "127.0.0.2"; /* refuses */
    names.addresses[1] = "127.0.0.1";
    rig_init_named(&rig, server.port, false);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_OK);
    rig_close(&rig);
    server_stop(&server);
}

static void name__with_a_silent_first_address_is_served_by_the_next_in_time(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct hole hole;
    struct rig rig;
    struct call call;
    hole_dig_at(&hole, "127.0.0.3", server.port);
    names_clear();
    names.addresses[0] = "127.0.0.3";
    names.addresses[1] = "127.0.0.1";
    rig_init_named(&rig, server.port, false);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call.request.connect_ms = 2000;
    mono_ms before = loop_now(rig.loop);
    call_start(&call);
    call_wait(&call);
    assert_int_equal(call.outcome, OUTCOME_OK);
    assert_true(loop_now(rig.loop) - before < patient(2000));
    rig_close(&rig);
    hole_fill_up(&hole);
    server_stop(&server);
}

static void egress__denies_a_name_that_resolves_to_loopback(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    struct call call;
    names_clear();
    names.addresses[0] = "127.0.0.1";
    names.addresses[1] = "169.254.169.254";
    rig_init_named(&rig, server.port, true);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_EGRESS_DENIED);
    assert_int_equal(atomic_load(&server.shared->connections), 0);
    rig_close(&rig);
    server_stop(&server);
}

static void egress__judges_each_address_by_itself(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    struct call call;
    names_clear();
    names.addresses[0] = "10.1.2.3";
    names.addresses[1] = "127.0.0.1";
    rig_init_named(&rig, server.port, false);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_OK);
    rig_close(&rig);
    server_stop(&server);
}

/* --- egress proxies --- */

/* Tunnels: CONNECT first, then what is behind it is ourselves. */
static void proxy_accepts(struct peer *peer)
{
    if (peer_take_head(peer)) {
        peer_say(peer, "HTTP/1.1 200 Connection established\r\nx: y\r\n\r\n");
        answer_all(peer);
    }
}

static void proxy_answers(struct peer *peer)
{
    if (peer_take_head(peer)) {
        peer_say(peer, peer->with);
        peer_wait_end(peer);
    }
}

static void proxy_is_silent(struct peer *peer)
{
    peer_wait_end(peer);
}

static void proxy_closes(struct peer *peer)
{
    (void)peer_take_head(peer);
}

static void expect_proxy(peer_script *play, const char *with, enum outcome outcome)
{
    struct server server = server_start(play, with);
    struct rig rig;
    struct call call;
    char proxy[64];
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", server.port);
    names_clear();
    rig_init_named(&rig, 80, true);
    rig.snapshot.egress_proxy = span_of(proxy);
    rig_open(&rig);
    for (unsigned i = 0; i < 2; i++) {
        call_init(&call, &rig, "hello", 5);
        call.request.connect_ms = 300;
        call_start(&call);
        call_wait(&call);
        assert_int_equal(call.outcome, outcome);
    }
    assert_int_equal(atomic_load(&server.shared->connections), outcome == OUTCOME_OK ? 1 : 2);
    rig_close(&rig);
    server_stop(&server);
}

static void proxy__that_accepts_carries_the_call(void **state)
{
    (void)state;
    expect_proxy(proxy_accepts, NULL, OUTCOME_OK);
}

static void proxy__that_refuses_is_told_apart_from_the_provider(void **state)
{
    (void)state;
    expect_proxy(proxy_answers,
                 "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: "
                 "Basic\r\ncontent-length: 0\r\n\r\n",
                 OUTCOME_EGRESS_PROXY);
    expect_proxy(proxy_answers, "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
                 OUTCOME_EGRESS_PROXY);
    expect_proxy(proxy_closes, NULL, OUTCOME_EGRESS_PROXY);
}

static void proxy__that_is_silent_runs_out_of_time(void **state)
{
    (void)state;
    expect_proxy(proxy_is_silent, NULL, OUTCOME_EGRESS_PROXY);
}

static void proxy__that_is_not_there_is_told(void **state)
{
    (void)state;
    struct rig rig;
    struct call call;
    char proxy[64];
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", free_port());
    rig_init_named(&rig, 80, true);
    rig.snapshot.egress_proxy = span_of(proxy);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_EGRESS_PROXY);
    rig_close(&rig);
}

static void proxy__of_the_environment_counts_only_when_asked_for(void **state)
{
    (void)state;
    struct server proxy = server_start(proxy_accepts, NULL);
    struct server server = server_start(answer_all, NULL);
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", proxy.port);
    assert_int_equal(setenv("http_proxy", url, 1), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct rig rig;
        struct call call;
        rig_init(&rig, server.port);
        rig.snapshot.egress_proxy = i == 0 ? SPAN_OF("") : SPAN_OF("environment");
        rig_open(&rig);
        call_make(&call, &rig);
        assert_int_equal(call.outcome, OUTCOME_OK);
        assert_int_equal(atomic_load(&server.shared->connections), 1);
        assert_int_equal(atomic_load(&proxy.shared->connections), i);
        rig_close(&rig);
    }
    assert_int_equal(unsetenv("http_proxy"), 0);
    server_stop(&server);
    server_stop(&proxy);
}

static void descriptors__run_out_and_it_is_our_fault(void **state)
{
    (void)state;
    struct server server = server_start(answer_all, NULL);
    struct rig rig;
    struct call call;
    static int taken[1 << 20];
    unsigned count = 0;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_init(&call, &rig, "hello", 5);
    call_start(&call);
    while (count < 1 << 20 && (taken[count] = dup(0)) >= 0) {
        count++;
    }
    call_wait(&call);
    for (unsigned i = 0; i < count; i++) {
        (void)close(taken[i]);
    }
    assert_int_equal(call.outcome, OUTCOME_LOCAL);
    call_make(&call, &rig);
    assert_int_equal(call.outcome, OUTCOME_OK);
    rig_close(&rig);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect__refused_is_told),
        cmocka_unit_test(connect__into_a_black_hole_runs_out_of_its_time),
        cmocka_unit_test(connect__into_a_black_hole_holds_sixteen_descriptors_at_most),
        cmocka_unit_test(cancel__while_dialing_leaves_the_dial_to_the_next),
        cmocka_unit_test(name__is_looked_up_once_for_many_calls),
        cmocka_unit_test(name__that_does_not_exist_is_told_and_not_asked_again_at_once),
        cmocka_unit_test(name__that_nobody_answers_runs_out_of_time_and_holds_nothing_up),
        cmocka_unit_test(name__that_fails_later_is_served_by_its_last_good_address),
        cmocka_unit_test(name__with_a_dead_first_address_is_served_by_the_next),
        cmocka_unit_test(name__with_a_silent_first_address_is_served_by_the_next_in_time),
        cmocka_unit_test(egress__denies_a_name_that_resolves_to_loopback),
        cmocka_unit_test(egress__judges_each_address_by_itself),
        cmocka_unit_test(proxy__that_accepts_carries_the_call),
        cmocka_unit_test(proxy__that_refuses_is_told_apart_from_the_provider),
        cmocka_unit_test(proxy__that_is_silent_runs_out_of_time),
        cmocka_unit_test(proxy__that_is_not_there_is_told),
        cmocka_unit_test(proxy__of_the_environment_counts_only_when_asked_for),
        cmocka_unit_test(descriptors__run_out_and_it_is_our_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
