/* SPDX-License-Identifier: Apache-2.0 */
/* How long a provider asks us to wait. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/must.h"
#include "wire/hint.h"

/* Sun, 06 Nov 1994 08:49:37 GMT */
static const wall_ms now = (wall_ms)784111777 * 1000;

static int64_t wait_of(const char *fields, const char *delay)
{
    struct http1_head *head = malloc(sizeof *head);
    char text[1024] = "HTTP/1.1 429 Too Many Requests\r\n";
    size_t len = strlen(text);
    size_t more = strlen(fields);
    int64_t wait = 0;

    assert_non_null(head);
    memcpy(text + len, fields, more);
    memcpy(text + len + more, "\r\n", 2);
    http1_head_init(head, HTTP1_RESPONSE);
    assert_int_equal(http1_head_feed(head, span_make(text, len + more + 2)), HTTP1_DONE);
    wait = hint_wait_ms(head, text, span_of(delay), now);
    free(head);
    return wait;
}

static const struct {
    const char *fields;
    const char *delay;
    int64_t wait;
} rows[] = {
    {"", "", HINT_NONE},
    {"Retry-After: 3\r\n", "", 3000},
    {"retry-after: 2.5\r\n", "", 2500},
    {"retry-after: 0.0001\r\n", "", 1},
    {"retry-after: 86400\r\n", "", 86400000},
    {"retry-after: 86401\r\n", "", HINT_NONE},
    {"retry-after: 0\r\n", "", HINT_NONE},
    {"retry-after: -3\r\n", "", HINT_NONE},
    {"retry-after: soon\r\n", "", HINT_NONE},
    {"retry-after: NaN\r\n", "", HINT_NONE},
    {"retry-after: 1e3\r\n", "", HINT_NONE},
    {"retry-after: 99999999999999999999\r\n", "", HINT_NONE},
    {"retry-after: Sun, 06 Nov 1994 08:49:40 GMT\r\n", "", 3000},
    {"retry-after: Sunday, 06-Nov-94 08:49:40 GMT\r\n", "", 3000},
    {"retry-after: Sun Nov  6 08:49:40 1994\r\n", "", 3000},
    {"retry-after: Sun, 06 Nov 1994 08:49:30 GMT\r\n", "", HINT_NONE},
    {"retry-after: Tue, 08 Nov 1994 08:49:40 GMT\r\n", "", HINT_NONE},
    {"retry-after: 9\r\nretry-after-ms: 250\r\n", "", 250},
    {"retry-after-ms: 250.7\r\n", "", 251},
    {"retry-after-ms: x\r\nretry-after: 9\r\n", "", 9000},
    {"x-ms-retry-after-ms: 40\r\nretry-after: 9\r\n", "", 40},
    {"retry-after: 9\r\n", "34.5s", 9000},
    {"", "34.5s", 34500},
    {"x-ratelimit-reset-tokens: 6m0s\r\n", "", 360000},
    {"x-ratelimit-reset-tokens: 6m0s\r\n", "2s", 2000},
    {"x-ratelimit-reset-requests: 20ms\r\n", "", 20},
    {"x-ratelimit-reset-requests: 12\r\n", "", 12000},
    {"x-ratelimit-reset-requests: 1h2m3.5s\r\n", "", 3723500},
    {"x-ratelimit-reset-requests: 25h\r\n", "", HINT_NONE},
    {"x-ratelimit-reset-requests: 6m0\r\n", "", HINT_NONE},
    {"x-ratelimit-reset-requests: 20s\r\nx-ratelimit-reset-tokens: 3s\r\n", "", 3000},
    {"x-ratelimit-reset-requests: 20s\r\nx-ratelimit-reset-tokens: 3s\r\n"
     "x-ratelimit-remaining-requests: 0\r\n",
     "", 20000},
    {"anthropic-ratelimit-requests-reset: 1994-11-06T08:49:44Z\r\n", "", 7000},
    {"anthropic-ratelimit-requests-reset: 1994-11-06T08:49:36Z\r\n", "", HINT_NONE},
    {"anthropic-ratelimit-tokens-reset: 1994-11-06T09:49:38.25+01:00\r\n", "", 1000},
    {"anthropic-ratelimit-tokens-reset: 1994-13-06T09:49:38Z\r\n", "", HINT_NONE},
    {"anthropic-ratelimit-tokens-reset: 1994-11-06\r\n", "", HINT_NONE},
};

static void hint__reads_every_spelling_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        print_message("%s %s\n", rows[i].fields, rows[i].delay);
        assert_int_equal(wait_of(rows[i].fields, rows[i].delay), rows[i].wait);
    }
}

static void hint__knows_the_calendar(void **state)
{
    (void)state;
    assert_int_equal(hint_of_moment(span_of("2024-02-29T00:00:01Z"), 1709164800000), 1000);
    assert_int_equal(hint_of_moment(span_of("2000-03-01T00:00:01Z"), 951868800000), 1000);
    assert_int_equal(hint_of_moment(span_of("1970-01-01T00:00:01Z"), 0), 1000);
}

static void hint__tells_one_to_sixty_whole_seconds(void **state)
{
    static const struct {
        int64_t wait;
        struct hint_told told;
    } told[] = {
        {1, {1, 1, false}},          {250, {1, 250, false}},      {1000, {1, 1000, false}},
        {1001, {2, 1001, false}},    {60000, {60, 60000, false}}, {60001, {60, 60000, true}},
        {7200000, {60, 60000, true}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(told); i++) {
        struct hint_told got = hint_tell(told[i].wait);

        assert_int_equal(got.seconds, told[i].told.seconds);
        assert_int_equal(got.ms, told[i].told.ms);
        assert_int_equal(got.is_capped, told[i].told.is_capped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hint__reads_every_spelling_in_order),
        cmocka_unit_test(hint__knows_the_calendar),
        cmocka_unit_test(hint__tells_one_to_sixty_whole_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
