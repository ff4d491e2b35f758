/* SPDX-License-Identifier: Apache-2.0 */
/* Signature Version 4: the vector of bedrock.md 2 step by step, and the canonical forms. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "wire/sigv4.h"

enum { ROOM = 1 << 20 };

/* 2026-11-20T12:00:00Z */
static const wall_ms moment = 1795176000000;
static const struct sigv4_scope scope = {SPAN("us-east-1"), SPAN("bedrock")};
static const struct sigv4_credential credential = {
    SPAN("AKIDEXAMPLE"), SPAN("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), SPAN("TOKENEXAMPLE")};

static struct sigv4_request vector(void)
{
    struct sigv4_request request = {
        .method = SPAN_OF("POST"),
        .path = SPAN_OF("/model/us.anthropic.claude-opus-4-8-v1%3A0/converse"),
        .host = SPAN_OF("bedrock-runtime.us-east-1.amazonaws.com"),
        .content_type = SPAN_OF("application/json"),
    };

    digest_sha256(SPAN_OF("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}"),
                  &request.body);
    return request;
}

static void assert_hex(const struct digest *digest, const char *expected)
{
    char hex[2 * DIGEST_BYTES + 1];

    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        hex[2 * i] = "0123456789abcdef"[digest->bytes[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest->bytes[i] & 15U];
    }
    hex[2 * DIGEST_BYTES] = '\0';
    assert_string_equal(hex, expected);
}

static void assert_text(struct span actual, const char *expected)
{
    if (!span_equal(actual, span_of(expected))) {
        fail_msg("%.*s is not %s", SPAN_ARGS(actual), expected);
    }
}

static void sigv4__writes_times_without_marks(void **state)
{
    char time[SIGV4_TIME];

    (void)state;
    sigv4_time(moment, time);
    assert_text(span_make(time, sizeof time), "20261120T120000Z");
    sigv4_time(moment + 999, time);
    assert_text(span_make(time, sizeof time), "20261120T120000Z");
}

static void sigv4__signs_the_vector(void **state)
{
    struct sigv4_request request = vector();
    struct digest hash;
    struct digest key;
    struct buf out;

    (void)state;
    assert_hex(&request.body, "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0");
    buf_init(&out, ROOM);
    assert_int_equal(sigv4_put_canonical(&out, &request, credential.token, "20261120T120000Z"),
                     ERR_NONE);
    assert_text(buf_span(&out),
                "POST\n/model/us.anthropic.claude-opus-4-8-v1%253A0/converse\n\n"
                "content-type:application/json\n"
                "host:bedrock-runtime.us-east-1.amazonaws.com\n"
                "x-amz-content-sha256:"
                "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0\n"
                "x-amz-date:20261120T120000Z\nx-amz-security-token:TOKENEXAMPLE\n\n"
                "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token\n"
                "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0");
    digest_sha256(buf_span(&out), &hash);
    assert_hex(&hash, "f8567e8f193dc327ba985b79eebc9594e9cadc975c1ad5ca7835ba3be9048f3c");
    assert_int_equal(sigv4_key(credential.secret, &scope, "20261120T120000Z", &key), ERR_NONE);
    assert_hex(&key, "698883a66fa592cb8e48403ecab6a56bd639a050946bc5681347013ec881aa70");
    buf_clear(&out);
    assert_int_equal(sigv4_put_headers(&out, &credential, &scope, &request, moment), ERR_NONE);
    assert_text(buf_span(&out),
                "x-amz-date: 20261120T120000Z\r\n"
                "x-amz-content-sha256: "
                "c3335e07d6e89650bf94cb98664be69f8774dbc3198df221f113db0a59ea14f0\r\n"
                "x-amz-security-token: TOKENEXAMPLE\r\n"
                "authorization: AWS4-HMAC-SHA256 "
                "Credential=AKIDEXAMPLE/20261120/us-east-1/bedrock/aws4_request, "
                "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;"
                "x-amz-security-token, "
                "Signature=b4f255b177591427b289081cdf59827537f3ca04236b4e6cbd97908d4ed0a19d\r\n");
    buf_fini(&out);
    assert_int_equal(mem_held(), 0);
}

/* Without a session and a body's type, the names that are signed are fewer. */
static void sigv4__signs_only_what_is_sent(void **state)
{
    struct sigv4_request request = {.method = SPAN_OF("GET"), .path = SPAN_OF(""), .host = SPAN_OF("h")};
    struct buf out;

    (void)state;
    digest_sha256(SPAN_OF(""), &request.body);
    buf_init(&out, ROOM);
    assert_int_equal(sigv4_put_canonical(&out, &request, span_make("", 0), "20261120T120000Z"),
                     ERR_NONE);
    assert_text(buf_span(&out),
                "GET\n/\n\nhost:h\n"
                "x-amz-content-sha256:"
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
                "x-amz-date:20261120T120000Z\n\nhost;x-amz-content-sha256;x-amz-date\n"
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    buf_fini(&out);
}

/* The lines of the canonical request for path and query, and the first header. */
static void sigv4__has_one_spelling_for_paths_queries_and_blanks(void **state)
{
    static const struct {
        const char *path;
        const char *query;
        const char *host;
        const char *lines;
    } rows[] = {
        {"/", "", "h", "\n/\n\nhost:h\n"},
        {"/a/b/", "", "h", "\n/a/b/\n\nhost:h\n"},
        {"//a///b", "", "h", "\n/a/b\n\nhost:h\n"},
        {"/a/./b", "", "h", "\n/a/b\n\nhost:h\n"},
        {"/a%2Fb/c d", "", "h", "\n/a%252Fb/c%20d\n\nhost:h\n"},
        {"/A-z_0.~*", "", "h", "\n/A-z_0.~%2A\n\nhost:h\n"},
        {"/", "b=2&a=1", "h", "\n/\na=1&b=2\nhost:h\n"},
        {"/", "a=2&a=1&a", "h", "\n/\na=&a=1&a=2\nhost:h\n"},
        {"/", "a-=1&a=2&aa=3", "h", "\n/\na=2&a-=1&aa=3\nhost:h\n"},
        {"/", "a=%7e%2f/&%41=%e4", "h", "\n/\nA=%E4&a=~%2F%2F\nhost:h\n"},
        {"/", "a=b=c", "h", "\n/\na=b%3Dc\nhost:h\n"},
        {"/", "", "  h \t  x ", "\n/\n\nhost:h x\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct sigv4_request request = {.method = SPAN_OF("GET"),
                                        .path = span_of(rows[i].path),
                                        .query = span_of(rows[i].query),
                                        .host = span_of(rows[i].host)};
        struct buf out;

        buf_init(&out, ROOM);
        assert_int_equal(sigv4_put_canonical(&out, &request, span_make("", 0), "20261120T120000Z"),
                         ERR_NONE);
        if (!span_starts(span_from(buf_span(&out), 3), span_of(rows[i].lines))) {
            fail_msg("%s %s: %.*s", rows[i].path, rows[i].query, SPAN_ARGS(buf_span(&out)));
        }
        buf_fini(&out);
    }
}

static void sigv4__refuses_what_it_cannot_sign(void **state)
{
    char pairs[2 * (SIGV4_PAIRS_MAX + 1) + 1] = "";
    char secret[SIGV4_SECRET_MAX + 1];
    struct sigv4_credential longer = credential;
    struct sigv4_request request = vector();
    struct buf out;

    (void)state;
    buf_init(&out, ROOM);
    request.query = SPAN_OF("a=%4");
    assert_int_equal(sigv4_put_headers(&out, &credential, &scope, &request, moment), ERR_FORMAT);
    request.query = SPAN_OF("%zz=1");
    assert_int_equal(sigv4_put_headers(&out, &credential, &scope, &request, moment), ERR_FORMAT);
    for (size_t i = 0; i <= SIGV4_PAIRS_MAX; i++) {
        memcpy(pairs + 2 * i, "a&", 2);
    }
    request.query = span_of(pairs);
    assert_int_equal(sigv4_put_headers(&out, &credential, &scope, &request, moment), ERR_CEILING);
    request.query = span_make(pairs, 2 * SIGV4_PAIRS_MAX);
    assert_int_equal(sigv4_put_headers(&out, &credential, &scope, &request, moment), ERR_NONE);
    buf_clear(&out);
    memset(secret, 's', sizeof secret);
    longer.secret = span_make(secret, sizeof secret);
    assert_int_equal(sigv4_put_headers(&out, &longer, &scope, &request, moment), ERR_CEILING);
    assert_int_equal(out.len, 0);
    longer.secret.len--;
    assert_int_equal(sigv4_put_headers(&out, &longer, &scope, &request, moment), ERR_NONE);
    buf_fini(&out);
    assert_int_equal(mem_held(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sigv4__writes_times_without_marks),
        cmocka_unit_test(sigv4__signs_the_vector),
        cmocka_unit_test(sigv4__signs_only_what_is_sent),
        cmocka_unit_test(sigv4__has_one_spelling_for_paths_queries_and_blanks),
        cmocka_unit_test(sigv4__refuses_what_it_cannot_sign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
