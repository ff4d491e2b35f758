/* SPDX-License-Identifier: Apache-2.0 */
/* What providers report of their limits, in every spelling, and what is not believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/must.h"
#include "wire/reported.h"

/* Sun, 06 Nov 1994 08:49:37 GMT */
static const wall_ms now = (wall_ms)784111777 * 1000;

static struct reported read_of(const char *fields)
{
    struct http1_head *head = malloc(sizeof *head);
    char text[4096] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n";
    size_t len = strlen(text);
    size_t more = strlen(fields);
    struct reported reported;

    assert_non_null(head);
    assert_true(len + more + 2 <= sizeof text);
    memcpy(text + len, fields, more);
    memcpy(text + len + more, "\r\n", 2);
    http1_head_init(head, HTTP1_RESPONSE);
    assert_int_equal(http1_head_feed(head, span_make(text, len + more + 2)), HTTP1_DONE);
    reported_read(head, text, now, &reported);
    free(head);
    return reported;
}

static void assert_limit(const struct reported_limit *limit, const int64_t expected[3])
{
    assert_int_equal(limit->limit, expected[0]);
    assert_int_equal(limit->remaining, expected[1]);
    assert_int_equal(limit->reset_ms, expected[2]);
}

#define X "x-ratelimit-"
#define A "anthropic-ratelimit-"
#define NO                                                                                         \
    {                                                                                              \
        -1, -1, -1                                                                                 \
    }

static const struct {
    const char *fields;
    int64_t requests[3], tokens[3], input[3], output[3];
} rows[] = {
    {"", NO, NO, NO, NO},
    {"retry-after: 3\r\n", NO, NO, NO, NO},
    /* OpenAI */
    {X "limit-requests: 5000\r\n" X "remaining-requests: 4999\r\n" X "reset-requests: 12ms\r\n" X
       "limit-tokens: 800000\r\n" X "remaining-tokens: 799000\r\n" X "reset-tokens: 6m0s\r\n",
     {5000, 4999, 12},
     {800000, 799000, 360000},
     NO,
     NO},
    {"X-RateLimit-Limit-Requests: 7\r\nX-RATELIMIT-REMAINING-TOKENS: 0\r\n",
     {7, -1, -1},
     {-1, 0, -1},
     NO,
     NO},
    /* Groq, Azure */
    {X "reset-requests: 2m59.56s\r\n" X "reset-tokens: 60\r\n",
     {-1, -1, 179560},
     {-1, -1, 60000},
     NO,
     NO},
    {X "remaining-tokens: -1\r\n" X "remaining-requests: 0\r\n", {-1, 0, -1}, NO, NO, NO},
    /* Anthropic */
    {A "requests-limit: 50\r\n" A "requests-remaining: 49\r\n" A
       "requests-reset: 1994-11-06T08:49:38Z\r\n" A "tokens-limit: 38000\r\n" A
       "tokens-remaining: 37000\r\n" A "tokens-reset: 1994-11-06T08:49:39Z\r\n" A
       "input-tokens-limit: 30000\r\n" A "input-tokens-remaining: 29000\r\n" A
       "input-tokens-reset: 1994-11-06T08:49:40Z\r\n" A "output-tokens-limit: 8000\r\n" A
       "output-tokens-remaining: 7000\r\n" A "output-tokens-reset: 1994-11-06T08:49:41Z\r\n",
     {50, 49, 1000},
     {38000, 37000, 2000},
     {30000, 29000, 3000},
     {8000, 7000, 4000}},
    {A "tokens-limit: 5\r\n" A "tokens-reset: 1994-11-06T08:49:37Z\r\n", NO, {5, -1, -1}, NO, NO},
    /* Mistral, Cerebras, Fireworks */
    {X "limit-req-minute: 60\r\n" X "remaining-req-minute: 59\r\n" X
       "limit-tokens-minute: 50000\r\n" X "remaining-tokens-minute: 47196\r\n" X
       "limit-tokens-month: 4\r\n" X "remaining-tokens-month: 3\r\n",
     {60, 59, -1},
     {50000, 47196, -1},
     NO,
     NO},
    {"ratelimitbysize-limit: 500000\r\nratelimitbysize-remaining: 467999\r\n"
     "ratelimitbysize-reset: 38\r\nratelimitbysize-query-cost: 32001\r\n",
     NO,
     {500000, 467999, 38000},
     NO,
     NO},
    {X "limit-requests-day: 1000\r\n" X "remaining-requests-day: 750\r\n" X
       "reset-requests-day: 33011.382867097855\r\n",
     {1000, 750, 33011383},
     NO,
     NO,
     NO},
    {X "limit-tokens-prompt: 7200000\r\n" X "remaining-tokens-prompt: 7193993\r\n" X
       "limit-tokens-generated: 72000\r\n" X "remaining-tokens-generated: 69338\r\n",
     NO,
     NO,
     {7200000, 7193993, -1},
     {72000, 69338, -1}},
    /* the same limit twice over: the one with the least left, whole */
    {X "limit-requests: 100\r\n" X "remaining-requests: 90\r\n" X "reset-requests: 1s\r\n" X
       "limit-project-requests: 20\r\n" X "remaining-project-requests: 9\r\n" X
       "reset-project-requests: 2s\r\n",
     {20, 9, 2000},
     NO,
     NO,
     NO},
    {X "limit-tokens: 100\r\n" X "remaining-tokens: 8\r\n" X "limit-tokens_usage_based: 90\r\n" X
       "remaining-tokens_usage_based: 80\r\n" X "limit-project-tokens: 70\r\n",
     NO,
     {100, 8, -1},
     NO,
     NO},
    {X "limit-tokens: 100\r\n" X "limit-project-tokens: 70\r\n" X
       "reset-tokens_usage_based: 1s\r\n",
     NO,
     {70, -1, -1},
     NO,
     NO},
    {X "limit-requests: 3\r\n" X "limit-requests: 9\r\n", {3, -1, -1}, NO, NO, NO},
    /* not believed */
    {X "limit-requests: -5\r\n" X "limit-tokens: 1e9\r\n", NO, NO, NO, NO},
    {X "limit-requests: 9007199254740992\r\n" X "limit-tokens: 9007199254740993\r\n",
     {(int64_t)1 << 53, -1, -1},
     NO,
     NO,
     NO},
    {X "limit-requests: 99999999999999999999999\r\n" X "limit-tokens: 5.5\r\n", NO, NO, NO, NO},
    {X "limit-requests:\r\n" X "limit-tokens: many\r\n" X "remaining-tokens: 0x10\r\n", NO, NO, NO,
     NO},
    {X "reset-requests: -3\r\n" X "reset-tokens: NaN\r\n" X "reset-project-tokens: 0\r\n", NO, NO,
     NO, NO},
    {X "reset-requests: 25h\r\n" A "tokens-reset: 1994-11-06T08:49:36Z\r\n", NO, NO, NO, NO},
    /* names that are near */
    {X "limitless-requests: 5\r\n" X "limit-request: 5\r\n" X "limit-requestss: 5\r\n", NO, NO, NO,
     NO},
    {X "limit: 5\r\n" X "remaining--requests: 5\r\n" X "remaining-audio-x: 5\r\n", NO, NO, NO, NO},
    {A "requests-limits: 5\r\n" A "requestslimit: 5\r\n" A "input-limit: 5\r\n", NO, NO, NO, NO},
    {"anthropic-priority-input-tokens-limit: 5\r\naccess-control-allow-headers: *\r\n"
     "ratelimitbysize-limit-m: 5\r\nx-ratelimitbysize-limit: 5\r\n",
     NO, NO, NO, NO},
};

static void reported__reads_every_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct reported reported = read_of(rows[i].fields);
        int64_t most = -1;

        print_message("%s\n", rows[i].fields);
        assert_limit(&reported.requests, rows[i].requests);
        assert_limit(&reported.tokens, rows[i].tokens);
        assert_limit(&reported.input, rows[i].input);
        assert_limit(&reported.output, rows[i].output);
        for (size_t m = 0; m < 3; m++) {
            most = rows[i].requests[m] > most ? rows[i].requests[m] : most;
            most = rows[i].tokens[m] > most ? rows[i].tokens[m] : most;
            most = rows[i].input[m] > most ? rows[i].input[m] : most;
            most = rows[i].output[m] > most ? rows[i].output[m] : most;
        }
        assert_int_equal(reported.is_any, most >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reported__reads_every_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
