/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in provider behind the upstream port: order of the ears, pacing, scripted failures,
 * back-pressure and cancelling. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proxy/loop.h"
#include "proxy/upstream.h"
#include "wire/sse.h"

enum { TURNS_MAX = 5000 };

/* Which ear pauses or cancels. */
enum ear { EAR_NONE, EAR_CONNECTED, EAR_WRITTEN, EAR_HEAD, EAR_BYTES };

struct table {
    struct loop *loop;
    struct upstream *upstream;
    struct fixture_settings settings;
    struct provider provider;
    uint64_t handle;
    enum ear pauses_in;
    enum ear cancels_in;
    enum ear last; /* the ear that was called last */
    unsigned heads;
    unsigned status;
    unsigned pieces;
    unsigned ends;
    bool is_chunked;
    bool is_in_port; /* inside a call of the port: no ear may be called */
    bool is_retry_told;
    enum outcome how;
    mono_ms head_at;
    mono_ms end_at;
    struct buf body;
};

static void hear(struct table *table, enum ear ear)
{
    assert_false(table->is_in_port);
    assert_int_equal(table->ends, 0);
    assert_true(ear >= table->last);
    table->last = ear;
    table->is_in_port = true;
    if (table->pauses_in == ear) {
        upstream_fixtures_ops.pause(table->upstream, table->handle);
    }
    if (table->cancels_in == ear) {
        upstream_fixtures_ops.cancel(table->upstream, table->handle);
    }
    table->is_in_port = false;
}

static void on_connected(void *to, uint64_t id, bool is_reused)
{
    assert_int_equal(id, 7);
    assert_false(is_reused);
    hear(to, EAR_CONNECTED);
}

static void on_written(void *to, uint64_t id)
{
    assert_int_equal(id, 7);
    hear(to, EAR_WRITTEN);
}

static void on_head(void *to, uint64_t id, const struct http1_head *head, const char *base)
{
    struct table *table = to;

    assert_int_equal(id, 7);
    assert_int_equal(head->kind, HTTP1_RESPONSE);
    table->heads++;
    table->status = head->status;
    table->is_chunked = head->framing == HTTP1_BODY_CHUNKED;
    table->is_retry_told = http1_find(head, base, SPAN_OF("retry-after"), 0) >= 0;
    assert_true(http1_find(head, base, SPAN_OF("x-request-id"), 0) >= 0);
    table->head_at = loop_now(table->loop);
    hear(table, EAR_HEAD);
}

static void on_bytes(void *to, uint64_t id, struct span bytes)
{
    struct table *table = to;

    assert_int_equal(id, 7);
    assert_true(bytes.len > 0);
    assert_int_equal(table->heads, 1);
    table->pieces++;
    buf_put(&table->body, bytes);
    hear(table, EAR_BYTES);
}

static void on_end(void *to, uint64_t id, enum outcome how)
{
    struct table *table = to;

    assert_int_equal(id, 7);
    assert_false(table->is_in_port);
    table->ends++;
    table->how = how;
    table->end_at = loop_now(table->loop);
}

static int set_up(void **state)
{
    struct table *table = test_calloc(1, sizeof *table);

    table->loop = loop_new(NULL);
    table->upstream = upstream_fixtures_new(table->loop);
    table->settings = (struct fixture_settings){.seed = 1};
    table->provider = (struct provider){
        .kind = &provider_fixtures, .dialect = &dialect_openai, .fixtures = &table->settings};
    buf_init(&table->body, 1 << 24);
    *state = table;
    return 0;
}

static int tear_down(void **state)
{
    struct table *table = *state;

    upstream_fixtures_free(table->upstream);
    loop_free(table->loop);
    buf_fini(&table->body);
    test_free(table);
    assert_int_equal(mem_held(), 0);
    return 0;
}

#define POST_CHAT "POST /chat/completions HTTP/1.1\r\nhost: \r\n\r\n"
#define WHOLE     "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define STREAM                                                                                     \
    "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static void start_pieces(struct table *table, const struct upstream_request *request)
{
    const struct upstream_ears ears = {.to = table,
                                       .on_connected = on_connected,
                                       .on_written = on_written,
                                       .on_head = on_head,
                                       .on_bytes = on_bytes,
                                       .on_end = on_end};

    buf_clear(&table->body);
    table->last = EAR_NONE;
    table->heads = table->pieces = table->ends = table->status = 0;
    table->is_in_port = true;
    table->handle = upstream_fixtures_ops.start(table->upstream, request, &ears, 7);
    table->is_in_port = false;
    assert_true(table->handle != 0);
}

static void start(struct table *table, const char *body)
{
    struct upstream_request request = {.provider = &table->provider,
                                       .pieces = {SPAN(POST_CHAT), span_of(body)},
                                       .pieces_count = 2,
                                       .head_pieces = 1};

    start_pieces(table, &request);
}

static void run_to_end(struct table *table)
{
    for (int i = 0; i < TURNS_MAX && table->ends == 0; i++) {
        assert_true(loop_turn(table->loop, 50));
    }
    assert_int_equal(table->ends, 1);
}

static void play(struct table *table, const char *body)
{
    start(table, body);
    run_to_end(table);
}

/* Nothing more is heard, however often the loop turns. */
static void assert_silence(struct table *table)
{
    unsigned pieces = table->pieces;
    unsigned ends = table->ends;
    unsigned heads = table->heads;

    for (int i = 0; i < 5; i++) {
        assert_true(loop_turn(table->loop, 0));
    }
    assert_int_equal(table->pieces, pieces);
    assert_int_equal(table->ends, ends);
    assert_int_equal(table->heads, heads);
}

static size_t count_events(const struct table *table)
{
    struct sse sse;
    struct sse_event event;
    struct span rest = buf_span(&table->body);
    size_t count = 0;

    sse_init(&sse, 1 << 20, 1 << 22);
    while (sse_feed(&sse, &rest, &event) == SSE_EVENT) {
        count++;
    }
    sse_fini(&sse);
    return count;
}

/* ---- answers ---- */

static void upstream_fixtures__deliver_head_bytes_and_one_end(void **state)
{
    struct table *table = *state;

    play(table, WHOLE);
    assert_int_equal(table->heads, 1);
    assert_int_equal(table->status, 200);
    assert_false(table->is_chunked);
    assert_int_equal(table->how, OUTCOME_OK);
    assert_true(span_starts(buf_span(&table->body), SPAN_OF("{\"id\":\"chatcmpl-")));
    assert_true(span_ends(buf_span(&table->body), SPAN_OF("}")));
    assert_silence(table);
    play(table, STREAM);
    assert_true(table->is_chunked);
    assert_int_equal(table->how, OUTCOME_OK);
    assert_true(span_ends(buf_span(&table->body), SPAN_OF("data: [DONE]\n\n")));
    assert_silence(table);
}

static void upstream_fixtures__read_a_body_in_several_pieces(void **state)
{
    struct table *table = *state;
    struct buf whole;
    struct upstream_request request = {
        .provider = &table->provider,
        .pieces = {SPAN(POST_CHAT), SPAN("{\"model\":"), SPAN("\"m\""),
                   SPAN(",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}")},
        .pieces_count = 4,
        .head_pieces = 1};

    buf_init(&whole, 1 << 20);
    play(table, WHOLE);
    buf_put(&whole, buf_span(&table->body));
    start_pieces(table, &request);
    run_to_end(table);
    assert_true(span_equal(buf_span(&whole), buf_span(&table->body)));
    buf_fini(&whole);
}

static void upstream_fixtures__need_no_body_and_send_none_to_head(void **state)
{
    struct table *table = *state;
    struct upstream_request request = {.provider = &table->provider,
                                       .pieces = {SPAN("GET /models HTTP/1.1\r\n\r\n")},
                                       .pieces_count = 1,
                                       .head_pieces = 1};

    start_pieces(table, &request);
    run_to_end(table);
    assert_int_equal(table->status, 200);
    assert_true(table->body.len > 0);
    request.is_head_method = true;
    start_pieces(table, &request);
    run_to_end(table);
    assert_int_equal(table->status, 200);
    assert_int_equal(table->body.len, 0);
    assert_int_equal(table->how, OUTCOME_OK);
}

static void upstream_fixtures__deliver_long_answers_in_pieces(void **state)
{
    struct table *table = *state;
    struct upstream_request request = {
        .provider = &table->provider,
        .pieces = {SPAN("POST /embeddings HTTP/1.1\r\n\r\n"),
                   SPAN("{\"model\":\"m\",\"dimensions\":3072,"
                        "\"input\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]}")},
        .pieces_count = 2,
        .head_pieces = 1};

    start_pieces(table, &request);
    run_to_end(table);
    assert_int_equal(table->how, OUTCOME_OK);
    assert_true(table->body.len > 200 * 1024);
    assert_true(table->pieces > 10);
    assert_true(span_ends(buf_span(&table->body), SPAN_OF("}}")));
}

/* ---- time ---- */

static void upstream_fixtures__wait_for_the_latency(void **state)
{
    struct table *table = *state;
    mono_ms began = 0;

    table->settings.latency_ms = 30;
    start(table, WHOLE);
    (void)loop_turn(table->loop, 0);
    began = loop_now(table->loop);
    assert_int_equal(table->last, EAR_WRITTEN);
    run_to_end(table);
    assert_true(table->head_at >= began + 30);
}

static void upstream_fixtures__pace_words_by_tokens_per_second(void **state)
{
    struct table *table = *state;

    table->settings.tokens_per_second = 500;
    play(table, "{\"model\":\"m\",\"stream\":true,\"max_tokens\":16,"
                "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
    assert_int_equal(table->how, OUTCOME_OK);
    /* The first word is due at once, the sixteenth 30 ms later. */
    assert_true(table->end_at >= table->head_at + 30);
    assert_true(table->pieces >= 2);
    assert_int_equal(count_events(table), 1 + 16 + 1 + 1);
}

static void upstream_fixtures__do_not_pace_whole_answers(void **state)
{
    struct table *table = *state;

    table->settings.tokens_per_second = 1;
    play(table, WHOLE);
    assert_int_equal(table->pieces, 1);
    assert_true(table->end_at <= table->head_at + 900);
}

/* ---- scripted failures ---- */

static void fail_with(struct table *table, const struct fixture_failure *failures, size_t count)
{
    table->settings.failures = failures;
    table->settings.failures_count = count;
}

static void upstream_fixtures__fail_every_nth_request(void **state)
{
    static const struct fixture_failure failures[] = {{FIXTURE_STATUS, 503, 3, 0},
                                                      {FIXTURE_STATUS, 429, 2, 0}};
    static const unsigned expected[] = {200, 429, 503, 429, 200, 503, 200};
    struct table *table = *state;

    fail_with(table, failures, 2);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        play(table, STREAM);
        assert_int_equal(table->status, expected[i]);
        assert_int_equal(table->how, OUTCOME_OK);
        assert_int_equal(table->is_chunked, expected[i] == 200);
        assert_int_equal(table->is_retry_told, expected[i] == 429);
    }
}

static void upstream_fixtures__let_failures_take_turns(void **state)
{
    static const struct fixture_failure failures[] = {{FIXTURE_STATUS, 503, 3, 1},
                                                      {FIXTURE_STATUS, 500, 3, 2}};
    static const unsigned expected[] = {503, 500, 200, 503, 500, 200, 503};
    struct table *table = *state;

    fail_with(table, failures, 2);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        play(table, WHOLE);
        assert_int_equal(table->status, expected[i]);
    }
}

static void upstream_fixtures__count_each_provider_apart(void **state)
{
    static const struct fixture_failure failures[] = {{FIXTURE_STATUS, 500, 2, 0}};
    static const struct {
        uint16_t index;
        unsigned status;
    } rows[] = {{0, 200}, {5, 200}, {0, 500}, {3, 200}, {5, 500}, {0, 200}};
    struct table *table = *state;

    fail_with(table, failures, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        table->provider.index = rows[i].index;
        play(table, WHOLE);
        assert_int_equal(table->status, rows[i].status);
    }
}

static void upstream_fixtures__cut_a_stream_after_so_many_events(void **state)
{
    struct fixture_failure failure = {FIXTURE_CUT, 0, 1, 0};
    struct table *table = *state;

    fail_with(table, &failure, 1);
    for (failure.value = 0; failure.value < 6; failure.value++) {
        play(table, STREAM);
        assert_int_equal(table->status, 200);
        assert_int_equal(count_events(table), failure.value);
        assert_int_equal(table->how, OUTCOME_RESET);
    }
    failure.value = 100000;
    play(table, STREAM);
    assert_int_equal(table->how, OUTCOME_OK);
}

static void upstream_fixtures__cut_a_whole_answer_in_the_middle(void **state)
{
    static const struct fixture_failure failure = {FIXTURE_CUT, 5, 1, 0};
    struct table *table = *state;
    size_t len = 0;

    play(table, WHOLE);
    len = table->body.len;
    fail_with(table, &failure, 1);
    play(table, WHOLE);
    assert_int_equal(table->status, 200);
    assert_int_equal(table->body.len, len / 2);
    assert_int_equal(table->how, OUTCOME_TRUNCATED);
}

static void upstream_fixtures__reset_before_any_byte(void **state)
{
    static const struct fixture_failure failure = {FIXTURE_RESET, 0, 1, 0};
    struct table *table = *state;

    fail_with(table, &failure, 1);
    play(table, WHOLE);
    assert_int_equal(table->last, EAR_WRITTEN);
    assert_int_equal(table->heads, 0);
    assert_int_equal(table->how, OUTCOME_RESET);
    assert_silence(table);
}

static void upstream_fixtures__hang_before_the_answer(void **state)
{
    static const struct fixture_failure failure = {FIXTURE_HANG, 25, 1, 0};
    static const struct fixture_failure long_failure = {FIXTURE_HANG, UINT32_MAX, 1, 0};
    struct table *table = *state;
    mono_ms began = 0;

    fail_with(table, &failure, 1);
    start(table, WHOLE);
    (void)loop_turn(table->loop, 0);
    began = loop_now(table->loop);
    run_to_end(table);
    assert_true(table->head_at >= began + 25);
    assert_int_equal(table->how, OUTCOME_OK);

    fail_with(table, &long_failure, 1);
    table->settings.latency_ms = 10;
    start(table, WHOLE);
    for (int i = 0; i < 3; i++) {
        (void)loop_turn(table->loop, 10);
    }
    assert_int_equal(table->last, EAR_WRITTEN);
    upstream_fixtures_ops.cancel(table->upstream, table->handle);
    assert_silence(table);
}

/* ---- back-pressure and cancelling ---- */

static void upstream_fixtures__hold_bytes_while_paused(void **state)
{
    static const enum ear ears[] = {EAR_CONNECTED, EAR_WRITTEN, EAR_HEAD};
    struct table *table = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(ears); i++) {
        table->pauses_in = ears[i];
        start(table, STREAM);
        for (int turn = 0; turn < 5; turn++) {
            (void)loop_turn(table->loop, 0);
        }
        assert_int_equal(table->last, EAR_HEAD);
        assert_silence(table);
        table->is_in_port = true;
        upstream_fixtures_ops.resume(table->upstream, table->handle);
        upstream_fixtures_ops.resume(table->upstream, table->handle);
        table->is_in_port = false;
        run_to_end(table);
        assert_int_equal(table->how, OUTCOME_OK);
        assert_true(span_ends(buf_span(&table->body), SPAN_OF("[DONE]\n\n")));
    }
}

static void upstream_fixtures__go_on_where_a_pause_stopped(void **state)
{
    struct table *table = *state;
    struct buf whole;

    buf_init(&whole, 1 << 20);
    play(table, STREAM);
    buf_put(&whole, buf_span(&table->body));
    table->settings.tokens_per_second = 2000;
    table->pauses_in = EAR_BYTES;
    start(table, STREAM);
    for (int turn = 0; turn < TURNS_MAX && table->ends == 0; turn++) {
        unsigned pieces = table->pieces;
        (void)loop_turn(table->loop, 1);
        assert_true(table->pieces <= pieces + 1);
        upstream_fixtures_ops.resume(table->upstream, table->handle);
    }
    assert_int_equal(table->ends, 1);
    assert_true(table->pieces > 2);
    assert_true(span_equal(buf_span(&whole), buf_span(&table->body)));
    buf_fini(&whole);
}

static void upstream_fixtures__stay_silent_after_a_cancel_in_any_ear(void **state)
{
    static const enum ear ears[] = {EAR_CONNECTED, EAR_WRITTEN, EAR_HEAD, EAR_BYTES};
    struct table *table = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(ears); i++) {
        table->cancels_in = ears[i];
        table->settings.tokens_per_second = i % 2 == 0 ? 0 : 1000;
        start(table, STREAM);
        for (int turn = 0; turn < 5; turn++) {
            (void)loop_turn(table->loop, 1);
        }
        assert_int_equal(table->last, ears[i]);
        assert_true(table->pieces <= 1);
        assert_int_equal(table->ends, 0);
        assert_silence(table);
        /* A stale handle is ignored. */
        upstream_fixtures_ops.cancel(table->upstream, table->handle);
        upstream_fixtures_ops.pause(table->upstream, table->handle);
        upstream_fixtures_ops.resume(table->upstream, table->handle);
    }
}

static void upstream_fixtures__stay_silent_after_a_cancel_between_turns(void **state)
{
    struct table *table = *state;

    start(table, STREAM);
    upstream_fixtures_ops.cancel(table->upstream, table->handle);
    assert_silence(table);
    assert_int_equal(table->last, EAR_NONE);
    table->settings.tokens_per_second = 200;
    start(table, STREAM);
    (void)loop_turn(table->loop, 0);
    assert_int_equal(table->last, EAR_BYTES);
    upstream_fixtures_ops.cancel(table->upstream, table->handle);
    /* Past the time of the next word: its timer has gone, too. */
    (void)loop_turn(table->loop, 20);
    assert_silence(table);
}

static void upstream_fixtures__end_with_plays_still_open(void **state)
{
    struct table *table = *state;

    table->settings.latency_ms = 60000;
    start(table, STREAM);
    (void)loop_turn(table->loop, 0);
    start(table, WHOLE);
    (void)loop_turn(table->loop, 0);
    start(table, WHOLE);
    /* The teardown frees them all without a sound, and looks at the heap. */
}

static void upstream_fixtures__refuse_to_start_without_memory(void **state)
{
    const struct upstream_ears ears = {.to = NULL};
    struct table *table = *state;
    struct upstream_request request = {.provider = &table->provider,
                                       .pieces = {SPAN(POST_CHAT), SPAN(STREAM)},
                                       .pieces_count = 2,
                                       .head_pieces = 1};
    uint64_t handle = 0;

    for (uint64_t n = 1; handle == 0 && n < 1000; n++) {
        mem_fail_at(n);
        handle = upstream_fixtures_ops.start(table->upstream, &request, &ears, 7);
        mem_fail_at(0);
        assert_true(handle == 0 || n > 3);
    }
    assert_true(handle != 0);
    upstream_fixtures_ops.cancel(table->upstream, handle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(upstream_fixtures__##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(deliver_head_bytes_and_one_end),
        TEST(read_a_body_in_several_pieces),
        TEST(need_no_body_and_send_none_to_head),
        TEST(deliver_long_answers_in_pieces),
        TEST(wait_for_the_latency),
        TEST(pace_words_by_tokens_per_second),
        TEST(do_not_pace_whole_answers),
        TEST(fail_every_nth_request),
        TEST(let_failures_take_turns),
        TEST(count_each_provider_apart),
        TEST(cut_a_stream_after_so_many_events),
        TEST(cut_a_whole_answer_in_the_middle),
        TEST(reset_before_any_byte),
        TEST(hang_before_the_answer),
        TEST(hold_bytes_while_paused),
        TEST(go_on_where_a_pause_stopped),
        TEST(stay_silent_after_a_cancel_in_any_ear),
        TEST(stay_silent_after_a_cancel_between_turns),
        TEST(end_with_plays_still_open),
        TEST(refuse_to_start_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
