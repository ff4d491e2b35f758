/* SPDX-License-Identifier: Apache-2.0 */
/* The upstream port over real sockets: answers in every framing, each with one end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <string.h>

#include <cmocka.h>

#include "tests/contract/peer.h"
#include "tests/contract/rig.h"
#include "tests/contract/upstream_cases.h"

/* The answer is in the client's hands before the break. */
static void answer_then_reset(struct peer *peer)
{
    if (peer_take(peer)) {
        peer_say(peer, peer->with);
        (void)poll(NULL, 0, 30);
    }
    peer_reset(peer);
}

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
    expect(play_answers, OK_HELLO, (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

static void answer__in_chunks_comes_without_them(void **state)
{
    (void)state;
    expect(play_answers,
           OK_HEAD "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nt: x\r\n\r\n",
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

static void answer__until_close_ends_with_the_connection(void **state)
{
    (void)state;
    expect(play_answer_and_close, OK_HEAD "\r\nhello",
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
    expect(play_answers, "HTTP/1.1 204 No Content\r\n\r\n",
           (struct expected){OUTCOME_OK, "cwhe", 204, ""});
    expect(play_answers, OK_HEAD "content-length: 0\r\n\r\n",
           (struct expected){OUTCOME_OK, "cwhe", 200, ""});
}

static void answer__byte_by_byte_is_the_same(void **state)
{
    (void)state;
    expect(play_byte_by_byte,
           "HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n" OK_HEAD
           "transfer-encoding: chunked\r\nx-test: yes\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

static void answer__interim_heads_are_swallowed(void **state)
{
    (void)state;
    expect(play_answers,
           "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
           "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" OK_HELLO,
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
}

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static void answer__too_many_interim_heads_are_a_broken_protocol(void **state)
{
    (void)state;
    expect(play_answers,
           CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE OK_HELLO,
           (struct expected){OUTCOME_OK, "cwhbe", 200, "hello"});
    expect(
        play_answers,
        CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE CONTINUE OK_HELLO,
        (struct expected){OUTCOME_PROTOCOL, "cwe", 0, ""});
}

static void answer__switching_protocols_unasked_is_told_apart(void **state)
{
    (void)state;
    expect(play_answers,
           "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: "
           "upgrade\r\n\r\n",
           (struct expected){OUTCOME_SWITCHED, "cwe", 0, ""});
    expect(play_answers, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
           (struct expected){OUTCOME_SWITCHED, "cwe", 0, ""});
}

static void answer__that_is_not_http_is_a_broken_protocol(void **state)
{
    (void)state;
    expect(play_answers, "<html>hello</html>\n", (struct expected){OUTCOME_PROTOCOL, "cwe", 0, ""});
    expect(play_answers, "HTTP/1.1 000 Nothing\r\n\r\n",
           (struct expected){OUTCOME_PROTOCOL, "cwe", 0, ""});
    /* An HTTP/2 server answers with its preface, a frame of settings. */
    expect(play_answers, "\x01\x01\x12\x04\x01\x01",
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
        expect(play_answers, heads[i], (struct expected){OUTCOME_FRAMING, "cwe", 0, ""});
    }
    expect(play_answers, OK_HEAD "transfer-encoding: chunked\r\n\r\nzz\r\n",
           (struct expected){OUTCOME_FRAMING, "cwhe", 200, ""});
}

static void answer__with_a_bad_header_is_refused(void **state)
{
    (void)state;
    expect(play_answers, OK_HEAD "bad name: x\r\n\r\n",
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
    expect(play_answer_and_close, OK_HEAD "content-length: 9\r\n\r\nhello",
           (struct expected){OUTCOME_TRUNCATED, "cwhbe", 200, "hello"});
    expect(answer_then_reset, OK_HEAD "content-length: 9\r\n\r\nhello",
           (struct expected){OUTCOME_TRUNCATED, "cwhbe", 200, "hello"});
    expect(play_answer_and_close, OK_HEAD "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
           (struct expected){OUTCOME_TRUNCATED, "cwhbe", 200, "hello"});
    expect(play_answer_and_close, OK_HEAD "content-len",
           (struct expected){OUTCOME_TRUNCATED, "cwe", 0, ""});
}

static void answer__that_never_comes_tells_close_from_reset(void **state)
{
    (void)state;
    expect(play_answer_and_close, "", (struct expected){OUTCOME_CLOSED, "cwe", 0, ""});
    expect(answer_then_reset, "", (struct expected){OUTCOME_RESET, "cwe", 0, ""});
    expect(play_answer_and_close, CONTINUE, (struct expected){OUTCOME_CLOSED, "cwe", 0, ""});
}

static void answer__to_a_head_request_has_no_body(void **state)
{
    (void)state;
    struct server server = server_start(play_answers, OK_HEAD "content-length: 5\r\n\r\n");
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
    struct server server = server_start(play_answers, NULL);
    struct rig rig;
    struct call call;
    rig_init(&rig, server.port);
    rig_open(&rig);
    call_make(&call, &rig);
    assert_string_equal(call.header, "yes");
    rig_close(&rig);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
